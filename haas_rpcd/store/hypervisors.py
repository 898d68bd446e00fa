"""Queries of hypervisors other than the master, which haas.toml describes."""

from __future__ import annotations

import msgspec

from haas_rpcd.bmc import RegisteredBmc
from haas_rpcd.devicenames import MASTER, libvirt_device
from haas_rpcd.model import HeadnodeSeen
from haas_rpcd.registered import RegisteredHypervisor
from haas_rpcd.store import headnode_states, moves, vlans
from haas_rpcd.store.bmcs import BmcRow
from haas_rpcd.store.database import Tx
from haas_rpcd.store.headnodes import HeadnodeRow
from haas_rpcd.store.rows import Row
from haas_schemas.hypervisor import FencedBy


class HypervisorRow(Row, frozen=True):
    """A hypervisor and how it is registered.

    ``retired`` is since when it is out of service, in seconds since the epoch, and ``fenced`` who
    saw to it that it is off.
    """

    name: str
    uri: str
    trunk_nic: str
    ssh: str | None
    credential: str | None
    retired: float | None
    fenced: FencedBy | None

    @property
    def registered(self) -> RegisteredHypervisor:
        """How the hypervisor is registered."""
        return RegisteredHypervisor(self.name, self.uri, self.trunk_nic, self.ssh, self.credential)


class UsageRow(Row, frozen=True):
    """How much is on a hypervisor: ``headnodes`` that are there or are to be, and ``bridges``."""

    headnodes: int
    bridges: int
    drift: int


_HYPERVISOR = "SELECT name, uri, trunk_nic, ssh, credential, retired, fenced FROM hypervisor"


def find(tx: Tx, name: str) -> HypervisorRow | None:
    """Return the hypervisor of this name; None for the master."""
    return tx.one(HypervisorRow, f"{_HYPERVISOR} WHERE name = ?", (name,))


def everyone(tx: Tx) -> list[HypervisorRow]:
    """Return all hypervisors but the master, by name."""
    return tx.query(HypervisorRow, f"{_HYPERVISOR} ORDER BY name")


def in_service(tx: Tx) -> list[str]:
    """Name the hypervisors that are not retired; the master is the first."""
    sql = "SELECT name FROM hypervisor WHERE retired IS NULL ORDER BY name"
    return [MASTER, *tx.values(str, sql)]


def usage(tx: Tx, name: str) -> UsageRow:
    """Return how much is on a hypervisor, which may be the master."""
    [row] = tx.query(
        UsageRow,
        "SELECT (SELECT count(*) FROM headnode WHERE :name IN (hypervisor, move_to)"
        "  OR id IN (SELECT headnode_id FROM headnode_copy WHERE hypervisor = :name)) AS headnodes,"
        " (SELECT count(*) FROM bridge WHERE hypervisor = :name) AS bridges,"
        " (SELECT count(*) FROM drift WHERE device IN (:name, :libvirt)) AS drift",
        {"name": name, "libvirt": libvirt_device(name)},
    )
    return row


def of_headnode(tx: Tx, uuid: str) -> RegisteredHypervisor | None:
    """Return how the hypervisor of a headnode is registered; None for the master."""
    name = tx.value(str, "SELECT hypervisor FROM headnode WHERE uuid = ?", (uuid,))
    row = None if name is None else find(tx, name)
    return None if row is None else row.registered


_BMC = (
    "SELECT hypervisor AS node, protocol, host, port, credential, system, fingerprint"
    " FROM hypervisor_bmc WHERE hypervisor = ?"
)


def bmc(tx: Tx, name: str) -> RegisteredBmc | None:
    """Return the BMC of a hypervisor."""
    row = tx.one(BmcRow, _BMC, (name,))
    return None if row is None else msgspec.structs.replace(row.registered, of_hypervisor=True)


def set_bmc(tx: Tx, bmc: RegisteredBmc) -> None:
    """Register the BMC of a hypervisor, in place of another."""
    delete_bmc(tx, bmc.node)
    tx.insert(
        "hypervisor_bmc",
        hypervisor=bmc.node,
        protocol=bmc.protocol,
        host=bmc.host,
        port=bmc.port,
        credential=bmc.credential,
        system=bmc.system,
        fingerprint=bmc.fingerprint,
    )


def delete_bmc(tx: Tx, name: str) -> bool:
    """Remove the BMC of a hypervisor; return whether there was one."""
    return bool(tx.execute("DELETE FROM hypervisor_bmc WHERE hypervisor = ?", (name,)))


def create(tx: Tx, hypervisor: RegisteredHypervisor) -> None:
    """Add a hypervisor. Raises sqlite3.IntegrityError if the name is taken."""
    tx.insert(
        "hypervisor",
        name=hypervisor.name,
        uri=hypervisor.uri,
        trunk_nic=hypervisor.trunk_nic,
        ssh=hypervisor.ssh,
        credential=hypervisor.credential,
    )


def delete(tx: Tx, name: str) -> None:
    """Remove a hypervisor. Raises sqlite3.IntegrityError if anything is, or may be, on it."""
    tx.execute("DELETE FROM drift WHERE device IN (?, ?)", (name, libvirt_device(name)))
    tx.execute("DELETE FROM image_hash WHERE hypervisor = ?", (name,))
    tx.execute("DELETE FROM hypervisor WHERE name = ?", (name,))


def forget(tx: Tx, name: str) -> None:
    """Write that nothing is left on a hypervisor that is gone for good.

    Headnodes that were to be deleted are, and so are its bridges.
    """
    gone = tx.values(int, "SELECT id FROM headnode WHERE hypervisor = ? AND deleting", (name,))
    for headnode_id in gone:
        headnode_states.confirm(tx, headnode_id, HeadnodeSeen(defined=False))
    tx.execute("DELETE FROM bridge WHERE hypervisor = ?", (name,))


class LeftBehindRow(Row, frozen=True):
    """A headnode that was moved away from a hypervisor that could not be asked."""

    uuid: str
    label: str


def left_behind(tx: Tx, name: str) -> list[LeftBehindRow]:
    """Return the headnodes that were moved away from a hypervisor while it was out of service."""
    sql = "SELECT uuid, label FROM left_behind WHERE hypervisor = ? ORDER BY label"
    return tx.query(LeftBehindRow, sql, (name,))


def leave_behind(tx: Tx, headnode_id: int) -> None:
    """Note that a headnode moves away from its hypervisor, if that can't be told to remove it."""
    tx.execute(
        "INSERT OR IGNORE INTO left_behind (hypervisor, uuid, label)"
        " SELECT hypervisor.name, headnode.uuid, project.name || '/' || headnode.name FROM headnode"
        " JOIN project ON project.id = headnode.project_id"
        " JOIN hypervisor ON hypervisor.name = headnode.hypervisor"
        " WHERE headnode.id = ? AND hypervisor.retired IS NOT NULL",
        (headnode_id,),
    )


def reinstate(tx: Tx, name: str, retired: float) -> bool:
    """Take a hypervisor back that is out of service since ``retired``; return false if it is not.

    What was left behind on it must be gone.
    """
    tx.execute("DELETE FROM left_behind WHERE hypervisor = ?", (name,))
    return bool(
        tx.values(
            str,
            "UPDATE hypervisor SET retired = NULL, fenced = NULL WHERE name = ? AND retired = ?"
            " RETURNING name",
            (name, retired),
        )
    )


def retire(tx: Tx, name: str, now: float, fenced: FencedBy) -> list[HeadnodeRow]:
    """Take a hypervisor out of service: nothing is known any more of what is on it.

    No headnode moves to it or away from it: those on it are made anew elsewhere. ``now`` is in
    seconds since the epoch, ``fenced`` who saw to it that it is off. Returns the headnodes whose
    state this changes.
    """
    tx.execute("UPDATE hypervisor SET retired = ?, fenced = ? WHERE name = ?", (now, fenced, name))
    moves.hypervisor_lost(tx, name)
    changed = headnode_states.lose_sight(tx, name, forget=True)
    vlans.forget_bridges(tx, name)
    tx.execute("DELETE FROM drift WHERE device IN (?, ?)", (name, libvirt_device(name)))
    return changed
