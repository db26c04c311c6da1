"""Celery sets logging up by itself, with signals, and redirects the standard streams to a logger."""

from __future__ import annotations

import logging
import sys

import seam
from celery import Celery, signals
from celery.app.log import TaskFormatter
from celery.utils.log import get_task_logger


def _app() -> Celery:
    app = Celery("shop", broker="memory://", set_as_current=True)
    app.conf.task_always_eager = True
    return app


def setup_is_told_by_signals(side: seam.Side) -> None:
    app, told = _app(), []
    app.conf.worker_log_format = "%(levelname)s %(processName)s %(message)s"

    @signals.after_setup_logger.connect(weak=False)
    def after(logger: logging.Logger, **rest: object) -> None:
        told.append(("logger", logger.name))
        side.file(logger, "%(levelname)s %(processName)s %(message)s")

    @signals.after_setup_task_logger.connect(weak=False)
    def after_task(logger: logging.Logger, **rest: object) -> None:
        told.append(("task logger", logger.name))

    app.log.setup(loglevel=logging.INFO, redirect_stdouts=False, colorize=False)
    assert told == [("task logger", "celery.task"), ("logger", "root")] or len(told) == 2
    logger = side.logger("shop")
    for turn in range(seam.WARM):
        logger.info("turn %d", turn)
    seam.flush(logging.root)
    print(told, [type(one).__name__ for one in logging.getLogger("celery.task").handlers])


def setup_by_the_program(side: seam.Side) -> None:
    app = _app()

    @signals.setup_logging.connect(weak=False)
    def configure(**rest: object) -> None:
        side.file(side.logger(None))

    app.log.setup(loglevel=logging.INFO)
    logger = side.logger("shop")
    for turn in range(seam.WARM):
        logger.info("turn %d", turn)
    assert len(logging.root.handlers) == 1
    seam.flush(logging.root)


def tasks_have_their_name_in_the_line(side: seam.Side) -> None:
    app = _app()
    logger = get_task_logger("shop.tasks")
    assert side.logger("shop.tasks") is logger
    path = side.file(logger)
    logger.propagate = False
    form = "%(levelname)s %(task_name)s %(task_id)s %(message)s"
    # The first is a null handler of Celery's.
    logger.handlers[-1].setFormatter(TaskFormatter(form, use_color=False))

    @app.task(name="shop.pay")
    def pay(turn: int) -> int:
        logger.warning("paid %d", turn)
        return turn

    for turn in range(seam.WARM):
        assert pay.apply(args=(turn,), task_id=f"id-{turn}").get() == turn
    logger.warning("outside")
    lines = seam.text(path, logger).splitlines()
    assert lines[0] == "WARNING shop.pay id-0 paid 0"
    assert lines[-1].endswith("??? ??? outside")
    print("\n".join(lines))


def standard_streams_go_to_a_logger(side: seam.Side) -> None:
    app, logger = _app(), side.logger("redirected")
    path = side.file(logger)
    logger.propagate = False
    # A handler on the real stream must not go through the proxy.
    logger.addHandler(side.StreamHandler(sys.__stderr__))
    before = sys.stdout, sys.stderr
    app.log.redirect_stdouts_to_logger(logger, logging.WARNING)
    try:
        print("printed")
        sys.stderr.write("written\n")
        # Would go round for ever, and Celery's proxy breaks the circle.
        through_the_proxy = side.StreamHandler(sys.stderr)
        logger.addHandler(through_the_proxy)
        logger.warning("logged")
        logger.removeHandler(through_the_proxy)
    finally:
        sys.stdout, sys.stderr = before
    lines = seam.text(path, logger).splitlines()
    assert lines[:2] == ["WARNING:redirected:printed", "WARNING:redirected:written"]
    print("\n".join(lines))
