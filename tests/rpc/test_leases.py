"""Quotas, allocations that end by themselves, and the command that a release waits for."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from haas_rpcd.engine.leases import Leases
from haas_rpcd.errors import ConflictError, HaasError
from haas_rpcd.holding import LeaseSettings, ReleaseSettings
from tests.rpc.listening import listening
from tests.rpc.small_site import NOTHING, Prepared, SmallSite, access, small_site

pytestmark = pytest.mark.slow

HOUR = 3600.0


def at(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


class Clocks:
    """A wall clock that can be set, and one that only goes on."""

    def __init__(self) -> None:
        self.wall = time.time()
        self.steady = 1000.0

    def pass_(self, seconds: float) -> None:
        self.wall += seconds
        self.steady += seconds


class Watched:
    """A site whose leases are looked at when the test says so."""

    def __init__(self, site: SmallSite, clocks: Clocks) -> None:
        self.site = site
        self.clocks = clocks
        daemon = site.daemon
        self.leases = Leases(
            daemon.store, daemon.events, daemon.engine.jobs.enqueue,
            warn=HOUR, grace=600.0, hook=False,
            wall=lambda: clocks.wall, steady=lambda: clocks.steady,
        )  # fmt: skip

    async def after(self, seconds: float) -> str:
        """Let time pass, look at the leases, and return node-1's state."""
        self.clocks.pass_(seconds)
        return await self.now()

    async def now(self) -> str:
        await self.leases.check()
        return str((await self.site.call("node.show", node="node-1"))["state"])


@pytest.fixture
async def leased(site: SmallSite) -> AsyncIterator[Watched]:
    """Red has node-1 for two hours, and it is on a network."""
    watched = Watched(site, Clocks())
    until = at(watched.clocks.wall + 2 * HOUR)
    rita = site.tenant("rita")
    await rita.call("node.allocate", project="red", node="node-1", until=until)
    await site.network("red", "net")
    await site.connect("node-1", "net")
    await site.succeeds("red")
    yield watched


async def until_free(site: SmallSite) -> None:
    async with asyncio.timeout(20):
        while (await site.call("node.show", node="node-1"))["state"] != "free":
            [job, *_] = (await site.call("job.list", project="red"))["items"]
            await site.call("job.wait", job=job["job"], timeout=5)


async def test_a_node_is_released_at_the_end_of_its_lease(leased: Watched) -> None:
    site = leased.site
    assert await leased.after(2 * HOUR - 1) == "allocated"
    assert await leased.after(2) in ("releasing", "free")
    await until_free(site)
    assert site.carried("node-1") == NOTHING
    [job, *_] = (await site.call("job.list", project="red"))["items"]
    assert (job["kind"], job["user"]) == ("release", "haas-rpcd")


@pytest.mark.parametrize("never", [None, "never"])
async def test_a_lease_is_lifted(leased: Watched, never: str | None) -> None:
    rita = leased.site.tenant("rita")
    shown = await rita.call("node.extend", node="node-1", until=never)
    assert shown["until"] is None
    assert await leased.after(1000 * HOUR) == "allocated"


async def test_its_end_is_warned_of_once_and_shown(leased: Watched) -> None:
    async with listening(leased.site) as client:
        await client.call("events.subscribe")
        for seconds in (HOUR - 1, 2, 2):
            await leased.after(seconds)
        await leased.site.call("node.register", node="node-9", nics=[])
        await client.until(lambda _, event: event["name"] == "node-9")
        verbs = [e["verb"] for _, e in client.received if e["name"] == "node-1"]
    assert verbs == ["expiring"]
    shown = await leased.site.call("node.show", node="node-1")
    assert shown["until"].endswith("Z")


async def test_it_is_extended(leased: Watched) -> None:
    rita = leased.site.tenant("rita")
    until = at(leased.clocks.wall + 5 * HOUR)
    assert (await rita.call("node.extend", node="node-1", until=until))["until"] is not None
    assert await leased.after(4 * HOUR) == "allocated"
    assert await leased.after(2 * HOUR) != "allocated"


async def test_a_clock_that_jumps_ahead_releases_nothing_at_once(leased: Watched) -> None:
    """Whoever set it wrong has ten minutes; and when it is right again, nothing was lost."""
    leased.clocks.wall += 1e8
    assert await leased.now() == "allocated"
    assert await leased.after(300) == "allocated"
    leased.clocks.wall -= 1e8
    assert await leased.after(600) == "allocated"
    leased.clocks.wall += 1e8
    assert await leased.now() == "allocated"
    assert await leased.after(601) != "allocated"


async def test_what_ended_while_the_daemon_was_not_running_is_kept_for_a_while(
    leased: Watched,
) -> None:
    leased.clocks.pass_(10 * HOUR)
    restarted = Watched(leased.site, leased.clocks)
    assert await restarted.now() == "allocated"
    assert await restarted.after(601) != "allocated"


async def test_the_daemon_watches_by_itself(tmp_path: Path, prepared: Prepared) -> None:
    async with small_site(tmp_path, prepared, leases=LeaseSettings(warn=1.0)) as site:
        await site.call("node.allocate", project="red", node="node-1", until=at(time.time() + 0.3))
        async with listening(site) as client:
            await client.call("events.subscribe")
            if (await site.call("node.show", node="node-1"))["state"] != "free":
                await client.until(lambda _, e: (e["name"], e["verb"]) == ("node-1", "freed"))


async def test_a_lease_in_the_past_is_refused(site: SmallSite) -> None:
    for until in ("2020-01-01T00:00:00Z", "soon"):
        error = await site.refused("node.allocate", project="red", node="node-1", until=until)
        assert error.data["field"] == "until"
    assert (await site.call("node.show", node="node-1"))["state"] == "free"


# --- quotas ---------------------------------------------------------------------------------------


async def test_a_project_holds_no_more_than_its_quota(site: SmallSite) -> None:
    shown = await site.call("project.set_quota", project="red", nodes=1, networks=1, headnodes=0)
    assert shown["quota"] == {"nodes": 1, "networks": 1, "headnodes": 0}
    await site.hold_nodes("red", "node-1")
    await site.network("red", "net")
    for method, params in (
        ("node.allocate", {"node": "node-2"}),
        ("node.allocate", {"count": 2}),
        ("network.create", {"network": "more"}),
        ("headnode.create", {"headnode": "head"}),
    ):
        error = await site.refused(method, project="red", **params)
        assert error.kind == "exhausted", method
        assert "or ask an admin for more" in error.message
    await site.call("project.set_quota", project="red", nodes=-1)
    await site.hold_nodes("red", "node-2")
    await site.hold_nodes("blue", "node-3")


async def test_calls_at_the_same_time_do_not_overtake_a_quota(site: SmallSite) -> None:
    await site.call("project.set_quota", project="red", nodes=1, networks=1, headnodes=1)
    rita = site.tenant("rita")
    wanted = [
        *(("node.allocate", {"node": f"node-{number}"}) for number in range(1, 5)),
        *(("network.create", {"network": name}) for name in ("a", "b", "c")),
        *(("headnode.create", {"headnode": name}) for name in ("a", "b", "c")),
    ]
    calls = (rita.call(method, project="red", **params) for method, params in wanted)
    refused = [
        said
        for said in await asyncio.gather(*calls, return_exceptions=True)
        if isinstance(said, HaasError)
    ]
    assert [error.kind for error in refused] == ["exhausted"] * 7
    shown = await rita.call("project.show", project="red")
    assert (shown["nodes"], shown["networks"], shown["headnodes"]) == (1, 1, 1)


async def test_a_project_has_only_so_many_jobs_waiting(site: SmallSite) -> None:
    """Each is planned in its turn, and resumed by the next daemon; a release is never refused."""
    await site.hold_nodes("red", "node-1", "node-2")
    await site.network("red", "net")
    await site.connect("node-1", "net")
    await site.connect("node-2", "net")
    await site.succeeds("red")
    site.switches["sw1"].faults.line_delay = 0.5  # the first job takes long
    rita = site.tenant("rita")
    jobs = [(await rita.call("node.release", node="node-1"))["job"]]
    while len(jobs) < 150:
        try:
            jobs.append((await rita.call("apply.start", project="red"))["job"])
        except HaasError as error:
            assert error.kind == "limited"
            assert "jobs of this project wait already" in error.message
            break
    assert 100 <= len(jobs) <= 102
    for method, params in (
        ("drift.repair", {"project": "red"}),
        ("node.release", {"node": "node-1"}),
    ):
        with pytest.raises(HaasError, match="jobs of this project wait already"):
            await rita.call(method, **params)
    await rita.call("node.release", node="node-2")
    assert (await site.tenant("bob").call("apply.start", project="blue"))["job"]
    site.switches["sw1"].faults.line_delay = 0.0
    for job in jobs[1:]:
        with contextlib.suppress(ConflictError):  # it has ended already
            await rita.call("job.cancel", job=job)


async def test_vlan_ids_that_are_not_free_yet_count(site: SmallSite) -> None:
    """Otherwise a tenant could use up the pool by deleting networks that it never applies."""
    await site.call("project.set_quota", project="red", networks=1)
    await site.hold_nodes("red", "node-1")
    await site.network("red", "net")
    await site.connect("node-1", "net")
    await site.succeeds("red")
    await site.call("nic.disconnect", node="node-1", nic="eth0")
    await site.call("network.delete", project="red", network="net")
    assert (await site.refused("network.create", project="red", network="two")).kind == "exhausted"
    await site.succeeds("red")
    await site.network("red", "two")


# --- the release command --------------------------------------------------------------------------


@pytest.fixture
async def wiping(tmp_path: Path, prepared: Prepared) -> AsyncIterator[SmallSite]:
    """A site whose nodes are wiped by a script, which a test writes."""
    script = tmp_path / "wipe"
    write(script, "exit 0")
    release = ReleaseSettings(command=[str(script), "--fast"], timeout=5.0)
    async with small_site(tmp_path, prepared, release=release) as site:
        await site.hold_nodes("red", "node-1")
        await site.network("red", "net")
        await site.connect("node-1", "net")
        await site.succeeds("red")
        yield site


def write(script: Path, body: str) -> None:
    script.write_text(f"#!/bin/sh\n{body}\n")
    script.chmod(0o700)


async def released(site: SmallSite) -> dict[str, Any]:
    return await site.finished((await site.call("node.release", node="node-1"))["job"])


async def test_a_node_is_wiped_before_it_is_free(wiping: SmallSite) -> None:
    write(wiping.folder / "wipe", 'echo "wiped $* $HAAS_NODE of $HAAS_PROJECT"')
    job = await released(wiping)
    assert job["state"] == "succeeded"
    assert job["hook"]["outcome"] == "succeeded"
    assert job["hook"]["output"] == "wiped --fast node-1 node-1 of red\n"
    assert (await wiping.call("node.show", node="node-1"))["state"] == "free"
    assert wiping.carried("node-1") == NOTHING


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        ("echo secret-address; exit 3", "exited with 3"),
        ("sleep 60 & sleep 60", "did not end within 0.3 s"),
    ],
)
async def test_a_node_whose_wiping_fails_stays_held(
    tmp_path: Path, prepared: Prepared, body: str, outcome: str
) -> None:
    """Its ports stay as they are, and only admins see the output."""
    script = tmp_path / "wipe"
    write(script, body)
    release = ReleaseSettings(command=[str(script)], timeout=0.3 if "sleep" in body else 5.0)
    async with small_site(tmp_path, prepared, release=release) as site:
        await site.hold_nodes("red", "node-1")
        await site.network("red", "net")
        await site.connect("node-1", "net")
        await site.succeeds("red")
        job = await released(site)
        assert (job["state"], job["hook"]["outcome"]) == ("failed", outcome)
        assert "The release command for node node-1 has not succeeded" in job["error"]
        seen = await site.tenant("rita").call("job.show", job=job["job"])
        assert seen["hook"] is None
        assert "secret-address" not in str(seen)
        assert (await site.call("node.show", node="node-1"))["state"] == "releasing"
        assert site.carried("node-1") == access(100)
        write(script, "exit 0")
        assert (await released(site))["state"] == "succeeded"
        assert (await site.call("node.show", node="node-1"))["state"] == "free"


async def test_a_job_cancelled_during_the_release_command_ends_at_once(wiping: SmallSite) -> None:
    """What the command started is killed as well; the node stays held."""
    site, pid = wiping, wiping.folder / "pid"
    os.mkfifo(pid)
    write(site.folder / "wipe", f"sleep 600 & echo $! >{pid}; wait")
    begun = await site.call("node.release", node="node-1")
    started = int(await asyncio.to_thread(pid.read_text))
    await site.call("job.cancel", job=begun["job"])
    job = await site.finished(begun["job"])
    assert job["state"] == "cancelled"
    assert "the release command was ended" in job["error"]
    assert not _runs(started)
    assert (await site.call("node.show", node="node-1"))["state"] == "releasing"
    write(site.folder / "wipe", "exit 0")
    assert (await released(site))["state"] == "succeeded"


def _runs(pid: int) -> bool:
    """Return whether a process runs; a zombie that nobody waited for yet does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def test_a_node_whose_ports_are_parked_is_wiped_too(
    tmp_path: Path, prepared: Prepared
) -> None:
    script = tmp_path / "wipe"
    write(script, "touch ${0%wipe}wiped")
    async with small_site(
        tmp_path, prepared, release=ReleaseSettings(command=[str(script)])
    ) as site:
        await site.hold_nodes("red", "node-1")
        assert (await released(site))["state"] == "succeeded"
        assert (tmp_path / "wiped").exists()
        assert (await site.call("node.show", node="node-1"))["state"] == "free"


async def test_a_node_that_changes_hands_carries_nothing_along(site: SmallSite) -> None:
    """Blue sees of it what it saw before red had it, and red's jobs not at all."""
    bob = site.tenant("bob")
    before = await bob.call("node.show", node="node-1")
    until = at(time.time() + HOUR)
    await site.call("node.allocate", project="red", node="node-1", until=until)
    await site.network("red", "red-secret")
    await site.connect("node-1", "red-secret")
    await site.succeeds("red")
    await site.finished((await site.call("node.release", node="node-1"))["job"])
    assert await bob.call("node.show", node="node-1") == before
    await bob.call("node.allocate", project="blue", node="node-1")
    held = await bob.call("node.show", node="node-1")
    assert held == {**before, "state": "allocated", "project": "blue"}
    everything = [await bob.call(f"{noun}.list") for noun in ("node", "network", "job")]
    everything.append(await bob.call("audit.list", project="blue"))
    assert "red" not in str(everything)
