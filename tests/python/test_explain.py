"""`explain` tells the way that records really take, and why."""

from __future__ import annotations

import io
import json
import logging
import logging.handlers
import sys
from collections.abc import Callable, Iterator

import pytest

import logboom


@pytest.fixture(autouse=True)
def _installed(logging_as_it_was: None) -> None:
    logboom.install()


@pytest.fixture
def logger(log) -> Iterator[logging.Logger]:
    # In no hierarchy, as pytest puts handlers of its own onto the loggers that it finds.
    parent = logging.Logger("shop", logging.INFO)
    logger = logging.Logger("shop.till")
    logger.parent = parent
    handler = logboom.FileHandler(log)
    parent.addHandler(handler)
    yield logger
    for one in [*parent.handlers, *logger.handlers]:
        one.close()


def makes_a_record(logger: logging.Logger) -> bool:
    """Whether the library's code makes a record of a call, once the place of the call is known."""
    seen = []

    def profile(frame, event, _):
        if event == "call":
            seen.append(frame.f_code.co_name)

    for _ in range(3):
        seen.clear()
        sys.setprofile(profile)
        try:
            logger.critical("a call %d", 1)
        finally:
            sys.setprofile(None)
    return "makeRecord" in seen or "callHandlers" in seen


class Handler(logboom.StreamHandler):
    def emit(self, record):
        pass


class Rotating(logboom.RotatingFileHandler):
    def rotate(self, source, dest):
        super().rotate(source, dest)


class Formatter(logging.Formatter):
    pass


def rotating(logger, kind=logboom.RotatingFileHandler):
    path = logger.parent.handlers[0].baseFilename
    handler = kind(f"{path}.rotating", maxBytes=1000, backupCount=1)
    logger.addHandler(handler)
    return handler


def own_method(logger):
    logger.handle = lambda record: None


def own_terminator(logger):
    logger.parent.handlers[0].terminator = "|"


def patched(logger):
    # Of a class of its own, so that nothing else is patched.
    class Own(logging.Logger):
        def callHandlers(self, record):
            super().callHandlers(record)

    logger.parent = Own("patched", logging.INFO)
    logger.parent.addHandler(logging.NullHandler())


CASES: dict[str, tuple[Callable[[logging.Logger], object], str]] = {
    "nothing": (lambda logger: None, ""),
    "null handler": (lambda logger: logger.addHandler(logging.NullHandler()), ""),
    "filters": (lambda logger: logger.addFilter(lambda r: True), "'shop.till': it has filters"),
    "filters of a parent": (lambda logger: logger.parent.addFilter(lambda r: True), ""),
    "own method": (own_method, "'shop.till': a method was set on the logger"),
    "class of a parent": (patched, "'patched': its class"),
    "handlers no list": (
        lambda logger: setattr(logger, "handlers", ()),
        "'shop.till': an attribute of it is not of the type",
    ),
    "library's handler": (
        lambda logger: logger.addHandler(logging.StreamHandler(io.StringIO())),
        "handler StreamHandler: logging.StreamHandler is the library's; logboom.StreamHandler is",
    ),
    "foreign handler": (
        lambda logger: logger.addHandler(type("Own", (logging.NullHandler,), {})()),
        "handler Own: {module}.Own gets a LogRecord",
    ),
    "overridden": (lambda logger: logger.addHandler(Handler()), "has its own `emit`"),
    "own terminator": (own_terminator, "a method, or the terminator, was set on the handler"),
    "filters of a handler": (
        lambda logger: logger.parent.handlers[0].addFilter(lambda r: True),
        "it has filters, which",
    ),
    "formatter": (
        lambda logger: logger.parent.handlers[0].setFormatter(Formatter()),
        "its formatter is a {module}.Formatter, which runs at the call",
    ),
    "format": (
        lambda logger: logger.parent.handlers[0].setFormatter(logging.Formatter("%(args)s")),
        "its formatter is one that only Python can run exactly",
    ),
    "field": (
        lambda logger: logger.parent.handlers[0].setFormatter(logging.Formatter("%(user)s")),
        "its format shows a field that is not bound here",
    ),
    "stream": (
        lambda logger: logger.addHandler(logboom.StreamHandler(io.StringIO())),
        "its stream is not the real standard output or standard error",
    ),
    "rotating": (rotating, ""),
    "rotating in a way of its own": (
        lambda logger: rotating(logger, Rotating),
        "has its own `rotate`",
    ),
    "rotating with a namer": (
        lambda logger: setattr(rotating(logger), "namer", str),
        "only the library's own code can do what its mode, encoding, namer or rotator asks for",
    ),
    "syslog": (
        lambda logger: logger.addHandler(logboom.SysLogHandler(("127.0.0.1", 1))),
        "handler SysLogHandler: logboom._network.SysLogHandler gets a LogRecord at the call",
    ),
    "library's syslog": (
        lambda logger: logger.addHandler(logging.handlers.SysLogHandler(("127.0.0.1", 1))),
        "handler SysLogHandler: logging.handlers.SysLogHandler gets a LogRecord at the call",
    ),
    "many handlers": (
        lambda logger: [
            logger.addHandler(logboom.FileHandler(logger.parent.handlers[0].baseFilename))
            for _ in range(10)
        ],
        "a record reaches more handlers",
    ),
    "record factory": (
        lambda logger: logging.setLogRecordFactory(lambda *a, **k: logging.LogRecord(*a, **k)),
        "a setting of the library was changed: the record factory",
    ),
    "not propagated": (
        lambda logger: (
            setattr(logger, "propagate", False),
            logger.addHandler(logging.NullHandler()),
            logger.parent.addHandler(Handler()),
        ),
        "",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_it_tells_what_a_call_does(logger, case, monkeypatch):
    change, reason = CASES[case]
    monkeypatch.setattr(logging, "raiseExceptions", False)
    monkeypatch.setattr(logging, "_logRecordFactory", logging.getLogRecordFactory())
    change(logger)
    told = logboom.explain(logger, file=io.StringIO())
    assert told.native is not makes_a_record(logger)
    assert told.native is (reason == "")
    assert reason.format(module=__name__) in "\n".join(told.reasons)
    assert bool(told.reasons) is not told.native
    for one in told.handlers:
        assert (one.way == "native") is (one.reason == "")


def test_each_handler_has_its_own_way(logger, log):
    handed_over, lost, foreign = logboom.FileHandler(log), Handler(), logging.NullHandler()
    handed_over.setFormatter(Formatter())
    foreign.addFilter(lambda record: True)
    for handler in (handed_over, lost, logging.StreamHandler(io.StringIO()), foreign):
        logger.addHandler(handler)
    told = logboom.explain(logger, file=io.StringIO())
    assert [(one.handler.split()[0], one.way) for one in told.handlers] == [
        ("FileHandler", "line"),
        ("Handler", "library"),
        ("StreamHandler", "library"),
        ("NullHandler", "native"),
        ("FileHandler", "line"),
    ]
    assert told.handlers[-1].reason == "a LogRecord is made, see above"
    before = logboom.stats().submitted
    logger.info("x")
    # What is said to be written by the writer was handed to it, and nothing else.
    assert logboom.stats().submitted - before == 2


def test_it_prints_for_people(logger, capsys, log):
    logger.parent.handlers[0].setLevel(logging.ERROR)
    told = logboom.explain(logger)
    assert capsys.readouterr().out == str(told) + "\n"
    way = "native: formatted and written by the writer's thread"
    assert str(told).splitlines() == [
        "logger 'shop.till': level INFO (set on 'shop')",
        "  records go natively: no LogRecord is made",
        f"  FileHandler {log} on 'shop', from ERROR: {way}",
    ]
    logger.disabled = True
    assert "INFO (set on 'shop'), disabled" in str(logboom.explain(logger, file=io.StringIO()))


def test_it_gives_the_same_to_machines(logger):
    told = logboom.explain(logger, file=io.StringIO())
    assert json.loads(json.dumps(told.as_dict())) == {
        "logger": "shop.till",
        "level": 20,
        "level_from": "shop",
        "held": False,
        "enabled": True,
        "native": True,
        "reasons": [],
        "handlers": [
            {
                "handler": told.handlers[0].handler,
                "logger": "shop",
                "level": 0,
                "way": "native",
                "reason": "",
            }
        ],
    }


def test_a_logger_is_found_by_its_name_and_the_root_by_none(run_python):
    outcome = run_python("""
        import logboom, logging
        print(logboom.explain("a.b", file=open("before", "w")).reasons)
        logboom.basicConfig(filename="app.log", level="INFO")
        logboom.explain("a.b")
        assert logboom.explain(file=open("root", "w")).logger == "root"
        assert logboom.stats().submitted == 0
    """).ok()
    before, *lines = outcome.out.splitlines()
    assert before == "('logboom.install() is not in effect',)"
    assert lines[0] == "logger 'a.b': level INFO (set on 'root')"
    assert lines[1] == "  records go natively: no LogRecord is made"


def test_a_file_that_is_not_open_yet_is_not_opened(run_python):
    run_python("""
        import logboom, logging, os
        logboom.install()
        handler = logboom.FileHandler("late.log", delay=True)
        logging.root.addHandler(handler)
        told = logboom.explain(file=open(os.devnull, "w"))
        assert told.handlers[0].reason == "its file is opened at the first record", told
        assert not os.path.exists("late.log")
        logging.warning("x")
        assert logboom.explain(file=open(os.devnull, "w")).native
    """).ok()
