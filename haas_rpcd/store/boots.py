"""The boot in which the daemon last read each hypervisor."""

from __future__ import annotations

from haas_rpcd.store import headnode_states
from haas_rpcd.store.database import Tx


def begin(tx: Tx, hypervisor: str, boot_id: str) -> bool:
    """Write a hypervisor's present boot; return whether there was another one before.

    In a new boot no headnode runs, so it does not matter any more which ones were seen to stop.
    """
    last = tx.value(str, "SELECT boot_id FROM last_boot WHERE hypervisor = ?", (hypervisor,))
    if last == boot_id:
        return False
    tx.execute("DELETE FROM last_boot WHERE hypervisor = ?", (hypervisor,))
    tx.insert("last_boot", hypervisor=hypervisor, boot_id=boot_id)
    headnode_states.forget_stops(tx, hypervisor)
    return last is not None
