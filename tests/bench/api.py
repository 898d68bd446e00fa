"""The daemon at 10,000 nodes: the time of its answers, the lines of an apply, its memory."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from haas_rpcd.sim.ios import IosSwitch
from tests.bench import hello
from tests.bench.big_site import big_site
from tests.bench.table import Row
from tests.tui.harness.processes import Daemon, memory

PORTS = 8


def measure(daemon: Daemon, switch: IosSwitch, nodes: int, folder: Path) -> Iterator[Row]:
    """Measure the daemon of a big site, and compare an apply with that of a small site."""
    yield from hello.measure(daemon, folder)
    yield Row("node.list, a page of 1,000", _page(daemon) * 1000, "ms", 100, asserted=False)
    yield from _waits(daemon)
    with big_site(folder / "small", 10) as (small_daemon, small_switch):
        few, few_seconds = lines_of_apply(small_daemon, small_switch)
    many, many_seconds = lines_of_apply(daemon, switch)
    times = f"{few_seconds:.2f} s and {many_seconds:.2f} s"
    yield Row(f"apply of {PORTS} ports, lines, at 10 nodes", few, "lines", note=times)
    yield Row(f"apply of {PORTS} ports, lines, at {nodes:,} nodes", many, "lines", few)
    rss, _ = memory(daemon.process.pid)
    yield Row(f"daemon's RSS at {nodes:,} nodes", rss / 1e6, "MB", 150)


def _page(daemon: Daemon) -> float:
    """Return the seconds from a call to the last byte, for a page in the middle of the list."""
    times = []
    for _ in range(7):
        begun = time.perf_counter()
        daemon.post("node.list", limit=1000, after="node-04999")
        times.append(time.perf_counter() - begun)
    return statistics.median(times)


def _waits(daemon: Daemon) -> Iterator[Row]:
    """Measure how long ``system.info`` waits beside calls with much to do: the loop is never held.

    Each such call runs in a thread of its own; the time alone is deducted.
    """
    alone = max(_asked(daemon) for _ in range(20))
    longest, beside = 0.0, ""
    for method in ("site.export", "plan.show", "node.list", "audit.list", "rpc.discover"):
        params = {"limit": 1000} if method.endswith(".list") else {}
        call = threading.Thread(target=daemon.post, args=(method,), kwargs=params)
        call.start()
        while call.is_alive():
            took = _asked(daemon)
            if took > longest:
                longest, beside = took, method
    note = f"beside {beside}; {alone * 1000:.0f} ms alone"
    yield Row(
        "longest wait of a small call",
        (longest - alone) * 1000,
        "ms",
        50,
        asserted=False,
        note=note,
    )


def _asked(daemon: Daemon) -> float:
    begun = time.perf_counter()
    daemon.post("system.info")
    return time.perf_counter() - begun


def lines_of_apply(daemon: Daemon, switch: IosSwitch) -> tuple[int, float]:
    """Connect eight nodes to a new network; return the lines and seconds that the apply took."""
    daemon.call("network.create", project="bio", network="bench")
    for number in range(PORTS):
        daemon.call("node.allocate", project="bio", node=f"node-{number:05}")
        daemon.call("nic.connect", node=f"node-{number:05}", nic="primary-nic", network="bench")
    before, begun = switch.counters.lines, time.perf_counter()
    job = daemon.apply("bio")
    if job["state"] != "succeeded":
        raise AssertionError(job)
    return switch.counters.lines - before, time.perf_counter() - begun
