"""The open consoles: who may enter, and who has to leave."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import msgspec

from haas_rpcd.auth import Caller
from haas_rpcd.consoles import OpenLine, Place
from haas_rpcd.consoles.console import Console, Watcher
from haas_rpcd.consoles.log import Logs
from haas_rpcd.errors import HaasError, LimitedError, NotFoundError, StoreError
from haas_rpcd.events import Events, Unsubscribe
from haas_rpcd.store.consoles import is_held
from haas_rpcd.store.database import Store, Tx
from haas_schemas.console import ConsoleTicket
from haas_schemas.event import InventoryEvent

log = logging.getLogger(__name__)

VALID = 30.0
"""Seconds that a ticket is good."""

TICKETS = 16
"""How many unused tickets a user may have."""

RETRY = 60.0
"""Seconds after which a line that is always logged, and was closed, is opened again. Somebody may
have taken it, as by ``virsh console --force``."""

INTERVAL = 10.0
"""Seconds after which it is checked at the latest whether everybody may stay."""

Check = Callable[[Tx], Place]
"""Returns what a caller may open now. Raises HaasError if there is nothing."""

_NOUNS = frozenset({"node", "headnode", "project", "user"})


class Grant(msgspec.Struct, frozen=True):
    """What a ticket admits to."""

    caller: Caller
    place: Place
    check: Check
    may_write: bool
    take: bool
    until: float


class Consoles:
    """Gives out tickets, opens consoles, and closes them when a right or a holder ends."""

    def __init__(
        self,
        store: Store,
        events: Events,
        open_line: OpenLine,
        logs: Logs,
        for_tenant: Callable[[str], str | None],
        always: Callable[[Tx], list[Place]] | None = None,
    ) -> None:
        """``always``: returns whose line is logged also while nobody watches it."""
        self._store = store
        self._events = events
        self._open_line = open_line
        self._logs = logs
        self._for_tenant = for_tenant
        self._always = always
        self._tickets: dict[str, Grant] = {}
        self._consoles: dict[Place, Console] = {}
        self._present: dict[Watcher, Grant] = {}
        self._suspect = asyncio.Event()
        self._unsubscribe: tuple[Unsubscribe, ...] = ()

    # --- coming in --------------------------------------------------------------------------------

    def offer(
        self, caller: Caller, place: Place, check: Check, *, may_write: bool, take: bool
    ) -> ConsoleTicket:
        """Return a ticket. ``check`` is asked again when it is used, and as long as that lasts.

        Raises LimitedError.
        """
        now = asyncio.get_running_loop().time()
        self._tickets = {key: each for key, each in self._tickets.items() if each.until > now}
        if sum(each.caller.user == caller.user for each in self._tickets.values()) >= TICKETS:
            raise LimitedError(f"You have {TICKETS} unused tickets of consoles: use one, or wait.")
        ticket = secrets.token_urlsafe(24)
        self._tickets[ticket] = Grant(caller, place, check, may_write, take, now + VALID)
        return ConsoleTicket(
            console=str(place), path=f"/console/{ticket}", writable=may_write, seconds=VALID
        )

    @asynccontextmanager
    async def enter(self, ticket: str, caller: Caller) -> AsyncIterator[tuple[Console, Watcher]]:
        """Let the holder of a ticket in. Raises NotFoundError, and what its check raises."""
        grant = self._tickets.pop(ticket, None)
        now = asyncio.get_running_loop().time()
        if grant is None or grant.until <= now or grant.caller.user != caller.user:
            raise NotFoundError("This console's ticket was used, or is too old: open it again.")
        watcher = Watcher(
            caller.user, may_write=grant.may_write, admin=caller.admin, token=caller.token_id
        )
        self._follow()
        self._present[watcher] = grant  # first, so that no change of rights is missed
        try:
            await self._check(watcher, grant)
            if watcher.why:
                raise NotFoundError(watcher.why)
            console = self._consoles.get(grant.place)
            if console is None or console.ended:
                stays = console is not None and console.stays
                console = self._open(grant.place)
                console.stays = stays
            log.info("%s opens the console of %s", caller.user, grant.place)
            try:
                await console.enter(watcher, take=grant.take)
                yield console, watcher
            finally:
                if console.watchers == [watcher] and not console.stays:
                    self._forget(console)
                await console.leave(watcher)
                log.info("%s leaves the console of %s", caller.user, grant.place)
        finally:
            del self._present[watcher]

    # --- who may stay -----------------------------------------------------------------------------

    async def run(self) -> None:
        """Call :meth:`check` until cancelled: as soon as something changes, and regularly."""
        kept = bool(await asyncio.to_thread(self._logs.files))
        if kept or self._always is not None:
            self._follow()
        try:
            while True:
                self._suspect.clear()
                try:
                    await self.check()
                except StoreError as error:
                    log.warning("whoever is at a console can't be checked: %s", error.message)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(INTERVAL):
                        await self._suspect.wait()
        finally:
            for unsubscribe in self._unsubscribe:
                unsubscribe()

    def _follow(self) -> None:
        """Follow the inventory's events from now on: there is a console, or a log of one."""
        if not self._unsubscribe:
            self._unsubscribe = (
                self._events.subscribe_inventory(self._on_inventory),
                self._events.subscribe_permissions(self._on_permissions_reduced),
            )

    def _on_inventory(self, event: InventoryEvent, admins_only: bool) -> None:
        if event.noun in _NOUNS:
            self._suspect.set()

    def _on_permissions_reduced(self, user: str, tokens: frozenset[int] | None) -> None:
        for watcher, grant in self._present.items():
            ended = tokens is None or not tokens.isdisjoint({watcher.token, grant.caller.token_id})
            if watcher.user == user and ended:
                watcher.cut("your rights have changed: open the console again")

    async def check(self) -> None:
        """Disconnect whoever may not stay; delete the logs of former holders. Raises StoreError.

        Lines that are always logged are opened, again after a while if they were closed.
        """
        always = await self._store.read(self._always) if self._always is not None else []
        for watcher, grant in list(self._present.items()):
            await self._check(watcher, grant)
        for console in list(self._consoles.values()):
            console.stays = console.place in always
            if not console.stays and all(watcher.why for watcher in console.watchers):
                self._forget(console)
                await console.close()
        stale = [
            name
            for name, place in await asyncio.to_thread(self._logs.files)
            if not await self._store.read(is_held, place.kind, place.name, place.owner)
        ]
        await asyncio.to_thread(self._logs.delete, stale)
        for place in always:
            self._record(place)

    def _record(self, place: Place) -> None:
        """Log a line that nobody watches, unless it is open or was opened a moment ago."""
        now = asyncio.get_running_loop().time()
        known = self._consoles.get(place)
        if known is None or (known.ended and not known.watchers and now - known.begun >= RETRY):
            console = self._open(place)
            console.stays = True
            console.start()

    def _open(self, place: Place) -> Console:
        console = self._consoles[place] = Console(
            place, self._open_line, self._logs.of(place), self._for_tenant
        )
        return console

    def _forget(self, console: Console) -> None:
        """Admit nobody else to a console that is about to be closed."""
        if self._consoles.get(console.place) is console:
            del self._consoles[console.place]

    async def _check(self, watcher: Watcher, grant: Grant) -> None:
        """Disconnect a watcher that may not stay. Raises StoreError."""
        try:
            place = await self._store.read(grant.check)
        except StoreError:
            raise
        except HaasError as error:
            watcher.cut(error.message)
            return
        if place != grant.place:
            watcher.cut(f"{grant.place} has changed hands")

    async def stop(self) -> None:
        """Disconnect everybody, and close all lines."""
        for watcher in self._present:
            watcher.cut("haas-rpcd is stopping")
        for console in list(self._consoles.values()):
            await console.close()
        self._consoles.clear()
