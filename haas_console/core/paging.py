"""Lists come in pages; most callers want all of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from functools import partial
from typing import Any, Protocol

from haas_console.core.api import Method

Ask = Callable[[str, Mapping[str, Any]], Awaitable[Any]]
"""Calls a method by name, with params, and returns its result."""


class CallMethod(Protocol):
    """As :data:`Ask`; ``timeout`` is in seconds."""

    def __call__(
        self, method: str, params: Mapping[str, Any] | None = None, *, timeout: float | None = None
    ) -> Awaitable[Any]:
        """Call it."""
        ...


async def pages(
    call: Ask, method: str, params: Mapping[str, Any] | None = None
) -> AsyncIterator[dict[str, Any]]:
    """Yield a list's pages, each with its ``items``, from the first to the last."""
    asked = dict(params or {})
    while True:
        page = await call(method, asked)
        yield page
        if page["next"] is None:
            return
        asked = {**asked, "after": page["next"]}


async def all_items(call: Ask, method: str, params: Mapping[str, Any] | None = None) -> list[Any]:
    """Return the items of all pages of a list."""
    return [item async for page in pages(call, method, params) for item in page["items"]]


async def fetch(
    call: CallMethod, method: Method, params: Mapping[str, Any], *, timeout: float
) -> Any:
    """Call a method; return all pages of a list as one, unless ``params`` ask for a page.

    An answer may take ``timeout`` seconds, and longer if the call itself waits.
    """
    limited = partial(call, timeout=timeout + _waits(method, params))
    if "after" not in method.by_name or "after" in params or "limit" in params:
        return await limited(method.name, params)
    result: dict[str, Any] = {}
    items: list[Any] = []
    async for page in pages(limited, method.name, params):
        result = page
        items += page["items"]
    return {**result, "items": items}


def _waits(method: Method, params: Mapping[str, Any]) -> float:
    """How many seconds the daemon waits before it answers."""
    if "timeout" not in method.by_name:
        return 0.0
    waits = params.get("timeout", method.by_name["timeout"].schema.get("default"))
    return float(waits) if isinstance(waits, int | float) else 0.0
