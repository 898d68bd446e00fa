"""The netlink driver, on this machine's kernel, in a network namespace of its own.

Many kernels of containers and small machines lack 802.1q. What needs it is tested in the lab:
tests/lab/inside/test_netlink_driver.py.
"""

import asyncio
import ctypes
import os
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pyroute2 import AsyncIPRoute

from haas_rpcd.drivers.hostnet import links, sysctls
from haas_rpcd.drivers.hostnet.iplines import bridge_name
from haas_rpcd.drivers.hostnet.link import vlan_link_name
from haas_rpcd.drivers.hostnet.netlink import netlink_driver
from haas_rpcd.errors import DeviceError
from haas_rpcd.model import BridgeSeen, SetBridge

CLONE_NEWNET = 0x40000000
MAKE = SetBridge(vlan=104, present=True)
REMOVE = SetBridge(vlan=104, present=False)


def ignore(line: str) -> None:
    """Ignore a line."""


def in_a_namespace(story: Callable[[AsyncIPRoute], Awaitable[None]]) -> None:
    """Run a coroutine in a thread with a network namespace of its own."""

    async def run() -> None:
        async with AsyncIPRoute() as route:
            await story(route)

    def thread() -> None:
        if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "unshare")
        asyncio.run(run())

    with ThreadPoolExecutor(1) as executor:
        executor.submit(thread).result()


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="makes a network namespace")


def test_interface_names_are_at_most_15_bytes_long() -> None:
    assert bridge_name(104) == "br-vlan104"
    assert vlan_link_name("eth0", 104) == "eth0.104"
    assert vlan_link_name("enp129s0f0", 4094) == "enp129s0f0.4094"
    assert vlan_link_name("enp129s0f0n", 104) == "enp129s0f0n.104"
    assert vlan_link_name("enp129s0f0n", 1040) == "haas.1040"
    assert vlan_link_name("enp129s0f0np0", 4094) == "haas.4094"


def test_a_plan_shows_the_lines_of_ip() -> None:
    reserved = (
        "u32 match u32 0x00000180 0x0000ffff at -16 match u32 0xc2000000 0xfffffff0 at -12"
        " action drop"
    )
    registration = (
        "u32 match u32 0x00000180 0x0000ffff at -16 match u32 0xc2000020 0xfffffff0 at -12"
        " action drop"
    )
    cisco = (
        "u32 match u32 0x00000100 0x0000ffff at -16 match u32 0x0ccccccc 0xfffffffe at -12"
        " action drop"
    )
    assert netlink_driver("eth0").preview([MAKE])[0] == [
        "sysctl -w net/ipv6/conf/eth0/disable_ipv6=1",
        "sysctl -w net/ipv6/conf/eth0/accept_ra=0",
        "ip link set eth0 up",
        "ip link add link eth0 name eth0.104 type vlan id 104",
        "ip link set eth0.104 alias haas-vlan104 addrgenmode none",
        "sysctl -w net/ipv6/conf/eth0.104/disable_ipv6=1",
        "sysctl -w net/ipv6/conf/eth0.104/accept_ra=0",
        "sysctl -w net/ipv4/conf/eth0.104/forwarding=0",
        "sysctl -w net/ipv4/conf/eth0.104/rp_filter=1",
        "sysctl -w net/ipv4/conf/eth0.104/arp_ignore=8",
        "ip link add br-vlan104 type bridge vlan_filtering 1 vlan_default_pvid 0 stp_state 0"
        " forward_delay 0 mcast_snooping 0 group_fwd_mask 0 nf_call_iptables 0"
        " nf_call_ip6tables 0 nf_call_arptables 0",
        "ip link set br-vlan104 alias haas-vlan104 addrgenmode none",
        "sysctl -w net/ipv6/conf/br-vlan104/disable_ipv6=1",
        "sysctl -w net/ipv6/conf/br-vlan104/accept_ra=0",
        "sysctl -w net/ipv4/conf/br-vlan104/forwarding=0",
        "sysctl -w net/ipv4/conf/br-vlan104/rp_filter=1",
        "sysctl -w net/ipv4/conf/br-vlan104/arp_ignore=8",
        "tc qdisc add dev br-vlan104 clsact",
        "tc filter add dev br-vlan104 ingress prio 1 protocol all matchall action drop",
        "tc filter add dev br-vlan104 egress prio 11 protocol all matchall action drop",
        "ip link set br-vlan104 arp off",
        "ip link set eth0.104 master br-vlan104",
        "tc qdisc add dev eth0.104 clsact",
        "tc filter add dev eth0.104 ingress prio 1 protocol 802.1Q matchall action drop",
        "tc filter add dev eth0.104 ingress prio 2 protocol 802.1ad matchall action drop",
        f"tc filter add dev eth0.104 ingress prio 3 protocol all {reserved}",
        "tc filter add dev eth0.104 ingress prio 4 protocol all matchall"
        " action vlan push id 1 pass",
        "tc filter add dev eth0.104 egress prio 11 protocol 802.1Q matchall action drop",
        "tc filter add dev eth0.104 egress prio 12 protocol 802.1ad matchall action drop",
        f"tc filter add dev eth0.104 egress prio 13 protocol all {reserved}",
        f"tc filter add dev eth0.104 egress prio 14 protocol all {cisco}",
        f"tc filter add dev eth0.104 egress prio 15 protocol all {registration}",
        "bridge vlan add dev eth0.104 vid 1 pvid untagged",
        "ip link set eth0.104 up",
        "ip link set br-vlan104 up",
    ]
    assert netlink_driver("eth0").preview([REMOVE])[0] == [
        "ip link delete br-vlan104",
        "ip link delete eth0.104",
    ]


async def test_a_driver_that_is_not_open_reports_it() -> None:
    driver = netlink_driver("eth0")
    with pytest.raises(DeviceError, match="not open") as caught:
        await driver.carry_out(MAKE, ignore)
    assert caught.value.reason == "unreachable"
    await driver.close()


@needs_root
def test_a_missing_trunk_nic_is_reported() -> None:
    async def story(route: AsyncIPRoute) -> None:
        driver = netlink_driver("eth9")
        await driver.open()
        with pytest.raises(DeviceError, match=r"no trunk nic eth9: .* trunk_nic in") as caught:
            await driver.carry_out(MAKE, ignore)
        assert caught.value.reason == "missing"
        assert await driver.observe([MAKE, REMOVE]) == [BridgeSeen(False)] * 2
        await driver.carry_out(REMOVE, ignore)
        await driver.close()
        await driver.close()

    in_a_namespace(story)


@needs_root
def test_an_interface_that_is_no_bridge_is_left_alone() -> None:
    async def story(route: AsyncIPRoute) -> None:
        await route.link("add", ifname="br-vlan104", kind="veth", peer="other")
        driver = netlink_driver("lo")
        await driver.open()
        for change in (MAKE, REMOVE):
            with pytest.raises(DeviceError, match=r"br-vlan104 .* is not a bridge, but") as caught:
                await driver.carry_out(change, ignore)
            assert caught.value.reason == "refused"
        assert (await links.Kernel(route).find("br-vlan104")) is not None
        await driver.close()

    in_a_namespace(story)


@needs_root
def test_an_interface_that_only_has_the_name_of_a_vlan_is_left_alone() -> None:
    async def story(route: AsyncIPRoute) -> None:
        await route.link("add", ifname="lo.104", kind="veth", peer="other")
        driver = netlink_driver("lo")
        await driver.open()
        for change in (MAKE, REMOVE):
            with pytest.raises(DeviceError, match=r"lo\.104 .* but an interface of kind veth"):
                await driver.carry_out(change, ignore)
        await driver.close()

    in_a_namespace(story)


def test_a_bridge_stays_down_if_the_master_s_ip_stack_cannot_be_kept_off_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a system with a read-only /proc/sys, as with ProtectKernelTunables=."""
    monkeypatch.setattr(sysctls, "SYSCTLS", tmp_path)
    folder = tmp_path / "ipv4/conf/br-vlan104"
    folder.mkdir(parents=True)
    for name, value in {"forwarding": "1\n", "rp_filter": "1\n", "arp_ignore": "0\n"}.items():
        (folder / name).write_text(value)
    assert sysctls.keep_ip_off("br-vlan104") == [
        "sysctl -w net/ipv4/conf/br-vlan104/forwarding=0",
        "sysctl -w net/ipv4/conf/br-vlan104/arp_ignore=8",
    ]
    assert sysctls.keep_ip_off("br-vlan104") == []

    (folder / "rp_filter").unlink()
    (folder / "rp_filter").mkdir()
    with pytest.raises(DeviceError, match="ProtectKernelTunables"):
        sysctls.keep_ip_off("br-vlan104")
