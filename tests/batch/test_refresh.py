"""Keeping the inventory up to date: what is fetched, and when."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any

import pytest

from haas_console.core.affected import Affected
from haas_console.core.client import Client
from haas_console.core.config import Endpoint
from haas_console.core.errors import ConsoleError, LostDaemonError
from haas_console.core.fetch import Fetcher
from haas_console.core.inventory import Inventory, record
from haas_console.core.log import Log
from haas_console.core.refresh import Refresher
from haas_schemas.system import SystemInfo

if TYPE_CHECKING:
    from tests.batch.conftest import Daemon

pytestmark = pytest.mark.slow


class Site:
    """An inventory that is refreshed from a real daemon over a connection that can fail."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.inventory = Inventory()
        self.called: list[str] = []
        self.notified: list[frozenset[str]] = []
        self.fails_at = ""
        fetcher = Fetcher(self.inventory, self.call, {"drift.list"})
        self.refresher = Refresher(self.inventory, fetcher, Log(), self._notify)

    def _notify(self, *nouns: str) -> None:
        self.notified.append(frozenset(nouns))

    async def call(
        self, method: str, params: Mapping[str, Any] | None = None, *, quiet: bool = False
    ) -> Any:
        self.called.append(method)
        if method == self.fails_at:
            self.fails_at = ""
            raise LostDaemonError("the connection broke")
        return await self.client.call(method, params)

    def event(self, noun: str, verb: str, name: str, project: str | None = None) -> None:
        params = {"noun": noun, "verb": verb, "name": name, "project": project}
        self.refresher.note("inventory.event", params)


@contextlib.asynccontextmanager
async def _site(daemon: Daemon) -> AsyncIterator[Site]:
    client = await Client.connect(Endpoint(str(daemon.socket), None, "the test"))
    site = Site(client)
    await site.refresher.load()
    site.called.clear()
    site.notified.clear()
    yield site
    await client.close()


async def test_everything_is_loaded(demo_daemon: Daemon) -> None:
    async with _site(demo_daemon) as site:
        assert site.inventory.info is not None
        nodes = (await site.client.call("node.list"))["items"]
        assert list(site.inventory.nodes) == [node["node"] for node in nodes]
        assert site.inventory.switches


async def test_an_event_fetches_only_what_it_names(demo_daemon: Daemon) -> None:
    async with _site(demo_daemon) as site:
        name = next(iter(site.inventory.nodes))
        del site.inventory.nodes[name]
        site.event("node", "changed", name)
        await site.refresher.flush()
        assert site.called == ["node.show"]
        assert name in site.inventory.nodes
        assert list(site.inventory.nodes) == sorted(site.inventory.nodes)
        assert site.notified == [frozenset({"node", "event"})]


async def test_many_changed_nodes_are_fetched_as_one_list(demo_daemon: Daemon) -> None:
    async with _site(demo_daemon) as site:
        for number in range(30):
            site.event("node", "changed", f"gone-{number}")
        await site.refresher.flush()
        assert site.called == ["node.list"]


async def test_what_is_gone_is_forgotten(demo_daemon: Daemon) -> None:
    async with _site(demo_daemon) as site:
        known = next(iter(site.inventory.nodes.values()))
        site.inventory.nodes["gone"] = known
        site.event("node", "deleted", "gone")
        await site.refresher.flush()
        assert "gone" not in site.inventory.nodes


async def test_after_a_failed_fetch_everything_is_fetched(demo_daemon: Daemon) -> None:
    async with _site(demo_daemon) as site:
        name = next(iter(site.inventory.nodes))
        del site.inventory.nodes[name]
        site.event("network", "created", "lab")
        site.event("node", "changed", name)
        site.fails_at = "network.list"
        with pytest.raises(LostDaemonError):
            await site.refresher.flush()
        await site.refresher.flush()
        assert name in site.inventory.nodes


async def test_a_failed_load_is_repeated_by_the_next_flush(demo_daemon: Daemon) -> None:
    async with _site(demo_daemon) as site:
        site.inventory.nodes.clear()
        site.event("site", "imported", "")
        site.fails_at = "node.list"
        with pytest.raises(LostDaemonError):
            await site.refresher.flush()
        await site.refresher.flush()
        assert site.inventory.nodes


async def test_what_a_command_has_changed_is_fetched_at_once(demo_daemon: Daemon) -> None:
    async with _site(demo_daemon) as site:
        await site.client.call("project.create", {"project": "at-once"})
        await site.refresher.read([Affected("project", "at-once")])
        assert "at-once" in site.inventory.projects


def test_an_answer_that_does_not_fit_is_an_error_with_its_field() -> None:
    with pytest.raises(ConsoleError, match=r"not understood: .*`name`"):
        record(SystemInfo, {})
