"""Queries of switches' ports."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from haas_rpcd.model import PARKED, Channel, PortConfig, SetPort
from haas_rpcd.store.database import Tx
from haas_rpcd.store.rows import Json, Row
from haas_schemas.cabling import CablingState

CONFIG = """
CASE port_applied.confirmed WHEN 1 THEN json_object(
    'untagged', port_applied.untagged,
    'tagged', json((SELECT json_group_array(vlan) FROM (SELECT vlan FROM port_applied_tagged
        WHERE port_applied_tagged.port_id = port_applied.port_id ORDER BY vlan))),
    'member', CASE WHEN port_applied.member IS NOT NULL THEN json((
        SELECT json_object('name', own.name, 'mode', port_applied.member)
        FROM port AS own WHERE own.id = port.channel_id)) END)
END AS config
"""
"""The column ``config`` of a query that joins ``port`` and ``port_applied``.

It is for a ``Json[PortConfig | None]``, and null if the port's state is not known.
"""

CHANNEL = """
CASE WHEN port.channel IS NOT NULL THEN json_object('name', port.name, 'mode', port.channel_mode)
    WHEN port.channel_id IS NOT NULL THEN (
        SELECT json_object('name', own.name, 'mode', own.channel_mode)
        FROM port AS own WHERE own.id = port.channel_id)
END AS channel
"""
"""The column ``channel`` of a query that joins ``port``, for a ``Json[Channel | None]``.

It is the channel that HaaS makes of the port and others, or that the port is.
"""


class PortRow(Row, frozen=True):
    """A port, the nic behind it, and the project that holds the nic's node.

    ``config`` is what the switch last confirmed; null: not known. ``channel``: see ``SetPort``.
    ``drift`` is what was observed instead, in words. ``cabling`` is the verdict of the last check
    on the nic; ``stranger`` says what that check heard on the port and nobody registered.
    ``peer_switch``, ``peer_port`` and ``hypervisor``: what a trunk port is declared to lead to, and
    ``wrong`` what LLDP contradicts that with.
    """

    id: int
    name: str
    role: Literal["access", "trunk"]
    switch_id: int
    switch: str
    config: Json[PortConfig | None]
    channel: Json[Channel | None]
    nic_id: int | None
    nic: str | None
    node: str | None
    project: str | None
    drift: str | None
    cabling: CablingState | None
    stranger: str | None
    peer_switch: str | None
    peer_port: str | None
    hypervisor: str | None
    wrong: str | None

    @property
    def is_channel(self) -> bool:
        """True if it is a channel that HaaS makes of other ports."""
        return self.channel is not None and self.channel.name == self.name


class PortStateRow(Row, frozen=True):
    """What a port was last confirmed to carry; null: not known. ``channel``: see ``SetPort``."""

    name: str
    config: Json[PortConfig | None]
    channel: Json[Channel | None]


class _ParkingRow(Row, frozen=True):
    name: str
    channel: Json[Channel | None]


class PortRoleRow(Row, frozen=True):
    """A port and its role."""

    name: str
    canonical: str
    role: Literal["access", "trunk"]


_PORT = f"""
SELECT port.id, port.name, port.role, switch.id AS switch_id, switch.name AS switch, {CONFIG},
    {CHANNEL}, nic.id AS nic_id, nic.name AS nic, node.name AS node, project.name AS project,
    drift.observed AS drift, nic_cabling.state AS cabling,
    CASE WHEN stranger.port IS NOT NULL THEN trim(ifnull(stranger.neighbour || ', ', '')
        || ifnull((SELECT group_concat(value, ', ') FROM json_each(stranger.macs)), ''), ', ')
        END AS stranger,
    peer_switch.name AS peer_switch, peer.name AS peer_port, trunk_end.hypervisor, trunk_end.wrong
FROM port JOIN switch ON switch.id = port.switch_id
LEFT JOIN port_applied ON port_applied.port_id = port.id
LEFT JOIN nic ON nic.id = port.nic_id
LEFT JOIN node ON node.id = nic.node_id
LEFT JOIN allocation ON allocation.node_id = node.id
LEFT JOIN project ON project.id = allocation.project_id
LEFT JOIN drift ON drift.device = switch.name AND drift.kind = 'port' AND drift.target = port.name
LEFT JOIN nic_cabling ON nic_cabling.nic_id = nic.id
LEFT JOIN stranger ON stranger.switch_id = switch.id AND stranger.port = port.name
LEFT JOIN trunk_end ON trunk_end.port_id = port.id
LEFT JOIN port AS peer ON peer.id = trunk_end.peer_id
LEFT JOIN switch AS peer_switch ON peer_switch.id = peer.switch_id
"""


def find(tx: Tx, switch: str, port: str) -> PortRow | None:
    """Return the port of this name on a switch."""
    return tx.one(PortRow, f"{_PORT} WHERE switch.name = ? AND port.name = ?", (switch, port))


def page(tx: Tx, switch_id: int, limit: int, after: int) -> list[PortRow]:
    """Return a switch's ports in the order of their registration."""
    return tx.query(
        PortRow,
        f"{_PORT} WHERE port.switch_id = ? AND port.id > ? ORDER BY port.id LIMIT ?",
        (switch_id, after, limit),
    )


def in_use(tx: Tx, switch_id: int) -> list[PortRow]:
    """Return the ports that prevent their switch's deletion: with a nic, or not parked and saved.

    A port that HaaS never set counts as parked.
    """
    return tx.query(
        PortRow,
        f"{_PORT} WHERE port.switch_id = ? AND (nic.id IS NOT NULL OR (port_applied.port_id"
        " IS NOT NULL AND port.id NOT IN (SELECT port_id FROM parked_port))) ORDER BY port.name",
        (switch_id,),
    )


def of_switch(tx: Tx, switch: str) -> list[PortRoleRow]:
    """Return the registered ports of a switch."""
    return tx.query(
        PortRoleRow,
        "SELECT port.name, port.canonical, port.role FROM port"
        " JOIN switch ON switch.id = port.switch_id"
        " WHERE switch.name = ? ORDER BY port.id",
        (switch,),
    )


def unconfirmed(tx: Tx, switch: str) -> list[PortRoleRow]:
    """Return the ports of a switch whose state is not known."""
    return tx.query(
        PortRoleRow,
        "SELECT port.name, port.canonical, port.role FROM port"
        " JOIN switch ON switch.id = port.switch_id"
        " LEFT JOIN port_applied ON port_applied.port_id = port.id"
        " WHERE switch.name = ? AND port_applied.confirmed IS NOT 1 ORDER BY port.id",
        (switch,),
    )


def touched(tx: Tx, switch: str) -> list[str]:
    """Name the ports of a switch that HaaS has ever set, or tried to set."""
    return tx.values(
        str,
        "SELECT port.name FROM port JOIN switch ON switch.id = port.switch_id"
        " JOIN port_applied ON port_applied.port_id = port.id"
        " WHERE switch.name = ? ORDER BY port.id",
        (switch,),
    )


def parking(tx: Tx, switch: str) -> list[SetPort]:
    """Return the changes that park the ports of a switch that HaaS ever set, or tried to set."""
    rows = tx.query(
        _ParkingRow,
        f"SELECT port.name, {CHANNEL} FROM port JOIN switch ON switch.id = port.switch_id"
        " JOIN port_applied ON port_applied.port_id = port.id"
        " WHERE switch.name = ? ORDER BY port.id",
        (switch,),
    )
    return [SetPort(row.name, PARKED, row.channel) for row in rows]


def closing(tx: Tx, switch: str, names: Iterable[str]) -> list[SetPort]:
    """Return the changes that shut some ports; those of a channel are the members of that."""
    wanted = set(names)
    return [
        change
        for change in parking(tx, switch)
        if not change.is_channel
        and (change.port in wanted or (change.channel and change.channel.name in wanted))
    ]


def states(tx: Tx, switch_id: int) -> list[PortStateRow]:
    """Return what the ports of a switch were last confirmed to carry: those that HaaS ever set."""
    return tx.query(
        PortStateRow,
        f"SELECT port.name, {CONFIG}, {CHANNEL} FROM port"
        " JOIN port_applied ON port_applied.port_id = port.id WHERE port.switch_id = ?",
        (switch_id,),
    )


def confirmed(tx: Tx, switch: str) -> dict[str, PortConfig]:
    """Return what the ports of a switch were last confirmed to carry, where that is known."""
    switch_id = tx.value(int, "SELECT id FROM switch WHERE name = ?", (switch,))
    rows = [] if switch_id is None else states(tx, switch_id)
    return {row.name: row.config for row in rows if row.config is not None}


def id_of(tx: Tx, switch: str, port: str) -> int | None:
    """Return the id of a port; None if it is not registered."""
    return tx.value(
        int,
        "SELECT port.id FROM port JOIN switch ON switch.id = port.switch_id"
        " WHERE switch.name = ? AND port.name = ?",
        (switch, port),
    )


def name_of(tx: Tx, switch_id: int, canonical: str) -> str | None:
    """Return the name under which a port is registered, by its canonical name."""
    return tx.value(
        str, "SELECT name FROM port WHERE switch_id = ? AND canonical = ?", (switch_id, canonical)
    )


def canonical_names(tx: Tx, switch_id: int) -> list[str]:
    """Return the canonical names of a switch's registered ports."""
    return tx.values(str, "SELECT canonical FROM port WHERE switch_id = ?", (switch_id,))


def create(tx: Tx, switch_id: int, name: str, canonical: str, role: str) -> None:
    """Add a port. Raises sqlite3.IntegrityError if the switch has it already."""
    tx.insert("port", switch_id=switch_id, name=name, canonical=canonical, role=role)


def set_role(tx: Tx, port_id: int, role: str) -> None:
    """Change a port's role. Its state is not known from then on."""
    tx.execute("UPDATE port SET role = ? WHERE id = ?", (role, port_id))
    if tx.exists("SELECT 1 FROM port_applied WHERE port_id = ?", (port_id,)):
        set_unknown(tx, port_id)


def delete(tx: Tx, port_id: int) -> None:
    """Remove a port and its drift. Raises sqlite3.IntegrityError if there is a nic behind it."""
    tx.execute(
        "DELETE FROM drift WHERE kind = 'port' AND (device, target) = (SELECT switch.name,"
        " port.name FROM port JOIN switch ON switch.id = port.switch_id WHERE port.id = ?)",
        (port_id,),
    )
    tx.execute("DELETE FROM port WHERE id = ?", (port_id,))


# --- channels -------------------------------------------------------------------------------------


def create_channel(
    tx: Tx, switch_id: int, name: str, canonical: str, number: int, mode: str, nic_id: int
) -> None:
    """Add a channel and make the ports of a nic its members to be.

    Raises sqlite3.IntegrityError if the switch has a port of this name or a channel of this number.
    """
    channel_id = tx.insert(
        "port",
        switch_id=switch_id,
        name=name,
        canonical=canonical,
        role="access",
        channel=number,
        channel_mode=mode,
    )
    tx.execute("UPDATE port SET channel_id = ? WHERE nic_id = ?", (channel_id, nic_id))
    tx.execute("UPDATE port SET nic_id = ? WHERE id = ?", (nic_id, channel_id))


def member_of(tx: Tx, port_id: int) -> Channel | None:
    """Return the channel that HaaS makes of a port and others."""
    rows = tx.query(
        _ParkingRow,
        f"SELECT port.name, {CHANNEL} FROM port WHERE id = ? AND channel IS NULL",
        (port_id,),
    )
    return rows[0].channel if rows else None


def forget_channels(tx: Tx) -> None:
    """Remove the channels without a nic that are certainly gone from their switches.

    The index has channels only: SQLite by itself would look at all ports without a nic.
    """
    gone = tx.values(
        int,
        "SELECT id FROM port INDEXED BY one_channel_of_a_number"
        " WHERE channel IS NOT NULL AND nic_id IS NULL"
        " AND (EXISTS (SELECT 1 FROM parked_port WHERE parked_port.port_id = port.id)"
        " OR NOT EXISTS (SELECT 1 FROM port_applied WHERE port_applied.port_id = port.id))"
        " AND NOT EXISTS (SELECT 1 FROM port AS member"
        " JOIN port_applied ON port_applied.port_id = member.id"
        " WHERE member.channel_id = port.id AND port_applied.member IS NOT NULL)",
    )
    for port_id in gone:
        delete(tx, port_id)


# --- what a port carries --------------------------------------------------------------------------


def set_unknown(tx: Tx, port_id: int) -> None:
    """Write that a port's state is not known, nor what of it is saved."""
    _write(tx, port_id, confirmed=False, config=PARKED)


def confirm(tx: Tx, port_id: int, config: PortConfig) -> set[int]:
    """Write what a port was read to carry; return the VLANs that it may have carried until then.

    It is not saved yet, unless its switch keeps every change at once.
    """
    _write(tx, port_id, confirmed=True, config=config)
    before = set(tx.values(int, "SELECT vlan FROM port_carries WHERE port_id = ?", (port_id,)))
    tx.execute("DELETE FROM port_carries WHERE port_id = ?", (port_id,))
    carry(tx, port_id, config.vlans)
    return before - config.vlans


def _write(tx: Tx, port_id: int, *, confirmed: bool, config: PortConfig) -> None:
    tx.execute(
        "INSERT INTO port_applied (port_id, confirmed, untagged, member, saved)"
        " SELECT port.id, :confirmed, :untagged, :member, :confirmed AND switch.dialect IN"
        " (SELECT name FROM dialect_without_save)"
        " FROM port JOIN switch ON switch.id = port.switch_id WHERE port.id = :port"
        " ON CONFLICT (port_id) DO UPDATE SET confirmed = excluded.confirmed,"
        " untagged = excluded.untagged, member = excluded.member, saved = excluded.saved",
        {
            "port": port_id,
            "confirmed": int(confirmed),
            "untagged": config.untagged,
            "member": None if config.member is None else config.member.mode,
        },
    )
    tx.execute("DELETE FROM port_applied_tagged WHERE port_id = ?", (port_id,))
    tx.execute_many(
        "INSERT INTO port_applied_tagged (port_id, vlan) VALUES (?, ?)",
        [(port_id, vlan) for vlan in sorted(set(config.tagged))],
    )


def carry(tx: Tx, port_id: int, vlans: Iterable[int]) -> None:
    """Write that a port may carry some VLANs.

    A trunk port carries the whole pool, so it does not count: no VLAN id would ever become free.
    """
    if tx.exists("SELECT 1 FROM port WHERE id = ? AND role <> 'trunk'", (port_id,)):
        tx.execute_many(
            "INSERT OR IGNORE INTO port_carries VALUES (?, ?)", [(port_id, vlan) for vlan in vlans]
        )
