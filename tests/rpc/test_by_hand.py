"""Somebody makes a port route, join a link aggregation or carry a telephone's VLAN, by hand.

HaaS sees it, and the node behind the port is not given to another project before that is over.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from haas_rpcd.model import SetVlan
from tests.rpc.one_switch import OneSwitch, Registered, one_switch
from tests.rpc.small_site import NOTHING, access

pytestmark = pytest.mark.slow

VOICE = 900
"""A VLAN of the site's own, for telephones."""

PHONES = {
    "cisco_ios": "switchport voice vlan 900",
    "cisco_nxos": "switchport voice vlan 900",
    "arista_eos": "switchport phone vlan 900",
    "dell_os6": "voice vlan 900",
}
ROUTED = {
    "cisco_ios": ("interface PORT", "no switchport"),
    "cisco_nxos": ("interface PORT", "no switchport"),
    "arista_eos": ("interface PORT", "no switchport"),
    "dell_os10": ("interface PORT", "no switchport"),
    "hpe_comware": ("interface PORT", "port link-mode route"),
    "brocade_fastiron": ("interface PORT", "route-only"),
    "juniper_junos": (
        "delete interfaces PORT unit 0 family ethernet-switching",
        "set interfaces PORT unit 0 family inet",
    ),
    "sonic": (
        "sudo config vlan member del 100 PORT",
        "sudo config interface ip add PORT 192.0.2.1/24",
    ),
}
SWITCHED = {
    "hpe_comware": ("interface PORT", "port link-mode bridge"),
    "brocade_fastiron": ("interface PORT", "no route-only"),
    "juniper_junos": ("delete interfaces PORT unit 0 family inet",),
    "sonic": ("sudo config interface ip remove PORT 192.0.2.1/24",),
}
_GROUP = ("interface PORT", "channel-group 1 mode active")
_NO_GROUP = ("interface PORT", "no channel-group")
CHANNELS: dict[str, tuple[tuple[str, ...], tuple[str, ...], str]] = {
    "cisco_ios": (_GROUP, _NO_GROUP, "channel-group 1 mode active"),
    "cisco_nxos": (
        ("interface port-channel1", "switchport", "interface PORT",
         "channel-group 1 force mode active"),
        _NO_GROUP,
        "channel-group 1 mode active",
    ),
    "arista_eos": (_GROUP, _NO_GROUP, "channel-group 1 mode active"),
    "dell_os10": (_GROUP, _NO_GROUP, "channel-group 1 mode active"),
    "dell_os6": (_GROUP, _NO_GROUP, "channel-group 1 mode active"),
    "dell_powerconnect": (
        ("interface PORT", "channel-group 1 mode auto"), _NO_GROUP, "channel-group 1 mode auto"
    ),
    "dell_os9": (
        ("interface vlan 100", "no untagged PORT", "interface PORT", "no switchport",
         "port-channel-protocol lacp", "port-channel 1 mode active"),
        ("interface PORT", "no port-channel-protocol lacp"),
        "port-channel-protocol LACP",
    ),
    "hpe_comware": (
        ("interface Bridge-Aggregation1", "quit", "interface PORT",
         "port access vlan 1", "port link-aggregation group 1"),
        ("interface PORT", "undo port link-aggregation group"),
        "port link-aggregation group 1",
    ),
    "hp_procurve": (("trunk PORT trk1 lacp",), ("no trunk PORT",), "trunk 2 trk1 lacp"),
    "brocade_fastiron": (
        ("lag web dynamic id 1", "ports PORT"), ("lag web dynamic id 1", "no ports PORT"),
        "ports ethe 1/1/2",
    ),
    "juniper_junos": (
        ("delete interfaces PORT unit 0", "set interfaces PORT ether-options 802.3ad ae1"),
        ("delete interfaces PORT ether-options",),
        "ether-options 802.3ad ae1",
    ),
    "cumulus_nvue": (
        ("nv unset interface PORT bridge", "nv set interface bond1 bond member PORT"),
        ("nv unset interface bond1",),
        "master bond1 (a bond, 802.3ad)",
    ),
    "sonic": (
        (
            "sudo config vlan member del 100 PORT",
            "sudo config portchannel add PortChannel1",
            "sudo config portchannel member add PortChannel1 PORT",
        ),
        ("sudo config portchannel member del PortChannel1 PORT",),
        "PORTCHANNEL_MEMBER PortChannel1|Ethernet4",
    ),
}  # fmt: skip
"""The lines that make a port the member of a link aggregation and those that end it, and what HaaS
quotes."""


async def typed(site: OneSwitch, *lines: str) -> None:
    """Type lines, with PORT for that of node-1, in an admin's own session."""
    port = site.device.port_list[site.behind("node-1")]
    driver = site.driver()
    await driver.open(lambda line: None)
    try:
        spoken = site.dialect.dialogue
        every = [*spoken.enter_config, *lines, *site.dialect.writer.commit, *spoken.leave_config]
        await driver.show([line.replace("PORT", port) for line in every])
    finally:
        await driver.close()


async def with_node(site: OneSwitch) -> OneSwitch:
    """Let red's node-1 join VLAN 100. What is done by hand may break isolation from then on."""
    await site.hold_nodes("red", "node-1")
    assert await site.network("red", "net") == 100
    await site.connect("node-1", "net")
    await site.succeeds("red")
    site.watch.on = False
    return site


async def drifted(site: OneSwitch) -> dict[str, Any]:
    """Check for drift; return what is found of node-1's port."""
    report = await site.call("drift.check", switch="sw1")
    [item] = [item for item in report["items"] if item["kind"] == "port"]
    assert item["behind"] == "node-1:eth0"
    return dict(item)


async def released(site: OneSwitch) -> str:
    """Release node-1; return its state after the job."""
    answer = await site.call("node.release", node="node-1")
    await site.finished(answer["job"])
    return str((await site.call("node.show", node="node-1"))["state"])


@pytest.mark.parametrize("dialect", PHONES)
async def test_a_telephone_s_vlan_does_not_stay_for_the_next_tenant(
    dialect: str, tmp_path: Path, registered: Callable[[str], Registered]
) -> None:
    async with one_switch(tmp_path, dialect, registered(dialect)) as site:
        await with_node(site)
        await site.by_hand(SetVlan(VOICE, present=True))
        await typed(site, "interface PORT", PHONES[dialect])
        assert VOICE in site.carried("node-1").tagged
        await drifted(site)

        assert await released(site) == "free"

        assert site.carried("node-1") == NOTHING
        await site.hold_nodes("blue", "node-1")
        await site.network("blue", "own")
        await site.connect("node-1", "own")
        await site.succeeds("blue")
        assert site.carried("node-1") == access(101)


@pytest.mark.parametrize("dialect", CHANNELS)
async def test_a_member_of_a_link_aggregation_is_not_free(
    dialect: str, tmp_path: Path, registered: Callable[[str], Registered]
) -> None:
    async with one_switch(tmp_path, dialect, registered(dialect)) as site:
        await with_node(site)
        joining, leaving, quoted = CHANNELS[dialect]
        await typed(site, *joining)
        assert (await drifted(site))["not_understood"] == quoted

        assert await released(site) == "releasing"
        error = await site.refused("node.allocate", project="blue", node="node-1")
        assert "being released" in error.message

        await typed(site, *leaving)
        assert await released(site) == "free"
        assert site.carried("node-1") == NOTHING


@pytest.mark.parametrize("dialect", ROUTED)
async def test_a_routed_port_is_not_free_while_it_is_open(
    dialect: str, tmp_path: Path, registered: Callable[[str], Registered]
) -> None:
    async with one_switch(tmp_path, dialect, registered(dialect)) as site:
        await with_node(site)
        await typed(site, *ROUTED[dialect])
        port = site.device.port_list[site.behind("node-1")]
        if site.device.is_shut(port):  # NX-OS shuts a port that begins to route
            await typed(site, "interface PORT", "no shutdown")
        found = await drifted(site)
        assert found["open"] or found["not_understood"] is not None

        state = await released(site)

        assert site.device.is_shut(port)
        assert state in ("free", "releasing")
        if state == "releasing":  # lines about VLANs were refused, or its line is not understood
            await typed(site, *SWITCHED.get(dialect, ("interface PORT", "switchport")))
            assert await released(site) == "free"
        assert site.carried("node-1") == NOTHING
