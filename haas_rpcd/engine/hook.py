"""Runs the site's release command for a node: it wipes disks, say, or powers the node off."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Sequence
from contextlib import suppress

from haas_rpcd import patience
from haas_rpcd.store.leases import HookRunRow

MOST_OUTPUT = 2**16
"""Bytes of output that are kept: the last ones."""

SUCCEEDED = "succeeded"


async def run(command: Sequence[str], timeout: float, *, node: str, project: str) -> HookRunRow:
    """Run the command with the node's name as its last argument; return its outcome and output.

    No shell is involved. The environment has PATH, HAAS_NODE and HAAS_PROJECT. The command and what
    it has started are killed after ``timeout`` seconds, and when the daemon stops.
    """
    started = time.time()
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HAAS_NODE": node,
        "HAAS_PROJECT": project,
    }
    output = b""
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            node,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=environment,
            start_new_session=True,
        )
    except OSError as error:
        outcome = f"could not be started: {error.strerror or error}"
        return HookRunRow(node, outcome, "", started, time.time())
    try:
        async with patience.timeout(timeout):
            while chunk := await process.stdout.read(2**16):  # type: ignore[union-attr]
                output = (output + chunk)[-MOST_OUTPUT:]
            code = await process.wait()
        outcome = SUCCEEDED if code == 0 else f"exited with {code}"
    except TimeoutError:
        outcome = f"did not end within {timeout:g} s"
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
    return HookRunRow(node, outcome, output.decode(errors="replace"), started, time.time())
