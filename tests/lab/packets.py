"""Ethernet frames of the protocols that a tenant might try on the master, and a headnode's nic."""

from __future__ import annotations

import fcntl
import os
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager

from .topology import Lab, ip
from .wire import inside

ALL = "255.255.255.255"
NOBODY = "0.0.0.0"
BROADCAST = "ff:ff:ff:ff:ff:ff"
LINK_LOCAL = "fe80::5054:ff:feaa:1"

# From linux/if_tun.h
_TUNSETIFF = 0x400454CA
_IFF_TAP, _IFF_NO_PI = 0x0002, 0x1000


def mac(text: str) -> bytes:
    """Return a MAC as bytes."""
    return bytes.fromhex(text.replace(":", ""))


def ethernet(
    source: str, destination: str, ethertype: int, payload: bytes, *tags: tuple[int, int]
) -> bytes:
    """Return a frame. ``tags``: the ethertype and VLAN id of each tag, outermost first."""
    tagged = b"".join(struct.pack("!HH", kind, vlan) for kind, vlan in tags)
    head = mac(destination) + mac(source) + tagged + struct.pack("!H", ethertype)
    return (head + payload).ljust(60, b"\0")


def llc(source: str, destination: str, payload: bytes) -> bytes:
    """Return an IEEE 802.3 frame, which has its length in place of a type."""
    return ethernet(source, destination, len(payload), payload)


def ipv4(source: str, destination: str, protocol: int, payload: bytes) -> bytes:
    """Return an IPv4 packet."""
    head = struct.pack(
        *("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 0, 0, 1, protocol, 0),
        *(socket.inet_aton(source), socket.inet_aton(destination)),
    )
    return head[:10] + struct.pack("!H", _checksum(head)) + head[12:] + payload


def ipv6(source: str, destination: str, protocol: int, payload: bytes) -> bytes:
    """Return an IPv6 packet."""
    ends = socket.inet_pton(socket.AF_INET6, source) + socket.inet_pton(
        socket.AF_INET6, destination
    )
    return struct.pack("!IHBB", 6 << 28, len(payload), protocol, 255) + ends + payload


def udp(source: int, destination: int, data: bytes) -> bytes:
    """Return a UDP datagram for IPv4, without a checksum."""
    return struct.pack("!HHHH", source, destination, 8 + len(data), 0) + data


def udp6(source: int, destination: int, data: bytes, to: str) -> bytes:
    """Return a UDP datagram for IPv6, from :data:`LINK_LOCAL`."""
    return _with_checksum6(udp(source, destination, data), 17, to, 6)


def icmp(kind: int, data: bytes) -> bytes:
    """Return an ICMP message."""
    message = struct.pack("!BBHI", kind, 0, 0, 0) + data
    return message[:2] + struct.pack("!H", _checksum(message)) + message[4:]


def icmp6(kind: int, data: bytes, to: str) -> bytes:
    """Return an ICMPv6 message, from :data:`LINK_LOCAL`. ``data`` follows the checksum."""
    return _with_checksum6(struct.pack("!BBH", kind, 0, 0) + data, 58, to, 2)


def arp_request(source: str, asked: str) -> bytes:
    """Return the payload of an ARP request from 0.0.0.0 for an address."""
    head = struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1)
    return head + mac(source) + bytes(4) + bytes(6) + socket.inet_aton(asked)


def _with_checksum6(message: bytes, protocol: int, to: str, at: int) -> bytes:
    pseudo = (
        socket.inet_pton(socket.AF_INET6, LINK_LOCAL)
        + socket.inet_pton(socket.AF_INET6, to)
        + struct.pack("!II", len(message), protocol)
    )
    return message[:at] + struct.pack("!H", _checksum(pseudo + message)) + message[at + 2 :]


def _checksum(data: bytes) -> int:
    data += bytes(len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


class HeadnodeNic:
    """The nic of a headnode: this process is at the other end of its tap, as QEMU is."""

    def __init__(self, tap: str, address: str, bridge: str, namespace: str | None = None) -> None:
        """Make the tap as libvirt does: its MAC is the nic's with another first byte."""
        self.tap, self.mac, self.namespace = tap, address, namespace
        with inside(namespace):
            self._file = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
            fcntl.ioctl(
                self._file, _TUNSETIFF, struct.pack("16sH22x", tap.encode(), _IFF_TAP | _IFF_NO_PI)
            )
        ip(namespace, f"link set {tap} address fe{address[2:]} master {bridge} up")

    def close(self) -> None:
        """Stop the headnode; the tap disappears."""
        os.close(self._file)

    def send(self, frame: bytes) -> None:
        """Send a frame."""
        os.write(self._file, frame)

    def received(self) -> Iterator[bytes]:
        """Yield the frames that have arrived since the last call."""
        while True:
            try:
                yield os.read(self._file, 2048)
            except BlockingIOError:
                return


@contextmanager
def headnode_nic(
    tap: str, address: str, bridge: str, namespace: str | None = None
) -> Iterator[HeadnodeNic]:
    """A headnode's nic for the length of a block; without a namespace it is on the master."""
    nic = HeadnodeNic(tap, address, bridge, namespace)
    try:
        yield nic
    finally:
        nic.close()


class SwitchPort:
    """Sends frames out of a trunk port of the switch, as if the switch had forwarded them.

    Without ``port`` it is the master's.
    """

    def __init__(self, lab: Lab, vlan: int, port: str = "") -> None:
        self._vlan = vlan
        with inside(lab.switch.name):
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
            self._socket.bind((port or lab.switch.trunk_port, 0))

    def send(self, frame: bytes) -> None:
        """Send a frame with the VLAN's tag."""
        self._socket.send(frame[:12] + struct.pack("!HH", 0x8100, self._vlan) + frame[12:])

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()
