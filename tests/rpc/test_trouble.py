"""Bad circumstances: a failed step that says what to do, the rest done, and all well once mended.

Every test has the same end: nobody else's steps suffered, what was staged is still staged, and
after the trouble is mended one more apply brings it all about.
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
)


@pytest.fixture
async def staged(site: SmallSite) -> SmallSite:
    """Red wants node-1 (on sw1), node-3 (on sw2) and a headnode on its network, VLAN 100."""
    await site.sql("UPDATE switch SET credential = NULL WHERE name = 'sw1'")  # [sw1], its own
    site.credentials["sw1"] = site.credentials["lab"]
    await site.hold_nodes("red", "node-1", "node-3")
    assert await site.network("red", "net") == 100
    await site.connect("node-1", "net")
    await site.connect("node-3", "net")
    await site.call("headnode.create", project="red", headnode="head")
    await site.call("headnode.connect", project="red", headnode="head", network="net")
    return site


async def desired(site: SmallSite) -> list[Any]:
    """All that users have staged."""
    nodes = (await site.call("node.list", project="red"))["items"]
    heads = (await site.call("headnode.list", project="red"))["items"]
    return [
        [(nic["nic"], nic["networks"]) for node in nodes for nic in node["nics"]],
        [(head["headnode"], head["running"], head["nics"][0]["network"]) for head in heads],
        (await site.call("network.list", project="red"))["items"],
    ]


async def fails(site: SmallSite, *words: str, device: str, project: str = "red") -> dict[str, Any]:
    """Apply; see that exactly ``device`` fails, in these words, and that nothing staged is lost."""
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


async def mended(site: SmallSite) -> None:
    """The second apply succeeds, and nothing is left to do."""
    await site.succeeds("red")
    assert site.carried("node-1") == access(100)
    assert site.carried("node-3") == access(100)
    assert [domain.running for domain in site.host.domains.values()] == [True]
    assert not any(switch.modified for switch in site.switches.values())


async def test_a_switch_that_cannot_be_reached(staged: SmallSite) -> None:
    port = staged.switches["sw1"].port
    await staged.switches["sw1"].stop()
    staged.switches["sw1"].faults.refuse_connections = True

    await fails(staged, "sw1", "apply again", device="sw1")

    staged.switches["sw1"].faults.refuse_connections = False
    await staged.switches["sw1"].start(port=port)
    await mended(staged)


async def test_a_switch_whose_address_nobody_answers_at(staged: SmallSite) -> None:
    right = staged.wires["sw1"].port
    await staged.sql("UPDATE switch SET port = 1 WHERE name = 'sw1'")

    await fails(staged, "sw1 can't be reached on 127.0.0.1 port 1", "check", device="sw1")

    await staged.sql("UPDATE switch SET port = ? WHERE name = 'sw1'", (right,))
    await mended(staged)


async def test_a_wrong_password(staged: SmallSite) -> None:
    staged.credentials["sw1"] = Credential(username="haas", password="wr0ng", enable="en4ble")

    job = await fails(
        staged, "sw1 refused the login of haas", "check its entry in the credentials", device="sw1"
    )

    assert "wr0ng" not in str(job)
    staged.credentials["sw1"] = staged.credentials["lab"]
    await mended(staged)


async def test_no_credentials_at_all(staged: SmallSite) -> None:
    del staged.credentials["sw1"]

    await fails(staged, "There are no credentials for sw1: add  [sw1]  to", device="sw1")

    staged.credentials["sw1"] = staged.credentials["lab"]
    await mended(staged)


async def test_privileged_mode_is_refused(staged: SmallSite) -> None:
    staged.credentials["sw1"] = Credential(username="haas", password="s3cret", enable="wr0ng")

    job = await fails(
        staged, "sw1 refused privileged mode", "check the enable password", device="sw1"
    )

    assert "wr0ng" not in str(job)
    staged.credentials["sw1"] = staged.credentials["lab"]
    await mended(staged)


async def test_an_enable_password_is_wanted_and_there_is_none(staged: SmallSite) -> None:
    staged.credentials["sw1"] = Credential(username="haas", password="s3cret")

    await fails(staged, "sw1 asks for an enable password: add  enable = …", device="sw1")

    staged.credentials["sw1"] = staged.credentials["lab"]
    await mended(staged)


async def test_a_port_that_the_switch_does_not_have(staged: SmallSite) -> None:
    site = staged
    await site.call("port.register", switch="sw1", ports=["Gi1/0/48"])

    job = await site.apply()

    assert job["state"] == "failed"
    assert 'sw1 refused "interface Gi1/0/48"' in job["error"]
    assert "Invalid input" in job["error"]

    await site.call("port.delete", switch="sw1", port="Gi1/0/48", force=True)
    await site.succeeds()
    await mended(site)


async def test_a_line_that_the_switch_refuses(staged: SmallSite) -> None:
    faults = staged.switches["sw1"].faults
    faults.refuse = {"switchport access vlan 100": "Command rejected: Gi1/0/2 is a routed port."}

    job = await fails(
        staged,
        'sw1 refused "switchport access vlan 100": Command rejected: Gi1/0/2 is a routed port.',
        device="sw1",
    )

    assert step_of(job, "sw1", "vlan.create")["state"] == "done"
    assert step_of(job, "sw1", "config.save")["state"] == "done"  # what was done outlives a reload
    assert staged.carried("node-1") == NOTHING
    assert staged.switches["sw1"].lines[-1].text in ("exit", "write memory")
    faults.refuse = {}
    await mended(staged)


async def cut_twice(site: SmallSite, line: str) -> None:
    """Have the switch carry out a line and close the connection: this time, and when resumed."""
    faults = site.switches["sw1"].faults
    faults.cut_at = line
    first = site.wires["sw1"].hold(f"^{line}\r")
    await first.wait()
    again = site.wires["sw1"].hold("^terminal length 0\r")
    first.release()
    await again.wait()
    faults.cut_at = line
    again.release()


@pytest.mark.parametrize("line", ["vlan 100", "switchport access vlan 100"])
async def test_a_session_that_is_cut_again_when_it_is_resumed(staged: SmallSite, line: str) -> None:
    """What was sent ahead may have been carried out or not: it is looked at."""
    cutting = asyncio.create_task(cut_twice(staged, line))

    await fails(staged, "sw1 closed the connection", "apply again", device="sw1")

    await cutting
    assert staged.carried("node-1") == NOTHING
    plan = await staged.call("plan.show", project="red")
    assert "port.park" not in [step["kind"] for step in plan["steps"]]  # it is known to be parked
    await mended(staged)


@pytest.mark.parametrize(
    "line",
    [
        "configure terminal",
        "show running-config interface Gi1/0/2",
        "show vlan brief",
        "write memory",
    ],
)
async def test_a_session_that_is_cut_once_is_opened_again(staged: SmallSite, line: str) -> None:
    logins = staged.switches["sw1"].counters.logins
    staged.switches["sw1"].faults.cut_at = line
    await mended(staged)
    assert staged.switches["sw1"].faults.cut_at is None
    assert staged.switches["sw1"].counters.logins == logins + 2


async def test_a_switch_that_can_t_be_asked_what_was_set(staged: SmallSite) -> None:
    """All was sent and accepted, but reading it back is refused: nothing is done."""
    staged.switches["sw1"].faults.refuse = {"^show running-config": "% Authorization failed."}

    await fails(staged, "sent, but not confirmed: sw1 refused", device="sw1")

    plan = await staged.call("plan.show", project="red")
    assert plan["steps"][0]["kind"] == "port.park"  # what it carries is not known
    staged.switches["sw1"].faults.refuse = {}
    await mended(staged)


async def test_a_session_that_is_cut_twice_after_all_was_carried_out(staged: SmallSite) -> None:
    """The job could not see to it, and says so; it says as well that the port is as wanted."""
    cutting = asyncio.create_task(cut_twice(staged, "no shutdown"))

    job = await staged.apply("red")

    await cutting
    step = step_of(job, "sw1", "port.set")
    assert (job["state"], step["state"]) == ("failed", "failed")
    assert "sw1 closed the connection" in step["message"]
    assert "It reads back as wanted all the same." in step["message"]
    assert staged.carried("node-1") == access(100)
    await mended(staged)


async def test_a_line_that_is_refused_in_the_middle_of_several_ports(staged: SmallSite) -> None:
    """Whose line it is failed; the others, of which some lines were sent, are told from it."""
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
    assert (job["state"], job["error"]) == ("failed", f"sw1: {said} (and 1 more failed)")
    found = {
        step["target"]: (step["state"], step["message"])
        for step in job["steps"]
        if (step["device"], step["kind"]) == ("sw1", "port.set")
    }
    assert found["Gi1/0/1"] == found["Gi1/0/4"] == ("failed", said)
    assert found["Gi1/0/2"] == found["Gi1/0/3"] == ("skipped", f"not finished: {said}")
    assert step_of(job, "sw1", "config.save")["state"] == "done"
    for node, nic in (("node-1", "ipmi"), ("node-1", "eth0"), ("node-2", "ipmi")):
        assert site.carried(node, nic) == NOTHING
    plan = await site.call("plan.show", project="red")
    assert {step["kind"] for step in plan["steps"]} == {"port.set", "config.save"}
    faults.refuse = {}
    await site.succeeds("red")
    assert site.carried("node-2") == access(101)


async def test_a_refusal_after_which_the_lines_that_follow_log_out(staged: SmallSite) -> None:
    """Entering a port is refused, so leaving it leaves configuration, and the next one logs out.

    The ports are looked at in a new session.
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
    assert site.carried("node-1") == site.carried("node-2") == NOTHING
    assert step_of(job, "sw1", "config.save")["state"] == "done"
    plan = await site.call("plan.show", project="red")  # they are known to be parked still
    assert {step["kind"] for step in plan["steps"]} == {"port.set", "config.save"}
    faults.refuse = {}
    await mended(site)


async def test_a_port_among_several_that_the_switch_does_not_have(staged: SmallSite) -> None:
    """The switch refuses them all, by the range's name; which one it was is read back."""
    site = staged
    await site.call("port.register", switch="sw1", ports=["Gi1/0/9", "Gi1/0/48"])

    job = await site.apply()

    assert job["state"] == "failed"
    missing = step_of(job, "sw1", "port.park", "Gi1/0/48")
    assert missing["state"] == "failed"
    assert "sw1 does not show a port Gi1/0/48" in missing["message"]
    there = step_of(job, "sw1", "port.park", "Gi1/0/9")
    assert there["state"] == "failed"
    assert "does not show" not in there["message"]
    await site.call("port.delete", switch="sw1", port="Gi1/0/48", force=True)
    await site.succeeds()


async def test_a_switch_that_falls_silent(tmp_path: Path, prepared: Prepared) -> None:
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

        # It may still carry out what it was sent, whatever it says of the port now.
        plan = await impatient.call("plan.show", project="red")
        assert plan["steps"][0]["kind"] == "port.park"
        impatient.switches["sw1"].faults.stall_at = None
        await impatient.succeeds("red")


async def test_a_save_that_fails_is_not_forgotten(staged: SmallSite) -> None:
    staged.switches["sw1"].faults.save_error = NVRAM_BUSY

    await fails(staged, "sw1", "Device or resource busy", device="sw1")

    assert staged.carried("node-1") == access(100)
    plan = await staged.call("plan.show", project="red")
    assert [(step["device"], step["kind"]) for step in plan["steps"]] == [("sw1", "config.save")]
    assert (await staged.call("switch.show", switch="sw1"))["unsaved"]
    staged.switches["sw1"].faults.save_error = None
    await mended(staged)


async def test_a_save_that_a_deleted_project_still_owes_is_made_by_the_site(
    site: SmallSite,
) -> None:
    await site.hold_nodes("red", "node-1")
    await site.network("red", "net")
    await site.connect("node-1", "net")
    site.switches["sw1"].faults.save_error = NVRAM_BUSY
    assert (await site.apply("red"))["state"] == "failed"
    await site.finished((await site.call("node.release", node="node-1"))["job"])
    await site.call("network.delete", project="red", network="net")
    await site.call("project.delete", project="red")
    await site.call("project.create", project="red")  # another one, by the same name
    site.switches["sw1"].faults.save_error = None

    assert (await site.call("plan.show", project="red"))["empty"]
    plan = await site.call("plan.show")
    assert [step["kind"] for step in plan["steps"] if step["device"] == "sw1"] == ["config.save"]
    await site.succeeds()
    assert not site.switches["sw1"].modified


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
    await mended(staged)


async def test_the_base_image_runs_instead_of_being_powered_off(staged: SmallSite) -> None:
    staged.host.running_images.add("base-headnode")

    await fails(
        staged, "base-headnode on sim:///demo is running; shut it down", "corrupt", device="libvirt"
    )

    staged.host.running_images.clear()
    await mended(staged)


async def test_libvirt_is_down(staged: SmallSite) -> None:
    staged.host.libvirt_down = True

    await fails(staged, "cannot be reached. Start it (systemctl start libvirtd)", device="libvirt")

    staged.host.libvirt_down = False
    await mended(staged)


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
    # without its bridge the headnode is made, and can't be started
    assert step_of(job, "libvirt", "headnode.start")["state"] == "failed"
    assert set(states(job, "sw1")) == set(states(job, "sw2")) == {"done"}
    assert await desired(staged) == before
    staged.host.trunk_missing = False
    await mended(staged)
