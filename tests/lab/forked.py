"""Starts haas-rpcd and haas-console by fork, after their imports.

In the lab, their imports take one to three seconds. So one process (multiprocessing's fork server)
imports everything once and then forks. The child calls the program's `main` with its arguments.
Like any process, it ends by itself or is killed.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from multiprocessing.process import BaseProcess
from pathlib import Path

_LOADED = [
    *("haas_rpcd.__main__", "haas_rpcd.daemon", "haas_rpcd.drivers.hostnet.netlink"),
    *("haas_rpcd.drivers.hypervisor.libvirt", "libvirt"),
    *("haas_rpcd.drivers.switch.transport.ssh", "asyncssh"),
    *("haas_console.cli", "haas_console.batch.online", "aiohttp"),
    __name__,
]
"""Modules imported beforehand, including some that are otherwise imported only when needed."""


def start(
    program: str,
    arguments: Sequence[str],
    output: Path,
    errors: Path,
    environment: Mapping[str, str] | None = None,
) -> BaseProcess:
    """Start a program, given the module with its `main`; append its output to files."""
    server = multiprocessing.get_context("forkserver")
    server.set_forkserver_preload(_LOADED)  # this takes effect at the first start
    process = server.Process(
        target=_become, args=(program, arguments, output, errors, environment or {}), daemon=True
    )
    process.start()
    return process


def _become(
    program: str,
    arguments: Sequence[str],
    output: Path,
    errors: Path,
    environment: Mapping[str, str],
) -> None:
    _redirect(Path(os.devnull), os.O_RDONLY, 0)
    _redirect(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 1)
    _redirect(errors, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 2)
    os.environ.update(environment)
    sys.exit(import_module(program).main(arguments))


def _redirect(path: Path, flags: int, descriptor: int) -> None:
    opened = os.open(path, flags, 0o666)
    os.dup2(opened, descriptor)
    os.close(opened)
