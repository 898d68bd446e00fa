"""What a standby serves: the master's database, as it was copied some seconds ago.

The copies are restored anew whenever they have something new, and replace what the standby has in
one transaction. Litestream can also follow a replica in place (``restore -f``), but one open reader
stops it, so a daemon can't read what it follows.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

from haas_rpcd.ha.etcd import EtcdError
from haas_rpcd.ha.fetching import ReplicaError, fetch, newest, remove
from haas_rpcd.ha.mastership import Mastership
from haas_rpcd.hasettings import HaSettings
from haas_rpcd.store.database import Store
from haas_schemas.system import HaHealth, Standby

log = logging.getLogger(__name__)


class Following:
    """Keeps a standby's own database at most some seconds behind the master's."""

    def __init__(self, settings: HaSettings, claim: Mastership, database: Path) -> None:
        self._settings = settings
        self._claim = claim
        self._database = database
        self._has: tuple[str, str] | None = None
        """The place and the transaction that the database is of."""
        self._current: float | None = None
        """When the database was known to have all that was promised, by time.monotonic()."""
        self._problem: str | None = None

    async def first(self, store: Store) -> None:
        """Wait until there is something to serve."""
        while True:
            if await self._try_to_renew(store):
                return
            await asyncio.sleep(self._settings.refresh)

    async def follow(self, store: Store, changed: Callable[[], None]) -> None:
        """Renew the database for ever; call ``changed`` each time that something is new."""
        while True:
            await asyncio.sleep(self._settings.refresh)
            if await self._try_to_renew(store):
                changed()

    async def _try_to_renew(self, store: Store) -> bool:
        """Renew the database; return whether something is new. A fault is logged once."""
        try:
            new, problem = await self._renew(store), None
        except (EtcdError, ReplicaError, OSError, sqlite3.Error) as error:
            new, problem = False, str(error)
        if problem != self._problem:
            log.log(
                logging.INFO if problem is None else logging.WARNING,
                "the data that this standby serves %s",
                "is renewed again" if problem is None else f"can't be renewed: {problem}",
            )
        self._problem = problem
        return new

    async def _renew(self, store: Store) -> bool:
        began = time.monotonic()  # all that was promised until now is in the copies
        place = await self._claim.data()
        if place is None:
            raise ReplicaError("No master has had any data yet.")
        new = self._has != (place, await newest(self._settings, place, self._database))
        if new:
            fresh = self._database.with_name(f"{self._database.name}.fresh")
            try:
                transaction = await fetch(self._settings, place, fresh)
                await store.replace(fresh)
            finally:
                remove(fresh)
            self._has = (place, transaction)
        self._current = began
        return new

    @property
    def _age(self) -> float | None:
        return None if self._current is None else time.monotonic() - self._current

    def standby(self) -> Standby:
        """Return who is master, and how old the data is."""
        other, age = self._claim.other, self._age
        return Standby(
            other.name if other is not None else None,
            other.address if other is not None else None,
            round(age or 0.0, 3),
        )

    def health(self) -> HaHealth:
        """Return how old the data is, and why it is not newer."""
        return HaHealth(
            self._settings.own_name, 0, 0.0, "standby", age=self._age, problem=self._problem
        )


def forget(database: Path) -> None:
    """Remove what a former standby has served: nobody knows any more how old it is."""
    remove(database)
    Path(f"{database}.lock").unlink(missing_ok=True)
