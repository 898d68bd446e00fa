"""The Python client, and the examples that use it."""

from __future__ import annotations

import asyncio
import select
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from haas_console.client import (
    AsyncClient,
    Client,
    HaasError,
    InventoryEvent,
    JobFailedError,
    NoDaemonError,
    Node,
    Project,
    RpcError,
)
from tests.batch.conftest import ROOT

pytestmark = pytest.mark.slow

if TYPE_CHECKING:
    from tests.batch.conftest import Daemon, Program


@pytest.fixture
def haas(demo_daemon: Daemon) -> Iterator[Client]:
    """The plain client, connected to the demo."""
    with Client(socket=str(demo_daemon.socket)) as client:
        yield client


def test_lists_are_typed_and_read_page_by_page(haas: Client) -> None:
    every = list(haas.list(Node, "node.list"))
    paged = list(haas.list(Node, "node.list", limit=3))
    assert [node.node for node in paged] == [node.node for node in every]
    assert len(every) > 3
    assert haas.get(Node, "node.show", node=every[0].node) == every[0]
    assert next(haas.list(Node, "node.list", limit=1)) == every[0]  # the rest is not read


def test_what_is_refused_has_a_kind_and_a_sentence(haas: Client) -> None:
    with pytest.raises(RpcError) as refused:
        haas.call("node.show", node="nobody")
    assert (refused.value.kind, str(refused.value)) == ("not_found", "There is no node nobody.")
    with pytest.raises(RpcError) as refused:
        haas.call("project.create", project="with space")
    assert refused.value.kind == "invalid_params"
    with pytest.raises(HaasError, match="the daemon's answer is no Project"):
        haas.get(Project, "system.info")


def test_an_apply_waits_for_its_end_and_a_stale_plan_is_refused(haas: Client) -> None:
    node = next(haas.list(Node, "node.list", free=True))
    haas.call("project.create", project="client")
    haas.call("node.allocate", project="client", node=node.node)
    haas.call("network.create", project="client", network="net")
    empty = haas.plan("client")
    haas.call("nic.connect", node=node.node, nic="primary-nic", network="net")
    haas.call("project.create", project="guest")
    haas.call("network.share", project="client", network="net", with_="guest")
    with pytest.raises(RpcError) as stale:
        haas.apply("client", digest="0" * 16)
    assert (empty.empty, stale.value.kind) == (True, "stale_plan")
    number = haas.start("client", target=node.node)
    events = list(haas.job_events(number))
    job = haas.wait(number)
    assert (job.state, job.target, job.done) == ("succeeded", node.node, job.total)
    assert [event.seq for event in events] == sorted(event.seq for event in events)
    assert list(haas.job_events(number)) == []  # it has ended
    assert haas.plan("client").empty


def test_several_threads_may_call_at_the_same_time(haas: Client) -> None:
    nodes = [node.node for node in haas.list(Node, "node.list")]
    found: list[str] = []

    def show(name: str) -> None:
        found.append(haas.get(Node, "node.show", node=name).node)

    threads = [threading.Thread(target=show, args=(name,)) for name in nodes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == sorted(nodes)


def test_a_closed_client_says_so_and_leaves_no_thread(demo_daemon: Daemon) -> None:
    before = threading.active_count()
    client = Client(socket=str(demo_daemon.socket))
    client.close()
    client.close()  # once more does no harm
    assert threading.active_count() == before
    with pytest.raises(RuntimeError, match="this client is closed"):
        client.call("system.info")


def test_no_daemon_is_an_error_with_what_to_do(offline: Program) -> None:
    before = threading.active_count()
    with pytest.raises(NoDaemonError, match=r"no daemon on socket .*Start haas-rpcd"):
        Client(socket=str(offline.socket))
    assert threading.active_count() == before


def test_a_job_that_fails_raises_with_its_reason(beside: Program) -> None:
    beside.json(
        "switch register dead cisco_ios 127.0.0.1 --port 1 --credential any",
        "port register dead Gi1/0/1",
    )
    with Client(socket=str(beside.socket)) as haas, pytest.raises(JobFailedError) as failed:
        haas.apply()
    assert failed.value.job["state"] == "failed"
    assert str(failed.value).startswith(f"job {failed.value.job['job']} failed: dead")


async def test_the_asynchronous_client_follows_events(demo_daemon: Daemon) -> None:
    async with await AsyncClient.connect(socket=str(demo_daemon.socket)) as haas:
        events = haas.events()
        first = asyncio.create_task(anext(events))
        while not first.done():  # subscribed at some moment from now on
            await haas.call("project.create", project="followed-events")
            await haas.call("project.delete", project="followed-events")
            await asyncio.wait({first}, timeout=0.1)
        event = await first
        assert isinstance(event, InventoryEvent)
        assert (event.noun, event.name) == ("project", "followed-events")
        await events.aclose()  # type: ignore[attr-defined]


# --- the examples ---------------------------------------------------------------------------------


def example(console: Program, name: str, *args: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(ROOT / "examples" / "client" / name), *args],
        env=console.environ,
        cwd=console.folder,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


@pytest.mark.slow
def test_the_examples_take_nodes_and_watch_that(console: Program) -> None:
    console.json("project create example")
    watching = example(console, "watch_project.py", "example")
    assert watching.stdout is not None
    while not select.select([watching.stdout], [], [], 0)[0]:  # it watches from some moment on
        console.json("network create example seen", "network delete example seen")
    assert watching.stdout.readline().startswith("network seen: ")
    taking = example(console, "take_nodes.py", "example", "net", "2")
    out, err = taking.communicate(timeout=60)
    assert (taking.returncode, err) == (0, "")
    taken = out.split()
    held = console.json("node list --project example")[0]["items"]
    assert sorted(node["node"] for node in held) == sorted(taken)
    assert console("plan", "example").stdout == "nothing to do\n"
    while not (line := watching.stdout.readline()).endswith(": succeeded\n"):
        assert line
    watching.terminate()
    watching.communicate(timeout=60)

    failed = example(console, "take_nodes.py", "example", "net", "1000")
    out, err = failed.communicate(timeout=60)
    assert (failed.returncode, out) == (1, "")
    assert "Traceback" not in err
