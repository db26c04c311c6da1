"""Fields that come from other logging libraries, as the standard library's ``extra`` can take them.

`logging` refuses a key of ``extra`` that a record has itself, and other libraries know no such rule:
``log.info("hired", name="Ada")`` is usual in them. Such a key gets a ``_`` behind it, as often as it
takes, so the call never raises and no value is left out.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_PLAIN = logging.LogRecord("", 0, "", 0, "", (), None)

# The attributes that every record has (`taskName` since 3.12), and those that formatting adds.
OF_EVERY_RECORD = frozenset(vars(_PLAIN)) | {"asctime", "message", "taskName"}
# Its methods too: an attribute of that name would stand before them.
RESERVED = OF_EVERY_RECORD | frozenset(dir(_PLAIN))


def as_extra(fields: Mapping[Any, Any]) -> dict[str, Any]:
    """Give fields under names that ``extra`` takes; a dict that has no others is given back itself.

    A key that is no ``str`` becomes its ``str``.
    """
    if type(fields) is dict and RESERVED.isdisjoint(fields):
        for key in fields:
            if type(key) is not str:
                break
        else:
            return fields
    taken: dict[str, Any] = {}
    for key, value in fields.items():
        name = key if type(key) is str else str(key)
        while name in RESERVED or name in taken or (name is not key and name in fields):
            name += "_"
        taken[name] = value
    return taken


def fields_of(record: logging.LogRecord) -> dict[str, Any]:
    """Give what a record has beyond what every record has: its ``extra``, and the bound context."""
    return {name: value for name, value in vars(record).items() if name not in OF_EVERY_RECORD}
