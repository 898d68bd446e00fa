"""What a second master costs: the time that it adds to a change, and the time until it serves."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from pathlib import Path

from tests.bench.table import Row
from tests.ha.conftest import CREDENTIAL, TTL, Etcd, Pair, until
from tests.tui.harness.processes import Daemon

CALLS = 200


def measure(folder: Path) -> Iterator[Row]:
    """Measure changes with one master and with two, then kill the one that serves."""
    folder.mkdir()
    with _alone(folder) as alone:
        yield from _rows("one master: a change", _changes(alone))
    with Etcd(folder) as etcd:
        pair = Pair(folder, etcd)
        try:
            first, second = pair.start()
            yield from _rows("two masters: a change", _changes(first.daemon))
            begun = time.perf_counter()
            first.kill()
            until(second.serves, "the other has not taken over")
            took = time.perf_counter() - begun
            yield Row("… until the other serves", took, "s", note=f"after kill -9; ttl {TTL} s")
        finally:
            for master in pair.masters:
                master.close()


def _alone(folder: Path) -> Daemon:
    (place := folder / "alone").mkdir()
    credentials = place / "credentials.toml"
    credentials.touch(mode=0o600)
    credentials.write_text(CREDENTIAL)
    config = place / "haas.toml"
    config.write_text(f'[store]\npath = "{place}/haas.db"\n[credentials]\nfile = "{credentials}"\n')
    return Daemon(place, "--config", str(config))


def _changes(daemon: Daemon) -> list[float]:
    """The milliseconds that each of many changes takes, one after the other."""
    times = []
    for number in range(CALLS):
        begun = time.perf_counter()
        daemon.call("project.create", project=f"p{number}")
        times.append((time.perf_counter() - begun) * 1000)
    return times


def _rows(what: str, times: list[float]) -> Iterator[Row]:
    note = f"median of {len(times)}; 99th percentile {statistics.quantiles(times, n=100)[-1]:.1f}"
    yield Row(what, statistics.median(times), "ms", note=note)
