"""A daemon with an inventory of 10,000 nodes, for measuring."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from haas_rpcd import configfiles, daemon
from haas_rpcd.auth import DAEMON
from haas_rpcd.methods.call import Call
from haas_rpcd.methods.invoke import invoke
from haas_rpcd.sim.ios import IosSwitch, gigabit
from haas_rpcd.store.database import Tx
from tests.tui.harness.processes import Daemon

NODES = 10_000
PORTS = 48
NODES_A_SWITCH = PORTS // 2
PROJECTS = ("astro", "bio")
CREDENTIAL = {"username": "haas", "password": "bench", "enable": "bench-enable"}


def site(nodes: int, first_switch: int) -> dict[str, Any]:
    """Return a site with ``nodes`` nodes of two nics each; 10,000 nodes need 417 switches.

    Only the first switch exists, at TCP port ``first_switch`` of the loopback interface.
    """
    switches = -(-nodes // NODES_A_SWITCH)
    return {
        "projects": {name: {} for name in PROJECTS},
        "switches": {
            f"sw{number:03}": {
                "dialect": "cisco_ios",
                "host": "127.0.0.1",
                "port": first_switch if number == 0 else 1000 + number,  # not 22, nor 23
                "credential": "bench",
                "access": [f"Gi1/0/{port}" for port in range(1, PORTS + 1)],
            }
            for number in range(switches)
        },
        "nodes": {
            f"node-{number:05}": {
                "tags": ["gpu"] if number % 4 == 0 else [],
                "nics": {
                    nic: {
                        "kind": kind,
                        "mac": f"02:00:{number >> 8:02x}:{number & 255:02x}:00:{at:02x}",
                        "switch": f"sw{number // NODES_A_SWITCH:03}",
                        "port": f"Gi1/0/{2 * (number % NODES_A_SWITCH) + at}",
                    }
                    for at, nic, kind in ((1, "ipmi-nic", "bmc"), (2, "primary-nic", "data"))
                },
            }
            for number in range(nodes)
        },
    }


def prepare(folder: Path, nodes: int, first_switch: int) -> Path:
    """Register the site in a new database, all ports parked; return the daemon's configuration."""
    file = folder / "haas.toml"
    credentials = folder / "credentials.toml"
    file.write_text(f'[store]\npath = "{folder}/haas.db"\n[credentials]\nfile = "{credentials}"\n')
    credentials.touch(mode=0o600)
    credentials.write_text(
        "[bench]\n" + "".join(f'{key} = "{value}"\n' for key, value in CREDENTIAL.items())
    )

    def park(tx: Tx) -> None:
        """Mark all ports as confirmed, because there are no 417 switches that could confirm it."""
        tx.execute("INSERT INTO port_applied (port_id, confirmed, saved) SELECT id, 1, 1 FROM port")

    async def fill() -> None:
        made = daemon.real(configfiles.load(file))
        await made.start(serve=False)
        call = Call(context=made.context, caller=DAEMON)
        await invoke(call, "site.import", {"site": site(nodes, first_switch)})
        await made.store.write(park)
        await made.stop()

    asyncio.run(fill())
    return file


@contextlib.contextmanager
def big_site(folder: Path, nodes: int = NODES) -> Iterator[tuple[Daemon, IosSwitch]]:
    """Provide a daemon with that many free nodes, and the first of its switches."""
    folder.mkdir()
    with _switch() as switch:
        file = prepare(folder, nodes, switch.port)
        with Daemon(folder, "--config", str(file)) as running:
            yield running, switch


@contextlib.contextmanager
def _switch() -> Iterator[IosSwitch]:
    """Run a switch with telnet, on an event loop in a thread of its own."""
    switch = IosSwitch("sw000", ports=gigabit(PORTS), **CREDENTIAL)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="switch", daemon=True)
    thread.start()
    asyncio.run_coroutine_threadsafe(switch.start(), loop).result(10)
    try:
        yield switch
    finally:
        asyncio.run_coroutine_threadsafe(switch.stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
