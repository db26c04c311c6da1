"""What handlers of a file agree on whose file other processes write to as well.

1. Whoever moves files, or writes to one by the library's own code, has the lock: ``flock`` on
   ``filename.lock`` (`Turn`). The writer takes the same one for each batch. It is free when its holder
   ends, however it ends, and is never removed: who removed it would make two of it.
2. Behind the 64 bytes that the writer keeps there for itself stands when a file that rotates by time
   is due, and which file that is (`Turn.note`). So one process rotates it, and a file that somebody
   began who was killed then is not rotated at once.
3. Wrong arguments are refused before a file is opened.

Pinned by ``test_shared.py`` and ``test_shared_processes.py``.
"""

from __future__ import annotations

import codecs
import contextlib
import locale
import os
import struct
import time
from typing import TYPE_CHECKING, Any, NamedTuple

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    import re

    from typing_extensions import Self

COMPRESSIONS = {"gzip": ".gz", "zstd": ".zst"}
# How long anybody waits for a turn, in seconds; the writer does not wait longer either.
PATIENCE = 3.0
_NAPS = (20e-6, 500e-6)

_NOTE = struct.Struct("<8sQQq")
_NOTE_AT = 64
_MAGIC = b"logboomT"

Identity = tuple[int, int]


class Sharing(NamedTuple):
    """What is kept of old files, and how."""

    max_total_bytes: int | None
    max_age: float | None
    compress: str | None


def sharing(
    shared: object, max_total_bytes: object, max_age: object, compress: object
) -> Sharing | None:
    """Check the arguments; `None` where nothing is shared."""
    if not isinstance(shared, bool):
        raise TypeError(f"invalid `shared`: got {shared!r}, expected a bool")
    if max_total_bytes is not None:
        check_count("max_total_bytes", max_total_bytes, least=1)
    if max_age is not None:
        if isinstance(max_age, bool) or not isinstance(max_age, int | float):
            raise TypeError(f"invalid `max_age`: got {max_age!r}, expected a number of seconds")
        if not 0 < max_age < 2**40:  # nan is neither
            raise ValueError(f"invalid `max_age`: got {max_age!r}, expected seconds, more than 0")
    if compress is not None and not isinstance(compress, str):
        raise TypeError(f"invalid `compress`: got {compress!r}, expected `gzip` or `zstd`")
    if compress is not None and compress not in COMPRESSIONS:
        raise ValueError(f"invalid `compress`: got {compress!r}, expected `gzip` or `zstd`")
    if not shared and (max_total_bytes, max_age, compress) == (None, None, None):
        return None
    if fcntl is None:
        raise ValueError("`shared` needs `fcntl.flock`, which this system has not")
    return Sharing(max_total_bytes, max_age, compress)  # type: ignore[arg-type]


def check_count(name: str, value: object, least: int = 0) -> None:
    """Refuse what is no whole number of at least so much."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"invalid `{name}`: got {value!r}, expected an int")
    if not least <= value < 2**63:
        raise ValueError(f"invalid `{name}`: got {value}, expected {least} to {2**63 - 1}")


def check_file(mode: object, encoding: str | None) -> None:
    """Refuse a file that is not appended to as UTF-8."""
    if mode != "a":
        raise ValueError(f"invalid `mode`: got {mode!r}, expected 'a' where the file is shared")
    if encoding in {None, "locale"}:
        encoding = locale.getpreferredencoding(False)
    if codecs.lookup(encoding or "").name != "utf-8":
        raise ValueError(f"invalid `encoding`: got {encoding!r}, expected UTF-8 for a shared file")


def check_sizes(sharing: Sharing, max_bytes: object, backup_count: object) -> None:
    """Refuse numbers that are none, and retention of files that are never rotated."""
    check_count("maxBytes", max_bytes)
    check_count("backupCount", backup_count)
    if isinstance(backup_count, int) and backup_count >= 2**31:
        raise ValueError(f"invalid `backupCount`: got {backup_count}, expected 0 to {2**31 - 1}")
    for name, value in sharing._asdict().items():
        if value is not None and not (max_bytes and backup_count):
            raise ValueError(
                f"invalid `{name}`: without `maxBytes` and `backupCount` no file is rotated"
            )
    most = sharing.max_total_bytes
    if most is not None and isinstance(max_bytes, int) and most <= max_bytes:
        raise ValueError(
            f"invalid `max_total_bytes`: got {most}, expected more than `maxBytes`, {max_bytes}"
        )


def check_class(cls: type, *, plain: bool) -> None:
    """Refuse a class that decides itself when and how its files move."""
    if not plain:
        raise ValueError(
            f"`shared` leaves it to the writer when files move and what they are called, and "
            f"`{cls.__qualname__}`, or a patch, changes that"
        )


def check_setting(name: str, value: object) -> None:
    """Refuse to have a shared file moved or written to in another way than by the other processes."""
    if name in {"namer", "rotator"} and value is not None:
        raise ValueError(f"`{name}` cannot be set where the file is shared")
    if name == "mode":
        check_file(value, "utf-8")


def retention(sharing: Sharing | None) -> dict[str, Any]:
    """What the writer has to know of it."""
    return {} if sharing is None else sharing._asdict()


class Turn:
    """The lock beside a file, held while the context lasts."""

    def __init__(self, path: str) -> None:
        self._path = f"{path}.lock"
        self._descriptor = -1
        # A child that is forked meanwhile has not got it.
        self._process = os.getpid()

    @property
    def is_ours(self) -> bool:
        """Whether it is this process that has it."""
        return self._process == os.getpid()

    def __enter__(self) -> Self:
        """Wait for it; `TimeoutError` after `PATIENCE`."""
        until = time.monotonic() + PATIENCE
        nap, longest = _NAPS
        while not self._try():
            if time.monotonic() > until:
                raise TimeoutError(f"`{self._path}` has been locked for {PATIENCE:g} s")
            time.sleep(nap)
            nap = min(2 * nap, longest)
        return self

    def _try(self) -> bool:
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Who removed the file made another lock of it.
            if os.path.samestat(os.fstat(descriptor), os.stat(self._path)):
                self._descriptor, descriptor = descriptor, -1
        except (BlockingIOError, FileNotFoundError):
            pass
        finally:
            if descriptor >= 0:
                os.close(descriptor)
        return self._descriptor >= 0

    def __exit__(self, *error: object) -> None:
        """Give it back, also for a child that was forked meanwhile and has it open."""
        descriptor, self._descriptor = self._descriptor, -1
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_UN)
        os.close(descriptor)

    def noted(self) -> tuple[Identity, int] | None:
        """Which file is due when, in seconds since the epoch, as far as anybody noted it."""
        found = os.pread(self._descriptor, _NOTE.size, _NOTE_AT)
        if len(found) != _NOTE.size:
            return None
        magic, device, inode, at = _NOTE.unpack(found)
        return ((device, inode), at) if magic == _MAGIC else None

    def note(self, here: Identity | None, at: int) -> None:
        """Say when this file is due."""
        if here is not None:
            os.pwrite(self._descriptor, _NOTE.pack(_MAGIC, *here, at), _NOTE_AT)


def identity(path: str) -> Identity | None:
    """Which file has a name; `None` where it is no regular file."""
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None
    return (found.st_dev, found.st_ino) if os.path.isfile(path) else None


def is_free(path: str) -> bool:
    """Whether neither a file nor its compressed copy has a name."""
    return not any(os.path.lexists(f"{path}{end}") for end in ("", *COMPRESSIONS.values()))


def retain(path: str, dates: re.Pattern[str], count: int, sharing: Sharing) -> None:
    """Remove what is too much of the files of a name with dates behind it, the oldest first."""
    directory, name = os.path.split(path)
    found: dict[str, list[str]] = {}
    for other in os.listdir(directory):
        stem, end = os.path.splitext(other)
        stem = stem if end in COMPRESSIONS.values() else other
        date = stem.removeprefix(f"{name}.")
        match = dates.fullmatch(date) if date != stem else None
        # The library's pattern may allow for an ending, which a `namer` would have made.
        if match is not None and not any(match.groups()):
            found.setdefault(date, []).append(os.path.join(directory, other))
    kept = sorted(found)
    gone = kept[:-count] if count > 0 else []
    kept = kept[len(gone) :]
    sizes = {date: _size_and_time(found[date]) for date in kept}
    if sharing.max_age is not None:
        oldest = time.time() - sharing.max_age
        gone += [date for date in kept if sizes[date][1] < oldest]
        kept = [date for date in kept if date not in gone]
    total = sum(sizes[date][0] for date in kept)
    for date in kept if sharing.max_total_bytes is not None else ():
        if total <= sharing.max_total_bytes:  # type: ignore[operator]
            break
        total -= sizes[date][0]
        gone.append(date)
    for date in gone:
        for other in found[date]:
            with contextlib.suppress(FileNotFoundError):
                os.remove(other)


def _size_and_time(paths: list[str]) -> tuple[int, float]:
    """Give the size of some files and the time of the youngest."""
    known = []
    for path in paths:
        with contextlib.suppress(FileNotFoundError):
            known.append(os.stat(path))
    return sum(one.st_size for one in known), max((one.st_mtime for one in known), default=0.0)
