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

VOICE = 900
"""A VLAN of the site's own, for telephones."""

PHONES = {
    "cisco_ios": "switchport voice vlan 900",
    "cisco_nxos": "switchport voice vlan 900",
    "arista_eos": "switchport phone vlan 900",
    "dell_os6": "voice vlan 900",
}
CHANNELS = ("cisco_ios", "cisco_nxos", "arista_eos", "dell_os10")


async def typed(site: OneSwitch, *lines: str) -> None:
    """Type lines about the port of node-1, in an admin's own session."""
    port = site.device.port_list[site.behind("node-1")]
    driver = site.driver()
    await driver.open(lambda line: None)
    try:
        *modes, end = (*site.dialect.dialogue.enter_config, "end")
        await driver.show([*modes, f"interface {port}", *lines, end])
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
        await typed(site, PHONES[dialect])
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
        await typed(site, "channel-group 1 mode active")
        assert "channel-group 1 mode active" in (await drifted(site))["not_understood"]

        assert await released(site) == "releasing"
        error = await site.refused("node.allocate", project="blue", node="node-1")
        assert "being released" in error.message

        await typed(site, "no channel-group")
        assert await released(site) == "free"
        assert site.carried("node-1") == NOTHING


@pytest.mark.parametrize("dialect", CHANNELS)
async def test_a_routed_port_is_not_free_while_it_is_open(
    dialect: str, tmp_path: Path, registered: Callable[[str], Registered]
) -> None:
    async with one_switch(tmp_path, dialect, registered(dialect)) as site:
        await with_node(site)
        await typed(site, "no switchport")
        await typed(site, "no shutdown")  # NX-OS shuts a port that begins to route
        assert (await drifted(site))["open"]

        state = await released(site)

        port = site.device.port_list[site.behind("node-1")]
        assert site.device.is_shut(port)
        assert state in ("free", "releasing")
        if state == "releasing":  # the lines about VLANs were refused
            await typed(site, "switchport")
            assert await released(site) == "free"
        assert site.carried("node-1") == NOTHING
