"""A demo daemon for one console: started in a new directory, ended with the block that needs it."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import BinaryIO

from haas_console.core.client import Client
from haas_console.core.config import Endpoint
from haas_console.core.errors import ConfigError, ConsoleError, NoDaemonError

_START = 30.0  # seconds until it must answer
_START_OF_A_SITE = 90.0  # likewise, with a copy of a site that may have hundreds of switches
_END = 5.0  # seconds from asking it to end until it is killed
_AGAIN = 0.05
_SPEAKS = "haas-rpcd: "  # the prefix of the daemon's last words


@contextlib.asynccontextmanager
async def demo_daemon(site: Path | None = None) -> AsyncIterator[Endpoint]:
    """Run ``haas-rpcd --demo``, with a copy of ``site`` if given, for the length of the block.

    Raises NoDaemonError; ConfigError, with the daemon's own sentence, if it refuses the site file.
    """
    folder = Path(tempfile.mkdtemp(prefix="haas-demo-"))
    endpoint = Endpoint(str(folder / "rpcd.sock"), None, "--demo")
    log = folder / "rpcd.log"
    try:
        # Opened for reading too: a daemon that ends removes the folder, log included.
        with log.open("w+b") as output:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "haas_rpcd", "--demo", "--socket", str(endpoint.socket)),
                *(() if site is None else ("--site", str(site))),
                *("--until-eof", "--remove", str(folder)),  # in case this process is killed
                stdin=asyncio.subprocess.PIPE,
                stdout=output,
                stderr=output,
                start_new_session=True,  # Ctrl-C must not reach it: it is ended in good order
            )
            try:
                patience = _START if site is None else _START_OF_A_SITE
                await _until_it_answers(process, endpoint, patience)
                if process.returncode is not None:
                    raise _ended(output, site)
                yield endpoint
            finally:
                await _end(process)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def check_site(site: Path) -> None:
    """Let ``haas-rpcd`` check a site file. Raises ConfigError with its own sentence."""
    done = subprocess.run(  # noqa: S603 - our own program, without a shell
        (sys.executable, "-m", "haas_rpcd", "--demo", "--site", str(site), "--check-config"),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        last = done.stderr.strip().rpartition("\n")[2]
        raise ConfigError(last.removeprefix(_SPEAKS))


async def _until_it_answers(
    process: asyncio.subprocess.Process, endpoint: Endpoint, patience: float
) -> None:
    """Wait until the daemon answers, or has ended. Raises NoDaemonError if it does neither."""
    try:
        async with asyncio.timeout(patience):
            while process.returncode is None:
                try:
                    client = await Client.connect(endpoint)
                except NoDaemonError:
                    await asyncio.sleep(_AGAIN)
                    continue
                await client.close()
                return
    except TimeoutError as error:
        raise NoDaemonError(f"the demo daemon did not answer within {patience:g} s") from error


def _ended(log: BinaryIO, site: Path | None) -> ConsoleError:
    """The error for a daemon that ended during its start: its own sentence, if it wrote one."""
    log.seek(0)
    lines = log.read().decode("utf-8", errors="replace").strip().splitlines()
    if site is not None and lines and lines[-1].startswith(_SPEAKS):
        return ConfigError(lines[-1].removeprefix(_SPEAKS))
    return NoDaemonError("\n  ".join(["the demo daemon ended at once:", *lines[-5:]]))


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    # In a task that was cancelled, asyncio.timeout of Python 3.11.2 ends with CancelledError
    # (https://github.com/python/cpython/issues/102780), and the demo would live on.
    await asyncio.wait([asyncio.ensure_future(process.wait())], timeout=_END)
    if process.returncode is None:
        process.kill()
        await process.wait()
