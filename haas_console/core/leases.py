"""Which allocations end soon, in an answer about nodes. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

SOON = timedelta(hours=1)


def ending_soon(method: str, result: Any, now: datetime | None = None) -> Iterator[str]:
    """Sentences about the nodes of an answer whose allocation ends within the hour."""
    if method not in ("node.list", "node.show"):
        return
    now = now or datetime.now(UTC)
    nodes = result if isinstance(result, list) else result.get("items", [result])
    for node in nodes:
        if (until := node.get("until")) is None or node.get("state") != "allocated":
            continue
        if datetime.fromisoformat(until) - now < SOON:
            yield f"{node['node']} is released at {until}:  node extend {node['node']} TIME"
