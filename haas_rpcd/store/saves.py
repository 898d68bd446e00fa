"""Queries of what switches have saved, and of changes that no save has confirmed.

A power cut brings back what was saved. So a port counts as parked, and a VLAN id as free, only when
the switch has saved it. Switches whose dialect does not save keep every change at once.
"""

from __future__ import annotations

from collections.abc import Iterable

from haas_rpcd.store.database import Tx

SITE = 0
"""The project id under which unsaved changes of the site itself are noted."""

_SAVES = "switch.dialect NOT IN (SELECT name FROM dialect_without_save)"

# CROSS JOIN: SQLite keeps this order, so only switches with unsaved changes are looked at.
_OUTSTANDING = """
SELECT DISTINCT switch.name FROM unsaved CROSS JOIN switch ON switch.id = unsaved.switch_id
WHERE NOT EXISTS (SELECT 1 FROM job JOIN step ON step.job_id = job.id WHERE job.state = 'running'
    AND step.device = switch.name AND step.kind = 'config.save'
    AND step.state IN ('pending', 'sending', 'sent'))
"""
"""The switches with unsaved changes that no running job is about to save."""


def set_dialects_without_save(tx: Tx, dialects: Iterable[str]) -> None:
    """Write which dialects do not save. What their switches confirmed counts as saved."""
    tx.execute("DELETE FROM dialect_without_save")
    tx.execute_many("INSERT INTO dialect_without_save VALUES (?)", [(name,) for name in dialects])
    where = f"switch_id IN (SELECT id FROM switch WHERE NOT ({_SAVES}))"
    tx.execute(
        "UPDATE port_applied SET saved = 1 WHERE confirmed = 1 AND saved = 0"
        f" AND port_id IN (SELECT id FROM port WHERE {where})"
    )
    tx.execute(f"DELETE FROM vlan_in_startup WHERE {where}")
    tx.execute(f"DELETE FROM unsaved WHERE {where}")


def mark(tx: Tx, switch: str, project_id: int | None) -> None:
    """Write that a project, or the site (None), changes a switch."""
    tx.execute(
        f"INSERT OR IGNORE INTO unsaved SELECT id, ? FROM switch WHERE name = ? AND {_SAVES}",
        (SITE if project_id is None else project_id, switch),
    )


def keep_in_startup(tx: Tx, switch: str, vlans: Iterable[int]) -> None:
    """Write that a switch's saved configuration may still have VLANs that are gone from it."""
    tx.execute_many(
        "INSERT OR IGNORE INTO vlan_in_startup SELECT id, ? FROM switch"
        f" WHERE name = ? AND {_SAVES}",
        [(vlan, switch) for vlan in vlans],
    )


def mark_if_unmarked(tx: Tx, switch: str) -> None:
    """Write that a switch must be saved, if nobody's changes say so already.

    That is for what was read without having been sent since the last save: it may differ from what
    was saved.
    """
    if not tx.exists(
        "SELECT 1 FROM unsaved JOIN switch ON switch.id = unsaved.switch_id WHERE name = ?",
        (switch,),
    ):
        mark(tx, switch, None)


def confirm(tx: Tx, switch: str) -> None:
    """Write that a switch has saved its configuration: everything that was confirmed before.

    A port that drifted was saved as it is now, not as it was confirmed. While an earlier save that
    was given up may still come, with an older configuration, nothing counts as saved by this one.
    """
    switch_id = tx.value(int, "SELECT id FROM switch WHERE name = ?", (switch,))
    if switch_id is None:
        return
    tx.execute("DELETE FROM unsaved WHERE switch_id = ?", (switch_id,))
    if tx.exists("SELECT 1 FROM switch_may_save WHERE switch_id = ?", (switch_id,)):
        return
    tx.execute(
        "UPDATE port_applied SET saved = 1 WHERE saved = 0 AND confirmed = 1 AND port_id IN"
        " (SELECT id FROM port WHERE switch_id = ? AND name NOT IN"
        " (SELECT target FROM drift WHERE device = ? AND kind = 'port'))",
        (switch_id, switch),
    )
    tx.execute("DELETE FROM vlan_in_startup WHERE switch_id = ?", (switch_id,))


def forget(tx: Tx, switch: str, ports: Iterable[str]) -> None:
    """Write that ports may have been saved otherwise than they are now, so a save must follow.

    Does nothing for ports that were never applied.
    """
    marked = 0
    for port in ports:
        marked += tx.execute(
            "UPDATE port_applied SET saved = 0 WHERE port_id = (SELECT port.id FROM port"
            " JOIN switch ON switch.id = port.switch_id"
            f" WHERE switch.name = ? AND port.name = ? AND {_SAVES})",
            (switch, port),
        )
    if marked:
        mark(tx, switch, None)


def saved_ports(tx: Tx, switch: str) -> set[str]:
    """Name the ports whose confirmed state a switch said to have saved; none if it never saves."""
    return set(
        tx.values(
            str,
            "SELECT port.name FROM port JOIN switch ON switch.id = port.switch_id"
            " JOIN port_applied ON port_applied.port_id = port.id"
            f" WHERE switch.name = ? AND confirmed = 1 AND saved = 1 AND {_SAVES}",
            (switch,),
        )
    )


def outstanding(tx: Tx, switch: str) -> bool:
    """Return whether a switch has unsaved changes that no running job is about to save."""
    return tx.exists(f"{_OUTSTANDING} AND switch.name = ?", (switch,))


def to_save(tx: Tx, project_id: int | None) -> set[str]:
    """Name the switches with unsaved changes of a project.

    For the site (None), name also those with anybody's changes that no running job is about to
    save: a save that failed is the site's to make.
    """
    own = tx.values(
        str,
        "SELECT switch.name FROM unsaved JOIN switch ON switch.id = unsaved.switch_id"
        " WHERE unsaved.project_id = ?",
        (SITE if project_id is None else project_id,),
    )
    return {*own, *(tx.values(str, _OUTSTANDING) if project_id is None else ())}
