"""The master goes at each line of a job: it is killed, frozen, or cut off from etcd.

Each time the other master takes over. Then must hold: what was promised is there; the job and all
that was staged is applied; after each line no port carried a VLAN of another project; and the one
that was frozen sent nothing when it went on.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import threading
import uuid
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path
from typing import Any

from haas_rpcd.sim.ios import IosSwitch, gigabit
from tests.campaigns.hurt import watch_lines
from tests.ha.conftest import Etcd, Master, Pair, until
from tests.tui.harness.processes import Daemon

PORTS = 6
CREDENTIAL = {"username": "haas", "password": "bench", "enable": "bench-enable"}
LOST = 75
PATIENCE = 60.0


def kill(master: Master) -> None:
    """Kill the process."""
    master.daemon.process.kill()


def freeze(master: Master) -> None:
    """Stop the process without its knowledge."""
    master.freeze()


def cut(master: Master) -> None:
    """Cut its way to etcd, and leave that to the switches whole."""
    threading.Thread(target=master.cables.cut).start()  # the switch's loop must not wait for it


HARMS: dict[str, Callable[[Master], None]] = {"killed": kill, "frozen": freeze, "cut off": cut}


class Switches:
    """Two simulated switches on a loop of their own, with a watch on what their ports carry."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.switches = {
            name: IosSwitch(name, ports=gigabit(PORTS), **CREDENTIAL) for name in ("sw1", "sw2")
        }
        self.allowed: dict[tuple[str, str], int] = {}
        """The VLAN that a port may carry; others may carry nothing."""
        self.watched = False
        self.wrong: list[str] = []
        self.lines = 0
        self._at: tuple[int, Callable[[], None]] | None = None
        for name, switch in self.switches.items():
            watch_lines(switch, lambda name=name: self._after_line(name), after=True)
            self._run(switch.start())

    def _run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE)

    def act_at(self, number: int, act: Callable[[], None]) -> None:
        """Do something when a line has been executed, counted from now."""
        self.lines, self._at = 0, (number, act)

    def _after_line(self, name: str) -> None:
        self.lines += 1
        if self._at is not None and self.lines > self._at[0]:
            (_, act), self._at = self._at, None
            act()
        if not self.watched:
            return
        running = self.switches[name].running
        for port in running.ports:
            carried = running.carried(port)
            vlans = carried.tagged | ({carried.untagged} if carried.untagged is not None else set())
            if vlans - {self.allowed.get((name, port))}:
                self.wrong.append(f"{name} {port} carries {vlans}")

    def close(self) -> None:
        """Stop them."""
        for switch in self.switches.values():
            self._run(switch.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()


def _site(switches: Switches) -> dict[str, Any]:
    names = [name.replace("GigabitEthernet", "Gi") for name in gigabit(PORTS)]
    return {
        "projects": {"red": {}, "blue": {}},
        "switches": {
            name: {
                "dialect": "cisco_ios",
                "host": "127.0.0.1",
                "port": switch.port,
                "credential": "bench",
                "access": names,
            }
            for name, switch in switches.switches.items()
        },
        "nodes": {
            f"{name}-{at}": {"nics": {"nic": {"switch": name, "port": port}}}
            for name in switches.switches
            for at, port in enumerate(names)
        },
    }


def _stage(daemon: Daemon, switches: Switches) -> None:
    """Park all ports; then blue holds a port of each switch on its network, and red wants two."""
    daemon.call("site.import", site=_site(switches))
    assert daemon.apply()["state"] == "succeeded"
    vlans = {
        project: daemon.call("network.create", project=project, network="net")["vlan"]
        for project in ("red", "blue")
    }
    full = gigabit(PORTS)
    for name, (project, at) in itertools.product(
        switches.switches, [("blue", 0), ("red", 1), ("red", 2)]
    ):
        daemon.call("node.allocate", project=project, node=f"{name}-{at}")
        daemon.call("nic.connect", node=f"{name}-{at}", nic="nic", network="net")
        switches.allowed[name, full[at]] = vlans[project]
    switches.watched = True
    assert daemon.apply("blue")["state"] == "succeeded"


def attempt(folder: Path, etcd: Etcd, harm: str, number: int) -> bool:
    """Harm the master when red's job has sent so many lines; return False if it has fewer.

    Raises AssertionError.
    """
    switches = Switches()
    pair = Pair(folder, etcd, site=f"campaign-{uuid.uuid4().hex}")
    try:
        first, second = pair.start()
        _stage(first.daemon, switches)
        promised = {row["project"] for row in first.daemon.call("project.list")["items"]}
        harmed = threading.Event()

        def strike() -> None:
            HARMS[harm](first)
            harmed.set()

        switches.act_at(number, strike)
        job: int | None = None
        with contextlib.suppress(OSError, HTTPException):  # it may be gone before it answers
            job = first.daemon.call("apply.start", project="red")["job"]
            if not _comes(harmed, first, job):
                return False
        until(second.serves, f"the other has not taken over:\n{second.log()}")
        if job is not None:
            assert second.daemon.call("job.wait", job=job, timeout=50)["finished"]
        ended = second.daemon.apply("red")  # what a failed job has left, if anything
        assert ended["state"] == "succeeded", ended["error"]
        assert second.daemon.call("plan.show", project="red")["empty"]
        assert {row["project"] for row in second.daemon.call("project.list")["items"]} >= promised
        if harm == "frozen":
            second.kill()  # its own lines are not counted
            before = switches.lines
            assert first.thaw() == LOST
            assert switches.lines == before, "it sent a line when it went on"
        assert not switches.wrong, switches.wrong[:3]
    finally:
        for master in pair.masters:
            master.close()
        switches.close()
    return True


def _comes(harmed: threading.Event, master: Master, job: int) -> bool:
    """Wait until the harm is done; return False if the job ends without."""
    while not harmed.wait(0.05):
        if master.daemon.call("job.show", job=job)["finished"]:
            return harmed.wait(0.1)
    return True
