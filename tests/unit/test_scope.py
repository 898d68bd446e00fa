"""What a plan of a project, of a release or of the site is about."""

from __future__ import annotations

import pytest

from haas_rpcd.devicenames import MASTER
from haas_rpcd.model import PARKED, HeadnodeNic, PortConfig, PortRef
from haas_rpcd.states import Applied, Desired, HeadnodeGoal, SwitchTraits
from haas_rpcd.store import scope
from haas_rpcd.store.database import Store
from haas_rpcd.store.scope import NO_NODE, Scope

POOL = tuple(range(100, 110))
RED, BLUE = 1, 2
NODE_1, NODE_2 = 1, 2


def traits(dialect: str, trunks: int) -> SwitchTraits:
    return SwitchTraits(
        declares_vlans=dialect == "cisco_ios", saves=dialect != "cisco_ios", trunks=trunks
    )


async def load(store: Store, wanted: Scope) -> tuple[Desired, Applied]:
    return await store.read(scope.load, wanted, POOL, traits)


async def ports(store: Store, wanted: Scope) -> dict[str, PortConfig]:
    desired, applied = await load(store, wanted)
    assert desired.ports.keys() == applied.ports.keys()
    return {f"{ref.switch} {ref.port}": goal.config for ref, goal in desired.ports.items()}


async def test_a_project_s_plan_is_about_the_nodes_it_holds(filled: Store) -> None:
    assert await ports(filled, Scope(RED)) == {
        "sw1 Gi1/0/1": PortConfig(100),
        "sw1 Gi1/0/2": PARKED,  # it is being released
        "sw1 Gi1/0/6": PARKED,  # the other nic of node-1, on no network
        "sw2 ethernet 1/1/2": PortConfig(None, (104,)),
    }
    assert await ports(filled, Scope(BLUE)) == {"sw2 ethernet 1/1/1": PortConfig(101, (100,))}


async def test_the_site_s_plan_is_about_trunks_and_what_no_project_holds(filled: Store) -> None:
    found = await ports(filled, Scope())
    trunk = PortConfig(tagged=POOL)
    assert {name for name, config in found.items() if config == trunk} == {
        "sw1 Gi1/0/8",
        "sw2 ethernet 1/1/8",
    }
    parked = {name for name, config in found.items() if config == PARKED}
    assert {name for name in parked if name.startswith("sw1")} == {
        "sw1 Gi1/0/2",  # it is being released
        "sw1 Gi1/0/3",
        "sw1 Gi1/0/4",
        "sw1 Gi1/0/5",
        "sw1 Gi1/0/7",  # no nic is behind it
    }


@pytest.mark.parametrize(
    ("project", "node", "expected"),
    [
        (RED, NODE_2, ["sw1 Gi1/0/2"]),
        (RED, NODE_1, []),  # it became free, and was allocated to red again
        (BLUE, NODE_2, []),  # it became free, and red held it since
        (RED, NO_NODE, []),  # it was deleted
    ],
)
async def test_a_release_is_about_a_node_only_while_its_project_releases_it(
    filled: Store, project: int, node: int, expected: list[str]
) -> None:
    desired, _ = await load(filled, Scope(project, node))
    assert [f"{ref.switch} {ref.port}" for ref in desired.ports] == expected
    assert desired.headnodes == {}


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Scope(RED), {100: "red/net", 102: "red/old", 104: "red/new"}),
        (Scope(BLUE), {100: "red/net", 101: "blue/own"}),
        (Scope(RED, NODE_2), {100: "red/net"}),  # its port may still carry it
        (Scope(), {100: "red/net", 102: "red/old", 109: "left over"}),
    ],
)
async def test_a_plan_is_about_the_vlans_that_its_scope_has_or_may_carry(
    filled: Store, wanted: Scope, expected: dict[int, str]
) -> None:
    desired, _ = await load(filled, wanted)
    assert desired.networks == expected


async def test_what_others_use_of_a_vlan_is_known_by_device(filled: Store) -> None:
    _, red = await load(filled, Scope(RED))
    assert red.elsewhere == {100: {"sw2"}}
    _, blue = await load(filled, Scope(BLUE))
    assert blue.elsewhere == {100: {"sw1", MASTER}}


async def test_vlans_and_bridges_exist_or_may_exist(filled: Store) -> None:
    _, applied = await load(filled, Scope(RED))
    assert applied.vlans == {"sw1": {100: True, 102: False}, "sw2": {100: True, 104: False}}
    assert applied.bridges == {MASTER: {100: False, 104: False}}  # 100 has drifted


async def test_a_project_saves_what_it_changed_and_the_site_what_anybody_changed(
    filled: Store,
) -> None:
    unsaved = [(await load(filled, each))[1].unsaved for each in (Scope(RED), Scope(BLUE), Scope())]
    assert unsaved == [{"sw1", "sw2"}, set(), {"sw1", "sw2"}]


async def test_headnodes_are_wanted_as_they_are_staged(filled: Store) -> None:
    desired, applied = await load(filled, Scope(BLUE))
    assert desired.headnodes["blue/desk"] == HeadnodeGoal(
        uuid="55555555-5555-4555-8555-555555555555",
        image="base-headnode",
        present=True,
        running=True,
        nics=(HeadnodeNic("nic0", "52:54:00:aa:00:05", 101),),
    )
    assert not desired.headnodes["blue/off"].running
    assert applied.headnodes.keys() == {"blue/desk", "blue/off"}  # blue/fresh was never sent
    desired, applied = await load(filled, Scope(RED))
    assert not desired.headnodes["red/going"].present
    assert applied.headnodes == {"red/head": None, "red/half": None, "red/going": None}


async def test_switches_have_the_traits_of_their_dialect_and_their_trunks(filled: Store) -> None:
    _, applied = await load(filled, Scope(BLUE))
    assert applied.switches == {
        "sw1": SwitchTraits(declares_vlans=True, saves=False, trunks=1),
        "sw2": SwitchTraits(declares_vlans=False, saves=True, trunks=1),
    }
    assert applied.ports[PortRef("sw2", "ethernet 1/1/1")].config == PortConfig(101, (100,))
