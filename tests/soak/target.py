"""A daemon to be attacked, as a program: ``python -m tests.soak.target FOLDER``.

The real daemon, with its database in a file. Its switches cannot be reached; the master's devices
are simulated.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from pathlib import Path

from haas_rpcd.config import (
    Credential,
    DriftSettings,
    Master,
    Server,
    Settings,
    StoreSettings,
    SwitchSettings,
    Vlans,
)
from haas_rpcd.daemon import Daemon
from haas_rpcd.demo.remotes import SimRemotes
from haas_rpcd.drivers.switch.factory import SwitchFactory
from haas_rpcd.service import until_stopped
from haas_rpcd.sim.host import SimHost
from haas_rpcd.sim.hostnet import SimNetworkDriver
from haas_rpcd.sim.hypervisor import SimHypervisorDriver


def settings_in(folder: Path) -> Settings:
    return Settings(
        server=Server(socket=str(folder / "rpcd.sock")),
        store=StoreSettings(path=str(folder / "haas.db")),
        vlans=Vlans(pool="100-199"),
        master=Master(trunk_nic="eth0"),
        switches=SwitchSettings(
            connect_timeout=0.2,
            login_timeout=0.2,
            answer_timeout=0.2,
            busy_timeout=0.0,
            known_hosts=str(folder / "known_hosts"),
        ),
        drift=DriftSettings(interval=0),
    )


async def serve(folder: Path) -> None:
    settings, host = settings_in(folder), SimHost()
    known = {"lab": Credential(username="haas", password="s3cret", enable="en4ble")}
    daemon = Daemon(
        settings,
        switches=SwitchFactory(settings, lambda: known),
        master=lambda: SimNetworkDriver(host),
        libvirt=lambda: SimHypervisorDriver(host),
        remote=SimRemotes(),
    )
    await daemon.start()
    try:
        await until_stopped()
    finally:
        await daemon.stop()


if __name__ == "__main__":
    logging.basicConfig(level=logging.ERROR, stream=sys.stderr)
    asyncio.run(serve(Path(sys.argv[1])))
