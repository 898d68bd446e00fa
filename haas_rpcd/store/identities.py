"""Queries of what switches said of themselves: which switch is which."""

from __future__ import annotations

import msgspec

from haas_rpcd.registered import SwitchMarks
from haas_rpcd.store import switches
from haas_rpcd.store.database import Tx
from haas_rpcd.store.rows import Json, Row


class IdentityRow(Row, frozen=True):
    """A switch and what it said of itself; null: nothing yet.

    ``stranger``: what answers at its address now, if that is another switch.
    """

    name: str
    identity: Json[SwitchMarks | None]
    stranger: Json[SwitchMarks | None]


def find(tx: Tx, switch: str) -> IdentityRow | None:
    """Return what a switch said of itself."""
    return tx.one(
        IdentityRow, "SELECT name, identity, stranger FROM switch WHERE name = ?", (switch,)
    )


def same_as(tx: Tx, marks: SwitchMarks, *, but: str) -> str | None:
    """Name another switch that said the same of itself."""
    rows = tx.query(
        IdentityRow,
        "SELECT name, identity, stranger FROM switch WHERE identity IS NOT NULL AND name <> ?"
        " ORDER BY name",
        (but,),
    )
    return next((row.name for row in rows if row.identity and row.identity.same(marks)), None)


def learn(tx: Tx, switch: str, marks: SwitchMarks) -> None:
    """Write what a switch says of itself; whatever answers at its address is that switch."""
    tx.execute(
        "UPDATE switch SET identity = ?, stranger = NULL WHERE name = ?",
        (_json(marks), switch),
    )


def set_stranger(tx: Tx, switch: str, marks: SwitchMarks) -> None:
    """Write that another switch answers at a switch's address: nothing there is believed."""
    tx.execute("UPDATE switch SET stranger = ? WHERE name = ?", (_json(marks), switch))


def forget(tx: Tx, switch: str) -> None:
    """Write that whatever answers at a switch's address is that switch, in an unknown state."""
    row = switches.find(tx, switch)
    if row is not None:
        tx.execute(
            "UPDATE switch SET identity = NULL, stranger = NULL, uptime_boot = NULL WHERE id = ?",
            (row.id,),
        )
        switches.forget_confirmations(tx, row.id)


def _json(marks: SwitchMarks) -> str:
    return msgspec.json.encode(marks).decode()
