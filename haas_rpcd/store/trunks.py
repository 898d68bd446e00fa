"""Queries of what trunk ports lead to, as admins declare it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from haas_rpcd.model import PortRef
from haas_rpcd.states import Fabric
from haas_rpcd.store.database import Tx
from haas_rpcd.store.rows import Row


class TrunkEndRow(Row, frozen=True):
    """A trunk port, and what it is declared to lead to: a port of a switch, or a hypervisor.

    ``wrong`` says what LLDP contradicts it with; null: nothing.
    """

    switch: str
    port: str
    peer_switch: str | None
    peer_port: str | None
    hypervisor: str | None
    wrong: str | None

    @property
    def ref(self) -> PortRef:
        """The trunk port."""
        return PortRef(self.switch, self.port)

    @property
    def peer(self) -> PortRef | None:
        """The port at the other end of its cable; None if a hypervisor is there."""
        if self.peer_switch is None or self.peer_port is None:
            return None
        return PortRef(self.peer_switch, self.peer_port)

    @property
    def leads_to(self) -> str:
        """What it leads to, for people."""
        return f"{self.peer_switch} {self.peer_port}" if self.peer else f"{self.hypervisor}"


class _SwitchRow(Row, frozen=True):
    id: int
    name: str
    trunks: int
    retired: bool


class _LinkRow(Row, frozen=True):
    switch_id: int
    peer_id: int | None
    hypervisor: str | None


class _CountRow(Row, frozen=True):
    switch: str
    trunks: int


class _PairRow(Row, frozen=True):
    one: str
    other: str


_DECLARED = "(trunk_end.peer_id IS NOT NULL OR trunk_end.hypervisor IS NOT NULL)"

_END = """
SELECT switch.name AS switch, port.name AS port, peer_switch.name AS peer_switch,
    peer.name AS peer_port, trunk_end.hypervisor, trunk_end.wrong
FROM trunk_end JOIN port ON port.id = trunk_end.port_id JOIN switch ON switch.id = port.switch_id
LEFT JOIN port AS peer ON peer.id = trunk_end.peer_id
LEFT JOIN switch AS peer_switch ON peer_switch.id = peer.switch_id
"""


def everyone(tx: Tx) -> list[TrunkEndRow]:
    """Return what all trunk ports are declared to lead to, by switch and port."""
    return tx.query(TrunkEndRow, f"{_END} WHERE {_DECLARED} ORDER BY switch.name, port.id")


def of_switch(tx: Tx, switch_id: int) -> list[TrunkEndRow]:
    """Return what a switch's trunk ports are declared to lead to, in order of registration."""
    return tx.query(
        TrunkEndRow,
        f"{_END} WHERE port.switch_id = ? AND {_DECLARED} ORDER BY port.id",
        (switch_id,),
    )


def of_port(tx: Tx, port_id: int) -> TrunkEndRow | None:
    """Return what a port is declared to lead to; None if nothing is declared."""
    return tx.one(TrunkEndRow, f"{_END} WHERE port.id = ? AND {_DECLARED}", (port_id,))


def declare_peer(tx: Tx, port_id: int, peer_id: int) -> None:
    """Write that two trunk ports are the ends of one cable, and lead nowhere else.

    Raises sqlite3.IntegrityError if one is no trunk port, or both are on one switch.
    """
    _set(tx, port_id)
    _set(tx, peer_id)
    _set(tx, port_id, peer_id=peer_id)
    _set(tx, peer_id, peer_id=port_id)


def declare_hypervisor(tx: Tx, port_id: int, hypervisor: str) -> None:
    """Write that a trunk port leads to a hypervisor's trunk nic.

    Raises sqlite3.IntegrityError if it is no trunk port, or there is no such hypervisor.
    """
    _set(tx, port_id, hypervisor=hypervisor)


def forget(tx: Tx, port_id: int) -> None:
    """Write that a trunk port leads anywhere, and so does what it led to."""
    _set(tx, port_id)


def _set(
    tx: Tx, port_id: int, *, peer_id: int | None = None, hypervisor: str | None = None
) -> None:
    tx.execute(
        "UPDATE trunk_end SET peer_id = NULL, wrong = NULL WHERE peer_id = ? AND port_id IS NOT ?",
        (port_id, peer_id),
    )
    tx.execute(
        "INSERT INTO trunk_end (port_id, peer_id, hypervisor) VALUES (?, ?, ?)"
        " ON CONFLICT (port_id) DO UPDATE SET peer_id = excluded.peer_id,"
        " hypervisor = excluded.hypervisor, wrong = NULL",
        (port_id, peer_id, hypervisor),
    )


# --- for plans ------------------------------------------------------------------------------------


def declared(tx: Tx) -> bool:
    """Return whether anything is, or was, declared of any trunk port."""
    return tx.exists("SELECT 1 FROM trunk_end")


def counts(tx: Tx) -> dict[str, int]:
    """Return the number of trunk ports of each switch in service."""
    rows = tx.query(
        _CountRow,
        "SELECT switch.name AS switch, (SELECT count(*) FROM port WHERE switch_id = switch.id"
        " AND role = 'trunk') AS trunks FROM switch WHERE retired IS NULL",
    )
    return {row.switch: row.trunks for row in rows}


def ports(tx: Tx) -> frozenset[PortRef]:
    """Return all trunk ports."""
    rows = tx.query(
        _PairRow,
        "SELECT switch.name AS one, port.name AS other FROM port"
        " JOIN switch ON switch.id = port.switch_id WHERE port.role = 'trunk'",
    )
    return frozenset(PortRef(row.one, row.other) for row in rows)


def fabric(tx: Tx) -> Fabric | None:
    """Return what trunk ports lead to; None if nothing is, or was, declared of any."""
    if not declared(tx):
        return None
    switches = tx.query(
        _SwitchRow,
        "SELECT id, name, (SELECT count(*) FROM port WHERE switch_id = switch.id"
        " AND role = 'trunk') AS trunks, retired IS NOT NULL AS retired FROM switch ORDER BY name",
    )
    ends = tx.query(
        _LinkRow,
        "SELECT port.switch_id, peer.switch_id AS peer_id, trunk_end.hypervisor FROM trunk_end"
        " JOIN port ON port.id = trunk_end.port_id LEFT JOIN port AS peer"
        f" ON peer.id = trunk_end.peer_id WHERE {_DECLARED}",
    )
    names = {row.id: row.name for row in switches}
    taken = Counter(end.switch_id for end in ends)
    links = {
        (names[end.switch_id], names[end.peer_id])
        for end in ends
        if end.peer_id is not None and names[end.switch_id] < names[end.peer_id]
    }
    hosts = {(end.hypervisor, names[end.switch_id]) for end in ends if end.hypervisor is not None}
    return Fabric(
        open_ends=tuple(
            (row.name, row.trunks - taken[row.id] if row.trunks else 1) for row in switches
        ),
        links=tuple(sorted(links)),
        hosts=tuple(sorted(hosts)),
        retired=frozenset(row.name for row in switches if row.retired),
    )


# --- what LLDP says of them -----------------------------------------------------------------------


def set_wrong(tx: Tx, verdicts: Iterable[tuple[PortRef, str | None]]) -> None:
    """Write what LLDP contradicts declarations with; None: it confirms one."""
    tx.execute_many(
        "UPDATE trunk_end SET wrong = ? WHERE port_id = (SELECT port.id FROM port"
        " JOIN switch ON switch.id = port.switch_id WHERE switch.name = ? AND port.name = ?)",
        [(why, ref.switch, ref.port) for ref, why in verdicts],
    )


def wrong(tx: Tx) -> list[TrunkEndRow]:
    """Return what LLDP contradicts, by switch and port."""
    return tx.query(
        TrunkEndRow,
        f"{_END} WHERE trunk_end.wrong IS NOT NULL AND {_DECLARED} ORDER BY switch.name, port.id",
    )
