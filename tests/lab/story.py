"""HaaS at work in the lab: a master with haas-rpcd, its headnodes, and a switch with either face.

A story is told in chapters, each a script for the console. Each test asks for the chapter that it
is about; the ones before are carried out first where they have not been, so that a test can also be
run alone.
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
from .hypervisor import Hypervisor
from .master import ConsoleResult, Master, RunningConsole
from .matrix import Matrix
from .topology import Lab, ip, show

SECONDS = 120.0
"""How long anything that must happen may take. Nothing is measured by it."""

SCRIPTS = Path(__file__).parent / "inside" / "main_job"


@dataclass(frozen=True)
class HeadnodeNic:
    """A nic of a headnode that runs, as libvirt has it."""

    domain: str
    mac: str
    tap: str


class Story:
    """What happens in one lab, chapter by chapter."""

    def __init__(
        self,
        lab: Lab,
        wire: Wire,
        hypervisor: Hypervisor,
        master: Master,
        dialect: str,
        chapters: Sequence[str],
        face: SwitchFace | None = None,
    ) -> None:
        """``chapters`` are the names of scripts, in order; ``{dialect}`` in them is filled in."""
        self.lab = lab
        self.wire = wire
        self.hypervisor = hypervisor
        self.master = master
        self.dialect = dialect
        self.face = face
        self._remaining = list(chapters)
        self.results: dict[str, ConsoleResult] = {}

    def play(self, chapter: str) -> ConsoleResult:
        """Carry out the story up to and with this chapter; return what the console said in it."""
        while chapter in self._remaining:
            name = self._remaining.pop(0)
            self.results[name] = self.start_console(name).wait()
        return self.results[chapter]

    def play_until(self, chapter: str) -> None:
        """Carry out the story up to this chapter."""
        earlier = self._remaining[: self._remaining.index(chapter)]
        if earlier:
            self.play(earlier[-1])

    def start_console(self, name: str) -> RunningConsole:
        """Start a console on a script, whether or not it is a chapter."""
        if name in self._remaining:
            self._remaining.remove(name)
        return self.master.start_console(SCRIPTS / f"{name.format(dialect=self.dialect)}.haas")

    # --- how HaaS stands ---

    def plans_are_empty(self) -> bool:
        """Whether no project has anything to apply."""
        projects = [row["project"] for row in self.master.call("project.list")["items"]]
        return all(self.master.call("plan.show", project=name)["empty"] for name in projects)

    def jobs(self) -> list[dict[str, Any]]:
        """Return all jobs there were, the newest first."""
        jobs: list[dict[str, Any]] = self.master.call("job.list")["items"]
        return jobs

    # --- the right moment ---

    @contextmanager
    def stall(self, nic: str, vlan: int) -> Iterator[Callable[[], None]]:
        """Have the switch hang on the line that puts a nic on a VLAN, and never answer it.

        Yields a function that waits until that line has come.
        """
        if self.face is None:
            self.lab.hang_up()  # a shell that has found `bridge` does not look for it again
            with _stalling_bridge(self.lab.nic(nic).port, vlan) as reached:
                yield reached
            return
        line = f"switchport access vlan {vlan}"
        earlier = len(self.face.switch.lines)
        self.face.switch.faults.stall_at = f"^{line}$"
        yield lambda: self._until(
            lambda: line in [each.text for each in self.face.switch.lines[earlier:]],
            f"the switch was to hear {line!r}",
        )
        self.face.switch.faults.stall_at = None

    def wait_for_disk(self, headnode: str) -> None:
        """Wait until a headnode's disk is being made."""
        self._until(
            lambda: any(headnode in name for name in self.hypervisor.disks()),
            f"there was to be a disk of {headnode}",
        )

    def _until(self, reached: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + SECONDS
        while not reached():
            if time.monotonic() > deadline:
                raise TimeoutError(f"{what}:\n{self.master.log()}")
            time.sleep(0.002)

    def close(self) -> None:
        """End the daemon, and take away whatever the story has left on the master."""
        self.master.stop()
        self.hypervisor.clear()
        ip(None, *(f"link delete {name}" for name in self.virtual_interfaces()))

    # --- headnodes ---

    def headnode_nics(self) -> dict[str, HeadnodeNic]:
        """Return the nics of the headnodes that run, by their names: ``headnode-a:nic0``."""
        names = {
            nic["mac"]: f"{headnode['headnode']}:{nic['nic']}"
            for headnode in self.master.call("headnode.list")["items"]
            for nic in headnode["nics"]
        }
        return {
            names[nic["mac"]]: HeadnodeNic(domain, nic["mac"], nic["interface"])
            for domain in sorted(self.hypervisor.running())
            for nic in self.hypervisor.nics(domain)
        }

    # --- what is seen ---

    def who_hears_whom(self, title: str = "", booting: Sequence[str] = ()) -> Matrix:
        """See who hears whom: all nics of nodes and headnodes, the master's bridges, the trunk.

        Nodes also send tagged frames, as if they were trunks. What a headnode hears is what comes
        to its tap. What it says is the DHCP requests of its firmware: those that are named in
        ``booting`` are reset, so that they boot once more.
        """
        nics = self.headnode_nics()
        taps = {name: nic.tap for name, nic in nics.items()}
        matrix = self.wire.who_hears_whom(tags=(104, 105), taps=taps)
        if booting:
            for name in booting:
                self.hypervisor.virsh("reset", nics[name].domain)
            heard = self.wire.where_heard(*(nics[name].mac for name in booting), taps=taps)
            matrix.rows |= zip(booting, heard, strict=True)
        if title:
            matrix.publish(f"{title} ({self.dialect})")
        return matrix

    def haas_interfaces(self) -> set[str]:
        """Return the interfaces that HaaS made on the master: all but libvirt's taps."""
        return self.virtual_interfaces() - {nic.tap for nic in self.headnode_nics().values()}

    def virtual_interfaces(self) -> set[str]:
        """Return the interfaces that HaaS or libvirt made on the master."""
        made = ("vlan", "bridge", "tun")
        return {
            link["ifname"]
            for link in show("ip", None, "-details", "link", "show")
            if link.get("linkinfo", {}).get("info_kind") in made
        }


@contextmanager
def _stalling_bridge(port: str, vlan: int) -> Iterator[Callable[[], None]]:
    """Have the ``bridge`` that is found first hang when it is to put a port on a VLAN.

    It is for who logs in to the switch; it lies in the lab's memory, as all that is written here.
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
