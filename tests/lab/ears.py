"""Sockets on the master that hear whatever reaches its network stack.

Each frame that is tried carries a mark, such as ``<7>``. A socket that receives it has heard it.
Sniffers (packet sockets for all protocols) are not among them: they hear frames before the stack
does, and only an administrator runs them.
"""

from __future__ import annotations

import contextlib
import re
import socket
import struct
from collections.abc import Iterable
from contextlib import ExitStack

_SOL_PACKET, _PACKET_ADD_MEMBERSHIP, _PACKET_MR_ALLMULTI = 263, 1, 2

ETHERTYPES = {
    "ARP": 0x0806,
    "IPv4": 0x0800,
    "IPv6": 0x86DD,
    "LLDP": 0x88CC,
    "EAPOL": 0x888E,
    "LACP": 0x8809,
    "LLC": 0x0004,
}
"""Protocols for which a program listens on one interface, as DHCP clients and lldpd do."""


class Ears:
    """Open sockets of many kinds, on the whole master and on single interfaces."""

    def __init__(self, interfaces: Iterable[str]) -> None:
        self._stack = ExitStack()
        self._sockets: dict[str, socket.socket] = {}
        interfaces = list(interfaces)
        for port in (67, 68, 5353, 9999):
            self._udp4(f"UDP port {port}", port, interfaces)
        for port in (546, 5353):
            self._udp6(f"UDP port {port} (IPv6)", port, interfaces)
        for name, protocol in {"ICMP": 1, "IGMP": 2, "TCP": 6}.items():
            self._add(f"raw {name}", socket.AF_INET, socket.SOCK_RAW, protocol)
        self._add("raw ICMPv6", socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
        for interface in interfaces:
            for name, ethertype in ETHERTYPES.items():
                self._packets(f"{name} on {interface}", interface, ethertype)

    def _add(self, name: str, *kind: int) -> socket.socket:
        sock = self._stack.enter_context(socket.socket(*kind))
        sock.setblocking(False)
        self._sockets[name] = sock
        return sock

    def _udp4(self, name: str, port: int, interfaces: Iterable[str]) -> None:
        sock = self._add(name, socket.AF_INET, socket.SOCK_DGRAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("", port))
        for interface in interfaces:
            group = struct.pack(
                "=4s4si", socket.inet_aton("224.0.0.251"), bytes(4), _index(interface)
            )
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group)

    def _udp6(self, name: str, port: int, interfaces: Iterable[str]) -> None:
        sock = self._add(name, socket.AF_INET6, socket.SOCK_DGRAM)
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("::", port))
        for interface in interfaces:
            for group in ("ff02::fb", "ff02::1:2"):
                request = socket.inet_pton(socket.AF_INET6, group) + struct.pack(
                    "=i", _index(interface)
                )
                with contextlib.suppress(OSError):  # there is no IPv6 on the interface
                    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, request)

    def _packets(self, name: str, interface: str, ethertype: int) -> None:
        sock = self._add(name, socket.AF_PACKET, socket.SOCK_RAW)
        everything = struct.pack("=iHH8s", _index(interface), _PACKET_MR_ALLMULTI, 0, b"")
        sock.setsockopt(_SOL_PACKET, _PACKET_ADD_MEMBERSHIP, everything)
        sock.bind((interface, ethertype))

    def heard(self) -> dict[int, set[str]]:
        """Return the marks that were heard since the last call, each with the sockets."""
        found: dict[int, set[str]] = {}
        for name, sock in self._sockets.items():
            with contextlib.suppress(BlockingIOError):
                while True:
                    for number in re.findall(rb"<(\d+)>", sock.recv(4096)):
                        found.setdefault(int(number), set()).add(name)
        return found

    def __enter__(self) -> Ears:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()


def mark(number: int) -> bytes:
    """Return the mark of a frame."""
    return f"<{number}>".encode()


def _index(interface: str) -> int:
    return socket.if_nametoindex(interface)
