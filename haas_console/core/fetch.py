"""Fetches parts of the inventory from the daemon: whole lists, or single nodes and headnodes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Collection, Iterable, Mapping
from functools import partial
from typing import Any, Protocol, TypeVar

from haas_console.core.errors import RpcError
from haas_console.core.inventory import Inventory, record, records
from haas_console.core.paging import pages
from haas_schemas.drift import DriftItem
from haas_schemas.headnode import Headnode
from haas_schemas.job import Job
from haas_schemas.network import Network
from haas_schemas.node import Node
from haas_schemas.project import Project
from haas_schemas.switch import Port, Switch
from haas_schemas.system import Pulse, SystemInfo

JOBS = 50  # of the newest jobs that are kept
MANY = 25  # nodes; from here on, one list is cheaper than a call for each

Record = TypeVar("Record")


class QuietCall(Protocol):
    """As :data:`~haas_console.core.paging.Ask`; the console makes ``quiet`` calls by itself."""

    def __call__(
        self, method: str, params: Mapping[str, Any] | None = None, *, quiet: bool = False
    ) -> Awaitable[Any]:
        """Call it."""
        ...


class Fetcher:
    """Fetches into one inventory.

    All methods raise ConsoleError if the daemon refuses, is lost, or is not understood.
    """

    def __init__(self, inventory: Inventory, call: QuietCall, methods: Collection[str]) -> None:
        self._inventory = inventory
        self._call = call
        self._methods = methods

    @property
    def _admin(self) -> bool:
        info = self._inventory.info
        return info is not None and info.admin

    # --- whole lists ---

    async def named(self) -> None:
        """Fetch all objects that have a name of their own, and the newest jobs."""
        await self.info()
        for fetch in (self.projects, self.networks, self.headnodes, self.switches, self.jobs):
            await fetch()
        async for _ in self.nodes():
            pass

    async def info(self) -> None:
        """Fetch what the daemon is, and who is asking."""
        self._inventory.info = record(SystemInfo, await self._call("system.info"))

    async def pulse(self) -> bool:
        """Fetch the figures that no list has; return whether they have changed."""
        if "system.pulse" not in self._methods:
            return False  # a former release has none
        found = record(Pulse, await self._call("system.pulse", quiet=True))
        changed = found != self._inventory.pulse
        self._inventory.pulse = found
        return changed

    async def projects(self) -> None:
        """Fetch all projects."""
        found = await self._all(Project, "project.list")
        self._inventory.projects = {project.project: project for project in found}

    async def networks(self) -> None:
        """Fetch all networks."""
        found = await self._all(Network, "network.list")
        self._inventory.networks = {network.key: network for network in found}

    async def headnodes(self) -> None:
        """Fetch all headnodes."""
        found = await self._all(Headnode, "headnode.list")
        self._inventory.headnodes = {headnode.key: headnode for headnode in found}

    async def nodes(self) -> AsyncIterator[None]:
        """Fetch all nodes; yields after each page.

        In an empty inventory the nodes appear page by page. Otherwise the old ones stay until all
        new ones are there.
        """
        fresh: dict[str, Node] = {}
        first = not self._inventory.nodes
        async for page in pages(self._call, "node.list"):
            found = {node.node: node for node in records(Node, page["items"])}
            fresh.update(found)
            if first:
                self._inventory.nodes.update(found)
            yield
        self._inventory.nodes = fresh

    async def switches(self) -> None:
        """Fetch all switches; only admins may."""
        if self._admin:
            found = await self._all(Switch, "switch.list")
            self._inventory.switches = {switch.switch: switch for switch in found}

    async def known_ports(self) -> None:
        """Fetch again the ports of all switches whose ports are known; only admins may."""
        for switch in list(self._inventory.ports):
            if self._admin and switch in self._inventory.switches:
                await self.ports(switch)
            else:
                self._inventory.ports.pop(switch)

    async def ports(self, switch: str, *, quiet: bool = False) -> None:
        """Fetch the ports of one switch."""
        found = await self._all(Port, "port.list", {"switch": switch}, quiet=quiet)
        self._inventory.ports[switch] = found

    async def drift(self) -> set[str]:
        """Fetch the drift that the daemon knows of; it asks no device for this.

        Returns the nodes on ports that have drifted, or ceased to, since the last time.
        """
        if "drift.list" not in self._methods:
            return set()
        inventory = self._inventory
        before = inventory.drift.keys()
        try:
            found = await self._all(DriftItem, "drift.list", quiet=True)
        except RpcError as error:
            if self._admin or error.kind != "denied":
                raise
            return set()  # a former release shows drift to admins only
        inventory.drift = {(item.device, item.target): item for item in found}
        changed = before ^ inventory.drift.keys()
        if not changed:
            return set()
        return {
            node.node
            for node in inventory.nodes.values()
            for nic in node.nics
            if any((leg.switch, leg.port) in changed for leg in nic.legs)
        }

    async def jobs(self) -> bool:
        """Fetch the newest jobs; return whether anything about them has changed."""
        page = await self._call("job.list", {"limit": JOBS}, quiet=True)
        found = {job.job: job for job in records(Job, page["items"])}
        changed = found != self._inventory.jobs
        self._inventory.jobs = found
        return changed

    async def project(self, project: str) -> None:
        """Fetch what a job of the project may have changed."""
        if project not in self._inventory.projects:
            return
        for node in await self._all(Node, "node.list", {"project": project}):
            self._inventory.put_node(node)
        await self.headnodes()
        await self.networks()

    # --- by name ---

    async def nodes_named(self, names: Collection[str]) -> None:
        """Fetch these nodes; forget those that are not there any more."""
        if len(names) >= MANY:
            found = await self._all(Node, "node.list")
            self._inventory.nodes = {node.node: node for node in found}
            return
        asked = sorted(names)
        calls = (self._unless_gone(self._call("node.show", {"node": name})) for name in asked)
        answers = await asyncio.gather(*calls)
        nodes, added = self._inventory.nodes, False
        for name, answer in zip(asked, answers, strict=True):
            if answer is None:
                nodes.pop(name, None)
            else:
                added = added or name not in nodes
                self._inventory.put_node(record(Node, answer))
        if added:
            self._inventory.nodes = dict(sorted(nodes.items()))

    async def headnodes_named(self, keys: Iterable[tuple[str, str]]) -> None:
        """Fetch these headnodes; forget those that are not there any more."""
        for key in sorted(keys):
            params = {"project": key[0], "headnode": key[1]}
            answer = await self._unless_gone(self._call("headnode.show", params))
            if answer is None:
                self._inventory.headnodes.pop(key, None)
            else:
                self._inventory.headnodes[key] = record(Headnode, answer)

    async def _all(
        self,
        kind: type[Record],
        method: str,
        params: Mapping[str, Any] | None = None,
        *,
        quiet: bool = False,
    ) -> list[Record]:
        found: list[Record] = []
        async for page in pages(partial(self._call, quiet=quiet), method, params):
            found += records(kind, page["items"])
        return found

    async def _unless_gone(self, call: Awaitable[Any]) -> Any | None:
        """The answer, or None if the object is gone or may not be seen any more."""
        try:
            return await call
        except RpcError as error:
            if error.kind in ("not_found", "denied"):
                return None
            raise
