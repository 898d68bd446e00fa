"""Who hears whom: send marked frames from everywhere and see where they arrive.

To prove that a frame does *not* arrive, waiting for some time is not enough. So after the frames
under test come sentinels: frames from each switch port straight to the nic plugged into it, which
must arrive. The kernel has one CPU and passes frames from veth to veth through one queue, first in,
first out. When a sentinel arrives, every frame queued before it has moved on by at least one link.
No path in the lab has more than two links (nic to switch, switch to nic or hypervisor), so after
three rounds of sentinels everything has arrived that ever will. A port that is shut sends no
sentinel; the nic plugged into it has no carrier and can hear nothing.
"""

from __future__ import annotations

import itertools
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Protocol

from .matrix import TRUNK, Heard, Matrix, tagged
from .topology import Host, Lab, show
from .wire import ETHERTYPE, Direction, Frame, PacketSocket, PacketSockets, Place, inside

BROADCAST = b"\xff" * 6
INNER_TAG = 1
"""The VLAN inside a bridge of HaaS."""
ROUNDS = 3
SECONDS = 30.0
"""Time-out for what must happen (carriers, sentinels). No result depends on it."""
WATCH_INTERVAL = 0.01
"""Seconds between two rounds of frames during `Wire.watch`."""


class HarnessError(Exception):
    """The lab itself does not work, as opposed to what is tested in it."""


class SwitchProcess(Protocol):
    """A switch that forwards frames in a process and therefore lags behind the kernel."""

    def follow_links(self, carriers: Mapping[str, bool]) -> None:
        """Wait until the process knows which ports have a carrier."""

    def forward_all(self) -> None:
        """Wait until the process has forwarded all frames that it has received."""


class Wire:
    """All places in a lab where frames can be heard: nics, bridges of hypervisors, their trunks.

    ``taps`` maps names of the master's headnodes to their taps; ``others`` are places of those of
    other hypervisors. A hypervisor without power hears nothing and is left out.
    """

    def __init__(self, lab: Lab, switch: SwitchProcess | None = None) -> None:
        """`switch` is None if the kernel itself is the switch."""
        self._lab = lab
        self._switch = switch
        self._numbers = itertools.count()
        self._run = os.urandom(4).hex()

    def places(
        self, taps: Mapping[str, str] | None = None, others: Sequence[Place] = ()
    ) -> list[Place]:
        """Return all places at this moment."""
        trunks = [Place(TRUNK, None, self._lab.trunk_nic, Direction.BOTH)]
        for host in self._powered():
            name = f"{host.name}:{TRUNK}"
            trunks.append(Place(name, host.name, host.trunk_nic, Direction.BOTH))
        return [
            *(Place(nic.name, nic.node, nic.nic) for nic in self._lab.nics),
            *_bridges(None),
            *(bridge for host in self._powered() for bridge in _bridges(host.name)),
            *(Place(name, None, tap, Direction.OUT) for name, tap in (taps or {}).items()),
            *others,
            *trunks,
        ]

    def _powered(self) -> list[Host]:
        return [host for host in self._lab.hosts if host.powered]

    def who_hears_whom(
        self,
        tags: Sequence[int] = (),
        taps: Mapping[str, str] | None = None,
        others: Sequence[Place] = (),
    ) -> Matrix:
        """Send from every nic and bridge, by broadcast and to each nic; return who hears whom.

        Nothing is sent from bridges of HaaS, as the master cannot.

        With `tags`, every nic also sends frames tagged with each of these VLAN ids. A nic that is
        connected tagged does so, and so does a tenant who tries to break into other networks.
        """
        places = self.places(taps, others)
        with PacketSockets(places) as sockets, self._switch_ports() as ports:
            self._settle(sockets, ports)
            senders = [sock for sock in sockets if sends(sock.place)]
            nics = {nic.name for nic in self._lab.nics}
            macs = [sock.mac for sock in senders if sock.place.name in nics]
            rows: dict[str, Heard] = {}
            marks: dict[str, str] = {}
            for sock in senders:
                for tag in (None, *(tags if sock.place.name in nics else ())):
                    row = sock.place.name if tag is None else tagged(sock.place.name, tag)
                    mark = self._mark()
                    marks[mark] = row
                    rows[row] = {}
                    for destination in (BROADCAST, *(mac for mac in macs if mac != sock.mac)):
                        sock.send(destination, _payload(mark), tag)
            for place, frame in self._drain(sockets, ports):
                row = marks.get(_mark_in(frame), "")
                if row:
                    rows[row].setdefault(place.name, set()).add(frame.tags)
        return Matrix([place.name for place in places], rows)

    @contextmanager
    def watch(self) -> Iterator[Watch]:
        """Send from every nic repeatedly while the block runs.

        Afterwards, the watch knows who heard whom at any time, so a leak that lasted only a moment,
        while ports changed hands, is a LEAK in its differences. Such a moment is the time that one
        line at a switch takes, about 50 ms; every nic sends several times within it.
        """
        places = [place for place in self.places() if not _is_bridge(place.interface)]
        with PacketSockets(places) as sockets, self._switch_ports() as ports:
            watch = Watch(sockets, self._mark)

            def send_repeatedly(stop: threading.Event) -> None:
                while not stop.is_set():
                    watch.send()
                    for place, frame in sockets.received_until(time.monotonic() + WATCH_INTERVAL):
                        watch.record(place, frame)

            with ThreadPoolExecutor(1) as thread:
                stop = threading.Event()
                sending = thread.submit(send_repeatedly, stop)
                try:
                    yield watch
                finally:
                    stop.set()
                    sending.result()
            self._settle(sockets, ports)
            for place, frame in self._drain(sockets, ports):
                watch.record(place, frame)

    def where_heard(
        self,
        *macs: str,
        seconds: float = 60.0,
        taps: Mapping[str, str] | None = None,
        others: Sequence[Place] = (),
    ) -> list[Heard]:
        """Wait for a frame from each MAC; return for each one the places that hear it, with tags.

        This is for headnodes, which send DHCP requests while they boot from the network. Raises
        TimeoutError if one of them is heard nowhere.
        """
        heard: dict[bytes, Heard] = {bytes.fromhex(mac.replace(":", "")): {} for mac in macs}

        def record(place: Place, frame: Frame) -> None:
            if frame.source in heard:
                heard[frame.source].setdefault(place.name, set()).add(frame.tags)

        with PacketSockets(self.places(taps, others)) as sockets, self._switch_ports() as ports:
            for place, frame in sockets.received_until(time.monotonic() + seconds):
                record(place, frame)
                if all(heard.values()):
                    break
            else:
                silent = [
                    mac for mac, places in zip(macs, heard.values(), strict=True) if not places
                ]
                raise TimeoutError(
                    f"Nothing was heard of {', '.join(silent)} in {seconds:.0f} s, anywhere."
                )
            for place, frame in self._drain(sockets, ports):
                record(place, frame)
        return list(heard.values())

    def _mark(self) -> str:
        return f"HAAS-{self._run}-{next(self._numbers)}"

    @contextmanager
    def _switch_ports(self) -> Iterator[dict[str, PacketSocket]]:
        """Open a socket on each switch port; the keys name the places plugged into the ports."""
        switch = self._lab.switch
        plugged = {nic.name: nic.port for nic in self._lab.nics} | {TRUNK: switch.trunk_port}
        plugged |= {f"{host.name}:{TRUNK}": host.port for host in self._powered()}
        with ExitStack() as stack:
            yield {
                name: stack.enter_context(PacketSocket(Place(port, switch.name, port)))
                for name, port in plugged.items()
            }

    def _settle(self, sockets: PacketSockets, ports: Mapping[str, PacketSocket]) -> None:
        """Wait until the carrier of each nic agrees with the state of its port."""
        plugged = {sock.place.name: sock for sock in sockets if sock.place.name in ports}
        deadline = time.monotonic() + SECONDS
        while unsettled := [
            name
            for name, port in ports.items()
            if len({port.is_up(), port.has_carrier(), plugged[name].has_carrier()}) > 1
        ]:
            if time.monotonic() > deadline:
                raise HarnessError(f"link and switch port never agreed: {', '.join(unsettled)}")
            time.sleep(0.01)
        if self._switch is not None:
            self._switch.follow_links(
                {port.place.name: port.has_carrier() for port in ports.values()}
            )

    def _drain(
        self, sockets: PacketSockets, ports: Mapping[str, PacketSocket]
    ) -> Iterator[tuple[Place, Frame]]:
        """Yield every frame that is heard of those sent before this call."""
        yield from self._drain_kernel(sockets, ports)
        if self._switch is not None:
            self._switch.forward_all()
            yield from self._drain_kernel(sockets, ports)
        if lost := sockets.lost():
            raise HarnessError(f"{lost} frames were lost unseen")

    def _drain_kernel(
        self, sockets: PacketSockets, ports: Mapping[str, PacketSocket]
    ) -> Iterator[tuple[Place, Frame]]:
        """Yield every frame that is heard until the kernel's queue has been worked off."""
        for _ in range(ROUNDS):
            sentinel = self._mark()
            waiting = {
                name for name, port in ports.items() if port.send(BROADCAST, _payload(sentinel))
            }
            patience = SECONDS if waiting else 0.0  # all ports are shut: no frame is on its way
            for place, frame in sockets.received_until(time.monotonic() + patience):
                if _mark_in(frame) == sentinel:
                    waiting.discard(place.name)
                    if not waiting:
                        break
                else:
                    yield place, frame
            if waiting:
                raise HarnessError(f"sent straight out of the port, not heard: {waiting}")


def _is_bridge(interface: str) -> bool:
    return interface.startswith("br-vlan")


def _bridges(namespace: str | None) -> list[Place]:
    """Return the bridges of a hypervisor's networks; None is the master."""
    with inside(namespace):
        names = sorted(name for _, name in socket.if_nameindex() if _is_bridge(name))
    prefix = "" if namespace is None else f"{namespace}:"
    return [Place(f"{prefix}{name}", namespace, name, inner_tag=INNER_TAG) for name in names]


def sends(place: Place) -> bool:
    """Return whether frames can be sent from here: from nics, and from bridges that are not HaaS's.

    A hypervisor sends nothing on those, and only its headnode sends into a tap.
    """
    if place.direction is not Direction.IN:
        return False
    if not _is_bridge(place.interface):
        return True
    if place.namespace is None:  # /sys shows the master's interfaces; a process takes longer
        alias = Path("/sys/class/net", place.interface, "ifalias").read_text()
    else:
        [link] = show("ip", place.namespace, "link", "show", "dev", place.interface)
        alias = link.get("ifalias", "")
    return not alias.startswith("haas-")


class Watch:
    """Who heard whom while something else happened; one matrix for each page."""

    def __init__(self, sockets: PacketSockets, mark: Callable[[], str]) -> None:
        self._sockets = sockets
        self._mark = mark
        self._lock = threading.Lock()
        self._sent: dict[str, tuple[Matrix, str]] = {}
        self.pages: list[Matrix] = []
        self.rounds: list[int] = []
        """How many rounds of frames were sent, for each page."""
        self._marks: dict[str, str] = {}
        self.turn_page()

    def turn_page(self) -> None:
        """Start a new matrix; frames sent before still count for the old one."""
        marks = {
            sock.place.name: self._mark() for sock in self._sockets if sock.place.name != TRUNK
        }
        page = Matrix([sock.place.name for sock in self._sockets], {name: {} for name in marks})
        with self._lock:  # not during a round
            self.pages.append(page)
            self.rounds.append(0)
            self._marks = marks
            self._sent |= {mark: (page, name) for name, mark in marks.items()}

    def send(self) -> None:
        """Send one round: a frame from each place."""
        with self._lock:
            for sock in self._sockets:
                if mark := self._marks.get(sock.place.name):
                    sock.send(BROADCAST, _payload(mark))
            self.rounds[-1] += 1

    def record(self, place: Place, frame: Frame) -> None:
        """Record that a frame was heard, if it is one of this watch's."""
        if sent := self._sent.get(_mark_in(frame)):
            page, sender = sent
            page.rows[sender].setdefault(place.name, set()).add(frame.tags)


def _payload(mark: str) -> bytes:
    return mark.encode() + b"\0"


def _mark_in(frame: Frame) -> str:
    """Return the mark of one of our frames; "" for any other frame."""
    if frame.ethertype != ETHERTYPE:
        return ""
    return frame.payload.partition(b"\0")[0].decode(errors="replace")
