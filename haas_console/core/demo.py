"""A demo daemon of one's own: started in a new directory, ended with the block that wanted it."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from haas_console.core.client import Client
from haas_console.core.config import Endpoint
from haas_console.core.errors import NoDaemonError

_START = 30.0  # seconds until it must answer
_END = 5.0  # seconds from asking it to end until it is killed
_AGAIN = 0.05


@contextlib.asynccontextmanager
async def demo_daemon() -> AsyncIterator[Endpoint]:
    """Run ``haas-rpcd --demo`` for the length of the block; raises NoDaemonError."""
    folder = Path(tempfile.mkdtemp(prefix="haas-demo-"))
    endpoint = Endpoint(str(folder / "rpcd.sock"), None, "--demo")
    log = folder / "rpcd.log"
    try:
        with log.open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "haas_rpcd", "--demo", "--socket", str(endpoint.socket)),
                *("--until-eof", "--remove", str(folder)),  # nobody else does when we are killed
                stdin=asyncio.subprocess.PIPE,
                stdout=output,
                stderr=output,
                start_new_session=True,  # Ctrl-C is for us; we end it in good order
            )
        try:
            await _until_it_answers(process, endpoint, log)
            yield endpoint
        finally:
            await _end(process)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def _until_it_answers(
    process: asyncio.subprocess.Process, endpoint: Endpoint, log: Path
) -> None:
    try:
        async with asyncio.timeout(_START):
            while process.returncode is None:
                try:
                    client = await Client.connect(endpoint)
                except NoDaemonError:
                    await asyncio.sleep(_AGAIN)
                    continue
                await client.close()
                return
    except TimeoutError as error:
        raise NoDaemonError(f"the demo daemon did not answer within {_START:g} s") from error
    raise NoDaemonError(f"the demo daemon ended at once:{_tail(log)}")


def _tail(log: Path) -> str:
    said = log.read_text("utf-8", errors="replace").strip().splitlines()[-5:]
    return "".join(f"\n  {line}" for line in said)


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(_END):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
