"""Keeps what a console printed, in files of bounded size that only the daemon's user can read."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from haas_rpcd.consoles import Place

LONGEST = 2**20
"""Bytes of a file. A full one replaces the previous one; two are kept."""


class ConsoleLog:
    """The log of one place. All methods block."""

    def __init__(self, path: Path, longest: int = LONGEST) -> None:
        self._path = path
        self._longest = longest

    def append(self, data: bytes) -> None:
        """Add bytes. Raises OSError."""
        self._path.parent.mkdir(mode=0o700, exist_ok=True)
        number = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
        with os.fdopen(number, "wb") as file:
            file.write(data[-self._longest :])
            full = file.tell() >= self._longest
        if full:
            os.replace(self._path, f"{self._path}.1")

    def tail(self, size: int) -> bytes:
        """Return the last bytes, of at most two files. Raises OSError."""
        found = b""
        for path in (self._path, Path(f"{self._path}.1")):
            if len(found) < size and path.exists():
                found = path.read_bytes()[-(size - len(found)) :] + found
        return found


class Logs:
    """The folder of all logs; None: nothing is kept. All methods block."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def of(self, place: Place) -> ConsoleLog | None:
        """Return the log of a place."""
        return None if self._folder is None else ConsoleLog(self._folder / _file(place))

    def files(self) -> list[tuple[str, Place]]:
        """Return the names of all files, and whose they are: a headnode is named by its uuid."""
        if self._folder is None:
            return []
        return [(path.name, _place(path.name)) for path in self._folder.glob("*.log*")]

    def delete(self, names: Iterable[str]) -> None:
        """Delete files: they must not be given to the next holder."""
        for name in names:
            if self._folder is not None:
                (self._folder / name).unlink(missing_ok=True)


def _file(place: Place) -> str:
    name = place.uuid or place.name  # neither has a slash, nor begins with a dot
    return f"{place.kind}.{name}.{place.owner or 0}.log"


def _place(file: str) -> Place:
    kind, _, rest = file.removesuffix(".1").removesuffix(".log").partition(".")
    name, _, owner = rest.rpartition(".")
    number = int(owner) if owner.isdecimal() else -1  # nobody's
    return Place("node" if kind == "node" else "headnode", name, number or None)
