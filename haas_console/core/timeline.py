"""The log as one list of calls, commands and events in order of time. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from haas_console.core.log import CallRecord, CommandRecord, EventRecord, Log

KINDS = ("all", "commands", "calls", "events")


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One line of the timeline: ``text`` is what a user would copy, ``note`` the outcome."""

    at: float
    kind: str
    """``command``, ``call`` or ``event``."""
    text: str
    note: str = ""
    ok: bool = True
    ms: float | None = None

    @property
    def detail(self) -> list[str]:
        """The whole entry, in lines."""
        lines = [self.text]
        name, brace, params = self.text.partition(" {")
        if self.kind == "call" and brace:
            lines = [name, *json.dumps(json.loads("{" + params), indent=2).splitlines()]
        if self.ms is not None:
            lines.append(f"answered within {self.ms:.1f} ms")
        return lines + ([self.note] if self.note else [])


def timeline(log: Log, kind: str = "all", words: str = "") -> list[TimelineEntry]:
    """Return the entries of a ``kind`` that contain all ``words``, oldest first.

    A word that begins with ``!`` must not be contained.
    """
    found = sorted(_all(log, kind), key=lambda each: each.at)
    wanted = words.lower().split()
    if not wanted:
        return found
    return [each for each in found if _fits(f"{each.text} {each.note}".lower(), wanted)]


def _fits(text: str, words: list[str]) -> bool:
    return all((word[1:] not in text) if word.startswith("!") else word in text for word in words)


def _all(log: Log, kind: str) -> Iterator[TimelineEntry]:
    if kind in ("all", "calls"):
        yield from (_call(call) for call in log.calls if not call.quiet)
    if kind in ("all", "commands"):
        yield from (_command(command) for command in log.commands)
    if kind in ("all", "events"):
        yield from (_event(event) for event in log.events)


def _call(call: CallRecord) -> TimelineEntry:
    params = f" {json.dumps(dict(call.params), ensure_ascii=False)}" if call.params else ""
    return TimelineEntry(call.at, "call", f"{call.method}{params}", call.outcome, call.ok, call.ms)


def _command(command: CommandRecord) -> TimelineEntry:
    note = command.message or command.state
    return TimelineEntry(command.at, "command", command.line, note, command.state != "failed")


def _event(event: EventRecord) -> TimelineEntry:
    whose = f" of {event.project}" if event.project and event.noun != "project" else ""
    return TimelineEntry(event.at, "event", f"{event.noun} {event.name}{whose}: {event.verb}")
