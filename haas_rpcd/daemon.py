"""The composition root: the one place that knows every part, and puts them together."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import importlib
import json
import logging
import os
import signal
import socket
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

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
from haas_rpcd.drivers.switch.dialect import COMMON_OPTIONS, Dialect
from haas_rpcd.drivers.switch.dialects import DIALECTS, DialectError
from haas_rpcd.drivers.switch.dialects import load as load_dialects
from haas_rpcd.drivers.switch.driver import SwitchDriver
from haas_rpcd.drivers.switch.transport import OPTIONS, Transport
from haas_rpcd.drivers.switch.transport.known_hosts import KnownHosts
from haas_rpcd.drivers.switch.transport.telnet import TelnetTransport
from haas_rpcd.engine.engine import Engine
from haas_rpcd.engine.planning import Planning
from haas_rpcd.errors import DeviceError, UnavailableError
from haas_rpcd.events import Events
from haas_rpcd.methods.registry import METHODS, Call, Context, invoke
from haas_rpcd.model import SwitchFacts
from haas_rpcd.records import SwitchTrust
from haas_rpcd.rpc import openrpc
from haas_rpcd.rpc.transport import Server
from haas_rpcd.sim.datacentre import DataCentre
from haas_rpcd.sim.hostnet import SimNetworkDriver
from haas_rpcd.sim.hypervisor import SimHypervisorDriver
from haas_rpcd.store.database import Row, Store

if TYPE_CHECKING:
    from haas_rpcd.drivers.switch.transport.ssh import SshAddress

log = logging.getLogger(__name__)

SSH = "haas_rpcd.drivers.switch.transport.ssh"

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
        self._credentials = credentials
        self._known_hosts = KnownHosts(Path(settings.switches.known_hosts))
        self.store = Store(settings.store.path)
        self.events = Events()
        self.dialects = _dialects(Path(settings.switches.dialects))
        planning = Planning(settings.pool, self._facts, self._switch_driver, master, libvirt)
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
            dialects={
                name: dialect.options | COMMON_OPTIONS | OPTIONS
                for name, dialect in self.dialects.items()
            },
            canonical_port=lambda dialect, port: self.dialects[dialect].canonical_port(port),
            trust=self._trust,
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

    def _switch_driver(self, row: Row) -> SwitchDriver:
        dialect = self.dialects.get(row["dialect"])
        if dialect is None:
            raise UnavailableError(
                f"This haas-rpcd has no dialect {row['dialect']}, with which {row['name']} is"
                " registered."
            )
        options = json.loads(row["options"])
        return SwitchDriver(
            row["name"],
            dialect,
            connect=lambda: self._connect(row),
            options={name: value for name, value in options.items() if name not in OPTIONS},
            credential=lambda: self._credential(row["name"], row["credential"]),
            settings=self.settings.switches,
            registered=tuple(
                row[key]
                for key in ("dialect", "host", "port", "transport", "credential", "options")
            ),
        )

    async def _connect(self, row: Row) -> Transport:
        """Connect to a switch by the transport it is registered with. Raises DeviceError."""
        if row["transport"] == "ssh":
            address = await self._ssh(row)
            return await address.connect(self._credential(row["name"], row["credential"]))
        wanted = self.settings.switches
        return await TelnetTransport.connect(
            row["name"], row["host"], row["port"], wanted.connect_timeout, wanted.keepalive
        )

    async def _ssh(self, row: Row) -> SshAddress:
        await asyncio.to_thread(importlib.import_module, SSH)  # 0.3 s that nobody need wait for
        from haas_rpcd.drivers.switch.transport.ssh import SshAddress

        return SshAddress(
            row["name"],
            row["host"],
            row["port"],
            known_hosts=self._known_hosts,
            settings=self.settings.switches,
            legacy=json.loads(row["options"]).get("ssh_legacy") is True,
        )

    async def _trust(self, row: Row, fingerprint: str | None) -> SwitchTrust:
        """Look at a switch's SSH host key, and trust it if it is this one. Raises HaasError."""
        address = await self._ssh(row)
        shown = await address.trust(fingerprint and fingerprint.rstrip("="))
        return SwitchTrust(
            switch=row["name"],
            host=row["host"],
            port=row["port"],
            type=shown.key.kind,
            fingerprint=shown.key.fingerprint,
            state=shown.verdict,
            stored=shown.stored,
            trusted=[str(key) for key in shown.known],
            note=address.advice(shown.key, shown.verdict),
        )

    def _facts(self, dialect: str, trunks: int) -> SwitchFacts:
        """Give what the planner has to know of a switch, from its dialect."""
        known = self.dialects.get(dialect)
        return SwitchFacts(
            declares_vlans=bool(known and known.declares_vlans and not known.trunks_want_vlans),
            saves=known.saves if known else False,
            trunks=trunks,
        )

    def _credential(self, switch: str, name: str | None) -> Credential:
        try:
            known = self._credentials()
        except ConfigError as error:
            raise DeviceError(str(error), reason="login") from None
        if (name or switch) not in known:
            raise DeviceError(
                f"There are no credentials for {switch}: add  [{name or switch}]  to"
                f" {self.settings.credentials.file}.",
                reason="login",
            )
        return known[name or switch]


def _dialects(folder: Path) -> dict[str, Dialect]:
    """Give the built-in dialects and the site's own. Raises ConfigError."""
    try:
        return DIALECTS | load_dialects(folder)
    except (DialectError, OSError) as error:
        raise ConfigError(f"[switches] dialects: {error}") from None


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
