"""Queries of cabling: what a check compares, and what came of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from haas_rpcd.model import PortRef
from haas_rpcd.planner.cabling import (
    CabledNic,
    CablingRow,
    CablingVerdict,
    KnownSwitch,
    Seen,
    as_mac,
)
from haas_rpcd.planner.cabling import LinkRow as Told
from haas_rpcd.planner.links import DeclaredEnd, LinkVerdict, judge
from haas_rpcd.registered import SwitchMarks
from haas_rpcd.store import trunks as store_trunks
from haas_rpcd.store.database import Tx
from haas_rpcd.store.rows import Json, Row
from haas_rpcd.store.trunks import TrunkEndRow
from haas_schemas.cabling import CablingState, SightingSource
from haas_schemas.common import timestamp


class CablingNicRow(Row, frozen=True):
    """A nic, the verdict of the last check on it, and where it was last seen.

    ``ports`` are those that it is plugged into, and their channel, as pairs of switch and port.
    ``parked``: they are confirmed to carry nothing. ``project_id`` holds its node. Times are in
    seconds since the epoch.
    """

    id: int
    node: str
    nic: str
    mac: str | None
    bond: str | None
    ports: Json[tuple[tuple[str, str], ...]]
    parked: bool
    project_id: int | None
    state: CablingState | None
    why: str | None
    checked: float | None
    seen_mac: str | None
    seen_switch: str | None
    seen_port: str | None
    seen_vlan: int | None
    seen_how: SightingSource | None
    seen_at: float | None

    @property
    def label(self) -> str:
        """The nic as people write it."""
        return f"{self.node}:{self.nic}"

    @property
    def cabled(self) -> CabledNic:
        """The nic as the comparison takes it."""
        places = tuple(PortRef(switch, port) for switch, port in self.ports)
        return CabledNic(self.node, self.nic, self.mac, places, self.parked)

    @property
    def place(self) -> tuple[str | None, str | None]:
        """The switch and the port of a nic that is no bond; else None."""
        return self.ports[0] if self.bond is None and self.ports else (None, None)

    @property
    def seen(self) -> Seen | None:
        """Where it was last seen."""
        if self.seen_switch is None or self.seen_port is None or self.seen_how is None:
            return None
        place = PortRef(self.seen_switch, self.seen_port)
        at = timestamp(self.seen_at)
        return Seen(place, self.seen_mac or "", self.seen_vlan, self.seen_how, at)


class AlarmRow(Row, frozen=True):
    """A nic that is not cabled as registered, and the project that holds its node."""

    node: str
    nic: str
    why: str
    project: str | None


class StrangerRow(Row, frozen=True):
    """What was heard on a port that nobody registered."""

    switch: str
    port: str
    macs: Json[tuple[str, ...]]
    neighbour: str | None
    time: float


class LinkRow(Row, frozen=True):
    """A cable between two switches, as the first one's LLDP tells it."""

    switch: str
    port: str
    peer: str
    peer_port: str
    time: float


class _SwitchRow(Row, frozen=True):
    name: str
    dialect: str
    identity: Json[SwitchMarks | None]


class _PortRow(Row, frozen=True):
    switch: str
    name: str
    canonical: str
    role: str


_NIC = """
SELECT nic.id, node.name AS node, nic.name AS nic, nic.mac, nic.bond,
    (SELECT json_group_array(json_array(switch, port)) FROM (
        SELECT switch.name AS switch, port.name AS port FROM port
        JOIN switch ON switch.id = port.switch_id WHERE port.nic_id = nic.id
        ORDER BY port.leg, port.id)) AS ports,
    NOT EXISTS (SELECT 1 FROM port LEFT JOIN port_applied ON port_applied.port_id = port.id
        WHERE port.nic_id = nic.id AND (port_applied.confirmed IS NOT 1
        OR port_applied.untagged IS NOT NULL OR EXISTS (SELECT 1 FROM port_applied_tagged
        WHERE port_applied_tagged.port_id = port.id))) AS parked,
    allocation.project_id, nic_cabling.state, nic_cabling.why, nic_cabling.checked,
    sighting.mac AS seen_mac, seen_switch.name AS seen_switch, sighting.port AS seen_port,
    sighting.vlan AS seen_vlan, sighting.how AS seen_how, sighting.time AS seen_at
FROM nic JOIN node ON node.id = nic.node_id
LEFT JOIN allocation ON allocation.node_id = nic.node_id
LEFT JOIN nic_cabling ON nic_cabling.nic_id = nic.id
LEFT JOIN sighting ON sighting.nic_id = nic.id
LEFT JOIN switch AS seen_switch ON seen_switch.id = sighting.switch_id
"""


class Inventory(msgspec.Struct, frozen=True):
    """All that is registered, as the comparison takes it.

    ``names`` has the registered names of ports, by switch and canonical name; ``dialects`` the
    dialects of switches.
    """

    nics: tuple[CabledNic, ...]
    ids: dict[str, int]
    before: dict[str, Seen]
    switches: tuple[KnownSwitch, ...]
    names: dict[tuple[str, str], str]
    dialects: dict[str, str]


def inventory(tx: Tx) -> Inventory:
    """Return all that is registered, and where nics were last seen."""
    nics = tx.query(CablingNicRow, f"{_NIC} ORDER BY node.name, nic.id")
    trunks: dict[str, set[PortRef]] = {}
    access: dict[str, set[PortRef]] = {}
    names = {}
    for port in tx.query(
        _PortRow,
        "SELECT switch.name AS switch, port.name, port.canonical, port.role FROM port"
        " JOIN switch ON switch.id = port.switch_id",
    ):
        found = trunks if port.role == "trunk" else access
        found.setdefault(port.switch, set()).add(PortRef(port.switch, port.name))
        names[port.switch, port.canonical] = port.name
    rows = tx.query(_SwitchRow, "SELECT name, dialect, identity FROM switch ORDER BY name")
    return Inventory(
        nics=tuple(row.cabled for row in nics),
        ids={row.label: row.id for row in nics},
        before={row.label: row.seen for row in nics if row.seen is not None},
        switches=tuple(
            KnownSwitch(
                row.name,
                _macs(row.identity),
                frozenset(trunks.get(row.name, ())),
                frozenset(access.get(row.name, ())),
            )
            for row in rows
        ),
        names=names,
        dialects={row.name: row.dialect for row in rows},
    )


def _macs(marks: SwitchMarks | None) -> frozenset[str]:
    found = {as_mac(mac) for mac in marks.macs} if marks is not None else set()
    return frozenset(mac for mac in found if mac is not None)


# --- what came of it ------------------------------------------------------------------------------


def record(
    tx: Tx, verdict: CablingVerdict, ids: dict[str, int], read: Iterable[str], now: float
) -> tuple[list[AlarmRow], list[AlarmRow]]:
    """Store the verdict of a check that has ``read`` some switches.

    Returns the alarms that are new, and those that ended. ``now`` is in seconds since the epoch.
    Nics that were deleted, or registered otherwise, since the verdict are left out.
    """
    before = {(row.node, row.nic): row for row in alarms(tx)}
    rows = [row for row in verdict.rows if _still_so(tx, row, ids)]
    tx.execute_many(
        "INSERT OR REPLACE INTO nic_cabling (nic_id, state, why, checked) VALUES (?, ?, ?, ?)",
        [(ids[row.nic.label], row.state, row.why, now) for row in rows],
    )
    tx.execute_many(
        "INSERT OR REPLACE INTO sighting (nic_id, mac, switch_id, port, vlan, how, time)"
        " SELECT ?, ?, id, ?, ?, ?, ? FROM switch WHERE name = ?",
        [
            (
                ids[row.nic.label],
                seen.mac,
                seen.place.port,
                seen.vlan,
                seen.how,
                now,
                seen.place.switch,
            )
            for row in rows
            if (seen := row.seen) is not None and seen.at is None
        ],
    )
    for switch in read:
        _forget_switch(tx, switch)
        tx.execute("UPDATE switch SET cabling_checked = ? WHERE name = ?", (now, switch))
    tx.execute_many(
        "INSERT OR REPLACE INTO stranger (switch_id, port, macs, neighbour, time)"
        " SELECT id, ?, ?, ?, ? FROM switch WHERE name = ?",
        [
            (
                one.place.port,
                msgspec.json.encode(one.macs).decode(),
                one.neighbour,
                now,
                one.place.switch,
            )
            for one in verdict.strangers
        ],
    )
    tx.execute_many(
        "INSERT OR REPLACE INTO switch_link (switch_id, port, peer_id, peer_port, time)"
        " SELECT ours.id, ?, peer.id, ?, ? FROM switch AS ours, switch AS peer"
        " WHERE ours.name = ? AND peer.name = ?",
        [(one.place.port, one.peer_port, now, one.place.switch, one.peer) for one in verdict.links],
    )
    after = {(row.node, row.nic): row for row in alarms(tx)}
    new = [row for key, row in after.items() if key not in before]
    return new, [row for key, row in before.items() if key not in after]


def judge_links(tx: Tx, told: Iterable[Told], known: Inventory) -> LinkVerdict:
    """Compare what LLDP tells of cables between switches with what is declared of trunk ports."""
    return judge(
        told,
        [DeclaredEnd(end.ref, end.peer, end.hypervisor) for end in store_trunks.everyone(tx)],
        trunks=frozenset().union(*(switch.trunks for switch in known.switches)),
        ports=frozenset(PortRef(switch, port) for (switch, _), port in known.names.items()),
    )


def record_links(tx: Tx, verdict: LinkVerdict) -> tuple[list[TrunkEndRow], list[TrunkEndRow]]:
    """Store what LLDP says of declarations; what it says nothing of stays as it was.

    Returns those that it contradicts now, and did not before, and those that it does no more.
    """
    before = {row.ref: row for row in store_trunks.wrong(tx)}
    store_trunks.set_wrong(tx, ((end.place, end.wrong) for end in verdict.ends))
    after = {row.ref: row for row in store_trunks.wrong(tx)}
    new = [row for ref, row in after.items() if ref not in before]
    return new, [row for ref, row in before.items() if ref not in after]


def forget_other_places(tx: Tx, nic_id: int) -> None:
    """Forget where a nic was seen, unless it is registered there now.

    Whoever registers it at another port has moved the cable: that it was elsewhere is no alarm.
    """
    tx.execute(
        "DELETE FROM sighting WHERE nic_id = :nic AND NOT EXISTS (SELECT 1 FROM port"
        " WHERE port.nic_id = :nic AND port.switch_id = sighting.switch_id"
        " AND port.name = sighting.port)",
        {"nic": nic_id},
    )


def _still_so(tx: Tx, row: CablingRow, ids: dict[str, int]) -> bool:
    """Return whether a nic is registered as it was when the verdict was made."""
    known = tx.one(CablingNicRow, f"{_NIC} WHERE nic.id = ?", (ids[row.nic.label],))
    return known is not None and (known.mac, known.cabled.places) == (row.nic.mac, row.nic.places)


def _forget_switch(tx: Tx, switch: str) -> None:
    for table in ("stranger", "switch_link"):
        tx.execute(
            f"DELETE FROM {table} WHERE switch_id = (SELECT id FROM switch WHERE name = ?)",
            (switch,),
        )


# --- reading it -----------------------------------------------------------------------------------


def of_node(tx: Tx, node_id: int) -> list[CablingNicRow]:
    """Return what is known of a node's nics, in the order of registration."""
    return tx.query(CablingNicRow, f"{_NIC} WHERE nic.node_id = ? ORDER BY nic.id", (node_id,))


def of_nics(tx: Tx, labels: Sequence[str]) -> list[CablingNicRow]:
    """Return what is known of some nics, by node and in the order of registration."""
    wanted = set(labels)
    rows = tx.query(CablingNicRow, f"{_NIC} ORDER BY node.name, nic.id")
    return [row for row in rows if row.label in wanted]


def alarms(tx: Tx) -> list[AlarmRow]:
    """Return the nics that are not cabled as registered, by node and nic."""
    return tx.query(
        AlarmRow,
        "SELECT node.name AS node, nic.name AS nic, nic_cabling.why, project.name AS project"
        " FROM nic_cabling JOIN nic ON nic.id = nic_cabling.nic_id"
        " JOIN node ON node.id = nic.node_id"
        " LEFT JOIN allocation ON allocation.node_id = node.id"
        " LEFT JOIN project ON project.id = allocation.project_id"
        " WHERE nic_cabling.state = 'swapped' ORDER BY node.name, nic.id",
    )


class _CountRow(Row, frozen=True):
    state: CablingState
    nics: int


def counts(tx: Tx) -> dict[CablingState, int]:
    """Return how many nics the last check of each found in each state."""
    rows = tx.query(
        _CountRow, "SELECT state, count(*) AS nics FROM nic_cabling GROUP BY state ORDER BY state"
    )
    return {row.state: row.nics for row in rows}


def strangers(tx: Tx, switch: str | None = None) -> list[StrangerRow]:
    """Return what nobody registered, on one switch or on all."""
    return tx.query(
        StrangerRow,
        "SELECT switch.name AS switch, stranger.port, stranger.macs, stranger.neighbour,"
        " stranger.time FROM stranger JOIN switch ON switch.id = stranger.switch_id"
        " WHERE ? IS NULL OR switch.name = ? ORDER BY switch.name, stranger.port",
        (switch, switch),
    )


def links(tx: Tx, switch: str | None = None) -> list[LinkRow]:
    """Return the cables that one switch, or all, have to other switches."""
    return tx.query(
        LinkRow,
        "SELECT switch.name AS switch, switch_link.port, peer.name AS peer, switch_link.peer_port,"
        " switch_link.time FROM switch_link JOIN switch ON switch.id = switch_link.switch_id"
        " JOIN switch AS peer ON peer.id = switch_link.peer_id"
        " WHERE ? IS NULL OR switch.name = ? ORDER BY switch.name, switch_link.port",
        (switch, switch),
    )
