"""Ends the share of a network: what the guest has on it is parked first, in a job."""

from __future__ import annotations

import time

from haas_rpcd.methods.call import TxCall
from haas_rpcd.store import jobs, projects, shares
from haas_rpcd.store.networks import NetworkRow


def end_share(call: TxCall, network: NetworkRow, guest: str) -> int | None:
    """Disconnect what a guest has on a network; return the job that parks it.

    None if nothing has to be parked: the share ends with this transaction.
    """
    row = projects.find(call.tx, guest)
    if row is None:
        return None
    shares.begin_end(call.tx, network.id, row.id)
    call.changed("network", "changed", f"{network.project}/{network.name}", guest)
    if not shares.uses(call.tx, network, row.id):
        return None
    job = jobs.create_withdrawal(
        call.tx, user=call.caller.user, now=time.time(), project_id=row.id, vlan=network.vlan
    )
    call.start_job(job, row.id)
    call.changed("job", "queued", str(job), guest)
    return job
