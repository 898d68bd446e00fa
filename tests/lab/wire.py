"""Raw sockets in all namespaces of the lab, in one process.

A socket stays in the namespace in which it was opened. So this process enters a namespace only to
open a socket, and then listens to all of them at the same time. It needs no other process and no
thread, and it makes few system calls, which are slow in the lab.
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
from dataclasses import dataclass, replace
from types import TracebackType

ETHERTYPE = 0x88B5
"""The type for local experiments (IEEE 802, 9.2.4), which no other frames have."""

# From linux/if_ether.h, linux/if_packet.h, linux/sockios.h and linux/if.h; Python lacks some.
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
    """Move this thread to a network namespace during the block; None is the master's own."""
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


def _setns(descriptor: int) -> None:  # Python 3.12 has os.setns
    if _libc.setns(descriptor, _CLONE_NEWNET):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


class Direction(enum.Enum):
    """Which frames of an interface a socket receives."""

    IN = "in"
    OUT = "out"  # for a tap: the frames that the machine behind it receives
    BOTH = "both"  # for the trunk: all frames that cross it


@dataclass(frozen=True)
class Place:
    """A place where frames are heard and sent: an interface in a namespace."""

    name: str
    """The name in the matrix, e.g. ``node-1:ipmi-nic``, ``br-vlan104``, ``trunk``."""
    namespace: str | None
    interface: str
    direction: Direction = Direction.IN
    inner_tag: int | None = None
    """The tag that frames have inside a bridge that filters VLANs; it is left out."""


@dataclass(frozen=True)
class Frame:
    """An Ethernet frame on the wire, with its 802.1q tags separated, outermost first."""

    destination: bytes
    source: bytes
    tags: tuple[int, ...]
    ethertype: int
    payload: bytes


class PacketSocket:
    """A raw socket at one place, for listening and sending."""

    def __init__(self, place: Place) -> None:
        self.place = place
        with inside(place.namespace):
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK)
            self._socket.setsockopt(_SOL_PACKET, _PACKET_AUXDATA, 1)
            self._socket.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, 4 << 20)
            index = socket.if_nametoindex(place.interface)
        # Hear frames for other addresses, too: a frame that arrives by mistake is a leak, whatever
        # its destination.
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
        """Return whether the interface is up (``ip link set … up``)."""
        return bool(self._flags() & _IFF_UP)

    def has_carrier(self) -> bool:
        """Return whether the interface is up and has a carrier."""
        return bool(self._flags() & _IFF_RUNNING)

    def _flags(self) -> int:
        request = struct.pack("16sH22x", self.place.interface.encode(), 0)
        answer = fcntl.ioctl(self._socket, _SIOCGIFFLAGS, request)
        flags: int = struct.unpack("16sH22x", answer)[1]
        return flags

    def send(self, destination: bytes, payload: bytes, tag: int | None = None) -> bool:
        """Send a frame; return False if there is no link."""
        header = destination + self.mac
        if tag is not None:
            header += struct.pack("!HH", _ETH_P_8021Q, tag)
        frame = header + struct.pack("!H", ETHERTYPE) + payload
        try:
            self._socket.send(frame.ljust(60, b"\0"))  # the minimum on Ethernet
        except OSError as error:
            # The interface is down or has no carrier, as the nic on a port that is shut.
            if error.errno in (errno.ENETDOWN, errno.ENOBUFS, errno.ENXIO):
                return False
            raise
        return True

    def lost(self) -> int:
        """Return how many frames the socket has dropped since the last call."""
        statistics = self._socket.getsockopt(_SOL_PACKET, _PACKET_STATISTICS, 8)
        drops: int = struct.unpack("=II", statistics)[1]
        return drops

    def received(self) -> Iterator[Frame]:
        """Yield the frames since the last call, in the direction of the place."""
        while True:
            try:
                data, auxiliary, _, address = self._socket.recvmsg(2048, 64)
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno == errno.ENETDOWN:  # reported once, when the interface goes down
                    continue
                raise
            direction = Direction.OUT if address[2] == _PACKET_OUTGOING else Direction.IN
            if self.place.direction in (direction, Direction.BOTH):
                frame = _frame(data, auxiliary)
                if frame.tags[:1] == (self.place.inner_tag,):
                    frame = replace(frame, tags=frame.tags[1:])
                yield frame


def _frame(data: bytes, auxiliary: list[tuple[int, int, bytes]]) -> Frame:
    tags = []
    # The kernel removes the outermost tag from the frame and passes it as auxiliary data.
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
    """Sockets at many places, polled together."""

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
        self.close()

    def close(self) -> None:
        """Close all sockets."""
        self._stack.close()

    def __iter__(self) -> Iterator[PacketSocket]:
        return iter(self._by_descriptor.values())

    def received_until(self, deadline: float) -> Iterator[tuple[Place, Frame]]:
        """Yield all frames received until `deadline`, a value of time.monotonic().

        After the deadline it polls once more, and yields what has arrived already.
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
        """Return how many frames all sockets have dropped since the last call."""
        return sum(sock.lost() for sock in self)
