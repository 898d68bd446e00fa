"""audit.*: who changed what, and when."""

from __future__ import annotations

from haas_rpcd.errors import DeniedError
from haas_rpcd.methods.access import find_project, number_cursor, paged
from haas_rpcd.methods.call import TxCall
from haas_rpcd.methods.registry import method
from haas_rpcd.methods.times import seconds
from haas_rpcd.store import audit
from haas_schemas.common import Page, timestamp
from haas_schemas.names import Limit, Name, UserName
from haas_schemas.system import AuditRecord


@method("audit.list")
def list_(
    call: TxCall,
    since: str | float | None = None,
    user: UserName | None = None,
    project: Name | None = None,
    newest: bool = False,
    limit: Limit = 1000,
    after: str | None = None,
) -> Page[AuditRecord]:
    """List who asked for which change, and the outcome, oldest first.

    ``newest`` puts the newest first. ``since`` is a time such as 2026-01-31T12:00:00Z, or seconds
    since 1970. Admins see everything; tenants have to name a project of their own, and see the
    changes in it.
    """
    if project is None and not call.caller.admin:
        raise DeniedError("Only an admin may list the whole audit trail: name a project.")
    # For tenants by id: another project may have had this name before, and callers who are not
    # members may have tried to use it.
    mine = find_project(call.tx, call.caller, project) if project is not None else None
    rows = audit.page(
        call.tx,
        limit,
        number_cursor(after) if after else None,
        newest=newest,
        since=_seconds(since),
        user=user,
        project=project,
        project_id=mine.id if mine is not None and not call.caller.admin else None,
    )
    items = [
        AuditRecord(
            id=row.id,
            time=timestamp(row.time) or "",
            user=row.user,
            method=row.method,
            project=row.project,
            params=row.params,
            outcome=row.outcome,
            message=row.message,
        )
        for row in rows
    ]
    return paged(items, limit, rows[-1].id if rows else None)


def _seconds(since: str | float | None) -> float | None:
    return seconds(since, "since") if isinstance(since, str) else since
