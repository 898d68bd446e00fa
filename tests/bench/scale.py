"""``make bench-scale``: what grows with the number of nodes and switches, and how fast.

Each size is a site of its own: simulated switches of 48 ports in several processes, a node behind
each port, and a daemon that reaches all of them. The figures are printed as a table, with growth
exponents: 1 is proportional to the number of nodes, 0 is independent of it. They go into a JSON
file too, from which the curves of docs/scale.md are drawn.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import math
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from haas_rpcd import configfiles, daemon
from haas_rpcd.auth import DAEMON
from haas_rpcd.methods.call import Call
from haas_rpcd.methods.invoke import invoke
from tests.bench import curves
from tests.bench.console import command, painted
from tests.bench.switching import PORTS, configuration, node
from tests.bench.switchyard import Switchyard
from tests.tui.harness import Terminal, keys
from tests.tui.harness.processes import Daemon, memory

SWITCHES = (2, 10, 30, 100, 300, 1000, 2000)
A_YARD = 100
"""Switches that one process simulates."""

PATIENCE = 3600.0
ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "docs" / "scale.json"
PICTURE = ROOT / "docs" / "scale.svg"

Figures = dict[str, float]
"""What was measured at one size, by name; seconds, but for those that say another unit."""


def measure(folder: Path, switches: int) -> Figures:
    """Measure one size. Raises AssertionError if something did not work at it."""
    folder.mkdir()
    with contextlib.ExitStack() as stack:
        yards = [
            stack.enter_context(Switchyard(min(A_YARD, switches - first), ports=PORTS, first=first))
            for first in range(0, switches, A_YARD)
        ]
        file = configuration(folder)
        imported = _fill(file, yards)
        running = stack.enter_context(Daemon(folder, "--config", str(file)))
        figures = {"nodes": float(switches * PORTS), "switches": float(switches)}
        figures["import of the site"] = imported
        figures.update(_daemon(running, folder))
        figures["console: first paint"] = painted(command(running), folder)
        figures["console: all nodes there"] = _all_on_the_board(running, folder, switches)
    return figures


def _fill(file: Path, yards: Sequence[Switchyard]) -> float:
    """Register everything in a new database; return the seconds."""
    ports = [(yard, tcp) for yard in yards for tcp in yard.ports]
    names = [name.replace("GigabitEthernet", "Gi") for name in yards[0].names]
    site: dict[str, Any] = {
        "projects": {"astro": {}},
        "switches": {
            f"sw{number:04}": {
                "dialect": "cisco_ios",
                "host": "127.0.0.1",
                "port": tcp,
                "credential": "bench",
                "access": names,
            }
            for number, (_, tcp) in enumerate(ports)
        },
        "nodes": {
            node(number, at): {"nics": {"nic": {"switch": f"sw{number:04}", "port": name}}}
            for number in range(len(ports))
            for at, name in enumerate(names, 1)
        },
    }

    async def fill() -> float:
        made = daemon.real(configfiles.load(file))
        await made.start(serve=False)
        begun = time.perf_counter()
        await invoke(Call(context=made.context, caller=DAEMON), "site.import", {"site": site})
        took = time.perf_counter() - begun
        await made.stop()
        return took

    return asyncio.run(fill())


def _daemon(running: Daemon, folder: Path) -> Iterator[tuple[str, float]]:
    """Measure what the daemon does: first everything at once, then one port beside the rest."""
    begun = time.perf_counter()
    plan = running.call("plan.show")
    yield "plan of the whole site", time.perf_counter() - begun
    assert plan["steps"], "nothing to park"
    yield "apply of the whole site", _applied(running, None)
    begun = time.perf_counter()
    report = running.call("drift.check")
    yield "drift check of the whole site", time.perf_counter() - begun
    assert not report["items"], report["items"][:3]
    yield "list of all nodes", _timed(lambda: _all_nodes(running))
    yield "one page of 100 nodes", _median(lambda: running.post("node.list", limit=100))
    yield "one node", _median(lambda: running.post("node.show", node=node(0, 7)))
    running.call("network.create", project="astro", network="lab")
    for at in (1, 2, 3, 4):
        running.call("node.allocate", project="astro", node=node(0, at))
    times = []
    for at in (1, 2, 3, 4):
        running.call("nic.connect", node=node(0, at), nic="nic", network="lab")
        times.append(_applied(running, "astro"))
    yield "apply of one port", statistics.median(times[1:])
    yield "plan of one project", _median(lambda: running.post("plan.show", project="astro"))
    resident, _ = memory(running.process.pid)
    yield "daemon's memory, MB", resident / 1e6
    yield "database, MB", sum(each.stat().st_size for each in folder.glob("haas.db*")) / 1e6


def _applied(running: Daemon, project: str | None) -> float:
    begun = time.perf_counter()
    job = running.call("apply.start", project=project)["job"]
    while True:
        shown = running.call("job.wait", job=job, timeout=50)
        if shown["state"] not in ("queued", "running"):
            break
        assert time.perf_counter() - begun < PATIENCE, shown["state"]
    assert shown["state"] == "succeeded", shown["error"]
    return time.perf_counter() - begun


def _all_nodes(running: Daemon) -> None:
    after: str | None = None
    while True:
        page = running.call("node.list", limit=1000, after=after)
        after = page["next"]
        if after is None:
            return


def _all_on_the_board(running: Daemon, folder: Path, switches: int) -> float:
    """The seconds from the console's start until its cursor can go to the last node."""
    begun = time.perf_counter()
    with Terminal(command(running), home=folder) as board:
        board.wait_for("● live", within=PATIENCE)
        board.feed(keys.END)
        board.wait_for(node(switches - 1, PORTS), within=PATIENCE)
        return time.perf_counter() - begun


def _timed(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def _median(work: Callable[[], object]) -> float:
    return statistics.median(_timed(work) for _ in range(9))


# --- showing --------------------------------------------------------------------------------------


def exponents(sizes: Sequence[Figures]) -> Mapping[str, float]:
    """How each figure grows with the number of nodes, over the larger half of the sizes."""
    half = sizes[len(sizes) // 2 - 1 :] if len(sizes) > 2 else sizes
    return {
        name: statistics.linear_regression(
            [math.log(size["nodes"]) for size in half],
            [math.log(max(size[name], 1e-6)) for size in half],
        ).slope
        for name in sizes[0]
        if name not in ("nodes", "switches")
    }


def table(sizes: Sequence[Figures]) -> str:
    """All figures, a column for each size."""
    growth = exponents(sizes) if len(sizes) > 1 else {}
    lines = ["| |" + "".join(f" {size['nodes']:,.0f} |" for size in sizes) + " exponent |"]
    lines.append("|---|" + "---:|" * (len(sizes) + 1))
    for name in sizes[0]:
        if name == "nodes":
            continue
        cells = "".join(f" {_short(size[name])} |" for size in sizes)
        grown = f" {growth[name]:.2f} |" if name in growth else " |"
        lines.append(f"| {name} |{cells}{grown}")
    return "\n".join(lines)


def _short(value: float) -> str:
    if value >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.3f}" if value < 0.1 else f"{value:.2f}"


def main() -> int:
    """Measure all sizes, print the table, and write the results if asked to."""
    parser = argparse.ArgumentParser(prog="make bench-scale", description=__doc__)
    parser.add_argument(
        "--switches",
        type=lambda text: [int(each) for each in text.split(",")],
        default=SWITCHES,
        help=f"how many, of {PORTS} ports each; default: {','.join(map(str, SWITCHES))}",
    )
    parser.add_argument("--keep", action="store_true", help=f"write {RESULTS.name}, {PICTURE.name}")
    given = parser.parse_args()
    sizes: list[Figures] = []
    with tempfile.TemporaryDirectory(prefix="haas-scale-") as folder:
        for count in given.switches:
            print(f"{count:,} switches, {count * PORTS:,} nodes …", file=sys.stderr, flush=True)
            sizes.append(measure(Path(folder) / str(count), count))
            print(table(sizes[-1:]), file=sys.stderr, flush=True)
    print(table(sizes))
    if given.keep:
        machine = f"{os.cpu_count()} cores, Python {platform.python_version()}"
        RESULTS.write_text(json.dumps({"machine": machine, "sizes": sizes}, indent=1) + "\n")
        PICTURE.write_text(curves.picture(sizes))
    return 0


if __name__ == "__main__":
    sys.exit(main())
