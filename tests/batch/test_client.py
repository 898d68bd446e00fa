"""The client's connection: concurrent calls, notifications, and loss of the daemon."""

from __future__ import annotations

import asyncio
import signal
import time
from typing import TYPE_CHECKING

import pytest

from haas_console.core import jobs
from haas_console.core.client import Client
from haas_console.core.config import Endpoint
from haas_console.core.errors import JobFailedError, LostDaemonError, RpcError

pytestmark = pytest.mark.slow

if TYPE_CHECKING:
    from tests.batch.conftest import Daemon, Program


def _endpoint(daemon: Daemon) -> Endpoint:
    return Endpoint(str(daemon.socket), None, "the test")


async def test_many_concurrent_calls_each_get_their_own_answer(demo_daemon: Daemon) -> None:
    client = await Client.connect(_endpoint(demo_daemon))
    nodes = [item["node"] for item in (await client.call("node.list"))["items"]]
    shown = await asyncio.gather(*(client.call("node.show", {"node": node}) for node in nodes * 5))
    assert [record["node"] for record in shown] == nodes * 5
    await client.close()


async def test_a_refusal_has_the_daemon_s_sentence(demo_daemon: Daemon) -> None:
    client = await Client.connect(_endpoint(demo_daemon))
    with pytest.raises(RpcError) as caught:
        await client.call("node.show", {"node": "no-such-node"})
    assert caught.value.kind == "not_found"
    assert "no-such-node" in str(caught.value)
    await client.close()


async def test_a_subscriber_is_notified_of_changes_by_others(demo_daemon: Daemon) -> None:
    watching, working = [await Client.connect(_endpoint(demo_daemon)) for _ in range(2)]
    with watching.notifications() as inbox:
        await watching.call("events.subscribe")
        await working.call("project.create", {"project": "news"})
        async with asyncio.timeout(60):
            method, params = await inbox.get()
    assert method == "inventory.event"
    assert (params["noun"], params["name"]) == ("project", "news")
    await asyncio.gather(watching.close(), working.close())


async def test_a_job_is_followed_to_its_end_and_can_be_followed_afterwards(
    demo_daemon: Daemon, console: Program
) -> None:
    node = console.free_node()
    console.json("project create followed", f"node allocate followed {node}")
    console.json("network create followed net", f"connect {node}:primary-nic net")
    client = await Client.connect(_endpoint(demo_daemon))
    job = (await client.call("apply.start", {"project": "followed"}))["job"]
    view = [view async for view in jobs.follow(client, job)][-1]
    assert jobs.outcome(view)["done"] == view.done > 0
    assert view.begun.keys() == view.ended.keys() == view.steps.keys()
    assert view.record["finished"] is not None
    late = [view.state async for view in jobs.follow(client, job)]
    assert late == ["succeeded"]
    await client.close()


async def test_pending_calls_fail_when_the_daemon_dies(own_daemon: Daemon) -> None:
    client = await Client.connect(_endpoint(own_daemon))
    calls = [asyncio.ensure_future(client.call("system.info")) for _ in range(3)]
    own_daemon.process.kill()
    answers = await asyncio.gather(*calls, return_exceptions=True)
    with client.notifications() as inbox, pytest.raises(LostDaemonError):
        await inbox.get()
    assert client.lost
    with pytest.raises(LostDaemonError, match=r"^the daemon on socket \S+ went away$"):
        await client.call("system.info")
    # Some calls may have been answered before the daemon died; none may hang.
    assert all(isinstance(answer, dict | LostDaemonError) for answer in answers)
    await client.close()


async def test_a_connection_that_closes_during_a_call_is_reported_in_a_sentence(
    own_daemon: Daemon,
) -> None:
    client = await Client.connect(_endpoint(own_daemon))
    await client._ws.close()  # this end, so that sending the call fails
    with pytest.raises(LostDaemonError, match=r"^the daemon on socket \S+ went away$"):
        await client.call("system.info")
    await client.close()


async def test_a_missing_answer_is_reported_with_the_time_limit(own_daemon: Daemon) -> None:
    client = await Client.connect(_endpoint(own_daemon))
    own_daemon.process.send_signal(signal.SIGSTOP)
    try:
        with pytest.raises(LostDaemonError, match=r"did not answer system\.info within 0\.3 s"):
            await client.call("system.info", timeout=0.3)
    finally:
        own_daemon.process.send_signal(signal.SIGCONT)
    info = await client.call("system.info")
    assert info["name"] == "haas-rpcd"  # the late answer does not confuse it
    await client.close()


async def test_an_answer_that_came_while_the_console_was_stopped_is_read(
    demo_daemon: Daemon,
) -> None:
    """As after ^Z and fg: the time limit is over, and the answer lies in the socket."""
    client = await Client.connect(_endpoint(demo_daemon))
    asyncio.get_running_loop().call_soon(time.sleep, 3.0)
    assert (await client.call("system.info", timeout=0.3))["name"] == "haas-rpcd"
    await client.close()


def test_a_failed_job_names_each_device_once() -> None:
    steps = [
        {"device": "sw1", "state": "failed", "message": "cut off"},
        {"device": "sw1", "state": "failed", "message": "cut off"},
        {"device": "sw2", "state": "done", "message": None},
    ]
    job = {"job": 7, "state": "failed", "error": "2 steps failed", "steps": steps}
    assert str(JobFailedError(job)) == "job 7 failed: 2 steps failed\n  sw1: cut off"
    assert str(JobFailedError({**job, "error": "sw1: cut off"})) == "job 7 failed: sw1: cut off"
