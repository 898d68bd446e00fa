"""HaaS at work in the lab: a master with haas-rpcd, its headnodes, and a switch.

A story consists of chapters, each a script for the console. A test plays the story up to its
chapter. This runs all earlier chapters that have not been run yet, so each test can be run alone.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .face import SwitchFace
from .frames import Wire
from .hypervisor import Hypervisor, Libvirt
from .master import ConsoleResult, Master, RunningConsole
from .matrix import Matrix
from .second_host import SecondHost
from .topology import Lab, ip, show
from .wire import Direction, Place

SECONDS = 120.0
"""Time-out for anything that must happen. No result depends on it."""

SCRIPTS = Path(__file__).parent / "inside" / "main_job"


@dataclass(frozen=True)
class HeadnodeNic:
    """A nic of a running headnode, as libvirt reports it."""

    domain: str
    mac: str
    tap: str
    host: str | None = None
    """The other hypervisor that it is on; None is the master."""


class Story:
    """The story of one lab."""

    def __init__(
        self,
        lab: Lab,
        wire: Wire,
        hypervisor: Hypervisor,
        master: Master,
        dialect: str,
        chapters: Sequence[str],
        face: SwitchFace | None = None,
        others: Sequence[SecondHost] = (),
    ) -> None:
        """``chapters``: the names of the scripts, in order; ``{dialect}`` is filled in.

        ``others``: hypervisors other than the master.
        """
        self.lab = lab
        self.wire = wire
        self.hypervisor = hypervisor
        self.master = master
        self.dialect = dialect
        self.face = face
        self.others = others
        self._remaining = list(chapters)
        self.results: dict[str, ConsoleResult] = {}

    def play(self, chapter: str) -> ConsoleResult:
        """Play the story up to the end of a chapter; return the output of that chapter."""
        while chapter in self._remaining:
            name = self._remaining.pop(0)
            self.results[name] = self.start_console(name).wait()
        return self.results[chapter]

    def play_until(self, chapter: str) -> None:
        """Play the story up to the beginning of a chapter."""
        earlier = self._remaining[: self._remaining.index(chapter)]
        if earlier:
            self.play(earlier[-1])

    def start_console(self, name: str) -> RunningConsole:
        """Start a console that runs a script, which may be a chapter."""
        if name in self._remaining:
            self._remaining.remove(name)
        return self.master.start_console(SCRIPTS / f"{name.format(dialect=self.dialect)}.haas")

    # --- the state of HaaS ---

    def plans_are_empty(self) -> bool:
        """Return whether no project has anything to apply."""
        projects = [row["project"] for row in self.master.call("project.list")["items"]]
        return all(self.master.call("plan.show", project=name)["empty"] for name in projects)

    def jobs(self) -> list[dict[str, Any]]:
        """Return all jobs, the newest first."""
        jobs: list[dict[str, Any]] = self.master.call("job.list")["items"]
        return jobs

    # --- the right moment ---

    @contextmanager
    def stall(self, nic: str, vlan: int) -> Iterator[Callable[[], None]]:
        """Make the switch hang at the line that puts a nic on a VLAN.

        Yields a function that waits until the switch has received that line.
        """
        if self.face is None:
            self.lab.hang_up()  # an open shell remembers where it found `bridge`
            with _stalling_bridge(self.lab.nic(nic).port, vlan) as reached:
                yield reached
            return
        line = f"switchport access vlan {vlan}"
        earlier = len(self.face.switch.lines)
        self.face.switch.faults.stall_at = f"^{line}$"
        yield lambda: self._until(
            lambda: line in [each.text for each in self.face.switch.lines[earlier:]],
            f"the switch never received {line!r}",
        )
        self.face.switch.faults.stall_at = None

    def wait_for_disk(self, headnode: str) -> None:
        """Wait until a headnode's disk is being created."""
        self._until(
            lambda: any(headnode in name for name in self.hypervisor.disks()),
            f"there is no disk of {headnode}",
        )

    def _until(self, reached: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + SECONDS
        while not reached():
            if time.monotonic() > deadline:
                raise TimeoutError(f"{what}:\n{self.master.log()}")
            time.sleep(0.002)

    def close(self) -> None:
        """Stop the daemon and remove everything that the story has left on the master."""
        self.master.stop()
        self.hypervisor.clear()
        ip(None, *(f"link delete {name}" for name in self.virtual_interfaces()))

    # --- headnodes ---

    def headnode_nics(self) -> dict[str, HeadnodeNic]:
        """Return the nics of the running headnodes by name: ``headnode-a:nic0``."""
        names = {
            nic["mac"]: f"{headnode['headnode']}:{nic['nic']}"
            for headnode in self.master.call("headnode.list")["items"]
            for nic in headnode["nics"]
        }
        return {
            names[nic["mac"]]: HeadnodeNic(domain, nic["mac"], nic["interface"], host)
            for host, libvirt in self._libvirts().items()
            for domain in sorted(libvirt.running())
            for nic in libvirt.nics(domain)
        }

    def _libvirts(self) -> dict[str | None, Libvirt]:
        """Return the libvirts of all hypervisors that have power; None is the master."""
        found: dict[str | None, Libvirt] = {None: self.hypervisor}
        return found | {each.name: each.libvirt for each in self.others if each.host.powered}

    # --- observation ---

    def who_hears_whom(self, title: str = "", booting: Sequence[str] = ()) -> Matrix:
        """Return who hears whom: all nics of nodes and headnodes, all bridges and trunks.

        Nodes send tagged frames as well, as if they were trunks. A headnode hears what reaches its
        tap, and sends the DHCP requests of its firmware; those named in ``booting`` are reset, so
        that they boot again. The matrix is published if it has a ``title``.
        """
        nics = self.headnode_nics()
        taps = {name: nic.tap for name, nic in nics.items() if nic.host is None}
        others = [
            Place(name, nic.host, nic.tap, Direction.OUT)
            for name, nic in nics.items()
            if nic.host is not None
        ]
        matrix = self.wire.who_hears_whom(tags=(104, 105), taps=taps, others=others)
        if booting:
            libvirts = self._libvirts()
            for name in booting:
                libvirts[nics[name].host].virsh("reset", nics[name].domain)
            macs = [nics[name].mac for name in booting]
            heard = self.wire.where_heard(*macs, taps=taps, others=others)
            matrix.rows |= zip(booting, heard, strict=True)
        if title:
            matrix.publish(f"{title} ({self.dialect})")
        return matrix

    def haas_interfaces(self) -> set[str]:
        """Return the interfaces that HaaS created on the master: all except libvirt's taps."""
        taps = {nic.tap for nic in self.headnode_nics().values() if nic.host is None}
        return self.virtual_interfaces() - taps

    def virtual_interfaces(self) -> set[str]:
        """Return the interfaces that HaaS or libvirt created on the master."""
        kinds = ("vlan", "bridge", "tun")
        return {
            link["ifname"]
            for link in show("ip", None, "-details", "link", "show")
            if link.get("linkinfo", {}).get("info_kind") in kinds
        }


@contextmanager
def _stalling_bridge(port: str, vlan: int) -> Iterator[Callable[[], None]]:
    """Install a ``bridge`` in front of the real one that hangs when it puts a port on a VLAN.

    A shell on the switch finds it first in PATH. Like all files, it is in the lab's memory only.
    """
    real = shutil.which("bridge")
    stalling = Path("/usr/local/sbin/bridge")
    fifo = Path("/run/stalled")
    os.mkfifo(fifo)
    stalling.write_text(
        "#!/bin/sh\n"
        f'case "$*" in *"add dev {port} vid {vlan} "*) echo >{fifo}; exec sleep infinity ;; esac\n'
        f'exec {real} "$@"\n'
    )
    stalling.chmod(0o755)
    try:
        yield lambda: fifo.read_text() and None
    finally:
        stalling.unlink()
        fifo.unlink()
