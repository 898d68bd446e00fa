"""Queries of networks, the VLAN ids they claim, and whom they are shared with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from haas_rpcd.store.database import IN_MINE, Tx, ids
from haas_rpcd.store.rows import Json, Row


class NetworkRow(Row, frozen=True):
    """A network: its owner, its VLAN id, the projects it is shared with, and what is staged on it.

    ``ending_with``: the projects whose share is ending; ``offered_to``: those that have not
    accepted it. ``deleting``: it is deleted once no guest has anything on it. ``nics`` and
    ``headnodes`` count the nics of nodes and of headnodes.
    """

    id: int
    name: str
    project_id: int
    project: str
    vlan: int
    shared_with: Json[list[str]]
    ending_with: Json[list[str]]
    offered_to: Json[list[str]]
    deleting: bool
    nics: int
    headnodes: int


class NetworkNicRow(Row, frozen=True):
    """A nic staged on a network, and the project that holds its node."""

    node: str
    nic: str
    tagged: bool
    project_id: int
    project: str


class NetworkHeadnodeRow(Row, frozen=True):
    """A headnode staged on a network, and its project."""

    headnode: str
    project_id: int
    project: str


class ClaimRow(Row, frozen=True):
    """A VLAN id in use. ``network_id`` is null while the id of a deleted network is being removed.

    ``label`` is the network's name, ``project/network``.
    """

    vlan: int
    network_id: int | None
    label: str


_NETWORK = """
SELECT network.id, network.name, network.project_id, project.name AS project, vlan_claim.vlan,
    (SELECT json_group_array(name) FROM (SELECT guest.name FROM share
        JOIN project AS guest ON guest.id = share.project_id
        WHERE share.network_id = network.id AND share.ending = 0 ORDER BY 1)) AS shared_with,
    (SELECT json_group_array(name) FROM (SELECT guest.name FROM share
        JOIN project AS guest ON guest.id = share.project_id
        WHERE share.network_id = network.id AND share.ending = 1 ORDER BY 1)) AS ending_with,
    (SELECT json_group_array(project) FROM (SELECT project FROM share_offer
        WHERE share_offer.network_id = network.id ORDER BY 1)) AS offered_to,
    network.deleting,
    (SELECT count(*) FROM connection WHERE network_id = network.id) AS nics,
    (SELECT count(*) FROM headnode_nic WHERE network_id = network.id) AS headnodes
FROM network JOIN project ON project.id = network.project_id
JOIN vlan_claim ON vlan_claim.network_id = network.id
"""


def find(tx: Tx, project_id: int, name: str) -> NetworkRow | None:
    """Return a project's own network of this name."""
    return tx.one(
        NetworkRow,
        f"{_NETWORK} WHERE network.project_id = ? AND network.name = ?",
        (project_id, name),
    )


def named(tx: Tx, name: str, mine: Sequence[int] | None) -> list[NetworkRow]:
    """Return the networks of this name owned by one of these projects, or by any (None)."""
    return tx.query(
        NetworkRow,
        f"{_NETWORK} WHERE network.name = :name AND (:mine IS NULL OR network.project_id IN"
        f" {IN_MINE}) ORDER BY project.name",
        {"name": name, "mine": ids(mine)},
    )


def page(
    tx: Tx,
    limit: int,
    after: int,
    *,
    project_id: int | None = None,
    mine: Sequence[int] | None = None,
) -> list[NetworkRow]:
    """Return networks in the order of their creation.

    ``project_id`` selects those that this project may use, its own and those shared with it;
    ``mine`` those that any of these projects may use.
    """
    wanted = ["network.id > :after"]
    if project_id is not None:
        wanted.append(
            "(network.project_id = :project OR network.id IN"
            " (SELECT network_id FROM share WHERE project_id = :project))"
        )
    if mine is not None:
        wanted.append(
            f"(network.project_id IN {IN_MINE} OR network.id IN"
            f" (SELECT network_id FROM share WHERE project_id IN {IN_MINE}))"
        )
    return tx.query(
        NetworkRow,
        f"{_NETWORK} WHERE {' AND '.join(wanted)} ORDER BY network.id LIMIT :limit",
        {"after": after, "project": project_id, "mine": ids(mine), "limit": limit},
    )


def nics_on(tx: Tx, network_id: int) -> list[NetworkNicRow]:
    """Return the nics staged on a network."""
    return tx.query(
        NetworkNicRow,
        "SELECT node.name AS node, nic.name AS nic, connection.tagged, allocation.project_id,"
        " project.name AS project"
        " FROM connection JOIN nic ON nic.id = connection.nic_id JOIN node ON node.id = nic.node_id"
        " JOIN allocation ON allocation.node_id = node.id"
        " JOIN project ON project.id = allocation.project_id"
        " WHERE connection.network_id = ? ORDER BY node.name, nic.id",
        (network_id,),
    )


def headnodes_on(tx: Tx, network_id: int) -> list[NetworkHeadnodeRow]:
    """Return the headnodes staged on a network."""
    return tx.query(
        NetworkHeadnodeRow,
        "SELECT DISTINCT headnode.name AS headnode, headnode.project_id, project.name AS project"
        " FROM headnode_nic JOIN headnode ON headnode.id = headnode_nic.headnode_id"
        " JOIN project ON project.id = headnode.project_id"
        " WHERE headnode_nic.network_id = ? ORDER BY 3, 1",
        (network_id,),
    )


def create(tx: Tx, project_id: int, name: str, vlan: int, label: str) -> int:
    """Add a network with its VLAN id; return the network's id.

    Raises sqlite3.IntegrityError if the name or the VLAN id is taken.
    """
    network_id = tx.insert("network", project_id=project_id, name=name)
    tx.insert("vlan_claim", vlan=vlan, network_id=network_id, project_id=project_id, label=label)
    return network_id


def by_id(tx: Tx, network_id: int) -> NetworkRow:
    """Return a network that exists."""
    (row,) = tx.query(NetworkRow, f"{_NETWORK} WHERE network.id = ?", (network_id,))
    return row


def mark_deleting(tx: Tx, network_id: int) -> None:
    """Write that a network is deleted once its shares have ended."""
    tx.execute("UPDATE network SET deleting = 1 WHERE id = ?", (network_id,))


def delete(tx: Tx, network_id: int) -> None:
    """Remove a network. Its VLAN id stays claimed until :func:`free_claims`."""
    tx.execute("DELETE FROM network WHERE id = ?", (network_id,))


def first_free_vlan(tx: Tx, pool: Iterable[int]) -> int | None:
    """Return the first unclaimed VLAN id of the pool."""
    taken = set(tx.values(int, "SELECT vlan FROM vlan_claim"))
    return next((vlan for vlan in pool if vlan not in taken), None)


def claim(tx: Tx, vlan: int) -> ClaimRow | None:
    """Return the claim on a VLAN id."""
    return tx.one(
        ClaimRow, "SELECT vlan, network_id, label FROM vlan_claim WHERE vlan = ?", (vlan,)
    )


def claimed(tx: Tx, vlans: Iterable[int]) -> set[int]:
    """Return those of some VLAN ids that are claimed."""
    wanted = sorted(vlans)
    marks = ", ".join("?" * len(wanted))
    return set(tx.values(int, f"SELECT vlan FROM vlan_claim WHERE vlan IN ({marks})", wanted))


def claimed_in(tx: Tx, pool: Iterable[int]) -> int:
    """Count the claimed VLAN ids of the pool."""
    return len(set(pool).intersection(tx.values(int, "SELECT vlan FROM vlan_claim")))


def claimed_by(tx: Tx, project_id: int) -> int:
    """Count a project's VLAN ids, also those of networks that it deleted but that are not free."""
    return tx.number("SELECT count(*) FROM vlan_claim WHERE project_id = ?", (project_id,))


def retiring(tx: Tx) -> int:
    """Count the VLAN ids of deleted networks that not every device has confirmed as removed."""
    return tx.number("SELECT count(*) FROM vlan_claim WHERE network_id IS NULL")


def free_claims(tx: Tx) -> list[int]:
    """Free the VLAN ids of deleted networks that no device can still have; return them.

    A switch still has a VLAN if its saved configuration may have it, or if it may still execute a
    line that it did not answer. A proof of a node's cabling keeps its own until it ends.
    """
    vlans = tx.values(
        int,
        "SELECT vlan FROM vlan_claim WHERE network_id IS NULL"
        " AND vlan NOT IN (SELECT vlan FROM proving)"
        " AND vlan NOT IN (SELECT vlan FROM switch_vlan)"
        " AND vlan NOT IN (SELECT vlan FROM vlan_in_startup)"
        " AND vlan NOT IN (SELECT vlan FROM vlan_may_change)"
        " AND vlan NOT IN (SELECT vlan FROM bridge)"
        " AND vlan NOT IN (SELECT vlan FROM port_carries)"
        " AND vlan NOT IN (SELECT vlan FROM headnode_carries)",
    )
    tx.execute_many("DELETE FROM vlan_claim WHERE vlan = ?", [(vlan,) for vlan in vlans])
    return vlans
