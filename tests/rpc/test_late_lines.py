"""A session hangs on a line, and finishes it after HaaS gave it up and set everything anew.

Until the switch can no longer do that, the next tenant gets neither the node nor the VLAN id.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from haas_rpcd.config import SwitchSettings
from haas_rpcd.drivers.switch.dialects import DIALECTS
from haas_rpcd.sim.personalities import dialects
from tests.rpc.any_dialect import EVERY
from tests.rpc.one_switch import OneSwitch, Registered, one_switch, trust
from tests.rpc.small_site import NOTHING, Prepared, SmallSite, access, small_site

pytestmark = pytest.mark.slow

LINE = "switchport access vlan 100"
BLIND = {"^(?:show|display) users": "% Invalid input detected at '^' marker."}
"""The switch does not show its sessions to HaaS's login."""


@asynccontextmanager
async def hung(tmp_path: Path, prepared: Prepared, **settings: Any) -> AsyncIterator[SmallSite]:
    """Red's node-1 was to join VLAN 100; sw1 hangs on the line that does it.

    The daemon was restarted since, and is patient now.
    """
    impatient = SwitchSettings(answer_timeout=0.3, busy_timeout=0.0, **settings)
    async with small_site(tmp_path, prepared, switches=impatient) as site:
        await site.hold_nodes("red", "node-1")
        assert await site.network("red", "net") == 100
        await site.connect("node-1", "net")
        faults = site.switches["sw1"].faults
        faults.refuse, faults.hang_at = dict(BLIND), f"^{LINE}$"
        job = await site.apply("red")
        assert job["state"] == "failed"
        assert f"sw1 did not answer ({LINE})" in job["error"]
        await patient(site)
        yield site


async def patient(site: SmallSite) -> None:
    """Restart the daemon; it waits long enough for every answer of a busy machine."""
    switches = msgspec.structs.replace(site.settings.switches, answer_timeout=30.0)
    site.settings = msgspec.structs.replace(site.settings, switches=switches)
    await site.restart()


async def release(site: SmallSite) -> dict[str, Any]:
    """Release node-1; return the finished job."""
    released = await site.call("node.release", node="node-1")
    assert released["state"] == "releasing"
    return await site.finished(released["job"])


async def not_for_blue(site: SmallSite) -> None:
    """Check that blue gets neither the node nor the VLAN id."""
    error = await site.refused("node.allocate", project="blue", node="node-1")
    assert "being released" in error.message
    assert (await site.call("node.show", node="node-1"))["state"] == "releasing"
    taken = await site.refused("network.create", project="blue", network="own", vlan=100)
    assert taken.kind == "conflict"
    if "belongs to" not in taken.message:  # it is deleted
        assert "sw1 may still execute a line about it that it did not answer" in taken.message


async def for_blue(site: SmallSite) -> None:
    """Check that blue gets both."""
    shown = await site.call("node.show", node="node-1")
    assert (shown["state"], shown["waiting"], shown["waiting_until"]) == ("free", None, None)
    await site.call("node.allocate", project="blue", node="node-1")
    await site.call("network.create", project="blue", network="own", vlan=100)


async def time_passes(site: SmallSite) -> None:
    """Let the settle timeout pass."""
    for table in ("port_may_change", "vlan_may_change", "switch_may_save"):
        await site.sql(f"UPDATE {table} SET seconds = seconds - 86400")


@EVERY
@pytest.mark.slow
async def test_the_next_tenant_does_not_get_a_port_on_which_a_line_may_come_late(
    dialect: str, tmp_path: Path, registered: Callable[[str], Registered]
) -> None:
    """In every family, over telnet. The line comes while nobody holds the node."""
    async with one_switch(tmp_path, dialect, registered(dialect), answer_timeout=0.5) as site:
        await the_story(site)


@pytest.mark.slow
async def test_the_same_over_ssh(tmp_path: Path, registered: Callable[[str], Registered]) -> None:
    known = registered("cisco_ios")
    async with one_switch(
        tmp_path, "cisco_ios", known, transport="ssh", answer_timeout=0.5
    ) as site:
        await site.sql("UPDATE switch SET transport = 'ssh'")
        await trust(site)
        await the_story(site)


async def the_story(site: OneSwitch) -> None:
    faults = site.device.faults
    faults.refuse = dict(BLIND)
    await site.hold_nodes("red", "node-1", "node-2")
    assert await site.network("red", "net") == 100
    await site.connect("node-2", "net")
    await site.succeeds("red")  # the VLAN exists, so the next apply only sets the port
    await site.connect("node-1", "net")
    faults.hang_at = await line_that_joins(site)
    job = await site.apply("red")
    assert job["state"] == "failed"
    assert "did not answer" in job["error"]

    await patient(site)
    job = await release(site)
    assert job["state"] == "failed"
    assert "The node is not free before 20" in job["error"]
    assert "may still execute it" in job["error"]
    assert "drift check sw1" in job["error"]
    await site.call("nic.disconnect", node="node-2", nic="eth0")
    await site.call("network.delete", project="red", network="net")
    await site.succeeds("red")
    assert site.carried("node-1") == NOTHING
    await not_for_blue(site)
    shown = await site.call("node.show", node="node-1")
    assert shown["waiting"] in job["error"]
    assert shown["waiting_until"] > job["finished"]

    await site.restart()
    await site.call("drift.check", switch="sw1")
    await not_for_blue(site)

    site.device.finish_hung()
    await time_passes(site)
    report = await site.call("drift.check", switch="sw1")
    if report["items"]:  # the port is open again, or the VLAN is back
        taken = await site.refused("network.create", project="blue", network="own", vlan=100)
        assert taken.kind == "conflict"
        repair = await site.call("drift.repair", switch="sw1")
        assert (await site.finished(repair["job"]))["state"] == "succeeded"
        await site.call("drift.check", switch="sw1")
    assert site.carried("node-1") == NOTHING
    await site.succeeds()
    await for_blue(site)


async def line_that_joins(site: OneSwitch) -> str:
    """Return a pattern of the line after which node-1 is on the network."""
    plan = await site.call("plan.show", project="red")
    [step] = [step for step in plan["steps"] if step["kind"] == "port.set"]
    wanted = site.dialect.writer.commit or [line for line in step["lines"] if "100" in line]
    line = wanted[-1].removeprefix("sudo -n ")
    return f"^{re.escape(line)}"


async def test_a_job_of_the_same_project_does_not_end_the_wait(
    tmp_path: Path, prepared: Prepared
) -> None:
    """The port is confirmed on another network; the late line moves it back to the first."""
    async with hung(tmp_path, prepared) as site:
        assert await site.network("red", "other") == 101
        await site.connect("node-1", "other")
        await site.succeeds("red")
        assert site.carried("node-1") == access(101)
        await site.call("network.delete", project="red", network="net")
        await site.succeeds("red")
        taken = await site.refused("network.create", project="blue", network="own", vlan=100)
        assert taken.kind == "conflict"

        site.switches["sw1"].finish_hung()
        assert site.carried("node-1") == access(100)  # a VLAN that is nobody else's yet
        report = await site.call("drift.check", switch="sw1")
        assert ("port", "Gi1/0/2") in [(item["kind"], item["target"]) for item in report["items"]]


async def test_a_switch_that_lists_its_sessions_is_freed_of_the_old_one(
    tmp_path: Path, prepared: Prepared
) -> None:
    """The line never comes, so nobody has to wait."""
    async with hung(tmp_path, prepared) as site:
        switch = site.switches["sw1"]
        assert [session.hung for session in switch.sessions].count(True) == 1
        switch.faults.refuse = {}

        assert (await release(site))["state"] == "succeeded"

        assert not any(session.hung for session in switch.sessions)
        switch.finish_hung()
        assert site.carried("node-1") == NOTHING
        await site.call("network.delete", project="red", network="net")
        await site.succeeds("red")
        await for_blue(site)


@pytest.mark.slow
@pytest.mark.parametrize(
    "dialect", [name for name in dialects() if DIALECTS[name].dialogue.sessions]
)
async def test_a_switch_that_lists_its_sessions_says_when_the_old_one_is_over(
    dialect: str, tmp_path: Path, registered: Callable[[str], Registered]
) -> None:
    """HaaS ends it where the switch lets it. Else the session ends by itself here."""
    async with one_switch(tmp_path, dialect, registered(dialect), answer_timeout=0.5) as site:
        await site.hold_nodes("red", "node-1")
        await site.network("red", "net")
        await site.connect("node-1", "net")
        site.device.faults.hang_at = await line_that_joins(site)
        assert (await site.apply("red"))["state"] == "failed"
        await patient(site)
        ends = DIALECTS[dialect].dialogue.sessions.end  # type: ignore[union-attr]
        assert (await release(site))["state"] == ("succeeded" if ends else "failed")

        site.device.finish_hung()
        await site.call("drift.check")

        assert (await site.call("node.show", node="node-1"))["state"] == "free"
        assert site.carried("node-1") == NOTHING


async def test_another_login_of_the_same_user_elsewhere_is_left_alone(
    tmp_path: Path, prepared: Prepared
) -> None:
    async with hung(tmp_path, prepared) as site:
        switch = site.switches["sw1"]
        [old] = [session for session in switch.sessions if session.hung]
        vars(old)["peer"] = "192.0.2.7"
        switch.faults.refuse = {}
        assert (await release(site))["state"] == "failed"
        await not_for_blue(site)
        assert old.hung


async def test_a_switch_that_was_restarted_has_no_old_session(
    tmp_path: Path, prepared: Prepared
) -> None:
    async with hung(tmp_path, prepared) as site:
        await site.sql("UPDATE switch SET uptime = uptime + 86400")
        for table in ("port_may_change", "vlan_may_change"):
            await site.sql(f"UPDATE {table} SET seconds = seconds - 180")  # IOS counts in minutes
        site.switches["sw1"].reload()
        assert (await release(site))["state"] == "succeeded"
        await site.call("network.delete", project="red", network="net")
        await site.succeeds("red")
        await for_blue(site)


async def test_the_daemon_checks_by_itself_once_the_time_has_passed(
    tmp_path: Path, prepared: Prepared
) -> None:
    async with hung(tmp_path, prepared, settle_timeout=1.0) as site:
        async with asyncio.timeout(30), site.http.ws_connect("http://haas/rpc") as events:
            subscribe = {"jsonrpc": "2.0", "method": "events.subscribe", "params": {}, "id": 1}
            await events.send_json(subscribe)
            await release(site)
            async for message in events:
                if '"freed"' in message.data:
                    break
        assert (await site.call("node.show", node="node-1"))["state"] == "free"


async def test_a_vlan_that_may_come_late_is_not_free(tmp_path: Path, prepared: Prepared) -> None:
    """The session hangs on the line that makes the VLAN."""
    async with small_site(
        tmp_path, prepared, switches=SwitchSettings(answer_timeout=0.3, busy_timeout=0.0)
    ) as site:
        await site.hold_nodes("red", "node-1")
        await site.network("red", "net")
        await site.connect("node-1", "net")
        faults = site.switches["sw1"].faults
        faults.refuse, faults.hang_at = dict(BLIND), "^vlan 100$"
        assert (await site.apply("red"))["state"] == "failed"
        await patient(site)
        await site.call("nic.disconnect", node="node-1", nic="eth0")
        await site.call("network.delete", project="red", network="net")
        await site.succeeds("red")
        taken = await site.refused("network.create", project="blue", network="own", vlan=100)
        assert taken.kind == "conflict"

        site.switches["sw1"].finish_hung()
        assert 100 in site.switches["sw1"].running.vlans
        await time_passes(site)
        await site.call("drift.check")
        taken = await site.refused("network.create", project="blue", network="own", vlan=100)
        assert taken.kind == "conflict"
        repair = await site.call("drift.repair")
        assert (await site.finished(repair["job"]))["state"] == "succeeded"
        await site.call("drift.check")
        await site.call("network.create", project="blue", network="own", vlan=100)


# --- what the line does ---------------------------------------------------------------------------


async def test_a_parked_port_that_a_late_line_opened_is_shut_as_soon_as_it_is_seen(
    tmp_path: Path, prepared: Prepared
) -> None:
    """It would be open on VLAN 1, with all others to which that happens."""
    async with small_site(
        tmp_path, prepared, switches=SwitchSettings(answer_timeout=0.3, busy_timeout=0.0)
    ) as site:
        await site.hold_nodes("red", "node-1")
        await site.network("red", "net")
        await site.connect("node-1", "net")
        switch = site.switches["sw1"]
        switch.faults.refuse, switch.faults.hang_at = dict(BLIND), "^no shutdown$"
        assert (await site.apply("red"))["state"] == "failed"
        await patient(site)
        await release(site)
        assert site.carried("node-1") == NOTHING

        switch.finish_hung()
        assert site.carried("node-1") == access(1)
        report = await site.call("drift.check", switch="sw1")
        assert [item["target"] for item in report["items"]] == ["Gi1/0/2"]  # maybe by hand
        await time_passes(site)
        report = await site.call("drift.check", switch="sw1")

        assert report["items"] == []
        assert site.carried("node-1") == NOTHING
        assert (await site.call("node.show", node="node-1"))["state"] == "free"


@asynccontextmanager
async def saving_hangs(tmp_path: Path, prepared: Prepared) -> AsyncIterator[SmallSite]:
    """Red's node-1 is on VLAN 100 and released; sw1 hangs on the line that saves that."""
    impatient = SwitchSettings(answer_timeout=0.1, busy_timeout=0.0)
    async with small_site(tmp_path, prepared, switches=impatient) as site:
        await site.hold_nodes("red", "node-1")
        await site.network("red", "net")
        await site.connect("node-1", "net")
        await site.succeeds("red")
        faults = site.switches["sw1"].faults
        faults.refuse, faults.hang_at = dict(BLIND), "^write memory$"
        job = await release(site)
        assert job["state"] == "failed"
        assert "sw1 did not answer (write memory)" in job["error"]
        await patient(site)
        yield site


async def test_nothing_counts_as_saved_while_an_earlier_save_may_still_come(
    tmp_path: Path, prepared: Prepared
) -> None:
    """It may write what the switch carried before, after all that was saved since."""
    async with saving_hangs(tmp_path, prepared) as site:
        switch = site.switches["sw1"]
        saves = switch.counters.saves
        await site.succeeds()
        assert switch.counters.saves > saves
        shown = await site.call("node.show", node="node-1")
        assert shown["state"] == "releasing"
        assert "sw1 did not answer a line that saves its configuration" in shown["waiting"]

        saves = switch.counters.saves
        switch.finish_hung()
        await time_passes(site)
        await site.call("drift.check", switch="sw1")

        assert switch.counters.saves >= saves + 2  # the late one, and the last
        assert (await site.call("node.show", node="node-1"))["state"] == "free"
        assert not (await site.call("switch.show", switch="sw1"))["unsaved"]


async def test_a_save_that_hangs_is_retried_once_its_session_was_ended(
    tmp_path: Path, prepared: Prepared
) -> None:
    async with saving_hangs(tmp_path, prepared) as site:
        switch = site.switches["sw1"]
        switch.faults.refuse = {}
        await site.call("drift.check", switch="sw1")
        assert not any(session.hung for session in switch.sessions)
        assert switch.startup is not None
        assert switch.startup.ports["GigabitEthernet1/0/2"].shutdown
        assert (await site.call("node.show", node="node-1"))["state"] == "free"
