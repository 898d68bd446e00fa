"""Records of the audit trail as texts, and the filter that asks for them. Pure."""

from __future__ import annotations

from typing import Any

from haas_console.core.text import brief
from haas_schemas.system import AuditRecord

FIELDS = ("user", "object", "project", "since", "until")


def parse_filter(text: str) -> dict[str, Any]:
    """Read a filter into params of ``audit.list``; raises ValueError with a sentence.

    ``field=value`` names a field; any other word is an object, such as ``node-1`` or ``red/net``.
    """
    params: dict[str, Any] = {}
    for word in text.split():
        name, equals, value = word.partition("=")
        if not equals:
            name, value = "object", word
        if name not in FIELDS:
            raise ValueError(f'There is no field "{name}"; there are: {", ".join(FIELDS)}.')
        if value:
            params[name] = value
    return params


def what(record: AuditRecord) -> str:
    """What was asked for, as in the command language."""
    params = " ".join(f"{name}={brief(value)}" for name, value in record.params.items())
    return f"{record.method.replace('.', ' ')} {params}".rstrip()


def outcome(record: AuditRecord) -> str:
    """``done``, the job that was started, or why it was refused."""
    if record.outcome != "done":
        return f"{record.outcome}: {record.message}" if record.message else record.outcome
    return f"job {record.job}" if record.job is not None else "done"


def details(record: AuditRecord) -> list[str]:
    """A record in full, one line for each thing that is known."""
    rows = {
        "when": record.time,
        "who": record.user,
        "came in by": record.via or "-",
        "what": record.method,
        "project": record.project or "-",
        "about": ", ".join(record.objects) or "-",
        "outcome": outcome(record),
    }
    lines = [f"{name:12}{brief(value)}" for name, value in rows.items()]
    return [*lines, "", *(f"  {name} = {brief(value)}" for name, value in record.params.items())]
