"""What a check gets, and what it returns."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

from haas_rpcd.config import Settings

Level = Literal["ok", "warning", "fault"]

LEVELS: tuple[Level, ...] = ("ok", "warning", "fault")
"""All levels, the worst last."""


class Finding(msgspec.Struct, frozen=True):
    """One thing that a check found.

    ``text`` is a sentence that says what is so. ``mend`` says what to do about it; it is empty if
    ``level`` is "ok". ``check`` is the name of the check.
    """

    level: Level
    text: str
    mend: str = ""
    check: str = ""


@dataclass(frozen=True)
class World:
    """What is checked: the settings, and the machine, whose files are below ``root``."""

    settings: Settings
    config: Path
    root: Path = Path("/")

    def at(self, path: str) -> Path:
        """Return where an absolute path of the machine is."""
        return self.root / path.lstrip("/")


class Check(NamedTuple):
    """A check. ``offline``: it only reads files of the configuration, and so can run anywhere."""

    name: str
    run: Callable[[World], list[Finding] | Awaitable[list[Finding]]]
    offline: bool = False


def ok(text: str) -> Finding:
    """Return the finding that something is as it should be."""
    return Finding("ok", text)


def warning(text: str, mend: str) -> Finding:
    """Return the finding of something that works, but may not for long, or not as expected."""
    return Finding("warning", text, mend)


def fault(text: str, mend: str) -> Finding:
    """Return the finding of something that keeps HaaS from working, or from being safe."""
    return Finding("fault", text, mend)


def worst(findings: list[Finding]) -> Level:
    """Return the worst level of these findings; "ok" if there are none."""
    return max((one.level for one in findings), key=LEVELS.index, default="ok")
