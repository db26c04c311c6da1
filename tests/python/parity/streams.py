"""Handlers and the streams they write to."""

from __future__ import annotations

import io
import logging
import os
import sys

from harness import WARM, Side, show


def standard_streams(side: Side) -> None:
    logger = logging.getLogger("app")
    logger.setLevel(10)
    for stream in (None, sys.stdout, sys.stderr, sys.__stdout__):
        handler = side.StreamHandler(stream)
        handler.setFormatter(logging.Formatter("%(levelname)s é %(message)s"))
        logger.handlers = [handler]
        for n in range(WARM):
            logger.info("to it %d", n)
        handler.flush()
        print(repr(handler), handler.stream is (stream or sys.stderr), file=sys.stdout, flush=True)


def standard_streams_by_turns_with_print(side: Side) -> None:
    logger = logging.getLogger("app")
    handler = side.StreamHandler(sys.stdout)
    logger.addHandler(handler)
    for n in range(20):
        logger.warning("logged %d", n)
        handler.flush()
        print("printed", n, flush=True)


def prints_before_the_first_record(side: Side) -> None:
    logger = logging.getLogger("app")
    print("printed, not flushed, before the handler is there")
    handler = side.StreamHandler(sys.stdout)
    logger.addHandler(handler)
    print("printed, not flushed, before the first record")
    logger.warning("logged")
    handler.flush()
    print("printed after", flush=True)


def other_streams(side: Side) -> None:
    logger = logging.getLogger("app")

    class Own:
        def __init__(self) -> None:
            self.parts: list[str] = []

        def write(self, text: str) -> None:
            self.parts.append(text)

    class Flushes(Own):
        def flush(self) -> None:
            self.parts.append("<flush>")

    for stream in (io.StringIO(), Own(), Flushes()):
        logger.handlers = [side.StreamHandler(stream)]
        for n in range(WARM):
            logger.warning("é %d", n)
        print(stream.getvalue() if isinstance(stream, io.StringIO) else stream.parts)
        print(type(logger.handlers[0]).__name__, logger.handlers[0].stream is stream)


def streams_that_are_replaced(side: Side) -> None:
    logger = logging.getLogger("app")
    handler = side.StreamHandler(sys.stdout)
    logger.addHandler(handler)
    first, second = io.StringIO(), io.StringIO()
    file = open("stream.log", "w", encoding="utf-8")
    for stream in (first, second, sys.stdout, file, sys.stdout, first, file):
        old = handler.setStream(stream)
        print(old is None, handler.setStream(stream) is None, flush=True)
        for n in range(WARM):
            logger.warning("line %d", n)
        handler.flush()
    handler.stream = second
    logger.warning("set directly")
    handler.stream = sys.stdout
    logger.warning("set directly to stdout")
    handler.flush()
    print(repr(first.getvalue()), repr(second.getvalue()), flush=True)
    file.close()
    handler.setStream(first)


def the_stderr_of_now(side: Side) -> None:
    logger = logging.getLogger("app")
    real = sys.stderr
    sys.stderr = caught = io.StringIO()
    handler = side.StreamHandler()
    logger.addHandler(handler)
    logger.warning("into what stood for stderr")
    sys.stderr = real
    logger.warning("still there")
    print(caught.getvalue())


def streams_that_fail(side: Side) -> None:
    logger = logging.getLogger("app")

    class Fails(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError("cannot write")

    closed = io.StringIO()
    closed.close()
    for stream in (Fails(), closed):
        logger.handlers = [side.StreamHandler(stream)]
        for _ in range(WARM):
            logger.warning("lost")


def a_file_whose_stream_was_closed(side: Side) -> None:
    logger = side.logger()
    handler = logger.handlers[0]
    logger.info("written")
    handler.stream.close()
    show(logger.info, "into a closed stream")


def streams_of_other_encodings(side: Side) -> None:
    for encoding in ("latin-1", "utf-16", "utf-8-sig", "ascii", "utf8", "UTF_8", "cp1252", None):
        for errors in (None, "strict", "replace", "ignore", "backslashreplace"):
            name = f"{encoding}-{errors}.log"
            handler = side.file("%(message)s", name, encoding=encoding, errors=errors)
            logger = logging.getLogger(name)
            logger.addHandler(handler)
            logger.propagate = False
            for n in range(WARM):
                logger.warning("naïve %d", n)
                logger.warning("€ %d", n)
            print(handler.encoding, handler.errors, handler.mode, handler.delay)


def streams_reconfigured(side: Side) -> None:
    logger = logging.getLogger("app")
    handler = side.StreamHandler(sys.stdout)
    logger.addHandler(handler)
    for how in (
        {"encoding": "latin-1", "errors": "replace"},
        {"encoding": "utf-8"},
        {"newline": "\r\n"},
        {"newline": ""},
        {"encoding": "ascii", "errors": "backslashreplace"},
    ):
        handler.flush()
        sys.stdout.reconfigure(**how)
        for n in range(WARM):
            logger.warning("é € %d", n)
        handler.flush()


def files_with_other_line_ends(side: Side) -> None:
    logger = logging.getLogger("app")
    handler = side.FileHandler("own.log", delay=True)
    handler.setStream(open("crlf.log", "w", newline="\r\n", encoding="utf-8"))
    logger.addHandler(handler)
    for n in range(WARM):
        logger.warning("line %d", n)
    handler.close()

    class Own(side.FileHandler):
        def _open(self) -> io.TextIOWrapper:
            return open(self.baseFilename, self.mode, encoding="utf-8", newline="\r\n")

    logger.handlers = [Own("opened.log")]
    for n in range(WARM):
        logger.warning("line\n%d", n)


def files_opened_by_the_user(side: Side) -> None:
    import gzip
    import lzma

    class Zipped(side.FileHandler):
        def _open(self) -> io.TextIOWrapper:
            return gzip.open(self.baseFilename, "wt", encoding="utf-8")

    class Headed(side.FileHandler):
        def _open(self) -> io.TextIOWrapper:
            stream = super()._open()
            stream.write("# a header\n")
            return stream

    class Squeezed(side.FileHandler):
        def _open(self) -> io.TextIOWrapper:
            return io.TextIOWrapper(lzma.open(self.baseFilename, "w"), encoding="utf-8")

    for kind in (Zipped, Headed, Squeezed):
        logger = logging.getLogger(kind.__name__)
        logger.propagate = False
        handler = kind(kind.__name__)
        logger.addHandler(handler)
        for n in range(WARM):
            logger.warning("line %d", n)
        handler.close()
    for name, opener in (("Zipped", gzip.open), ("Squeezed", lzma.open)):
        print(opener(name, "rt").read())
        os.remove(name)


def writes_of_the_program_to_the_handlers_stream(side: Side) -> None:
    logger = side.logger()
    handler = logger.handlers[0]
    for n in range(WARM):
        handler.stream.write(f"--- section {n}\n")
        handler.stream.flush()
        logger.info("in section %d", n)
        handler.flush()


def modes(side: Side) -> None:
    for mode in ("a", "w", "x", "a+", "w+", "r+"):
        name = f"{mode}.log"
        if mode != "x":
            with open(name, "w") as file:
                file.write("old contents that are longer than what comes\n")
        handler = side.file("%(message)s", name, mode=mode)
        logger = logging.getLogger(mode)
        logger.addHandler(handler)
        for n in range(WARM):
            logger.warning("%d", n)
        handler.close()
        print(mode, handler.mode, repr(handler) == f"<FileHandler {handler.baseFilename} (NOTSET)>")
    show(side.FileHandler, "bad.log", "q")
    show(side.FileHandler, "bad.log", "ab")
    show(side.FileHandler, "bad.log", encoding="no such encoding")
    show(side.FileHandler, "x.log", "x")
    show(side.FileHandler, "/no/such/directory/x.log")
    show(side.FileHandler, ".")
    show(side.FileHandler, "nul\0.log")
    show(side.FileHandler)
    show(side.FileHandler, "bad.log", "a", None, False, None, None)
    print(len(logging._handlerList), sorted(os.listdir()))


def delayed_opening(side: Side) -> None:
    logger = logging.getLogger("app")
    for mode in ("a", "w"):
        name = f"{mode}.log"
        handler = side.file("%(message)s", name, mode=mode, delay=True)
        logger.handlers = [handler]
        print(os.path.exists(name), handler.stream, repr(handler).startswith("<FileHandler "))
        handler.flush()
        handler.close()
        print(os.path.exists(name))
        handler = side.file("%(message)s", name, mode=mode, delay=True)
        logger.handlers = [handler]
        for n in range(WARM):
            logger.warning("%d", n)
            print(os.path.exists(name))
        handler.close()
        logger.warning("after the close")
        print(handler.stream is None)


def delayed_opening_that_fails(side: Side) -> None:
    logger = logging.getLogger("app")
    logger.addHandler(side.FileHandler("later/app.log", delay=True))
    for n in range(WARM):
        show(logger.warning, "before %d", n)
    os.mkdir("later")
    for n in range(WARM):
        show(logger.warning, "after %d", n)
    logging.shutdown()
    print(open("later/app.log").read())
    os.remove("later/app.log")
    os.rmdir("later")


def logging_after_close(side: Side) -> None:
    for mode in ("a", "w"):
        handler = side.file("%(message)s", f"{mode}.log", mode=mode)
        logger = logging.getLogger(mode)
        logger.addHandler(handler)
        for n in range(WARM):
            logger.warning("before %d", n)
        handler.close()
        for n in range(WARM):
            logger.warning("after %d", n)
        handler.close()
        handler.close()
        handler.flush()
        logger.warning("and again")


def a_relative_path_stays(side: Side) -> None:
    os.mkdir("elsewhere")
    handler = side.file("%(message)s", "app.log", delay=True)
    logger = logging.getLogger("app")
    logger.addHandler(handler)
    os.chdir("elsewhere")
    logger.warning("where it was meant to be")
    handler.close()
    os.chdir("..")
    os.rmdir("elsewhere")


def paths_of_other_types(side: Side) -> None:
    import pathlib

    for path in (pathlib.Path("path.log"), "str.log", "é ü.log"):
        handler = side.FileHandler(path, encoding="utf-8")
        logger = logging.getLogger(str(path))
        logger.addHandler(handler)
        logger.warning("written")
        print(type(handler.baseFilename).__name__, os.path.basename(handler.baseFilename))
    show(side.FileHandler, 5)
    show(side.FileHandler, None)
    show(side.FileHandler, b"bytes.log")


def handlers_by_name(side: Side) -> None:
    handler = side.file()
    handler.name = "mine"
    print(handler.name, handler.get_name(), logging._handlers.get("mine") is handler)
    handler.set_name("other")
    print(sorted(logging._handlers))
    handler.close()
    print(sorted(logging._handlers))
    handler.colour = "red"
    print(handler.colour, isinstance(handler, logging.FileHandler), handler.level, handler.filters)
    print(type(handler.lock).__name__, handler.formatter is not None, handler.terminator)
    logging.getLogger("app").addHandler(handler)
    show(handler.handle, logging.makeLogRecord({"msg": "handled directly", "name": "n"}))
    show(handler.emit, logging.makeLogRecord({"msg": "emitted directly", "name": "n"}))
    show(handler.format, logging.makeLogRecord({"msg": "formatted", "name": "n"}))
    handler.addFilter(lambda record: False)
    show(handler.handle, logging.makeLogRecord({"msg": "filtered", "name": "n"}))


def basic_config(side: Side) -> None:
    if side.name == "logboom":
        import logboom

        logging.basicConfig = logboom.basicConfig
    configure = logging.basicConfig
    for wrong in (
        {"filename": "x.log", "stream": sys.stderr},
        {"handlers": [], "stream": sys.stderr},
        {"handlers": [], "filename": "x.log"},
        {"style": "?"},
        {"level": "NONSENSE"},
        {"level": 1.5},
        {"filename": "/no/where/x.log"},
        {"format": "%(nothing"},
        {"filename": "x.log", "filemode": "q"},
        {"nonsense": 1, "more": 2},
    ):
        try:
            configure(force=True, **wrong)
        except Exception as error:
            print(type(error).__name__, error)
        logging.root.handlers.clear()
        logging.root.setLevel(30)
    configure(filename="app.log", level="DEBUG", format="{levelname} {message}", style="{")
    logging.getLogger("a").debug("one")
    configure(filename="other.log", level="ERROR")
    configure(filename="other.log", stream=sys.stderr, nonsense=1)
    logging.getLogger("a").debug("two")
    configure(stream=sys.stdout, force=True, datefmt="%Z", format="%(asctime)s %(message)s")
    logging.getLogger("a").debug("three")
    logging.getLogger("a").info("four")
    configure(
        force=True, handlers=[side.file(None, "third.log"), side.file("x %(message)s", "4.log")]
    )
    logging.getLogger("a").info("five")
    print([type(handler).__name__ for handler in logging.root.handlers], logging.root.level)


def the_stream_goes_away(side: Side) -> None:
    """A pipe whose reader is gone: the program goes on."""
    read, write = os.pipe()
    os.close(read)
    logger = logging.getLogger("app")
    stream = os.fdopen(write, "w", encoding="utf-8")
    handler = side.StreamHandler(stream)
    logger.addHandler(handler)
    for n in range(WARM):
        logger.warning("into the void %d", n)
    print("still running")
    try:
        stream.close()
    except OSError as error:
        print(type(error).__name__)
