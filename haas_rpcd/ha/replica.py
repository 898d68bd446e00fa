"""Copies of the database, by Litestream: each commit is copied before its caller is told.

Each master writes to a folder of its own, named by its fencing token, so that a former master that
still runs can't damage what the present one writes. Litestream is described in
https://litestream.io/reference/config/; that ``POST /sync`` with ``wait`` answers once the commit
is at the replica was measured with 0.5.17.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import time
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from haas_rpcd.hasettings import HaSettings

log = logging.getLogger(__name__)

PATIENCE = 10
"""Seconds that Litestream may take for one copy before it is asked again."""

AGAIN = 0.2
"""Seconds until Litestream is asked again, or started again."""


_DIES_WITH_US = ("setpriv", "--pdeathsig", "KILL")
"""util-linux: what is started so is killed when this process ends, however that ends."""


class ReplicaError(Exception):
    """Litestream can't be run, or has not found what it is to restore."""


def place_of(settings: HaSettings, token: int) -> str:
    """Return the URL of one master's commits."""
    base, mark, query = (settings.replica or "").partition("?")
    return f"{base.rstrip('/')}/{token}{mark}{query}"


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

    async def start(self) -> None:
        """Start Litestream, and wait until all that is in the database is copied."""
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
        await self._sync()

    async def stop(self) -> None:
        """End Litestream."""
        if self._running is not None:
            self._running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._running
        if self._session is not None:
            await self._session.close()

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

    @property
    def waiting(self) -> float:
        """For how many seconds commits have waited to be copied."""
        return 0.0 if self._since is None else time.monotonic() - self._since

    async def _sync(self) -> None:
        """Have all commits copied; ask again until Litestream says that they are."""
        began, said = time.monotonic(), False
        self._since = began
        while True:
            problem = await self._ask()
            if problem is None:
                self._since = None
                if said:
                    log.info("the copies at %s are complete again", self._place)
                return
            if not said and time.monotonic() - began > 2:
                log.error("commits can't be copied to %s: %s", self._place, problem)
                said = True
            await asyncio.sleep(AGAIN)

    async def _ask(self) -> str | None:
        """Ask for one copy; return what went wrong, if anything did."""
        if self._session is None:
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
            await asyncio.sleep(AGAIN)


async def restore(settings: HaSettings, place: str, database: Path) -> None:
    """Put the last master's database in the place of ours, which is kept beside it.

    Raises ReplicaError; then our own database is as it was.
    """
    fresh = database.with_name(f"{database.name}.taken-over")
    fresh.unlink(missing_ok=True)
    config = database.with_name(f"{database.name}.restore.yml")
    replica = {**settings.replica_options, "url": place}
    config.write_text(yaml.safe_dump({"dbs": [{"path": str(database), "replica": replica}]}))
    command = (settings.program, "restore", "-config", str(config), "-o", str(fresh))
    process = await asyncio.create_subprocess_exec(
        *command,
        str(database),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    if process.returncode != 0:
        text = said.decode(errors="replace").strip()
        raise ReplicaError(f"The last master's data can't be restored from {place}: {text}")
    _put(fresh, database)


def _put(fresh: Path, database: Path) -> None:
    forget_copies(database)
    for suffix in ("-wal", "-shm"):
        Path(f"{database}{suffix}").unlink(missing_ok=True)
    if database.exists():
        os.replace(database, database.with_name(f"{database.name}.before-takeover"))
    os.replace(fresh, database)


def forget_copies(database: Path) -> None:
    """Remove what Litestream knows of former copies: this master begins a new place."""
    shutil.rmtree(database.with_name(f".{database.name}-litestream"), ignore_errors=True)
