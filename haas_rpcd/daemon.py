"""The composition root: the only place that knows every part. It puts them together."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import logging
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path

import haas_rpcd.methods  # noqa: F401 - declares the API
from haas_rpcd.auth import DAEMON
from haas_rpcd.config import (
    ConfigError,
    Credential,
    Master,
    Settings,
    StoreSettings,
    SwitchSettings,
    load_credentials,
)
from haas_rpcd.config import Server as ServerSettings
from haas_rpcd.drivers import SingleDriver
from haas_rpcd.drivers.switch.factory import RegisteredSwitch, SwitchFactory
from haas_rpcd.engine.engine import Engine
from haas_rpcd.engine.planning import Planning
from haas_rpcd.events import Events
from haas_rpcd.methods.registry import METHODS, Call, Context, invoke
from haas_rpcd.rpc import openrpc
from haas_rpcd.rpc.transport import Server
from haas_rpcd.service import until_stopped
from haas_rpcd.sim.datacentre import DataCentre
from haas_rpcd.sim.hostnet import SimNetworkDriver
from haas_rpcd.sim.hypervisor import SimHypervisorDriver
from haas_rpcd.store.database import Row, Store

log = logging.getLogger(__name__)

MakeDriver = Callable[[], SingleDriver]


class Daemon:
    """All parts of a daemon, ready to be started.

    ``credentials`` is called at each login, so that a changed file takes effect without a restart.
    ``master`` and ``libvirt`` make the drivers of the master's two devices; they are None if
    haas.toml has no ``[master]``.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        credentials: Callable[[], Mapping[str, Credential]],
        master: MakeDriver | None,
        libvirt: MakeDriver | None,
        demo: bool = False,
    ) -> None:
        self.settings = settings
        self.store = Store(settings.store.path)
        self.events = Events()
        switches = SwitchFactory(settings, credentials)
        planning = Planning(
            settings.pool,
            switches.facts,
            lambda row: switches.driver(_registered(row)),
            master,
            libvirt,
        )
        self.engine = Engine(
            self.store,
            self.events,
            planning,
            keep_session=settings.switches.keep_session,
            repair_restarted=settings.drift.repair_restarted,
        )
        self.context = Context(
            settings=settings,
            store=self.store,
            engine=self.engine,
            events=self.events,
            dialects=switches.options(),
            canonical_port=switches.canonical_port,
            trust=lambda row, fingerprint: switches.trust(_registered(row), fingerprint),
            openrpc=functools.cache(lambda: openrpc.document(METHODS)),  # made at the first call
            started=time.time(),
            demo=demo,
        )
        self._server = Server(self.context, Path(settings.server.socket))

    async def start(self, *, serve: bool = True) -> None:
        """Open the store, pick up unfinished jobs, and then listen.

        Raises ConfigError, sqlite3.Error, OSError, SocketError.
        """
        if serve:
            self._server.claim()
        try:
            await self.store.open()
        except sqlite3.OperationalError as error:
            raise ConfigError(
                f"[store] path: {self.settings.store.path} can't be opened ({error}): check that"
                " its folder exists and that haas-rpcd may write there."
            ) from None
        await self.engine.recover()
        if self.settings.drift.interval:
            self.engine.check_regularly(self.settings.drift.interval)
        if serve:
            await self._server.start()

    async def serve(self) -> None:
        """Listen, after ``start(serve=False)``."""
        await self._server.start()

    async def stop(self) -> None:
        """Stop listening and end. Running jobs stay in the journal for the next start."""
        await self._server.stop()
        await self.engine.stop()
        await self.store.close()


def _registered(row: Row) -> RegisteredSwitch:
    """Convert a switch's row in the store to the record that its driver is made from."""
    return RegisteredSwitch(
        name=row["name"],
        dialect=row["dialect"],
        host=row["host"],
        port=row["port"],
        transport=row["transport"],
        credential=row["credential"],
        options=json.loads(row["options"]),
    )


# --- two ways to compose a daemon -----------------------------------------------------------------


def real(settings: Settings) -> Daemon:
    """Compose the daemon of a real master. Raises ConfigError."""
    path = Path(settings.credentials.file)
    load_credentials(path)  # report faults in the file now, not at the first login
    master: MakeDriver | None = None
    libvirt: MakeDriver | None = None
    if (wanted := settings.master) is not None:
        from haas_rpcd.drivers.hostnet.netlink import NetlinkDriver
        from haas_rpcd.drivers.hypervisor.libvirt import LibvirtDriver

        def master() -> SingleDriver:
            return NetlinkDriver(wanted.trunk_nic)

        def libvirt() -> SingleDriver:
            return LibvirtDriver(wanted.libvirt_uri)

    return Daemon(
        settings, credentials=lambda: load_credentials(path), master=master, libvirt=libvirt
    )


async def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT. Raises ConfigError, sqlite3.Error, OSError."""
    daemon = real(settings)
    await daemon.start()
    log.info("serving %s", settings.server.socket)
    try:
        await until_stopped()
    finally:
        await daemon.stop()


@contextlib.asynccontextmanager
async def demo(socket_path: str) -> AsyncIterator[tuple[Daemon, DataCentre]]:
    """Serve the embedded data centre; its state is in memory only."""
    centre = DataCentre()
    trusted = Path(f"{socket_path}.known_hosts")
    await centre.start()
    try:
        daemon = Daemon(
            Settings(
                server=ServerSettings(socket=socket_path),
                store=StoreSettings(path=":memory:"),
                master=Master(trunk_nic="eth0", libvirt_uri="demo"),
                switches=SwitchSettings(known_hosts=str(trusted)),
            ),
            credentials=lambda: centre.credentials,
            master=lambda: SimNetworkDriver(centre.host),
            libvirt=lambda: SimHypervisorDriver(centre.host),
            demo=True,
        )
        await daemon.start(serve=False)
        try:
            await _seed(daemon, centre.site())
            centre.take_time()
            await daemon.serve()  # only now, so that clients find the nodes free
            yield daemon, centre
        finally:
            await daemon.stop()
            await asyncio.to_thread(trusted.unlink, missing_ok=True)
    finally:
        await centre.stop()


async def run_demo(socket_path: str) -> None:
    """Serve the embedded data centre until SIGTERM or SIGINT."""
    async with demo(socket_path):
        log.info("serving the embedded data centre on %s", socket_path)
        await until_stopped()


async def _seed(daemon: Daemon, site: str) -> None:
    """Import a site file and apply the site, so that its nodes are free."""
    call = Call(context=daemon.context, caller=DAEMON)
    await invoke(call, "site.import", {"site": site})
    started = await invoke(call, "apply.start", {})
    job = await invoke(call, "job.wait", {"job": started["job"], "timeout": 60})
    if job["state"] != "succeeded":
        raise RuntimeError(f"the site could not be applied: {job['error']}")
