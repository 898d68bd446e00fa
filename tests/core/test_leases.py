"""Allocations that end soon are told of."""

from __future__ import annotations

from datetime import UTC, datetime

from haas_console.core.leases import ending_soon

NOW = datetime(2027, 1, 31, 12, tzinfo=UTC)


def node(name: str, until: str | None, state: str = "allocated") -> dict[str, str | None]:
    return {"node": name, "until": until, "state": state}


def test_nodes_whose_allocation_ends_within_the_hour() -> None:
    nodes = [
        node("node-1", "2027-01-31T12:59:00.000Z"),
        node("node-2", "2027-01-31T13:01:00.000Z"),
        node("node-3", None),
        node("node-4", "2027-01-31T11:59:00.000Z", "releasing"),
    ]
    told = ["node-1 is released at 2027-01-31T12:59:00.000Z:  node extend node-1 TIME"]
    assert list(ending_soon("node.list", {"items": nodes}, NOW)) == told
    assert list(ending_soon("node.show", nodes[0], NOW)) == told
    assert list(ending_soon("network.list", {"items": nodes}, NOW)) == []
