"""``--demo --site FILE``: a rehearsal on a simulated copy of the site that a site file describes.

The store, the planner, the engine and the drivers are the real ones. Every connection leads to a
simulated switch on loopback; no address of the site file is ever connected to.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec

from haas_rpcd.auth import DAEMON
from haas_rpcd.config import Master, Server, Settings, StoreSettings
from haas_rpcd.daemon import Daemon
from haas_rpcd.demo.remotes import SimRemotes
from haas_rpcd.demo.sitecopy import CopiedSwitches, OneLogin, SiteCopy
from haas_rpcd.demo.sitefile import SiteFile, read
from haas_rpcd.drivers.switch.factory import SwitchFactory
from haas_rpcd.errors import HaasError
from haas_rpcd.methods.call import Call
from haas_rpcd.methods.invoke import invoke
from haas_rpcd.service import until_stopped
from haas_rpcd.sim.bmcs import SimBmcs, headnode_console
from haas_rpcd.sim.hostnet import SimNetworkDriver
from haas_rpcd.sim.hypervisor import SimHypervisorDriver

log = logging.getLogger(__name__)

PATIENCE = 15.0
"""Seconds to wait until all ports are parked. Then clients may connect while parking continues."""


def settings_for(socket_path: str, trusted: Path, given: Settings | None) -> Settings:
    """Make the settings of a rehearsal, with the relevant tables of a real haas.toml.

    Without one: the default pool, and a master. The store, the socket, the credentials and the host
    keys are never the real ones.
    """
    base = given or Settings(master=Master(trunk_nic="eth0", libvirt_uri="demo"))
    return Settings(
        server=Server(socket=socket_path),
        store=StoreSettings(path=":memory:"),
        vlans=base.vlans,
        master=base.master,
        policy=base.policy,
        switches=msgspec.structs.replace(base.switches, known_hosts=str(trusted)),
        drift=base.drift,
        site=base.site,
    )


@contextlib.asynccontextmanager
async def rehearse(
    socket_path: str, file: SiteFile, given: Settings | None = None
) -> AsyncIterator[tuple[Daemon, SiteCopy]]:
    """Serve a copy of a site. Its state is in memory only. Raises ConfigError, OSError.

    If the site file can't be imported, the error begins with ``FILE:LINE:``.
    """
    own = tempfile.TemporaryDirectory(prefix="haas-demo-")
    trusted = Path(own.name) / "known_hosts"
    settings = settings_for(socket_path, trusted, given)
    copy = SiteCopy()
    factory = SwitchFactory(settings, OneLogin, copy.locate)
    daemon = _composed(settings, copy, factory, file)
    await daemon.start(serve=False)
    try:
        await _try_import(daemon, file)
        copy.build(file.site, factory.dialects)
        copy.plug_in(file.site, factory.canonical_port)
        await copy.start()
        await asyncio.to_thread(trusted.write_text, copy.known_hosts())
        _report(file, copy)
        await _import_and_park(daemon, file, copy)
        copy.take_time()
        await daemon.serve()
        yield daemon, copy
    finally:
        await daemon.stop()
        await copy.stop()
        await asyncio.to_thread(own.cleanup)


def _composed(settings: Settings, copy: SiteCopy, factory: SwitchFactory, file: SiteFile) -> Daemon:
    host = copy.host
    if settings.master is not None:
        host.images, host.trunk_nic = set(settings.master.images), settings.master.trunk_nic
    return Daemon(
        settings,
        switches=CopiedSwitches(copy, factory),
        master=(lambda: SimNetworkDriver(host)) if settings.master else None,
        libvirt=(lambda: SimHypervisorDriver(host)) if settings.master else None,
        remote=SimRemotes(host.images, source=host),
        bmcs=SimBmcs(copy.power),
        headnode_console=headnode_console,
        demo=True,
        exported=functools.partial(copy.exported, file.site),
    )


async def check_site(site: Path, given: Settings | None = None) -> None:
    """Check that a site file can be rehearsed. Raises ConfigError."""
    file = read(site)
    settings = settings_for("/nowhere", Path("/nowhere"), given)
    daemon = _composed(settings, SiteCopy(), SwitchFactory(settings, OneLogin), file)
    await daemon.start(serve=False)
    try:
        await _try_import(daemon, file)
    finally:
        await daemon.stop()


async def run_rehearsal(socket_path: str, site: Path, given: Settings | None = None) -> None:
    """Serve a copy of a site until SIGTERM or SIGINT. Raises ConfigError, OSError."""
    logging.getLogger("asyncssh").setLevel(logging.WARNING)  # it reports every listener
    async with rehearse(socket_path, read(site), given):
        log.info("serving a rehearsal of %s on %s", site, socket_path)
        await until_stopped()


async def _try_import(daemon: Daemon, file: SiteFile) -> None:
    """Check the site file, including its real addresses. Raises ConfigError."""
    call = Call(context=daemon.context, caller=DAEMON)
    try:
        await invoke(call, "site.import", {"site": file.text, "dry_run": True})
    except HaasError as error:
        raise file.error(error) from None


async def _import_and_park(daemon: Daemon, file: SiteFile, copy: SiteCopy) -> None:
    """Import the copy's inventory, and apply the site so that its nodes are free."""
    call = Call(context=daemon.context, caller=DAEMON)
    await invoke(call, "site.import", {"site": copy.site(file.site)})
    started = await invoke(call, "apply.start", {})
    job = await invoke(call, "job.wait", {"job": started["job"], "timeout": PATIENCE})
    match job["state"]:
        case "succeeded":
            return
        case "queued" | "running":
            log.info("job %s still parks the ports; `job wait %s` waits", job["job"], job["job"])
        case _:
            log.warning("not all ports could be parked: %s", job["error"])


def _report(file: SiteFile, copy: SiteCopy) -> None:
    for name, switch in file.site.switches.items():
        if name in copy.stands_in:
            log.warning(
                "%s (%s): %s, so a stand-in takes its lines and does what they ask;"
                " it can't refuse one",
                name,
                switch.dialect,
                copy.stands_in[name],
            )
            continue
        log.info("%s (%s): simulated by %s at %s:%d", name, switch.dialect, switch.transport,
                 *copy.address(name))  # fmt: skip
