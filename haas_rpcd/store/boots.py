"""The boot of the master that the daemon last ran in."""

from __future__ import annotations

from haas_rpcd.store import headnodes
from haas_rpcd.store.database import Tx


def begin(tx: Tx, boot_id: str) -> bool:
    """Write the present boot; return whether there was another one before.

    In a new boot no headnode runs, so it does not matter any more which ones were seen to stop.
    """
    last = tx.value(str, "SELECT boot_id FROM last_boot")
    if last == boot_id:
        return False
    tx.execute("DELETE FROM last_boot")
    tx.insert("last_boot", boot_id=boot_id)
    headnodes.forget_stops(tx)
    return last is not None
