"""The composition root: the only place that knows every part. It puts them together."""

from __future__ import annotations

import asyncio
import functools
import logging
import sqlite3
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

import haas_rpcd.methods  # noqa: F401 - declares the API
from haas_rpcd.auth import Authenticator
from haas_rpcd.backups import Schedule, refuse_folder
from haas_rpcd.bmc import BmcConnector
from haas_rpcd.clock import Clock
from haas_rpcd.config import ConfigError, Settings
from haas_rpcd.configfiles import load_credentials
from haas_rpcd.consoles.consoles import Consoles
from haas_rpcd.consoles.lines import OpenHeadnode, always_logged, opener
from haas_rpcd.consoles.log import Logs
from haas_rpcd.devicenames import MASTER
from haas_rpcd.drivers import MasterDriver
from haas_rpcd.drivers.bmc.factory import BmcFactory
from haas_rpcd.drivers.switch.factory import SwitchFactory
from haas_rpcd.engine import hook
from haas_rpcd.engine.engine import Engine
from haas_rpcd.engine.images import StoredHashes
from haas_rpcd.engine.leases import Leases
from haas_rpcd.engine.planning import Planning, RemoteDrivers
from haas_rpcd.engine.power import Power
from haas_rpcd.engine.power_steps import BmcDriver
from haas_rpcd.engine.run import RunHook
from haas_rpcd.engine.watching import Pace
from haas_rpcd.events import Events
from haas_rpcd.holding import ReleaseSettings
from haas_rpcd.methods.call import Context
from haas_rpcd.methods.registry import METHODS
from haas_rpcd.methods.tenant_texts import for_tenant
from haas_rpcd.parts import Followed, Held, Switches
from haas_rpcd.registered import RegisteredHypervisor
from haas_rpcd.rpc import openrpc
from haas_rpcd.rpc.transport import Server
from haas_rpcd.site import SiteSwitch
from haas_rpcd.store import headnodes as store_headnodes
from haas_rpcd.store import hypervisors as store_hypervisors
from haas_rpcd.store import saves
from haas_rpcd.store.database import Store
from haas_rpcd.store.leases import HookRunRow
from haas_rpcd.store.retention import prune
from haas_rpcd.tasks import cancel_and_wait

if TYPE_CHECKING:
    from haas_rpcd.drivers.remote.factory import RemoteHypervisors
    from haas_rpcd.metrics import Metrics

log = logging.getLogger(__name__)

MakeDriver = Callable[[], MasterDriver]

RELOADED = ("policy", "log", "audit", "jobs")
"""The tables of the configuration that change without a restart."""


class Daemon:
    """All parts of a daemon, ready to be started.

    ``switches`` makes the drivers of switches, ``master`` and ``libvirt`` those of the master's two
    devices; these are None if haas.toml has no ``[master]``. ``remote`` makes those of the other
    hypervisors. ``bmcs`` opens sessions with BMCs; by default with the credentials of haas.toml's
    file. ``headnode_console`` opens the consoles of headnodes. ``exported``: see :class:`Context`.
    ``clock``: this machine's, unless a test gives another one; so is ``pace``, at which the master
    is watched. ``held``: of one of two masters, or of one whose database is copied; ``followed``:
    of the one that stands by.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        switches: Switches,
        master: MakeDriver | None,
        libvirt: MakeDriver | None,
        remote: RemoteDrivers | None = None,
        bmcs: BmcConnector | None = None,
        headnode_console: OpenHeadnode | None = None,
        demo: bool = False,
        exported: Callable[[str, SiteSwitch], SiteSwitch] = lambda name, switch: switch,
        clock: Clock | None = None,
        pace: Pace | None = None,
        held: Held | None = None,
        followed: Followed | None = None,
    ) -> None:
        clock = clock or Clock()
        self.settings = settings
        self._remote = remote
        self._held = held
        self.store = Store(settings.store.path, held.durable if held is not None else None)
        self.events = Events()
        self._without_save = [
            name for name in switches.options() if not switches.traits(name, 0).saves
        ]
        bmcs = bmcs or bmc_factory(settings)
        self.power = Power(self.store, self.events, bmcs, settings.bmc, clock)
        self.consoles = Consoles(
            self.store,
            self.events,
            opener(self.store, bmcs, headnode_console),
            Logs(console_folder(settings)),
            for_tenant,
            always_logged(settings),
        )
        planning = Planning(
            settings.pool,
            switches.traits,
            switches.driver,
            master,
            libvirt,
            lambda node: BmcDriver(node, self.power),
            remote,
        )
        self.engine = Engine(
            self.store,
            self.events,
            planning,
            idle_timeout=settings.switches.keep_session,
            settle_timeout=settings.switches.settle_timeout,
            repair_restarted=settings.drift.repair_restarted,
            restart_headnodes=settings.policy.restart_headnodes,
            images=settings.master.images if settings.master is not None else (),
            clock=clock,
            hook=_hook(settings.release) if settings.release.command else None,
            reach=switches.reach,
            pace=pace,
            canonical_port=switches.canonical_port,
            act=self.power.act,
            proof_patience=settings.cabling.listen_timeout,
        )
        self.leases = Leases(
            self.store,
            self.events,
            self.engine.jobs.enqueue,
            warn=settings.leases.warn,
            grace=settings.leases.grace,
            hook=bool(settings.release.command),
            switch_off=lambda: self.settings.policy.power_off_on_release,
        )
        self.context = Context(
            settings=settings,
            store=self.store,
            engine=self.engine,
            events=self.events,
            leases=self.leases,
            power=self.power,
            consoles=self.consoles,
            dialects=switches.options(),
            canonical_port=switches.canonical_port,
            channel_modes=switches.channel_modes(),
            channel_names=switches.channel_names,
            declares_vlans=lambda dialect: switches.traits(dialect, 0).declares_vlans,
            reserved_vlans=switches.reserved_vlans,
            trust=switches.trust,
            trust_hypervisor=None if remote is None else remote.trust,
            authenticator=Authenticator(settings.server.admin_group),
            openrpc=functools.cache(lambda: openrpc.document(METHODS)),  # made at the first call
            clock=clock,
            started=clock.now().seconds,
            exported=exported,
            ha=both.health if (both := held or followed) is not None else lambda: None,
            standby=followed.standby if followed is not None else lambda: None,
            demo=demo,
        )
        self.backups: Schedule | None = None
        if settings.backup.folder is not None:
            self.backups = Schedule(
                settings.backup, Path(settings.backup.folder), Path(settings.store.path)
            )
        self._housekeeping: list[asyncio.Task[None]] = []
        self.metrics: Metrics | None = None
        if settings.metrics.listen is not None:
            from haas_rpcd.metrics import Metrics  # 50 ms, only if it is wanted

            self.metrics = Metrics(self.context, settings.metrics.listen)
            self.metrics.follow(self.events)
        self._server = Server(
            self.context,
            Path(settings.server.socket),
            self.metrics.call if self.metrics is not None else None,
        )

    async def start(self, *, serve: bool = True) -> None:
        """Open the store, pick up unfinished jobs, and then listen.

        Raises ConfigError, sqlite3.Error, OSError, SocketError.
        """
        if serve:
            self.claim()
        await self.open()
        await self.engine.recover()
        if self.settings.drift.interval:
            self.engine.check_regularly(self.settings.drift.interval)
        if self.settings.cabling.interval:
            checks = self.engine.cabling.check_regularly(self.settings.cabling.interval)
            self._keep(checks, "cabling")
        if self.settings.bmc.interval:
            self._keep(self.power.read_regularly(self.settings.bmc.interval), "power")
        if self.settings.switches.contact_interval:
            self.engine.check_reachable_regularly(self.settings.switches.contact_interval)
        self._keep(self.leases.run(), "leases")
        self._keep(self.consoles.run(), "consoles")
        if self.backups is not None:
            self._keep(self.backups.run(), "backups")
        self._keep(prune(self.store, lambda: self.settings, self.context.clock), "retention")
        if self.metrics is not None:
            await self.metrics.start()
        if serve:
            await self._server.start()

    def claim(self) -> None:
        """Lock the socket, to be the only daemon that serves it. Raises SocketError."""
        self._server.claim()

    async def start_to_read(self) -> None:
        """Listen, as one that stands by. Raises ConfigError, OSError, SocketError."""
        if self.metrics is not None:
            await self.metrics.start()
        await self._server.start()

    async def open(self) -> None:
        """Open the store. Raises ConfigError, sqlite3.Error."""
        try:
            await self.store.open()
        except sqlite3.OperationalError as error:
            if "another haas-rpcd" in str(error):
                raise ConfigError(
                    f"[store] path: {self.settings.store.path} can't be opened:"
                    " another haas-rpcd has it open; stop that one first."
                ) from None
            raise ConfigError(
                f"[store] path: {self.settings.store.path} can't be opened ({error}): check that"
                " its folder exists and that haas-rpcd may write there."
            ) from None
        await self.store.write(saves.set_dialects_without_save, self._without_save)

    async def compare_restored(self) -> list[str]:
        """Compare a database that was restored with all devices, and stop; return what differs.

        Raises ConfigError, sqlite3.Error, StoreError.
        """
        await self.open()
        try:
            return await self.engine.take_over_restored()
        finally:
            await self.stop()

    @property
    def tcp_addresses(self) -> list[tuple[str, int]]:
        """The addresses and ports that are listened on by TCP."""
        return self._server.tcp_addresses

    def _keep(self, work: Coroutine[None, None, None], name: str) -> None:
        self._housekeeping.append(asyncio.create_task(work, name=name))

    async def serve(self) -> None:
        """Listen, after ``start(serve=False)``."""
        await self._server.start()

    def reconfigure(self, settings: Settings) -> None:
        """Take over what can change without a restart; log what cannot.

        The credentials and the certificates of switches are read at each login anyway.
        """
        waiting = [
            name
            for name in Settings.__struct_fields__
            if name not in RELOADED and getattr(settings, name) != getattr(self.settings, name)
        ]
        changed = {name: getattr(settings, name) for name in RELOADED}
        self.settings = msgspec.structs.replace(self.settings, **changed)
        self.context.settings = self.settings
        log.info("the configuration was read again")
        if waiting:
            log.warning(
                "a restart takes over what changed in %s",
                ", ".join(f"[{name}]" for name in waiting),
            )

    async def stop(self, within: float = 0.0) -> None:
        """Stop listening and end. Jobs that run have so many seconds to end before.

        Those that did not, and queued ones, stay in the journal for the next start.
        """
        begun = asyncio.get_running_loop().time()
        await self.engine.finish(within)
        if self._held is not None:
            left = begun + within - asyncio.get_running_loop().time()
            await self._held.settle(max(0.0, left))
        await self.consoles.stop()
        await self._server.stop()
        if self.metrics is not None:
            await self.metrics.stop()
        await cancel_and_wait(*self._housekeeping)
        await self.engine.stop()
        if self._remote is not None:
            await self._remote.close()
        await self.store.close()


def bmc_factory(settings: Settings) -> BmcFactory:
    """Return what opens sessions with BMCs, with the credentials of the site's file."""
    path = Path(settings.credentials.file)
    return BmcFactory(settings.bmc, lambda: load_credentials(path), str(path))


def console_folder(settings: Settings) -> Path | None:
    """Return where the logs of consoles are kept: beside the database; None if it is in memory."""
    path = settings.store.path
    return None if path == ":memory:" else Path(path).parent / "consoles"


def _hook(settings: ReleaseSettings) -> RunHook:
    async def run(node: str, project: str) -> HookRunRow:
        return await hook.run(settings.command, settings.timeout, node=node, project=project)

    return run


# --- the daemon of a real master ------------------------------------------------------------------


def real(settings: Settings, held: Held | None = None, followed: Followed | None = None) -> Daemon:
    """Compose the daemon of a real master. Raises ConfigError."""
    path = Path(settings.credentials.file)
    load_credentials(path)  # report faults in the file now, not at the first login
    refuse_folder(settings.backup)
    master: MakeDriver | None = None
    libvirt: MakeDriver | None = None

    async def headnode_macs(hypervisor: str, vlan: int) -> dict[str, bool]:
        return await daemon.store.read(store_headnodes.macs_on, hypervisor, vlan)

    def any_source() -> bool:
        return daemon.settings.policy.allow_mac_spoofing

    console: OpenHeadnode | None = None
    remote: RemoteHypervisors | None = None
    if (wanted := settings.master) is not None:
        from haas_rpcd.drivers.hostnet.netlink import netlink_driver
        from haas_rpcd.drivers.hostnet.taps import KernelTaps
        from haas_rpcd.drivers.hypervisor.console import Console
        from haas_rpcd.drivers.hypervisor.image_copies import ImageSource
        from haas_rpcd.drivers.hypervisor.libvirt import LibvirtDriver
        from haas_rpcd.drivers.remote.factory import RemoteHypervisors

        async def hypervisor(name: str) -> RegisteredHypervisor | None:
            row = await daemon.store.read(store_hypervisors.find, name)
            return None if row is None else row.registered

        # The file is read at each login, as that of switches.
        remote = RemoteHypervisors(
            settings,
            lambda: load_credentials(path),
            headnode_macs,
            any_source,
            ImageSource(MASTER, wanted.libvirt_uri, StoredHashes(lambda: daemon.store)),
            hypervisor,
        )

        async def libvirt_uri(uuid: str) -> str:
            row = await daemon.store.read(store_hypervisors.of_headnode, uuid)
            return wanted.libvirt_uri if row is None else await remote.host(row).libvirt_uri()

        console = Console(libvirt_uri).open

        def master() -> MasterDriver:
            return netlink_driver(
                wanted.trunk_nic, functools.partial(headnode_macs, MASTER), any_source=any_source
            )

        def libvirt() -> MasterDriver:
            return LibvirtDriver(wanted.libvirt_uri, taps=KernelTaps(any_source))

    # The file is read at each login, so that a change takes effect without a restart.
    switches = SwitchFactory(settings, lambda: load_credentials(path))
    daemon = Daemon(
        settings,
        switches=switches,
        master=master,
        libvirt=libvirt,
        remote=remote,
        headnode_console=console,
        held=held,
        followed=followed,
    )
    return daemon
