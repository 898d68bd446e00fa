"""Keeps the inventory up to date: loads it, then fetches what each ``inventory.event`` names."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import Any

from haas_console.core.affected import Affected
from haas_console.core.fetch import Fetcher
from haas_console.core.inventory import Inventory
from haas_console.core.log import EventRecord, Log

COUNTED = {
    ("node", "allocated"), ("node", "freed"), ("network", "created"), ("network", "deleted"),
    ("headnode", "created"), ("headnode", "deleted"),
}  # fmt: skip
"""Events after which a project holds more or fewer objects than before."""


class Refresher:
    """Decides what to fetch, and notifies the watchers of what changed.

    All coroutines raise ConsoleError as the fetcher does.
    """

    def __init__(
        self, inventory: Inventory, fetcher: Fetcher, log: Log, notify: Callable[..., None]
    ) -> None:
        self._inventory = inventory
        self._fetcher = fetcher
        self._log = log
        self._notify = notify
        self._nodes: set[str] = set()
        self._headnodes: set[tuple[str, str]] = set()
        self._lists: set[str] = set()
        self._projects: set[str] = set()
        self._everything = False
        self._changes: set[str] = set()
        # One fetch at a time: a late answer must not overwrite a newer one.
        self._fetching = asyncio.Lock()

    async def load(self) -> None:
        """Fetch everything; the watchers are notified of the nodes after each page."""
        async with self._fetching:
            await self._load()

    async def poll_jobs(self) -> None:
        """Fetch the newest jobs, and what those that have ended may have changed."""
        async with self._fetching:
            await self._poll_jobs()

    async def pulse(self) -> None:
        """Fetch the figures that no list has; they also change with time."""
        async with self._fetching:
            await self._fetcher.pulse()
        self._notify("pulse")

    async def flush(self) -> None:
        """Fetch everything that was noted, then notify the watchers once."""
        async with self._fetching:
            await self._flush()

    async def read(self, affected: Iterable[Affected]) -> None:
        """Fetch what a command has changed, without waiting for the event that says so."""
        for each in affected:
            self._changes.add(each.noun)
            self._mark(each.noun, "", each.name, each.project)
        await self.flush()

    # --- fetching, one at a time ---

    async def _load(self) -> None:
        self._nodes, self._headnodes, self._lists, self._projects = set(), set(), set(), set()
        self._everything = False
        fetcher = self._fetcher
        await fetcher.info()
        await fetcher.projects()
        await fetcher.networks()
        await fetcher.headnodes()
        self._notify("info", "project", "network", "headnode")
        async for _ in fetcher.nodes():
            self._notify("node")
        await fetcher.switches()
        await fetcher.known_ports()
        await fetcher.drift()
        await fetcher.pulse()
        await self._poll_jobs()
        self._notify("node", "switch", "drift", "job", "pulse")

    async def _poll_jobs(self) -> None:
        before = {job.job for job in self._inventory.running_jobs()}
        if not await self._fetcher.jobs():
            return
        self._notify("job")
        jobs = self._inventory.jobs.values()
        ended = [job for job in jobs if job.job in before and not job.under_way]
        for job in ended:
            self._note_job_end(job.project, job.kind)
        if ended:
            await self._flush()

    async def _flush(self) -> None:
        changes, self._changes = self._changes, set()
        try:
            if self._everything:
                await self._load()
            else:
                changes |= await self._fetch_noted()
        except BaseException:
            self._everything = True  # what was noted is not fetched: next time, fetch all
            raise
        if changes:
            self._notify(*changes)

    async def _fetch_noted(self) -> set[str]:
        """Fetch what was noted; returns the nouns that have changed with it."""
        changes: set[str] = set()
        lists, self._lists = self._lists, set()
        for name in sorted(lists):
            changes |= await self._fetch_list(name)
        projects, self._projects = self._projects, set()
        for project in sorted(projects):
            changes |= {"node", "headnode", "network"}
            await self._fetcher.project(project)
        nodes, self._nodes = self._nodes, set()
        await self._fetcher.nodes_named(nodes)
        headnodes, self._headnodes = self._headnodes, set()
        await self._fetcher.headnodes_named(headnodes)
        return changes

    async def _fetch_list(self, noun: str) -> set[str]:
        """Fetch a list; returns the nouns that have changed with it."""
        match noun:
            case "project":
                await self._fetcher.projects()
            case "network":
                await self._fetcher.networks()
            case "switch":
                await self._fetcher.switches()
                await self._fetcher.known_ports()
            case "drift":
                await self._fetcher.switches()
                self._nodes |= await self._fetcher.drift()
                return {"switch", *(("node",) if self._nodes else ())}
            case "job":
                await self._poll_jobs()
            case "pulse":
                return {"pulse"} if await self._fetcher.pulse() else set()
        return set()

    # --- what to fetch ---

    def note(self, method: str, params: dict[str, Any]) -> None:
        """Remember what a notification says has changed; :meth:`flush` fetches it."""
        if method != "inventory.event":
            return
        noun, verb, name = params["noun"], params["verb"], params["name"]
        project = params.get("project")
        self._changes |= {noun, "event"}
        self._log.events.append(EventRecord(time.time(), noun, verb, name, project))
        self._mark(noun, verb, name, project)

    def _mark(self, noun: str, verb: str, name: str, project: str | None) -> None:
        """Have the next flush fetch what has changed."""
        if (noun, verb) in COUNTED:
            self._lists.add("project")
            self._changes.add("project")
        match noun:
            case "node":
                self._nodes.add(name)
            case "headnode" if project:
                self._headnodes.add((project, name))
            case "drift" | "network" | "switch":
                self._lists |= {noun, "pulse"}
            case "cabling" if verb == "checked":
                self._lists.add("switch")
                self._nodes |= self._inventory.plugged_into(name)
                self._changes |= {"switch", "node"}
            case "cabling":
                self._nodes.add(name.partition(":")[0])
                self._changes.add("node")
            case "job":
                self._lists.add(noun)
                if verb in ("succeeded", "failed", "cancelled"):
                    known = self._inventory.jobs.get(int(name))
                    self._note_job_end(project, known.kind if known else "")
            case "project" | "site" | "user":
                # Memberships may have changed, and with them what this user may see.
                self._everything = True

    def _note_job_end(self, project: str | None, kind: str) -> None:
        """Remember what a job may have changed; what it has set is no longer drift."""
        self._lists.add("pulse")
        if self._inventory.drift:
            self._lists.add("drift")
            self._changes.add("drift")
        if kind == "repair":
            return
        if project is None:
            self._everything = True
        else:
            self._projects.add(project)
            self._lists.add("project")
            self._changes.add("project")
