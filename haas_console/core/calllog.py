"""What was asked of the daemon and what was done by the user, for the panes that show it."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

CALLS_KEPT = 1000
COMMANDS_KEPT = 200
NEWS_KEPT = 500


class CallRecord(msgspec.Struct, frozen=True):
    """One call of the API: ``ms`` is how long its answer took, ``outcome`` ok or the error."""

    at: float
    method: str
    params: Mapping[str, Any]
    ms: float
    outcome: str
    ok: bool
    quiet: bool = False
    """Whether the console asked by itself (polling), so that a pane may leave it out."""


@dataclass(slots=True)
class CommandRecord:
    """One command of the user's, as the line that a script would have."""

    at: float
    line: str
    state: str = "sent"
    """``sent``, ``done`` or ``failed``."""
    message: str = ""


class NewsRecord(msgspec.Struct, frozen=True):
    """One ``inventory.event``: something was made, changed or deleted, by whomever."""

    at: float
    noun: str
    verb: str
    name: str
    project: str | None


@dataclass
class Log:
    """The last calls, commands and news, oldest first."""

    calls: deque[CallRecord] = field(default_factory=lambda: deque(maxlen=CALLS_KEPT))
    commands: deque[CommandRecord] = field(default_factory=lambda: deque(maxlen=COMMANDS_KEPT))

    news: deque[NewsRecord] = field(default_factory=lambda: deque(maxlen=NEWS_KEPT))

    def command(self, line: str) -> CommandRecord:
        """Note a command that is about to be sent."""
        entry = CommandRecord(time.time(), line)
        self.commands.append(entry)
        return entry
