"""A nic that is a bond is plugged into several ports: all of them change hands, or none counts."""

from __future__ import annotations

from typing import Any

import pytest

from tests.rpc.small_site import NOTHING, SmallSite, access, register_switch, tagged
from tests.rpc.test_drift import by_hand

pytestmark = pytest.mark.slow

PLACES = [{"switch": "sw1", "port": "Gi1/0/5"}, {"switch": "sw2", "port": "Gi1/0/6"}]
RETIRED = "sw2"


def carried(site: SmallSite) -> list[Any]:
    """Return what the two ports of the bond carry."""
    return [
        site.switches[place["switch"]].carried(place["port"].replace("Gi", "GigabitEthernet"))
        for place in PLACES
    ]


async def bond_of(site: SmallSite) -> dict[str, Any]:
    [nic] = (await site.call("node.show", node="node-5"))["nics"]
    return dict(nic)


async def state(site: SmallSite) -> str:
    return str((await site.call("node.show", node="node-5"))["state"])


@pytest.fixture
async def bonded(site: SmallSite) -> SmallSite:
    """node-5, whose bond has a leg on each switch, is free."""
    nic = {"nic": "bond0", "bond": "active-backup", "ports": PLACES}
    made = await site.call("node.register", node="node-5", nics=[nic])
    assert (made["nics"][0]["state"], made["state"]) == ("applied", "free")  # parked already
    return site


@pytest.fixture
async def joined(bonded: SmallSite) -> SmallSite:
    """node-5 is red's, and its bond is on VLAN 100."""
    await bonded.hold_nodes("red", "node-5")
    assert await bonded.network("red", "net") == 100
    await bonded.connect("node-5", "net", nic="bond0")
    await bonded.succeeds("red")
    return bonded


async def test_both_legs_join_and_leave_together(joined: SmallSite) -> None:
    assert carried(joined) == [access(100)] * 2
    nic = await bond_of(joined)
    assert (nic["switch"], nic["port"], nic["channel"]) == (None, None, None)
    assert (nic["bond"], nic["ports"], nic["state"]) == ("active-backup", PLACES, "applied")

    await joined.network("red", "more")
    await joined.connect("node-5", "more", nic="bond0", tagged=True)
    await joined.succeeds("red")
    assert carried(joined) == [tagged(101, untagged=100)] * 2

    released = await joined.call("node.release", node="node-5")
    await joined.finished(released["job"])
    assert carried(joined) == [NOTHING] * 2
    assert await state(joined) == "free"


async def test_a_bond_is_applied_once_all_its_legs_are(bonded: SmallSite) -> None:
    site = bonded
    await site.hold_nodes("red", "node-5")
    await site.network("red", "net")
    await site.connect("node-5", "net", nic="bond0")
    site.switches["sw2"].faults.refuse_connections = True
    await site.restart()

    assert (await site.apply("red"))["state"] == "failed"

    assert carried(site) == [access(100), NOTHING]
    assert (await bond_of(site))["state"] == "unconfirmed"
    site.switches["sw2"].faults.refuse_connections = False
    await site.succeeds("red")
    assert (await bond_of(site))["state"] == "applied"


async def test_a_node_is_free_once_all_legs_of_its_bond_are_parked(joined: SmallSite) -> None:
    site = joined
    site.switches["sw2"].faults.refuse_connections = True
    await site.restart()
    released = await site.call("node.release", node="node-5")
    await site.finished(released["job"])
    assert carried(site) == [NOTHING, access(100)]
    assert await state(site) == "releasing"

    await site.call("switch.retire", switch=RETIRED)  # the other leg is parked and saved
    assert await state(site) == "unconfirmed"


async def test_a_release_waits_for_the_leg_that_is_not_on_a_retired_switch(
    joined: SmallSite,
) -> None:
    site = joined
    for switch in site.switches.values():
        switch.faults.refuse_connections = True
    await site.restart()
    released = await site.call("node.release", node="node-5")
    await site.finished(released["job"])

    await site.call("switch.retire", switch=RETIRED)

    assert await state(site) == "releasing"


async def test_a_network_that_is_taken_back_leaves_both_legs(bonded: SmallSite) -> None:
    site = bonded
    await site.hold_nodes("blue", "node-5")
    await site.network("red", "net")
    await site.call("network.share", project="red", network="net", **{"with": "blue"})
    await site.call("network.accept", project="blue", network="red/net")
    await site.connect("node-5", "red/net", nic="bond0")
    await site.succeeds("blue")
    assert carried(site) == [access(100)] * 2

    answer = await site.call("network.unshare", project="red", network="net", **{"with": "blue"})
    if answer.get("job"):
        await site.finished(answer["job"])

    assert carried(site) == [NOTHING] * 2


async def test_a_drifted_leg_is_shown_and_repaired(joined: SmallSite) -> None:
    site = joined
    by_hand(site, "sw2", "Gi1/0/6", None)
    found = (await site.call("drift.check", switch="sw2"))["items"]
    assert [(item["target"], item["behind"]) for item in found] == [("Gi1/0/6", "node-5:bond0")]

    repaired = await site.call("drift.repair", switch="sw2")
    assert (await site.finished(repaired["job"]))["state"] == "succeeded"

    assert carried(site) == [access(100)] * 2


async def test_a_bond_is_exported_and_imported(bonded: SmallSite) -> None:
    text = (await bonded.call("site.export"))["site"]
    assert 'bond = "active-backup"' in text
    again = await bonded.call("site.import", site=text)
    assert (again["created"], again["changed"]) == ([], [])
    one_leg = text.replace('bond = "active-backup"', 'switch = "sw1"\nport = "Gi1/0/5"')
    start = one_leg.index("ports = [", one_leg.index("nodes.node-5"))
    one_leg = one_leg[:start] + one_leg[one_leg.index("\n]", start) + 2 :]

    changed = await bonded.call("site.import", site=one_leg)

    assert changed["changed"] == ["nic node-5:bond0"]
    nic = await bond_of(bonded)
    assert (nic["bond"], nic["ports"], nic["port"]) == (None, [], "Gi1/0/5")


@pytest.mark.parametrize(
    ("params", "why"),
    [
        ({"ports": PLACES}, "give both ports and bond"),
        ({"bond": "lacp"}, "give both ports and bond"),
        ({"ports": PLACES[:1], "bond": "lacp"}, "2 to 8 ports, not 1"),
        ({"ports": PLACES[:1] * 2, "bond": "lacp"}, "one port is named twice"),
        ({"ports": PLACES, "bond": "lacp", **PLACES[0]}, "give the one or the other"),
        ({"ports": PLACES, "bond": "lacp"}, "are on one switch, not on sw1 and sw2"),
    ],
)
async def test_a_bond_that_is_none_is_refused(
    site: SmallSite, params: dict[str, Any], why: str
) -> None:
    error = await site.refused("nic.register", node="node-1", nic="bond0", **params)
    assert why in error.message


async def test_a_port_has_one_nic_behind_it(bonded: SmallSite) -> None:
    error = await bonded.refused("nic.register", node="node-1", nic="eth9", **PLACES[1])
    assert error.message == "Port Gi1/0/6 of sw2 has node-5:bond0 behind it already."


async def test_a_switch_that_makes_no_channels_names_those_that_do(empty_site: SmallSite) -> None:
    site = empty_site
    await register_switch(site, "old", 2323)
    await site.sql("UPDATE switch SET dialect = 'dell_powerconnect'")
    await site.call("port.register", switch="old", ports=["g1", "g2"])
    places = [{"switch": "old", "port": port} for port in ("g1", "g2")]
    nic = {"nic": "bond0", "bond": "lacp", "ports": places}

    error = await site.refused("node.register", node="node-1", nics=[nic])

    assert "its dialect dell_powerconnect can't; those that can are " in error.message
