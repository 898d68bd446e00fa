"""Copies of the database, by Litestream: each commit is copied before its caller is answered.

Each master writes to a folder of its own, named by its fencing token, so that a former master that
still runs can't damage what the present one writes. Litestream is described in
https://litestream.io/reference/config/; that ``POST /sync`` with ``wait`` answers once the commit
is at the replica was measured with 0.5.17.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from haas_rpcd.hasettings import HaSettings
from haas_rpcd.tasks import cancel_and_wait, ends_within

log = logging.getLogger(__name__)

PATIENCE = 10
"""Seconds that Litestream may take for one copy before it is asked again."""

AGAIN = 0.2
"""Seconds until Litestream is asked again, or started again."""

LAST = 3.0
"""Seconds that the last commits have to be copied when the daemon ends."""

REGULARLY = 2.0
"""Seconds between two copies that no commit waits for."""

SAID_AFTER = 2.0
"""Seconds after which copies that can't be made are logged."""


_DIES_WITH_US = ("setpriv", "--pdeathsig", "KILL")
"""Of util-linux: its child is killed when this process ends, however it ends."""


def place_of(settings: HaSettings, folder: int | str) -> str:
    """Return the URL of one master's commits: in a folder named by its token, or ``alone``."""
    base, mark, query = (settings.replica or "").partition("?")
    return f"{base.rstrip('/')}/{folder}{mark}{query}"


class Replica:
    """Litestream as a child process that copies one database to one place."""

    def __init__(self, settings: HaSettings, database: Path, place: str) -> None:
        self._settings = settings
        self._database = database
        self._place = place
        self._socket = database.with_name(f"{database.name}.litestream.sock")
        self._config = database.with_name(f"{database.name}.litestream.yml")
        self._session: aiohttp.ClientSession | None = None
        self._running: asyncio.Task[None] | None = None
        self._copied = 0
        self._wanted = 0
        self._lock = asyncio.Lock()
        self._since: float | None = None
        """When the copy that is under way was asked for, by time.monotonic()."""
        self._complete: float | None = None
        """When all that was committed was known to be copied, at last."""
        self._failing: float | None = None
        """Since when copies can't be made."""
        self._said = False
        self.problem: str | None = None
        """Why the last copy could not be made; None if it was."""

    async def start(self) -> None:
        """Start Litestream, and wait until all that is in the database is copied."""
        self.launch()
        await self._sync()

    def launch(self) -> None:
        """Start Litestream."""
        self._config.touch(mode=0o600)  # the options may hold a secret
        self._config.write_text(
            yaml.safe_dump(
                {
                    "logging": {"level": "warn", "stderr": True},
                    "socket": {"enabled": True, "path": str(self._socket), "permissions": 0o600},
                    "dbs": [
                        {
                            "path": str(self._database),
                            "replica": {
                                **self._settings.replica_options,
                                "url": self._place,
                                "sync-interval": "1s",
                            },
                        }
                    ],
                }
            )
        )
        self._session = aiohttp.ClientSession(
            connector=aiohttp.UnixConnector(str(self._socket)),
            timeout=aiohttp.ClientTimeout(total=PATIENCE + 2),
        )
        self._running = asyncio.create_task(self._run(), name="litestream")

    async def stop(self) -> None:
        """Copy what is left, for some seconds at most; log what is not copied; end Litestream."""
        if self._running is not None:
            if await ends_within(LAST, self._sync()):
                self._copied = self._wanted
            if self._since is not None:
                log.error("%s", self._left())
            await cancel_and_wait(self._running)
        if self._session is not None:
            await self._session.close()

    def _left(self) -> str:
        count = self._wanted - self._copied
        changes = "1 change" if count == 1 else f"{count} changes" if count else "the last commits"
        return (
            f"Not copied to {self._place}: {changes}, the first {self.waiting:.0f} s ago"
            f" ({self.problem or 'Litestream takes too long'}). Whoever made them got no answer."
            f" They are in {self._database} only, and in {self._database}.before-takeover once this"
            " machine goes on with the copies."
        )

    async def copied(self, generation: int) -> None:
        """Wait until the commits up to a generation of the database are copied.

        Callers that wait at the same time share one copy. It takes as long as the replica can't be
        reached: what is not copied is not promised.
        """
        self._wanted = max(self._wanted, generation)
        while self._copied < generation:
            async with self._lock:
                if self._copied < generation:
                    wanted = self._wanted
                    await self._sync()
                    self._copied = wanted

    async def settle(self, within: float) -> None:
        """Give the commits that somebody waits for so many seconds to be copied."""
        if self._copied < self._wanted:
            log.info("waiting up to %g s for commits to be copied", within)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(within):
                    await self.copied(self._wanted)

    async def copy_regularly(self) -> None:
        """Copy for ever what nobody waits for."""
        while True:
            await self._ask()
            await asyncio.sleep(REGULARLY)

    @property
    def waiting(self) -> float:
        """Seconds that the oldest commit not copied yet has waited."""
        return 0.0 if self._since is None else time.monotonic() - self._since

    @property
    def age(self) -> float | None:
        """Seconds since the copies were last known to be complete; None: they never were."""
        return None if self._complete is None else time.monotonic() - self._complete

    async def _sync(self) -> None:
        """Have all commits copied; ask again until Litestream says that they are."""
        if self._since is None:
            self._since = time.monotonic()
        while True:
            if await self._ask():
                break
            await asyncio.sleep(AGAIN)
        self._since = None

    async def _ask(self) -> bool:
        """Ask for one copy; return whether it was made, and log if that has changed."""
        began = time.monotonic()
        self.problem = await self._request()
        if self.problem is None:
            self._complete, self._failing = began, None
            if self._said:
                log.info("the copies at %s are complete again", self._place)
                self._said = False
            return True
        self._failing = self._failing or began
        if not self._said and time.monotonic() - self._failing > SAID_AFTER:
            log.error("commits can't be copied to %s: %s", self._place, self.problem)
            self._said = True
        return False

    async def _request(self) -> str | None:
        """Ask Litestream for one copy; return what went wrong, if anything did."""
        if self._session is None or self._session.closed:
            return "it is not started"
        body = {"path": str(self._database), "wait": True, "timeout": PATIENCE}
        try:
            async with self._session.post("http://litestream/sync", json=body) as answer:
                told: dict[str, Any] = await answer.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError, ValueError, OSError) as error:
            return str(error) or "Litestream does not answer"
        if answer.status == 200 and told.get("status") in ("synced", "no_change"):
            return None
        return str(told.get("error") or told)

    async def _run(self) -> None:
        """Keep Litestream running."""
        while True:
            try:
                await self._run_once()
            except OSError as error:
                log.error("Litestream can't be started: %s", error)
            await asyncio.sleep(AGAIN)

    async def _run_once(self) -> None:
        process = await asyncio.create_subprocess_exec(
            *_DIES_WITH_US, self._settings.program, "replicate", "-config", str(self._config)
        )
        try:
            code = await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        log.error("Litestream has ended with %d; it is started again", code)
