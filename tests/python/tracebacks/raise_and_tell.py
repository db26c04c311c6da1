"""Runs programs that raise, and tells what both sides make of it: JSON, a line for a line."""

import importlib.util
import json
import logging
import sys

import logboom
from logboom._logboom import format_exception

logging.raiseExceptions = False
directory = sys.argv[1]
library = logging.Formatter().formatException


def attempt(function, argument):
    try:
        return function(argument)
    except RecursionError:
        raise
    except Exception as error:
        return f"raised {type(error).__name__}"


def through(logger, handler, path, exc_info):
    for _ in range(3):
        logger.error("the message", exc_info=exc_info)
        logger.exception("once more", exc_info=exc_info)
    try:
        raise exc_info
    except BaseException:
        logger.exception("while handled")
    handler.close()
    with open(path, "rb") as file:
        return file.read().decode("utf-8", "surrogatepass")


def both_handlers(number, error):
    texts = []
    for name, begin, handler_class in (
        ("ours", logboom.install, logboom.FileHandler),
        ("library", logboom.uninstall, logging.FileHandler),
    ):
        begin()
        path = f"{directory}/{name}{number}.log"
        handler = handler_class(path, encoding="utf-8")
        logger = logging.Logger(name)
        logger.addHandler(handler)
        traceback = error.__traceback__
        texts.append(through(logger, handler, path, error))
        error.__traceback__ = traceback
    return texts


def load(name, source):
    path = f"{directory}/{name}.py"
    with open(path, "w", encoding="utf-8", newline="") as file:
        file.write(source)
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


for number, line in enumerate(sys.stdin):
    asked = json.loads(line)
    try:
        load(f"raising{number}", asked["source"]).run()
    except BaseException as error:
        caught = error
    else:
        raise SystemExit("the program raised nothing")
    triple = (type(caught), caught, caught.__traceback__)
    ours, theirs, tuples = [], [], []
    for _ in range(3):
        ours.append(format_exception(caught))
        theirs.append(attempt(library, triple))
        tuples.append(format_exception(triple))
    logged = both_handlers(number, caught) if asked["logged"] else None
    del caught, triple
    answer = dict(ours=ours, theirs=theirs, tuples=tuples, logged=logged)
    print(json.dumps(answer), flush=True)
