"""Queries of switches."""

from __future__ import annotations

import json
from typing import Any

from haas_rpcd.boottime import Moment
from haas_rpcd.registered import RegisteredSwitch, SwitchMarks
from haas_rpcd.store import ports
from haas_rpcd.store.database import Tx
from haas_rpcd.store.rows import Json, Row
from haas_schemas.switch import TransportName


class SwitchRow(Row, frozen=True):
    """A switch and how it is registered.

    ``ports`` and ``drift`` count its registered ports and its differences, ``unsaved`` tells
    whether it has changes that no save has confirmed. ``checked`` is when it was last checked for
    drift, in seconds since the epoch. ``reachable`` is None while nobody has tried to reach it,
    ``last_contact``, in the same seconds, while it was never reached. ``identity`` is what it said
    of itself, ``stranger`` what another switch says that answers in its place. ``retired`` is since
    when it is out of service, in the same seconds. ``swapped`` counts the nics on its ports that
    are not cabled as registered, as of ``cabling_checked``, in the same seconds.
    """

    id: int
    name: str
    dialect: str
    host: str
    port: int
    transport: TransportName
    credential: str | None
    options: Json[dict[str, Any]]
    checked: float | None
    ports: int
    unsaved: bool
    drift: int
    identity: Json[SwitchMarks | None]
    stranger: Json[SwitchMarks | None]
    reachable: bool | None
    last_contact: float | None
    retired: float | None
    swapped: int
    cabling_checked: float | None

    @property
    def registered(self) -> RegisteredSwitch:
        """How the switch is registered."""
        return RegisteredSwitch(
            name=self.name,
            dialect=self.dialect,
            host=self.host,
            port=self.port,
            transport=self.transport,
            credential=self.credential,
            options=self.options,
        )


class UptimeRow(Row, frozen=True):
    """The uptime that a switch reported, in seconds, and when.

    ``uptime_read`` is the master's own clock then, in seconds since its boot ``uptime_boot``.
    """

    uptime: float
    uptime_read: float
    uptime_boot: str


class _ContactRow(Row, frozen=True):
    name: str
    reachable: bool


class _OfDialect(Row, frozen=True):
    dialect: str
    name: str


_SWITCH = """
SELECT id, name, dialect, host, port, transport, credential, options, checked,
    (SELECT count(*) FROM port WHERE switch_id = switch.id) AS ports,
    EXISTS (SELECT 1 FROM unsaved WHERE switch_id = switch.id) AS unsaved,
    (SELECT count(*) FROM drift WHERE device = switch.name) AS drift, identity, stranger,
    reachable, last_contact, retired,
    (SELECT count(*) FROM nic_cabling JOIN port ON port.nic_id = nic_cabling.nic_id
        WHERE nic_cabling.state = 'swapped' AND port.switch_id = switch.id
        AND port.channel IS NULL) AS swapped,
    cabling_checked
FROM switch
"""


def find(tx: Tx, name: str) -> SwitchRow | None:
    """Return the switch of this name."""
    return tx.one(SwitchRow, f"{_SWITCH} WHERE name = ?", (name,))


def page(tx: Tx, limit: int, after: str) -> list[SwitchRow]:
    """Return switches by name."""
    return tx.query(SwitchRow, f"{_SWITCH} WHERE name > ? ORDER BY name LIMIT ?", (after, limit))


def everyone(tx: Tx) -> list[SwitchRow]:
    """Return all switches by name."""
    return tx.query(SwitchRow, f"{_SWITCH} ORDER BY name")


def registered(tx: Tx) -> list[RegisteredSwitch]:
    """Return all switches as they are registered, by name."""
    return [row.registered for row in everyone(tx)]


def contacts(tx: Tx) -> list[tuple[str, bool]]:
    """Return the switches that were tried, and whether each answered."""
    rows = tx.query(_ContactRow, "SELECT name, reachable FROM switch WHERE reachable IS NOT NULL")
    return [(row.name, row.reachable) for row in rows]


def set_contact(tx: Tx, name: str, reachable: bool, when: float | None) -> bool:
    """Write whether a switch answers and, if it does, when; return whether that has changed."""
    changed = tx.execute(
        "UPDATE switch SET reachable = ? WHERE name = ? AND reachable IS NOT ?",
        (int(reachable), name, int(reachable)),
    )
    if when is not None:
        tx.execute("UPDATE switch SET last_contact = ? WHERE name = ?", (when, name))
    return changed > 0


def names(tx: Tx) -> list[str]:
    """Name all switches."""
    return tx.values(str, "SELECT name FROM switch ORDER BY name")


def in_service(tx: Tx) -> list[str]:
    """Name the switches that are not retired."""
    return tx.values(str, "SELECT name FROM switch WHERE retired IS NULL ORDER BY name")


def never_checked(tx: Tx) -> list[str]:
    """Name the switches that were never checked for drift, except retired ones."""
    return tx.values(
        str, "SELECT name FROM switch WHERE checked IS NULL AND retired IS NULL ORDER BY name"
    )


def one_of_each_dialect(tx: Tx) -> dict[str, str]:
    """Return the dialects of all switches, each with the name of one."""
    rows = tx.query(_OfDialect, "SELECT dialect, min(name) AS name FROM switch GROUP BY dialect")
    return {row.dialect: row.name for row in rows}


def hosts(tx: Tx) -> list[str]:
    """Return the hosts at which switches are registered."""
    return tx.values(str, "SELECT DISTINCT host FROM switch")


def at(tx: Tx, host: str, port: int) -> str | None:
    """Name the switch that is registered at an address."""
    return tx.value(
        str, "SELECT name FROM switch WHERE lower(host) = lower(?) AND port = ?", (host, port)
    )


def create(tx: Tx, switch: RegisteredSwitch) -> None:
    """Add a switch. Raises sqlite3.IntegrityError if its name or its address is taken."""
    tx.insert(
        "switch",
        name=switch.name,
        dialect=switch.dialect,
        host=switch.host,
        port=switch.port,
        transport=switch.transport,
        credential=switch.credential,
        options=_options(switch),
    )


def update(tx: Tx, switch: RegisteredSwitch) -> None:
    """Change how the switch of this name is registered. The next login tells what answers there.

    Raises sqlite3.IntegrityError if its address is taken.
    """
    tx.execute(
        "UPDATE switch SET dialect = ?, host = ?, port = ?, transport = ?, credential = ?,"
        " options = ?, stranger = NULL WHERE name = ?",
        (
            switch.dialect,
            switch.host,
            switch.port,
            switch.transport,
            switch.credential,
            _options(switch),
            switch.name,
        ),
    )


def _options(switch: RegisteredSwitch) -> str:
    return json.dumps(dict(switch.options), sort_keys=True)


def forget_confirmations(tx: Tx, switch_id: int) -> None:
    """Mark everything on a switch as unconfirmed. VLANs that it may carry stay in use."""
    for port_id in tx.values(
        int,
        "SELECT port_id FROM port_applied JOIN port ON port.id = port_id WHERE switch_id = ?",
        (switch_id,),
    ):
        ports.set_unknown(tx, port_id)
    tx.execute("UPDATE switch_vlan SET confirmed = 0 WHERE switch_id = ?", (switch_id,))


def retire(tx: Tx, switch_id: int, now: float) -> None:
    """Take a switch out of service: nothing on it is known, and nobody waits for it."""
    forget_confirmations(tx, switch_id)
    tx.execute("UPDATE switch SET retired = ? WHERE id = ?", (now, switch_id))
    tx.execute(
        "DELETE FROM drift WHERE device = (SELECT name FROM switch WHERE id = ?)", (switch_id,)
    )


def reinstate(tx: Tx, name: str, retired: float) -> bool:
    """Take a switch back that was retired then; return False if it was retired again since."""
    changed = tx.execute(
        "UPDATE switch SET retired = NULL WHERE name = ? AND retired = ?", (name, retired)
    )
    return changed > 0


def delete(tx: Tx, switch_id: int) -> None:
    """Remove a switch, its ports, and what was confirmed and observed on it.

    Raises sqlite3.IntegrityError if there is a nic behind a port.
    """
    tx.execute("DELETE FROM switch_vlan WHERE switch_id = ?", (switch_id,))
    tx.execute(
        "DELETE FROM drift WHERE device = (SELECT name FROM switch WHERE id = ?)", (switch_id,)
    )
    tx.execute("DELETE FROM port WHERE switch_id = ?", (switch_id,))
    tx.execute("DELETE FROM switch WHERE id = ?", (switch_id,))


# --- uptimes --------------------------------------------------------------------------------------


def uptime(tx: Tx, switch: str) -> UptimeRow | None:
    """Return the uptime that a switch last reported; None if it never reported one."""
    return tx.one(
        UptimeRow,
        "SELECT uptime, uptime_read, uptime_boot FROM switch"
        " WHERE name = ? AND uptime_boot IS NOT NULL",
        (switch,),
    )


def set_uptime(tx: Tx, switch: str, uptime: float, now: Moment) -> None:
    """Write the uptime that a switch reported now, in seconds."""
    tx.execute(
        "UPDATE switch SET uptime = ?, uptime_read = ?, uptime_boot = ? WHERE name = ?",
        (uptime, now.seconds, now.boot, switch),
    )
