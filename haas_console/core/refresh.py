"""Fetches the inventory: all of it after a connect, then just what an ``inventory.event`` names."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Iterable
from typing import TYPE_CHECKING, Any

import msgspec

from haas_console.core.affected import Affected
from haas_console.core.calllog import NewsRecord
from haas_console.core.errors import ConsoleError, RpcError
from haas_console.core.inventory import record, records
from haas_schemas.drift import DriftItem
from haas_schemas.headnode import Headnode
from haas_schemas.job import Job
from haas_schemas.network import Network
from haas_schemas.node import Node
from haas_schemas.project import Project
from haas_schemas.switch import Port, Switch
from haas_schemas.system import SystemInfo

if TYPE_CHECKING:
    from haas_console.core.sync import InventorySync

MANY = 25  # nodes; from here on a list is cheaper than asking for each
JOBS = 50  # of the newest jobs that are kept
COUNTED = {
    ("node", "allocated"), ("node", "freed"), ("network", "created"), ("network", "deleted"),
    ("headnode", "created"), ("headnode", "deleted"),
}  # fmt: skip
"""News after which a project holds more or less than before."""


class Refresher:
    """Brings a :class:`~haas_console.core.sync.InventorySync`'s inventory up to date."""

    def __init__(self, sync: InventorySync) -> None:
        self._sync = sync
        self._inventory = sync.inventory
        self._nodes: set[str] = set()
        self._headnodes: set[tuple[str, str]] = set()
        self._lists: set[str] = set()
        self._projects: set[str] = set()
        self._told: set[str] = set()
        self._everything = False
        # One fetch at a time: an answer that is late must not overwrite a newer one.
        self._fetching = asyncio.Lock()

    # --- all of it ---

    async def load(self) -> None:
        """Fetch everything; watchers hear of the nodes after each page."""
        async with self._fetching:
            await self._load()

    async def _load(self) -> None:
        sync, inventory = self._sync, self._inventory
        inventory.info = _read(SystemInfo, await sync.call("system.info"))
        await self._fetch_projects()
        await self._fetch_networks()
        await self._fetch_headnodes()
        sync.notify("info", "project", "network", "headnode")
        fresh: dict[str, Node] = {}
        first = not inventory.nodes
        async for page in sync.pages("node.list"):
            nodes = _read_all(Node, page)
            fresh.update((node.node, node) for node in nodes)
            if first:  # else the old ones stay readable until all are there
                inventory.nodes.update((node.node, node) for node in nodes)
                sync.notify("node")
        inventory.nodes = fresh
        await self._fetch_switches()
        await self._fetch_drift()
        self._nodes.clear()  # all were fetched just now
        await self._fetch_jobs()
        sync.notify("node", "switch", "drift", "job")

    async def _fetch_projects(self) -> None:
        found = await self._all(Project, "project.list")
        self._inventory.projects = {p.project: p for p in found}

    async def _fetch_networks(self) -> None:
        found = await self._all(Network, "network.list")
        self._inventory.networks = {n.key: n for n in found}

    async def _fetch_headnodes(self) -> None:
        found = await self._all(Headnode, "headnode.list")
        self._inventory.headnodes = {h.key: h for h in found}

    async def _fetch_switches(self) -> None:
        info = self._inventory.info
        if info is None or not info.admin:
            return
        await self._fetch_switch_list()
        for name in list(self._inventory.ports):
            await self.ports(name)

    async def _fetch_switch_list(self) -> None:
        found = await self._all(Switch, "switch.list")
        self._inventory.switches = {s.switch: s for s in found}

    async def ports(self, switch: str) -> None:
        """Fetch a switch's ports, and from here on again with each change of it."""
        if switch in self._inventory.switches:
            self._inventory.ports[switch] = await self._all(Port, "port.list", {"switch": switch})
        else:
            self._inventory.ports.pop(switch, None)

    async def _fetch_drift(self) -> None:
        """Fetch what is known to have drifted, for which the daemon asks no device.

        The nodes behind what is new, or is right again, are fetched next: they were in doubt.
        """
        inventory, methods = self._inventory, self._sync.language.api.methods
        if inventory.info is None or not inventory.info.admin or "drift.list" not in methods:
            return
        before = inventory.drift.keys()
        found = await self._all(DriftItem, "drift.list", quiet=True)
        inventory.drift = {(item.device, item.target): item for item in found}
        if changed := before ^ inventory.drift.keys():
            self._nodes |= {
                node.node
                for node in inventory.nodes.values()
                for nic in node.nics
                if (nic.switch, nic.port) in changed
            }

    async def jobs(self) -> None:
        """Look at the newest jobs; what one that ended has changed is fetched too."""
        async with self._fetching:
            await self._fetch_jobs()

    async def _fetch_jobs(self) -> None:
        before = {j.job for j in self._inventory.running_jobs()}
        page = await self._sync.call("job.list", {"limit": JOBS}, quiet=True)
        found = {j.job: j for j in _read_all(Job, page["items"])}
        if found == self._inventory.jobs:
            return
        self._inventory.jobs = found
        self._sync.notify("job")
        ended = [j for j in found.values() if j.job in before and not j.under_way]
        for job in ended:
            self._job_ended(job.project, job.kind)
        if ended:
            await self._flush()

    async def _all(
        self, kind: type[Any], method: str, params: Any = None, *, quiet: bool = False
    ) -> list[Any]:
        found: list[Any] = []
        async for page in self._sync.pages(method, params, quiet=quiet):
            found += _read_all(kind, page)
        return found

    # --- what the news name ---

    def note(self, method: str, params: dict[str, Any]) -> None:
        """Remember what a notification says has changed; :meth:`flush` fetches it."""
        if method != "inventory.event":
            return
        noun, verb, name = params["noun"], params["verb"], params["name"]
        project = params.get("project")
        self._told |= {noun, "news"}
        self._sync.log.news.append(NewsRecord(time.time(), noun, verb, name, project))
        self._mark(noun, verb, name, project)

    async def read(self, affected: Iterable[Affected]) -> None:
        """Fetch what a command has changed, without waiting for the event that says so."""
        for each in affected:
            self._told.add(each.noun)
            self._mark(each.noun, "", each.name, each.project)
        await self.flush()

    def _mark(self, noun: str, verb: str, name: str, project: str | None) -> None:
        """Have fetched by the next flush what was changed."""
        if (noun, verb) in COUNTED:
            self._lists.add("project")
            self._told.add("project")
        match noun:
            case "node":
                self._nodes.add(name)
            case "headnode" if project:
                self._headnodes.add((project, name))
            case "drift":
                self._lists.add("drift")
            case "network" | "switch" | "job":
                self._lists.add(noun)
                if noun == "job" and verb in ("succeeded", "failed", "cancelled"):
                    known = self._inventory.jobs.get(int(name))
                    self._job_ended(project, known.kind if known else "")
            case "project" | "site" | "user":
                # Who is a member of what may have changed, and with it what can be seen.
                self._everything = True

    def _job_ended(self, project: str | None, kind: str) -> None:
        """Have fetched what a job may have changed: what it set has drifted no more."""
        if self._inventory.drift:
            self._lists.add("drift")
            self._told.add("drift")
        if kind == "repair":
            return
        if project is None:
            self._everything = True
        else:
            self._projects.add(project)
            self._lists.add("project")
            self._told.add("project")

    async def flush(self) -> None:
        """Fetch what was noted, and tell the watchers once."""
        async with self._fetching:
            await self._flush()

    async def _flush(self) -> None:
        told, self._told = self._told, set()
        everything, self._everything = self._everything, False
        if everything:
            self._nodes, self._headnodes, self._lists, self._projects = set(), set(), set(), set()
            await self._load()
            self._sync.notify(*told)
            return
        for name in sorted(self._lists):
            told |= await self._fetch_list(name)
        self._lists = set()
        projects, self._projects = self._projects, set()
        for project in sorted(projects):
            told |= {"node", "headnode", "network"}
            await self._fetch_project(project)
        await self._fetch_nodes()
        await self._fetch_headnodes_named()
        if told:
            self._sync.notify(*told)

    async def _fetch_list(self, noun: str) -> set[str]:
        """Fetch a list; gives what else has changed with it."""
        match noun:
            case "project":
                await self._fetch_projects()
            case "network":
                await self._fetch_networks()
            case "switch":
                await self._fetch_switches()
            case "drift":
                await self._fetch_switch_list()
                await self._fetch_drift()
                return {"switch", *(("node",) if self._nodes else ())}
            case "job":
                await self._fetch_jobs()
        return set()

    async def _fetch_project(self, project: str) -> None:
        """Fetch what a job of the project may have changed."""
        if project not in self._inventory.projects:
            return
        for node in await self._all(Node, "node.list", {"project": project}):
            self._inventory.put_node(node)
        await self._fetch_headnodes()
        await self._fetch_networks()

    async def _fetch_nodes(self) -> None:
        names, self._nodes = self._nodes, set()
        if len(names) >= MANY:
            found = await self._all(Node, "node.list")
            self._inventory.nodes = {node.node: node for node in found}
            return
        answers = await asyncio.gather(
            *(self._found(self._sync.call("node.show", {"node": name})) for name in sorted(names))
        )
        for name, answer in zip(sorted(names), answers, strict=True):
            if answer is None:
                self._inventory.nodes.pop(name, None)
                continue
            new = name not in self._inventory.nodes
            self._inventory.put_node(_read(Node, answer))
            if new:
                self._inventory.nodes = dict(sorted(self._inventory.nodes.items()))

    async def _fetch_headnodes_named(self) -> None:
        keys, self._headnodes = self._headnodes, set()
        for project, name in sorted(keys):
            params = {"project": project, "headnode": name}
            answer = await self._found(self._sync.call("headnode.show", params))
            if answer is None:
                self._inventory.headnodes.pop((project, name), None)
            else:
                self._inventory.headnodes[(project, name)] = _read(Headnode, answer)

    async def _found(self, call: Awaitable[Any]) -> Any | None:
        """The answer, or None for what is not there (or not ours to see) any more."""
        try:
            return await call
        except RpcError as error:
            if error.kind in ("not_found", "denied"):
                return None
            raise


def _read(kind: type[Any], answer: Any) -> Any:
    try:
        return record(kind, answer)
    except msgspec.ValidationError as error:
        raise ConsoleError(f"The daemon's answer is not understood: {error}") from error


def _read_all(kind: type[Any], answers: Any) -> list[Any]:
    try:
        return records(kind, answers)
    except msgspec.ValidationError as error:
        raise ConsoleError(f"The daemon's answer is not understood: {error}") from error
