"""Counts of nodes by state, and of those whose lease ends today, for the pulse of the site."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime

import msgspec

from haas_console.core.inventory import Inventory
from haas_console.core.natural import natural
from haas_console.core.times import parsed
from haas_schemas.node import Node


class NodeCounts(msgspec.Struct, frozen=True):
    """What the figures need of the nodes: there may be 10,000, so they are read only once."""

    free: int = 0
    total: int = 0
    unconfirmed: tuple[Node, ...] = ()
    ending: tuple[Node, ...] = ()
    """Those whose allocation ends today, by the user's clock."""


def count_nodes(nodes: Iterable[Node], now: datetime) -> NodeCounts:
    """Count nodes by state."""
    free = total = 0
    unconfirmed: list[Node] = []
    ending: list[Node] = []
    today = now.astimezone().date()
    for node in nodes:
        total += 1
        if node.state == "free":
            free += 1
        elif node.state == "unconfirmed":
            unconfirmed.append(node)
        elif node.until is not None and node.state == "allocated" and _day(node.until) <= today:
            ending.append(node)
    ending.sort(key=lambda node: (node.until or "", natural(node.node)))
    unconfirmed.sort(key=lambda node: natural(node.node))
    return NodeCounts(free, total, tuple(unconfirmed), tuple(ending))


def _day(stamp: str) -> date:
    return parsed(stamp).astimezone().date()


class NodeTally:
    """The counts of an inventory's nodes, kept until nodes have changed or time has passed."""

    def __init__(self, watch: Callable[[Callable[[frozenset[str]], None]], object]) -> None:
        self._known: NodeCounts | None = None
        watch(self._changed)

    def _changed(self, changes: frozenset[str]) -> None:
        if changes & {"node", "pulse", "info"}:
            self._known = None

    def of(self, inventory: Inventory, now: datetime) -> NodeCounts:
        """Return the counts as they are now."""
        if self._known is None:
            self._known = count_nodes(inventory.nodes.values(), now)
        return self._known
