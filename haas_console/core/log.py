"""The log of one session: calls of the API, commands of the user, and events of the daemon."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

CALLS_KEPT = 1000
COMMANDS_KEPT = 200
EVENTS_KEPT = 500


class CallRecord(msgspec.Struct, frozen=True):
    """One call of the API: ``ms`` is how long its answer took, ``outcome`` ok or the error."""

    at: float
    method: str
    params: Mapping[str, Any]
    ms: float
    outcome: str
    ok: bool
    quiet: bool = False
    """The console made the call by itself (polling), so a pane may leave it out."""


class CommandRecord(msgspec.Struct):
    """One command of the user, written as a line of a script."""

    at: float
    line: str
    state: str = "sent"
    """``sent``, ``done`` or ``failed``."""
    message: str = ""


class EventRecord(msgspec.Struct, frozen=True):
    """One ``inventory.event``: somebody created, changed or deleted something."""

    at: float
    noun: str
    verb: str
    name: str
    project: str | None


@dataclass
class Log:
    """The last calls, commands and events, oldest first."""

    calls: deque[CallRecord] = field(default_factory=lambda: deque(maxlen=CALLS_KEPT))
    commands: deque[CommandRecord] = field(default_factory=lambda: deque(maxlen=COMMANDS_KEPT))
    events: deque[EventRecord] = field(default_factory=lambda: deque(maxlen=EVENTS_KEPT))

    def command(self, line: str) -> CommandRecord:
        """Add a command that is about to be sent."""
        entry = CommandRecord(time.time(), line)
        self.commands.append(entry)
        return entry
