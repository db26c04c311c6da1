"""Jupyter's kernel puts streams of its own in the place of the standard ones."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import seam
import zmq
from ipykernel.iostream import IOPubThread, OutStream
from jupyter_client.session import Session


@contextmanager
def _kernel() -> Iterator[list[str]]:
    """Standard streams as in a notebook; what they sent is in the list at the end."""
    sent: list[str] = []
    before = sys.stdout, sys.stderr
    # What it says about the end of the thread's loop differs from run to run.
    logging.getLogger("asyncio").disabled = True
    with zmq.Context() as context, context.socket(zmq.PUB) as pub, context.socket(zmq.SUB) as sub:
        pub.bind("inproc://iopub")
        sub.connect("inproc://iopub")
        sub.subscribe(b"")
        session = Session(key=b"")
        thread = IOPubThread(pub, session=session)
        thread.start()
        streams = [OutStream(session, thread, name, watchfd=False) for name in ("stdout", "stderr")]
        sys.stdout, sys.stderr = streams
        try:
            yield sent
        finally:
            sys.stdout, sys.stderr = before
            for stream in streams:
                stream.flush()
            thread.stop()
            while sub.poll(200):
                _, parts = session.feed_identities(sub.recv_multipart())
                sent.append(session.deserialize(parts)["content"]["text"])
            for stream in streams:
                stream.close()
            thread.close()


def our_handler_on_its_stream(side: seam.Side) -> None:
    logger = side.logger()
    logger.propagate = False
    with _kernel() as sent:
        logger.addHandler(side.StreamHandler())
        assert logger.handlers[0].stream is sys.stderr
        for turn in range(seam.WARM):
            logger.warning("turn %d", turn)
        seam.flush(logger)
    assert "".join(sent) == "".join(f"turn {turn}\n" for turn in range(seam.WARM))
    print(sent)


def streams_that_come_and_go(side: seam.Side) -> None:
    logger = side.logger()
    logger.propagate = False
    handler = side.StreamHandler()
    logger.addHandler(handler)
    path = side.file(logger)

    def log(turn: object) -> None:
        logger.warning("turn %s", turn)

    for turn in range(seam.WARM):
        log(turn)
    real = sys.stderr
    with _kernel() as sent:
        handler.setStream(sys.stderr)
        log("in the notebook")
        handler.setStream(real)
        logging.lastResort.handle(logger.makeRecord("app", 40, "f", 1, "the last resort", (), None))
    log("after")
    seam.flush(logger)
    assert "".join(sent) == "turn in the notebook\nthe last resort\n"
    print(sent, seam.text(path, logger))
