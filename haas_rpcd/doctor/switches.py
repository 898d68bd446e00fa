"""Checks of each registered switch: its login and what it says it is, by the daemon's drivers."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

from haas_rpcd.config import ConfigError
from haas_rpcd.configfiles import load_credentials
from haas_rpcd.doctor.finding import Finding, World, fault, ok
from haas_rpcd.drivers.switch.factory import SwitchFactory
from haas_rpcd.errors import DeviceError, UnavailableError
from haas_rpcd.store import snapshot, switches
from haas_rpcd.store.switches import SwitchRow

AT_ONCE = 16
"""How many switches are logged in to at the same time."""


async def every_switch(world: World) -> list[Finding]:
    """Log in to every switch that the database has."""
    path = world.settings.store.path
    try:
        registered = await asyncio.to_thread(snapshot.read, path, _registered)
    except FileNotFoundError:
        return [ok("No switch is registered: the database does not exist yet.")]
    except sqlite3.Error as error:
        return [
            fault(
                f"The database {path} can't be read: {error}.",
                "run this as root or as haas-rpcd's user; start the daemon once after an upgrade,"
                " so that it migrates the database; or put a backup in place.",
            )
        ]
    try:
        factory = SwitchFactory(
            world.settings, lambda: load_credentials(Path(world.settings.credentials.file))
        )
    except ConfigError:
        return []  # the check of the configuration reports it
    limit = asyncio.Semaphore(AT_ONCE)

    async def limited(row: SwitchRow) -> Finding:
        async with limit:
            return await _log_in(factory, row)

    if not registered:
        return [ok("No switch is registered.")]
    return await asyncio.gather(*map(limited, registered))


def _registered(tx: snapshot.Tx) -> list[SwitchRow]:
    found = [switches.find(tx, name) for name in switches.in_service(tx)]
    return [row for row in found if row is not None]


async def _log_in(factory: SwitchFactory, row: SwitchRow) -> Finding:
    switch = row.registered
    where = f"{switch.host}:{switch.port}"
    try:
        driver = factory.driver(switch)
        try:
            await driver.open(lambda line: None)
            seen = await driver.probe()
        finally:
            await driver.close()
    except UnavailableError as error:
        return fault(error.message, "see [switches] dialects in haas.toml.")
    except DeviceError as error:
        return fault(error.message, _MENDS.get(error.reason, _MEND).format(name=switch.name))
    if row.identity is not None and row.identity.same(seen.marks) is False:
        return fault(
            f"Another switch answers at the address of {switch.name} ({where}): it says that it is"
            f" {seen.marks.describe()}, and {switch.name} was {row.identity.describe()}.",
            "check the cabling and the addresses; if it was replaced, accept the new one with"
            f"  haas-console -c 'switch probe {switch.name} --accept true'",
        )
    marks = seen.marks.describe() if seen.marks else ""
    what = ", ".join(text for text in (seen.model, seen.version, marks) if text)
    return ok(
        f"{switch.name} ({switch.dialect}, {where}) takes our login"
        f"{f': {what}' if what else ''}, prompt {seen.prompt!r}."
    )


_MEND = "see  haas-console -c 'switch probe {name}'  and mend what it names."

_MENDS = {
    "unreachable": "see that the switch is on, and that the master reaches its management network"
    " and port.",
    "login": "correct the switch's entry in the credentials file; no restart is needed.",
    "enable": "correct  enable  in the switch's entry in the credentials file.",
    "host_key": "compare the fingerprint with the switch's own, then  haas-console -c 'switch trust"
    " {name} --fingerprint …'",
    "busy": "end sessions on the switch that nobody uses, or allow it more of them.",
    "unreadable": "see that the switch is registered with the right dialect, and what it printed"
    " with  haas-console -c 'switch probe {name}'.",
}
"""How to mend a login, by the error's reason."""
