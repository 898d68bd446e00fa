"""The master of the embedded data centre keeps the rules that a real one keeps."""

import pytest

from haas_rpcd.drivers import Driver
from haas_rpcd.errors import DeviceError
from haas_rpcd.model import (
    DefineHeadnode,
    DeleteHeadnode,
    HeadnodeNic,
    HeadnodeSeen,
    PresenceSeen,
    SetBridge,
    SetHeadnodeNics,
    SetHeadnodePower,
)
from haas_rpcd.sim.host import SimHost
from haas_rpcd.sim.hostnet import SimNetworkDriver
from haas_rpcd.sim.hypervisor import SimHypervisorDriver

UUID, OTHER_UUID = "11111111-0000-4000-8000-000000000001", "11111111-0000-4000-8000-000000000002"
NIC0 = HeadnodeNic("nic0", "52:54:00:00:00:01", 104)
NIC1 = HeadnodeNic("nic1", "52:54:00:00:00:02", 105)
DEFINE = DefineHeadnode("p1/h1", UUID, "base-headnode", (NIC0,))
START = SetHeadnodePower("p1/h1", UUID, running=True)
STOP = SetHeadnodePower("p1/h1", UUID, running=False)
DELETE = DeleteHeadnode("p1/h1", UUID)


def nobody(line: str) -> None:
    """Hear the lines, and do nothing about it."""


def nics(*wanted: HeadnodeNic) -> SetHeadnodeNics:
    return SetHeadnodeNics("p1/h1", UUID, wanted)


def bridge(vlan: int, present: bool = True) -> SetBridge:
    return SetBridge(vlan, present)


@pytest.fixture
def host() -> SimHost:
    return SimHost()


@pytest.fixture
def hypervisor(host: SimHost) -> Driver:
    return SimHypervisorDriver(host)


@pytest.fixture
def network(host: SimHost) -> Driver:
    return SimNetworkDriver(host)


async def seen(hypervisor: Driver) -> HeadnodeSeen:
    (one,) = await hypervisor.observe([DEFINE])
    assert isinstance(one, HeadnodeSeen)
    return one


async def refused(driver: Driver, change: object, reason: str, words: str) -> None:
    with pytest.raises(DeviceError, match=words) as caught:
        await driver.send(change, nobody)
    assert caught.value.reason == reason


async def test_the_life_of_a_headnode(hypervisor: Driver, network: Driver) -> None:
    said: list[str] = []
    await network.send(bridge(104), nobody)
    await hypervisor.send(DEFINE, said.append)
    assert said == [
        "define haas_p1_h1 as an overlay of base-headnode",
        "attach nic0 52:54:00:00:00:01 to br-vlan104",
    ]
    assert await seen(hypervisor) == HeadnodeSeen(defined=True, running=False, nics=(NIC0,))

    await hypervisor.send(START, nobody)
    await network.send(bridge(105), nobody)
    await hypervisor.send(nics(NIC1, NIC0), nobody)
    assert await seen(hypervisor) == HeadnodeSeen(defined=True, running=True, nics=(NIC0, NIC1))

    await hypervisor.send(nics(NIC1), nobody)
    await network.send(bridge(104, present=False), nobody)
    assert await seen(hypervisor) == HeadnodeSeen(defined=True, running=True, nics=(NIC1,))

    await hypervisor.send(STOP, nobody)
    await hypervisor.send(DELETE, nobody)
    await network.send(bridge(105, present=False), nobody)
    assert await seen(hypervisor) == HeadnodeSeen(defined=False)
    assert await network.observe([bridge(104), bridge(105)]) == [PresenceSeen(False)] * 2


async def test_everything_can_be_sent_twice(hypervisor: Driver, network: Driver) -> None:
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
        said: list[str] = []
        await driver.send(change, nobody)
        await driver.send(change, said.append)
        assert said == []


async def test_a_bridge_stays_while_a_running_headnode_hangs_on_it(
    hypervisor: Driver, network: Driver
) -> None:
    await network.send(bridge(104), nobody)
    await hypervisor.send(DEFINE, nobody)
    await hypervisor.send(START, nobody)
    await refused(network, bridge(104, present=False), "refused", "while p1/h1:nic0 of running")
    await hypervisor.send(STOP, nobody)
    await network.send(bridge(104, present=False), nobody)
    await refused(hypervisor, START, "refused", "could not be started: there is no br-vlan104")


async def test_a_running_headnode_joins_no_bridge_that_is_not_there(
    hypervisor: Driver, network: Driver
) -> None:
    await network.send(bridge(104), nobody)
    await hypervisor.send(DEFINE, nobody)
    await hypervisor.send(START, nobody)
    await refused(hypervisor, nics(NIC1), "refused", "there is no br-vlan105")
    # It has left the one network, and joins the other with its next start only.
    assert (await seen(hypervisor)).nics == (HeadnodeNic("nic1", NIC1.mac, 0), NIC1)
    await network.send(bridge(105), nobody)
    await hypervisor.send(nics(NIC1), nobody)
    assert (await seen(hypervisor)).nics == (NIC1,)


async def test_images_must_exist_and_be_off(host: SimHost, hypervisor: Driver) -> None:
    other = DefineHeadnode("p1/h1", UUID, "base-x")
    await refused(hypervisor, other, "missing", "There is no domain base-x")
    host.running_images.add("base-headnode")
    await refused(hypervisor, DEFINE, "refused", "base-headnode on .* is running; shut it down")
    host.running_images.clear()
    await hypervisor.send(DEFINE, nobody)


async def test_names_uuids_and_macs_are_unique(hypervisor: Driver) -> None:
    await hypervisor.send(DEFINE, nobody)
    same_name = DefineHeadnode("p1/h1", OTHER_UUID, "base-headnode")
    await refused(hypervisor, same_name, "refused", "another domain haas_p1_h1")
    same_uuid = DefineHeadnode("p2/h2", UUID, "base-headnode")
    await refused(hypervisor, same_uuid, "refused", "has the UUID of headnode p2/h2")
    same_mac = DefineHeadnode("p2/h2", OTHER_UUID, "base-headnode", (NIC0,))
    await refused(hypervisor, same_mac, "refused", "52:54:00:00:00:01 is haas_p1_h1's")


async def test_what_is_gone_cannot_be_started_and_need_not_be_deleted(hypervisor: Driver) -> None:
    await refused(hypervisor, START, "missing", "haas_p1_h1 is gone")
    await refused(hypervisor, nics(), "missing", "haas_p1_h1 is gone")
    await hypervisor.send(DELETE, nobody)


async def test_libvirt_is_down(host: SimHost, hypervisor: Driver) -> None:
    host.libvirt_down = True
    await refused(hypervisor, DEFINE, "unreachable", "systemctl start libvirtd")
    with pytest.raises(DeviceError, match="cannot be reached"):
        await hypervisor.open()
    with pytest.raises(DeviceError, match="cannot be reached"):
        await hypervisor.observe([DEFINE])
    host.libvirt_down = False
    await hypervisor.open()
    await hypervisor.send(DEFINE, nobody)


async def test_the_trunk_nic_is_missing_or_may_not_be_touched(
    host: SimHost, network: Driver
) -> None:
    host.trunk_missing = True
    await refused(network, bridge(104), "missing", "no trunk nic eth0")
    host.trunk_missing, host.no_capability = False, True
    await refused(network, bridge(104), "refused", "CAP_NET_ADMIN")
    assert host.bridges == set()
    host.no_capability = False
    await network.send(bridge(104), nobody)
    host.trunk_missing = True
    assert await network.observe([bridge(104)]) == [PresenceSeen(False)]
