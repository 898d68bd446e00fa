"""Opens the line of a place: a node's by its BMC, a headnode's by its hypervisor."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from weakref import WeakValueDictionary

from haas_rpcd.bmc import BmcConnector
from haas_rpcd.config import Settings
from haas_rpcd.consoles import OpenLine, Place
from haas_rpcd.engine.power import registered
from haas_rpcd.errors import UnavailableError
from haas_rpcd.line import Line
from haas_rpcd.store import consoles
from haas_rpcd.store.database import Store, Tx

OpenHeadnode = Callable[[str, str], AbstractAsyncContextManager[Line]]
"""Opens the line of a headnode, given its uuid and its label. Entering raises HaasError."""


def always_logged(settings: Settings) -> Callable[[Tx], list[Place]] | None:
    """Return what names the places to log while nobody watches; None: there are none."""
    kinds = settings.consoles.always_log

    def places(tx: Tx) -> list[Place]:
        found: list[Place] = []
        if "nodes" in kinds:
            rows = consoles.lines_of_nodes(tx)
            found += [Place("node", row.node, row.project_id) for row in rows]
        if "headnodes" in kinds:
            found += [
                Place("headnode", row.label, row.project_id, row.uuid)
                for row in consoles.running_headnodes(tx)
            ]
        return found

    return places if kinds else None


def opener(store: Store, bmcs: BmcConnector, headnode: OpenHeadnode | None) -> OpenLine:
    """Return what opens lines. ``headnode``: None without a hypervisor.

    A line is opened only after the one before is closed: whoever closes it would close both.
    """
    locks: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def open_line(place: Place) -> AsyncIterator[Line]:
        lock = locks.setdefault((place.kind, place.name), asyncio.Lock())
        async with lock, opened(place) as line:
            yield line

    @asynccontextmanager
    async def opened(place: Place) -> AsyncIterator[Line]:
        if place.kind == "node":
            bmc = await store.read(registered, place.name)
            async with bmcs.console(bmc) as line:
                yield line
        elif headnode is None:
            raise UnavailableError("haas.toml has no [master] table, so there are no headnodes.")
        else:
            async with headnode(place.uuid, place.name) as line:
                yield line

    return open_line
