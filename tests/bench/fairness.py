"""How long an apply of one port takes beside heavy neighbours: at most twice as long, plus 0.1 s.

``python -m tests.bench.fairness SOCKET`` is one of the neighbours: it lists 1,000 nodes in a loop.
"""

from __future__ import annotations

import contextlib
import json
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.bench.hello import read_answer
from tests.bench.switching import LINE, configuration
from tests.bench.switchyard import Switchyard
from tests.bench.table import Row
from tests.tui.harness.processes import ROOT, Daemon

PORTS = 501
"""The last one is the small project's."""

NODES = 1000
CLIENTS = 8
SAMPLES = 10


def measure(folder: Path) -> Iterator[Row]:
    """Measure both neighbours on one site, each after the same apply alone."""
    folder.mkdir()
    with Switchyard(1, ports=PORTS) as yard:
        file = configuration(folder)
        with Daemon(folder, "--config", str(file)) as daemon:
            daemon.call("site.import", site=_site(yard))
            daemon.apply()  # parks all ports
            for project, count in (("large", PORTS - 1), ("small", 1)):
                daemon.call("node.allocate", project=project, count=count)
                daemon.call("network.create", project=project, network="net")
            yard.set(line_delay=LINE)
            held = {each["node"]: each["project"] for each in _nodes(daemon)}
            [small] = [node for node, project in held.items() if project == "small"]
            large = [node for node, project in held.items() if project == "large"]
            _apply_small(daemon, small)  # logs in
            alone = _samples(daemon, small)
            yield from _beside(alone, "a 500-port apply", _beside_large(daemon, small, large))
            with _clients(daemon):
                beside = _samples(daemon, small)
            yield from _beside(alone, f"{CLIENTS} clients that list {NODES:,} nodes", beside)


def _site(yard: Switchyard) -> dict[str, Any]:
    names = [name.replace("GigabitEthernet", "Gi") for name in yard.names]
    switch = {
        "dialect": "cisco_ios",
        "host": "127.0.0.1",
        "port": yard.ports[0],
        "credential": "bench",
        "access": names,
    }
    nodes: dict[str, Any] = {
        f"n-{at:04}": {"nics": {"nic": {"switch": "sw", "port": name}}}
        for at, name in enumerate(names)
    }
    nodes |= {f"z-{at:04}": {"nics": {"nic": {}}} for at in range(NODES - len(names))}
    return {"projects": {"large": {}, "small": {}}, "switches": {"sw": switch}, "nodes": nodes}


def _nodes(daemon: Daemon) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = daemon.call("node.list", limit=1000)["items"]
    return [node for node in found if node["project"]]


def _apply_small(daemon: Daemon, node: str, *, join: bool = True) -> float:
    """Connect or disconnect the small project's node; return the seconds of the apply."""
    if join:
        daemon.call("nic.connect", node=node, nic="nic", network="net")
    else:
        daemon.call("nic.disconnect", node=node, nic="nic")
    begun = time.perf_counter()
    job = daemon.apply("small")
    if job["state"] != "succeeded":
        raise AssertionError(job["error"])
    return time.perf_counter() - begun


def _samples(daemon: Daemon, node: str, while_: Callable[[], bool] = lambda: True) -> list[float]:
    times = []
    for number in range(SAMPLES):
        took = _apply_small(daemon, node, join=bool(number % 2))
        if not while_():
            break
        times.append(took)
    return times


def _beside_large(daemon: Daemon, small: str, large: list[str]) -> list[float]:
    """Apply 500 ports, on and off their network, until there are enough samples beside it."""
    times: list[float] = []
    joined = False
    while len(times) < SAMPLES:
        joined = not joined
        for node in large:
            if joined:
                daemon.call("nic.connect", node=node, nic="nic", network="net")
            else:
                daemon.call("nic.disconnect", node=node, nic="nic")
        job = daemon.call("apply.start", project="large")["job"]
        while daemon.call("job.show", job=job)["state"] == "queued":
            time.sleep(0.01)
        running = threading.Event()
        running.set()
        waiting = threading.Thread(target=_wait, args=(daemon, job, running))
        waiting.start()
        times += _samples(daemon, small, running.is_set)
        waiting.join()
    return times[:SAMPLES]


def _wait(daemon: Daemon, job: int, running: threading.Event) -> None:
    found = daemon.call("job.wait", job=job, timeout=120)
    running.clear()
    if found["state"] != "succeeded":
        raise AssertionError(found["error"])


@contextlib.contextmanager
def _clients(daemon: Daemon) -> Iterator[None]:
    command = [sys.executable, "-m", "tests.bench.fairness", str(daemon.socket)]
    processes = [
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) for _ in range(CLIENTS)
    ]
    try:
        for process in processes:
            assert process.stdout
            process.stdout.readline()  # it has listed them once
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def _beside(alone: list[float], what: str, times: list[float]) -> Iterator[Row]:
    one, beside = statistics.median(alone), statistics.median(times)
    note = f"alone {one * 1000:.0f} ms, at most {max(alone) * 1000:.0f};"
    note += f" beside at most {max(times) * 1000:.0f}; {beside / one:.1f} times as long"
    yield Row(
        f"a one-port apply beside {what}",
        beside * 1000, "ms", 2 * one * 1000 + 100, asserted=False, note=note,
    )  # fmt: skip


def _list_for_ever(path: str) -> None:
    body = json.dumps(
        {"jsonrpc": "2.0", "method": "node.list", "params": {"limit": 1000}, "id": 1}
    ).encode()
    request = b"POST /rpc HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    with socket.socket(socket.AF_UNIX) as sock, sock.makefile("rb") as answers:
        sock.connect(path)
        sock.sendall(request)
        read_answer(answers)
        print("listed", flush=True)
        while True:
            sock.sendall(request)
            read_answer(answers)


if __name__ == "__main__":
    _list_for_ever(sys.argv[1])
