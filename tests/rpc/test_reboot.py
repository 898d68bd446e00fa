"""The master restarts, or somebody changes headnodes by hand: the state shown is true again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest

from haas_rpcd.config import Policy
from haas_rpcd.devicenames import MASTER
from haas_rpcd.engine.attempts import Schedule
from haas_rpcd.engine.watching import Pace
from haas_rpcd.model import HeadnodeNic
from tests.rpc.listening import listening
from tests.rpc.small_site import QUICK, Prepared, SmallSite, access, small_site

pytestmark = pytest.mark.slow

SECONDS = 10
"""Within this time the state shown is true."""

LOGIN = "red/login"


@pytest.fixture
async def running(site: SmallSite) -> SmallSite:
    """Red's headnode runs on its network, VLAN 100, with its node-1."""
    return await with_headnode(site)


async def with_headnode(site: SmallSite) -> SmallSite:
    await site.hold_nodes("red", "node-1")
    await site.network("red", "net")
    await site.connect("node-1", "net")
    await site.call("headnode.create", project="red", headnode="login")
    await site.call("headnode.connect", project="red", headnode="login", network="net")
    await site.succeeds("red")
    return site


async def state(site: SmallSite) -> str:
    shown = await site.tenant("rita").call("headnode.show", project="red", headnode="login")
    return str(shown["state"])


async def until(reached: Callable[[], Awaitable[bool]]) -> None:
    """Wait for something, as long as it may take to be shown."""
    async with asyncio.timeout(SECONDS):
        while not await reached():  # noqa: ASYNC110 - only calls show it
            await asyncio.sleep(0.02)


async def becomes(site: SmallSite, wanted: str) -> None:
    async def shown() -> bool:
        return await state(site) == wanted

    await until(shown)


async def has_bridges(site: SmallSite, *vlans: int) -> None:
    async def there() -> bool:
        return site.host.bridges == set(vlans)

    await until(there)


async def drifted(site: SmallSite, user: str = "rita") -> list[tuple[str, str]]:
    items = (await site.tenant(user).call("drift.list"))["items"]
    return [(item["target"], item["observed"]) for item in items]


async def no_drift(site: SmallSite) -> None:
    async def none() -> bool:
        return not (await site.call("drift.list"))["items"]

    await until(none)


async def repairs(site: SmallSite) -> list[dict[str, Any]]:
    jobs = (await site.call("job.list"))["items"]
    return [job for job in jobs if job["kind"] == "repair"]


# --- reboot of the master -------------------------------------------------------------------------


async def rebooted(site: SmallSite) -> None:
    """Reboot the master: its daemon starts when nothing of what was applied is left."""
    await site.stop()
    site.host.reboot()
    await site.start()


async def test_after_a_reboot_bridges_and_headnodes_come_back(running: SmallSite) -> None:
    await rebooted(running)
    await becomes(running, "running")
    assert running.host.bridges == {100}
    assert running.host.domain(LOGIN).running
    [job] = await repairs(running)
    shown = await running.call("job.show", job=job["job"])
    assert [(step["kind"], step["state"]) for step in shown["steps"]] == [
        ("bridge.create", "done"), ("headnode.start", "done"),
    ]  # fmt: skip
    await no_drift(running)
    assert (await running.call("plan.show", project="red"))["empty"]


LOST = {"br-vlan100": "absent", LOGIN: "stopped with nic0 on 100"}


async def rebooted_without_trunk(site: SmallSite, failures: int = 1) -> None:
    """Reboot the master, whose trunk nic does not come back; wait for failed attempts."""
    site.host.trunk_missing = True
    await rebooted(site)

    async def failed() -> bool:
        health = await site.call("system.health")
        return bool(health["not_restored"] and health["not_restored"]["attempts"] >= failures)

    await until(failed)


async def test_what_cannot_be_restored_is_shown_and_an_apply_of_its_owner_restores_it(
    running: SmallSite,
) -> None:
    await rebooted_without_trunk(running)
    assert await state(running) == "stopped"
    assert dict(await drifted(running)) == LOST
    health = await running.call("system.health")
    [problem] = [text for text in health["problems"] if "could not be restored" in text]
    assert "The master has no trunk nic eth0" in problem
    assert [job["state"] for job in await repairs(running)] == ["failed"]
    plan = await running.tenant("rita").call("plan.show", project="red")
    assert {step["kind"] for step in plan["steps"]} == {"bridge.create", "headnode.start"}

    running.host.trunk_missing = False
    await running.succeeds("red")

    assert await state(running) == "running"
    await no_drift(running)


async def test_all_comes_back_when_the_trunk_nic_does(running: SmallSite) -> None:
    """Nobody applies or repairs anything."""
    running.pace = paced(own=0.0, gap=0.0, hastened=0.0)
    await rebooted_without_trunk(running)
    running.host.plug_trunk_in()
    await becomes(running, "running")
    await no_drift(running)
    assert (await running.call("system.health"))["not_restored"] is None


async def test_what_failed_is_tried_again_less_and_less_often(running: SmallSite) -> None:
    """The cause is removed without an event; the delays are of a clock that nobody sets."""
    running.pace = paced(delays=(0.05, 0.1, 0.2))
    await rebooted_without_trunk(running, failures=2)
    running.host.trunk_missing = False
    await becomes(running, "running")
    await no_drift(running)
    states = [job["state"] for job in await repairs(running)]
    assert states.count("succeeded") >= 1
    assert states.count("failed") <= 4


async def test_what_fails_for_good_is_left_alone_and_still_shown(running: SmallSite) -> None:
    running.pace = paced(delays=(0.02, 0.02))
    await rebooted_without_trunk(running, failures=3)
    health = await running.call("system.health")
    assert health["not_restored"]["again"] is None
    assert [job["state"] for job in await repairs(running)] == ["failed"] * 3
    assert dict(await drifted(running)) == LOST
    assert await state(running) == "stopped"

    running.host.trunk_missing = False
    started = await running.tenant("rita").call("drift.repair", project="red")
    assert (await running.finished(started["job"]))["state"] == "succeeded"
    assert await state(running) == "running"

    async def forgotten() -> bool:
        return (await running.call("system.health"))["not_restored"] is None

    await until(forgotten)


async def test_headnodes_come_back_when_libvirt_does(running: SmallSite) -> None:
    """It goes away while the headnodes are being started."""
    running.host.seconds = 0.1
    await running.stop()
    running.host.reboot()
    await running.start()
    await has_bridges(running, 100)
    running.host.stop_libvirt()

    async def failed() -> bool:
        return [job["state"] for job in await repairs(running)] == ["failed"]

    await until(failed)
    running.host.start_libvirt()
    await becomes(running, "running")
    await no_drift(running)


def paced(**restoring: Any) -> Pace:
    """As usual, but with this schedule of what failed."""
    return msgspec.structs.replace(QUICK, restoring=Schedule(**restoring))


async def test_no_job_runs_before_the_master_is_restored(running: SmallSite) -> None:
    """The jobs that are picked up change a node only."""
    await running.connect("node-1", "net", nic="ipmi")
    held = running.wires["sw1"].hold("^configure terminal\r")
    first = await running.begin("red")
    await held.wait()
    second = await running.begin("red")
    await rebooted(running)

    for job in (first, second):
        ended = await running.finished(job)
        assert (ended["state"], ended["error"]) == ("succeeded", None)
        assert running.host.bridges == {100}
        assert running.host.domain(LOGIN).running
    assert running.carried("node-1", "ipmi") == access(100)
    assert await state(running) == "running"


async def test_a_restore_that_was_cut_off_is_finished(running: SmallSite) -> None:
    running.host.seconds = 30.0
    await rebooted(running)

    async def under_way() -> bool:
        return any(job["total"] for job in await repairs(running))

    await until(under_way)
    running.host.seconds = 0.0
    await running.restart()
    await becomes(running, "running")
    assert running.host.bridges == {100}
    await no_drift(running)


async def test_headnodes_stay_off_if_the_policy_says_so(tmp_path: Any, prepared: Prepared) -> None:
    settings = {"policy": Policy(restart_headnodes=False)}
    async with small_site(tmp_path, prepared, **settings) as site:
        await with_headnode(site)
        await rebooted(site)
        await has_bridges(site, 100)
        assert await state(site) == "stopped"

        async def only_the_headnode_is_missing() -> bool:  # that the bridge is back is read after
            return await drifted(site) == [(LOGIN, "stopped with nic0 on 100")]

        await until(only_the_headnode_is_missing)
        started = await site.tenant("rita").call("drift.repair", project="red")
        assert (await site.finished(started["job"]))["state"] == "succeeded"
        assert await state(site) == "running"


async def test_only_headnodes_that_were_to_run_are_started(running: SmallSite) -> None:
    await running.call("headnode.stop", project="red", headnode="login")
    await running.succeeds("red")
    await rebooted(running)
    await running.succeeds("red")
    assert await state(running) == "stopped"
    assert running.host.bridges == {100}


async def test_without_libvirt_the_state_is_unknown_until_it_is_back(running: SmallSite) -> None:
    await running.stop()
    running.host.reboot()
    running.host.libvirt_down = True
    await running.start()
    assert await state(running) == "unknown"
    job = await running.apply("red")
    assert job["state"] == "failed"
    assert "libvirt" in job["error"]

    running.host.start_libvirt()

    await becomes(running, "running")


async def test_bridges_come_back_if_the_kernel_was_too_slow_at_the_start(
    running: SmallSite,
) -> None:
    """What could not be read at the start is not known, but not forgotten either."""
    running.host.netlink_down = True
    await rebooted(running)
    assert not (await running.call("plan.show", project="red"))["empty"]
    running.host.netlink_down = False
    running.host.report(MASTER)
    await becomes(running, "running")
    assert running.host.bridges == {100}
    await no_drift(running)


# --- a headnode is changed by hand ----------------------------------------------------------------

BY_HAND: dict[str, tuple[Callable[[SmallSite], None], str]] = {
    "crash": (lambda site: site.host.crash(LOGIN), "crashed"),
    "pause": (lambda site: site.host.pause(LOGIN), "paused"),
    "suspend": (lambda site: site.host.suspend(LOGIN), "suspended"),
    "shut down": (lambda site: site.host.shut_down(LOGIN), "stopped"),
    "undefine": (lambda site: site.host.undefine(LOGIN), "missing"),
    "hostdev": (lambda site: site.host.add_device(LOGIN, "a device of the master"), "edited"),
    "edit": (
        lambda site: site.host.edit(LOGIN, HeadnodeNic("added", "52:54:00:00:00:01", 0)),
        "edited",
    ),
}


@pytest.mark.parametrize("deed", BY_HAND)
async def test_the_state_says_so_and_an_apply_of_its_owner_brings_it_back(
    running: SmallSite, deed: str
) -> None:
    do, word = BY_HAND[deed]
    async with listening(running) as client:
        await client.call("events.subscribe")
        do(running)
        event = await client.until(lambda _, event: event.get("noun") == "headnode")
    assert (event["verb"], event["name"], event["project"]) == (word, "login", "red")
    rita = running.tenant("rita")
    shown = await rita.call("headnode.show", project="red", headnode="login")
    [item] = (await rita.call("drift.list"))["items"]
    assert shown["state"] == word
    assert shown["observed"] == item["observed"]
    assert (item["target"], item["project"]) == (LOGIN, "red")
    assert await drifted(running, "bob") == []

    await rita.call("headnode.start", project="red", headnode="login")
    started = await rita.call("apply.start", project="red")

    job = await running.finished(started["job"])
    assert (job["state"], job["error"]) == ("succeeded", None)
    assert job["total"] > 0
    assert await state(running) == "running"
    domain = running.host.domain(LOGIN)
    assert domain.running
    assert [nic.vlan for nic in domain.nics] == [100]
    assert domain.added == ()
    await no_drift(running)
    assert (await running.call("plan.show", project="red"))["empty"]


async def test_a_headnode_that_was_seen_to_stop_stays_off_when_the_daemon_restarts(
    running: SmallSite,
) -> None:
    running.host.shut_down(LOGIN)
    await becomes(running, "stopped")
    await running.restart()
    await running.call("apply.start", project="blue")
    assert await state(running) == "stopped"
    assert await repairs(running) == []
    await rebooted(running)
    await becomes(running, "running")


async def test_what_is_put_right_by_hand_is_no_drift_any_more(running: SmallSite) -> None:
    running.host.pause(LOGIN)
    await becomes(running, "paused")
    running.host.resume(LOGIN)
    await becomes(running, "running")
    assert await drifted(running) == []


async def test_a_paused_headnode_can_be_stopped(running: SmallSite) -> None:
    running.host.pause(LOGIN)
    await becomes(running, "paused")
    await running.call("headnode.stop", project="red", headnode="login")
    await running.succeeds("red")
    assert await state(running) == "stopped"
    assert running.host.domain(LOGIN).live is None


async def test_a_crashed_headnode_can_be_deleted(running: SmallSite) -> None:
    running.host.crash(LOGIN)
    await becomes(running, "crashed")
    await running.call("headnode.delete", project="red", headnode="login")
    await running.succeeds("red")
    assert not running.host.domains
    await no_drift(running)


# --- links and libvirt, while the daemon runs -----------------------------------------------------


async def test_a_bridge_removed_by_hand_is_made_again(running: SmallSite) -> None:
    running.host.remove_bridge(100)
    await has_bridges(running, 100)
    await no_drift(running)


async def test_an_apply_right_after_a_change_by_hand_starts_from_the_truth(
    running: SmallSite,
) -> None:
    running.host.crash(LOGIN)
    job = await running.apply("red")
    assert [step["kind"] for step in job["steps"]] == ["headnode.start"]
    assert running.host.domain(LOGIN).running


async def test_libvirt_goes_and_comes_back(running: SmallSite) -> None:
    running.host.stop_libvirt()
    await becomes(running, "unknown")
    assert (await running.call("plan.show", project="red"))["empty"]
    running.host.crash(LOGIN)
    running.host.start_libvirt()
    await becomes(running, "crashed")
    assert await repairs(running) == []


# --- who may see and repair -----------------------------------------------------------------------


async def test_a_tenant_repairs_its_own_headnode_only(running: SmallSite) -> None:
    running.host.crash(LOGIN)
    await becomes(running, "crashed")
    await running.call("headnode.stop", project="red", headnode="login")  # only staged
    bob, rita = running.tenant("bob"), running.tenant("rita")
    with pytest.raises(Exception, match="There is no project red"):
        await bob.call("drift.repair", project="red")
    with pytest.raises(Exception, match="name a project"):
        await rita.call("drift.repair")
    with pytest.raises(Exception, match="There is no switch sw1"):
        await rita.call("drift.list", switch="sw1")
    started = await bob.call("drift.repair", project="blue")
    assert (await running.finished(started["job"]))["steps"] == []

    started = await rita.call("drift.repair", project="red")

    job = await running.finished(started["job"])
    assert [(step["kind"], step["state"]) for step in job["steps"]] == [("headnode.start", "done")]
    assert await state(running) == "running"
