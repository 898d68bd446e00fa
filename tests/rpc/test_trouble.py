"""When something fails, its step says what to do, other devices finish, and a retry succeeds.

Every test ends the same way: the steps on other devices are done, everything staged is still
staged, and once the fault is fixed, one more apply succeeds.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from haas_rpcd.config import Credential, SwitchSettings, Vlans
from haas_rpcd.sim.ios import NVRAM_BUSY
from tests.rpc.small_site import (
    NOTHING,
    Prepared,
    SmallSite,
    access,
    small_site,
    states,
    step_of,
    tagged,
)

pytestmark = pytest.mark.slow


@pytest.fixture
async def staged(site: SmallSite) -> SmallSite:
    """Red wants node-1 (on sw1), node-3 (on sw2) and a headnode on its network, VLAN 100."""
    await site.sql(
        "UPDATE switch SET credential = NULL WHERE name = 'sw1'"
    )  # it falls back to [sw1]
    site.credentials["sw1"] = site.credentials["lab"]
    await site.hold_nodes("red", "node-1", "node-3")
    assert await site.network("red", "net") == 100
    await site.connect("node-1", "net")
    await site.connect("node-3", "net")
    await site.call("headnode.create", project="red", headnode="head")
    await site.call("headnode.connect", project="red", headnode="head", network="net")
    return site


async def desired(site: SmallSite) -> list[Any]:
    """Return everything that users have staged."""
    nodes = (await site.call("node.list", project="red"))["items"]
    heads = (await site.call("headnode.list", project="red"))["items"]
    return [
        [(nic["nic"], nic["networks"]) for node in nodes for nic in node["nics"]],
        [(head["headnode"], head["running"], head["nics"][0]["network"]) for head in heads],
        (await site.call("network.list", project="red"))["items"],
    ]


async def fails(site: SmallSite, *words: str, device: str, project: str = "red") -> dict[str, Any]:
    """Apply; check that only ``device`` fails, with these words, and nothing staged is lost."""
    before = await desired(site)
    job = await site.apply(project)
    assert job["state"] == "failed"
    failed = [step for step in job["steps"] if step["state"] == "failed"]
    assert {step["device"] for step in failed} == {device}
    for word in words:
        assert word in failed[0]["message"]
        assert word in job["error"]
    others = [step for step in job["steps"] if step["device"] != device]
    assert others
    assert [step for step in others if step["state"] != "done"] == []
    assert await desired(site) == before
    assert not (await site.call("plan.show", project=project))["empty"]
    return job


async def succeeds_now(site: SmallSite) -> None:
    """Check that the next apply succeeds and leaves nothing to do."""
    await site.succeeds("red")
    assert site.carried("node-1") == access(100)
    assert site.carried("node-3") == access(100)
    assert [domain.running for domain in site.host.domains.values()] == [True]
    assert not any(switch.modified for switch in site.switches.values())


async def test_a_switch_cannot_be_reached(staged: SmallSite) -> None:
    port = staged.switches["sw1"].port
    await staged.switches["sw1"].stop()
    staged.switches["sw1"].faults.refuse_connections = True

    await fails(staged, "sw1", "apply again", device="sw1")

    staged.switches["sw1"].faults.refuse_connections = False
    await staged.switches["sw1"].start(port=port)
    await succeeds_now(staged)


async def test_a_switch_that_failed_in_one_phase_is_left_alone_in_the_next(
    staged: SmallSite,
) -> None:
    """node-1 leaves and node-2 joins: a switch that did not take the one is not sent the other."""
    await staged.succeeds("red")
    await staged.hold_nodes("red", "node-2")
    await staged.call("nic.disconnect", node="node-1", nic="eth0", network="net")
    await staged.connect("node-2", "net")
    switch = staged.switches["sw1"]
    port = switch.port
    await switch.stop()
    job = await staged.apply("red")
    found = {step["target"]: step for step in job["steps"] if step["device"] == "sw1"}
    assert found["Gi1/0/2"]["state"] == "failed"
    assert found["Gi1/0/4"]["state"] == "skipped"
    assert found["Gi1/0/4"]["message"].startswith("not sent: ")
    await switch.start(port=port)
    await staged.succeeds("red")


async def test_nobody_answers_at_the_address_of_a_switch(staged: SmallSite) -> None:
    right = staged.wires["sw1"].port
    await staged.sql("UPDATE switch SET port = 1 WHERE name = 'sw1'")

    await fails(staged, "sw1 can't be reached on 127.0.0.1 port 1", "check", device="sw1")

    await staged.sql("UPDATE switch SET port = ? WHERE name = 'sw1'", (right,))
    await succeeds_now(staged)


async def test_the_password_is_wrong(staged: SmallSite) -> None:
    staged.credentials["sw1"] = Credential(username="haas", password="wr0ng", enable="en4ble")

    job = await fails(
        staged, "sw1 refused the login of haas", "check its entry in the credentials", device="sw1"
    )

    assert "wr0ng" not in str(job)
    staged.credentials["sw1"] = staged.credentials["lab"]
    await succeeds_now(staged)


async def test_there_are_no_credentials(staged: SmallSite) -> None:
    del staged.credentials["sw1"]

    await fails(staged, "There are no credentials for sw1: add  [sw1]  to", device="sw1")

    staged.credentials["sw1"] = staged.credentials["lab"]
    await succeeds_now(staged)


async def test_privileged_mode_is_refused(staged: SmallSite) -> None:
    staged.credentials["sw1"] = Credential(username="haas", password="s3cret", enable="wr0ng")

    job = await fails(
        staged, "sw1 refused privileged mode", "check the enable password", device="sw1"
    )

    assert "wr0ng" not in str(job)
    staged.credentials["sw1"] = staged.credentials["lab"]
    await succeeds_now(staged)


async def test_the_enable_password_is_missing(staged: SmallSite) -> None:
    staged.credentials["sw1"] = Credential(username="haas", password="s3cret")

    await fails(staged, "sw1 asks for an enable password: add  enable = …", device="sw1")

    staged.credentials["sw1"] = staged.credentials["lab"]
    await succeeds_now(staged)


async def test_a_registered_port_does_not_exist(staged: SmallSite) -> None:
    site = staged
    await site.call("port.register", switch="sw1", ports=["Gi1/0/48"])

    job = await site.apply()

    assert job["state"] == "failed"
    assert 'sw1 refused "interface Gi1/0/48"' in job["error"]
    assert "Invalid input" in job["error"]

    await site.call("port.delete", switch="sw1", port="Gi1/0/48", force=True)
    await site.succeeds()
    await succeeds_now(site)


async def test_a_switch_refuses_a_line(staged: SmallSite) -> None:
    faults = staged.switches["sw1"].faults
    faults.refuse = {"switchport access vlan 100": "Command rejected: Gi1/0/2 is a routed port."}

    job = await fails(
        staged,
        'sw1 refused "switchport access vlan 100": Command rejected: Gi1/0/2 is a routed port.',
        device="sw1",
    )

    assert step_of(job, "sw1", "vlan.create")["state"] == "done"
    assert step_of(job, "sw1", "config.save")["state"] == "done"  # what was done survives a reload
    assert staged.carried("node-1") == NOTHING
    assert staged.switches["sw1"].lines[-1].text in ("exit", "write memory")
    faults.refuse = {}
    await succeeds_now(staged)


async def disconnect_twice(site: SmallSite, line: str, again_at: str | None = None) -> None:
    """Let the switch execute a line and close the connection, then do the same on the retry.

    ``again_at``: another line for the retry.
    """
    faults = site.switches["sw1"].faults
    faults.cut_at = line
    first = site.wires["sw1"].hold(f"^{line}\r")
    await first.wait()
    again = site.wires["sw1"].hold("^terminal length 0\r")
    first.release()
    await again.wait()
    faults.cut_at = again_at or line
    again.release()


@pytest.mark.parametrize("line", ["vlan 100", "switchport access vlan 100"])
async def test_a_switch_disconnects_again_on_the_retry(staged: SmallSite, line: str) -> None:
    """Lines sent ahead may have been executed or not, so the ports are read back."""
    disconnecting = asyncio.create_task(disconnect_twice(staged, line))

    await fails(staged, "sw1 closed the connection", "apply again", device="sw1")

    await disconnecting
    assert staged.carried("node-1") == NOTHING
    plan = await staged.call("plan.show", project="red")
    assert "port.park" not in [step["kind"] for step in plan["steps"]]  # known to be parked
    await succeeds_now(staged)


@pytest.mark.parametrize(
    "line",
    [
        "configure terminal",
        "show running-config interface Gi1/0/2",
        "show vlan brief",
        "write memory",
    ],
)
async def test_a_switch_that_disconnects_once_is_reconnected(staged: SmallSite, line: str) -> None:
    logins = staged.switches["sw1"].counters.logins
    staged.switches["sw1"].faults.cut_at = line
    await succeeds_now(staged)
    assert staged.switches["sw1"].faults.cut_at is None
    assert staged.switches["sw1"].counters.logins == logins + 2


async def test_the_changes_cannot_be_read_back(staged: SmallSite) -> None:
    """The switch accepts all lines but refuses to show the result, so no step is done."""
    opening = staged.wires["sw1"].hold("^no shutdown\r")

    async def refuse() -> None:
        await opening.wait()
        staged.switches["sw1"].faults.refuse = {"^show running-config": "% Authorization failed."}
        opening.release()

    refusing = asyncio.create_task(refuse())
    await fails(staged, "sent, but not confirmed: sw1 refused", device="sw1")
    await refusing

    plan = await staged.call("plan.show", project="red")
    assert plan["steps"][0]["kind"] == "port.park"  # its state is not known
    staged.switches["sw1"].faults.refuse = {}
    await succeeds_now(staged)


async def test_a_switch_disconnects_twice_after_executing_everything(staged: SmallSite) -> None:
    """The step fails, and its message says that the port reads back as wanted."""
    disconnecting = asyncio.create_task(
        disconnect_twice(staged, "no shutdown", "switchport mode access")
    )

    job = await staged.apply("red")

    await disconnecting
    step = step_of(job, "sw1", "port.set")
    assert (job["state"], step["state"]) == ("failed", "failed")
    assert "sw1 closed the connection" in step["message"]
    assert "It reads back as wanted all the same." in step["message"]
    assert staged.carried("node-1") == access(100)
    await succeeds_now(staged)


async def test_a_refused_line_fails_its_ports_and_no_others(staged: SmallSite) -> None:
    site = staged
    await site.hold_nodes("red", "node-2")
    await site.network("red", "other")  # 101
    await site.connect("node-1", "other", nic="ipmi")
    await site.connect("node-2", "other")
    await site.connect("node-2", "net", nic="ipmi", tagged=True)
    faults = site.switches["sw1"].faults
    faults.refuse = {"^switchport access vlan 101$": "Command rejected: Bad VLAN."}

    job = await site.apply("red")

    said = 'sw1 refused "switchport access vlan 101": Command rejected: Bad VLAN.'
    assert (job["state"], job["error"]) == ("failed", f"{said} (and 1 more failed)")
    found = {
        step["target"]: (step["state"], step["message"])
        for step in job["steps"]
        if (step["device"], step["kind"]) == ("sw1", "port.set")
    }
    assert found["Gi1/0/1"] == found["Gi1/0/4"] == ("failed", said)
    assert found["Gi1/0/2"] == found["Gi1/0/3"] == ("done", None)
    assert step_of(job, "sw1", "config.save")["state"] == "done"
    assert site.carried("node-1", "ipmi") == site.carried("node-2") == NOTHING
    assert site.carried("node-1") == access(100)
    plan = await site.call("plan.show", project="red")
    assert {step["target"] for step in plan["steps"]} >= {"Gi1/0/1", "Gi1/0/4"}
    assert not {step["target"] for step in plan["steps"]} & {"Gi1/0/2", "Gi1/0/3"}
    faults.refuse = {}
    await site.succeeds("red")
    assert site.carried("node-2") == access(101)


async def test_lines_sent_ahead_of_a_refusal_log_out(staged: SmallSite) -> None:
    """Entering a port is refused, so the line that leaves it leaves configuration mode instead.

    The one after that logs out, and the other ports are set in a new session.
    """
    site = staged
    await site.hold_nodes("red", "node-2")
    await site.network("red", "other")  # 101
    await site.connect("node-1", "other", nic="ipmi")
    await site.connect("node-2", "other", tagged=True)
    faults = site.switches["sw1"].faults
    faults.refuse = {"^interface Gi1/0/1$": "% Invalid input detected at '^' marker."}
    logins = site.switches["sw1"].counters.logins

    job = await site.apply("red")

    assert 'sw1 refused "interface Gi1/0/1"' in job["error"]
    assert site.switches["sw1"].counters.logins == logins + 2
    assert site.carried("node-1", "ipmi") == NOTHING
    assert (site.carried("node-1"), site.carried("node-2")) == (access(100), tagged(101))
    assert step_of(job, "sw1", "config.save")["state"] == "done"
    plan = await site.call("plan.show", project="red")  # known to be parked
    assert [step["target"] for step in plan["steps"] if step["kind"] == "port.set"] == ["Gi1/0/1"]
    faults.refuse = {}
    await succeeds_now(site)


async def test_one_of_several_ports_does_not_exist(staged: SmallSite) -> None:
    """The switch refuses the whole range, then the missing port; it holds up no other."""
    site = staged
    await site.call("port.register", switch="sw1", ports=["Gi1/0/9", "Gi1/0/48"])

    job = await site.apply()

    assert job["state"] == "failed"
    missing = step_of(job, "sw1", "port.park", "Gi1/0/48")
    assert missing["state"] == "failed"
    assert "sw1 does not show a port Gi1/0/48" in missing["message"]
    assert "port delete sw1 Gi1/0/48 --force" in missing["message"]
    done = {(step["kind"], step["state"]) for step in job["steps"] if step is not missing}
    assert done == {("port.park", "done"), ("config.save", "done")}
    assert step_of(job, "sw1", "port.park", "Gi1/0/9")["state"] == "done"
    await site.call("port.delete", switch="sw1", port="Gi1/0/48", force=True)
    await site.succeeds()


async def test_a_switch_stops_answering(tmp_path: Path, prepared: Prepared) -> None:
    patience = SwitchSettings(connect_timeout=5.0, login_timeout=5.0, answer_timeout=0.3)
    async with small_site(tmp_path, prepared, switches=patience) as impatient:
        await impatient.hold_nodes("red", "node-1", "node-3")
        await impatient.network("red", "net")
        await impatient.connect("node-1", "net")
        await impatient.connect("node-3", "net")
        impatient.switches["sw1"].faults.stall_at = "switchport access vlan 100"

        await fails(
            impatient,
            "sw1 did not answer (switchport access vlan 100) within 0.3 s",
            "look at the switch, then apply again",
            device="sw1",
        )

        # It may still execute what it was sent, whatever it reports now.
        plan = await impatient.call("plan.show", project="red")
        assert plan["steps"][0]["kind"] == "port.park"
        impatient.switches["sw1"].faults.stall_at = None
        await impatient.succeeds("red")


async def test_a_failed_save_is_planned_again(staged: SmallSite) -> None:
    staged.switches["sw1"].faults.save_error = NVRAM_BUSY

    await fails(staged, "sw1", "Device or resource busy", device="sw1")

    assert staged.carried("node-1") == access(100)
    plan = await staged.call("plan.show", project="red")
    assert [(step["device"], step["kind"]) for step in plan["steps"]] == [("sw1", "config.save")]
    assert (await staged.call("switch.show", switch="sw1"))["unsaved"]
    staged.switches["sw1"].faults.save_error = None
    await succeeds_now(staged)


async def test_the_vlan_pool_is_exhausted(tmp_path: Path, prepared: Prepared) -> None:
    async with small_site(tmp_path, prepared, vlans=Vlans(pool="100-101")) as narrow:
        await narrow.network("red", "one")
        await narrow.network("red", "two")

        error = await narrow.refused("network.create", project="blue", network="three")

        assert error.kind == "exhausted"
        assert "All 2 VLAN ids of the pool are in use" in error.message
        assert "ask an admin to widen [vlans] pool in haas.toml" in error.message
        await narrow.call("network.delete", project="red", network="one")
        assert await narrow.network("blue", "three") == 100


# --- the master -----------------------------------------------------------------------------------


async def test_the_base_image_is_missing(staged: SmallSite) -> None:
    staged.host.images.clear()

    job = await fails(
        staged, "There is no domain base-headnode", "define the base image there", device="libvirt"
    )

    assert step_of(job, "libvirt", "headnode.start")["state"] == "skipped"
    assert staged.carried("node-1") == access(100)
    staged.host.images.add("base-headnode")
    await succeeds_now(staged)


async def test_the_base_image_is_running(staged: SmallSite) -> None:
    staged.host.running_images.add("base-headnode")

    await fails(
        staged, "base-headnode on sim:///demo is running; shut it down", "corrupt", device="libvirt"
    )

    staged.host.running_images.clear()
    await succeeds_now(staged)


async def test_libvirt_is_down(staged: SmallSite) -> None:
    staged.host.libvirt_down = True

    await fails(staged, "cannot be reached. Start it (systemctl start libvirtd)", device="libvirt")

    staged.host.libvirt_down = False
    await succeeds_now(staged)


async def test_the_trunk_nic_is_missing(staged: SmallSite) -> None:
    staged.host.trunk_missing = True
    before = await desired(staged)

    job = await staged.apply("red")

    assert job["state"] == "failed"
    bridge = step_of(job, "master", "bridge.create")
    assert bridge["state"] == "failed"
    assert (
        "The master has no trunk nic eth0: plug it in, or name the right one" in bridge["message"]
    )
    # the headnode is defined, but cannot start without its bridge
    assert step_of(job, "libvirt", "headnode.start")["state"] == "failed"
    assert set(states(job, "sw1")) == set(states(job, "sw2")) == {"done"}
    assert await desired(staged) == before
    staged.host.trunk_missing = False
    await succeeds_now(staged)
