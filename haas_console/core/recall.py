"""The history of typed lines, kept from one run of the console to the next."""

from __future__ import annotations

import logging
from pathlib import Path

KEPT = 1000
_log = logging.getLogger(__name__)


class Recall:
    """The lines typed before, newest last. A file that cannot be used is ignored."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._lines: list[str] | None = None

    @property
    def lines(self) -> list[str]:
        """All lines; the file is read at the first use."""
        if self._lines is None:
            self._lines = self._read()
        return self._lines

    def _read(self) -> list[str]:
        if self.path is None:
            return []
        try:
            return self.path.read_text("utf-8", errors="replace").splitlines()[-KEPT:]
        except FileNotFoundError:
            return []
        except OSError as error:
            _log.warning("the history %s cannot be read: %s", self.path, error)
            return []

    def add(self, line: str) -> None:
        """Add a line, unless it repeats the last one."""
        line = " ".join(line.split("\n")).strip()
        if not line or (self.lines and self.lines[-1] == line):
            return
        self.lines.append(line)
        del self.lines[:-KEPT]
        if self.path is None:
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            if not self.path.exists():
                self.path.touch(mode=0o600)
            with self.path.open("a", encoding="utf-8") as file:
                file.write(line + "\n")
            if self.path.stat().st_size > 200 * KEPT:
                self.path.write_text("".join(f"{kept}\n" for kept in self.lines), "utf-8")
        except OSError as error:
            _log.warning("the history %s cannot be written: %s", self.path, error)
            self.path = None  # do not try again
