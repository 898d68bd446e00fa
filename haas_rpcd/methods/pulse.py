"""system.pulse: the few figures of the site that the console's top line needs beside the lists."""

from __future__ import annotations

from collections.abc import Iterable

from haas_rpcd.devicenames import LIBVIRT, MASTER
from haas_rpcd.methods.access import visible
from haas_rpcd.methods.call import TxCall
from haas_rpcd.methods.registry import method
from haas_rpcd.store import audit, jobs, networks
from haas_schemas.system import Pulse

SPAN, PARTS = 300.0, 12  # seconds of each part of the last hour, and how many parts


@method("system.pulse")
def pulse(call: TxCall) -> Pulse:
    """Count what happened within the hour and, for admins, the VLAN ids that are free.

    Admins also see whether libvirt and the trunk nic's network answer.
    """
    context, admin = call.context, call.caller.admin
    now, mine = context.clock.wall(), visible(call.tx, call.caller)
    hour = now - SPAN * PARTS
    ended = jobs.ended_since(call.tx, hour, mine)
    lost = context.engine.contacts.lost_since(hour) if admin else None
    pool = context.settings.pool
    return Pulse(
        vlans=len(pool) if admin else None,
        vlans_free=len(pool) - networks.claimed_in(call.tx, pool) if admin else None,
        libvirt=context.engine.sees(LIBVIRT) if admin else None,
        trunk=context.engine.sees(MASTER) if admin else None,
        ended=_in_parts([job.finished for job in ended], now),
        failed=_in_parts([job.finished for job in ended if job.state == "failed"], now),
        allocated=_in_parts(audit.allocated_since(call.tx, hour, mine), now),
        lost=_in_parts(lost, now) if lost is not None else (),
    )


def _in_parts(moments: Iterable[float], now: float) -> tuple[int, ...]:
    """Count moments by the part of the last hour that they are in, the oldest part first."""
    parts = [0] * PARTS
    for moment in moments:
        parts[PARTS - 1 - min(int(max(0.0, now - moment) / SPAN), PARTS - 1)] += 1
    return tuple(parts)
