"""Queries of nics: where they are plugged in, and what is staged on them.

A nic is plugged into one port, or into several as a bond. If the switch has to bundle those, their
channel is one more port of the nic, which HaaS makes and removes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from haas_rpcd.model import PortConfig
from haas_rpcd.store.database import Tx
from haas_rpcd.store.ports import CONFIG
from haas_rpcd.store.rows import Json, Row
from haas_schemas.cabling import CablingState
from haas_schemas.node import BondMode, NicKind


class NicPort(msgspec.Struct, frozen=True, gc=False):
    """A port that a nic is plugged into. ``config``: as it was last confirmed; None: not known."""

    id: int
    switch: str
    name: str
    config: PortConfig | None


class RegisteredNic(msgspec.Struct, frozen=True, gc=False):
    """A nic, the ports that it is plugged into, and the channel that a switch makes of them.

    ``cabling`` is the verdict of the last check of the cabling, None if there was none.
    """

    id: int
    node_id: int
    name: str
    kind: NicKind
    mac: str | None
    bond: BondMode | None
    ports: tuple[NicPort, ...]
    channel: NicPort | None
    cabling: CablingState | None

    @property
    def config(self) -> PortConfig | None:
        """The VLANs that all its ports were last confirmed to carry; None if they differ."""
        if self.channel is None and len(self.ports) == 1:  # as nearly always
            only = self.ports[0].config
            if only is None or only.member is None:
                return only
        legs = (*self.ports, *([] if self.channel is None else [self.channel]))
        carried = {
            None if leg.config is None else (leg.config.untagged, leg.config.tagged) for leg in legs
        }
        if len(carried) != 1 or None in carried:
            return None
        config = legs[0].config
        return None if config is None else PortConfig(config.untagged, config.tagged)

    @property
    def place(self) -> NicPort | None:
        """The port of a nic that is no bond; None if there is none."""
        return self.ports[0] if self.bond is None and self.ports else None


class _LegRow(Row, frozen=True):
    """A nic, with one of its ports if there is any."""

    id: int
    node_id: int
    name: str
    kind: NicKind
    mac: str | None
    bond: BondMode | None
    port_id: int | None
    switch: str | None
    port: str | None
    is_channel: bool
    config: Json[PortConfig | None]
    cabling: CablingState | None


class ConnectionRow(Row, frozen=True):
    """The VLAN of a network staged on a nic."""

    nic_id: int
    vlan: int
    tagged: bool


_NIC = f"""
SELECT nic.id, nic.node_id, nic.name, nic.kind, nic.mac, nic.bond, port.id AS port_id,
    switch.name AS switch, port.name AS port, port.channel IS NOT NULL AS is_channel, {CONFIG},
    nic_cabling.state AS cabling
FROM nic LEFT JOIN port ON port.nic_id = nic.id
LEFT JOIN switch ON switch.id = port.switch_id
LEFT JOIN port_applied ON port_applied.port_id = port.id
LEFT JOIN nic_cabling ON nic_cabling.nic_id = nic.id
"""


def _grouped(rows: Iterable[_LegRow]) -> list[RegisteredNic]:
    """Return nics from their rows, which are in the order of the nics."""
    found: list[RegisteredNic] = []
    legs: list[_LegRow] = []
    for row in rows:
        if legs and legs[0].id != row.id:
            found.append(_of_legs(legs))
            legs = []
        legs.append(row)
    return [*found, _of_legs(legs)] if legs else found


def _of_legs(legs: Sequence[_LegRow]) -> RegisteredNic:
    """Return a nic from its rows, one for each of its ports."""
    first, ports, channel = legs[0], [], None
    for leg in legs:
        if leg.port_id is None or leg.switch is None or leg.port is None:
            continue
        port = NicPort(leg.port_id, leg.switch, leg.port, leg.config)
        if leg.is_channel:
            channel = port
        else:
            ports.append(port)
    return RegisteredNic(
        first.id,
        first.node_id,
        first.name,
        first.kind,
        first.mac,
        first.bond,
        tuple(ports),
        channel,
        first.cabling,
    )


def of_nodes(tx: Tx, node_ids: Sequence[int]) -> dict[int, list[RegisteredNic]]:
    """Return the nics of several nodes, in the order of registration, by the node's id."""
    nics: dict[int, list[RegisteredNic]] = {node_id: [] for node_id in node_ids}
    marks = ", ".join("?" * len(node_ids))
    for nic in _grouped(
        tx.query(
            _LegRow,
            f"{_NIC} WHERE nic.node_id IN ({marks}) ORDER BY nic.id, port.leg, port.id",
            node_ids,
        )
    ):
        nics[nic.node_id].append(nic)
    return nics


def find(tx: Tx, node_id: int, name: str) -> RegisteredNic | None:
    """Return the nic of this name of a node."""
    rows = tx.query(
        _LegRow,
        f"{_NIC} WHERE nic.node_id = ? AND nic.name = ? ORDER BY port.leg, port.id",
        (node_id, name),
    )
    return next(iter(_grouped(rows)), None)


def holder_of_mac(tx: Tx, mac: str) -> str | None:
    """Name the nic with this MAC address, as ``node:nic``."""
    return tx.value(
        str,
        "SELECT node.name || ':' || nic.name FROM nic JOIN node ON node.id = nic.node_id"
        " WHERE nic.mac = ?",
        (mac,),
    )


# --- registering ----------------------------------------------------------------------------------


def create(
    tx: Tx, node_id: int, name: str, kind: str, mac: str | None, bond: str | None = None
) -> int:
    """Add a nic that is plugged in nowhere; return its id.

    Raises sqlite3.IntegrityError if its name or MAC address is taken, or the node is held.
    """
    return tx.insert("nic", node_id=node_id, name=name, kind=kind, mac=mac, bond=bond)


def update(tx: Tx, nic_id: int, kind: str, mac: str | None, bond: str | None) -> None:
    """Change a nic. Raises sqlite3.IntegrityError if the MAC address is taken."""
    tx.execute("UPDATE nic SET kind = ?, mac = ?, bond = ? WHERE id = ?", (kind, mac, bond, nic_id))


def plug(tx: Tx, nic_id: int, port_ids: Sequence[int]) -> None:
    """Write which ports a nic is plugged into, and into no others.

    Raises sqlite3.IntegrityError if the node is held. A channel that it had is without a nic then.
    """
    tx.execute("UPDATE port SET nic_id = NULL WHERE nic_id = ?", (nic_id,))
    tx.execute_many(
        "UPDATE port SET nic_id = ?, leg = ? WHERE id = ?",
        [(nic_id, leg, port_id) for leg, port_id in enumerate(port_ids)],
    )


def delete(tx: Tx, nic_id: int) -> None:
    """Remove a nic. Raises sqlite3.IntegrityError while it is connected."""
    tx.execute("DELETE FROM nic WHERE id = ?", (nic_id,))


# --- what is staged -------------------------------------------------------------------------------


def connections_of(tx: Tx, node_ids: Sequence[int]) -> dict[int, list[ConnectionRow]]:
    """Return what is staged on the nics of several nodes, by the nic's id, untagged first.

    Nics without a network are left out.
    """
    connections: dict[int, list[ConnectionRow]] = {}
    marks = ", ".join("?" * len(node_ids))
    for row in tx.query(
        ConnectionRow,
        "SELECT connection.nic_id, vlan_claim.vlan, connection.tagged"
        " FROM connection JOIN nic ON nic.id = connection.nic_id"
        " JOIN vlan_claim ON vlan_claim.network_id = connection.network_id"
        f" WHERE nic.node_id IN ({marks}) ORDER BY connection.tagged, vlan_claim.vlan",
        node_ids,
    ):
        connections.setdefault(row.nic_id, []).append(row)
    return connections


def connect(tx: Tx, nic_id: int, network_id: int, tagged: bool) -> None:
    """Stage a network on a nic. An untagged network replaces the previous untagged one."""
    tx.execute(
        "DELETE FROM connection WHERE nic_id = ? AND (network_id = ? OR (? = 0 AND tagged = 0))",
        (nic_id, network_id, int(tagged)),
    )
    tx.insert("connection", nic_id=nic_id, network_id=network_id, tagged=int(tagged))


def disconnect(tx: Tx, nic_id: int, network_id: int | None) -> int:
    """Stage a nic off one network, or off all; return how many that were."""
    return tx.execute(
        "DELETE FROM connection WHERE nic_id = ? AND (? IS NULL OR network_id = ?)",
        (nic_id, network_id, network_id),
    )
