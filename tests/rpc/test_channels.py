"""A bond that its switch bundles: HaaS makes the channel, sets it, reads it back and removes it.

After each line that the switch gets, every port is compared with what it may carry.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.rpc.small_site import NOTHING, Prepared, SmallSite, access, small_site, tagged

pytestmark = pytest.mark.slow

PORTS = ("Gi1/0/5", "Gi1/0/6")
FULL = tuple(port.replace("Gi", "GigabitEthernet") for port in PORTS)
CHANNEL = "Port-channel25"
PLACES = [{"switch": "sw1", "port": port} for port in PORTS]


@pytest.fixture
async def watched(tmp_path: Path, prepared: Prepared) -> AsyncIterator[SmallSite]:
    async with small_site(tmp_path, prepared, every_line=True) as site:
        yield site


def carried(site: SmallSite) -> list[Any]:
    """Return what the members carry."""
    return [site.switches["sw1"].carried(port) for port in FULL]


def members(site: SmallSite) -> list[tuple[int, str] | None]:
    return [site.switches["sw1"].running.ports[port].channel for port in FULL]


def channels(site: SmallSite) -> list[str]:
    return [name for name in site.switches["sw1"].running.ports if name.startswith("Port")]


def sent(site: SmallSite) -> list[str]:
    return [line.text for line in site.switches["sw1"].lines]


async def state(site: SmallSite) -> str:
    return str((await site.call("node.show", node="node-5"))["state"])


async def register(site: SmallSite, mode: str = "lacp") -> None:
    nic = {"nic": "bond0", "bond": mode, "ports": PLACES}
    made = await site.call("node.register", node="node-5", nics=[nic])
    assert made["nics"][0]["channel"] == CHANNEL
    await site.succeeds()
    assert await state(site) == "free"


@pytest.fixture
async def joined(watched: SmallSite) -> SmallSite:
    """node-5 is red's, and its LACP bond is on VLAN 100."""
    await register(watched)
    await watched.hold_nodes("red", "node-5")
    assert await watched.network("red", "net") == 100
    await watched.connect("node-5", "net", nic="bond0")
    await watched.succeeds("red")
    return watched


@pytest.mark.parametrize(("mode", "word"), [("lacp", "active"), ("static", "on")])
async def test_a_channel_is_made_and_removed(watched: SmallSite, mode: str, word: str) -> None:
    site = watched
    await register(site, mode)
    assert channels(site) == []
    await site.hold_nodes("red", "node-5")
    await site.network("red", "net")
    await site.connect("node-5", "net", nic="bond0")

    job = await site.succeeds("red")

    assert members(site) == [(25, word)] * 2
    assert carried(site) == [access(100)] * 2
    kinds = [(step["kind"], step["target"]) for step in job["steps"] if step["device"] == "sw1"]
    assert kinds == [
        ("vlan.create", "100"),
        ("channel.set", CHANNEL),
        ("port.set", PORTS[0]),
        ("port.set", PORTS[1]),
        ("config.save", ""),
    ]
    [nic] = (await site.call("node.show", node="node-5"))["nics"]
    assert (nic["state"], nic["bond"], nic["ports"]) == ("applied", mode, PLACES)
    assert (await site.call("drift.check"))["items"] == []

    released = await site.call("node.release", node="node-5")
    job = await site.finished(released["job"])
    assert (job["state"], await state(site)) == ("succeeded", "free"), job["error"]
    assert (members(site), channels(site)) == ([None, None], [])
    assert carried(site) == [NOTHING] * 2


async def test_a_bond_changes_its_networks_while_it_is_open(joined: SmallSite) -> None:
    site = joined
    await site.network("red", "more")
    earlier = len(sent(site))
    await site.connect("node-5", "more", nic="bond0")  # takes the other one's place
    await site.succeeds("red")
    assert carried(site) == [access(101)] * 2
    assert "shutdown" not in sent(site)[earlier:]

    await site.connect("node-5", "net", nic="bond0", tagged=True)
    await site.succeeds("red")
    assert carried(site) == [tagged(100, untagged=101)] * 2
    assert members(site) == [(25, "active")] * 2


async def test_no_port_joins_a_channel_that_was_not_set(watched: SmallSite) -> None:
    site = watched
    await register(site)
    await site.hold_nodes("red", "node-5")
    await site.network("red", "net")
    await site.connect("node-5", "net", nic="bond0")
    site.switches["sw1"].faults.refuse = {f"^interface {CHANNEL}": "% Invalid input detected"}

    job = await site.apply("red")

    assert job["state"] == "failed"
    assert (members(site), carried(site)) == ([None, None], [NOTHING] * 2)
    assert not any(line.startswith("channel-group") for line in sent(site))
    site.switches["sw1"].faults.refuse = {}
    await site.succeeds("red")
    assert members(site) == [(25, "active")] * 2


async def test_a_channel_is_not_removed_while_a_member_has_not_left(joined: SmallSite) -> None:
    site = joined
    site.switches["sw1"].faults.refuse = {"^no channel-group": "% Invalid input detected"}
    released = await site.call("node.release", node="node-5")

    job = await site.finished(released["job"])

    assert (job["state"], await state(site)) == ("failed", "releasing")
    assert channels(site) == [CHANNEL]
    assert carried(site) == [NOTHING] * 2, "they are shut, and say so"
    site.switches["sw1"].faults.refuse = {}
    again = await site.call("node.release", node="node-5")
    assert (await site.finished(again["job"]))["state"] == "succeeded"
    assert (await state(site), channels(site)) == ("free", [])


async def test_a_member_that_is_shut_is_not_parked(joined: SmallSite) -> None:
    site = joined
    running = site.switches["sw1"].running
    running.ports[FULL[0]].shutdown = True
    site.switches["sw1"].touch(FULL[0])
    site.switches["sw1"].settle()

    [item] = (await site.call("drift.check", switch="sw1"))["items"]

    assert (item["target"], item["open"]) == (PORTS[0], False)
    assert item["observed"] == f"no VLAN in {CHANNEL} (lacp)"
    repaired = await site.call("drift.repair", switch="sw1")
    assert (await site.finished(repaired["job"]))["state"] == "succeeded"
    assert carried(site) == [access(100)] * 2


async def test_a_member_of_another_channel_is_not_understood(joined: SmallSite) -> None:
    site = joined
    site.switches["sw1"].running.ports[FULL[1]].channel = (7, "active")

    [item] = (await site.call("drift.check", switch="sw1"))["items"]

    assert (item["target"], item["not_understood"]) == (PORTS[1], "channel-group 7 mode active")


async def test_a_channel_with_a_stranger_in_it_is_not_understood(joined: SmallSite) -> None:
    site = joined
    site.switches["sw1"].running.ports["GigabitEthernet1/0/9"].channel = (25, "active")

    [item] = (await site.call("drift.check", switch="sw1"))["items"]

    stranger = "GigabitEthernet1/0/9 channel-group 25 mode active"
    assert (item["target"], item["not_understood"]) == (CHANNEL, stranger)


async def test_a_channel_that_nobody_wants_comes_back_as_drift(watched: SmallSite) -> None:
    site = watched
    await register(site)
    running = site.switches["sw1"].running
    running.ports[CHANNEL] = type(running.ports[FULL[0]])(shutdown=True)

    [item] = (await site.call("drift.check", switch="sw1"))["items"]

    assert (item["target"], await state(site)) == (CHANNEL, "unconfirmed")
    repaired = await site.call("drift.repair", switch="sw1")
    assert (await site.finished(repaired["job"]))["state"] == "succeeded"
    assert (channels(site), await state(site)) == ([], "free")


async def test_a_switch_that_restarts_with_an_old_configuration(joined: SmallSite) -> None:
    """The channel was applied but not kept: what comes back is shown, and repaired."""
    site = joined
    switch = site.switches["sw1"]
    saved = switch.startup
    released = await site.call("node.release", node="node-5")
    await site.finished(released["job"])
    switch.startup = saved
    site.watch.on = False  # the switch does this by itself
    switch.reload()
    await site.restart()

    found = (await site.call("drift.check", switch="sw1"))["items"]

    assert {item["target"] for item in found} >= {CHANNEL, *PORTS}
    repaired = await site.call("drift.repair", switch="sw1")
    assert (await site.finished(repaired["job"]))["state"] == "succeeded"
    assert (members(site), channels(site)) == ([None, None], [])
    assert await state(site) == "free"


async def test_a_daemon_that_dies_between_the_channel_and_its_members(
    watched: SmallSite,
) -> None:
    site = watched
    await register(site)
    await site.hold_nodes("red", "node-5")
    await site.network("red", "net")
    await site.connect("node-5", "net", nic="bond0")
    site.switches["sw1"].faults.stall_at = "channel-group 25 mode active"
    await site.begin("red")
    while not any(line.startswith("channel-group") for line in sent(site)):
        await site.call("system.info")

    site.switches["sw1"].faults.stall_at = None
    await site.restart()

    jobs = (await site.call("job.list"))["items"]
    await site.finished(jobs[0]["job"])
    await site.succeeds("red")
    assert (members(site), carried(site)) == ([(25, "active")] * 2, [access(100)] * 2)


async def test_two_bonds_have_two_channels_and_a_deleted_one_keeps_its_number(
    joined: SmallSite,
) -> None:
    site = joined
    places = [{"switch": "sw1", "port": port} for port in ("Gi1/0/7", "Gi1/0/8")]
    nic = {"nic": "bond0", "bond": "static", "ports": places}
    made = await site.call("node.register", node="node-6", nics=[nic])
    assert made["nics"][0]["channel"] == "Port-channel26"
    assert made["state"] == "unconfirmed", "nobody knows whether there is such a channel"

    await site.call("node.delete", node="node-6")

    again = await site.call("node.register", node="node-6", nics=[nic])
    assert again["nics"][0]["channel"] == "Port-channel26", "it was never made"


async def test_the_site_file_has_the_bond_and_not_the_channel(joined: SmallSite) -> None:
    text = (await joined.call("site.export"))["site"]
    assert 'bond = "lacp"' in text
    assert CHANNEL not in text
    again = await joined.call("site.import", site=text)
    assert (again["created"], again["changed"]) == ([], [])


async def test_the_numbers_of_channels_are_an_option_of_the_switch(watched: SmallSite) -> None:
    site = watched
    text = (await site.call("site.export"))["site"]
    assert text.count('credential = "lab"') == 2
    await site.call(
        "site.import",
        site=text.replace("[switches.sw1]\n", '[switches.sw1]\noptions = {channels = "7-7"}\n'),
    )
    nic = {"nic": "bond0", "bond": "lacp", "ports": PLACES}
    made = await site.call("node.register", node="node-5", nics=[nic])
    assert made["nics"][0]["channel"] == "Port-channel7"
    more = [{"switch": "sw1", "port": port} for port in ("Gi1/0/7", "Gi1/0/8")]

    error = await site.refused("node.register", node="node-6", nics=[{**nic, "ports": more}])

    assert error.message == (
        "All numbers that HaaS may give to channels of sw1 are in use: give it more by its option"
        " channels."
    )
