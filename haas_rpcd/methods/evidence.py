"""What a caller may know of why a port carries what it carries."""

from __future__ import annotations

from haas_rpcd.methods.access import sees
from haas_rpcd.methods.call import TxCall
from haas_rpcd.store import evidence
from haas_schemas.common import timestamp
from haas_schemas.node import Evidence


def evidence_for(call: TxCall, port_id: int | None) -> Evidence | None:
    """Return what is known of a port's last confirmation; None if nothing is.

    A tenant learns of its own projects only, and never what the switch said.
    """
    row = None if port_id is None else evidence.of_port(call.tx, port_id)
    if row is None:
        return None
    own_job = sees(call.tx, call.caller, row.project_id)
    own_edit = sees(call.tx, call.caller, row.staged_project_id)
    if not (own_job or own_edit):
        return None
    return Evidence(
        confirmed=timestamp(row.time) or "",
        job=row.job_id if own_job else None,
        applied_by=row.applied_by if own_job else None,
        staged_by=row.staged_by if own_edit else None,
        staged_at=timestamp(row.staged_at) if own_edit else None,
        said=tuple(row.said.splitlines()) if call.caller.admin else None,
    )


def staged_for(call: TxCall, nic_id: int) -> tuple[str | None, str | None]:
    """Return who last staged something for a nic, and when; Nones if the caller may not know."""
    row = evidence.staged(call.tx, nic_id)
    if row is None or not sees(call.tx, call.caller, row.project_id):
        return None, None
    return row.user, timestamp(row.time)
