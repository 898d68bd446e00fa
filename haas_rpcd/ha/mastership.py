"""Who is master: the one whose key is in etcd, as long as its lease lives.

The key's revision is the fencing token: it grows with each master, so that what a former master
still does can be told from what the present one does. A master that can't renew its lease gives
up before etcd expires its lease: it counts from before it asked for the renewal, less a tenth of
the lease, by a clock that nobody sets and that goes on while the process is stopped
(CLOCK_MONOTONIC).
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

import msgspec

from haas_rpcd.ha.etcd import Etcd, EtcdError
from haas_rpcd.hasettings import HaSettings

log = logging.getLogger(__name__)

TRUSTED = 0.9
"""The part of its lease in which a master counts itself as one."""

LOOK = 0.5
"""Seconds between two attempts of a standby to become the master."""


class LostMastershipError(Exception):
    """This is not the master any more: nothing may be sent, and nothing promised."""


class Master(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who is master, as the key says; ``address`` is where users reach it, without its length."""

    name: str
    address: str | None = None


class Mastership:
    """The claim of one master. ``token``: its fencing token, once it is the master."""

    def __init__(
        self, etcd: Etcd, settings: HaSettings, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._etcd = etcd
        self._self = Master(settings.own_name, settings.own_address)
        self._ttl = settings.ttl
        self._key = f"{settings.site}/master"
        self._data = f"{settings.site}/data"
        self._clock = clock
        self._lease: int | None = None
        self._until = 0.0
        self.token = 0
        self.other: Master | None = None
        """The other one that was the master when etcd was last asked."""

    async def claim(self) -> None:
        """Wait until there is no other master, and become it."""
        said = ""
        while True:
            try:
                other = await self.claim_now()
            except EtcdError as error:
                other = str(error)
            if other is None:
                log.info("%s is the master now, with the token %d", self._self.name, self.token)
                return
            if other != said:
                log.info("%s stands by: %s", self._self.name, other)
                said = other
            await asyncio.sleep(LOOK)

    async def claim_now(self) -> str | None:
        """Become the master if there is none; otherwise return why not, and who it is.

        Raises EtcdError.
        """
        found = await self._etcd.get(self._key)
        self.other = None if found is None else msgspec.json.decode(found.value, type=Master)
        if self.other is not None:
            return f"the master is {self.other.name}"
        asked = self._clock()
        lease = await self._etcd.grant(self._ttl)
        mine = await self._etcd.create(self._key, msgspec.json.encode(self._self).decode(), lease)
        if mine is None:
            await self._etcd.revoke(lease)
            return "another one has just become master"
        self._lease, self.token = lease, mine.created
        self._until = asked + self._ttl * TRUSTED
        return None

    async def keep(self) -> None:
        """Renew the lease for ever. Raises LostMastershipError as soon as it may have expired."""
        renewing = asyncio.create_task(self._renew(), name="the lease")
        try:
            while not renewing.done():
                self.check()
                await asyncio.wait([renewing], timeout=max(0.0, self._until - self._clock()))
            await renewing
        finally:
            renewing.cancel()

    async def _renew(self) -> None:
        if (lease := self._lease) is None:
            raise LostMastershipError("There is no lease to keep.")
        while True:
            await asyncio.sleep(self._ttl / 4)
            asked = self._clock()
            try:
                alive = await self._etcd.keep_alive(lease)
            except EtcdError as error:
                log.warning("the lease can't be renewed: %s", error)
                continue
            if not alive:
                raise LostMastershipError("The lease has expired: another may be master.")
            self._until = asked + self._ttl * TRUSTED

    def check(self) -> None:
        """Raise LostMastershipError unless this is the master by its own clock."""
        if self._clock() >= self._until:
            raise LostMastershipError(
                f"The lease was not renewed for {self._ttl} s: another may be master."
            )

    async def confirm(self) -> None:
        """Ask the majority of etcd whether this is the master, until one of them can tell.

        Raises LostMastershipError if it is not, or if its lease ends before the answer.
        """
        while True:
            self.check()
            try:
                if await self._etcd.is_still(self._key, self.token):
                    return
            except EtcdError as error:
                log.warning("%s", error)
                await asyncio.sleep(0.1)
                continue
            raise LostMastershipError("Another one is master now.")

    async def resign(self) -> None:
        """Let another one become master at once."""
        if self._lease is not None:
            lease, self._lease, self._until = self._lease, None, 0.0
            await self._etcd.revoke(lease)

    # --- where the data is ---

    async def data(self) -> str | None:
        """Return where the last master's commits are; None before the first one."""
        found = await self._etcd.get(self._data)
        return None if found is None else found.value

    async def publish_data(self, place: str) -> None:
        """Say where this master's commits are. Raises LostMastershipError, EtcdError."""
        if not await self._etcd.put_if(self._key, self.token, self._data, place):
            raise LostMastershipError("Another one is master now.")
