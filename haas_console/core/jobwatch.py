"""One job, followed to its end, over a daemon that is lost and comes back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from haas_console.core.errors import ConsoleError, NoDaemonError
from haas_console.core.jobs import ENDED_STEPS, JobView

if TYPE_CHECKING:
    from haas_console.core.client import Inbox
    from haas_console.core.sync import Changes, InventorySync

QUIET = 15.0  # seconds without news after which the job is asked for


def seconds(stamp: str | None) -> float | None:
    """Read the daemon's time (RFC 3339) as seconds since the epoch."""
    return datetime.fromisoformat(stamp).timestamp() if stamp else None


class JobWatch:
    """What is known of one job, kept current by :meth:`run` for as long as it runs.

    ``record`` is the daemon's whole record as it was fetched last; ``view`` has the news in it.
    """

    def __init__(self, sync: InventorySync, job: int, changed: Callable[[], None]) -> None:
        self.job = job
        self.view = JobView(job)
        self.record: dict[str, Any] = {}
        self.error = ""
        """Why nothing is known of the job, or why no news come; empty when all is well."""
        self.begun: dict[int, float] = {}
        """When each step began, in seconds since the epoch."""
        self.ended: dict[int, float] = {}
        self._sync = sync
        self._changed = changed

    @property
    def known(self) -> bool:
        """Whether the daemon has told of it at all."""
        return bool(self.record)

    @property
    def over(self) -> bool:
        """Whether no news are to come."""
        return self.view.final or (bool(self.error) and not self.known)

    @property
    def elapsed(self) -> float | None:
        """Seconds since it began, or that it took; None when it has not begun."""
        began = seconds(self.record.get("started"))
        if began is None:
            return None
        ended = seconds(self.record.get("finished"))
        return max(0.0, (time.time() if ended is None else ended) - began)

    async def run(self) -> None:
        """Follow the job to its end; a lost daemon is waited for."""
        while not self.over:
            try:
                await self._follow()
            except NoDaemonError as error:
                self._say(str(error))
                await self._until_live()
            except ConsoleError as error:  # there is no such job, or it is not ours to see
                self._say(str(error))
                return

    def _say(self, error: str) -> None:
        if error != self.error:
            self.error = error
            self._changed()

    async def _until_live(self) -> None:
        """Wait for the connection to be there again."""
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
        with client.notifications() as inbox:
            record = await self._sync.call("job.subscribe", {"job": self.job})
            # A daemon that was started anew counts its news anew: so does the view.
            self.view, self.error = JobView(self.job), ""
            self._take(record)
            while not self.view.final:
                await self._next(inbox)
        if not self.record.get("finished"):
            self._take(await self._sync.call("job.show", {"job": self.job}))

    async def _next(self, inbox: Inbox) -> None:
        try:
            async with asyncio.timeout(QUIET):
                method, params = await inbox.get()
        except TimeoutError:
            # Nothing may have happened; ask, to be sure that it is so.
            self._take(await self._sync.call("job.show", {"job": self.job}, quiet=True))
            return
        if method != "job.event" or params.get("job") != self.job:
            return
        self.view.update(params)
        news = params.get("step")
        if news and news["state"] == "sending":
            self.begun.setdefault(news["step"], time.time())
        elif news and news["state"] in ENDED_STEPS:
            self.ended.setdefault(news["step"], time.time())
        unknown = self.view.total > len(self.view.steps) or (news and "lines" not in self._of(news))
        if unknown or (self.view.state != self.record.get("state") and not self.view.final):
            # It was queued, and has planned and begun only now.
            self._take(await self._sync.call("job.show", {"job": self.job}, quiet=True))
        self._changed()

    def _of(self, news: dict[str, Any]) -> dict[str, Any]:
        return self.view.steps.get(news["step"], {})

    def _take(self, record: dict[str, Any]) -> None:
        self.record = record
        self.view.replace(record)
        for step in record["steps"]:
            for stamps, stamp in ((self.begun, step["started"]), (self.ended, step["finished"])):
                when = seconds(stamp)
                if when is not None:
                    stamps[step["step"]] = when
        self._changed()
