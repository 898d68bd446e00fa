"""Lists that an admin asks for again and again: kept while nothing is written, and never stale."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from typing import Any

import pytest

from haas_rpcd.auth import Caller
from haas_rpcd.methods.registry import METHODS
from haas_rpcd.rpc.kept import KeptAnswers, Key, key_of
from haas_rpcd.store.database import READERS, Tx
from haas_schemas.common import Page
from haas_schemas.node import Node
from tests.rpc.small_site import DATABASE, RpcError, SmallSite

ROOT = Caller("root", admin=True)

LISTS: dict[str, dict[str, Any]] = {
    "node.list": {},
    "network.list": {},
    "headnode.list": {},
    "project.list": {},
    "switch.list": {},
    "port.list": {"switch": "sw1"},
    "drift.list": {},
}


async def lists(site: SmallSite) -> dict[str, Any]:
    """Return all lists as an admin gets them."""
    return {name: await site.call(name, **params) for name, params in LISTS.items()}


@asynccontextmanager
async def held(transact: Callable[..., Awaitable[None]], threads: int) -> AsyncIterator[None]:
    """Keep all threads that run transactions of one kind busy."""
    free, begun = threading.Event(), [asyncio.Event() for _ in range(threads)]
    loop = asyncio.get_running_loop()

    def hold(tx: Tx, here: asyncio.Event) -> None:
        loop.call_soon_threadsafe(here.set)
        assert free.wait(20), "what should have been kept was waited for"

    holding = [asyncio.create_task(transact(hold, each)) for each in begun]
    try:
        await asyncio.gather(*(each.wait() for each in begun))
        yield
    finally:
        free.set()
        await asyncio.gather(*holding)


def unwritten(site: SmallSite) -> AbstractAsyncContextManager[None]:
    """Let nobody write: a daemon that has just started still notes how it found its switches."""
    return held(site.daemon.store.note, 1)


def unread(site: SmallSite) -> AbstractAsyncContextManager[None]:
    """Let nobody read the database, so that only what is kept can be answered."""
    return held(site.daemon.store.read, READERS)


async def test_a_list_is_read_once_while_nothing_is_written(site: SmallSite) -> None:
    async with unwritten(site):
        read = await lists(site)
        async with unread(site):
            assert await lists(site) == read


async def test_every_change_shows_in_the_next_list(site: SmallSite) -> None:
    """Each list is asked for twice before each change, so that the second one is a kept one."""

    async def release() -> None:
        released = await site.call("node.release", node="node-1")
        await site.finished(released["job"])

    async def drift() -> None:
        site.switches["sw1"].running.ports["GigabitEthernet1/0/4"].shutdown = False
        await site.call("drift.check", switch="sw1")

    changes: list[tuple[str, Callable[[], Any]]] = [
        ("project.list", lambda: site.call("project.create", project="green")),
        ("project.list", lambda: site.call("project.add_member", project="green", user="bob")),
        ("node.list", lambda: site.hold_nodes("red", "node-1")),
        ("network.list", lambda: site.network("red", "net")),
        ("node.list", lambda: site.connect("node-1", "net")),
        ("network.list", lambda: site.call("network.share", project="red", network="net",
                                           **{"with": "blue"})),
        ("headnode.list", lambda: site.call("headnode.create", project="red", headnode="h")),
        ("node.list", lambda: site.succeeds("red")),
        ("node.list", lambda: site.call("node.extend", node="node-1", until="2099-01-01T00:00Z")),
        ("node.list", release),
        ("port.list", lambda: site.call("port.register", switch="sw1", ports=["Gi1/0/9"])),
        ("drift.list", drift),
        ("switch.list", lambda: site.call("switch.retire", switch="sw2")),
    ]  # fmt: skip
    await lists(site)
    for limit, (name, change) in enumerate(changes, 100):
        before = await lists(site)
        await change()
        after = await lists(site)
        assert after[name] != before[name], name
        assert after == await lists(site)
        for each, params in LISTS.items():  # nobody has asked for so many before
            assert after[each] == await site.call(each, **params, limit=limit)


async def test_a_change_by_another_process_shows_too(site: SmallSite) -> None:
    await lists(site)
    with closing(sqlite3.connect(site.folder / DATABASE)) as other, other:
        other.execute("UPDATE node SET name = 'renamed' WHERE name = 'node-1'")
    names = [node["node"] for node in (await site.call("node.list"))["items"]]
    assert names == ["node-2", "node-3", "node-4", "renamed"]


async def test_a_tenant_gets_neither_an_admins_list_nor_a_kept_one(site: SmallSite) -> None:
    """The time that its list takes must not tell whether its neighbours have written."""
    await site.hold_nodes("blue", "node-2")
    token = (await site.tenant("rita").call("token.create", label="ci"))["token"]

    async def listed_by_rita() -> list[str]:
        body = {"jsonrpc": "2.0", "method": "node.list", "params": {}, "id": 1}
        async with site.http.post(
            "http://haas/rpc", json=body, headers={"Authorization": f"Bearer {token}"}
        ) as response:
            return [node["node"] for node in (await response.json())["result"]["items"]]

    hers = ["node-1", "node-3", "node-4"]
    await lists(site)
    assert await listed_by_rita() == hers  # that the token was used is noted, once a minute
    async with unwritten(site):
        read = await lists(site)
        async with unread(site):
            waiting = asyncio.create_task(listed_by_rita())
            assert await lists(site) == read
            assert not waiting.done()
        assert await waiting == hers


async def test_params_that_are_equal_in_python_are_not_the_same(site: SmallSite) -> None:
    assert len((await site.call("node.list", limit=1))["items"]) == 1
    for other in (True, 1.5, "1"):
        with pytest.raises(RpcError, match="limit"):
            await site.call("node.list", limit=other)


def test_a_page_with_a_node_that_waits_for_a_time_is_not_kept() -> None:
    """When it will be free is told by the clock, and the clock writes nothing."""
    lasts = METHODS["node.list"].lasts
    assert lasts is not None
    node = Node("node-1", "releasing", "red", (), ())
    late = Node("node-2", "releasing", "red", (), (), "sw1 …", "2026-01-31T12:00:00.000Z")
    assert lasts(Page((node,)))
    assert not lasts(Page((node, late)))


def key(caller: Caller, **params: Any) -> Key:
    """Return the key of a list."""
    made = key_of(caller, "node.list", params)
    assert made is not None
    return made


def test_a_call_with_long_params_is_not_worth_a_key() -> None:
    assert key_of(ROOT, "node.list", {"after": "x" * 10**6}) is None
    assert key_of(ROOT, "node.list", ["x" * 10**6]) is None
    assert key_of(ROOT, "node.list", {"x" * 10**6: 1}) is None
    assert key_of(ROOT, "node.list", {"after": ["x"]}) is None
    assert key_of(ROOT, "node.list", [1] * 10**6) is None


def test_kept_answers_are_bounded_and_the_least_used_goes() -> None:
    keys = [key(ROOT, after=name) for name in "abcde"]
    size = len(keys[0][2]) + 30
    kept = KeptAnswers(most=4 * size)
    for each in keys:
        assert kept.get(each, 7) is None
        kept.put(each, 7, b"x" * 30)
        kept.get(keys[0], 7)
    assert [kept.get(each, 7) is not None for each in keys] == [True, False, True, True, True]
    kept.put(keys[1], 7, b"x" * 31)  # more than its share
    assert kept.get(keys[1], 7) is None


def test_an_answer_that_was_overtaken_by_a_write_is_not_kept() -> None:
    kept, asked = KeptAnswers(), key(ROOT)
    assert kept.get(asked, 7) is None
    assert kept.get(asked, 8) is None  # another call, after a write
    kept.put(asked, 7, b"old")
    assert kept.get(asked, 8) is None
    assert kept.get(asked, None) is None


def test_callers_with_other_rights_share_nothing() -> None:
    kept = KeptAnswers()
    reading = Caller("root", admin=True, readonly=True)
    assert kept.get(key(ROOT), 7) is None
    kept.put(key(ROOT), 7, b"root's")
    assert kept.get(key(ROOT), 7) == b"root's"
    assert kept.get(key(reading), 7) is None
