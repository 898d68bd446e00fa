"""One switch is registered once, and no other is taken for it: by what it says of itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from haas_rpcd.sim.ios import IosSwitch
from tests.rpc.any_dialect import EVERY
from tests.rpc.one_switch import Registered, one_switch
from tests.rpc.small_site import NOTHING, SmallSite, access, register_switch

pytestmark = pytest.mark.slow

SILENT = {"cumulus_nvue", "dell_os10", "dell_os9"}
"""Families whose simulators say nothing of themselves that no other switch says."""

SECOND = "FOC0000TEST"
"""The serial number of the switch that answers in place of sw1."""


def answer_as(switch: IosSwitch, serial: str) -> None:
    """Let a switch show another serial number, as another switch at the same address does."""
    switch.chassis = replace(switch.chassis, serial=serial)


def serial_of(switch: IosSwitch) -> str:
    return switch.chassis.serial


async def show(site: SmallSite, switch: str = "sw1") -> dict[str, Any]:
    answer: dict[str, Any] = await site.call("switch.show", switch=switch)
    return answer


async def unreachable(site: SmallSite, switch: str) -> str:
    """Check a switch for drift; return why it could not be read."""
    report = await site.call("drift.check", switch=switch)
    [found] = report["unreachable"]
    return str(found["message"])


async def test_a_switch_is_known_by_its_serial_number(site: SmallSite) -> None:
    await site.call("drift.check")
    for name, switch in site.switches.items():
        shown = await show(site, name)
        assert shown["identity"] == f"serial number {serial_of(switch)}"
        assert shown["stranger"] is None


@EVERY
async def test_every_family_that_tells_is_known_by_it(
    dialect: str, tmp_path: Path, registered: Callable[[str], Registered]
) -> None:
    async with one_switch(tmp_path, dialect, registered(dialect)) as site:
        await site.sql("UPDATE switch SET identity = NULL")
        await site.call("drift.check", switch="sw1")
        identity = (await show(site))["identity"]  # type: ignore[arg-type]
        if dialect in SILENT:
            assert identity is None
        else:
            kind = "base MAC" if dialect == "dell_powerconnect" else "serial number"
            digits = site.device.serial
            wanted = digits[:6] if kind == "base MAC" else digits
            assert identity.startswith(kind)
            assert wanted in identity.upper().replace(":", "")


async def test_a_second_name_of_a_registered_switch_is_refused(site: SmallSite) -> None:
    """At the first login, as registering asks no switch. Its address tells nothing."""
    await site.call("drift.check", switch="sw1")
    await register_switch(site, "again", site.switches["sw1"].port)
    await site.call("port.register", switch="again", ports=["Gi1/0/2"])
    await site.call(
        "node.register", node="twin", nics=[{"nic": "eth0", "switch": "again", "port": "Gi1/0/2"}]
    )

    job = await site.apply()

    assert job["state"] == "failed"
    said = f"again says that it is serial number {serial_of(site.switches['sw1'])}, as sw1 does"
    assert said in job["error"]
    assert "registered once" in (await show(site, "again"))["stranger"]
    assert (await site.call("node.show", node="twin"))["state"] == "unconfirmed"
    probe = await site.refused("switch.probe", switch="again")
    assert said in probe.message


async def test_a_probe_of_a_switch_that_is_registered_already_says_so(site: SmallSite) -> None:
    await site.call("drift.check", switch="sw1")
    probe = await site.call(
        "switch.probe", switch="new", dialect="cisco_ios", host="127.0.0.1",
        port=site.switches["sw1"].port, credential="lab",
    )  # fmt: skip
    [warning] = probe["warnings"]
    assert "as sw1 does: they are one switch" in warning


async def test_switches_with_the_same_serial_number_can_be_told_to_be_two(site: SmallSite) -> None:
    """Clones of a virtual switch."""
    await site.sql("UPDATE switch SET identity = NULL")  # nobody has logged in yet
    await site.call("drift.check", switch="sw1")
    answer_as(site.switches["sw2"], serial_of(site.switches["sw1"]))
    assert "registered once" in await unreachable(site, "sw2")
    site_file = (await site.call("site.export"))["site"]
    told = site_file.replace("[switches.sw2]\n", "[switches.sw2]\noptions.identity = false\n")
    await site.call("site.import", site=told)
    report = await site.call("drift.check")
    assert report["unreachable"] == []


@pytest.mark.parametrize("serial", ["0", "N/A", "00000000000", "Unknown"])
async def test_virtual_switches_without_a_serial_number_are_not_confused(
    site: SmallSite, serial: str
) -> None:
    await site.sql("UPDATE switch SET identity = NULL")
    for switch in site.switches.values():
        answer_as(switch, serial)
    report = await site.call("drift.check")
    assert report["unreachable"] == []
    assert (await show(site))["identity"] is None


@pytest.fixture
async def replaced(site: SmallSite) -> SmallSite:
    """Red's node-1 is on VLAN 100, node-2 is free; then another switch answers in place of sw1."""
    await site.hold_nodes("red", "node-1")
    assert await site.network("red", "net") == 100
    await site.connect("node-1", "net")
    await site.succeeds("red")
    switch = site.switches["sw1"]
    answer_as(switch, SECOND)
    await site.restart()  # no session is kept
    return site


async def test_nothing_is_sent_to_another_switch_in_its_place(replaced: SmallSite) -> None:
    site, switch = replaced, replaced.switches["sw1"]
    error = await unreachable(site, "sw1")
    assert f"serial number {SECOND}, and sw1 was serial number FOC{switch.serial}" in error
    assert "switch probe sw1 --accept true" in error
    assert (await show(site))["stranger"] == error

    assert (await site.call("node.show", node="node-2"))["state"] == "unconfirmed"
    refused = await site.refused("node.allocate", project="blue", node="node-2")
    assert "another switch answers in place of sw1" in refused.message
    await site.call("nic.disconnect", node="node-1", nic="eth0")
    sent = len(switch.lines)
    assert (await site.apply("red"))["state"] == "failed"
    assert not [line for line in switch.lines[sent:] if line.mode.startswith("config")]
    released = await site.call("node.release", node="node-1")
    assert (await site.finished(released["job"]))["state"] == "failed"
    assert (await site.call("node.show", node="node-1"))["state"] == "releasing"


async def test_when_the_right_switch_is_back_all_is_as_it_was(replaced: SmallSite) -> None:
    site, switch = replaced, replaced.switches["sw1"]
    await unreachable(site, "sw1")
    answer_as(switch, f"FOC{switch.serial}")
    assert (await site.call("drift.check"))["unreachable"] == []
    assert (await show(site))["stranger"] is None
    assert (await site.call("node.show", node="node-2"))["state"] == "free"
    assert (await site.call("plan.show", project="red"))["empty"]


async def test_a_replaced_switch_is_accepted_and_set_anew(replaced: SmallSite) -> None:
    site, switch = replaced, replaced.switches["sw1"]
    site.watch.on = False
    switch.startup = None
    switch.reload()  # it comes with factory defaults
    await unreachable(site, "sw1")

    await site.call("switch.probe", switch="sw1", accept=True)

    shown = await show(site)
    assert (shown["identity"], shown["stranger"]) == (f"serial number {SECOND}", None)
    assert (await site.call("node.show", node="node-2"))["state"] == "unconfirmed"
    await site.succeeds()
    await site.succeeds("red")
    assert site.carried("node-1") == access(100)
    assert site.carried("node-2") == NOTHING
    assert (await site.call("node.show", node="node-2"))["state"] == "free"


async def test_two_switches_whose_cables_were_swapped(site: SmallSite) -> None:
    await site.call("drift.check")
    first, second = (serial_of(site.switches[name]) for name in ("sw1", "sw2"))
    answer_as(site.switches["sw1"], second)
    answer_as(site.switches["sw2"], first)
    await site.restart()
    assert "That is sw2: check the cabling and the addresses." in await unreachable(site, "sw1")
    assert "That is sw1: check the cabling and the addresses." in await unreachable(site, "sw2")
    accepted = await site.refused("switch.probe", switch="sw1", accept=True)
    assert "as sw2 does: they are one switch" in accepted.message
