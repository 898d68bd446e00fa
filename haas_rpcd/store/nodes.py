"""Queries of nodes, their nics, who holds them, and what is staged on them.

A node's state is derived, never stored, so that it can't contradict what the switches confirmed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from haas_rpcd.store.database import Row, Tx
from haas_rpcd.store.ports import PARKED_JSON

_STATE = f"""
CASE WHEN allocation.releasing = 1 THEN 'releasing'
     WHEN allocation.node_id IS NOT NULL THEN 'allocated'
     WHEN EXISTS (SELECT 1 FROM nic LEFT JOIN port_applied ON port_applied.port_id = nic.port_id
          WHERE nic.node_id = node.id AND nic.port_id IS NOT NULL
            AND port_applied.config IS NOT '{PARKED_JSON}') THEN 'unconfirmed'
     WHEN EXISTS (SELECT 1 FROM drift) AND EXISTS (SELECT 1 FROM nic
          JOIN port ON port.id = nic.port_id JOIN switch ON switch.id = port.switch_id
          JOIN drift ON drift.device = switch.name AND drift.target = port.name
          WHERE nic.node_id = node.id) THEN 'unconfirmed'
     ELSE 'free' END
"""

_NODE = f"""
SELECT node.*, project.name AS project, allocation.project_id, allocation.releasing,
    {_STATE} AS state
FROM node LEFT JOIN allocation ON allocation.node_id = node.id
LEFT JOIN project ON project.id = allocation.project_id
"""

_NIC = """
SELECT nic.*, node.name AS node, switch.name AS switch, port.name AS port, port_applied.config,
    port_applied.port_id IS NOT NULL AS touched
FROM nic JOIN node ON node.id = nic.node_id
LEFT JOIN port ON port.id = nic.port_id
LEFT JOIN switch ON switch.id = port.switch_id
LEFT JOIN port_applied ON port_applied.port_id = port.id
"""


def find(tx: Tx, name: str) -> Row | None:
    """Give the node of this name, with its ``state`` and holder."""
    return tx.one_dict(f"{_NODE} WHERE node.name = ?", (name,))


def page(
    tx: Tx,
    limit: int,
    after: str,
    *,
    visible_to: str | None = None,
    project_id: int | None = None,
    free: bool | None = None,
    tag: str | None = None,
) -> list[Row]:
    """Give nodes by name. ``visible_to`` a tenant: its projects' nodes and those of nobody."""
    wanted = ["node.name > :after"]
    if visible_to is not None:
        wanted.append(
            "(allocation.project_id IS NULL OR allocation.project_id IN (SELECT project_id"
            " FROM member JOIN user ON user.id = member.user_id WHERE user.name = :user))"
        )
    if project_id is not None:
        wanted.append("allocation.project_id = :project")
    if free is not None:
        wanted.append(f"({_STATE}) {'=' if free else '<>'} 'free'")
    if tag is not None:
        wanted.append("node.id IN (SELECT node_id FROM node_tag WHERE tag = :tag)")
    return tx.dicts(
        f"{_NODE} WHERE {' AND '.join(wanted)} ORDER BY node.name LIMIT :limit",
        {"after": after, "user": visible_to, "project": project_id, "tag": tag, "limit": limit},
    )


def tags_of(tx: Tx, node_ids: Sequence[int]) -> dict[int, list[str]]:
    """Give the tags of several nodes, sorted."""
    tags: dict[int, list[str]] = {node_id: [] for node_id in node_ids}
    for row in tx.dicts(
        f"SELECT node_id, tag FROM node_tag WHERE node_id IN ({_marks(node_ids)}) ORDER BY tag",
        node_ids,
    ):
        tags[row["node_id"]].append(row["tag"])
    return tags


def nics_of(tx: Tx, node_ids: Sequence[int]) -> dict[int, list[Row]]:
    """Give the nics of several nodes, in the order of registration, with ``connections``."""
    nics: dict[int, list[Row]] = {node_id: [] for node_id in node_ids}
    by_id: dict[int, Row] = {}
    for row in tx.dicts(
        f"{_NIC} WHERE nic.node_id IN ({_marks(node_ids)}) ORDER BY nic.id", node_ids
    ):
        row["connections"] = []
        nics[row["node_id"]].append(row)
        by_id[row["id"]] = row
    for row in tx.dicts(
        "SELECT connection.nic_id, connection.tagged, vlan_claim.vlan, network.name AS network,"
        " project.name AS owner FROM connection JOIN nic ON nic.id = connection.nic_id"
        " JOIN network ON network.id = connection.network_id"
        " JOIN vlan_claim ON vlan_claim.network_id = network.id"
        " JOIN project ON project.id = network.project_id"
        f" WHERE nic.node_id IN ({_marks(node_ids)}) ORDER BY connection.tagged, vlan_claim.vlan",
        node_ids,
    ):
        by_id[row["nic_id"]]["connections"].append(row)
    return nics


def _marks(values: Sequence[Any]) -> str:
    return ", ".join("?" * len(values))


def create(tx: Tx, name: str, tags: Iterable[str]) -> int:
    """Add a node. Raises sqlite3.IntegrityError when the name is taken."""
    node_id = tx.insert("node", name=name)
    set_tags(tx, node_id, tags)
    return node_id


def set_tags(tx: Tx, node_id: int, tags: Iterable[str]) -> None:
    """Give a node exactly these tags."""
    tx.execute("DELETE FROM node_tag WHERE node_id = ?", (node_id,))
    tx.execute_many(
        "INSERT INTO node_tag VALUES (?, ?)", [(node_id, tag) for tag in sorted(set(tags))]
    )


def delete(tx: Tx, node_id: int) -> None:
    """Remove a node and its nics. Raises sqlite3.IntegrityError while somebody holds it."""
    tx.execute("DELETE FROM nic WHERE node_id = ?", (node_id,))
    tx.execute("DELETE FROM node WHERE id = ?", (node_id,))


def create_nic(
    tx: Tx, node_id: int, name: str, kind: str, mac: str | None, port_id: int | None
) -> None:
    """Add a nic. Raises sqlite3.IntegrityError when its name, MAC or port is taken."""
    tx.insert("nic", node_id=node_id, name=name, kind=kind, mac=mac, port_id=port_id)


def update_nic(tx: Tx, nic_id: int, kind: str, mac: str | None, port_id: int | None) -> None:
    """Change a nic's facts. Raises sqlite3.IntegrityError when the MAC or the port is taken."""
    tx.execute(
        "UPDATE nic SET kind = ?, mac = ?, port_id = ? WHERE id = ?", (kind, mac, port_id, nic_id)
    )


def delete_nic(tx: Tx, nic_id: int) -> None:
    """Remove a nic. Raises sqlite3.IntegrityError while it is connected."""
    tx.execute("DELETE FROM nic WHERE id = ?", (nic_id,))


def find_nic(tx: Tx, node_id: int, name: str) -> Row | None:
    """Give one nic of a node, with its port and what that was last confirmed to carry."""
    return tx.one_dict(f"{_NIC} WHERE nic.node_id = ? AND nic.name = ?", (node_id, name))


def holder_of_mac(tx: Tx, mac: str) -> str | None:
    """Name the nic that has a MAC, as ``node:nic``."""
    return tx.value(
        str,
        "SELECT node.name || ':' || nic.name FROM nic JOIN node ON node.id = nic.node_id"
        " WHERE nic.mac = ?",
        (mac,),
    )


# --- who holds a node -----------------------------------------------------------------------------


def allocate(tx: Tx, node_id: int, project_id: int) -> None:
    """Give a node to a project. Raises sqlite3.IntegrityError when it is held or not parked."""
    tx.insert("allocation", node_id=node_id, project_id=project_id)


def free_names(tx: Tx, count: int, tag: str | None) -> list[str]:
    """Name free nodes, the first by name, at most ``count``."""
    return [row["name"] for row in page(tx, count, "", free=True, tag=tag)]


def begin_release(tx: Tx, node_id: int) -> None:
    """Disconnect all nics and mark the node as releasing."""
    tx.execute(
        "DELETE FROM connection WHERE nic_id IN (SELECT id FROM nic WHERE node_id = ?)", (node_id,)
    )
    tx.execute("UPDATE allocation SET releasing = 1 WHERE node_id = ?", (node_id,))


def finish_releases(tx: Tx) -> list[str]:
    """Free the releasing nodes whose ports are all confirmed parked; name them."""
    names = tx.values(
        str,
        "SELECT node.name FROM allocation JOIN node ON node.id = allocation.node_id"
        " WHERE allocation.releasing = 1 AND NOT EXISTS (SELECT 1 FROM nic"
        " LEFT JOIN port_applied ON port_applied.port_id = nic.port_id"
        " WHERE nic.node_id = node.id AND nic.port_id IS NOT NULL"
        f" AND port_applied.config IS NOT '{PARKED_JSON}')",
    )
    for name in names:
        tx.execute(
            "DELETE FROM allocation WHERE node_id = (SELECT id FROM node WHERE name = ?)", (name,)
        )
    return names


# --- what is staged -------------------------------------------------------------------------------


def connect(tx: Tx, nic_id: int, network_id: int, tagged: bool) -> None:
    """Stage a network on a nic; an untagged one takes the place of the untagged one before it."""
    tx.execute(
        "DELETE FROM connection WHERE nic_id = ? AND (network_id = ? OR (? = 0 AND tagged = 0))",
        (nic_id, network_id, int(tagged)),
    )
    tx.insert("connection", nic_id=nic_id, network_id=network_id, tagged=int(tagged))


def disconnect(tx: Tx, nic_id: int, network_id: int | None) -> int:
    """Stage a nic off one network, or off all; give how many it was on."""
    return tx.execute(
        "DELETE FROM connection WHERE nic_id = ? AND (? IS NULL OR network_id = ?)",
        (nic_id, network_id, network_id),
    )
