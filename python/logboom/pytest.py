"""The pytest plugin: ``logboom_records``, the records of a test with their typed fields.

    def test_buys(logboom_records):
        buy(user=7)
        assert logboom_records.only(user=7).message == "bought 3 of 4"

Invariants:

1. A test that does not ask for the fixture runs as if the plugin were not there: nothing is patched,
   and no logger, level or handler is touched. ``-p no:logboom`` leaves it away altogether.
2. A test that asks gets every record that a logger lets through, in the order of the calls, on any
   thread: from loggers with ``propagate=False`` and without a handler too, with `install()` or without.
3. What the test would see without it, it sees: handlers, caplog and captured output get every record.

For the length of the test, ``logging.Logger.callHandlers`` notes the record before it goes on. So what
is refused by a logger's level, ``disabled`` or filter is not noted, and what a handler would refuse is.
Calls take the library's way meanwhile, as they do wherever somebody wants a ``LogRecord``.

Pinned by ``tests/python/test_pytest_plugin.py``.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, overload

import pytest

from logboom import _context
from logboom._foreign import fields_of

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["CapturedRecord", "CapturedRecords", "logboom_records"]


@dataclass(frozen=True)
class CapturedRecord:
    """A record as it was when it was logged."""

    logger: str
    """The logger's name."""
    level: int
    """The level's number."""
    level_name: str
    """The level's name."""
    message: str
    """The message with its arguments in it; the template alone where they do not fit."""
    template: Any
    """The message as it was given."""
    args: Any
    """Its arguments: a tuple, or the dict that was the only one."""
    fields: dict[str, Any]
    """What ``extra`` had and what was bound, by name; values are the objects that were given."""
    exception: BaseException | None
    """The exception, if the call had one."""
    pathname: str
    """The file of the call."""
    line: int
    """Its line."""
    function: str | None
    """Its function."""
    log_record: logging.LogRecord = field(repr=False, compare=False)
    """The record itself."""


class CapturedRecords(Sequence[CapturedRecord]):
    """The records of a test so far, in order: a sequence, with ways to choose from it."""

    def __init__(self) -> None:
        self._records: list[CapturedRecord] = []
        self._levels: dict[logging.Logger, int] = {}

    @overload
    def __getitem__(self, index: int) -> CapturedRecord: ...
    @overload
    def __getitem__(self, index: slice) -> list[CapturedRecord]: ...
    def __getitem__(self, index: int | slice) -> CapturedRecord | list[CapturedRecord]:
        return self._records[index]

    def __len__(self) -> int:
        return len(self._records)

    def __repr__(self) -> str:
        return "\n".join(["records of the test:", *(f"  {_line(one)}" for one in self._records)])

    @property
    def messages(self) -> list[str]:
        """The messages, with their arguments in them."""
        return [record.message for record in self._records]

    def of(self, logger: str, *, level: int | str = 0) -> list[CapturedRecord]:
        """Give those of a logger, and of those below it, from a level on (a number or name)."""
        least = logging._checkLevel(level)  # type: ignore[attr-defined]
        inside = f"{logger}."
        return [
            one
            for one in self._records
            if one.level >= least
            and (logger == "root" or one.logger == logger or one.logger.startswith(inside))
        ]

    def with_fields(self, /, **fields: Any) -> list[CapturedRecord]:
        """Give those that have all these fields, of equal value and of the same type."""
        return [one for one in self._records if _has(one, fields)]

    def only(self, /, **fields: Any) -> CapturedRecord:
        """Give the one record that has these fields.

        Raises `AssertionError`, which lists what was logged, where there is none or more than one.
        """
        found = self.with_fields(**fields)
        if len(found) != 1:
            asked = " ".join(f"{name}={value!r}" for name, value in fields.items())
            raise AssertionError(f"{len(found)} records have {asked or 'no condition'}\n{self!r}")
        return found[0]

    def set_level(self, level: int | str, logger: str | None = None) -> None:
        """Set a logger's level until the test ends; default the root logger."""
        target = logging.getLogger(logger)
        self._levels.setdefault(target, target.level)
        target.setLevel(level)

    def clear(self) -> None:
        """Forget what was logged so far."""
        self._records.clear()

    def _note(self, record: logging.LogRecord) -> None:
        try:
            message = record.getMessage()
        except Exception:  # noqa: BLE001 - whoever handles the record tells of it
            message = str(record.msg)
        fields = {**_context.context(), **fields_of(record)}
        self._records.append(
            CapturedRecord(
                logger=record.name,
                level=record.levelno,
                level_name=record.levelname,
                message=message,
                template=record.msg,
                args=record.args,
                fields=fields,
                exception=record.exc_info[1] if record.exc_info else None,
                pathname=record.pathname,
                line=record.lineno,
                function=record.funcName,
                log_record=record,
            )
        )

    def _end(self) -> None:
        for logger, level in self._levels.items():
            logger.setLevel(level)


def _has(record: CapturedRecord, fields: dict[str, Any]) -> bool:
    none = object()
    found = ((record.fields.get(name, none), value) for name, value in fields.items())
    return all(type(got) is type(value) and got == value for got, value in found)


def _line(record: CapturedRecord) -> str:
    fields = "".join(f" {name}={value!r}" for name, value in record.fields.items())
    return f"{record.level_name} {record.logger}: {record.message}{fields}"


@pytest.fixture
def logboom_records() -> Iterator[CapturedRecords]:
    """The records that are logged while the test runs, with their typed fields."""
    records = CapturedRecords()
    library = logging.Logger.callHandlers

    def callHandlers(self: logging.Logger, record: logging.LogRecord) -> None:
        records._note(record)
        library(self, record)

    logging.Logger.callHandlers = callHandlers  # type: ignore[method-assign]
    try:
        yield records
    finally:
        # Whoever patched it later and has not taken that back calls us still.
        if logging.Logger.callHandlers is callHandlers:
            logging.Logger.callHandlers = library  # type: ignore[method-assign]
        records._end()
