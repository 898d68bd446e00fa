"""Queries of nodes, their nics, who holds them, and what is staged on them.

A node's state is derived and never stored, so it cannot contradict what the switches confirmed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from haas_rpcd.model import PortConfig
from haas_rpcd.store.database import IN_MINE, Tx, ids
from haas_rpcd.store.ports import CONFIG
from haas_rpcd.store.rows import Json, Row
from haas_schemas.node import NicKind, NodeState


class NodeRow(Row, frozen=True):
    """A node, its state, and the project that holds it."""

    id: int
    name: str
    project_id: int | None
    project: str | None
    releasing: bool
    state: NodeState


class NicRow(Row, frozen=True):
    """A nic, and where it is plugged in.

    ``config`` is what its port was last confirmed to carry; null: not known, or not plugged in.
    """

    id: int
    node_id: int
    name: str
    kind: NicKind
    mac: str | None
    switch: str | None
    port: str | None
    config: Json[PortConfig | None]


class ConnectionRow(Row, frozen=True):
    """The VLAN of a network staged on a nic."""

    nic_id: int
    vlan: int
    tagged: bool


class TagRow(Row, frozen=True):
    """A tag of a node."""

    node_id: int
    tag: str


_UNPARKED = "EXISTS (SELECT 1 FROM unparked_nic WHERE unparked_nic.node_id = node.id)"

_AWAITED = "EXISTS (SELECT 1 FROM awaited_nic WHERE awaited_nic.node_id = node.id)"

_STATE = f"""
CASE WHEN allocation.releasing = 1 THEN 'releasing'
     WHEN allocation.node_id IS NOT NULL THEN 'allocated'
     WHEN {_UNPARKED} THEN 'unconfirmed'
     WHEN EXISTS (SELECT 1 FROM drift) AND EXISTS (SELECT 1 FROM nic
          JOIN port ON port.id = nic.port_id JOIN switch ON switch.id = port.switch_id
          JOIN drift ON drift.device = switch.name AND drift.target = port.name
          WHERE nic.node_id = node.id) THEN 'unconfirmed'
     ELSE 'free' END
"""

_NODE = f"""
SELECT node.id, node.name, allocation.project_id, project.name AS project,
    coalesce(allocation.releasing, 0) AS releasing, {_STATE} AS state
FROM node LEFT JOIN allocation ON allocation.node_id = node.id
LEFT JOIN project ON project.id = allocation.project_id
"""

_NIC = f"""
SELECT nic.id, nic.node_id, nic.name, nic.kind, nic.mac, switch.name AS switch, port.name AS port,
    {CONFIG}
FROM nic LEFT JOIN port ON port.id = nic.port_id
LEFT JOIN switch ON switch.id = port.switch_id
LEFT JOIN port_applied ON port_applied.port_id = port.id
"""


def find(tx: Tx, name: str) -> NodeRow | None:
    """Return the node of this name."""
    return tx.one(NodeRow, f"{_NODE} WHERE node.name = ?", (name,))


def by_id(tx: Tx, node_id: int) -> NodeRow:
    """Return a node that exists."""
    (row,) = tx.query(NodeRow, f"{_NODE} WHERE node.id = ?", (node_id,))
    return row


def page(
    tx: Tx,
    limit: int,
    after: str,
    *,
    mine: Sequence[int] | None = None,
    project_id: int | None = None,
    free: bool | None = None,
    tag: str | None = None,
) -> list[NodeRow]:
    """Return nodes by name.

    ``mine`` selects the nodes of these projects and those that no project holds.
    """
    wanted = ["node.name > :after"]
    if mine is not None:
        wanted.append(f"(allocation.project_id IS NULL OR allocation.project_id IN {IN_MINE})")
    if project_id is not None:
        wanted.append("allocation.project_id = :project")
    if free is not None:
        wanted.append(f"({_STATE}) {'=' if free else '<>'} 'free'")
    if tag is not None:
        wanted.append("node.id IN (SELECT node_id FROM node_tag WHERE tag = :tag)")
    return tx.query(
        NodeRow,
        f"{_NODE} WHERE {' AND '.join(wanted)} ORDER BY node.name LIMIT :limit",
        {"after": after, "mine": ids(mine), "project": project_id, "tag": tag, "limit": limit},
    )


def tags_of(tx: Tx, node_ids: Sequence[int]) -> dict[int, list[str]]:
    """Return the tags of several nodes, sorted, by the node's id."""
    tags: dict[int, list[str]] = {node_id: [] for node_id in node_ids}
    for row in tx.query(
        TagRow,
        f"SELECT node_id, tag FROM node_tag WHERE node_id IN ({_marks(node_ids)}) ORDER BY tag",
        node_ids,
    ):
        tags[row.node_id].append(row.tag)
    return tags


def nics_of(tx: Tx, node_ids: Sequence[int]) -> dict[int, list[NicRow]]:
    """Return the nics of several nodes, in the order of registration, by the node's id."""
    nics: dict[int, list[NicRow]] = {node_id: [] for node_id in node_ids}
    for row in tx.query(
        NicRow, f"{_NIC} WHERE nic.node_id IN ({_marks(node_ids)}) ORDER BY nic.id", node_ids
    ):
        nics[row.node_id].append(row)
    return nics


def connections_of(tx: Tx, node_ids: Sequence[int]) -> dict[int, list[ConnectionRow]]:
    """Return what is staged on the nics of several nodes, by the nic's id, untagged first.

    Nics without a network are left out.
    """
    connections: dict[int, list[ConnectionRow]] = {}
    for row in tx.query(
        ConnectionRow,
        "SELECT connection.nic_id, vlan_claim.vlan, connection.tagged"
        " FROM connection JOIN nic ON nic.id = connection.nic_id"
        " JOIN vlan_claim ON vlan_claim.network_id = connection.network_id"
        f" WHERE nic.node_id IN ({_marks(node_ids)}) ORDER BY connection.tagged, vlan_claim.vlan",
        node_ids,
    ):
        connections.setdefault(row.nic_id, []).append(row)
    return connections


def _marks(values: Sequence[int]) -> str:
    return ", ".join("?" * len(values))


def drifted_port(tx: Tx, node_id: int) -> str | None:
    """Name a port of a node that is not as it was applied, as ``switch port``; None if all are."""
    return tx.value(
        str,
        "SELECT switch.name || ' ' || port.name FROM nic JOIN port ON port.id = nic.port_id"
        " JOIN switch ON switch.id = port.switch_id"
        " JOIN drift ON drift.device = switch.name AND drift.target = port.name"
        " WHERE nic.node_id = ? ORDER BY 1 LIMIT 1",
        (node_id,),
    )


def on_a_stranger(tx: Tx, node_id: int) -> str | None:
    """Name a switch of a node in whose place another one answers; None if there is none."""
    return tx.value(
        str,
        "SELECT switch.name FROM nic JOIN port ON port.id = nic.port_id"
        " JOIN switch ON switch.id = port.switch_id"
        " WHERE nic.node_id = ? AND switch.stranger IS NOT NULL ORDER BY 1 LIMIT 1",
        (node_id,),
    )


def on_a_retired_switch(tx: Tx, node_id: int) -> str | None:
    """Name a retired switch that a node is plugged into; None if there is none."""
    return tx.value(
        str,
        "SELECT switch.name FROM nic JOIN port ON port.id = nic.port_id"
        " JOIN switch ON switch.id = port.switch_id"
        " WHERE nic.node_id = ? AND switch.retired IS NOT NULL ORDER BY 1 LIMIT 1",
        (node_id,),
    )


def create(tx: Tx, name: str, tags: Iterable[str]) -> int:
    """Add a node; return its id. Raises sqlite3.IntegrityError if the name is taken."""
    node_id = tx.insert("node", name=name)
    set_tags(tx, node_id, tags)
    return node_id


def set_tags(tx: Tx, node_id: int, tags: Iterable[str]) -> None:
    """Replace a node's tags."""
    tx.execute("DELETE FROM node_tag WHERE node_id = ?", (node_id,))
    tx.execute_many(
        "INSERT INTO node_tag VALUES (?, ?)", [(node_id, tag) for tag in sorted(set(tags))]
    )


def delete(tx: Tx, node_id: int) -> None:
    """Remove a node and its nics. Raises sqlite3.IntegrityError while a project holds it."""
    tx.execute("DELETE FROM nic WHERE node_id = ?", (node_id,))
    tx.execute("DELETE FROM node WHERE id = ?", (node_id,))


def create_nic(
    tx: Tx, node_id: int, name: str, kind: str, mac: str | None, port_id: int | None
) -> None:
    """Add a nic. Raises sqlite3.IntegrityError if its name, MAC address or port is taken."""
    tx.insert("nic", node_id=node_id, name=name, kind=kind, mac=mac, port_id=port_id)


def update_nic(tx: Tx, nic_id: int, kind: str, mac: str | None, port_id: int | None) -> None:
    """Change a nic. Raises sqlite3.IntegrityError if the MAC address or the port is taken."""
    tx.execute(
        "UPDATE nic SET kind = ?, mac = ?, port_id = ? WHERE id = ?", (kind, mac, port_id, nic_id)
    )


def delete_nic(tx: Tx, nic_id: int) -> None:
    """Remove a nic. Raises sqlite3.IntegrityError while it is connected."""
    tx.execute("DELETE FROM nic WHERE id = ?", (nic_id,))


def find_nic(tx: Tx, node_id: int, name: str) -> NicRow | None:
    """Return the nic of this name of a node."""
    return tx.one(NicRow, f"{_NIC} WHERE nic.node_id = ? AND nic.name = ?", (node_id, name))


def holder_of_mac(tx: Tx, mac: str) -> str | None:
    """Name the nic with this MAC address, as ``node:nic``."""
    return tx.value(
        str,
        "SELECT node.name || ':' || nic.name FROM nic JOIN node ON node.id = nic.node_id"
        " WHERE nic.mac = ?",
        (mac,),
    )


# --- who holds a node -----------------------------------------------------------------------------


def allocate(tx: Tx, node_id: int, project_id: int) -> None:
    """Give a node to a project. Raises sqlite3.IntegrityError if it is held or not parked."""
    tx.insert("allocation", node_id=node_id, project_id=project_id)


def held(tx: Tx, project_id: int) -> int:
    """Count the nodes that a project holds, also those being released."""
    return tx.number("SELECT count(*) FROM allocation WHERE project_id = ?", (project_id,))


def free_names(tx: Tx, count: int, tag: str | None) -> list[str]:
    """Name the first ``count`` free nodes, by name."""
    return [row.name for row in page(tx, count, "", free=True, tag=tag)]


def begin_release(tx: Tx, node_id: int) -> None:
    """Disconnect all nics and mark the node as releasing."""
    tx.execute(
        "DELETE FROM connection WHERE nic_id IN (SELECT id FROM nic WHERE node_id = ?)", (node_id,)
    )
    tx.execute("DELETE FROM power_staged WHERE node_id = ?", (node_id,))
    tx.execute("UPDATE allocation SET releasing = 1 WHERE node_id = ?", (node_id,))


def finish_releases(tx: Tx) -> list[str]:
    """End the releases of nodes whose ports are all parked and saved; name the nodes.

    Ports on a retired switch are not waited for, but such a node is not free. A node whose release
    command has not succeeded, or that is to be switched off, stays with its project.
    """
    names = tx.values(
        str,
        "SELECT node.name FROM allocation JOIN node ON node.id = allocation.node_id"
        f" WHERE allocation.releasing = 1 AND NOT {_AWAITED}"
        " AND allocation.node_id NOT IN (SELECT node_id FROM awaits_hook)"
        " AND allocation.node_id NOT IN (SELECT node_id FROM power_staged)",
    )
    for name in names:
        tx.execute(
            "DELETE FROM allocation WHERE node_id = (SELECT id FROM node WHERE name = ?)", (name,)
        )
    return names


# --- what is staged -------------------------------------------------------------------------------


def connect(tx: Tx, nic_id: int, network_id: int, tagged: bool) -> None:
    """Stage a network on a nic. An untagged network replaces the previous untagged one."""
    tx.execute(
        "DELETE FROM connection WHERE nic_id = ? AND (network_id = ? OR (? = 0 AND tagged = 0))",
        (nic_id, network_id, int(tagged)),
    )
    tx.insert("connection", nic_id=nic_id, network_id=network_id, tagged=int(tagged))


def disconnect(tx: Tx, nic_id: int, network_id: int | None) -> int:
    """Stage a nic off one network, or off all; return how many that were."""
    return tx.execute(
        "DELETE FROM connection WHERE nic_id = ? AND (? IS NULL OR network_id = ?)",
        (nic_id, network_id, network_id),
    )
