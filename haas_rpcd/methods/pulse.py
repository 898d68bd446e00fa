"""system.pulse: the few figures of the site that the console's top line needs beside the lists."""

from __future__ import annotations

from haas_rpcd.methods.access import visible
from haas_rpcd.methods.call import TxCall
from haas_rpcd.methods.registry import method
from haas_rpcd.model import LIBVIRT, MASTER
from haas_rpcd.store import jobs, networks
from haas_schemas.system import Pulse

SPAN, PARTS = 300.0, 12  # seconds of each part of the last hour, and how many parts


@method("system.pulse")
def pulse(call: TxCall) -> Pulse:
    """Count the jobs that ended within the hour and, for admins, the VLAN ids that are free.

    Admins also see whether libvirt and the trunk nic's network answer.
    """
    context, admin = call.context, call.caller.admin
    now = context.clock.wall()
    ended, failed = [0] * PARTS, [0] * PARTS
    for job in jobs.ended_since(call.tx, now - SPAN * PARTS, visible(call.tx, call.caller)):
        part = PARTS - 1 - min(int(max(0.0, now - job.finished) / SPAN), PARTS - 1)
        ended[part] += 1
        failed[part] += job.state == "failed"
    pool = context.settings.pool
    return Pulse(
        vlans=len(pool) if admin else None,
        vlans_free=len(pool) - networks.claimed_in(call.tx, pool) if admin else None,
        libvirt=context.engine.sees(LIBVIRT) if admin else None,
        trunk=context.engine.sees(MASTER) if admin else None,
        ended=tuple(ended),
        failed=tuple(failed),
    )
