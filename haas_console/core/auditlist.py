"""Records of the audit trail as texts, and as facts with links. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from haas_console.core.facts import Fact
from haas_console.core.happened import object_ref
from haas_console.core.objects import Ref
from haas_console.core.text import brief
from haas_console.core.times import seconds
from haas_schemas.system import AuditRecord


@dataclass(frozen=True, slots=True)
class Change:
    """A record of the trail as something that happened."""

    record: AuditRecord

    @property
    def at(self) -> float:
        """When, in seconds since the epoch."""
        return seconds(self.record.time) or 0.0

    @property
    def who(self) -> str:
        """The user who asked for it."""
        return self.record.user

    @property
    def project(self) -> str | None:
        """The project that it was done in."""
        return self.record.project

    @property
    def objects(self) -> tuple[str, ...]:
        """What it was about, and the job that it started."""
        job = self.record.job
        return (*self.record.objects, *((f"job {job}",) if job is not None else ()))

    @property
    def cells(self) -> Iterator[str]:
        """All that is shown of it."""
        record = self.record
        yield from (record.user, record.via, what(record), outcome(record))

    @property
    def facts(self) -> list[Fact]:
        """The record in full; each object that it was about can be opened."""
        record = self.record
        project = Ref("project", record.project) if record.project else None
        facts = [
            Fact("when", record.time),
            Fact("who", record.user),
            Fact("came in by", record.via or "-"),
            Fact("what", record.method),
            Fact("project", record.project or "-", project),
            Fact("outcome", outcome(record), look="drift" if record.outcome != "done" else ""),
        ]
        facts += [Fact("about", text, object_ref(text)) for text in self.objects]
        return facts + [
            Fact("params" if number == 0 else "", f"{name} = {brief(value)}", look="dim")
            for number, (name, value) in enumerate(record.params.items())
        ]


def page_params(
    asked: Mapping[str, Any], admin: bool, project: str | None
) -> dict[str, Any] | None:
    """The params of ``audit.list`` for a filter's; None if the caller may see nothing.

    A tenant sees the trail of one project: the one that is asked for, or the one in use.
    """
    if admin or "project" in asked:
        return {**asked, "newest": True}
    return {**asked, "newest": True, "project": project} if project is not None else None


def what(record: AuditRecord) -> str:
    """What was asked for, as in the command language."""
    params = " ".join(f"{name}={brief(value)}" for name, value in record.params.items())
    return f"{record.method.replace('.', ' ')} {params}".rstrip()


def outcome(record: AuditRecord) -> str:
    """``done``, the job that was started, or why it was refused."""
    if record.outcome != "done":
        return f"{record.outcome}: {record.message}" if record.message else record.outcome
    return f"job {record.job}" if record.job is not None else "done"
