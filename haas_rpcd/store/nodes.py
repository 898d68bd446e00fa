"""Queries of nodes and of who holds them.

A node's state is derived and never stored, so it cannot contradict what the switches confirmed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from haas_rpcd.store.database import IN_MINE, Tx, ids
from haas_rpcd.store.rows import Row
from haas_schemas.node import NodeState


class NodeRow(Row, frozen=True):
    """A node, its state, and the project that holds it."""

    id: int
    name: str
    project_id: int | None
    project: str | None
    releasing: bool
    state: NodeState


class TagRow(Row, frozen=True):
    """A tag of a node."""

    node_id: int
    tag: str


_UNPARKED = "EXISTS (SELECT 1 FROM unparked_nic WHERE unparked_nic.node_id = node.id)"

_AWAITED = "EXISTS (SELECT 1 FROM awaited_nic WHERE awaited_nic.node_id = node.id)"

_STATE = f"""
CASE WHEN allocation.releasing = 1 THEN 'releasing'
     WHEN allocation.node_id IS NOT NULL THEN 'allocated'
     WHEN EXISTS (SELECT 1 FROM proving WHERE proving.node_id = node.id) THEN 'unconfirmed'
     WHEN {_UNPARKED} THEN 'unconfirmed'
     WHEN EXISTS (SELECT 1 FROM drift) AND EXISTS (SELECT 1 FROM nic
          JOIN port ON port.nic_id = nic.id JOIN switch ON switch.id = port.switch_id
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
    proven: bool = False,
) -> list[NodeRow]:
    """Return nodes by name.

    ``mine`` selects the nodes of these projects and those that no project holds, ``proven`` those
    whose cabling is proven.
    """
    wanted = ["node.name > :after"]
    if mine is not None:
        wanted.append(f"(allocation.project_id IS NULL OR allocation.project_id IN {IN_MINE})")
    if project_id is not None:
        wanted.append("allocation.project_id = :project")
    if free is not None:
        wanted.append(f"({_STATE}) {'=' if free else '<>'} 'free'")
    if proven:
        wanted.append("node.id IN (SELECT node_id FROM proven_node)")
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


def _marks(values: Sequence[int]) -> str:
    return ", ".join("?" * len(values))


def drifted_port(tx: Tx, node_id: int) -> str | None:
    """Name a port of a node that is not as it was applied, as ``switch port``; None if all are."""
    return tx.value(
        str,
        "SELECT switch.name || ' ' || port.name FROM nic JOIN port ON port.nic_id = nic.id"
        " JOIN switch ON switch.id = port.switch_id"
        " JOIN drift ON drift.device = switch.name AND drift.target = port.name"
        " WHERE nic.node_id = ? ORDER BY 1 LIMIT 1",
        (node_id,),
    )


def on_a_stranger(tx: Tx, node_id: int) -> str | None:
    """Name a switch of a node in whose place another one answers; None if there is none."""
    return tx.value(
        str,
        "SELECT switch.name FROM nic JOIN port ON port.nic_id = nic.id"
        " JOIN switch ON switch.id = port.switch_id"
        " WHERE nic.node_id = ? AND switch.stranger IS NOT NULL ORDER BY 1 LIMIT 1",
        (node_id,),
    )


def on_a_retired_switch(tx: Tx, node_id: int) -> str | None:
    """Name a retired switch that a node is plugged into; None if there is none."""
    return tx.value(
        str,
        "SELECT switch.name FROM nic JOIN port ON port.nic_id = nic.id"
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


# --- who holds a node -----------------------------------------------------------------------------


def allocate(tx: Tx, node_id: int, project_id: int) -> None:
    """Give a node to a project. Raises sqlite3.IntegrityError if it is held or not parked."""
    tx.insert("allocation", node_id=node_id, project_id=project_id)


def held(tx: Tx, project_id: int) -> int:
    """Count the nodes that a project holds, also those being released."""
    return tx.number("SELECT count(*) FROM allocation WHERE project_id = ?", (project_id,))


def free_names(tx: Tx, count: int, tag: str | None, *, proven: bool = False) -> list[str]:
    """Name the first ``count`` free nodes, by name; if ``proven``, of those with proven cabling."""
    return [row.name for row in page(tx, count, "", free=True, tag=tag, proven=proven)]


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
