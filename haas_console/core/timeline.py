"""The log as one list of calls, commands and events in order of time, with who did what. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from haas_console.core import happened
from haas_console.core.auditlist import Change, outcome, what
from haas_console.core.facts import Fact
from haas_console.core.log import CallRecord, CommandRecord, EventRecord, Log
from haas_console.core.objects import Ref
from haas_schemas.job import Job

KINDS = ("all", "commands", "calls", "events")

CLOSEST = ("nic", "port", "headnode", "network", "node", "switch", "job", "project")
"""Kinds of objects: of several that a change was about, the first is meant."""

NEAR = 5.0
"""Seconds between an event and the record of the call that led to it, whose clocks may differ."""


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One line of the timeline: ``text`` is what a user would copy, ``note`` the outcome.

    ``who`` did it; empty for the daemon itself, and where that is not known. ``objects`` are what
    it was about, each with its noun.
    """

    at: float
    kind: str
    """``command``, ``call`` or ``event``; an event may be a change from before the console."""
    text: str
    note: str = ""
    ok: bool = True
    ms: float | None = None
    who: str = ""
    project: str | None = None
    objects: tuple[str, ...] = ()
    change: Change | None = None
    """The record of the audit trail, if there is one."""
    verb: str = ""
    """What happened to the object of an event; empty if the text says it."""

    @property
    def key(self) -> tuple[float, str, str]:
        """What identifies it."""
        return self.at, self.kind, self.text

    @property
    def what(self) -> str:
        """What was done, for a line that names the object beside it."""
        return self.verb or self.text

    @property
    def object(self) -> str:
        """The object that it was about first of all; empty if there is none."""
        ref = self.ref
        return f"{ref.kind} {ref.name}" if ref is not None else next(iter(self.objects), "")

    @property
    def cells(self) -> Iterator[str]:
        """All that is shown of it."""
        yield from (self.text, self.note, self.who, *self.objects)

    @property
    def ref(self) -> Ref | None:
        """The object that it was about most closely: the nic, and not its node."""
        found = [ref for text in self.objects if (ref := happened.object_ref(text)) is not None]
        return min(found, key=lambda ref: CLOSEST.index(ref.kind), default=None)

    @property
    def facts(self) -> list[Fact]:
        """The whole entry, with links to its objects."""
        if self.change is not None:
            return self.change.facts
        lines = [self.text]
        name, brace, params = self.text.partition(" {")
        if self.kind == "call" and brace:
            lines = [name, *json.dumps(json.loads("{" + params), indent=2).splitlines()]
        if self.ms is not None:
            lines.append(f"answered within {self.ms:.1f} ms")
        facts = [
            Fact(self.kind if number == 0 else "", line)
            for number, line in enumerate([*lines, *([self.note] if self.note else [])])
        ]
        about = [Fact("about", text, happened.object_ref(text)) for text in self.objects]
        return facts + about


def timeline(
    log: Log,
    kind: str = "all",
    words: str = "",
    *,
    user: str = "",
    jobs: Mapping[int, Job] | None = None,
    trail: Sequence[Change] = (),
) -> list[TimelineEntry]:
    """Return the entries of a ``kind`` that fit a filter, oldest first. Raises ValueError.

    ``user`` gave the commands. The events are those of the log, with who caused them by ``trail``
    and ``jobs``, and the changes of the trail that led to no event here.
    """
    found: list[TimelineEntry] = []
    if kind in ("all", "calls"):
        found += [_call(call, user) for call in log.calls if not call.quiet]
    if kind in ("all", "commands"):
        found += [_command(command, user) for command in log.commands]
    if kind in ("all", "events"):
        found += _events(log, user, jobs or {}, trail)
    return happened.fitting(sorted(found, key=lambda each: each.at), words)


def _call(call: CallRecord, user: str) -> TimelineEntry:
    params = f" {json.dumps(dict(call.params), ensure_ascii=False)}" if call.params else ""
    text = f"{call.method}{params}"
    return TimelineEntry(
        call.at, "call", text, call.outcome, call.ok, call.ms, user, objects=_objects(call.params)
    )


def _objects(params: Mapping[str, Any]) -> tuple[str, ...]:
    """What a call was about, by its params, as the audit trail names it."""
    project, node = params.get("project"), params.get("node")
    found = [f"nic {node}:{params['nic']}"] if node and "nic" in params else []
    if "switch" in params and "port" in params:
        found.append(f"port {params['switch']} {params['port']}")
    for noun in ("network", "headnode"):
        if isinstance(name := params.get(noun), str):
            found.append(f"{noun} {name if '/' in name or not project else f'{project}/{name}'}")
    named = [f"{noun} {params[noun]}" for noun in ("node", "switch", "job") if params.get(noun)]
    return (*found, *named, *([f"project {project}"] if project else []))


def _command(command: CommandRecord, user: str) -> TimelineEntry:
    note, ok = command.message or command.state, command.state != "failed"
    return TimelineEntry(command.at, "command", command.line, note, ok, who=user)


# --- events and changes ---------------------------------------------------------------------------


def _events(
    log: Log, user: str, jobs: Mapping[int, Job], trail: Sequence[Change]
) -> Iterator[TimelineEntry]:
    by_object: dict[str, list[Change]] = {}
    for change in trail:
        if change.record.outcome == "done":
            for text in change.objects:
                by_object.setdefault(text, []).append(change)
    told: set[int] = set()
    for event in log.events:
        entry = _event(event)
        near = _nearest(by_object.get(entry.objects[0], ()), event.at)
        if near is not None:
            told.add(near.record.id)
            entry = replace(entry, who=near.who, change=near)
        elif event.noun == "job" and event.name.isdigit() and int(event.name) in jobs:
            entry = replace(entry, who=jobs[int(event.name)].user)
        yield entry
    own = {(call.method, round(call.at / NEAR)) for call in log.calls}
    for change in trail:
        if change.record.id not in told and not (change.who == user and _is_own(change, own)):
            yield _change(change)


def _nearest(changes: Iterable[Change], at: float) -> Change | None:
    near = [change for change in changes if abs(change.at - at) <= NEAR]
    return min(near, key=lambda change: abs(change.at - at), default=None)


def _is_own(change: Change, own: set[tuple[str, int]]) -> bool:
    """Whether a change is one of this console's own calls, which are in the list already."""
    part = round(change.at / NEAR)
    return any((change.record.method, each) in own for each in (part - 1, part, part + 1))


def _event(event: EventRecord) -> TimelineEntry:
    whose = f" of {event.project}" if event.project and event.noun != "project" else ""
    owned = event.noun in ("network", "headnode") and "/" not in event.name and event.project
    name = f"{event.project}/{event.name}" if owned else event.name
    text = f"{event.noun} {event.name}{whose}: {event.verb}"
    return TimelineEntry(
        event.at,
        "event",
        text,
        project=event.project,
        objects=(f"{event.noun} {name}",),
        verb=event.verb,
    )


def _change(change: Change) -> TimelineEntry:
    record = change.record
    return TimelineEntry(
        change.at,
        "event",
        what(record),
        outcome(record),
        record.outcome == "done",
        who=change.who,
        project=change.project,
        objects=change.objects,
        change=change,
    )
