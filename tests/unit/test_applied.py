"""What is written before a change is sent and after it was read back, and what follows from it."""

from __future__ import annotations

import sqlite3

import pytest

from haas_rpcd.devicenames import LIBVIRT, MASTER
from haas_rpcd.model import (
    PARKED,
    BridgeSeen,
    DeleteHeadnode,
    HeadnodeNic,
    HeadnodeSeen,
    PortConfig,
    PortSeen,
    PresenceSeen,
    SaveConfig,
    SetBridge,
    SetHeadnodeNics,
    SetHeadnodePower,
    SetPort,
    SetVlan,
)
from haas_rpcd.store import (
    applied,
    drift,
    headnodes,
    networks,
    nodes,
    ports,
    projects,
    saves,
    switches,
    vlans,
)
from haas_rpcd.store.database import Store, Tx
from haas_rpcd.store.saves import SITE

RED, BLUE, GREEN = 1, 2, 3
POOL = range(100, 110)
GOING, DESK = ("44444444-4444-4444-8444-444444444444", "55555555-5555-4555-8555-555555555555")


def config(tx: Tx, switch: str, port: str) -> PortConfig | None:
    found = ports.find(tx, switch, port)
    assert found is not None
    return found.config


def state(tx: Tx, node: str) -> str:
    found = nodes.find(tx, node)
    assert found is not None
    return found.state


def allocate(tx: Tx, node: str) -> None:
    found = nodes.find(tx, node)
    assert found is not None
    nodes.allocate(tx, found.id, BLUE)


def confirm(tx: Tx, switch: str, port: str, seen: PortConfig) -> None:
    applied.confirm(tx, switch, SetPort(port, PARKED), PortSeen(seen))


def save(tx: Tx, switch: str) -> applied.Freed:
    return applied.confirm_save(tx, switch, PresenceSeen(present=True))


# --- ports ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("seen", [PortConfig(100), PortConfig(None, (100,)), PortConfig(1, (100,))])
async def test_a_port_that_carries_anything_is_not_parked(filled: Store, seen: PortConfig) -> None:
    await filled.write(confirm, "sw1", "Gi1/0/3", seen)
    assert await filled.read(config, "sw1", "Gi1/0/3") == seen
    assert await filled.read(state, "node-3") == "unconfirmed"
    with pytest.raises(sqlite3.IntegrityError, match="not confirmed parked"):
        await filled.write(allocate, "node-3")


async def test_a_port_is_not_parked_while_a_change_is_under_way(filled: Store) -> None:
    change = SetPort("Gi1/0/3", PARKED)
    await filled.write(applied.before_sending, "sw1", change, None)
    assert await filled.read(config, "sw1", "Gi1/0/3") is None
    assert await filled.read(state, "node-3") == "unconfirmed"
    await filled.write(confirm, "sw1", "Gi1/0/3", PARKED)
    await filled.write(save, "sw1")
    assert await filled.read(state, "node-3") == "free"
    await filled.write(allocate, "node-3")


async def test_a_vlan_id_is_in_use_from_before_it_is_sent_until_its_end_is_saved(
    filled: Store,
) -> None:
    def delete_network(tx: Tx) -> list[int]:
        tx.execute("DELETE FROM connection")
        networks.delete(tx, 4)
        for vlan_on in ("sw1", "sw2"):
            applied.confirm(tx, vlan_on, SetVlan(104, present=False), PresenceSeen(present=False))
        applied.confirm(tx, MASTER, SetBridge(104, present=False), BridgeSeen(present=False))
        return [*save(tx, "sw1").vlans, *save(tx, "sw2").vlans]

    change = SetPort("ethernet 1/1/2", PortConfig(None, (104,)))
    await filled.write(lambda tx: tx.execute("DELETE FROM port_carries WHERE vlan = 104"))
    await filled.write(applied.before_sending, "sw2", change, RED)
    assert await filled.write(delete_network) == []  # a port may still carry it
    await filled.write(confirm, "sw2", "ethernet 1/1/2", PortConfig(None, (104,)))
    assert await filled.write(networks.free_claims) == []
    await filled.write(confirm, "sw2", "ethernet 1/1/2", PARKED)
    assert await filled.write(networks.free_claims) == []  # it may come back after a power cut
    assert (await filled.write(save, "sw2")).vlans == [104]


async def test_nobody_gets_a_vlan_id_that_is_being_removed(filled: Store) -> None:
    """It was found on a switch, and no network has it."""
    change = SetVlan(103, present=False)
    await filled.write(applied.before_sending, "sw2", change, None)
    assert await filled.read(networks.first_free_vlan, POOL) == 105
    await filled.write(applied.confirm, "sw2", change, PresenceSeen(present=False))
    assert await filled.write(networks.free_claims) == []
    assert (await filled.write(save, "sw2")).vlans == [103]
    assert await filled.read(networks.first_free_vlan, POOL) == 103


async def test_a_trunk_keeps_no_vlan_id_in_use(filled: Store) -> None:
    trunk = PortConfig(tagged=tuple(POOL))
    change = SetPort("Gi1/0/8", trunk)
    await filled.write(applied.before_sending, "sw1", change, None)
    await filled.write(confirm, "sw1", "Gi1/0/8", trunk)
    carried = await filled.read(lambda tx: tx.values(int, "SELECT DISTINCT vlan FROM port_carries"))
    assert sorted(carried) == [100, 101, 104]


async def test_a_port_that_is_not_registered_any_more_is_passed_over(filled: Store) -> None:
    await filled.write(applied.before_sending, "sw1", SetPort("Gi1/0/9", PARKED), RED)
    await filled.write(confirm, "sw1", "Gi1/0/9", PARKED)
    assert await filled.read(ports.find, "sw1", "Gi1/0/9") is None


async def test_a_port_with_another_role_is_not_known_to_fit_it(filled: Store) -> None:
    def change_role(tx: Tx, port: str, role: str) -> None:
        found = ports.find(tx, "sw1", port)
        assert found is not None
        ports.set_role(tx, found.id, role)

    before = await filled.read(ports.touched, "sw1")
    await filled.write(change_role, "Gi1/0/8", "access")
    assert await filled.read(config, "sw1", "Gi1/0/8") is None
    await filled.write(change_role, "Gi1/0/7", "trunk")  # HaaS never set it
    assert await filled.read(ports.touched, "sw1") == before


async def test_nothing_on_another_machine_is_confirmed_and_all_of_it_stays_in_use(
    filled: Store,
) -> None:
    await filled.write(switches.forget_confirmations, 2)
    assert await filled.read(ports.confirmed, "sw2") == {}
    assert list(await filled.read(ports.confirmed, "sw1")) != []
    on_switch = await filled.read(vlans.on_switch, 2)
    assert [(row.vlan, row.confirmed) for row in on_switch] == [
        (100, False),
        (101, False),
        (104, False),
    ]
    assert await filled.read(lambda tx: tx.exists("SELECT 1 FROM port_carries WHERE vlan = 101"))


async def test_ports_of_which_nothing_is_known_can_be_adopted(filled: Store) -> None:
    found = await filled.read(ports.unconfirmed, "sw1")
    assert [port.name for port in found] == ["Gi1/0/2", "Gi1/0/4", "Gi1/0/5", "Gi1/0/7"]


async def test_ports_with_a_nic_or_not_parked_keep_their_switch(filled: Store) -> None:
    def in_use(tx: Tx) -> list[str]:
        return [port.name for port in ports.in_use(tx, 2)]

    assert await filled.read(in_use) == [
        "ethernet 1/1/1",
        "ethernet 1/1/2",
        "ethernet 1/1/3",
        "ethernet 1/1/8",  # no nic, but it carries the pool
    ]
    await filled.write(confirm, "sw2", "ethernet 1/1/8", PARKED)
    await filled.write(save, "sw2")
    assert "ethernet 1/1/8" not in await filled.read(in_use)


# --- saves ----------------------------------------------------------------------------------------


async def test_a_switch_is_unsaved_for_whoever_changed_it_until_a_save_is_confirmed(
    filled: Store,
) -> None:
    def unsaved(tx: Tx) -> list[int]:
        return tx.values(int, "SELECT project_id FROM unsaved WHERE switch_id = 2 ORDER BY 1")

    await filled.write(applied.before_sending, "sw2", SetVlan(101, present=True), BLUE)
    await filled.write(applied.before_sending, "sw2", SetPort("ethernet 1/1/3", PARKED), None)
    assert await filled.read(unsaved) == [SITE, RED, BLUE]
    await filled.write(applied.confirm, "sw2", SaveConfig(), PresenceSeen(present=False))
    assert await filled.read(unsaved) == [SITE, RED, BLUE]
    await filled.write(applied.confirm, "sw2", SaveConfig(), PresenceSeen(present=True))
    assert await filled.read(unsaved) == []


async def test_what_a_deleted_project_left_unsaved_is_the_site_s_to_save(filled: Store) -> None:
    def unsaved(tx: Tx) -> list[int]:
        return tx.values(int, "SELECT project_id FROM unsaved WHERE switch_id = 2 ORDER BY 1")

    await filled.write(applied.before_sending, "sw2", SetVlan(101, present=True), GREEN)
    await filled.write(projects.delete, GREEN)
    assert await filled.read(unsaved) == [SITE, RED]


async def test_a_parked_port_frees_its_node_only_when_it_is_saved(filled: Store) -> None:
    change = SetPort("Gi1/0/2", PARKED)
    await filled.write(applied.before_sending, "sw1", change, RED)
    await filled.write(save, "sw1")  # before the port is confirmed
    await filled.write(confirm, "sw1", "Gi1/0/2", PARKED)
    assert (await filled.write(applied.release_freed)).nodes == []
    assert await filled.read(state, "node-2") == "releasing"
    freed = await filled.write(applied.confirm_save, "sw1", PresenceSeen(present=False))
    assert freed.nodes == []
    assert (await filled.write(save, "sw1")).nodes == ["node-2"]
    assert await filled.read(state, "node-2") == "free"


async def test_what_was_read_after_the_last_save_is_the_site_s_to_save(filled: Store) -> None:
    """A probe adopts it, or the daemon reads back what it sent before it died."""
    await filled.write(save, "sw1")
    await filled.write(save, "sw2")
    assert await filled.read(saves.to_save, None) == set()
    await filled.write(confirm, "sw1", "Gi1/0/4", PARKED)
    assert await filled.read(state, "node-4") == "unconfirmed"
    assert await filled.read(saves.to_save, None) == {"sw1"}
    await filled.write(save, "sw1")
    assert await filled.read(state, "node-4") == "free"


async def test_a_port_that_was_saved_while_it_had_drifted_is_saved_again(filled: Store) -> None:
    found = drift.DifferenceRow("port", "Gi1/0/3", "parked", "VLAN 100", True)
    await filled.write(drift.replace, "sw1", [found], 1.0)
    await filled.write(save, "sw1")
    await filled.write(drift.replace, "sw1", [], 2.0)  # somebody closed it by hand
    assert await filled.read(state, "node-3") == "unconfirmed"
    await filled.write(save, "sw1")
    assert await filled.read(state, "node-3") == "free"


async def test_everything_confirmed_is_saved_on_switches_that_do_not_save(filled: Store) -> None:
    found = await filled.read(switches.find, "sw1")
    assert found is not None
    await filled.write(confirm, "sw1", "Gi1/0/3", PARKED)
    assert await filled.read(state, "node-3") == "unconfirmed"
    await filled.write(saves.set_dialects_without_save, [found.dialect])
    assert await filled.read(state, "node-3") == "free"
    await filled.write(applied.before_sending, "sw1", SetPort("Gi1/0/2", PARKED), RED)
    await filled.write(confirm, "sw1", "Gi1/0/2", PARKED)
    await filled.write(applied.before_sending, "sw1", SetVlan(109, present=False), None)
    gone = PresenceSeen(present=False)
    await filled.write(applied.confirm, "sw1", SetVlan(109, present=False), gone)
    freed = await filled.write(applied.release_freed)
    assert (freed.nodes, freed.vlans) == (["node-2"], [109])
    found = await filled.read(switches.find, "sw1")
    assert found is not None
    assert not found.unsaved


# --- headnodes ------------------------------------------------------------------------------------


async def test_a_headnode_is_on_what_it_was_and_may_be_on_until_it_is_read(filled: Store) -> None:
    def on(tx: Tx) -> list[int]:
        return tx.values(
            int, "SELECT vlan FROM headnode_carries WHERE headnode_id = 5 AND vlan > 0 ORDER BY 1"
        )

    nics = (HeadnodeNic("nic0", "52:54:00:aa:00:05", 100),)
    change = SetHeadnodeNics("blue/desk", DESK, nics)
    await filled.write(applied.before_sending, LIBVIRT, change, BLUE)
    found = await filled.read(headnodes.find, BLUE, "desk")
    assert found is not None
    assert (found.seen, found.touched) == (None, True)
    assert await filled.read(on) == [100, 101]
    seen = HeadnodeSeen(defined=True, running=False, nics=nics)
    await filled.write(applied.confirm, LIBVIRT, change, seen)
    found = await filled.read(headnodes.find, BLUE, "desk")
    assert found is not None
    assert found.seen == seen
    assert await filled.read(on) == [100]


@pytest.mark.parametrize(
    ("project", "name", "uuid", "removed"),
    [(RED, "going", GOING, True), (BLUE, "desk", DESK, False)],
)
async def test_a_headnode_that_is_gone_is_removed_if_it_was_to_be_deleted(
    filled: Store, project: int, name: str, uuid: str, removed: bool
) -> None:
    change = DeleteHeadnode(name, uuid)
    await filled.write(applied.before_sending, LIBVIRT, change, project)
    await filled.write(applied.confirm, LIBVIRT, change, HeadnodeSeen(defined=False))
    found = await filled.read(headnodes.find, project, name)
    assert (found is None) is removed
    if found is not None:
        assert not found.touched  # the next apply defines it anew


async def test_a_headnode_that_does_not_exist_any_more_is_passed_over(filled: Store) -> None:
    change = SetHeadnodePower("red/none", "99999999-9999-4999-8999-999999999999", running=True)
    await filled.write(applied.before_sending, LIBVIRT, change, RED)
    await filled.write(applied.confirm, LIBVIRT, change, HeadnodeSeen(defined=True))
    assert len(await filled.read(headnodes.page, 100, 0)) == 6


async def test_only_nics_that_may_be_on_a_vlan_belong_into_its_bridge(filled: Store) -> None:
    """It is not known on which of its networks a nic is that a job is changing."""
    on = {vlan: await filled.read(headnodes.macs_on, MASTER, vlan) for vlan in (100, 101, 104)}
    changing = ["52:54:00:aa:00:01", "52:54:00:aa:00:02", "52:54:00:aa:00:03"]
    assert on == {
        100: dict.fromkeys(changing, False),  # those of head, half and going
        101: {"52:54:00:aa:00:05": True},  # desk's
        104: {},
    }
