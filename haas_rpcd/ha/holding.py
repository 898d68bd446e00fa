"""Becoming the master of a site, with its data, and ceasing to be it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import ssl
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from haas_rpcd.ha.etcd import Etcd, EtcdError
from haas_rpcd.ha.fetching import forget_copies, take_over
from haas_rpcd.ha.mastership import LostMastershipError, Mastership
from haas_rpcd.ha.replica import Replica, place_of
from haas_rpcd.ha.waking import WakingLoop
from haas_rpcd.hasettings import HaSettings
from haas_rpcd.store.database import Store
from haas_rpcd.tasks import cancel_and_wait
from haas_schemas.system import HaHealth

log = logging.getLogger(__name__)

LOST = 75
"""The exit code of one who is not the master any more: EX_TEMPFAIL of sysexits.h."""

ALONE = "alone"
"""The folder of the copies of a master that has no other."""


def _tls(settings: HaSettings) -> ssl.SSLContext | None:
    if not any(url.startswith("https:") for url in settings.etcd):
        return None
    context = ssl.create_default_context(cafile=settings.etcd_ca)
    if settings.etcd_cert is not None:
        context.load_cert_chain(settings.etcd_cert, settings.etcd_key)
    return context


@contextlib.asynccontextmanager
async def standing_for(settings: HaSettings) -> AsyncIterator[Mastership]:
    """Provide a claim to be master; at the end it is given up, so that another may follow."""
    etcd = Etcd(settings.etcd, timeout=settings.ttl / 3, tls=_tls(settings))
    try:
        claim = Mastership(etcd, settings)
        try:
            yield claim
        finally:
            with contextlib.suppress(EtcdError):  # then it expires
                await claim.resign()
    finally:
        await etcd.close()


@contextlib.asynccontextmanager
async def as_master(
    settings: HaSettings,
    claim: Mastership,
    database: Path,
    prepare: Callable[[], None] = lambda: None,
) -> AsyncIterator[Holding]:
    """Go on with the last master's data, once the claim is won; provide what is held.

    ``prepare`` may change the last master's database, in a thread, before anybody uses it. The
    process ends at once if another one may have become master: whatever is under way must not
    reach a device or a caller any more. Raises ReplicaError, EtcdError, sqlite3.Error, and what
    ``prepare`` raises.
    """
    keeper = asyncio.create_task(claim.keep(), name="mastership")
    keeper.add_done_callback(_end_if_lost)
    loop = asyncio.get_running_loop()
    if isinstance(loop, WakingLoop):
        loop.at_waking = lambda: _end_unless_master(claim)
    replica: Replica | None = None
    try:
        if (last := await claim.data()) is not None:
            log.info("going on with the data at %s", last)
            await take_over(settings, last, database)
        else:
            forget_copies(database)
        await asyncio.to_thread(prepare)
        store = Store(str(database))  # makes and migrates it, before anybody copies it
        await store.open()
        await store.close()
        place = place_of(settings, claim.token)
        replica = Replica(settings, database, place)
        await replica.start()
        await claim.publish_data(place)

        yield Holding(settings, claim, replica)
    finally:
        try:
            if replica is not None:
                await replica.stop()
        finally:
            if isinstance(loop, WakingLoop):
                loop.at_waking = None
            keeper.remove_done_callback(_end_if_lost)
            keeper.cancel()


class Holding:
    """What the master of two holds: the claim, and the copies of its commits."""

    def __init__(self, settings: HaSettings, claim: Mastership, replica: Replica) -> None:
        self._name = settings.own_name
        self._claim = claim
        self._replica = replica

    async def durable(self, generation: int) -> None:
        """Return once the commits up to a generation of the database can't be lost.

        They are copied first, and then etcd is asked who is master: a later master goes on with
        all that was copied before it became one.
        """
        await self._replica.copied(generation)
        try:
            await self._claim.confirm()
        except LostMastershipError as error:
            end(error)

    async def settle(self, within: float) -> None:
        """Give the commits that somebody waits for so many seconds to be copied."""
        await self._replica.settle(within)

    def health(self) -> HaHealth:
        """Return which of the two masters this is, and how its copies are."""
        waiting = self._replica.waiting
        return HaHealth(
            self._name, self._claim.token, waiting, age=waiting, problem=self._replica.problem
        )


@contextlib.asynccontextmanager
async def copying(settings: HaSettings, database: Path) -> AsyncIterator[Copying | None]:
    """Copy the database of a master that is alone, if it is to be copied."""
    if settings.replica is None:
        yield None
        return
    replica = Replica(settings, database, place_of(settings, ALONE))
    replica.launch()
    regularly = asyncio.create_task(replica.copy_regularly(), name="copies")
    try:
        yield Copying(settings, replica)
    finally:
        await cancel_and_wait(regularly)
        await replica.stop()


class Copying:
    """What a master that is alone has of copies: nobody waits for them."""

    def __init__(self, settings: HaSettings, replica: Replica) -> None:
        self._name = settings.own_name
        self._replica = replica

    async def durable(self, generation: int) -> None:
        """Return at once."""

    async def settle(self, within: float) -> None:
        """Return at once."""

    def health(self) -> HaHealth:
        """Return how old the copies are."""
        replica = self._replica
        return HaHealth(self._name, 0, 0.0, "alone", replica.age, replica.problem)


def end(error: BaseException) -> None:
    """End this process at once, as another one is master, or may be."""
    log.critical("%s This daemon ends at once.", error)
    logging.shutdown()
    os._exit(LOST)


def _end_unless_master(claim: Mastership) -> None:
    try:
        claim.check()
    except LostMastershipError as error:
        end(error)


def _end_if_lost(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        end(error)
