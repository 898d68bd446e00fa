"""What trunk ports are declared to lead to: as the store keeps it, and as plans and jobs use it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

import pytest

from haas_rpcd.devicenames import MASTER
from haas_rpcd.model import PARKED, Phase, PortConfig, PortRef, SetPort, Step
from haas_rpcd.planner.steps import step
from haas_rpcd.registered import RegisteredHypervisor, RegisteredSwitch
from haas_rpcd.states import Fabric, SwitchTraits
from haas_rpcd.store import hypervisors, ports, scope, switches, trunks
from haas_rpcd.store.database import Store, Tx
from haas_rpcd.store.passing import OwnSteps, Passing, own_steps
from haas_rpcd.store.scope import Scope

FIRST = PortRef("sw1", "Gi1/0/8")
SECOND = PortRef("sw2", "ethernet 1/1/8")
LEFT, RIGHT = PortRef("mid", "Gi1/0/1"), PortRef("mid", "Gi1/0/2")
VLAN = 100
"""Red's node-1 is on it at sw1, and blue's node-6 at sw2."""


@pytest.fixture
async def line(filled: Store) -> Store:
    """The switch mid is between sw1 and sw2, as declared."""

    def make(tx: Tx) -> None:
        switches.create(tx, RegisteredSwitch("mid", "cisco_ios", "mid.example", 23, "telnet"))
        row = switches.find(tx, "mid")
        assert row is not None
        for place in (LEFT, RIGHT):
            ports.create(tx, row.id, place.port, place.port.lower(), "trunk")
        trunks.declare_peer(tx, port_id(tx, FIRST), port_id(tx, LEFT))
        trunks.declare_peer(tx, port_id(tx, RIGHT), port_id(tx, SECOND))

    await filled.write(make)
    return filled


def port_id(tx: Tx, place: PortRef) -> int:
    found = ports.id_of(tx, place.switch, place.port)
    assert found is not None
    return found


async def ends(store: Store) -> dict[PortRef, PortRef | str | None]:
    rows = await store.read(trunks.everyone)
    return {row.ref: row.peer or row.hypervisor for row in rows}


# --- what is declared -----------------------------------------------------------------------------


async def test_both_ends_of_a_link_say_the_same(line: Store) -> None:
    assert await ends(line) == {FIRST: LEFT, LEFT: FIRST, RIGHT: SECOND, SECOND: RIGHT}


@pytest.mark.parametrize(
    "change",
    [
        lambda tx: trunks.forget(tx, port_id(tx, LEFT)),
        lambda tx: ports.delete(tx, port_id(tx, LEFT)),
        lambda tx: ports.set_role(tx, port_id(tx, LEFT), "access"),
    ],
)
async def test_a_port_whose_other_end_is_gone_leads_anywhere(
    line: Store, change: Callable[[Tx], None]
) -> None:
    await line.write(change)
    assert await ends(line) == {RIGHT: SECOND, SECOND: RIGHT}
    known = await line.read(trunks.fabric)
    assert known is not None
    assert dict(known.open_ends)["sw1"] == 1


async def test_a_port_that_is_declared_to_lead_elsewhere_leaves_its_peer_open(line: Store) -> None:
    await line.write(lambda tx: trunks.declare_hypervisor(tx, port_id(tx, FIRST), MASTER))
    assert await ends(line) == {FIRST: MASTER, RIGHT: SECOND, SECOND: RIGHT}


async def test_a_port_leads_to_no_hypervisor_that_is_deleted(line: Store) -> None:
    wanted = RegisteredHypervisor("hv2", "qemu+ssh://hv2.example/system", "eth0")
    await line.write(hypervisors.create, wanted)
    await line.write(lambda tx: trunks.declare_hypervisor(tx, port_id(tx, FIRST), "hv2"))
    await line.write(hypervisors.delete, "hv2")
    assert FIRST not in await ends(line)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (
            lambda tx: trunks.declare_peer(
                tx, port_id(tx, FIRST), port_id(tx, PortRef("sw2", "ethernet 1/1/1"))
            ),
            "only a trunk port",
        ),
        (
            lambda tx: trunks.declare_peer(tx, port_id(tx, LEFT), port_id(tx, RIGHT)),
            "joins two switches",
        ),
        (
            lambda tx: trunks.declare_hypervisor(tx, port_id(tx, FIRST), "hv9"),
            "no such hypervisor",
        ),
    ],
)
async def test_the_database_refuses_what_no_cable_can_be(
    line: Store, change: Callable[[Tx], None], why: str
) -> None:
    with pytest.raises(sqlite3.IntegrityError, match=why):
        await line.write(change)


# --- in plans -------------------------------------------------------------------------------------


async def test_nothing_declared_is_no_fabric_and_what_was_taken_back_is_one(filled: Store) -> None:
    assert await filled.read(trunks.fabric) is None
    await filled.write(lambda tx: trunks.declare_peer(tx, port_id(tx, FIRST), port_id(tx, SECOND)))
    await filled.write(lambda tx: trunks.forget(tx, port_id(tx, FIRST)))
    assert await filled.read(trunks.fabric) == Fabric((("sw1", 1), ("sw2", 1)))


async def test_a_fabric_has_links_hosts_open_ends_and_what_is_retired(line: Store) -> None:
    def change(tx: Tx) -> None:
        ports.create(tx, 1, "Gi1/0/40", "gi1/0/40", "trunk")
        ports.create(tx, 1, "Gi1/0/41", "gi1/0/41", "trunk")
        trunks.declare_hypervisor(tx, port_id(tx, PortRef("sw1", "Gi1/0/40")), MASTER)
        switches.create(tx, RegisteredSwitch("alone", "cisco_ios", "alone.example", 23, "telnet"))
        switches.retire(tx, 2, 1.0)

    await line.write(change)
    assert await line.read(trunks.fabric) == Fabric(
        open_ends=(("alone", 1), ("mid", 0), ("sw1", 1), ("sw2", 0)),
        links=(("mid", "sw1"), ("mid", "sw2")),
        hosts=((MASTER, "sw1"),),
        retired=frozenset({"sw2"}),
    )


def traits(dialect: str, count: int) -> SwitchTraits:
    return SwitchTraits(declares_vlans=True, saves=True, trunks=count)


async def test_the_site_s_plan_has_the_vlans_of_all_networks_once_links_are_declared(
    line: Store,
) -> None:
    desired, _ = await line.read(scope.load, Scope(), range(100, 110), traits)
    assert desired.passing == {100, 101, 104}
    assert desired.passing <= desired.networks.keys()
    await line.write(lambda tx: tx.execute("DELETE FROM trunk_end"))
    desired, applied = await line.read(scope.load, Scope(), range(100, 110), traits)
    assert desired.passing == frozenset()
    assert applied.fabric is None


# --- between plan and send ------------------------------------------------------------------------


async def may_pass(store: Store, *own: Step) -> bool:
    """Return whether frames of the VLAN may pass mid, for a job with these steps."""

    def ask(tx: Tx) -> bool:
        steps = own_steps(own, trunks.ports(tx))
        return Passing(tx, 1, steps).may_pass("mid", VLAN)

    return await store.read(ask)


def setting(place: PortRef, config: PortConfig) -> Step:
    return step(Phase.JOIN, place.switch, SetPort(place.port, config), "set it")


BLUES = PortRef("sw2", "ethernet 1/1/1")


async def only_red_and_blue(store: Store) -> None:
    """Leave the VLAN on red's node-1 and blue's node-6; no job is running."""

    def change(tx: Tx) -> None:
        tx.execute("DELETE FROM port_carries WHERE vlan = ?", (VLAN,))
        tx.execute("DELETE FROM headnode_carries")
        tx.execute("UPDATE step SET state = 'done'")
        for place in (PortRef("sw1", "Gi1/0/1"), BLUES):
            ports.carry(tx, port_id(tx, place), [VLAN])

    await store.write(change)


async def test_frames_pass_the_switch_between_two_places(line: Store) -> None:
    await only_red_and_blue(line)
    assert await may_pass(line)
    await line.write(lambda tx: tx.execute("DELETE FROM trunk_end"))
    assert not await may_pass(line)  # nothing is declared: the plan alone decides, as before


async def test_a_port_that_the_job_itself_takes_off_is_no_place(line: Store) -> None:
    await only_red_and_blue(line)
    assert not await may_pass(line, setting(BLUES, PARKED))
    moved = setting(PortRef("sw2", "ethernet 1/1/3"), PortConfig(VLAN))
    assert await may_pass(line, setting(BLUES, PARKED), moved)
    trunk = setting(SECOND, PortConfig(tagged=(VLAN,)))  # it carries the pool, and uses nothing
    assert not await may_pass(line, setting(BLUES, PARKED), trunk)


async def test_a_place_that_another_running_job_will_add_counts(line: Store) -> None:
    await only_red_and_blue(line)
    await line.write(
        lambda tx: tx.execute("DELETE FROM port_carries WHERE port_id = ?", (port_id(tx, BLUES),))
    )
    assert not await may_pass(line)
    await line.write(
        lambda tx: tx.execute(
            "UPDATE step SET state = 'pending', device = 'sw2', target = 'ethernet 1/1/2',"
            ' change = \'{"type":"port","port":"ethernet 1/1/2","config":{"untagged":'
            "100}}' WHERE kind = 'port.set'"
        )
    )
    assert await may_pass(line)


def test_a_job_without_steps_sets_nothing() -> None:
    assert own_steps((), frozenset()) == OwnSteps()
