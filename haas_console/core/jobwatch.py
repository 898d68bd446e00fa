"""Follows one job to its end for a screen, across a lost daemon that comes back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING, Any

from haas_console.core.errors import ConsoleError, NoDaemonError
from haas_console.core.jobs import JobView, follow
from haas_console.core.times import elapsed

if TYPE_CHECKING:
    from haas_console.core.sync import Changes, InventorySync


class JobWatch:
    """One job, kept current while :meth:`run` runs; ``changed`` is called after each change."""

    def __init__(self, sync: InventorySync, job: int, changed: Callable[[], None]) -> None:
        self.job = job
        self.view = JobView(job)
        self.error = ""
        """Why the job is not known or not followed; empty if it is."""
        self._sync = sync
        self._changed = changed

    @property
    def record(self) -> dict[str, Any]:
        """The daemon's record of the job as it was last fetched; empty before."""
        return self.view.record

    @property
    def known(self) -> bool:
        """The job has been fetched at least once."""
        return bool(self.record)

    @property
    def over(self) -> bool:
        """Nothing will change any more."""
        return self.view.final or (bool(self.error) and not self.known)

    @property
    def elapsed(self) -> float | None:
        """Seconds since the job started, or that it took; None if it has not started."""
        return elapsed(self.record.get("started"), self.record.get("finished"))

    async def run(self) -> None:
        """Follow the job to its end; wait for the daemon while it is lost."""
        while True:
            try:
                await self._follow()
                return
            except NoDaemonError as error:
                self._set_error(str(error))
                await self._until_live()
            except ConsoleError as error:  # there is no such job, or this user may not see it
                self._set_error(str(error))
                return

    def _set_error(self, error: str) -> None:
        if error != self.error:
            self.error = error
            self._changed()

    async def _until_live(self) -> None:
        """Wait until the connection is back."""
        sync, back = self._sync, asyncio.Event()

        def look(changes: Changes) -> None:
            if sync.client is not None and not sync.client.lost and sync.status.state == "live":
                back.set()

        stop = sync.watch(look)
        try:
            look(frozenset())
            await back.wait()
        finally:
            stop()

    async def _follow(self) -> None:
        client = self._sync.client
        if client is None:
            raise NoDaemonError("There is no connection to the daemon now; it is looked for.")
        call = self._sync.call
        views = follow(client, self.job, call=call, poll=partial(call, quiet=True))
        async with aclosing(views):
            async for view in views:
                self.view, self.error = view, ""
                self._changed()
