"""Where a call was made: path, function and line, from every kind of place."""

from __future__ import annotations

import _thread
import atexit
import functools
import logging
import threading

from harness import WARM, Side, installs_itself

PATTERN = "%(filename)s %(module)s %(funcName)s %(lineno)d %(message)s"


def _logger(side: Side) -> logging.Logger:
    return side.logger(fmt=PATTERN)


def functions(side: Side) -> None:
    logger = _logger(side)

    def nested() -> None:
        logger.info("nested")

    class Body:
        logger.info("class body")

        def method(self) -> None:
            logger.info("method")

        @staticmethod
        def static() -> None:
            logger.info("static")

        @property
        def attribute(self) -> None:
            logger.info("property")

        def __del__(self) -> None:
            logger.info("finaliser")

    def generator() -> object:
        logger.info("generator 1")
        yield 1
        logger.info("generator 2")

    for _ in range(WARM):
        nested()
        body = Body()
        body.method()
        body.static()
        body.attribute  # noqa: B018
        del body
        (lambda: logger.info("lambda"))()
        [logger.info("comprehension %d", n) for n in range(2)]
        list(logger.info("generator expression %d", n) for n in range(2))
        {logger.info("set"): logger.info("dict") for n in range(2)}
        list(generator())


def several_on_a_line_and_over_lines(side: Side) -> None:
    logger = _logger(side)
    for n in range(WARM):
        logger.info("first"); logger.info("second")  # fmt: skip  # noqa: E702
        logger.info(
            "over %s lines",
            n,
        )
        (
            logger
            .info
            ("spread")
        )  # fmt: skip
        x = [
            logger.info("a"),
            logger.info("b"),
        ]
        assert x == [None, None]


def code_made_at_run_time(side: Side) -> None:
    logger = _logger(side)
    for n in range(40):
        namespace = {"logger": logger}
        exec(compile(f"{chr(10) * n}logger.info('exec {n}')", "<string>", "exec"), namespace)
        source = f"def f{n}():\n    logger.info('in f{n}')\n"
        exec(compile(source, f"/made/up/file{n}.py", "exec"), namespace)
        namespace[f"f{n}"]()
        eval("logger.info('eval')", namespace)
        exec(compile("logger.info('odd')", "no suffix", "exec"), namespace)
        exec(compile("logger.info('odd')", "dir/é\n.x.py", "exec"), namespace)
        exec(compile("logger.info('odd')", "", "exec"), namespace)


def more_places_than_are_kept(side: Side) -> None:
    logger = _logger(side)
    source = "".join(f"def f{n}():\n    logger.info('place {n}')\n" for n in range(5000))
    namespace = {"logger": logger}
    exec(compile(source, "/made/up.py", "exec"), namespace)
    for _ in range(2):
        for n in range(5000):
            namespace[f"f{n}"]()


def called_by_c(side: Side) -> None:
    logger = _logger(side)
    for _ in range(WARM):
        list(map(logger.info, ["map 1", "map 2"]))
        sorted([1], key=lambda n: logger.info("sorted"))
        functools.partial(logger.info, "partial %d", 1)()
        functools.reduce(lambda a, b: logger.info("reduce"), [1, 2])
        max(["max"], key=logger.info)
        getattr(logger, "info")("getattr")  # noqa: B009
        type(logger).info(logger, "unbound")
        logging.Logger.info(logger, "unbound of the library")
        bound = logger.info
        bound("bound")
        bound(*["star %d", 1])
        bound(*("empty",), **{})


def functions_that_wrap(side: Side) -> None:
    logger = _logger(side)

    def wrapper(msg: str, level: int) -> None:
        logger.info(msg, stacklevel=level)

    def decorate(function: object) -> object:
        @functools.wraps(function)
        def inner(*args: object) -> object:
            logger.info("before")
            return function(*args)

        return inner

    @decorate
    def decorated() -> None:
        logger.info("decorated")

    for _ in range(WARM):
        for level in (-1, 0, 1, 2, 3, 4, 50):
            wrapper(f"stacklevel {level}", level)
        decorated()


def threads_without_a_frame(side: Side) -> None:
    logger = _logger(side)
    for n in range(WARM):
        thread = threading.Thread(target=logger.info, args=("target %d", n))
        thread.start()
        thread.join()
        done = threading.Event()

        class Signals(logging.Filter):
            def filter(self, record: logging.LogRecord) -> bool:
                return True

        def bare() -> None:
            logger.info("a bare thread")
            done.set()  # noqa: B023

        _thread.start_new_thread(bare, ())
        done.wait()


def a_native_thread_on_the_method_itself(side: Side) -> None:
    logger = side.logger(fmt="%(message)s")
    done = threading.Semaphore(0)

    class Says:
        def __str__(self) -> str:
            return "said"

        def __del__(self) -> None:
            done.release()

    for _ in range(WARM):
        _thread.start_new_thread(logger.info, ("no frame %s", Says()))
        done.acquire()
    logger.info("still here")


def at_exit(side: Side) -> None:
    logger = _logger(side)
    atexit.register(logger.info, "at exit %d", 1)
    atexit.register(lambda: logger.info("lambda at exit"))
    for _ in range(WARM):
        logger.info("before")


@installs_itself
def at_exit_registered_before(side: Side) -> None:
    logger = logging.getLogger("app")
    atexit.register(logger.warning, "registered before")
    atexit.register(lambda: logger.warning("lambda registered before"))
    side.install()
    logger.addHandler(side.file("%(message)s"))
    logger.warning("running")


def asynchronous(side: Side) -> None:
    import asyncio

    logger = _logger(side)

    async def work(n: int) -> None:
        logger.info("coroutine %d", n)
        await asyncio.sleep(0)
        logger.info("after the await %d", n)

    async def steps() -> object:
        logger.info("asynchronous generator")
        yield 1

    async def main() -> None:
        await asyncio.gather(*(work(n) for n in range(3)))
        async for _ in steps():
            logger.info("async for")
        [logger.info("async comprehension") async for _ in steps()]
        await asyncio.to_thread(work_in_thread)

    def work_in_thread() -> None:
        logger.info("in a thread")

    asyncio.run(main())


def the_librarys_source_is_hidden(side: Side) -> None:
    logger = _logger(side)
    logger.info("found")
    found = logging._srcfile
    logging._srcfile = None
    for n in range(WARM):
        logger.info("not looked for %d", n)
    logging._srcfile = found
    for n in range(WARM):
        logger.info("found again %d", n)


def tracing_and_profiling(side: Side) -> None:
    import sys

    logger = _logger(side)
    events: list[str] = []

    def trace(frame: object, event: str, argument: object) -> object:
        return trace

    sys.settrace(trace)
    for n in range(WARM):
        logger.info("traced %d", n)
    sys.settrace(None)
    sys.setprofile(lambda frame, event, argument: events.append(event))
    for n in range(WARM):
        logger.info("profiled %d", n)
    sys.setprofile(None)
    print(bool(events))
