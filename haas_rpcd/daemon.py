"""The composition root: the one place that knows every part, and puts them together."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import logging
import os
import signal
import socket
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
from haas_rpcd.sim.datacentre import DataCentre
from haas_rpcd.sim.hostnet import SimNetworkDriver
from haas_rpcd.sim.hypervisor import SimHypervisorDriver
from haas_rpcd.store.database import Row, Store

log = logging.getLogger(__name__)

MakeDriver = Callable[[], SingleDriver]


class Daemon:
    """A daemon put together, ready to be started.

    ``credentials`` is asked at each login, so that a changed file needs no restart; ``master`` and
    ``libvirt`` make the drivers of the master's two devices, and are None without ``[master]``.
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
            openrpc=functools.cache(lambda: openrpc.document(METHODS)),  # when it is asked for
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
        """Listen, for a daemon that was started without."""
        await self._server.start()

    async def stop(self) -> None:
        """Stop listening and end; jobs under way stay in the journal for the next start."""
        await self._server.stop()
        await self.engine.stop()
        await self.store.close()


def _registered(row: Row) -> RegisteredSwitch:
    """Give what the store says of a switch as its driver wants it."""
    return RegisteredSwitch(
        name=row["name"],
        dialect=row["dialect"],
        host=row["host"],
        port=row["port"],
        transport=row["transport"],
        credential=row["credential"],
        options=json.loads(row["options"]),
    )


# --- the two ways to put one together -------------------------------------------------------------


def real(settings: Settings) -> Daemon:
    """Put together a daemon for a real master. Raises ConfigError."""
    path = Path(settings.credentials.file)
    load_credentials(path)  # says now what is wrong with it
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
        await _until_told_to_stop()
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
            await daemon.serve()  # only now: who connects finds the nodes free
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
        await _until_told_to_stop()


async def _seed(daemon: Daemon, site: str) -> None:
    """Import a site file and apply the site, so that its nodes are free."""
    call = Call(context=daemon.context, caller=DAEMON)
    await invoke(call, "site.import", {"site": site})
    started = await invoke(call, "apply.start", {})
    job = await invoke(call, "job.wait", {"job": started["job"], "timeout": 60})
    if job["state"] != "succeeded":
        raise RuntimeError(f"the site could not be applied: {job['error']}")


async def _until_told_to_stop() -> None:
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    _notify_systemd("READY=1")
    await stopped.wait()
    _notify_systemd("STOPPING=1")


def _notify_systemd(state: str) -> None:
    """Tell systemd how we are (sd_notify(3)), if it asked to be told."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    with (
        contextlib.suppress(OSError),  # nobody listens: that is systemd's matter
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify,
    ):
        notify.connect(f"\0{address[1:]}" if address.startswith("@") else address)
        notify.sendall(state.encode())
