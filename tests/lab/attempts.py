"""The frames that a tenant might try on a hypervisor's network stack, and who has heard them."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable

from .ears import Ears, mark
from .frames import Wire
from .packets import (
    ALL,
    BROADCAST,
    LINK_LOCAL,
    NOBODY,
    HeadnodeNic,
    SwitchPort,
    arp_request,
    ethernet,
    icmp,
    icmp6,
    ipv4,
    ipv6,
    llc,
    udp,
    udp6,
)
from .topology import MASTER_ADDRESS, show
from .wire import inside

MakeFrame = Callable[[str, str, bytes], bytes]
"""Makes a frame of its sender's MAC, the bridge's MAC, and a mark."""

NODE = "02:00:00:00:01:01"
"""The MAC from which frames come out of the trunk."""

Arrived = dict[str, dict[str, set[str]]]
"""For each frame, and each of its two senders, the sockets that have heard it."""


def try_all(
    wire: Wire, nic: HeadnodeNic, bridge: str, trunk: SwitchPort, vlan_link: str
) -> Arrived:
    """Send every frame from a headnode and from the trunk; return which sockets heard it."""
    namespace = nic.namespace
    address = show("ip", namespace, "link", "show", "dev", bridge)[0]["address"]
    with inside(namespace):
        ears = Ears([bridge, vlan_link, nic.tap])
    with ears:
        for number, make in enumerate(FRAMES.values()):
            nic.send(make(nic.mac, address, mark(2 * number)))
            trunk.send(make(NODE, address, mark(2 * number + 1)))
        wire.who_hears_whom()  # when these frames have arrived, so have those above
        heard = ears.heard()
    return {
        name: {
            sender: heard.get(2 * number + place, set())
            for place, sender in enumerate(("headnode", "trunk"))
        }
        for number, name in enumerate(FRAMES)
    }


def print_table(title: str, arrived: Arrived) -> None:
    """Print which frames reached which sockets of the hypervisor."""
    print(f"\n{title}: what reached sockets of the hypervisor")
    for name, senders in arrived.items():
        for sender, heard in senders.items():
            print(f"  {name:38} from the {sender:9} {', '.join(sorted(heard)) or '-'}")


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
