"""Filters that run natively on a handler of ours, and as plain filters anywhere else."""

import itertools
import logging
import logging.config
import time

import pytest

import logboom

# The test runner puts a handler of its own on loggers that it knows from an earlier test.
_NUMBERS = itertools.count()


@pytest.fixture
def made(tmp_path):
    """Gives a function that makes a logger with a handler that has these filters."""
    logboom.install()
    handlers = []

    def make(*filters, pattern="%(levelname)s %(message)s"):
        handler = logboom.FileHandler(tmp_path / f"{len(handlers)}.log", encoding="utf-8")
        handler.setFormatter(logging.Formatter(pattern))
        for one in filters:
            handler.addFilter(one)
        logger = logging.getLogger(f"filters.{next(_NUMBERS)}")
        logger.propagate = False
        logger.setLevel(1)
        logger.addHandler(handler)
        handlers.append((logger, handler))
        return logger

    yield make
    for logger, handler in handlers:
        logger.removeHandler(handler)
        handler.close()
    logboom.uninstall()


def own(logger):
    """Its handler; that of a test runner may be beside it."""
    return next(one for one in logger.handlers if isinstance(one, logboom.FileHandler))


def lines(logger):
    handler = own(logger)
    handler.flush()
    with open(handler.baseFilename, encoding="utf-8") as file:
        return file.read().splitlines()


def counts(logger):
    number = own(logger)._route.id
    return next(route for route in logboom.stats().routes if route["id"] == number)


def test_a_rate_is_limited_natively_and_what_was_refused_is_told(made):
    logger = made(logboom.RateLimitFilter(rate=0.001, burst=3))
    for n in range(50):
        logger.info("n %d", n)
    logger.info("elsewhere")
    assert logboom.explain(logger).native
    *passed, told = lines(logger)
    assert passed == [
        *(f"INFO n {n}" for n in range(3)),
        "INFO elsewhere",
    ]
    assert told.startswith("WARNING filtered 47 records of test_filters.py:")
    # The first record opens the route, so the library had asked about it.
    assert counts(logger)["filtered"] == 47
    assert counts(logger)["written"] == 4
    assert counts(logger)["pending"] == 0


def test_what_is_grave_passes_and_takes_no_room(made):
    logger = made(logboom.RateLimitFilter(0.001, 1, "all", level="ERROR"))
    for _ in range(5):
        logger.info("quiet")
        logger.error("loud")
    assert sum("loud" in line for line in lines(logger)) == 5
    assert sum("quiet" in line for line in lines(logger)) == 1


def test_a_line_that_repeats_is_folded_before_the_next_other_one(made):
    logger = made(logboom.FoldFilter(within=3600))
    for n in range(12):
        if n == 10:
            logger.info("other")
        logger.info("same %s", "text")
    assert lines(logger) == [
        "INFO same text",
        "INFO repeated 9 times: same text",
        "INFO other",
        "INFO same text",
        "INFO repeated 1 time: same text",
    ]
    assert counts(logger)["filtered"] == 10


def test_what_is_folded_is_told_by_itself_once_its_time_is_over(made):
    logger = made(logboom.FoldFilter(within=0.05))
    for _ in range(4):
        logger.info("same")
    path = own(logger).baseFilename
    deadline = time.monotonic() + 20
    seen = 0
    while seen < 3:
        assert time.monotonic() < deadline
        with open(path, encoding="utf-8") as file:
            text = file.read()
        seen = sum(int(line.split()[2]) if "repeated" in line else 1 for line in text.splitlines())
        if seen == 4:
            break


def test_once_for_each_place_or_each_message(made):
    by_site, by_message = made(logboom.OnceFilter()), made(logboom.OnceFilter("message"))
    for n in range(6):
        by_site.info("n %d", n)
        by_message.info("n %d", n % 2)
    assert len(lines(by_site)) == 1
    assert lines(by_message) == ["INFO n 0", "INFO n 1"]


def test_a_sample_by_a_field_is_all_or_nothing(made):
    sample = logboom.SampleFilter({"INFO": 0.5}, key="trace")
    logger = made(sample, pattern="%(message)s")
    for n in range(40):
        with logboom.bound(trace=f"t{n}"):
            logger.info("t%d", n)
            logger.info("t%d", n, extra={"n": 1})
            logger.warning("w")
    passed = [line for line in lines(logger) if line != "w"]
    assert 2 * 8 <= len(passed) <= 2 * 32
    assert all(passed.count(one) == 2 for one in passed)
    assert lines(logger).count("w") == 40


def test_both_ways_ask_one_filter(made):
    logger = made(logboom.RateLimitFilter(0.001, 4, "all"))
    for n in range(10):
        logger.info("plain")
        logger.info("with extra", extra={"n": n})
    assert sum("filtered" not in line for line in lines(logger)) == 4


def test_a_filter_that_is_added_or_taken_away_counts_from_then_on(made):
    logger = made()
    once = logboom.OnceFilter()
    handler = own(logger)
    for n in range(6):
        if n == 2:
            handler.addFilter(once)
        if n == 4:
            handler.removeFilter(once)
        logger.info("n %d", n)
    assert [line[-1] for line in lines(logger)] == ["0", "1", "2", "4", "5"]


def test_a_filter_of_somebody_elses_beside_it_is_asked_as_ever(made):
    logger = made(logboom.OnceFilter("message"), lambda record: "no" not in record.getMessage())
    for text in ("yes", "no", "yes", "now"):
        logger.info(text)
    assert lines(logger) == ["INFO yes"]
    assert not logboom.explain(logger).native


def test_on_loggers_and_handlers_of_the_librarys(caplog):
    logger = logging.getLogger("filters.plain")
    once = logboom.OnceFilter()
    logger.addFilter(once)
    try:
        with caplog.at_level(1, "filters.plain"):
            for _ in range(3):
                logger.info("said")
    finally:
        logger.removeFilter(once)
    assert caplog.messages == ["said"]
    assert logboom.FoldFilter().filter(object()) is True


def test_dict_config_makes_them(tmp_path):
    logboom.install()
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "filters": {"rate": {"()": "logboom.RateLimitFilter", "rate": 0.001, "burst": 2}},
            "handlers": {
                "file": {
                    "class": "logboom.FileHandler",
                    "filename": str(tmp_path / "log"),
                    "filters": ["rate"],
                }
            },
            "loggers": {"filters.dict": {"handlers": ["file"], "level": 1, "propagate": False}},
        }
    )
    logger = logging.getLogger("filters.dict")
    try:
        for _ in range(5):
            logger.info("x")
        assert [line for line in lines(logger) if line == "x"] == ["x", "x"]
    finally:
        own(logger).close()
        logger.handlers.clear()
        logboom.uninstall()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: logboom.RateLimitFilter(0), "invalid `rate`: got 0.0, expected records a second"),
        (lambda: logboom.RateLimitFilter("x"), "invalid `rate`: got 'x', expected a number"),
        (lambda: logboom.RateLimitFilter(1, 0), "invalid `burst`: got 0.0, expected 1 to"),
        (lambda: logboom.RateLimitFilter(1, per="x"), 'invalid `per`: got "x", expected site,'),
        (
            lambda: logboom.RateLimitFilter(1, level="x"),
            "invalid `level`: got 'x', expected a level",
        ),
        (lambda: logboom.FoldFilter(0), "invalid `within`: got 0.0, expected 0.001 to 86400"),
        (lambda: logboom.OnceFilter("x"), 'invalid `per`: got "x", expected site or message'),
        (lambda: logboom.SampleFilter(2), "invalid `rate`: got 2.0, expected 0 to 1"),
        (lambda: logboom.SampleFilter({"DEBUG": -1}), "invalid `rate`: got -1.0, expected 0 to 1"),
    ],
)
def test_what_is_refused(make, words):
    with pytest.raises(logboom.ConfigError) as caught:
        make()
    assert str(caught.value).startswith(words)
