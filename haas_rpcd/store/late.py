"""Queries of what may change late: a switch did not answer a line, and may still execute it.

A session that hangs on a line may finish it after HaaS gave it up, and after everything was set
anew in another session. Until that is impossible, a port that the line concerns is not parked, a
VLAN that the line may bring back is not free, and if the line saves, nothing counts as saved.
"""

from __future__ import annotations

from typing import Literal

from haas_rpcd.boottime import Moment
from haas_rpcd.model import SaveConfig, SetPort, SetVlan
from haas_rpcd.store import ports, saves
from haas_rpcd.store.database import Tx
from haas_rpcd.store.rows import Row


class LateRow(Row, frozen=True):
    """A port, a VLAN or the saved configuration that may change late.

    The line that may change it was given up at a moment.
    """

    kind: Literal["port", "vlan", "save"]
    target: str
    boot: str
    seconds: float

    @property
    def since(self) -> Moment:
        """The moment at which the line was given up."""
        return Moment(self.boot, self.seconds)


class LatePortRow(Row, frozen=True):
    """A port of a node that may change late; None: how it was saved may."""

    node_id: int
    switch: str
    port: str | None
    boot: str
    seconds: float

    @property
    def since(self) -> Moment:
        """The moment at which the line was given up."""
        return Moment(self.boot, self.seconds)


def note(tx: Tx, switch: str, change: SetPort | SetVlan | SaveConfig, since: Moment) -> None:
    """Write that a change may still take effect. Does nothing for what is not registered.

    A trunk port carries the whole pool, so its VLANs do not count: none would ever be free.
    """
    vlans: frozenset[int] = frozenset()
    match change:
        case SetPort(port=name, config=config):
            port = ports.find(tx, switch, name)
            if port is None:
                return
            tx.execute("INSERT OR REPLACE INTO port_may_change VALUES (?, ?, ?)", (port.id, *since))
            vlans = frozenset() if port.role == "trunk" else config.vlans
        case SetVlan(vlan=vlan):
            vlans = frozenset({vlan})
        case SaveConfig():
            tx.execute(
                "INSERT OR REPLACE INTO switch_may_save SELECT id, ?, ? FROM switch WHERE name = ?",
                (*since, switch),
            )
    tx.execute_many(
        "INSERT OR REPLACE INTO vlan_may_change SELECT id, ?, ?, ? FROM switch WHERE name = ?",
        [(vlan, *since, switch) for vlan in sorted(vlans)],
    )


def on(tx: Tx, switch: str) -> list[LateRow]:
    """Return what may change late on a switch."""
    return tx.query(
        LateRow,
        "SELECT 'port' AS kind, port.name AS target, boot, seconds FROM port_may_change"
        " JOIN port ON port.id = port_id JOIN switch ON switch.id = port.switch_id"
        " WHERE switch.name = :switch"
        " UNION ALL SELECT 'vlan', CAST(vlan AS TEXT), boot, seconds FROM vlan_may_change"
        " JOIN switch ON switch.id = switch_id WHERE switch.name = :switch"
        " UNION ALL SELECT 'save', '', boot, seconds FROM switch_may_save"
        " JOIN switch ON switch.id = switch_id WHERE switch.name = :switch ORDER BY 1, 2",
        {"switch": switch},
    )


def switches(tx: Tx) -> list[str]:
    """Name the switches on which something may change late, except retired ones."""
    return tx.values(
        str,
        "SELECT name FROM switch WHERE retired IS NULL"
        " AND (id IN (SELECT switch_id FROM vlan_may_change)"
        " OR id IN (SELECT switch_id FROM switch_may_save)"
        " OR id IN (SELECT port.switch_id FROM port JOIN port_may_change ON port_id = port.id))"
        " ORDER BY name",
    )


def of_nodes(tx: Tx, node_ids: list[int]) -> list[LatePortRow]:
    """Return the ports of nodes that may change late, the last given up first.

    Nobody waits for those of retired switches.
    """
    marks = ", ".join("?" * len(node_ids))
    return tx.query(
        LatePortRow,
        "SELECT nic.node_id, switch.name AS switch, port.name AS port, boot, seconds"
        " FROM port_may_change JOIN port ON port.id = port_may_change.port_id"
        " JOIN nic ON nic.id = port.nic_id JOIN switch ON switch.id = port.switch_id"
        f" WHERE switch.retired IS NULL AND nic.node_id IN ({marks})"
        " UNION ALL SELECT DISTINCT nic.node_id, switch.name, NULL, boot, seconds"
        " FROM switch_may_save JOIN switch ON switch.id = switch_may_save.switch_id"
        " JOIN port ON port.switch_id = switch.id JOIN nic ON nic.id = port.nic_id"
        " JOIN port_applied ON port_applied.port_id = port.id"
        " WHERE switch.retired IS NULL AND port_applied.saved = 0"
        f" AND nic.node_id IN ({marks})"
        " ORDER BY seconds DESC, 2, 3",
        [*node_ids, *node_ids],
    )


def may_bring_back(tx: Tx, vlan: int) -> str | None:
    """Name a switch on which a VLAN may change late; None if there is none."""
    return tx.value(
        str,
        "SELECT name FROM switch JOIN vlan_may_change ON switch_id = switch.id"
        " WHERE vlan = ? ORDER BY name LIMIT 1",
        (vlan,),
    )


def settle(tx: Tx, switch: str, rows: list[LateRow]) -> None:
    """Write that these cannot change late any more, unless another line was given up since.

    After a late save, one more is due.
    """
    for row in rows:
        if row.kind == "save" and tx.execute(
            "DELETE FROM switch_may_save WHERE switch_id = (SELECT id FROM switch WHERE name = ?)"
            " AND (boot, seconds) = (?, ?)",
            (switch, row.boot, row.seconds),
        ):
            saves.mark(tx, switch, None)
    tx.execute_many(
        "DELETE FROM port_may_change WHERE port_id = (SELECT port.id FROM port JOIN switch"
        " ON switch.id = port.switch_id WHERE switch.name = ? AND port.name = ?)"
        " AND (boot, seconds) = (?, ?)",
        [(switch, row.target, row.boot, row.seconds) for row in rows if row.kind == "port"],
    )
    tx.execute_many(
        "DELETE FROM vlan_may_change WHERE switch_id = (SELECT id FROM switch WHERE name = ?)"
        " AND vlan = ? AND (boot, seconds) = (?, ?)",
        [(switch, int(row.target), row.boot, row.seconds) for row in rows if row.kind == "vlan"],
    )
