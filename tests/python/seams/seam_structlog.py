"""structlog over the standard library: its bound logger, its formatter, its look at the call site."""

from __future__ import annotations

import logging

import seam
import structlog
from structlog.stdlib import ProcessorFormatter

SHARED = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.stdlib.PositionalArgumentsFormatter(),
    structlog.stdlib.ExtraAdder(),
    structlog.processors.CallsiteParameterAdder(
        {
            structlog.processors.CallsiteParameter.FUNC_NAME,
            structlog.processors.CallsiteParameter.LINENO,
            structlog.processors.CallsiteParameter.FILENAME,
        }
    ),
    structlog.processors.StackInfoRenderer(),
    structlog.processors.format_exc_info,
]


def _log(logger: object, turn: int) -> None:
    logger.info("turn %d", turn, order="A7")  # type: ignore[attr-defined]
    logger.debug("nobody wants this")  # type: ignore[attr-defined]


def renders_by_its_formatter(side: seam.Side) -> None:
    # Before structlog's factory: that gives the class of its own to `logging.setLoggerClass`.
    plain = side.logger("app", logging.INFO)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *SHARED,
            ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    path = side.file(plain)
    plain.handlers[0].setFormatter(
        ProcessorFormatter(
            foreign_pre_chain=SHARED,
            processors=[
                ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(sort_keys=True),
            ],
        )
    )
    bound = structlog.stdlib.get_logger("app").bind(user="u1")
    structlog.contextvars.bind_contextvars(request="r1")
    for turn in range(seam.WARM):
        _log(bound, turn)
        plain.warning("foreign %d of %s", turn, "four", extra={"order": turn})
    try:
        raise LookupError("no such order")
    except LookupError:
        bound.exception("while looking")
        plain.exception("while looking, foreign")
    lines = seam.text(path, plain).splitlines()
    assert len(lines) == 2 * seam.WARM + 2
    assert '"func_name": "_log"' in lines[0] and '"user": "u1"' in lines[0]
    print("\n".join(lines))


def renders_to_keywords(side: seam.Side) -> None:
    plain = side.logger()
    structlog.configure(
        processors=[*SHARED[:4], structlog.stdlib.render_to_log_kwargs],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    path = side.file(plain, "%(levelname)s %(name)s %(funcName)s %(order)s %(message)s")
    bound = structlog.stdlib.get_logger("app")
    for turn in range(seam.WARM):
        bound.warning("turn", order=turn)
    assert bound.isEnabledFor(logging.INFO) and bound.getEffectiveLevel() == logging.DEBUG
    assert bound.handlers == plain.handlers and bound.name == "app"
    print(seam.text(path, plain))


def loggers_of_its_class(side: seam.Side) -> None:
    side.logger("another")
    structlog.stdlib.LoggerFactory()
    logger = logging.getLogger("seam_structlog.child")
    assert type(logger).__name__ == "_FixedFindCallerLogger"
    path = side.file(logger, "%(funcName)s %(lineno)d %(message)s")
    logger.setLevel(logging.DEBUG)
    _log(structlog.wrap_logger(logger, [structlog.stdlib.render_to_log_kwargs]), 1)
    logger.warning("the loggers of its class find the caller")
    print(seam.text(path, logger))


def finds_the_callers_name(side: seam.Side) -> None:
    side.logger("seam_structlog")
    logger = structlog.stdlib.LoggerFactory()()
    assert logger.name == "seam_structlog", logger.name
    path = side.file(logger, "%(funcName)s %(message)s")
    for turn in range(seam.WARM):
        logger.warning("turn %d", turn)
    print(seam.text(path, logger))
