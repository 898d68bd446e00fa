"""Lists come in pages; most callers want all of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from haas_console.core.api import Method
from haas_console.core.client import Client


async def fetch(client: Client, method: Method, params: Mapping[str, Any]) -> Any:
    """Call a method; of a list give all pages as one, unless the caller pages by himself."""
    result = await client.call(method.name, params, timeout=_timeout(client, method, params))
    if "after" not in method.by_name or "after" in params or "limit" in params:
        return result
    items = result["items"]
    while result["next"] is not None:
        result = await client.call(method.name, {**params, "after": result["next"]})
        items += result["items"]
    return {**result, "items": items}


def _timeout(client: Client, method: Method, params: Mapping[str, Any]) -> float | None:
    """A call that is told to wait may take that much longer."""
    if "timeout" not in method.by_name:
        return None
    waits = params.get("timeout", method.by_name["timeout"].schema.get("default"))
    return client.timeout + waits if isinstance(waits, int | float) else None
