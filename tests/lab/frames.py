"""Who hears whom: send marked frames from everywhere, and see where they arrive.

That a frame does *not* arrive somewhere must not hang on how long one waits for it. So after the
frames under test, others are sent that must arrive: out of each switch port, straight to what is
plugged into it. The kernel (which has one CPU) passes a frame on from veth to veth through one
queue, first in, first out; once such a sentinel has come through, all that was in the queue before
it has moved on by one link at least. No path in the lab crosses more than two (nic to switch,
switch to nic or master), so after three rounds everything has arrived that ever will. A port that
is shut gets no sentinel; the nic plugged into it has no carrier, so it can hear nothing either.
"""

from __future__ import annotations

import itertools
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Protocol

from .matrix import TRUNK, Heard, Matrix, tagged
from .topology import Lab
from .wire import ETHERTYPE, Direction, Frame, PacketSocket, PacketSockets, Place

BROADCAST = b"\xff" * 6
ROUNDS = 3
SECONDS = 30.0
"""How long what must happen (carrier, sentinels) may take. Nothing is measured by it."""
WATCH_INTERVAL = 0.01
"""How often everybody sends during `Wire.watch`."""


class HarnessError(Exception):
    """The lab itself, not what is tested in it, does not work."""


class SwitchProcess(Protocol):
    """A switch that forwards in a process of its own, and so lags behind the kernel."""

    def follow_links(self, carriers: Mapping[str, bool]) -> None:
        """Wait until the process knows which of its ports have a carrier."""

    def forward_all(self) -> None:
        """Wait until the process has forwarded every frame that has arrived at it."""


class Wire:
    """All places of a lab where frames can be heard: nics, the master's bridges, the trunk."""

    def __init__(self, lab: Lab, switch: SwitchProcess | None = None) -> None:
        """`switch` is None where the kernel itself is the switch."""
        self._lab = lab
        self._switch = switch
        self._numbers = itertools.count()
        self._run = os.urandom(4).hex()

    def places(self, taps: Mapping[str, str] | None = None) -> list[Place]:
        """Return the places there are now; `taps` names a headnode's tap by the headnode's name."""
        bridges = sorted(
            name for name in os.listdir("/sys/class/net") if name.startswith("br-vlan")
        )
        return [
            *(Place(nic.name, nic.node, nic.nic) for nic in self._lab.nics),
            *(Place(name, None, name) for name in bridges),
            *(Place(name, None, tap, Direction.OUT) for name, tap in (taps or {}).items()),
            Place(TRUNK, None, self._lab.trunk_nic, Direction.BOTH),
        ]

    def who_hears_whom(
        self, tags: Sequence[int] = (), taps: Mapping[str, str] | None = None
    ) -> Matrix:
        """Send from every nic and every bridge, to everybody and to each nic, and see who hears.

        With `tags`, every nic also sends frames tagged with each of these VLAN ids, as a nic that
        is connected tagged would, and as a tenant would who tries to get into others' networks.
        """
        places = self.places(taps)
        with PacketSockets(places) as sockets, self._switch_ports() as ports:
            self._settle(sockets, ports)
            senders = [sock for sock in sockets if sock.place.name not in {TRUNK, *(taps or {})}]
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
        """Send from every nic, over and over, for as long as the block runs.

        After the block, the watch has all who heard whom at any time: what nobody may hear even for
        a moment, while ports change hands, is a LEAK in its differences. A moment is what a line
        typed at a switch takes, some 50 ms; everybody sends several times in it.
        """
        places = [place for place in self.places() if not place.name.startswith("br-vlan")]
        with PacketSockets(places) as sockets, self._switch_ports() as ports:
            watch = Watch(sockets, self._mark)

            def send_repeatedly(over: threading.Event) -> None:
                while not over.is_set():
                    watch.send()
                    for place, frame in sockets.received_until(time.monotonic() + WATCH_INTERVAL):
                        watch.record(place, frame)

            with ThreadPoolExecutor(1) as thread:
                over = threading.Event()
                sending = thread.submit(send_repeatedly, over)
                try:
                    yield watch
                finally:
                    over.set()
                    sending.result()
            self._settle(sockets, ports)
            for place, frame in self._drain(sockets, ports):
                watch.record(place, frame)

    def where_heard(
        self, *macs: str, seconds: float = 60.0, taps: Mapping[str, str] | None = None
    ) -> list[Heard]:
        """Wait for a frame from each MAC and return, for each, all places that hear it, and how.

        Meant for headnodes, which ask for DHCP while they boot from the network. Raises
        TimeoutError when of one of them nothing is heard anywhere.
        """
        heard: dict[bytes, Heard] = {bytes.fromhex(mac.replace(":", "")): {} for mac in macs}

        def record(place: Place, frame: Frame) -> None:
            if frame.source in heard:
                heard[frame.source].setdefault(place.name, set()).add(frame.tags)

        with PacketSockets(self.places(taps)) as sockets, self._switch_ports() as ports:
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
        """Open each switch port, by the name of the place that is plugged into it."""
        switch = self._lab.switch
        plugged = {nic.name: nic.port for nic in self._lab.nics} | {TRUNK: switch.trunk_port}
        with ExitStack() as stack:
            yield {
                name: stack.enter_context(PacketSocket(Place(port, switch.name, port)))
                for name, port in plugged.items()
            }

    def _settle(self, sockets: PacketSockets, ports: Mapping[str, PacketSocket]) -> None:
        """Wait until each nic's carrier follows its port's state; the kernel takes its time."""
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
        """Yield what is heard of all that was sent before this was called."""
        yield from self._drain_kernel(sockets, ports)
        if self._switch is not None:
            self._switch.forward_all()
            yield from self._drain_kernel(sockets, ports)
        if lost := sockets.lost():
            raise HarnessError(f"{lost} frames were lost unseen")

    def _drain_kernel(
        self, sockets: PacketSockets, ports: Mapping[str, PacketSocket]
    ) -> Iterator[tuple[Place, Frame]]:
        """Yield what is heard until all has passed that is in the kernel's queue."""
        for _ in range(ROUNDS):
            sentinel = self._mark()
            waiting = {
                name for name, port in ports.items() if port.send(BROADCAST, _payload(sentinel))
            }
            patience = SECONDS if waiting else 0.0  # all shut: nothing is on its way
            for place, frame in sockets.received_until(time.monotonic() + patience):
                if _mark_in(frame) == sentinel:
                    waiting.discard(place.name)
                    if not waiting:
                        break
                else:
                    yield place, frame
            if waiting:
                raise HarnessError(f"sent straight out of the port, not heard: {waiting}")


class Watch:
    """Who heard whom while something went on, page by page."""

    def __init__(self, sockets: PacketSockets, mark: Callable[[], str]) -> None:
        self._sockets = sockets
        self._mark = mark
        self._lock = threading.Lock()
        self._sent: dict[str, tuple[Matrix, str]] = {}
        self.pages: list[Matrix] = []
        self.rounds: list[int] = []
        """For each page, how many times everybody sent."""
        self._marks: dict[str, str] = {}
        self.turn_page()

    def turn_page(self) -> None:
        """From now on a new matrix is written; what was sent before still goes to the old one."""
        marks = {
            sock.place.name: self._mark() for sock in self._sockets if sock.place.name != TRUNK
        }
        page = Matrix([sock.place.name for sock in self._sockets], {name: {} for name in marks})
        with self._lock:  # not while everybody sends
            self.pages.append(page)
            self.rounds.append(0)
            self._marks = marks
            self._sent |= {mark: (page, name) for name, mark in marks.items()}

    def send(self) -> None:
        """Send a frame from everywhere."""
        with self._lock:
            for sock in self._sockets:
                if mark := self._marks.get(sock.place.name):
                    sock.send(BROADCAST, _payload(mark))
            self.rounds[-1] += 1

    def record(self, place: Place, frame: Frame) -> None:
        """Write down that a frame was heard, if it is one of these."""
        if sent := self._sent.get(_mark_in(frame)):
            page, sender = sent
            page.rows[sender].setdefault(place.name, set()).add(frame.tags)


def _payload(mark: str) -> bytes:
    return mark.encode() + b"\0"


def _mark_in(frame: Frame) -> str:
    """Return the mark of one of our frames, and nothing for any other's."""
    if frame.ethertype != ETHERTYPE:
        return ""
    return frame.payload.partition(b"\0")[0].decode(errors="replace")
