"""Raw sockets in all the lab's namespaces, held by one process.

A socket stays in the namespace that it was opened in, so this process enters a namespace only to
open one, and then hears all places side by side. No helpers, no threads, and hardly any system
calls, which are slow in the lab.
"""

from __future__ import annotations

import ctypes
import enum
import errno
import fcntl
import os
import select
import socket
import struct
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from types import TracebackType

ETHERTYPE = 0x88B5
"""For local experiments (IEEE 802, 9.2.4): nobody else's frames have it."""

# From linux/if_ether.h, linux/if_packet.h, linux/sockios.h and linux/if.h; Python has not all.
_ETH_P_ALL = 0x0003
_ETH_P_8021Q = 0x8100
_SOL_PACKET = 263
_PACKET_ADD_MEMBERSHIP = 1
_PACKET_STATISTICS = 6
_PACKET_AUXDATA = 8
_PACKET_MR_PROMISC = 1
_PACKET_OUTGOING = 4
_TP_STATUS_VLAN_VALID = 1 << 4
_AUXDATA = struct.Struct("=IIIHHHH")  # status, len, snaplen, mac, net, vlan_tci, vlan_tpid
_SO_RCVBUFFORCE = 33
_SIOCGIFFLAGS = 0x8913
_IFF_UP = 0x1
_IFF_RUNNING = 0x40
_CLONE_NEWNET = 0x40000000

_libc = ctypes.CDLL(None, use_errno=True)


@contextmanager
def inside(namespace: str | None) -> Iterator[None]:
    """Have this thread in a network namespace for a while. None: stay in the master's."""
    if namespace is None:
        yield
        return
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        there = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
        try:
            _setns(there)
        finally:
            os.close(there)
        try:
            yield
        finally:
            _setns(home)
    finally:
        os.close(home)


def _setns(descriptor: int) -> None:  # os.setns comes with Python 3.12
    if _libc.setns(descriptor, _CLONE_NEWNET):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


class Direction(enum.Enum):
    """Which of an interface's frames are listened to."""

    IN = "in"
    OUT = "out"  # of a tap: what the machine behind it hears
    BOTH = "both"  # of the trunk: all that crosses it


@dataclass(frozen=True)
class Place:
    """Somewhere that frames can be heard and sent: an interface in a namespace."""

    name: str
    """As it stands in the matrix, e.g. ``node-1:ipmi-nic``, ``br-vlan104``, ``trunk``."""
    namespace: str | None
    interface: str
    direction: Direction = Direction.IN


@dataclass(frozen=True)
class Frame:
    """An Ethernet frame as it was on the wire, its 802.1q tags taken off, outermost first."""

    destination: bytes
    source: bytes
    tags: tuple[int, ...]
    ethertype: int
    payload: bytes


class PacketSocket:
    """A raw socket at one place, which also is its mouth."""

    def __init__(self, place: Place) -> None:
        self.place = place
        with inside(place.namespace):
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK)
            self._socket.setsockopt(_SOL_PACKET, _PACKET_AUXDATA, 1)
            self._socket.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, 4 << 20)
            index = socket.if_nametoindex(place.interface)
        # Hear what is for others, too: a frame that was let through by mistake is a leak, whoever
        # it was for.
        promiscuous = struct.pack("=iHH8s", index, _PACKET_MR_PROMISC, 0, b"")
        self._socket.setsockopt(_SOL_PACKET, _PACKET_ADD_MEMBERSHIP, promiscuous)
        self._socket.bind((place.interface, _ETH_P_ALL))
        self.mac: bytes = self._socket.getsockname()[4]

    def fileno(self) -> int:
        """Return the socket's descriptor, for poll."""
        return self._socket.fileno()

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def __enter__(self) -> PacketSocket:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def is_up(self) -> bool:
        """Whether the interface is switched on (``ip link set … up``)."""
        return bool(self._flags() & _IFF_UP)

    def has_carrier(self) -> bool:
        """Whether the interface is on and its link works."""
        return bool(self._flags() & _IFF_RUNNING)

    def _flags(self) -> int:
        request = struct.pack("16sH22x", self.place.interface.encode(), 0)
        answer = fcntl.ioctl(self._socket, _SIOCGIFFLAGS, request)
        flags: int = struct.unpack("16sH22x", answer)[1]
        return flags

    def send(self, destination: bytes, payload: bytes, tag: int | None = None) -> bool:
        """Send a frame from here; False when that cannot be, for want of a link."""
        header = destination + self.mac
        if tag is not None:
            header += struct.pack("!HH", _ETH_P_8021Q, tag)
        frame = header + struct.pack("!H", ETHERTYPE) + payload
        try:
            self._socket.send(frame.ljust(60, b"\0"))  # the least there is on an Ethernet
        except OSError as error:
            # Off, or no carrier: a shut switch port takes the carrier from the nic plugged into it.
            if error.errno in (errno.ENETDOWN, errno.ENOBUFS, errno.ENXIO):
                return False
            raise
        return True

    def lost(self) -> int:
        """Return how many frames found no room in the socket since this was last asked."""
        statistics = self._socket.getsockopt(_SOL_PACKET, _PACKET_STATISTICS, 8)
        drops: int = struct.unpack("=II", statistics)[1]
        return drops

    def received(self) -> Iterator[Frame]:
        """Yield what has passed since the last call, in the direction that the place hears."""
        while True:
            try:
                data, auxiliary, _, address = self._socket.recvmsg(2048, 64)
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno == errno.ENETDOWN:  # said once, when the interface is switched off
                    continue
                raise
            direction = Direction.OUT if address[2] == _PACKET_OUTGOING else Direction.IN
            if self.place.direction in (direction, Direction.BOTH):
                yield _frame(data, auxiliary)


def _frame(data: bytes, auxiliary: list[tuple[int, int, bytes]]) -> Frame:
    tags = []
    # The kernel takes the outermost tag out of the frame and hands it over beside it.
    for level, kind, content in auxiliary:
        if (level, kind) == (_SOL_PACKET, _PACKET_AUXDATA):
            status, _, _, _, _, tci, _ = _AUXDATA.unpack(content[: _AUXDATA.size])
            if status & _TP_STATUS_VLAN_VALID:
                tags.append(tci & 0xFFF)
    offset = 12
    (ethertype,) = struct.unpack_from("!H", data, offset)
    while ethertype == _ETH_P_8021Q:
        tci, ethertype = struct.unpack_from("!HH", data, offset + 2)
        tags.append(tci & 0xFFF)
        offset += 4
    return Frame(data[:6], data[6:12], tuple(tags), ethertype, data[offset + 2 :])


class PacketSockets:
    """PacketSockets at many places, listened to together."""

    def __init__(self, places: Iterable[Place]) -> None:
        self._stack = ExitStack()
        self._poll = select.poll()
        self._by_descriptor: dict[int, PacketSocket] = {}
        for place in places:
            sock = self._stack.enter_context(PacketSocket(place))
            self._by_descriptor[sock.fileno()] = sock
            self._poll.register(sock, select.POLLIN)

    def __enter__(self) -> PacketSockets:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def __iter__(self) -> Iterator[PacketSocket]:
        return iter(self._by_descriptor.values())

    def received_until(self, deadline: float) -> Iterator[tuple[Place, Frame]]:
        """Yield what is heard anywhere until `deadline` (of time.monotonic).

        After it has passed, what has come in already is still yielded, once.
        """
        while True:
            left = max(0.0, deadline - time.monotonic())
            for descriptor, _ in self._poll.poll(left * 1000):
                sock = self._by_descriptor[descriptor]
                for frame in sock.received():
                    yield sock.place, frame
            if not left:
                return

    def lost(self) -> int:
        """Return how many frames found no room, anywhere, since this was last asked."""
        return sum(sock.lost() for sock in self)
