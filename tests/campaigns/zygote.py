"""Starts daemons by forking, which takes a fortieth of the time of a new Python.

``python -m tests.campaigns.zygote`` reads a folder's path from each line of its standard input, and
runs the daemon whose settings are in that folder in a child. On standard output are the number of
the child and ``forked``, ``serving``, ``failed`` with a sentence, or ``gone``.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import logging
import os
import pickle
import signal
import sys
import traceback
from dataclasses import replace
from pathlib import Path

import msgspec

import haas_rpcd.rpc.transport  # noqa: F401 - everything is imported before the fork
from haas_rpcd.config import Settings
from haas_rpcd.configfiles import load_credentials
from haas_rpcd.daemon import Daemon
from haas_rpcd.drivers import Report
from haas_rpcd.drivers.switch.factory import SwitchFactory
from haas_rpcd.model import HeadnodeChange, SetBridge
from haas_rpcd.service import until_stopped
from haas_rpcd.sim.host import SimHost
from haas_rpcd.sim.hostnet import SimNetworkDriver
from haas_rpcd.sim.hypervisor import SimHypervisorDriver
from haas_rpcd.store import database

HOST = "host"
SETTINGS = "settings.json"
LOG = "log"


def save_host(folder: Path, host: SimHost) -> None:
    """Keep the simulated master in a file: it outlives the daemon."""
    part = folder / f"{HOST}.part"
    part.write_bytes(pickle.dumps(replace(host, watchers=set())))
    part.rename(folder / HOST)


def load_host(folder: Path) -> SimHost:
    """Return the simulated master as it is now."""
    host: SimHost = pickle.loads((folder / HOST).read_bytes())
    return host


_LIBC = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1
_point = getattr(_LIBC, "haas_point", lambda: None)
"""A point of the shim, if there is one."""


class _Network(SimNetworkDriver):
    def __init__(self, folder: Path, host: SimHost) -> None:
        super().__init__(host)
        self._kept = folder, host

    async def carry_out(self, change: SetBridge, report: Report) -> None:
        _point()
        await super().carry_out(change, report)
        save_host(*self._kept)
        _point()


class _Hypervisor(SimHypervisorDriver):
    def __init__(self, folder: Path, host: SimHost) -> None:
        super().__init__(host)
        self._kept = folder, host

    async def carry_out(self, change: HeadnodeChange, report: Report) -> None:
        _point()
        await super().carry_out(change, report)
        save_host(*self._kept)
        _point()


async def serve(folder: Path) -> None:
    """Run the daemon of a folder until SIGTERM."""
    settings = msgspec.json.decode((folder / SETTINGS).read_bytes(), type=Settings)
    credentials = Path(settings.credentials.file)
    host = load_host(folder)
    daemon = Daemon(
        settings,
        switches=SwitchFactory(settings, lambda: load_credentials(credentials)),
        master=lambda: _Network(folder, host),
        libvirt=lambda: _Hypervisor(folder, host),
    )
    await daemon.start()
    _say("serving")
    try:
        await until_stopped()
    finally:
        await daemon.stop()


def _say(text: str) -> None:
    os.write(1, f"{os.getpid()} {text}\n".encode())


def _child(folder: Path) -> None:
    """Run one daemon; the process ends with it."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    log = os.open(folder / LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(log, 2)
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, force=True)
    try:
        asyncio.run(serve(folder))
        _say("stopped")
    except BaseException as error:  # noqa: BLE001 - whatever it is, the parent must hear of it
        traceback.print_exc()
        _say(f"failed: {error}")
    finally:
        with contextlib.suppress(Exception):
            logging.shutdown()
        os._exit(0)


def _reap(*_: object) -> None:
    """Tell of the children that have ended, however they did."""
    with contextlib.suppress(ChildProcessError):
        while (pid := os.waitpid(-1, os.WNOHANG)[0]) > 0:
            os.write(1, f"{pid} gone\n".encode())


def main() -> None:
    database.BUSY_TIMEOUT = 0.1  # seconds; each write would wait ten for a lock that stays
    signal.signal(signal.SIGCHLD, _reap)
    for line in iter(sys.stdin.readline, ""):
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
        if (pid := os.fork()) == 0:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
            _child(Path(line.strip()))
        os.write(1, f"{pid} forked\n".encode())
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})


if __name__ == "__main__":
    main()
