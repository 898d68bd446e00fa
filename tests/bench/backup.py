"""Backup and restore at 10,000 nodes, with all of their 417 switches."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tests.bench.big_site import CREDENTIAL, PORTS, site
from tests.bench.switchyard import Switchyard
from tests.bench.table import Row
from tests.tui.harness.processes import ROOT, Daemon


def measure(folder: Path, nodes: int) -> Iterator[Row]:
    """Back up a running daemon's database, and restore it with and without reading the devices."""
    folder.mkdir()
    file, backup = _configure(folder), folder / "backup.db"
    made = site(nodes, 0)
    with Switchyard(len(made["switches"]), ports=PORTS) as yard:
        for switch, port in zip(made["switches"].values(), yard.ports, strict=True):
            switch["port"] = port
        with Daemon(folder, "--config", str(file)) as daemon:
            daemon.call("site.import", site=made)
            begun = time.perf_counter()
            job = daemon.call("apply.start")["job"]
            while not (ended := daemon.call("job.wait", job=job, timeout=60))["finished"]:
                pass
            if ended["state"] != "succeeded":
                raise AssertionError(ended["error"])
            yield Row(f"site apply, {ended['total']:,} steps", time.perf_counter() - begun, "s")
            took, slowest = _back_up(daemon, file, backup)
            size = f"{backup.stat().st_size / 1e6:.0f} MB"
        yield Row(f"backup of {nodes:,} nodes, online and verified", took, "s", note=size)
        yield Row("system.info meanwhile, slowest", slowest * 1000, "ms")
        later = _run(file, "restore", str(backup), "--replace", "--later")
        yield Row("restore, without reading devices", later, "s")
        read = _run(file, "restore", str(backup), "--replace")
        yield Row(f"restore, reading {len(yard.ports)} switches", read, "s")
        begun = time.perf_counter()
        with Daemon(folder, "--config", str(file)) as daemon:
            free = daemon.call("node.list", free=True, limit=1)["items"]
            yield Row("start after that, to the first answer", time.perf_counter() - begun, "s")
        if not free:
            raise AssertionError("no node is free after the restore")


def _configure(folder: Path) -> Path:
    file, credentials = folder / "haas.toml", folder / "credentials.toml"
    credentials.touch(mode=0o600)
    known = "".join(f'{key} = "{value}"\n' for key, value in CREDENTIAL.items())
    credentials.write_text(f"[bench]\n{known}")
    file.write_text(f'[store]\npath = "{folder}/haas.db"\n[credentials]\nfile = "{credentials}"\n')
    return file


def _command(file: Path, *words: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "haas_rpcd", "--config", str(file), *words]
    return subprocess.Popen(command, cwd=ROOT, stdout=sys.stderr)


def _run(file: Path, *words: str) -> float:
    """Run a subcommand; return the seconds that it took, the start of Python included."""
    begun = time.perf_counter()
    if code := _command(file, *words).wait():
        raise AssertionError(f"haas-rpcd {words[0]} failed: {code}")
    return time.perf_counter() - begun


def _back_up(daemon: Daemon, file: Path, target: Path) -> tuple[float, float]:
    """Return the seconds of a backup, and of the slowest call in the meantime."""
    begun, slowest = time.perf_counter(), 0.0
    process = _command(file, "backup", str(target))
    while process.poll() is None:
        asked = time.perf_counter()
        daemon.call("system.info")
        slowest = max(slowest, time.perf_counter() - asked)
    if process.returncode:
        raise AssertionError("haas-rpcd backup failed")
    return time.perf_counter() - begun, slowest
