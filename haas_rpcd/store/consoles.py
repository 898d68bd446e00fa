"""Queries of who holds what has a console."""

from __future__ import annotations

from typing import Literal

from haas_rpcd.store import headnodes, nodes
from haas_rpcd.store.database import Tx
from haas_rpcd.store.headnodes import HeadnodeRow
from haas_rpcd.store.rows import Row


class NodeLineRow(Row, frozen=True):
    """A node with a serial line, and the project that holds it."""

    node: str
    project_id: int


def is_held(tx: Tx, kind: Literal["node", "headnode"], name: str, owner: int | None) -> bool:
    """Return whether a project (None: nobody) holds a node, or a headnode by its uuid."""
    if kind == "headnode":
        headnode = headnodes.by_uuid(tx, name)
        return headnode is not None and not headnode.deleting and headnode.project_id == owner
    node = nodes.find(tx, name)
    return node is not None and holder(node) == owner


def holder(node: nodes.NodeRow) -> int | None:
    """Return the project that a node's console belongs to. While it is released, it is nobody's."""
    return None if node.releasing else node.project_id


def lines_of_nodes(tx: Tx) -> list[NodeLineRow]:
    """Return the held nodes whose BMC has a serial line, and is on no tenant's network."""
    return tx.query(
        NodeLineRow,
        "SELECT node.name AS node, allocation.project_id FROM node"
        " JOIN bmc ON bmc.node_id = node.id AND bmc.protocol = 'ipmi'"
        " JOIN allocation ON allocation.node_id = node.id AND NOT allocation.releasing"
        " WHERE NOT EXISTS (SELECT 1 FROM nic JOIN port ON port.nic_id = nic.id"
        " JOIN port_carries ON port_carries.port_id = port.id"
        " WHERE nic.node_id = node.id AND nic.kind = 'bmc') ORDER BY node.name",
    )


def running_headnodes(tx: Tx) -> list[HeadnodeRow]:
    """Return the headnodes that run, on hypervisors in service."""
    rows = headnodes.on_hypervisor(tx)
    return [row for row in rows if row.now is not None and row.now.running and not row.retired]
