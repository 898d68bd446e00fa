"""Starts haas-rpcd and haas-console with their imports done.

In the lab a Python takes one to three seconds to load what these need. So one process does that
(multiprocessing's fork server), and forks. What then runs is the program's own `main`, with its
arguments, in a process of its own that ends, or is killed, as it would be otherwise.
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
"""Modules that are loaded beforehand, some of which load others when they are used."""


def start(
    program: str,
    arguments: Sequence[str],
    output: Path,
    errors: Path,
    environment: Mapping[str, str] | None = None,
) -> BaseProcess:
    """Start a program, named by the module that has its `main`; its output is added to files."""
    server = multiprocessing.get_context("forkserver")
    server.set_forkserver_preload(_LOADED)  # heeded when the first program is started
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
