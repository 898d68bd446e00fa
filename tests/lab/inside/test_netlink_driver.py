"""The driver of a host's network on a real kernel that supports VLANs: by netlink, and by iproute2
over SSH.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from haas_rpcd.drivers.hostnet.driver import Host, HostNetworkDriver
from haas_rpcd.drivers.hostnet.parking import PARKING_BRIDGE, KernelParking
from haas_rpcd.errors import DeviceError
from haas_rpcd.model import BridgeSeen, SetBridge

from ..reach import EITHER_WAY
from ..topology import (
    TRUNK_NIC,
    CommandFailed,
    Lab,
    ip,
    run,
)

pytestmark = pytest.mark.second_kernel

MAKE = SetBridge(vlan=104, present=True)
REMOVE = SetBridge(vlan=104, present=False)
SOUND, GONE = BridgeSeen(present=True), BridgeSeen(present=False)
LONG_TRUNK = "enp129s0f0np0"


def ignore(line: str) -> None:
    """Ignore a line that was sent."""


def link(name: str) -> dict[str, Any] | None:
    """Return what ``ip -d`` shows of an interface of the master; None if it does not exist."""
    try:
        return json.loads(run("ip", "-json", "-details", "link", "show", "dev", name))[0]
    except CommandFailed:
        return None


@pytest.fixture
async def master(lab: Lab, host: Host) -> AsyncIterator[HostNetworkDriver]:
    """The driver on the lab's trunk nic; it removes the network after the test."""
    driver = HostNetworkDriver(host, lab.trunk_nic)
    await driver.open()
    yield driver
    await driver.carry_out(REMOVE, ignore)
    await driver.close()


@EITHER_WAY
async def test_a_network_is_created_and_removed(master: HostNetworkDriver) -> None:
    assert await master.observe([MAKE]) == [GONE]

    await master.carry_out(MAKE, ignore)

    assert await master.observe([MAKE]) == [SOUND]
    vlan, bridge = link("trunk0.104"), link("br-vlan104")
    assert vlan and bridge
    assert vlan["link"] == TRUNK_NIC
    assert vlan["linkinfo"]["info_data"]["id"] == 104
    assert vlan["linkinfo"]["info_data"]["protocol"] == "802.1Q"
    assert vlan["master"] == "br-vlan104"
    data = bridge["linkinfo"]["info_data"]
    assert (data["stp_state"], data["forward_delay"], data["mcast_snooping"]) == (0, 0, 0)
    for one in (vlan, bridge):
        assert "UP" in one["flags"]
        assert one["inet6_addr_gen_mode"] == "none"

    await master.carry_out(REMOVE, ignore)

    assert link("trunk0.104") is None
    assert link("br-vlan104") is None
    assert await master.observe([MAKE]) == [GONE]


async def test_repeating_a_change_does_nothing(master: HostNetworkDriver) -> None:
    await master.carry_out(MAKE, ignore)
    first = link("br-vlan104")
    sent: list[str] = []
    await master.carry_out(MAKE, sent.append)
    second = link("br-vlan104")
    assert first and second
    assert (first["ifindex"], sent) == (second["ifindex"], [])

    await master.carry_out(REMOVE, sent.append)
    assert sent == ["ip link delete br-vlan104", "ip link delete trunk0.104"]
    await master.carry_out(REMOVE, sent.append)
    assert len(sent) == 2


async def test_the_preview_is_what_is_sent(master: HostNetworkDriver) -> None:
    ip(None, f"link set {TRUNK_NIC} down")
    sent: list[str] = []
    await master.carry_out(MAKE, sent.append)
    # The driver does not send settings that already are the kernel's defaults.
    assert [line for line in master.preview([MAKE])[0] if line in sent] == sent
    assert [line for line in sent if line.startswith("ip ")] == [
        line for line in master.preview([MAKE])[0] if line.startswith("ip ")
    ]


async def test_the_previewed_commands_work_by_hand(master: HostNetworkDriver) -> None:
    for line in master.preview([MAKE])[0]:
        run(*line.split())
    assert await master.observe([MAKE]) == [SOUND]
    sent: list[str] = []
    await master.carry_out(MAKE, sent.append)
    assert sent == []


async def test_an_incomplete_network_is_completed(master: HostNetworkDriver) -> None:
    damages = (
        "link set trunk0.104 nomaster",
        "link set trunk0.104 down",
        "link set br-vlan104 down",
        f"link set {TRUNK_NIC} down",
        "link delete br-vlan104",
        "link delete trunk0.104",
    )
    for damage in damages:
        await master.carry_out(MAKE, ignore)
        ip(None, damage)
        assert await master.observe([MAKE]) != [SOUND], damage
        await master.carry_out(MAKE, ignore)
        assert await master.observe([MAKE]) == [SOUND], damage


@EITHER_WAY
async def test_what_somebody_changes_is_reported(master: HostNetworkDriver) -> None:
    await master.carry_out(MAKE, ignore)
    changed = asyncio.Event()
    watching = asyncio.create_task(master.watch(changed.set))
    try:
        async with asyncio.timeout(200):
            await changed.wait()  # once to begin with
            for line in (
                "ip link set br-vlan104 down",
                "tc filter delete dev br-vlan104 ingress",
                "ip address add 192.0.2.1/24 dev trunk0.104",
            ):
                changed.clear()
                run(*line.split())
                await changed.wait()
    finally:
        watching.cancel()
        await asyncio.wait({watching})


async def test_the_mtu_follows_that_of_the_trunk(master: HostNetworkDriver) -> None:
    ip(None, f"link set {TRUNK_NIC} mtu 9000")
    await master.carry_out(MAKE, ignore)
    vlan, bridge = link("trunk0.104"), link("br-vlan104")
    assert vlan and bridge
    assert (vlan["mtu"], bridge["mtu"]) == (9000, 9000)

    ip(None, f"link set {TRUNK_NIC} mtu 1500")
    await master.carry_out(MAKE, ignore)
    vlan, bridge = link("trunk0.104"), link("br-vlan104")
    assert vlan and bridge
    assert (vlan["mtu"], bridge["mtu"]) == (1500, 1500)


async def test_a_trunk_nic_with_a_long_name(lab: Lab, host: Host) -> None:
    ip(None, f"link add {LONG_TRUNK} type veth peer name otherend")
    driver = HostNetworkDriver(host, LONG_TRUNK)
    try:
        await driver.open()
        await driver.carry_out(MAKE, ignore)
        vlan = link("haas.104")
        assert vlan and vlan["link"] == LONG_TRUNK
        assert await driver.observe([MAKE]) == [SOUND]
        await driver.carry_out(REMOVE, ignore)
        assert link("haas.104") is None
    finally:
        await driver.close()
        ip(None, f"link delete {LONG_TRUNK}")


async def test_a_vlan_made_by_hand_is_left_alone(master: HostNetworkDriver) -> None:
    ip(None, f"link add link {TRUNK_NIC} name storage type vlan id 104")
    try:
        with pytest.raises(DeviceError, match="VLAN 104 on trunk0 exists already as storage"):
            await master.carry_out(MAKE, ignore)
        assert link("storage")
    finally:
        ip(None, "link delete storage")


async def test_an_unrelated_interface_with_the_same_name_is_left_alone(
    master: HostNetworkDriver,
) -> None:
    ip(None, f"link add link {TRUNK_NIC} name trunk0.104 type vlan id 999")
    try:
        for change in (MAKE, REMOVE):
            with pytest.raises(DeviceError, match=r"trunk0\.104 on .* is not VLAN 104"):
                await master.carry_out(change, ignore)
        (seen,) = await master.observe([MAKE])
        assert seen == BridgeSeen(
            present=False,
            faults=(
                "trunk0.104 is not of HaaS, but VLAN 999 on another interface or id",
                "br-vlan104 is missing",
            ),
        )
        assert link("trunk0.104")
        assert link("br-vlan104") is None
    finally:
        ip(None, "link delete trunk0.104")


@EITHER_WAY
async def test_a_bridge_stays_while_headnodes_use_it(lab: Lab, host: Host) -> None:
    async def macs(vlan: int) -> dict[str, bool]:
        return dict.fromkeys(["52:54:00:aa:00:01", "52:54:00:aa:00:02"], True)

    driver = HostNetworkDriver(host, lab.trunk_nic, macs)
    await driver.open()
    await driver.carry_out(MAKE, ignore)
    ip(
        None,
        "tuntap add vnet0 mode tap",
        "tuntap add vnet1 mode tap",
        "link set vnet0 address fe:54:00:aa:00:01 master br-vlan104",
        "link set vnet1 address fe:54:00:aa:00:02 master br-vlan104",
    )
    try:
        with pytest.raises(DeviceError, match="cannot be removed while vnet0 and vnet1") as caught:
            await driver.carry_out(REMOVE, ignore)
        assert caught.value.data["taps"] == ["vnet0", "vnet1"]
        await driver.carry_out(MAKE, ignore)
        assert await driver.observe([MAKE]) == [SOUND]
    finally:
        ip(None, "tuntap del vnet0 mode tap", "tuntap del vnet1 mode tap")
    await driver.carry_out(REMOVE, ignore)
    await driver.close()


async def test_a_trunk_nic_that_disappeared_is_reported(lab: Lab, host: Host) -> None:
    ip(None, "link add trunk9 type veth peer name otherend")
    driver = HostNetworkDriver(host, "trunk9")
    await driver.open()
    await driver.carry_out(MAKE, ignore)
    ip(None, "link delete trunk9")
    try:
        with pytest.raises(DeviceError, match="no trunk nic trunk9") as caught:
            await driver.carry_out(MAKE, ignore)
        assert caught.value.reason == "missing"
        faults = ("the trunk nic trunk9 is missing", "trunk9.104 is missing")
        assert await driver.observe([MAKE]) == [BridgeSeen(present=True, faults=faults)]
        await driver.carry_out(REMOVE, ignore)
        assert link("br-vlan104") is None
    finally:
        await driver.close()


async def test_the_error_names_a_missing_capability(lab: Lab) -> None:
    code = (
        "import asyncio\n"
        "from haas_rpcd.drivers.hostnet.netlink import netlink_driver\n"
        "from haas_rpcd.errors import DeviceError\n"
        "from haas_rpcd.model import SetBridge\n"
        "async def main():\n"
        f"    driver = netlink_driver({lab.trunk_nic!r})\n"
        "    await driver.open()\n"
        "    try:\n"
        "        await driver.carry_out(SetBridge(104, True), print)\n"
        "    except DeviceError as error:\n"
        "        print(error.reason, error)\n"
        "asyncio.run(main())\n"
    )
    printed = run("setpriv", "--bounding-set=-net_admin", "python", "-c", code)
    assert "refused" in printed
    assert "CAP_NET_ADMIN" in printed
    assert link("trunk0.104") is None


@EITHER_WAY
async def test_the_parking_bridge_exists_while_it_is_used(host: Host) -> None:
    parking = KernelParking(host.session)
    await parking.tidy()
    await parking.provide()
    await parking.provide()
    bridge = link(PARKING_BRIDGE)
    assert bridge and "UP" not in bridge["flags"]
    ip(None, "tuntap add vnet0 mode tap", f"link set vnet0 master {PARKING_BRIDGE}")
    await parking.tidy()
    assert link(PARKING_BRIDGE)
    ip(None, "tuntap del vnet0 mode tap")
    await parking.tidy()
    assert link(PARKING_BRIDGE) is None
