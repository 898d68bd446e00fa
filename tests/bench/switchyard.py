"""Simulated switches in a process of their own, so that they share only the CPUs with HaaS.

The process prints the TCP ports on which it listens, then answers each line of its standard input
with the sums of the switches' counters. ``{"faults": {...}}`` sets faults first, ``{}`` does not.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
from dataclasses import asdict
from typing import Any, Self

from haas_rpcd.sim.cli import Device
from haas_rpcd.sim.personalities import make

CREDENTIAL = {"username": "haas", "password": "bench", "enable": "bench-enable"}


class Switchyard:
    """The process, as seen by a benchmark."""

    def __init__(
        self, count: int, *, ports: int = 48, dialect: str = "cisco_ios", first: int = 0
    ) -> None:
        self._command = [
            sys.executable, "-m", "tests.bench.switchyard",
            str(count), str(ports), dialect, str(first),
        ]  # fmt: skip

    def __enter__(self) -> Self:
        self.process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        answer = self._read()
        self.before: dict[str, int] = {}
        self.ports: list[int] = answer["tcp"]
        self.names: list[str] = answer["names"]
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait(20)

    def set(self, **faults: float) -> None:
        """Set faults of all switches, such as ``line_delay`` and ``round_trip`` in seconds."""
        self._ask(faults=faults)

    def counters(self) -> dict[str, int]:
        """Return the sums of all switches' counters, and how many sessions are open now."""
        return dict(self._ask())

    def _ask(self, **question: Any) -> dict[str, Any]:
        assert self.process.stdin
        print(json.dumps(question), file=self.process.stdin, flush=True)
        return self._read()

    def _read(self) -> dict[str, Any]:
        assert self.process.stdout
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer


async def _serve(count: int, ports: int, dialect: str, first: int) -> None:
    loop = asyncio.get_running_loop()
    switches: list[Device[Any]] = [
        make(dialect, f"sw{number:03}", ports=ports, keep_lines=0, **CREDENTIAL)
        for number in range(first, first + count)
    ]
    for switch in switches:
        await switch.start()
    listening = {"tcp": [switch.port for switch in switches], "names": list(switches[0].port_list)}
    print(json.dumps(listening), flush=True)
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        for name, value in json.loads(line).get("faults", {}).items():
            for switch in switches:
                setattr(switch.faults, name, value)
        totals: dict[str, int] = {}
        for switch in switches:
            for name, value in asdict(switch.counters).items():
                totals[name] = totals.get(name, 0) + value
        totals["sessions"] = sum(len(switch.sessions) for switch in switches)
        print(json.dumps(totals), flush=True)
    for switch in switches:
        await switch.stop()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int)
    parser.add_argument("ports", type=int)
    parser.add_argument("dialect")
    parser.add_argument("first", type=int, help="the number in the first one's name and serial")
    given = parser.parse_args()
    asyncio.run(_serve(given.count, given.ports, given.dialect, given.first))
