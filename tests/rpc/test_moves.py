"""Headnodes in service move to another hypervisor: stopped, copied, started, and only then removed.

Whatever fails on the way, never do two machines with the same MAC run.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from haas_rpcd.sim.copies import SimCopyDriver
from haas_rpcd.sim.host import SimHost
from haas_rpcd.sim.hostnet import SimNetworkDriver
from haas_rpcd.sim.hypervisor import SimHypervisorDriver
from tests.rpc.small_site import Prepared, SmallSite, small_site, states
from tests.rpc.test_hypervisors import HV2, headnode_on, state
from tests.rpc.test_reboot import until

pytestmark = pytest.mark.slow

DESK = {"project": "red", "headnode": "desk"}


@pytest.fixture
async def site(tmp_path: Path, prepared: Prepared) -> AsyncIterator[SmallSite]:
    """Red's headnode desk runs on the master, and something was written to its disk."""
    async with small_site(tmp_path, prepared) as site:
        await site.call("hypervisor.register", **HV2)
        await site.network("red", "net")
        await headnode_on(site, "master", "desk")
        await site.succeeds("red")
        site.host.domain("red/desk").disk = "thesis"
        yield site


def hv2(site: SmallSite) -> SimHost:
    return site.remotes.host("hv2")


def places(site: SmallSite) -> list[str]:
    """Return where a domain of desk is, and whether it runs there."""
    return [
        f"{name} {'on' if domain.live is not None else 'off'}"
        for name, host in (("master", site.host), ("hv2", hv2(site)))
        for domain in host.domains.values()
        if domain.headnode == "red/desk"
    ]


async def stage(site: SmallSite, to: str = "hv2") -> dict[str, Any]:
    shown: dict[str, Any] = await site.call("headnode.move", **DESK, hypervisor=to)
    return shown


async def test_a_headnode_moves_with_its_disk_and_its_macs(site: SmallSite) -> None:
    before = await site.call("headnode.show", **DESK)
    staged = await stage(site)
    assert staged == before | {"moving_to": "hv2"}
    steps = (await site.call("plan.show", project="red"))["steps"]
    assert [(s["device"], s["kind"]) for s in steps if s["device"] != "sw1"] == [
        ("copy:hv2", "headnode.prepare"),
        ("hv2", "bridge.create"),
        ("libvirt", "headnode.stop"),
        ("copy:hv2", "headnode.copy"),
        ("libvirt:hv2", "headnode.start"),
        ("libvirt", "headnode.delete"),
        ("master", "bridge.delete"),
    ]
    assert "copy headnode red/desk and its disk from master to hv2" in {s["summary"] for s in steps}

    await site.succeeds("red")

    assert places(site) == ["hv2 on"]
    assert hv2(site).domain("red/desk").disk == "thesis"
    assert (site.host.bridges, hv2(site).bridges) == (set(), {100})
    after = await site.call("headnode.show", **DESK)
    assert after == before | {"hypervisor": "hv2"}
    assert (await site.call("hypervisor.show", hypervisor="hv2"))["headnodes"] == 1

    await stage(site, "master")
    await site.succeeds("red")
    assert places(site) == ["master on"]
    assert site.host.domain("red/desk").disk == "thesis"
    assert (await site.call("hypervisor.delete", hypervisor="hv2"))["deleted"]


async def test_one_that_is_off_stays_off_and_gets_its_new_networks(site: SmallSite) -> None:
    await site.call("headnode.stop", **DESK)
    await site.network("red", "storage")
    await site.call("headnode.connect", **DESK, network="storage")
    await stage(site)
    await site.succeeds("red")
    assert places(site) == ["hv2 off"]
    assert {nic.vlan for nic in hv2(site).domain("red/desk").nics} == {100, 101}


async def test_a_move_is_taken_back_before_it_is_applied(site: SmallSite) -> None:
    await stage(site)
    assert (await site.refused("hypervisor.delete", hypervisor="hv2")).kind == "conflict"
    shown = await stage(site, "master")
    assert shown["moving_to"] is None
    assert (await site.call("plan.show", project="red"))["empty"]
    assert (await site.refused("headnode.move", **DESK, hypervisor="hv9")).kind == "not_found"


async def test_what_cannot_be_copied_is_not_even_stopped(site: SmallSite) -> None:
    hv2(site).images.clear()
    site.host.images.clear()  # from where it would be copied
    await stage(site)
    job = await site.apply("red")
    assert job["state"] == "failed"
    assert "There is no domain base-headnode on hv2" in job["error"]
    assert "reads back" not in job["error"]
    assert states(job, "libvirt") == ["skipped", "skipped"]
    assert places(site) == ["master on"]
    assert await state(site, "desk") == "running"


async def test_without_its_networks_at_the_new_place_it_is_not_stopped(site: SmallSite) -> None:
    hv2(site).trunk_missing = True
    await stage(site)
    job = await site.apply("red")
    assert job["state"] == "failed"
    assert places(site) == ["master on"]
    assert "copy:hv2" in {step["device"] for step in job["steps"] if step["state"] == "skipped"}


class Watch:
    """Does something once, while a headnode is being copied, or right after that."""

    def __init__(self, site: SmallSite) -> None:
        self.target = hv2(site)
        self.target.seconds = 0.3

    async def copying(self) -> None:
        async def begun() -> bool:
            return any(not domain.whole for domain in self.target.domains.values())

        await until(begun)


async def test_a_copy_that_fails_leaves_it_running_where_it_was(site: SmallSite) -> None:
    await stage(site)
    watch = Watch(site)
    job = await site.begin("red")
    await watch.copying()
    watch.target.libvirt_down = True
    ended = await site.finished(job)

    assert ended["state"] == "failed"
    assert "libvirt on hv2 cannot be reached" in ended["error"]
    again = ended["steps"][-1]
    assert (again["device"], again["kind"], again["state"]) == ("libvirt", "headnode.start", "done")
    assert "start headnode red/desk again" in again["summary"]
    assert places(site) == ["master on", "hv2 off"]
    assert await state(site, "desk") == "running"

    watch.target.start_libvirt()
    watch.target.seconds = 0.0
    await site.succeeds("red")
    assert places(site) == ["hv2 on"]
    assert hv2(site).domain("red/desk").disk == "thesis"


async def test_what_a_copy_left_goes_if_the_move_is_taken_back(site: SmallSite) -> None:
    await stage(site)
    watch = Watch(site)
    job = await site.begin("red")
    await watch.copying()
    await site.call("job.cancel", job=job)
    watch.target.libvirt_down = True
    await site.finished(job)
    watch.target.start_libvirt()
    assert await state(site, "desk") == "running"

    await stage(site, "master")
    [left] = [
        step
        for step in (await site.call("plan.show", project="red"))["steps"]
        if step["device"] == "libvirt:hv2"
    ]
    assert left["summary"] == "delete what is left of headnode red/desk on hv2"
    await site.succeeds("red")
    assert places(site) == ["master on"]
    assert hv2(site).bridges == set()


async def test_one_that_cannot_start_at_its_new_place_is_not_removed(site: SmallSite) -> None:
    await stage(site)
    target = hv2(site)
    watch = Watch(site)
    job = await site.begin("red")
    await watch.copying()
    target.bridges.clear()  # somebody removes it by hand, and nobody has seen that yet
    ended = await site.finished(job)
    assert ended["state"] == "failed"
    assert places(site) == ["master off", "hv2 off"]
    assert await state(site, "desk") == "stopped"
    target.seconds = 0.0
    target.report("master")

    async def is_back() -> bool:
        return target.bridges == {100}

    await until(is_back)
    await site.succeeds("red")
    assert places(site) == ["hv2 on"]


async def test_a_source_that_dies_meanwhile_is_cleaned_when_it_is_back(site: SmallSite) -> None:
    await stage(site)
    await site.succeeds("red")
    await stage(site, "master")
    site.host.seconds = 0.3
    job = await site.begin("red")

    async def copied() -> bool:
        return any(domain.whole for domain in site.host.domains.values())

    await until(copied)
    hv2(site).die()
    ended = await site.finished(job)
    assert ended["state"] == "failed"
    assert site.host.domain("red/desk").running
    shown = await site.call("headnode.show", **DESK)
    assert (shown["hypervisor"], shown["moving_to"]) == ("master", None)
    assert (await site.refused("hypervisor.delete", hypervisor="hv2")).kind == "conflict"

    hv2(site).come_back()
    site.host.seconds = 0.0
    await site.succeeds("red")
    assert places(site) == ["master on"]


async def test_a_headnode_that_moves_can_be_deleted(site: SmallSite) -> None:
    await stage(site)
    await site.call("headnode.delete", **DESK)
    await site.succeeds("red")
    assert places(site) == []


async def test_a_hypervisor_that_is_retired_gets_nothing_more(site: SmallSite) -> None:
    await stage(site)
    hv2(site).die()
    await site.call("hypervisor.retire", hypervisor="hv2", force=True)
    shown = await site.call("headnode.show", **DESK)
    assert (shown["state"], shown["moving_to"]) == ("running", None)
    refusal = await site.refused("headnode.move", **DESK, hypervisor="hv2")
    assert "is retired" in refusal.message


async def test_one_whose_domain_is_gone_is_made_anew_elsewhere(site: SmallSite) -> None:
    await stage(site)
    site.host.undefine("red/desk")

    async def missing() -> bool:
        return await state(site, "desk") == "missing"

    await until(missing)
    failed = await site.apply("red")
    assert "is gone from master" in failed["error"]
    shown = await stage(site)
    assert (shown["state"], shown["hypervisor"]) == ("staged", "hv2")
    await site.succeeds("red")
    assert places(site) == ["hv2 on"]


class Deadly:
    """Counts what is about to be changed on hypervisors and what was, and stops at one of that."""

    def __init__(self, site: SmallSite) -> None:
        self.site = site
        self.at: int | None = None
        self.passed = 0
        self.reached = asyncio.Event()
        self.most_running = 0

    def arm(self, at: int) -> None:
        self.at, self.passed = at, 0
        self.reached.clear()

    def wrap(self, carry_out: Any) -> Any:
        async def wrapped(driver: Any, change: Any, report: Any) -> None:
            await self.point()
            await carry_out(driver, change, report)
            await self.point()

        return wrapped

    async def point(self) -> None:
        running = [place for place in places(self.site) if place.endswith(" on")]
        self.most_running = max(self.most_running, len(running))
        self.passed += 1
        if self.at is not None and self.passed > self.at:
            self.reached.set()
            await asyncio.Event().wait()


@pytest.mark.slow
async def test_a_daemon_that_dies_at_any_change_moves_it_all_the_same(
    site: SmallSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    deadly = Deadly(site)
    for driver in (SimCopyDriver, SimHypervisorDriver, SimNetworkDriver):
        monkeypatch.setattr(driver, "carry_out", deadly.wrap(driver.carry_out))
    died = 0
    for point in range(20):
        to = "hv2" if point % 2 == 0 else "master"
        await stage(site, to)
        deadly.arm(point)
        job = await site.begin("red")
        ended = asyncio.create_task(site.call("job.wait", job=job, timeout=30))
        dies = asyncio.create_task(deadly.reached.wait())
        await asyncio.wait({ended, dies}, return_when=asyncio.FIRST_COMPLETED)
        died += deadly.reached.is_set()
        deadly.at = None
        ended.cancel()
        dies.cancel()
        await site.restart()
        await site.finished(job)
        await site.succeeds("red")
        assert places(site) == [f"{to} on"], f"it died at point {point}"
        assert await site.rows("SELECT * FROM headnode_copy") == []
    assert died == 14, "seven changes: before and after each"
    assert deadly.most_running == 1
    host = site.host if to == "master" else hv2(site)
    assert host.domain("red/desk").disk == "thesis"


async def test_a_daemon_that_dies_while_it_copies_begins_the_copy_again(site: SmallSite) -> None:
    await stage(site)
    watch = Watch(site)
    job = await site.begin("red")
    await watch.copying()
    await site.restart()
    ended = await site.finished(job)
    assert ended["state"] == "succeeded", ended["error"]
    assert "delete what is left of headnode red/desk on hv2" in {
        step["summary"] for step in ended["steps"]
    }
    assert places(site) == ["hv2 on"]
    assert hv2(site).domain("red/desk").disk == "thesis"
