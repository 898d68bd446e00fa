"""Each fault that a switch can have, at each line of an apply, in every dialect.

The faults of one dialect follow each other on one site. After each the job has ended, and once the
fault is gone, applying leaves nothing to do and the switch is as it was applied.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from haas_rpcd.sim.cli import LineRecord
from haas_schemas.job import FINAL_JOB_STATES
from tests.rpc.one_switch import OneSwitch, Registered, Vendor, one_switch
from tests.rpc.small_site import access, tagged

ASKED = ("username", "password", "enable", "question")
MONTH = 30 * 86400.0


class Bench:
    """A switch on which one fault after the other strikes."""

    def __init__(self, site: OneSwitch) -> None:
        self.site = site
        self.vendor = Vendor(site.dialect.name)
        self.round = 0
        self.lines = 0
        """Command lines received in the last apply that was hurt."""

        self._strike: Callable[[str], None] | None = None
        self._at = 0
        self._taken: list[asyncio.StreamWriter] = []
        device = site.device
        record = device.record

        def recorded(line: LineRecord) -> LineRecord:
            if line.mode not in ASKED and line.text:
                if self._strike is not None and self.lines == self._at:
                    strike, self._strike = self._strike, None
                    strike(f"^{re.escape(line.text)}$")
                self.lines += 1
            return record(line)

        vars(device).update(record=recorded)

    async def lines_of_apply(self) -> int:
        """Apply without a fault; return how many lines the switch receives."""
        await self.hurt(next(iter(FAULTS)), -1)
        return self.lines

    async def hurt(self, fault: str, at: int) -> None:
        """Apply, and let a fault strike at the line of this number, if there is one.

        Then mend the switch, and check that applying leads to what was staged.
        """
        site, before = self.site, f"r{self.round}"
        self.round += 1
        network = f"r{self.round}"
        vlan = await site.network("red", network)
        for node, tag in (("node-1", False), ("node-2", True)):
            await site.call("nic.disconnect", node=node, nic="eth0")
            await site.connect(node, network, tagged=tag)
        await site.connect("node-2", "base")
        if self.round > 1:
            await site.call("network.delete", project="red", network=before)
        self.lines, self._at, self._strike = 0, at, lambda line: FAULTS[fault](self, line)
        job = await site.apply("red")
        assert job["state"] in FINAL_JOB_STATES
        lines = self.lines
        self.mend()
        for left in (await site.call("job.list", limit=20))["items"]:
            await site.finished(left["job"])
        await site.succeeds("red")
        await site.succeeds()
        assert site.carried("node-1") == access(vlan), (fault, at)
        assert site.carried("node-2") == tagged(vlan, untagged=100), (fault, at)
        report = await site.call("drift.check")
        assert (report["items"], report["unreachable"]) == ([], []), (fault, at)
        assert not site.device.modified, (fault, at)
        assert not site.watch.violations, site.watch.violations
        self.lines = lines

    def mend(self) -> None:
        """End all faults."""
        faults = self.site.device.faults
        faults.refuse, faults.slow = {}, {}
        faults.cut_at = faults.cut_after = faults.stall_at = faults.hang_at = None
        faults.save_error, faults.refuse_connections = None, False
        self._strike = None
        self.site.device.booted -= MONTH  # so that the next restart shows: none comes so soon
        self.site.device.finish_hung()
        for session in list(self.site.device.sessions):
            session.cut()


def _refuse(bench: Bench, line: str) -> None:
    errors = bench.vendor.errors
    bench.site.device.faults.refuse = {line: errors[bench.round % len(errors)]}


def _cut(bench: Bench, line: str) -> None:
    bench.site.device.faults.cut_after = 0


def _cut_after(bench: Bench, line: str) -> None:
    bench.site.device.faults.cut_at = line


def _stall(bench: Bench, line: str) -> None:
    bench.site.device.faults.stall_at = line


def _hang(bench: Bench, line: str) -> None:
    bench.site.device.faults.hang_at = line


def _not_saved(bench: Bench, line: str) -> None:
    errors = bench.vendor.errors
    bench.site.device.faults.save_error = errors[bench.round % len(errors)]


def _refuse_connections(bench: Bench, line: str) -> None:
    bench.site.device.faults.refuse_connections = True
    bench.site.device.faults.cut_after = 0


def _restart(bench: Bench, line: str) -> None:
    asyncio.get_running_loop().call_soon(bench.site.device.reload)


def _log(bench: Bench, line: str) -> None:
    logs = bench.vendor.logs
    bench.site.device.announce(logs[bench.round % len(logs)])


def _slow(bench: Bench, line: str) -> None:
    bench.site.device.faults.slow = {line: 0.1}


RESTARTS = "restarts"
PROCESSES = ("cumulus_nvue", "sonic")
"""Their simulators start a process for each line, which takes long on a busy machine. They report
the uptime of the machine, so that a restart does not show."""

FAULTS: dict[str, Callable[[Bench, str], None]] = {
    "refuses the line": _refuse,
    "disconnects before it executes the line": _cut,
    "disconnects after it executed the line": _cut_after,
    "never answers the line": _stall,
    "hangs on the line, and finishes it later": _hang,
    "can't save from there on": _not_saved,
    "takes no connections from there on": _refuse_connections,
    RESTARTS: _restart,
    "logs a message": _log,
    "is slow at the line": _slow,
}


@contextlib.asynccontextmanager
async def bench_of(folder: Path, dialect: str, registered: Registered) -> AsyncIterator[Bench]:
    """A switch of a dialect, with red's nodes on its networks."""
    answer = 5.0 if dialect in PROCESSES else 0.5
    patience = {"answer_timeout": answer, "settle_timeout": 0.0, "login_timeout": 5.0}
    async with one_switch(folder, dialect, registered, **patience) as site:
        await site.hold_nodes("red", "node-1", "node-2")
        assert await site.network("red", "base") == 100
        await site.connect("node-1", "base")
        await site.connect("node-2", "base")
        await site.succeeds("red")
        yield Bench(site)


def faults_of(dialect: str) -> list[str]:
    """Return the faults that a dialect's simulator can have."""
    return [fault for fault in FAULTS if fault != RESTARTS or dialect not in PROCESSES]
