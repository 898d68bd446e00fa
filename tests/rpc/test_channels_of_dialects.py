"""A bond on switches of further families: its channel is made, changed, lost, and removed again.

After each line that the switch gets, every port is compared with what it may carry. The fine points
are in :mod:`tests.rpc.test_channels`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from haas_rpcd.sim.cli import Carried
from tests.rpc.one_switch import OneSwitch
from tests.rpc.small_site import NOTHING, access, tagged

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Family:
    """How a family's switches have channels."""

    channel: str
    members: dict[str, Any]
    """What the simulator has of a member, in each mode of a bond."""

    strange: tuple[Any, str | None]
    """What the simulator has of a member that HaaS did not make, and the line that shows it."""

    shut: tuple[str, bool] = ("shutdown", True)
    """How the simulator has a shut port."""


FAMILIES = {
    "dell_os10": Family(
        "port-channel25",
        {"lacp": (25, "active"), "static": (25, "on")},
        ((25, "passive"), "channel-group 25 mode passive"),
    ),
    "dell_os9": Family(
        "Port-channel 25",
        {"lacp": (25, "active"), "static": (25, "on")},
        ((25, "passive"), "port-channel-protocol LACP"),
    ),
    "cumulus_nvue": Family(
        "bond25",
        {"lacp": "bond25", "static": "bond25"},
        (None, None),
        ("state", "down"),
    ),
    "sonic": Family(
        "PortChannel25",
        {"lacp": (25, "")},
        ((7, ""), "PORTCHANNEL_MEMBER PortChannel7|Ethernet44"),
        ("up", False),
    ),
    "hpe_comware": Family(
        "Bridge-Aggregation25",
        {"lacp": (25, ""), "static": (25, "")},
        ((7, ""), "port link-aggregation group 7"),
    ),
}

FURTHER = pytest.mark.parametrize("dialect", FAMILIES)
LEGS = slice(10, 12)
"""The indexes of the ports that the bond of node-9 is plugged into."""


def legs(site: OneSwitch) -> list[str]:
    return list(site.device.port_list[LEGS])


def members(site: OneSwitch) -> list[Any]:
    return [site.device.running.ports[port].channel for port in legs(site)]


def carried(site: OneSwitch) -> list[Carried]:
    return [site.device.carried(port) for port in legs(site)]


def channels(site: OneSwitch) -> set[str]:
    """Return the ports that the hardware does not have."""
    return site.device.running.ports.keys() - {*site.device.port_list}


async def connected(site: OneSwitch, mode: str) -> None:
    """Register node-9 with a bond, give it to red, and connect it to VLAN 100."""
    await site.call("port.register", switch="sw1", ports=legs(site))
    places = [{"switch": "sw1", "port": port} for port in legs(site)]
    nic = {"nic": "bond0", "bond": mode, "ports": places}
    made = await site.call("node.register", node="node-9", nics=[nic])
    assert made["nics"][0]["channel"] == FAMILIES[site.dialect.name].channel
    await site.succeeds()
    assert (carried(site), channels(site)) == ([NOTHING] * 2, set())
    await site.hold_nodes("red", "node-9")
    assert await site.network("red", "net") == 100
    await site.connect("node-9", "net", nic="bond0")
    await site.succeeds("red")


async def released(site: OneSwitch) -> dict[str, Any]:
    """Release node-9; return its job."""
    started = await site.call("node.release", node="node-9")
    return await site.finished(started["job"])


@FURTHER
async def test_a_channel_is_made_changed_and_removed(parked: OneSwitch) -> None:
    site = parked
    family = FAMILIES[site.dialect.name]
    mode = list(family.members)[-1]
    await connected(site, mode)
    assert members(site) == [family.members[mode]] * 2
    assert (carried(site), channels(site)) == ([access(100)] * 2, {family.channel})
    assert (await site.call("drift.check"))["items"] == []

    assert await site.network("red", "more") == 101
    await site.connect("node-9", "more", nic="bond0", tagged=True)
    await site.succeeds("red")
    assert carried(site) == [tagged(101, untagged=100)] * 2
    assert (await site.call("drift.check"))["items"] == []

    job = await released(site)
    assert job["state"] == "succeeded", job["error"]
    assert (members(site), channels(site)) == ([None] * 2, set())
    assert carried(site) == [NOTHING] * 2
    assert (await site.call("drift.check"))["items"] == []


@FURTHER
async def test_what_others_do_to_a_channel_is_drift(parked: OneSwitch) -> None:
    site = parked
    await connected(site, "lacp")
    family = FAMILIES[site.dialect.name]
    first, second = legs(site)
    ports = site.device.running.ports
    site.watch.on = False  # somebody else does this

    ports[second].channel, line = family.strange
    site.device.touch()
    site.device.settle()
    [item] = (await site.call("drift.check"))["items"]
    assert (item["target"], item["not_understood"]) == (second, line)

    ports[second].channel = family.members["lacp"]
    setattr(ports[first], *family.shut)
    site.device.touch()
    site.device.settle()
    site.watch.on = True
    [item] = (await site.call("drift.check"))["items"]
    assert (item["target"], item["open"]) == (first, False)
    repaired = await site.call("drift.repair", switch="sw1")
    assert (await site.finished(repaired["job"]))["state"] == "succeeded"
    assert carried(site) == [access(100)] * 2
    assert members(site) == [family.members["lacp"]] * 2
