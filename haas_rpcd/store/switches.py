"""Queries of switches and their ports."""

from __future__ import annotations

import json
from typing import Any

from haas_rpcd.store.database import Row, Tx

_SWITCH = """
SELECT switch.*, (SELECT count(*) FROM port WHERE switch_id = switch.id) AS ports,
    EXISTS (SELECT 1 FROM unsaved WHERE switch_id = switch.id) AS unsaved,
    (SELECT count(*) FROM drift WHERE device = switch.name) AS drift
FROM switch
"""

PARKED_JSON = '{"untagged":null,"tagged":[]}'
"""How a parked port's configuration is written in ``port_applied`` (the triggers know it too)."""

_PORT = """
SELECT port.id, port.name AS port, port.role, switch.name AS switch, switch.id AS switch_id,
    port_applied.config, nic.id AS nic_id, nic.name AS nic, node.name AS node, node.id AS node_id,
    project.name AS project, drift.observed AS drift
FROM port JOIN switch ON switch.id = port.switch_id
LEFT JOIN port_applied ON port_applied.port_id = port.id
LEFT JOIN nic ON nic.port_id = port.id
LEFT JOIN node ON node.id = nic.node_id
LEFT JOIN allocation ON allocation.node_id = node.id
LEFT JOIN project ON project.id = allocation.project_id
LEFT JOIN drift ON drift.device = switch.name AND drift.kind = 'port' AND drift.target = port.name
"""


def find(tx: Tx, name: str) -> Row | None:
    """Give the switch of this name, with its count of ``ports``."""
    return tx.one_dict(f"{_SWITCH} WHERE name = ?", (name,))


def page(tx: Tx, limit: int, after: str) -> list[Row]:
    """Give switches by name."""
    return tx.dicts(f"{_SWITCH} WHERE name > ? ORDER BY name LIMIT ?", (after, limit))


def create(tx: Tx, name: str, **columns: Any) -> int:
    """Add a switch. Raises sqlite3.IntegrityError when the name is taken."""
    return tx.insert("switch", name=name, **_encode(columns))


def update(tx: Tx, name: str, **columns: Any) -> None:
    """Change how a switch is reached."""
    for column, value in _encode(columns).items():
        tx.execute(f"UPDATE switch SET {column} = ? WHERE name = ?", (value, name))


def _encode(columns: dict[str, Any]) -> dict[str, Any]:
    options = columns.pop("options", None)
    return (
        columns if options is None else {**columns, "options": json.dumps(options, sort_keys=True)}
    )


def doubt(tx: Tx, switch_id: int) -> None:
    """Take nothing on a switch for confirmed any more; what it may carry still counts."""
    tx.execute(
        "UPDATE port_applied SET config = NULL"
        " WHERE port_id IN (SELECT id FROM port WHERE switch_id = ?)",
        (switch_id,),
    )
    tx.execute("UPDATE switch_vlan SET confirmed = 0 WHERE switch_id = ?", (switch_id,))


def delete(tx: Tx, switch_id: int) -> None:
    """Remove a switch, its ports, and what is known to be on it.

    Raises sqlite3.IntegrityError while a nic is behind a port.
    """
    tx.execute("DELETE FROM switch_vlan WHERE switch_id = ?", (switch_id,))
    tx.execute(
        "DELETE FROM drift WHERE device = (SELECT name FROM switch WHERE id = ?)", (switch_id,)
    )
    tx.execute("DELETE FROM port WHERE switch_id = ?", (switch_id,))
    tx.execute("DELETE FROM switch WHERE id = ?", (switch_id,))


def vlans_on(tx: Tx, switch_id: int) -> list[int]:
    """Give the VLAN ids that HaaS made, or may have made, on a switch."""
    return tx.values(
        int, "SELECT vlan FROM switch_vlan WHERE switch_id = ? ORDER BY 1", (switch_id,)
    )


def ports_in_use(tx: Tx, switch_id: int) -> list[Row]:
    """Give the ports that keep a switch from being deleted: a nic behind them, or not parked."""
    return tx.dicts(
        f"{_PORT} WHERE port.switch_id = ? AND (nic.id IS NOT NULL OR (port_applied.port_id"
        f" IS NOT NULL AND port_applied.config IS NOT '{PARKED_JSON}')) ORDER BY port.name",
        (switch_id,),
    )


def find_port(tx: Tx, switch: str, port: str) -> Row | None:
    """Give one port with what is behind it."""
    return tx.one_dict(f"{_PORT} WHERE switch.name = ? AND port.name = ?", (switch, port))


def ports_page(tx: Tx, switch_id: int, limit: int, after: int) -> list[Row]:
    """Give a switch's ports in the order of their registration."""
    return tx.dicts(
        f"{_PORT} WHERE port.switch_id = ? AND port.id > ? ORDER BY port.id LIMIT ?",
        (switch_id, after, limit),
    )


def create_port(tx: Tx, switch_id: int, name: str, canonical: str, role: str) -> None:
    """Add a port. Raises sqlite3.IntegrityError when the switch has it already."""
    tx.insert("port", switch_id=switch_id, name=name, canonical=canonical, role=role)


def port_called(tx: Tx, switch_id: int, canonical: str) -> str | None:
    """Give the name under which a port is registered, by its canonical one."""
    return tx.value(
        str, "SELECT name FROM port WHERE switch_id = ? AND canonical = ?", (switch_id, canonical)
    )


def canonical_ports(tx: Tx, switch_id: int) -> list[str]:
    """Give the canonical names of a switch's registered ports."""
    return tx.values(str, "SELECT canonical FROM port WHERE switch_id = ?", (switch_id,))


def at(tx: Tx, host: str, port: int) -> str | None:
    """Name the switch that is registered at an address."""
    return tx.value(
        str, "SELECT name FROM switch WHERE lower(host) = lower(?) AND port = ?", (host, port)
    )


def set_port_role(tx: Tx, port_id: int, role: str) -> None:
    """Change what a port is for. What it carries is not known to fit any more."""
    tx.execute("UPDATE port SET role = ? WHERE id = ?", (role, port_id))
    tx.execute("UPDATE port_applied SET config = NULL WHERE port_id = ?", (port_id,))


def delete_port(tx: Tx, port_id: int) -> None:
    """Remove a port, and what was found on it. Raises sqlite3.IntegrityError for one with a nic."""
    tx.execute(
        "DELETE FROM drift WHERE kind = 'port' AND (device, target) = (SELECT switch.name,"
        " port.name FROM port JOIN switch ON switch.id = port.switch_id WHERE port.id = ?)",
        (port_id,),
    )
    tx.execute("DELETE FROM port WHERE id = ?", (port_id,))
