"""What made the library's own way right for a while does not keep records on it for ever."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Log, Runner

PROGRAM = """
    import logging, sys
    import logboom

    logboom.install()
    logger = logging.getLogger("app")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    handler = logboom.FileHandler(sys.argv[1])
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    logger.addHandler(handler)

    made = []

    def watch(frame, event, argument):
        if event == "call" and frame.f_code.co_name == "_make_record":
            made.append(1)

    def log():
        for number in range(20):
            logger.info("number %d", number)

    # A class of records of somebody's, which is taken back.
    def elsewhere():
        logging.setLogRecordFactory(lambda *args, **kwargs: logging.LogRecord(*args, **kwargs))
        log()
        logging.setLogRecordFactory(logging.LogRecord)

    # A change of the module that means nothing to us.
    def nothing():
        logging.raiseExceptions = not logging.raiseExceptions

    # Formatters are looked at again, and forgotten.
    def formatters():
        for number in range(3):
            other = logboom.StreamHandler(sys.__stderr__)
            other.setFormatter(logging.Formatter("%(message)s"))
            logger.addHandler(other)
            log()
            logger.removeHandler(other)
            other.close()
        handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))

    log()
    for turn in range(3):
        {what}()
        log()  # finds out
        made.clear()
        sys.setprofile(watch)
        log()
        sys.setprofile(None)
        print(len(made))
"""


@pytest.mark.parametrize("what", ["elsewhere", "nothing", "formatters"])
def test_records_are_native_again_once_things_are_as_they_were(
    run_python: Runner, log: Log, what: str
) -> None:
    assert run_python(PROGRAM.replace("{what}", what), str(log)).ok().out == "0\n0\n0\n"
