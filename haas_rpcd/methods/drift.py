"""drift.*: where devices differ from what was applied to them.

Tenants see and repair the drift of their headnodes and of their networks' bridges on the master.
"""

from __future__ import annotations

import time

from haas_rpcd.errors import DeniedError, InvalidParamsError, NotFoundError
from haas_rpcd.methods.access import find_project, find_switch, paged, visible
from haas_rpcd.methods.call import Call, TxCall
from haas_rpcd.methods.quotas import check_queue
from haas_rpcd.methods.registry import always, method
from haas_rpcd.store import drift, jobs, switches
from haas_rpcd.store.drift import DriftRow
from haas_schemas.common import timestamp
from haas_schemas.drift import DriftItem, DriftPage, DriftReport, UnreadDevice
from haas_schemas.job import Started
from haas_schemas.names import Limit, Name


@method("drift.check")
async def check(call: Call, switch: Name | None = None) -> DriftReport:
    """Read a switch, or all devices, and list what differs from what was applied.

    Reads the whole configuration of each switch, and the master's bridges and headnodes. Ignores
    ports that HaaS never configured and VLAN ids outside its pool. Changes nothing.
    """
    store = call.context.store
    if switch is not None:
        await store.read(find_switch, switch)
    found = await call.context.engine.check_drift(switch)
    items = await store.read(lambda tx: tuple(map(_item, drift.of_devices(tx, found.checked))))
    return DriftReport(
        checked=tuple(found.checked),
        unreachable=tuple(
            UnreadDevice(device, why) for device, why in sorted(found.unreachable.items())
        ),
        items=items,
    )


@method("drift.list", lasts=always)
def list_(
    call: TxCall,
    switch: Name | None = None,
    project: Name | None = None,
    limit: Limit = 1000,
    after: str | None = None,
) -> DriftPage:
    """List what differed when a switch, or all devices, were last checked.

    Reads no device; drift.check does. ``never_checked`` names the switches that never were, so that
    nothing is known of them; ``checked`` in switch.show is the time of the last check.
    Tenants see what differs of their headnodes, and of their networks on the master.
    """
    _find_switch(call, switch)
    if project is not None:
        find_project(call.tx, call.caller, project)
    place = (after or "  ").split(" ", 2)  # a port's name may contain a space
    if len(place) != 3:
        raise InvalidParamsError(
            "after: must be the `next` of the page before this one.", field="after"
        )
    rows = drift.page(
        call.tx,
        limit,
        (place[0], place[1], place[2]),
        switch,
        project=project,
        mine=visible(call.tx, call.caller),
    )
    last = f"{rows[-1].device} {rows[-1].kind} {rows[-1].target}" if rows else None
    page = paged([_item(row) for row in rows], limit, last)
    unchecked: list[str] = []
    if call.caller.admin and project is None:
        unchecked = switches.never_checked(call.tx)
    if switch is not None:
        unchecked = [name for name in unchecked if name == switch]
    return DriftPage(page.items, page.next, tuple(unchecked))


def _item(row: DriftRow) -> DriftItem:
    return DriftItem(
        device=row.device,
        kind=row.kind,
        target=row.target,
        applied=row.applied,
        observed=row.observed,
        project=row.project,
        behind=row.behind,
        since=timestamp(row.since),
        open=row.open,
        not_understood=row.not_understood,
    )


@method("drift.repair", mutates=True)
def repair(call: TxCall, switch: Name | None = None, project: Name | None = None) -> Started:
    """Start a job that checks a switch, or all devices, and restores what was applied.

    With ``project``, its headnodes and its networks' bridges; tenants must name one. It applies
    nothing that is staged. An open port is shut down before its VLANs are restored.
    """
    _find_switch(call, switch)
    if switch is not None and project is not None:
        raise InvalidParamsError("Name a switch or a project, not both.", field="project")
    if project is None and not call.caller.admin:
        raise DeniedError("Only an admin may repair the site: name a project.")
    owner = None if project is None else find_project(call.tx, call.caller, project).id
    check_queue(call, owner)
    job = jobs.create_repair(
        call.tx, user=call.caller.user, now=time.time(), switch=switch, project_id=owner
    )
    call.start_job(job, owner)
    call.changed("job", "queued", str(job), project, admins_only=project is None)
    return Started(job=job)


def _find_switch(call: TxCall, switch: str | None) -> None:
    """Check that a switch exists, if one is named; for tenants there is none.

    Raises NotFoundError.
    """
    if switch is not None and not call.caller.admin:
        raise NotFoundError(f"There is no switch {switch}.")
    if switch is not None:
        find_switch(call.tx, switch)
