"""The lab's nodes as machines: a BMC each, a serial line, and firmware that boots from the network.

The BMC is OpenIPMI's ipmi_sim on the master's loopback, which stands for its management network.
While a node is on, busybox's udhcpc asks from its primary nic for what to boot, as PXE does: a
DHCPDISCOVER whose vendor class (option 60) is ``PXEClient`` (Intel's PXE specification 2.1, 2.2.2).
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.rpc.bmcs import IpmiSim, start_ipmi_sim

from .wire import Direction, Frame, PacketSockets, Place

SECONDS = 120.0
"""Time-out for what must be heard. No result depends on it."""

PXE = "PXEClient:Arch:00000:UNDI:002001"

_MACHINE = """#!/bin/sh
# The machine behind a BMC: "1" switches it on, "0" off; "reset" starts it anew.
cd {folder}
[ ! -e pid ] || kill $(cat pid)
rm -f pid
[ "$1" = 0 ] && exit
ip netns exec {node} busybox udhcpc -f -i primary-nic -V {pxe} -T 1 -t 100000 -s /bin/true &
echo $! >pid
"""


class SerialLine:
    """A node's serial line: it shows a banner, and echoes. ipmi_sim connects to it."""

    def __init__(self, banner: bytes) -> None:
        self._banner = banner
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):  # the end
            connection, _ = self._server.accept()
            with connection:
                while data := connection.recv(4096):
                    connection.sendall(self._banner + data)

    def close(self) -> None:
        """End the line."""
        self._server.close()


@dataclass
class Machine:
    """A node, its BMC and its serial line."""

    node: str
    bmc: IpmiSim
    serial: SerialLine

    @property
    def runs(self) -> bool:
        """Whether its firmware runs, whatever its BMC says."""
        try:
            os.kill(int((self.bmc.folder / "pid").read_text()), 0)
        except (FileNotFoundError, ProcessLookupError):
            return False
        return True

    def end(self) -> None:
        """Pull its plug."""
        self.bmc.end()
        self.serial.close()
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            os.kill(int((self.bmc.folder / "pid").read_text()), 9)


@contextlib.contextmanager
def machines(folder: Path, nodes: Sequence[str]) -> Iterator[dict[str, Machine]]:
    """Give nodes of the lab a BMC and a serial line each; they are off."""
    made: dict[str, Machine] = {}
    try:
        for node in nodes:
            serial = SerialLine(f"\r\n{node} speaks: ".encode())
            bmc = start_ipmi_sim(folder / node, sol=serial.port)
            script = bmc.folder / "machine"
            script.write_text(_MACHINE.format(folder=bmc.folder, node=node, pxe=PXE))
            script.chmod(0o755)
            made[node] = Machine(node, bmc, serial)
        yield made
    finally:
        for machine in made.values():
            machine.end()


def asks_to_boot(frame: Frame, mac: str) -> bool:
    """Return whether a frame is a DHCPDISCOVER of PXE firmware with this MAC address."""
    discovers = b"\x35\x01\x01" in frame.payload  # option 53, length 1, DISCOVER (RFC 2132, 9.6)
    return frame.source.hex(":") == mac and discovers and PXE.encode() in frame.payload


def who_hears_it_boot(mac: str, places: Sequence[Place]) -> set[str]:
    """Return the places that hear a machine ask for what to boot, once one has heard it thrice."""
    heard: Counter[str] = Counter()
    with PacketSockets(places) as sockets:
        for place, frame in sockets.received_until(time.monotonic() + SECONDS):
            heard[place.name] += asks_to_boot(frame, mac)
            if heard[place.name] == 3:
                break
    return {name for name, count in heard.items() if count}


def tap(name: str, interface: str) -> Place:
    """Return the place where a headnode hears what reaches its tap."""
    return Place(name, None, interface, Direction.OUT)
