"""What was asked of the daemon, call by call."""

from __future__ import annotations

import json
import time
from typing import ClassVar

from textual.app import ComposeResult

from haas_console.core.calllog import CallRecord
from haas_console.core.live import Changes
from haas_console.tui.lines import Lines, Part
from haas_console.tui.screen import ConsoleScreen


class CallLines(Lines):
    """The calls, the newest last."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.calls: list[CallRecord] = []

    def count(self) -> int:
        """A line for each call."""
        return len(self.calls)

    def parts(self, index: int, width: int) -> list[Part]:
        """When, what, how long, and what came of it."""
        call = self.calls[index]
        when = time.strftime("%H:%M:%S", time.localtime(call.at))
        params = json.dumps(dict(call.params)) if call.params else ""
        look = "good" if call.ok else "leaves"
        return [
            (f" {when} ", "dim"),
            (f"{call.ms:7.1f} ms  ", "dim"),
            (f"{call.method} ", "head"),
            (f"{params} ", ""),
            (call.outcome, look),
        ]


class EventsScreen(ConsoleScreen):
    """The log of calls."""

    TITLE: ClassVar[str] = "Events"
    NAME = "events"
    AUTO_FOCUS = "#calls"

    def compose_body(self) -> ComposeResult:
        """One list."""
        yield CallLines(id="calls")

    def changed(self, changes: Changes) -> None:
        """Show the calls that were made since."""
        if "call" in changes:
            lines = self.query_one(CallLines)
            lines.calls = [call for call in self.session.live.log.calls if not call.quiet]
            lines.changed()
            lines.action_go(-1)
