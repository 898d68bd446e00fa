"""Serves until a signal ends it: alone, as one of two masters, or standing by for the other one."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from haas_rpcd.config import BackupSettings, ConfigError, Settings, StoreSettings
from haas_rpcd.daemon import Daemon, real
from haas_rpcd.errors import HaasError
from haas_rpcd.listen import listen_address
from haas_rpcd.rpc.socketlock import SocketError
from haas_rpcd.service import attended, until_stopped
from haas_rpcd.tasks import cancel_and_wait

if TYPE_CHECKING:
    from haas_rpcd.ha.following import Following

log = logging.getLogger(__name__)

Reload = Callable[[], Settings]


async def run(settings: Settings, reload: Reload) -> None:
    """Serve until SIGTERM or SIGINT; at SIGHUP take over what ``reload`` returns.

    With ``[ha] etcd``, stand by first until no other master is there. Raises ConfigError,
    sqlite3.Error, OSError.
    """
    if settings.ha.on:
        await _one_of_two(settings, reload)
    elif settings.ha.replica is None:
        await _serve(real(settings), reload)
    else:
        from haas_rpcd.ha.holding import copying

        async with copying(settings.ha, Path(settings.store.path)) as held:
            await _serve(real(settings, held), reload)


async def _one_of_two(settings: Settings, reload: Reload) -> None:
    from haas_rpcd.ha.address import drop_address, held_address
    from haas_rpcd.ha.etcd import EtcdError
    from haas_rpcd.ha.fetching import ReplicaError
    from haas_rpcd.ha.following import Following
    from haas_rpcd.ha.holding import as_master, standing_for

    database = Path(settings.store.path)
    copy = database.with_name(f"{database.name}.standby")
    try:
        await drop_address(settings.ha)
        async with standing_for(settings.ha) as claim:
            following = Following(settings.ha, claim, copy)
            daemon = real(_to_read(settings, copy), followed=following)
            reading = asyncio.create_task(_read(daemon, following, copy), name="standby")
            again = _reloading(daemon, lambda: _to_read(reload(), copy))
            won = await until_stopped(again, until=claim.claim())
            # It stops listening while the last master's data is restored.
            stopped = asyncio.create_task(cancel_and_wait(reading), name="the standby's end")
            if not won:
                await stopped
                return
            settings = _read_again(reload) or settings
            async with AsyncExitStack() as stack:
                async with attended():
                    held = await stack.enter_async_context(as_master(settings.ha, claim, database))
                    await stack.enter_async_context(held_address(settings.ha))
                    await stopped
                    daemon = await stack.enter_async_context(_started(real(settings, held)))
                    await daemon.engine.check_drift(None)
                    await daemon.serve()
                await _until_stopped(daemon, reload)
    except (EtcdError, ReplicaError) as error:
        raise ConfigError(f"[ha]: {error}") from None
    except asyncio.CancelledError:  # by a signal
        log.info("told to stop before it served")


async def _serve(daemon: Daemon, reload: Reload) -> None:
    async with _started(daemon, serve=True):
        await _until_stopped(daemon, reload)


@asynccontextmanager
async def _started(daemon: Daemon, *, serve: bool = False) -> AsyncIterator[Daemon]:
    """Start a daemon, and stop it at the end; its jobs have their time to end."""
    await daemon.start(serve=serve)
    try:
        yield daemon
    finally:
        await daemon.stop(within=daemon.settings.server.shutdown_timeout)


async def _until_stopped(daemon: Daemon, reload: Reload) -> None:
    log.info("serving %s", daemon.settings.server.socket)
    await until_stopped(_reloading(daemon, reload), daemon.store.check)


async def _read(daemon: Daemon, following: Following, copy: Path) -> None:
    """Serve reads of the other master's data, as soon as there is any, until cancelled."""
    from haas_rpcd.ha import following as followed

    try:
        daemon.claim()  # the copy may be that of another daemon here
        followed.forget(copy)
        await daemon.open()
        await following.first(daemon.store)
        await daemon.start_to_read()
        log.info("serving reads on %s", daemon.settings.server.socket)
        await following.follow(daemon.store, lambda: _tell_of_all(daemon))
    except (ConfigError, SocketError, HaasError, OSError, sqlite3.Error) as error:
        log.error("this standby serves no reads: %s", error)
    except Exception:  # it takes over all the same
        log.exception("this standby serves no reads")
    finally:
        await daemon.stop()


def _tell_of_all(daemon: Daemon) -> None:
    """Have consoles fetch everything: nobody knows what has changed."""
    daemon.events.publish_inventory("site", "imported", "site")


def _to_read(settings: Settings, copy: Path) -> Settings:
    """Return the settings of one that stands by: it has no backups, and not the address."""
    listen = settings.server.listen
    if listen is not None and listen_address(listen)[0] == settings.ha.own_address:
        listen = None
    return replace(
        settings,
        store=StoreSettings(path=str(copy)),
        backup=BackupSettings(),
        server=replace(settings.server, listen=listen),
    )


def _reloading(daemon: Daemon, reload: Reload) -> Callable[[], None]:
    def take_over() -> None:
        if (settings := _read_again(reload)) is not None:
            daemon.reconfigure(settings)

    return take_over


def _read_again(reload: Reload) -> Settings | None:
    try:
        return reload()
    except ConfigError as error:
        log.error("the configuration stays as it was: %s", error)
        return None
