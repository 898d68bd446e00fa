"""The simulated master refuses what a real one refuses."""

import pytest

from haas_rpcd.errors import DeviceError
from haas_rpcd.model import (
    BridgeSeen,
    DefineHeadnode,
    DeleteHeadnode,
    HeadnodeNic,
    HeadnodeSeen,
    SetBridge,
    SetHeadnodeNics,
    SetHeadnodePower,
)
from haas_rpcd.sim.host import SimHost
from haas_rpcd.sim.hostnet import SimNetworkDriver as Network
from haas_rpcd.sim.hypervisor import SimHypervisorDriver as Hypervisor

Sim = Hypervisor | Network
UUID, OTHER_UUID = "11111111-0000-4000-8000-000000000001", "11111111-0000-4000-8000-000000000002"
NIC0 = HeadnodeNic("nic0", "52:54:00:00:00:01", 104)
NIC1 = HeadnodeNic("nic1", "52:54:00:00:00:02", 105)
DEFINE = DefineHeadnode("p1/h1", UUID, "base-headnode", (NIC0,))
START = SetHeadnodePower("p1/h1", UUID, running=True)
STOP = SetHeadnodePower("p1/h1", UUID, running=False)
DELETE = DeleteHeadnode("p1/h1", UUID)


def ignore(line: str) -> None:
    """Ignore a line that was sent."""


def nics(*wanted: HeadnodeNic) -> SetHeadnodeNics:
    return SetHeadnodeNics("p1/h1", UUID, wanted)


def bridge(vlan: int, present: bool = True) -> SetBridge:
    return SetBridge(vlan, present)


@pytest.fixture
def host() -> SimHost:
    return SimHost()


@pytest.fixture
def hypervisor(host: SimHost) -> Hypervisor:
    return Hypervisor(host)


@pytest.fixture
def network(host: SimHost) -> Network:
    return Network(host)


async def observe(hypervisor: Hypervisor) -> HeadnodeSeen:
    (seen,) = await hypervisor.observe([DEFINE])
    assert isinstance(seen, HeadnodeSeen)
    return seen


async def assert_refused(driver: Sim, change: object, reason: str, words: str) -> None:
    with pytest.raises(DeviceError, match=words) as caught:
        await driver.carry_out(change, ignore)
    assert caught.value.reason == reason


async def test_a_headnode_is_defined_started_rewired_and_deleted(
    hypervisor: Hypervisor, network: Network
) -> None:
    sent: list[str] = []
    await network.carry_out(bridge(104), ignore)
    await hypervisor.carry_out(DEFINE, sent.append)
    assert sent == [
        "define haas_p1_h1 as an overlay of base-headnode",
        "attach nic0 52:54:00:00:00:01 to br-vlan104",
    ]
    assert await observe(hypervisor) == HeadnodeSeen(defined=True, running=False, nics=(NIC0,))

    await hypervisor.carry_out(START, ignore)
    await network.carry_out(bridge(105), ignore)
    await hypervisor.carry_out(nics(NIC1, NIC0), ignore)
    assert await observe(hypervisor) == HeadnodeSeen(defined=True, running=True, nics=(NIC0, NIC1))

    await hypervisor.carry_out(nics(NIC1), ignore)
    await network.carry_out(bridge(104, present=False), ignore)
    assert await observe(hypervisor) == HeadnodeSeen(defined=True, running=True, nics=(NIC1,))

    await hypervisor.carry_out(STOP, ignore)
    await hypervisor.carry_out(DELETE, ignore)
    await network.carry_out(bridge(105, present=False), ignore)
    assert await observe(hypervisor) == HeadnodeSeen(defined=False)
    assert await network.observe([bridge(104), bridge(105)]) == [BridgeSeen(False)] * 2


async def test_every_change_can_be_repeated(hypervisor: Hypervisor, network: Network) -> None:
    for driver, change in (
        (network, bridge(104)),
        (hypervisor, DEFINE),
        (hypervisor, START),
        (hypervisor, nics(NIC0)),
        (hypervisor, DEFINE),
        (hypervisor, STOP),
        (hypervisor, DELETE),
        (network, bridge(104, present=False)),
    ):
        sent: list[str] = []
        await driver.carry_out(change, ignore)
        await driver.carry_out(change, sent.append)
        assert sent == []


async def test_a_bridge_stays_while_a_running_headnode_uses_it(
    hypervisor: Hypervisor, network: Network
) -> None:
    await network.carry_out(bridge(104), ignore)
    await hypervisor.carry_out(DEFINE, ignore)
    await hypervisor.carry_out(START, ignore)
    await assert_refused(
        network, bridge(104, present=False), "refused", "while p1/h1:nic0 of running"
    )
    await hypervisor.carry_out(STOP, ignore)
    await network.carry_out(bridge(104, present=False), ignore)
    await assert_refused(
        hypervisor, START, "refused", "could not be started: there is no br-vlan104"
    )


async def test_a_running_headnode_cannot_join_a_missing_bridge(
    hypervisor: Hypervisor, network: Network
) -> None:
    await network.carry_out(bridge(104), ignore)
    await hypervisor.carry_out(DEFINE, ignore)
    await hypervisor.carry_out(START, ignore)
    await assert_refused(hypervisor, nics(NIC1), "refused", "there is no br-vlan105")
    # It has left the first network but joins the other one only at its next start.
    assert (await observe(hypervisor)).nics == (HeadnodeNic("nic1", NIC1.mac, 0), NIC1)
    await network.carry_out(bridge(105), ignore)
    await hypervisor.carry_out(nics(NIC1), ignore)
    assert (await observe(hypervisor)).nics == (NIC1,)


async def test_images_must_exist_and_be_shut_down(host: SimHost, hypervisor: Hypervisor) -> None:
    other = DefineHeadnode("p1/h1", UUID, "base-x")
    await assert_refused(hypervisor, other, "missing", "There is no domain base-x")
    host.running_images.add("base-headnode")
    await assert_refused(
        hypervisor, DEFINE, "refused", "base-headnode on .* is running; shut it down"
    )
    host.running_images.clear()
    await hypervisor.carry_out(DEFINE, ignore)


async def test_names_uuids_and_macs_are_unique(hypervisor: Hypervisor) -> None:
    await hypervisor.carry_out(DEFINE, ignore)
    same_name = DefineHeadnode("p1/h1", OTHER_UUID, "base-headnode")
    await assert_refused(hypervisor, same_name, "refused", "another domain haas_p1_h1")
    same_uuid = DefineHeadnode("p2/h2", UUID, "base-headnode")
    await assert_refused(hypervisor, same_uuid, "refused", "has the UUID of headnode p2/h2")
    same_mac = DefineHeadnode("p2/h2", OTHER_UUID, "base-headnode", (NIC0,))
    await assert_refused(hypervisor, same_mac, "refused", "52:54:00:00:00:01 is haas_p1_h1's")


async def test_a_missing_headnode_cannot_be_started_and_can_be_deleted(
    hypervisor: Hypervisor,
) -> None:
    await assert_refused(hypervisor, START, "missing", "haas_p1_h1 is gone")
    await assert_refused(hypervisor, nics(), "missing", "haas_p1_h1 is gone")
    await hypervisor.carry_out(DELETE, ignore)


async def test_everything_fails_while_libvirt_is_down(
    host: SimHost, hypervisor: Hypervisor
) -> None:
    host.libvirt_down = True
    await assert_refused(hypervisor, DEFINE, "unreachable", "systemctl start libvirtd")
    with pytest.raises(DeviceError, match="cannot be reached"):
        await hypervisor.open()
    with pytest.raises(DeviceError, match="cannot be reached"):
        await hypervisor.observe([DEFINE])
    host.libvirt_down = False
    await hypervisor.open()
    await hypervisor.carry_out(DEFINE, ignore)


async def test_bridges_need_the_trunk_nic_and_a_capability(host: SimHost, network: Network) -> None:
    host.trunk_missing = True
    await assert_refused(network, bridge(104), "missing", "no trunk nic eth0")
    host.trunk_missing, host.no_capability = False, True
    await assert_refused(network, bridge(104), "refused", "CAP_NET_ADMIN")
    assert host.bridges == set()
    host.no_capability = False
    await network.carry_out(bridge(104), ignore)
    host.trunk_missing = True
    assert await network.observe([bridge(104)]) == [BridgeSeen(False)]
