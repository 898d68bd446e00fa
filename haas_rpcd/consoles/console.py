"""One console: reads the line while somebody watches, and passes what it says on to all of them."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable

from haas_rpcd.consoles import OpenLine, Place
from haas_rpcd.consoles.log import ConsoleLog
from haas_rpcd.errors import HaasError
from haas_rpcd.line import Line
from haas_rpcd.tasks import cancel_and_wait, start_apart
from haas_schemas.console import CONNECTED

log = logging.getLogger(__name__)

BACKLOG = 2**20
"""Bytes that may wait for a watcher. A slower one is disconnected, so that it delays nobody."""

REPLAY = 2**14
"""Bytes of the log that a new watcher is shown first."""

Chunk = bytes | str
"""What the line said, or a notice for the user."""


class Watcher:
    """Somebody at a console. What it is to be sent waits in a queue."""

    def __init__(
        self, user: str, *, may_write: bool, admin: bool, token: int | None = None
    ) -> None:
        self.user = user
        self.token = token
        """The id of the token that it came in with."""
        self.may_write = may_write
        self.admin = admin
        self.why = ""
        """Why it was cut; empty while it is not."""
        self._chunks: deque[Chunk | None] = deque()
        self._behind = 0
        self._changed = asyncio.Event()

    @property
    def title(self) -> str:
        """How notices to the others name this watcher."""
        return "an admin" if self.admin else self.user

    def put(self, chunk: Chunk) -> None:
        """Queue a chunk."""
        if self.why:
            return
        self._behind += len(chunk)
        if self._behind > BACKLOG:
            self.cut("this end was too slow for the console")
            return
        self._chunks.append(chunk)
        self._changed.set()

    def cut(self, why: str) -> None:
        """Send nothing more, and disconnect the watcher."""
        if not self.why:
            self.why = why
            self._chunks.clear()
            self._changed.set()

    def finish(self, why: str) -> None:
        """Disconnect the watcher once everything was sent."""
        if not self.why:
            self._chunks += (why, None)
            self._changed.set()

    async def next(self) -> Chunk | None:
        """Wait for the next chunk; None once it was cut, or all is sent."""
        while not self._chunks and not self.why:
            self._changed.clear()
            await self._changed.wait()
        if self.why:
            return None
        chunk = self._chunks.popleft()
        self._behind -= len(chunk or "")
        return chunk


class Console:
    """The console of one place, from its first watcher to its last; or longer, if it ``stays``.

    ``for_tenant`` returns the sentence that a tenant reads about an error of the line.
    """

    stays: bool = False
    """True while the line is to be logged, whoever watches."""

    def __init__(
        self,
        place: Place,
        open_line: OpenLine,
        kept: ConsoleLog | None,
        for_tenant: Callable[[str], str | None],
    ) -> None:
        self.place = place
        self._open_line = open_line
        self._log = kept
        self._for_tenant = for_tenant
        self._watchers: list[Watcher] = []
        self._writer: Watcher | None = None
        self._typed: asyncio.Queue[bytes] = asyncio.Queue(64)
        self._task: asyncio.Task[None] | None = None
        self._connected = False
        self.begun = asyncio.get_running_loop().time()

    @property
    def watchers(self) -> list[Watcher]:
        """Who is there."""
        return list(self._watchers)

    @property
    def ended(self) -> bool:
        """True once the line is closed: it is not opened again."""
        return self._task is not None and self._task.done()

    async def enter(self, watcher: Watcher, *, take: bool) -> None:
        """Let somebody watch, after the end of the log; and type, if it may and nobody else does.

        ``take``: it types in place of whoever does now.
        """
        if self._log is not None:
            try:
                said = await asyncio.to_thread(self._log.tail, REPLAY)
            except OSError as error:
                log.warning("the log of the console of %s can't be read: %s", self.place, error)
                said = b""
            if said:
                watcher.put("what it said before:")
                watcher.put(said)
        if self._connected and not self._watchers:
            watcher.put(CONNECTED)
        self._watchers.append(watcher)
        if watcher.may_write and (self._writer is None or take):
            if self._writer is not None:
                self._writer.put(f"{watcher.title} has taken the keyboard: you only watch now")
            self._writer = watcher
        elif watcher.may_write and self._writer is not None:
            watcher.put(f"{self._writer.title} types here: you only watch, unless you take it over")
        else:
            watcher.put("you only watch")
        self.start()

    def start(self) -> None:
        """Open the line, unless that was done before."""
        if self._task is None:
            self._task = start_apart(self._serve(), f"console of {self.place}")

    async def leave(self, watcher: Watcher) -> None:
        """Remove a watcher; after the last one the line is closed, unless it stays."""
        if watcher in self._watchers:
            self._watchers.remove(watcher)
        if watcher is self._writer:
            self._writer = None
            self._tell("nobody types here now: open the console again to type")
        if not self._watchers and not self.stays:
            await self.close()

    async def type(self, watcher: Watcher, data: bytes) -> None:
        """Send what the typist typed to the line, and wait while the line takes no more."""
        if watcher is self._writer:
            await self._typed.put(data)

    async def close(self) -> None:
        """Close the line."""
        if self._task is not None:
            await cancel_and_wait(self._task)

    def _tell(self, notice: str) -> None:
        for watcher in self._watchers:
            watcher.put(notice)

    async def _serve(self) -> None:
        try:
            await self._pass_on()
            self._end("the console was closed at the other end")
        except HaasError as error:
            level = logging.WARNING if self._watchers else logging.INFO
            log.log(level, "the console of %s ended: %s", self.place, error)
            self._end(error.message)
        except Exception:
            log.exception("the console of %s failed", self.place)
            self._end("The daemon failed; its log has the details.")

    def _end(self, why: str) -> None:
        for watcher in self._watchers:
            watcher.finish(why if watcher.admin else self._for_tenant(why) or "")

    async def _pass_on(self) -> None:
        """Pass on what the line says until it is closed. Raises HaasError."""
        async with self._open_line(self.place) as line:
            self._connected = True
            self._tell(CONNECTED)
            writing = asyncio.create_task(self._write(line), name=f"keyboard of {self.place}")
            try:
                while data := await line.read():
                    await self._keep(data)  # first, so that nothing is lost with the last watcher
                    for watcher in self._watchers:
                        watcher.put(data)
            finally:
                self._connected = False
                await cancel_and_wait(writing)

    async def _write(self, line: Line) -> None:
        lost = False
        while True:
            data = await self._typed.get()
            try:
                await line.write(data)
            except HaasError as error:
                if not lost:
                    log.warning("the console of %s takes nothing: %s", self.place, error)
                    self._tell("what is typed does not arrive")
                lost = True

    async def _keep(self, data: bytes) -> None:
        if self._log is not None:
            try:
                await asyncio.to_thread(self._log.append, data)
            except OSError as error:
                log.warning("the console of %s can't be logged: %s", self.place, error)
                self._log = None
