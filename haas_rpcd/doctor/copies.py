"""Checks of ``[ha]``: Litestream, the files for etcd, and how old the copies are."""

from __future__ import annotations

import os
import shutil
from typing import Any

import aiohttp

from haas_rpcd.doctor.finding import Finding, World, fault, ok, warning

ANSWERS_WITHIN = 5.0
"""Seconds that the daemon has to say how it is."""

OLD = 60.0
"""Seconds after which copies are old."""


def programs(world: World) -> list[Finding]:
    """Check that Litestream can be run, and that the files for etcd can be read."""
    ha = world.settings.ha
    if ha.replica is None:
        return []
    findings = []
    if shutil.which(ha.program) is None:
        findings.append(
            fault(
                f"[ha] litestream: {ha.program} can't be run: nothing would be copied.",
                "pip install 'haas[ha]', or name the program:  [ha] litestream = …",
            )
        )
    files = {"etcd_ca": ha.etcd_ca, "etcd_cert": ha.etcd_cert, "etcd_key": ha.etcd_key}
    for name, path in files.items():
        if path is not None and not os.access(path, os.R_OK):
            findings.append(
                fault(
                    f"[ha] {name}: {path} can't be read: etcd can't be asked who is master.",
                    f"put it there, so that haas-rpcd's user can read it:  chown haas: {path}",
                )
            )
    return findings or [ok(f"{ha.program} is there, for the copies at {ha.replica}.")]


async def copies(world: World) -> list[Finding]:
    """Report how old the copies are, or the data that a standby serves, as the daemon says."""
    if world.settings.ha.replica is None:
        return []
    try:
        ha = await _health(world.settings.server.socket)
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError, KeyError, TypeError):
        return []  # the check of the daemon reports it
    why = f" ({ha['problem']})" if ha["problem"] is not None else ""
    mend = "see whether [ha] replica can be reached, and haas-rpcd's log."
    if ha["waiting"] > ANSWERS_WITHIN:
        text = f"Changes wait since {ha['waiting']:.0f} s to be copied{why}."
        return [fault(text, mend)]
    if ha["age"] is None:
        return [fault(f"There are no copies of the database yet{why}.", mend)]
    whose = "What this standby serves" if ha["role"] == "standby" else "The copies' state"
    text = f"{whose} is {ha['age']:.0f} s old{why}."
    return [warning(text, mend) if ha["age"] > OLD else ok(text)]


async def _health(socket: str) -> dict[str, Any]:
    """Return what the daemon says of its copies."""
    timeout = aiohttp.ClientTimeout(total=ANSWERS_WITHIN)
    call = {"jsonrpc": "2.0", "id": 1, "method": "system.health", "params": {}}
    connector = aiohttp.UnixConnector(socket)
    async with (
        aiohttp.ClientSession(connector=connector, timeout=timeout) as session,
        session.post("http://haas/rpc", json=call) as answer,
    ):
        found: dict[str, Any] = (await answer.json(content_type=None))["result"]["ha"]
        return found
