"""Handlers that hand on records: what ours add to the library's.

That they do what the library's do is shown by ``parity/network.py``.
"""

from __future__ import annotations

import gc
import inspect
import logging
import logging.handlers
import pickle
import socket
import weakref

import pytest

import logboom

pytestmark = pytest.mark.usefixtures("logging_as_it_was")

NAMES = (
    *("DatagramHandler", "HTTPHandler", "MemoryHandler", "SocketHandler", "SysLogHandler"),
    *("RotatingFileHandler", "TimedRotatingFileHandler", "WatchedFileHandler"),
)


@pytest.fixture
def logger() -> logging.Logger:
    logboom.install()
    # In no hierarchy, as pytest puts handlers of its own onto the loggers that it finds.
    return logging.Logger("tests.network", logging.DEBUG)


@pytest.mark.parametrize("name", NAMES)
def test_each_takes_the_place_of_its_peer(name):
    ours, library = getattr(logboom, name), getattr(logging.handlers, name)
    assert issubclass(ours, library)
    assert ours.__name__ == name
    assert name in logboom.__all__
    expected = inspect.signature(library)
    found = inspect.signature(ours)
    # What is ours comes behind, by keyword.
    own = [one for one in found.parameters.values() if one.kind is not one.KEYWORD_ONLY]
    assert [one.name for one in own] == list(expected.parameters)
    defaults = {name: parameter.default for name, parameter in expected.parameters.items()}
    assert {one.name: one.default for one in own} == defaults


def test_bound_fields_are_on_the_records(logger):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.settimeout(60)
        receiver.bind(("127.0.0.1", 0))
        handler = logboom.DatagramHandler(*receiver.getsockname())
        logger.addHandler(handler)
        with logboom.bound(request="é", number=5):
            logger.info("told")
        attributes = pickle.loads(receiver.recv(65536)[4:])
        handler.close()
    assert (attributes["request"], attributes["number"]) == ("é", 5)


def test_bound_fields_are_those_of_the_call(logger):
    kept = logging.handlers.BufferingHandler(100)
    handler = logboom.MemoryHandler(100, target=kept)
    logger.addHandler(handler)
    with logboom.bound(request=1):
        logger.info("told")
    with logboom.bound(request=2):
        handler.flush()
    assert [record.request for record in kept.buffer] == [1]
    handler.close()


def test_a_handler_that_is_collected_waits_for_no_lock(logger):
    handler = logboom.MemoryHandler(100)
    gone = weakref.ref(handler)
    logging._acquireLock() if hasattr(logging, "_acquireLock") else logging._lock.acquire()
    try:
        del handler
        gc.collect()
        assert gone() is None
    finally:
        logging._lock.release()
    assert all(entry() is not None for entry in logging._handlerList)
