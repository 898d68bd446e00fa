"""Queries of networks that several projects use: offered, shared, and ending.

A share that ends stays in the table, marked, until nothing of the guest is on the network any more.
"""

from __future__ import annotations

import msgspec

from haas_rpcd.store import networks
from haas_rpcd.store.database import Tx
from haas_rpcd.store.networks import NetworkRow
from haas_rpcd.store.rows import Row


class OfferRow(Row, frozen=True):
    """An offer of a network to a project that has not accepted it."""

    owner: str
    network: str
    guest: str


class EndingRow(Row, frozen=True):
    """A share that is ending."""

    network_id: int
    project_id: int
    project: str


class EndedShare(msgspec.Struct, frozen=True):
    """A share that has ended; ``deleted``: the network with it."""

    owner: str
    network: str
    guest: str
    deleted: bool


# --- offering and accepting -----------------------------------------------------------------------


def offer(tx: Tx, network_id: int, project: str) -> None:
    """Offer a network to the project of this name, whether or not there is one."""
    tx.execute("INSERT OR IGNORE INTO share_offer VALUES (?, ?)", (network_id, project))


def withdraw_offer(tx: Tx, network_id: int, project: str) -> int:
    """Remove an offer; return how many there were (0 or 1)."""
    return tx.execute(
        "DELETE FROM share_offer WHERE network_id = ? AND project = ?", (network_id, project)
    )


def withdraw_offers(tx: Tx, network_id: int) -> None:
    """Remove all offers of a network."""
    tx.execute("DELETE FROM share_offer WHERE network_id = ?", (network_id,))


def drop_offers_to(tx: Tx, project: str) -> None:
    """Remove all offers to the project of this name."""
    tx.execute("DELETE FROM share_offer WHERE project = ?", (project,))


def offers_to(tx: Tx, limit: int, after: tuple[str, str], project: str) -> list[OfferRow]:
    """Return the networks that are offered to a project, by owner and name."""
    return tx.query(
        OfferRow,
        "SELECT owner.name AS owner, network.name AS network, share_offer.project AS guest"
        " FROM share_offer JOIN network ON network.id = share_offer.network_id"
        " JOIN project AS owner ON owner.id = network.project_id"
        " WHERE share_offer.project = :guest AND (owner.name, network.name) > (:owner, :network)"
        " ORDER BY owner.name, network.name LIMIT :limit",
        {"guest": project, "owner": after[0], "network": after[1], "limit": limit},
    )


def create(tx: Tx, network_id: int, project_id: int) -> None:
    """Let another project use a network. If it may already, nothing changes."""
    tx.execute(
        "INSERT INTO share (network_id, project_id) VALUES (?, ?)"
        " ON CONFLICT (network_id, project_id) DO UPDATE SET ending = 0",
        (network_id, project_id),
    )


# --- using ----------------------------------------------------------------------------------------


def is_guest(tx: Tx, network_id: int, project_id: int) -> bool:
    """Return whether a project shares a network of another one, also if the share is ending."""
    return tx.exists(
        "SELECT 1 FROM share WHERE network_id = ? AND project_id = ?", (network_id, project_id)
    )


def usable_by(tx: Tx, network: NetworkRow, project_id: int) -> bool:
    """Return whether something of a project may be connected to a network."""
    return tx.exists(
        "SELECT 1 FROM usable_network WHERE network_id = ? AND project_id = ?",
        (network.id, project_id),
    )


def uses(tx: Tx, network: NetworkRow, project_id: int) -> int:
    """Count what a project has on a network: staged, confirmed, or possibly left on a device.

    A switch that has not saved that something left the network counts as well, and one that may
    still execute a line that it did not answer.
    """
    return tx.number(
        "SELECT (SELECT count(*) FROM connection JOIN nic ON nic.id = connection.nic_id"
        " JOIN allocation ON allocation.node_id = nic.node_id"
        " WHERE connection.network_id = :network AND allocation.project_id = :project)"
        " + (SELECT count(*) FROM headnode_nic JOIN headnode ON headnode.id = headnode_id"
        " WHERE network_id = :network AND headnode.project_id = :project)"
        " + (SELECT count(*) FROM port_carries JOIN port ON port.id = port_carries.port_id"
        " JOIN nic ON nic.id = port.nic_id"
        " JOIN allocation ON allocation.node_id = nic.node_id"
        " WHERE port_carries.vlan = :vlan AND allocation.project_id = :project)"
        " + (SELECT count(*) FROM headnode_carries JOIN headnode ON headnode.id = headnode_id"
        " WHERE headnode_carries.vlan = :vlan AND headnode.project_id = :project)"
        " + (SELECT count(DISTINCT vlan_in_startup.switch_id) FROM vlan_in_startup"
        " JOIN port ON port.switch_id = vlan_in_startup.switch_id"
        " JOIN nic ON nic.id = port.nic_id JOIN allocation ON allocation.node_id = nic.node_id"
        " WHERE vlan_in_startup.vlan = :vlan AND allocation.project_id = :project)"
        " + (SELECT count(*) FROM vlan_may_change JOIN port USING (switch_id)"
        " JOIN port_may_change ON port_may_change.port_id = port.id"
        " JOIN nic ON nic.id = port.nic_id JOIN allocation ON allocation.node_id = nic.node_id"
        " WHERE vlan_may_change.vlan = :vlan AND allocation.project_id = :project)",
        {"network": network.id, "vlan": network.vlan, "project": project_id},
    )


# --- ending ---------------------------------------------------------------------------------------


def begin_end(tx: Tx, network_id: int, project_id: int) -> None:
    """Disconnect what a guest has staged on a network, and mark the share as ending."""
    guest = {"network": network_id, "project": project_id}
    tx.execute(
        "DELETE FROM connection WHERE network_id = :network AND nic_id IN (SELECT nic.id FROM nic"
        " JOIN allocation ON allocation.node_id = nic.node_id"
        " WHERE allocation.project_id = :project)",
        guest,
    )
    tx.execute(
        "UPDATE headnode_nic SET network_id = NULL WHERE network_id = :network"
        " AND headnode_id IN (SELECT id FROM headnode WHERE project_id = :project)",
        guest,
    )
    tx.execute(
        "UPDATE share SET ending = 1 WHERE network_id = :network AND project_id = :project", guest
    )


def finish_ends(tx: Tx) -> list[EndedShare]:
    """Remove ending shares whose guests have nothing left, and networks that waited for that."""
    ended = []
    for row in tx.query(
        EndingRow,
        "SELECT share.network_id, share.project_id, project.name AS project FROM share"
        " JOIN project ON project.id = share.project_id WHERE share.ending = 1",
    ):
        network = networks.by_id(tx, row.network_id)
        if uses(tx, network, row.project_id):
            continue
        unshare(tx, row.network_id, row.project_id)
        last = network.deleting and not tx.exists(
            "SELECT 1 FROM share WHERE network_id = ?", (row.network_id,)
        )
        if last:
            networks.delete(tx, row.network_id)
        ended.append(EndedShare(network.project, network.name, row.project, last))
    return ended


def unshare(tx: Tx, network_id: int, project_id: int) -> int:
    """Remove a share; return how many there were (0 or 1).

    Raises sqlite3.IntegrityError while something of the guest is staged on the network.
    """
    return tx.execute(
        "DELETE FROM share WHERE network_id = ? AND project_id = ?", (network_id, project_id)
    )
