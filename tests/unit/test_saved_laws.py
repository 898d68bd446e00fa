"""Laws of what is free, for any order of changes, saves, failures and power cuts.

A node is free only if its port is parked in the configuration that its switch runs *and* in the one
that it saved. A VLAN id is free only if neither has it.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haas_rpcd.model import PARKED, PortConfig, PortSeen, PresenceSeen, SaveConfig, SetPort, SetVlan
from haas_rpcd.registered import RegisteredSwitch
from haas_rpcd.store import applied, networks, nics, nodes, ports, projects, saves, switches
from haas_rpcd.store.database import Store, Tx
from tests.laws import law

pytestmark = pytest.mark.slow

PROJECTS = ("red", "blue")
POOL = (100, 101)
SWITCHES = {"sw1": "saving", "sw2": "committing"}
"""The switches and their dialects; the second one keeps every change at once."""

PORTS = [("sw1", "p1"), ("sw1", "p2"), ("sw2", "p1")]


@dataclass
class World:
    """The configurations that switches run and have saved: what ports carry, and VLANs."""

    running: dict[tuple[str, str], PortConfig] = field(
        default_factory=lambda: dict.fromkeys(PORTS, PortConfig(1))
    )
    vlans: dict[str, set[int]] = field(default_factory=lambda: {name: set() for name in SWITCHES})

    def __post_init__(self) -> None:
        self.startup = dict(self.running)
        self.saved_vlans = {name: set(found) for name, found in self.vlans.items()}

    def save(self, switch: str) -> None:
        self.startup |= {ref: found for ref, found in self.running.items() if ref[0] == switch}
        self.saved_vlans[switch] = set(self.vlans[switch])

    def has(self, vlan: int) -> bool:
        """Return whether a switch or a port has a VLAN, or would after a power cut."""
        carried = [*self.running.values(), *self.startup.values()]
        existing = [*self.vlans.values(), *self.saved_vlans.values()]
        return any(vlan in config.vlans for config in carried) or any(
            vlan in found for found in existing
        )


places = st.sampled_from(PORTS)
ids = st.sampled_from(POOL)
ACTIONS = st.one_of(
    st.tuples(st.just("set"), places, st.one_of(st.none(), ids), st.sampled_from(["", "lost"])),
    st.tuples(st.just("read"), places),
    st.tuples(st.just("vlan"), st.sampled_from(list(SWITCHES)), ids, st.booleans()),
    st.tuples(st.just("save"), st.sampled_from(list(SWITCHES)), st.booleans()),
    st.tuples(st.just("drop"), ids),
    st.tuples(st.just("allocate"), places),
    st.tuples(st.just("release"), places),
)


def fill(tx: Tx) -> None:
    saves.set_dialects_without_save(tx, ["committing"])
    for name in PROJECTS:
        projects.create(tx, name)
    for number, (name, dialect) in enumerate(SWITCHES.items()):
        switch = RegisteredSwitch(name, dialect, f"192.0.2.{number}", 23, "telnet")
        switches.create(tx, switch)
    for switch_name, port in PORTS:
        found = switches.find(tx, switch_name)
        assert found is not None
        ports.create(tx, found.id, port, port, "access")
        node_id = nodes.create(tx, f"{switch_name}-{port}", ())
        nic_id = nics.create(tx, node_id, "eth0", "data", None)
        port_id = ports.id_of(tx, switch_name, port)
        assert port_id is not None
        nics.plug(tx, nic_id, [port_id])


def id_of(tx: Tx, project: str) -> int:
    found = projects.find(tx, project)
    assert found is not None
    return found.id


def act(tx: Tx, world: World, action: tuple[object, ...]) -> None:
    """Carry out one action on the switches and in the store, as the engine does."""
    match action:
        case ("set", (str() as switch, str() as port), vlan, outcome):
            assert vlan is None or isinstance(vlan, int)
            config = PARKED if vlan is None else PortConfig(vlan)
            if vlan is not None and networks.claim(tx, vlan) is None:
                networks.create(tx, id_of(tx, "red"), f"net{vlan}", vlan, f"red/net{vlan}")
            change = SetPort(port, config)
            applied.before_sending(tx, switch, change, id_of(tx, "red"))
            world.running[switch, port] = config
            if SWITCHES[switch] == "committing":
                world.save(switch)
            if outcome != "lost":
                applied.confirm(tx, switch, change, PortSeen(config))
        case ("read", (str() as switch, str() as port)):
            seen = PortSeen(world.running[switch, port])
            if seen.config.vlans <= {1, *networks.claimed(tx, POOL)}:
                applied.confirm(tx, switch, SetPort(port, PARKED), seen)
        case ("vlan", str() as switch, int() as vlan, bool() as present):
            if networks.claim(tx, vlan) is None:
                return
            change_vlan = SetVlan(vlan, present=present)
            applied.before_sending(tx, switch, change_vlan, id_of(tx, "blue"))
            (world.vlans[switch].add if present else world.vlans[switch].discard)(vlan)
            if SWITCHES[switch] == "committing":
                world.save(switch)
            applied.confirm(tx, switch, change_vlan, PresenceSeen(present=present))
        case ("save", str() as switch, bool() as works):
            applied.before_sending(tx, switch, SaveConfig(), None)
            if works:
                world.save(switch)
            applied.confirm(tx, switch, SaveConfig(), PresenceSeen(present=works))
        case ("drop", int() as vlan):  # the network is deleted and its VLAN taken off
            claim = networks.claim(tx, vlan)
            if claim is not None and claim.network_id is not None:
                networks.delete(tx, claim.network_id)
            for ref, carried in world.running.items():
                if vlan in carried.vlans:
                    act(tx, world, ("set", ref, None, ""))
            for switch_name, present_there in world.vlans.items():
                if vlan in present_there:
                    act(tx, world, ("vlan", switch_name, vlan, False))
        case ("allocate", (str() as switch, str() as port)):
            node = nodes.find(tx, f"{switch}-{port}")
            assert node is not None
            if node.state == "free":
                nodes.allocate(tx, node.id, id_of(tx, "blue"))
        case ("release", (str() as switch, str() as port)):
            node = nodes.find(tx, f"{switch}-{port}")
            assert node is not None
            if node.project_id is not None:
                nodes.begin_release(tx, node.id)
        case _:
            raise AssertionError(action)
    applied.release_freed(tx)


def check(tx: Tx, world: World) -> None:
    for ref in PORTS:
        node = nodes.find(tx, "-".join(ref))
        assert node is not None
        if node.state == "free":
            assert (world.running[ref], world.startup[ref]) == (PARKED, PARKED), ref
    for vlan in set(POOL) - networks.claimed(tx, POOL):
        assert not world.has(vlan), vlan


def settle(tx: Tx, world: World) -> None:
    """Park, remove and save everything, as the site's and the projects' jobs do in the end."""
    for vlan in POOL:
        act(tx, world, ("drop", vlan))
    for ref in PORTS:
        act(tx, world, ("release", ref))
        act(tx, world, ("set", ref, None, ""))
    for switch in SWITCHES:
        for vlan in POOL:
            act(tx, world, ("vlan", switch, vlan, False))
    for switch in saves.to_save(tx, None):
        act(tx, world, ("save", switch, True))


@law(100)
@given(st.lists(ACTIONS, min_size=10, max_size=60))
def test_what_is_free_stays_free_after_a_power_cut(actions: list[tuple[object, ...]]) -> None:
    async def run() -> None:
        store = Store(":memory:")
        await store.open()
        try:
            await store.write(fill)
            await store.write(trial)
        finally:
            await store.close()

    def trial(tx: Tx) -> None:
        world = World()
        check(tx, world)
        for action in actions:
            act(tx, world, action)
            check(tx, world)
        settle(tx, world)
        check(tx, world)
        assert networks.claimed(tx, POOL) == set()
        assert {row.state for row in nodes.page(tx, 9, "")} == {"free"}
        assert saves.to_save(tx, None) == set()

    asyncio.run(run())
