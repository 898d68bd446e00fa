"""audit.*: who changed what, and when."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from haas_rpcd.errors import DeniedError
from haas_rpcd.methods.access import find_project, number_cursor
from haas_rpcd.methods.call import Call, TxCall
from haas_rpcd.methods.registry import method
from haas_rpcd.methods.tenant_texts import for_tenant
from haas_rpcd.methods.times import seconds
from haas_rpcd.store import audit
from haas_rpcd.store.audit import AuditRow
from haas_schemas.common import Page, timestamp
from haas_schemas.names import Limit, Name, UserName
from haas_schemas.system import AuditRecord, AuditVerdict

ObjectText = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=200,
        description="An object, such as node-1, or with its noun: node node-1, network red/net.",
    ),
]

_PAGE_BYTES = 2**20
"""Bytes of the records on one page."""

_AT_A_TIME = 2000
"""Records that are verified in one transaction."""


@method("audit.list")
def list_(
    call: TxCall,
    since: str | float | None = None,
    until: str | float | None = None,
    user: UserName | None = None,
    project: Name | None = None,
    object: ObjectText | None = None,
    newest: bool = False,
    limit: Limit = 1000,
    after: str | None = None,
) -> Page[AuditRecord]:
    """List who asked for which change, and the outcome, oldest first.

    ``newest`` puts the newest first. ``since`` and ``until`` are times such as
    2026-01-31T12:00:00Z, or seconds since 1970. ``object`` selects what is about one thing. Admins
    see everything; tenants have to name a project of their own, and see the changes in it.
    """
    if project is None and not call.caller.admin:
        raise DeniedError("Only an admin may list the whole audit trail: name a project.")
    # For tenants by id: another project may have had this name before, and callers who are not
    # members may have tried to use it.
    mine = find_project(call.tx, call.caller, project) if project is not None else None
    noun, _, name = object.rpartition(" ") if object is not None else ("", "", "")
    if noun.startswith("port "):  # its name has a space: SWITCH PORT
        noun, name = "port", f"{noun.removeprefix('port ')} {name}"
    rows = audit.page(
        call.tx,
        limit,
        number_cursor(after) if after else None,
        newest=newest,
        since=_seconds(since, "since"),
        until=_seconds(until, "until"),
        user=user,
        project=project,
        project_id=mine.id if mine is not None and not call.caller.admin else None,
        noun=noun or None,
        name=name or None,
    )
    items = [_record(row, call.caller.admin) for row in rows]
    fitting = _fitting(items)
    last = str(fitting[-1].id) if fitting else None
    return Page(items=tuple(fitting), next=last if len(rows) == limit or fitting != items else None)


def _fitting(items: list[AuditRecord]) -> list[AuditRecord]:
    """Return the first records, as many as fit one page."""
    room = _PAGE_BYTES
    for number, item in enumerate(items):
        room -= len(msgspec.json.encode(item))
        if room < 0 and number:
            return items[:number]
    return items


def _record(row: AuditRow, admin: bool) -> AuditRecord:
    """Return the API's record; a tenant may not count what others do."""
    return AuditRecord(
        id=row.id if admin or row.seq is None else row.seq,
        time=timestamp(row.time) or "",
        user=row.user,
        method=row.method,
        project=row.project,
        params=row.params,
        outcome=row.outcome,
        message=for_tenant(row.message) if row.outcome == "device" and not admin else row.message,
        via=row.via,
        objects=tuple(row.objects),
        job=row.job,
    )


def _seconds(time: str | float | None, field: str) -> float | None:
    return seconds(time, field) if isinstance(time, str) else time


@method("audit.verify")
async def verify(call: Call) -> AuditVerdict:
    """Check that the audit trail is as it was written: nothing changed, inserted or removed."""
    read = call.context.store.read
    start = at = await read(audit.anchor)
    records, broken, more = 0, None, True
    while more:
        before = at
        at, count, broken = await read(audit.verify, before, _AT_A_TIME)
        now = await read(audit.anchor)
        if broken is not None and now.audit_id > before.audit_id:
            at, broken = now, None  # what was to be verified next has been pruned meanwhile
            continue
        records += count
        more = count > 0 and broken is None
    return AuditVerdict(
        ok=broken is None,
        records=records,
        first=start.audit_id + 1 if records else None,
        last=at.audit_id if records else None,
        head=at.hash.hex(),
        broken=broken,
        message=None if broken is None else f"From record {broken} on, the trail was changed.",
    )
