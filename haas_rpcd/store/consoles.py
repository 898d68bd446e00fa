"""Queries of who holds what has a console."""

from __future__ import annotations

from typing import Literal

from haas_rpcd.store import headnodes, nodes
from haas_rpcd.store.database import Tx


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
