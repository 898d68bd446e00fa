"""The embedded data centre: two switches and twelve nodes, registered and parked."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from haas_rpcd.auth import DAEMON
from haas_rpcd.config import Master, Server, Settings, StoreSettings, SwitchSettings
from haas_rpcd.daemon import Daemon
from haas_rpcd.demo.cables import Cables
from haas_rpcd.demo.datacentre import DataCentre
from haas_rpcd.demo.remotes import SimRemotes
from haas_rpcd.drivers.switch.factory import SwitchFactory
from haas_rpcd.methods.call import Call
from haas_rpcd.methods.invoke import invoke
from haas_rpcd.service import until_stopped
from haas_rpcd.sim.bmcs import SimBmcs, headnode_console
from haas_rpcd.sim.hostnet import SimNetworkDriver
from haas_rpcd.sim.hypervisor import SimHypervisorDriver
from haas_rpcd.site import parse

log = logging.getLogger(__name__)

HYPERVISOR = "hv2"
"""The second hypervisor; the master is the first."""

FULL = 2**30
"""Its memory, in bytes: headnodes go to the master, unless ``--hypervisor`` says otherwise."""

COPY_SECONDS = 2.0
"""How long copying a base image there takes."""


@contextlib.asynccontextmanager
async def demo(socket_path: str) -> AsyncIterator[tuple[Daemon, DataCentre]]:
    """Serve the embedded data centre; its state is in memory only."""
    centre = DataCentre()
    own = tempfile.TemporaryDirectory(prefix="haas-demo-")
    trusted = Path(own.name) / "known_hosts"
    settings = Settings(
        server=Server(socket=socket_path),
        store=StoreSettings(path=":memory:"),
        master=Master(trunk_nic="eth0", libvirt_uri="demo"),
        switches=SwitchSettings(known_hosts=str(trusted)),
    )
    factory = SwitchFactory(settings, lambda: centre.credentials)
    await centre.start()
    try:
        cables = Cables(centre.switches, parse(centre.site()), factory.canonical_port)
        daemon = Daemon(
            settings,
            switches=factory,
            master=lambda: SimNetworkDriver(centre.host),
            libvirt=lambda: SimHypervisorDriver(centre.host),
            remote=SimRemotes(set(), FULL, source=centre.host, copy_seconds=COPY_SECONDS),
            bmcs=SimBmcs(cables.power),
            headnode_console=headnode_console,
            demo=True,
        )
        await daemon.start(serve=False)
        try:
            await import_and_apply(daemon, centre.site())
            await register_bmcs(daemon)
            await register_hypervisor(daemon)
            centre.take_time()
            await daemon.serve()  # only now, so that clients find the nodes free
            yield daemon, centre
        finally:
            await daemon.stop()
    finally:
        await centre.stop()
        await asyncio.to_thread(own.cleanup)


async def run_demo(socket_path: str) -> None:
    """Serve the embedded data centre until SIGTERM or SIGINT."""
    async with demo(socket_path):
        log.info("serving the embedded data centre on %s", socket_path)
        await until_stopped()


async def register_bmcs(daemon: Daemon) -> None:
    """Register a BMC for every node. Raises HaasError."""
    call = Call(context=daemon.context, caller=DAEMON)
    for node in (await invoke(call, "node.list", {}))["items"]:
        bmc = {"node": node["node"], "protocol": "ipmi", "host": f"{node['node']}-bmc.example"}
        await invoke(call, "bmc.set", bmc)


async def register_hypervisor(daemon: Daemon) -> None:
    """Register a second hypervisor. Raises HaasError."""
    call = Call(context=daemon.context, caller=DAEMON)
    place = {"uri": "qemu+ssh://haas@hv2.example/system", "trunk_nic": "eth0"}
    await invoke(call, "hypervisor.register", {"hypervisor": HYPERVISOR, **place})


async def import_and_apply(daemon: Daemon, site: str | dict[str, Any]) -> None:
    """Import a site file and apply the site, so that its nodes are free. Raises HaasError."""
    call = Call(context=daemon.context, caller=DAEMON)
    await invoke(call, "site.import", {"site": site})
    started = await invoke(call, "apply.start", {})
    job = await invoke(call, "job.wait", {"job": started["job"], "timeout": 60})
    if job["state"] != "succeeded":
        raise RuntimeError(f"the site could not be applied: {job['error']}")
