"""Whether a planned change may still be sent, by who holds what at that moment."""

from __future__ import annotations

import pytest

from haas_rpcd.devicenames import LIBVIRT, MASTER
from haas_rpcd.model import (
    PARKED,
    Change,
    CopyHeadnode,
    DefineHeadnode,
    DeleteHeadnode,
    HeadnodeNic,
    HeadnodeSeen,
    PortConfig,
    SaveConfig,
    SetBridge,
    SetHeadnodeNics,
    SetHeadnodePower,
    SetPort,
    SetVlan,
)
from haas_rpcd.registered import RegisteredHypervisor
from haas_rpcd.store import applied, headnodes, hypervisors, moves, sendable
from haas_rpcd.store.database import Store, Tx

SITE, RED, BLUE, GREEN = None, 1, 2, 3
HEAD, HALF, GOING, DESK, NO_SUCH = (
    f"{n * 8}-{n * 4}-4{n * 3}-8{n * 3}-{n * 12}" for n in ("1", "2", "4", "5", "9")
)


def port(name: str, untagged: int | None = None, *tagged: int) -> SetPort:
    return SetPort(name, PortConfig(untagged, tagged))


def define(name: str, uuid: str, vlan: int) -> DefineHeadnode:
    return DefineHeadnode(name, uuid, "base-headnode", (HeadnodeNic("nic0", "", vlan),))


def nics(name: str, uuid: str, vlan: int) -> SetHeadnodeNics:
    return SetHeadnodeNics(name, uuid, (HeadnodeNic("nic0", "", vlan),))


GONE = "is gone"
RELEASED = "was released since"
HANDS = "has changed hands since"
DELETED = "was deleted since"
TAKEN_BACK = "was deleted or taken back since"
UNREGISTERED = "is not registered any more"
NOBODYS = "is not anybody's any more"


def says(refusal: str | None, expected: str | None) -> bool:
    return refusal is None if expected is None else refusal is not None and expected in refusal


@pytest.mark.parametrize(
    ("project", "device", "change", "expected"),
    [
        (RED, "sw1", port("Gi1/0/1", 100), None),
        (BLUE, "sw1", port("Gi1/0/1", 100), HANDS),
        (SITE, "sw1", port("Gi1/0/1"), HANDS),
        (RED, "sw1", port("Gi1/0/1", 101), TAKEN_BACK),
        (RED, "sw1", port("Gi1/0/1", 100, 101), TAKEN_BACK),
        (RED, "sw1", port("Gi1/0/1", 102), TAKEN_BACK),
        (RED, "sw1", port("Gi1/0/2", 100), RELEASED),
        (RED, "sw1", port("Gi1/0/2"), None),
        (SITE, "sw1", port("Gi1/0/2"), None),
        (SITE, "sw1", port("Gi1/0/3"), None),
        (RED, "sw1", port("Gi1/0/3"), HANDS),
        (SITE, "sw1", port("Gi1/0/3", 100), TAKEN_BACK),
        (BLUE, "sw2", port("ethernet 1/1/1", 101, 100), None),
        (SITE, "sw1", port("Gi1/0/8", None, 100, 101, 105), None),
        (RED, "sw1", port("Gi1/0/9"), UNREGISTERED),
        (RED, "sw1", SetVlan(100, present=True), None),
        (BLUE, "sw1", SetVlan(100, present=True), None),
        (GREEN, "sw1", SetVlan(100, present=True), TAKEN_BACK),
        (RED, "sw1", SetVlan(102, present=True), TAKEN_BACK),
        (RED, "sw1", SetVlan(102, present=False), None),
        (RED, "sw2", SetVlan(102, present=False), GONE),
        (RED, MASTER, SetBridge(100, present=True), None),
        (RED, MASTER, SetBridge(101, present=True), TAKEN_BACK),
        (RED, MASTER, SetBridge(100, present=False), None),
        (RED, MASTER, SetBridge(101, present=False), GONE),
        (RED, "sw1", SaveConfig(), None),
        (RED, LIBVIRT, define("red/half", HALF, 100), None),
        (RED, LIBVIRT, define("red/half", HALF, 101), TAKEN_BACK),
        (RED, LIBVIRT, define("red/going", GOING, 100), DELETED),
        (RED, LIBVIRT, nics("red/head", HEAD, 100), None),
        (RED, LIBVIRT, nics("red/none", NO_SUCH, 100), DELETED),
        (RED, LIBVIRT, SetHeadnodePower("red/going", GOING, running=False), None),
        (RED, LIBVIRT, SetHeadnodePower("red/none", NO_SUCH, running=True), GONE),
        (RED, LIBVIRT, DeleteHeadnode("red/going", GOING), None),
        (RED, LIBVIRT, DeleteHeadnode("red/none", NO_SUCH), GONE),
    ],
)
async def test_a_job_may_send_what_its_project_still_has_a_right_to(
    filled: Store, project: int | None, device: str, change: Change, expected: str | None
) -> None:
    refusal = await filled.read(sendable.refusal, device, change, project)
    assert says(refusal, expected), refusal


@pytest.mark.parametrize(
    ("device", "change", "expected"),
    [
        ("sw1", port("Gi1/0/1", 100), None),
        ("sw1", port("Gi1/0/1", 104), None),
        ("sw1", port("Gi1/0/1", 101), TAKEN_BACK),
        ("sw2", port("ethernet 1/1/1", 101, 100), None),
        ("sw1", port("Gi1/0/2", 100), RELEASED),
        ("sw1", port("Gi1/0/3", 100), RELEASED),
        ("sw1", port("Gi1/0/3"), None),
        ("sw1", port("Gi1/0/8", None, 100, 101, 105), None),
        ("sw1", port("Gi1/0/9"), UNREGISTERED),
        ("sw1", SetVlan(102, present=True), None),
        ("sw1", SetVlan(103, present=True), NOBODYS),
        ("sw1", SetVlan(103, present=False), None),
        (MASTER, SetBridge(103, present=True), NOBODYS),
        (MASTER, SetBridge(103, present=False), None),
        ("sw1", SaveConfig(), None),
        (LIBVIRT, nics("blue/desk", DESK, 101), None),
        (LIBVIRT, nics("blue/desk", DESK, 104), TAKEN_BACK),
        (LIBVIRT, define("red/going", GOING, 100), DELETED),
        (LIBVIRT, define("red/none", NO_SUCH, 100), DELETED),
        (LIBVIRT, SetHeadnodePower("blue/desk", DESK, running=True), None),
        (LIBVIRT, SetHeadnodePower("red/none", NO_SUCH, running=True), GONE),
        (LIBVIRT, DeleteHeadnode("red/none", NO_SUCH), GONE),
    ],
)
async def test_a_repair_may_send_what_the_holder_still_has_a_right_to(
    filled: Store, device: str, change: Change, expected: str | None
) -> None:
    refusal = await filled.read(sendable.repair_refusal, device, change)
    assert says(refusal, expected), refusal


# --- what is still in use -------------------------------------------------------------------------

ANOTHER = 99
"""A job of another project."""


@pytest.mark.parametrize(
    ("device", "change", "carried"),
    [
        ("sw1", SetVlan(100, present=False), True),
        ("sw1", SetVlan(101, present=False), False),  # in use on sw2 only
        ("sw2", SetVlan(101, present=False), True),
        ("sw1", SetVlan(102, present=False), False),
        ("sw1", SetVlan(100, present=True), False),
        (MASTER, SetBridge(101, present=False), True),
        (MASTER, SetBridge(102, present=False), False),
        (MASTER, SetBridge(101, present=True), False),
        ("sw1", SetPort("Gi1/0/1", PARKED), False),
    ],
)
async def test_a_vlan_or_a_bridge_is_in_use_while_something_may_be_on_it(
    filled: Store, device: str, change: Change, carried: bool
) -> None:
    assert await filled.read(sendable.still_carried, device, change, 2) is carried


@pytest.mark.parametrize(
    ("device", "change", "left"),
    [
        ("sw2", SetVlan(104, present=False), "port.set"),
        ("sw2", SetVlan(104, present=False), "vlan.create"),
        (MASTER, SetBridge(100, present=False), "headnode.define"),
        (MASTER, SetBridge(100, present=False), "headnode.nics"),
        (MASTER, SetBridge(104, present=False), "bridge.create"),
    ],
)
async def test_a_vlan_or_a_bridge_that_another_job_will_add_to_is_in_use(
    filled: Store, device: str, change: Change, left: str
) -> None:
    """Red's job 2 has yet to send one step that adds something."""
    await filled.write(lambda tx: tx.execute("DELETE FROM port_carries"))
    await filled.write(lambda tx: tx.execute("DELETE FROM headnode_carries"))
    await filled.write(
        lambda tx: tx.execute("UPDATE step SET state = 'done' WHERE kind <> ?", (left,))
    )

    async def still_carried(job: int) -> bool:
        return await filled.read(sendable.still_carried, device, change, job)

    assert await still_carried(ANOTHER)
    assert not await still_carried(2)
    await filled.write(lambda tx: tx.execute("UPDATE job SET state = 'queued' WHERE id = 2"))
    assert not await still_carried(ANOTHER)


async def test_a_step_that_only_removes_keeps_nothing_in_use(filled: Store) -> None:
    await filled.write(
        lambda tx: tx.execute(
            "UPDATE step SET state = 'done' WHERE kind NOT IN ('vlan.remove', 'headnode.delete')"
        )
    )
    removal = SetVlan(102, present=False)
    assert not await filled.read(sendable.still_carried, "sw1", removal, ANOTHER)


# --- moves ----------------------------------------------------------------------------------------

OFF = "66666666-6666-4666-8666-666666666666"
"""blue/off, which is off; blue/desk was applied as running, and is found to be stopped."""


def copy(name: str, uuid: str, token: str = "now", source: str = MASTER) -> CopyHeadnode:
    return CopyHeadnode(name, uuid, "base-headnode", source, token)


async def move(store: Store, uuid: str, to: str | None = "hv2") -> None:
    """Stage a move to hv2."""

    def write(tx: Tx) -> None:
        if hypervisors.find(tx, "hv2") is None:
            hypervisors.create(tx, RegisteredHypervisor("hv2", "qemu+ssh://hv2/system", "eth0"))
        headnode_id = headnodes.id_of(tx, uuid)
        assert headnode_id is not None
        moves.stage(tx, headnode_id, to, "now")

    await store.write(write)


@pytest.mark.parametrize(
    ("uuid", "device", "change", "expected"),
    [
        (OFF, "copy:hv2", copy("blue/off", OFF), None),
        (OFF, "copy:hv2", copy("blue/off", OFF, token="before"), "is not to move to hv2 any more"),
        (OFF, "copy:hv2", copy("blue/off", OFF, source="hv3"), "is not to move to hv2 any more"),
        (OFF, "copy:hv3", copy("blue/off", OFF), "is not to move to hv3 any more"),
        (OFF, "copy:hv2", copy("blue/none", NO_SUCH), DELETED),
        (HALF, "copy:hv2", copy("red/half", HALF), "is not known to be off on master"),
        (OFF, "libvirt:hv2", SetHeadnodePower("blue/off", OFF, running=True), "moved to master"),
        (OFF, LIBVIRT, DeleteHeadnode("blue/off", OFF), "headnode blue/off is on master"),
        (OFF, "libvirt:hv2", DeleteHeadnode("blue/off", OFF), "nothing of headnode blue/off is"),
    ],
)
async def test_a_headnode_is_copied_only_while_it_is_off(
    filled: Store, uuid: str, device: str, change: Change, expected: str | None
) -> None:
    await move(filled, uuid)
    refusal = await filled.read(sendable.refusal, device, change, BLUE)
    assert says(refusal, expected), refusal


async def test_what_a_copy_left_is_deleted_before_the_next_and_only_there(filled: Store) -> None:
    await move(filled, OFF)
    change = copy("blue/off", OFF)
    delete = DeleteHeadnode("blue/off", OFF)
    await filled.write(applied.before_sending, "copy:hv2", change, BLUE)
    refusal = await filled.read(sendable.refusal, "copy:hv2", change, BLUE)
    assert says(refusal, "something of headnode blue/off is left on hv2")
    assert await filled.read(sendable.refusal, "libvirt:hv2", delete, BLUE) is None

    absent = HeadnodeSeen(defined=False)
    await filled.write(applied.confirm, "copy:hv2", change, absent)
    assert await filled.read(sendable.refusal, "libvirt:hv2", delete, BLUE) is None
    await filled.write(applied.confirm, "libvirt:hv2", delete, absent)
    assert await filled.read(sendable.refusal, "copy:hv2", change, BLUE) is None

    await filled.write(applied.before_sending, "copy:hv2", change, BLUE)
    await filled.write(applied.confirm, "copy:hv2", change, HeadnodeSeen(defined=True))
    start = SetHeadnodePower("blue/off", OFF, running=True)
    assert await filled.read(sendable.refusal, "libvirt:hv2", start, BLUE) is None
    assert says(await filled.read(sendable.refusal, LIBVIRT, start, BLUE), "moved to hv2")
    assert await filled.read(sendable.refusal, LIBVIRT, delete, BLUE) is None
    on_hv2 = await filled.read(sendable.refusal, "libvirt:hv2", delete, BLUE)
    assert says(on_hv2, "headnode blue/off is on hv2")


async def test_a_repair_moves_nothing(filled: Store) -> None:
    await move(filled, OFF)
    refusal = await filled.read(sendable.repair_refusal, "copy:hv2", copy("blue/off", OFF))
    assert says(refusal, "a repair does not move headnode blue/off")
