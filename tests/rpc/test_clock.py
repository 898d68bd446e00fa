"""Whether a switch restarted depends neither on the time of day nor on who sets it."""

from __future__ import annotations

from typing import Any

import pytest

from haas_rpcd.boottime import Moment
from haas_rpcd.clock import Clock
from haas_rpcd.engine.restarts import restarted
from haas_rpcd.registered import Uptime
from haas_rpcd.store.retention import Dates
from haas_rpcd.store.switches import UptimeRow
from tests.rpc.small_site import NOTHING, Prepared, SmallSite, access, small_site

HOUR, DAY, YEAR = 3600.0, 86400.0, 365 * 86400.0
MINUTES = 60.0


class SetClock(Clock):
    """A clock that somebody sets (``wall``), on a master that is rebooted (``boot``)."""

    def __init__(self) -> None:
        self.set_by = 0.0
        self.passed = 0.0
        self.boot = "first boot"

    def wall(self) -> float:
        return super().wall() + self.passed + self.set_by

    def now(self) -> Moment:
        return Moment(self.boot, super().now().seconds + self.passed)


@pytest.fixture
async def in_use(tmp_path: Any, prepared: Prepared) -> Any:
    """Red's node-1 is on its network; its switch was up for a day when it was last seen."""

    def set_clock(site: SmallSite) -> None:
        site.clock = SetClock()
        site.switches["sw1"].booted -= DAY

    async with small_site(tmp_path, prepared, before=set_clock) as site:
        await site.hold_nodes("red", "node-1")
        await site.network("red", "net")
        await site.connect("node-1", "net")
        await site.succeeds("red")
        yield site


def clock_of(site: SmallSite) -> SetClock:
    assert isinstance(site.clock, SetClock)
    return site.clock


def later(site: SmallSite, seconds: float) -> None:
    """Let time pass, for the master and for its switch; all sessions end."""
    clock_of(site).passed += seconds
    switch = site.switches["sw1"]
    switch.booted -= seconds
    for session in list(switch.sessions):
        session.cut()


async def repairs(site: SmallSite) -> int:
    await site.call("switch.probe", switch="sw1")
    jobs = (await site.call("job.list"))["items"]
    return sum(job["kind"] == "repair" for job in jobs)


@pytest.mark.parametrize("by", [2 * HOUR, -2 * HOUR, 12 * YEAR, -12 * YEAR])
async def test_setting_the_clock_restarts_no_switch_and_hides_no_restart(
    in_use: SmallSite, by: float
) -> None:
    site = in_use
    site.watch.on = False  # the switch comes back with what it saved
    clock_of(site).set_by = by
    later(site, HOUR)
    assert await repairs(site) == 0
    clock_of(site).set_by = -by
    later(site, 20 * HOUR)
    assert await repairs(site) == 0
    later(site, HOUR)
    site.switches["sw1"].reload()
    assert await repairs(site) == 1
    assert (await site.call("system.info"))["uptime"] >= 22 * HOUR


async def test_after_a_reboot_of_the_master_only_wrong_ports_count(in_use: SmallSite) -> None:
    """Nobody knows how long the master was off, so its switches are looked at."""
    site = in_use
    site.watch.on = False
    await site.stop()
    clock_of(site).boot, clock_of(site).passed = "second boot", -Clock().now().seconds + 60
    await site.start()
    assert await repairs(site) == 0

    await site.stop()
    clock_of(site).boot = "third boot"
    port = site.switches["sw1"].running.ports["GigabitEthernet1/0/4"]
    port.shutdown, port.mode, port.access_vlan = False, "access", 100
    await site.start()
    assert await repairs(site) == 1
    assert site.carried("node-2") == NOTHING
    assert site.carried("node-1") == access(100)


SEEN = UptimeRow(10 * DAY, 5 * HOUR, "a boot")
"""The switch had been up for ten days, five hours after the master's boot."""


@pytest.mark.parametrize(
    ("up", "boot", "seconds", "known"),
    [
        (10 * DAY + HOUR, "a boot", 6 * HOUR, "no"),
        (10 * DAY + HOUR - 60, "a boot", 6 * HOUR, "no"),  # rounded down to minutes
        (HOUR - 600, "a boot", 6 * HOUR, "yes"),
        (10 * DAY, "a boot", 6 * HOUR, "yes"),  # an hour ago it was up for as long
        (11 * DAY, "another", HOUR, "?"),  # the master may have been off for a day
        (2 * HOUR, "another", HOUR, "yes"),  # it was up for ten days before that
    ],
)
def test_an_uptime_is_compared_with_the_one_before(
    up: float, boot: str, seconds: float, known: str
) -> None:
    assert restarted(SEEN, Uptime(up, MINUTES), Moment(boot, seconds)) == known


# --- what is deleted for its age ------------------------------------------------------------------


def test_a_clock_that_is_set_ahead_deletes_nothing_for_a_day() -> None:
    """Somebody may notice, and set it back."""
    clock = SetClock()
    dates = Dates(clock, newest=clock.wall())
    clock.passed += 40 * DAY
    assert dates.believed()
    clock.set_by = 12 * YEAR
    assert not dates.believed()
    clock.passed += DAY - MINUTES
    assert not dates.believed()
    clock.passed += MINUTES
    assert dates.believed()


@pytest.mark.parametrize(("ahead", "believed"), [(HOUR, True), (12 * YEAR, False)])
def test_a_clock_that_was_set_ahead_before_the_start_is_not_believed_either(
    ahead: float, believed: bool
) -> None:
    clock = SetClock()
    newest = clock.wall()
    clock.set_by = ahead
    dates = Dates(clock, newest)
    assert dates.believed() == believed
    clock.passed += DAY
    assert dates.believed()
    clock.set_by = -YEAR
    assert dates.believed()


async def test_a_switch_that_restarts_in_the_middle_of_a_job_is_said_to_have(
    in_use: SmallSite,
) -> None:
    """What it had accepted is gone, and nobody else has to be looked for."""
    site = in_use
    await site.hold_nodes("red", "node-2")
    await site.connect("node-2", "net")
    opening = site.wires["sw1"].hold("^no shutdown")
    job = await site.begin("red")
    await opening.wait()
    held = site.wires["sw1"].hold("^show running-config interface Gi1/0/4")
    opening.release()
    await held.wait()
    site.switches["sw1"].reload()
    held.release()

    ended = await site.finished(job)
    assert ended["state"] == "failed"
    assert "sw1 restarted after it had accepted the change: Gi1/0/4 reads back as" in ended["error"]
    assert ended["error"].endswith("; apply again")
    for each in (await site.call("job.list"))["items"]:
        await site.finished(each["job"])  # it was also repaired by itself
    await site.succeeds("red")
    assert site.carried("node-2") == access(100)
