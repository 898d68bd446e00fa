"""The master is deaf and mute on tenants' networks, and headnodes send only what is theirs.

Each test has a counterpart on an ordinary bridge, without which it would prove nothing.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager

import pytest

from haas_rpcd.drivers.hostnet.netlink import NetlinkDriver
from haas_rpcd.drivers.hostnet.taps import KernelTaps, Tap
from haas_rpcd.model import BridgeSeen, SetBridge

from ..ears import Ears, mark
from ..frames import Wire
from ..packets import (
    ALL,
    BROADCAST,
    LINK_LOCAL,
    NOBODY,
    HeadnodeNic,
    SwitchPort,
    arp_request,
    ethernet,
    headnode_nic,
    icmp,
    icmp6,
    ipv4,
    ipv6,
    llc,
    udp,
    udp6,
)
from ..topology import (
    MASTER_ADDRESS,
    TRUNK_NIC,
    Lab,
    add_bridge,
    ip,
    remove_bridge,
    run,
    show,
)

pytestmark = pytest.mark.second_kernel

MAKE = SetBridge(vlan=104, present=True)
REMOVE = SetBridge(vlan=104, present=False)
SOUND = BridgeSeen(present=True)
VLAN_LINK, BRIDGE, TAP = "trunk0.104", "br-vlan104", "vnet0"
NIC, OTHER = "52:54:00:aa:00:01", "52:54:00:aa:00:99"
NODE = "02:00:00:00:01:01"


def ignore(line: str) -> None:
    """Ignore a line that was sent."""


async def macs(vlan: int) -> set[str]:
    """Return the MAC of the headnode's nic."""
    return {NIC}


@pytest.fixture
async def master(lab: Lab) -> AsyncIterator[NetlinkDriver]:
    """The driver; the node's nic and the trunk carry VLAN 104."""
    lab.switch.carry(lab.nic("node-1:ipmi-nic").port, untagged=104)
    lab.switch.carry(lab.switch.trunk_port, tagged=[104])
    driver = NetlinkDriver(lab.trunk_nic, macs)
    await driver.open()
    yield driver
    await driver.carry_out(REMOVE, ignore)
    await driver.close()


@contextmanager
def ordinary_bridge() -> Iterator[None]:
    """A bridge as anybody would make it."""
    add_bridge(104)
    try:
        yield
    finally:
        remove_bridge(104)


def add_former_bridge() -> None:
    """Make the bridge as the release before did."""
    ip(
        None,
        f"link add link {TRUNK_NIC} name {VLAN_LINK} type vlan id 104",
        f"link set {VLAN_LINK} addrgenmode none",
        f"link add {BRIDGE} type bridge stp_state 0 forward_delay 0 mcast_snooping 0",
        f"link set {BRIDGE} addrgenmode none",
        f"link set {BRIDGE} arp off",
    )
    for setting in (
        *("ipv6/conf/{}/disable_ipv6=1", "ipv4/conf/{}/forwarding=0"),
        *("ipv4/conf/{}/rp_filter=1", "ipv4/conf/{}/arp_ignore=8"),
    ):
        run("sysctl", "-q", "-w", f"net/{setting.format(BRIDGE)}")
    ip(
        None,
        f"link set {VLAN_LINK} master {BRIDGE}",
        f"link set {VLAN_LINK} up",
        f"link set {BRIDGE} up",
    )


# --- what is tried --------------------------------------------------------------------------------

MakeFrame = Callable[[str, str, bytes], bytes]
"""Makes a frame of its sender's MAC, the bridge's MAC, and a mark."""


def _ipv4(
    to: str,
    destination: str,
    protocol: int,
    payload: Callable[[bytes], bytes],
    source: str = NOBODY,
) -> MakeFrame:
    return lambda mac, _, mark: ethernet(
        mac, to, 0x0800, ipv4(source, destination, protocol, payload(mark))
    )


def _udp(to: str, destination: str, source_port: int, port: int, source: str = NOBODY) -> MakeFrame:
    return _ipv4(to, destination, 17, lambda mark: udp(source_port, port, mark), source)


def _ipv6(destination: str, protocol: int, payload: Callable[[bytes], bytes]) -> MakeFrame:
    group = ":".join(["33:33", *(f"{byte:02x}" for byte in _last_bytes(destination))])
    return lambda mac, _, mark: ethernet(
        mac, group, 0x86DD, ipv6(LINK_LOCAL, destination, protocol, payload(mark))
    )


def _last_bytes(address: str) -> bytes:
    return socket.inet_pton(socket.AF_INET6, address)[-4:]


def _other(to: str, ethertype: int) -> MakeFrame:
    return lambda mac, _, mark: ethernet(mac, to, ethertype, mark)


FRAMES: dict[str, MakeFrame] = {
    "DHCP request": _udp(BROADCAST, ALL, 68, 67),
    "DHCP offer": _udp(BROADCAST, ALL, 67, 68, source="10.9.9.9"),
    "UDP from 0.0.0.0 to all": _udp(BROADCAST, ALL, 9999, 9999),
    "UDP from 0.0.0.0 to the bridge's MAC": lambda mac, bridge, mark: ethernet(
        mac, bridge, 0x0800, ipv4(NOBODY, ALL, 17, udp(9999, 9999, mark))
    ),
    "UDP to the master's address": lambda mac, bridge, mark: ethernet(
        mac, bridge, 0x0800, ipv4("10.0.0.99", MASTER_ADDRESS, 17, udp(9999, 9999, mark))
    ),
    "TCP to the master's address": lambda mac, bridge, mark: ethernet(
        mac, bridge, 0x0800, ipv4("10.0.0.99", MASTER_ADDRESS, 6, bytes(20) + mark)
    ),
    "mDNS": _udp("01:00:5e:00:00:fb", "224.0.0.251", 5353, 5353),
    "ICMP to 224.0.0.1": _ipv4("01:00:5e:00:00:01", "224.0.0.1", 1, lambda mark: icmp(8, mark)),
    "IGMP query": _ipv4("01:00:5e:00:00:01", "224.0.0.1", 2, lambda mark: icmp(0x11, mark)),
    "ARP request": lambda mac, _, mark: ethernet(
        mac, BROADCAST, 0x0806, arp_request(mac, MASTER_ADDRESS) + mark
    ),
    "IPv6 router advertisement": _ipv6(
        "ff02::1",
        58,
        # RFC 4861: hop limit, flags, lifetime, reachable, retransmit; an option with the mark
        lambda mark: icmp6(
            134, struct.pack("!BBHII", 64, 0, 1800, 0, 0) + b"\xfd\x01" + mark.ljust(6), "ff02::1"
        ),
    ),
    "IPv6 neighbour solicitation": _ipv6(
        "ff02::1", 58, lambda mark: icmp6(135, bytes(20) + b"\xfd\x01" + mark.ljust(6), "ff02::1")
    ),
    "mDNS over IPv6": _ipv6("ff02::fb", 17, lambda mark: udp6(5353, 5353, mark, "ff02::fb")),
    "DHCPv6 reply": _ipv6("ff02::1:2", 17, lambda mark: udp6(547, 546, mark, "ff02::1:2")),
    "STP": lambda mac, _, mark: llc(mac, "01:80:c2:00:00:00", b"\x42\x42\x03" + mark),
    "LACP": _other("01:80:c2:00:00:02", 0x8809),
    "EAPOL": _other("01:80:c2:00:00:03", 0x888E),
    "LLDP": _other("01:80:c2:00:00:0e", 0x88CC),
    "UDP to LACP's MAC": _udp("01:80:c2:00:00:02", ALL, 9999, 9999),
    "UDP to LLDP's MAC": _udp("01:80:c2:00:00:0e", ALL, 9999, 9999),
    "UDP with a tag 0": lambda mac, _, mark: ethernet(
        mac, BROADCAST, 0x0800, ipv4(NOBODY, ALL, 17, udp(9999, 9999, mark)), (0x8100, 0)
    ),
}


def try_all(lab: Lab, wire: Wire, nic: HeadnodeNic) -> dict[str, dict[str, set[str]]]:
    """Send every frame from a headnode and from the trunk; return which sockets heard it."""
    address = show("ip", None, "link", "show", "dev", BRIDGE)[0]["address"]
    trunk = SwitchPort(lab, 104)
    with Ears([BRIDGE, VLAN_LINK, TAP]) as ears:
        for number, make in enumerate(FRAMES.values()):
            nic.send(make(NIC, address, mark(2 * number)))
            trunk.send(make(NODE, address, mark(2 * number + 1)))
        wire.who_hears_whom()  # when these frames have arrived, so have those above
        heard = ears.heard()
    trunk.close()
    return {
        name: {
            sender: heard.get(2 * number + place, set())
            for place, sender in enumerate(("headnode", "trunk"))
        }
        for number, name in enumerate(FRAMES)
    }


def test_an_ordinary_bridge_hands_everything_to_the_master(lab: Lab, wire: Wire) -> None:
    lab.switch.carry(lab.switch.trunk_port, tagged=[104])
    with ordinary_bridge(), headnode_nic(TAP, NIC, BRIDGE) as nic:
        arrived = try_all(lab, wire, nic)
    print_table("an ordinary bridge", arrived)
    assert [name for name, senders in arrived.items() if not any(senders.values())] == []


async def test_nothing_reaches_the_master(lab: Lab, wire: Wire, master: NetlinkDriver) -> None:
    await master.carry_out(MAKE, ignore)
    with headnode_nic(TAP, NIC, BRIDGE) as nic:
        await KernelTaps().admit([Tap(TAP, NIC)])
        arrived = try_all(lab, wire, nic)
        addresses = run("ip", "addr", "show")
        routes = run("ip", "-6", "route", "show")
    print_table("a bridge of HaaS", arrived)
    assert {name: senders for name, senders in arrived.items() if any(senders.values())} == {}
    assert "default" not in routes
    for name in (BRIDGE, VLAN_LINK, TAP, TRUNK_NIC):
        assert "inet" not in addresses.partition(f": {name}")[2].partition("\n1")[0].split(": ")[1]


def print_table(title: str, arrived: dict[str, dict[str, set[str]]]) -> None:
    """Print which frames reached which sockets of the master."""
    print(f"\n{title}: what reached sockets of the master")
    for name, senders in arrived.items():
        for sender, heard in senders.items():
            print(f"  {name:38} from the {sender:9} {', '.join(sorted(heard)) or '-'}")
