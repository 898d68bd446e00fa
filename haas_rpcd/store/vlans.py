"""Queries of VLANs: where each exists, and what carries it.

The functions that return something take any number of VLAN ids or other ids.
"""

from __future__ import annotations

from collections.abc import Sequence

from haas_rpcd.store.database import Tx
from haas_rpcd.store.rows import R, Row


class VlanRow(Row, frozen=True):
    """A VLAN id."""

    vlan: int


class LabelRow(Row, frozen=True):
    """A VLAN id and the name of its network, ``project/network``."""

    vlan: int
    label: str


class BridgeRow(Row, frozen=True):
    """A bridge that exists on a hypervisor, or may exist if that is not ``confirmed``."""

    hypervisor: str
    vlan: int
    confirmed: bool


class PresenceRow(Row, frozen=True):
    """A VLAN or a bridge that exists on a device, or may exist if that is not ``confirmed``."""

    vlan: int
    confirmed: bool


class SwitchVlanRow(Row, frozen=True):
    """A VLAN that exists on a switch, or may exist if that is not ``confirmed``."""

    switch: str
    vlan: int
    confirmed: bool


class PortCarriesRow(Row, frozen=True):
    """A VLAN that a port carries or may carry."""

    vlan: int
    port_id: int
    port: str
    switch: str


class HeadnodeCarriesRow(Row, frozen=True):
    """A VLAN that a headnode is on or may be on, and the headnode's hypervisor."""

    vlan: int
    headnode_id: int
    uuid: str
    hypervisor: str


def usable_by(tx: Tx, project_id: int | None) -> set[int]:
    """Return the VLANs of the networks that a project may use."""
    return set(
        tx.values(
            int,
            "SELECT vlan_claim.vlan FROM vlan_claim"
            " JOIN usable_network ON usable_network.network_id = vlan_claim.network_id"
            " WHERE usable_network.project_id = ?",
            (project_id,),
        )
    )


def of_others(tx: Tx, project_id: int) -> set[int]:
    """Return the VLANs that a project does not own and may not use, nor used until a share ended.

    They are those of networks that were never shared with it, and those that nobody owns.
    """
    return set(
        tx.values(
            int,
            "SELECT vlan FROM vlan_claim WHERE project_id IS NOT :project"
            " AND (network_id IS NULL OR network_id NOT IN"
            " (SELECT network_id FROM usable_network WHERE project_id = :project"
            " UNION SELECT network_id FROM share WHERE project_id = :project))",
            {"project": project_id},
        )
    )


def without_network(tx: Tx, vlans: Sequence[int]) -> frozenset[int]:
    """Return those of some VLANs whose network is deleted, or that never had one."""
    sql = "SELECT vlan FROM vlan_claim WHERE network_id IS NULL AND vlan IN ({})"
    return frozenset(row.vlan for row in by_ids(tx, VlanRow, sql, vlans))


# --- on switches ----------------------------------------------------------------------------------


def on_switches(tx: Tx, vlans: Sequence[int]) -> list[SwitchVlanRow]:
    """Return the switches on which some VLANs exist or may exist."""
    return by_ids(
        tx,
        SwitchVlanRow,
        "SELECT switch.name AS switch, switch_vlan.vlan, switch_vlan.confirmed FROM switch_vlan"
        " JOIN switch ON switch.id = switch_vlan.switch_id WHERE switch_vlan.vlan IN ({})",
        vlans,
    )


def everywhere(tx: Tx) -> list[SwitchVlanRow]:
    """Return all VLANs that HaaS has created, or may have created, with their switches."""
    return tx.query(
        SwitchVlanRow,
        "SELECT switch.name AS switch, switch_vlan.vlan, switch_vlan.confirmed FROM switch_vlan"
        " JOIN switch ON switch.id = switch_vlan.switch_id",
    )


def on_switch(tx: Tx, switch_id: int) -> list[PresenceRow]:
    """Return all VLANs that HaaS has created, or may have created, on a switch."""
    return tx.query(
        PresenceRow,
        "SELECT vlan, confirmed FROM switch_vlan WHERE switch_id = ? ORDER BY vlan",
        (switch_id,),
    )


def set_unknown(tx: Tx, switch: str, vlan: int) -> None:
    """Write that a VLAN may or may not exist on a switch."""
    _write(tx, switch, vlan, confirmed=False)


def adopt(tx: Tx, switch: str, vlan: int) -> None:
    """Write that a network's VLAN was found on a switch, as if HaaS had created it there."""
    _write(tx, switch, vlan, confirmed=True)


def confirm(tx: Tx, switch: str, vlan: int, *, present: bool) -> None:
    """Write whether a VLAN, after :func:`set_unknown`, was read to exist on a switch."""
    where = "WHERE vlan = ? AND switch_id = (SELECT id FROM switch WHERE name = ?)"
    change = "UPDATE switch_vlan SET confirmed = 1" if present else "DELETE FROM switch_vlan"
    tx.execute(f"{change} {where}", (vlan, switch))


def _write(tx: Tx, switch: str, vlan: int, *, confirmed: bool) -> None:
    tx.execute(
        "INSERT INTO switch_vlan (switch_id, vlan, confirmed)"
        " SELECT id, ?, ? FROM switch WHERE name = ?"
        " ON CONFLICT (switch_id, vlan) DO UPDATE SET confirmed = excluded.confirmed",
        (vlan, int(confirmed), switch),
    )


# --- on hypervisors -------------------------------------------------------------------------------


def bridges(tx: Tx, vlans: Sequence[int]) -> list[BridgeRow]:
    """Return the bridges of some VLANs that exist or may exist.

    One that was found to differ from what was applied is not ``confirmed`` any more.
    """
    return by_ids(
        tx,
        BridgeRow,
        "SELECT hypervisor, vlan, confirmed AND NOT EXISTS (SELECT 1 FROM drift"
        " WHERE device = hypervisor AND kind = 'bridge' AND target = 'br-vlan' || vlan)"
        " AS confirmed FROM bridge WHERE vlan IN ({})",
        vlans,
    )


def all_bridges(tx: Tx, hypervisor: str) -> list[PresenceRow]:
    """Return all bridges that exist, or may exist, on a hypervisor."""
    return tx.query(
        PresenceRow,
        "SELECT vlan, confirmed FROM bridge WHERE hypervisor = ? ORDER BY vlan",
        (hypervisor,),
    )


def has_bridge(tx: Tx, hypervisor: str, vlan: int) -> bool:
    """Return whether a VLAN's bridge is confirmed to exist on a hypervisor."""
    sql = "SELECT 1 FROM bridge WHERE hypervisor = ? AND vlan = ? AND confirmed"
    return tx.value(int, sql, (hypervisor, vlan)) is not None


def keep_bridge(tx: Tx, hypervisor: str, vlan: int) -> None:
    """Write that a VLAN's bridge was made on a hypervisor, whatever became of it."""
    _write_bridge(tx, hypervisor, vlan, confirmed=True)


def set_bridge_unknown(tx: Tx, hypervisor: str, vlan: int) -> None:
    """Write that a VLAN's bridge may or may not exist on a hypervisor."""
    _write_bridge(tx, hypervisor, vlan, confirmed=False)


def _write_bridge(tx: Tx, hypervisor: str, vlan: int, *, confirmed: bool) -> None:
    tx.execute(
        "INSERT INTO bridge (hypervisor, vlan, confirmed) VALUES (?, ?, ?)"
        " ON CONFLICT (hypervisor, vlan) DO UPDATE SET confirmed = excluded.confirmed",
        (hypervisor, vlan, int(confirmed)),
    )


def forget_bridges(tx: Tx, hypervisor: str) -> list[int]:
    """Write that no bridge of a hypervisor is known any more, because it cannot be read.

    Returns the VLANs of those that were.
    """
    sql = "SELECT vlan FROM bridge WHERE hypervisor = ? AND confirmed"
    known = tx.values(int, sql, (hypervisor,))
    tx.execute("UPDATE bridge SET confirmed = 0 WHERE hypervisor = ?", (hypervisor,))
    return list(known)


def remember_bridges(tx: Tx, hypervisor: str, vlans: Sequence[int]) -> None:
    """Write that bridges are known after all, unless they were removed since."""
    tx.execute_many(
        "UPDATE bridge SET confirmed = 1 WHERE hypervisor = ? AND vlan = ?",
        [(hypervisor, vlan) for vlan in vlans],
    )


def confirm_bridge(tx: Tx, hypervisor: str, vlan: int, *, present: bool) -> None:
    """Write whether a VLAN's bridge, after :func:`set_bridge_unknown`, was read to exist."""
    change = "UPDATE bridge SET confirmed = 1" if present else "DELETE FROM bridge"
    tx.execute(f"{change} WHERE hypervisor = ? AND vlan = ?", (hypervisor, vlan))


# --- what carries them ----------------------------------------------------------------------------


def carried_by_ports(tx: Tx, port_ids: Sequence[int]) -> set[int]:
    """Return the VLANs that some ports carry or may carry."""
    sql = "SELECT DISTINCT vlan FROM port_carries WHERE port_id IN ({})"
    return {row.vlan for row in by_ids(tx, VlanRow, sql, port_ids)}


def carried_by_headnodes(tx: Tx, headnode_ids: Sequence[int]) -> set[int]:
    """Return the VLANs that some headnodes are on or may be on."""
    sql = "SELECT DISTINCT vlan FROM headnode_carries WHERE headnode_id IN ({})"
    return {row.vlan for row in by_ids(tx, VlanRow, sql, headnode_ids)}


def ports_on(tx: Tx, vlans: Sequence[int]) -> list[PortCarriesRow]:
    """Return the ports that carry, or may carry, some VLANs, except those of retired switches."""
    return by_ids(
        tx,
        PortCarriesRow,
        "SELECT port_carries.vlan, port_carries.port_id, port.name AS port, switch.name AS switch"
        " FROM port_carries"
        " JOIN port ON port.id = port_carries.port_id JOIN switch ON switch.id = port.switch_id"
        " WHERE switch.retired IS NULL AND port_carries.vlan IN ({})",
        vlans,
    )


def headnodes_on(tx: Tx, vlans: Sequence[int]) -> list[HeadnodeCarriesRow]:
    """Return the headnodes that are, or may be, on some VLANs, except on retired hypervisors."""
    return by_ids(
        tx,
        HeadnodeCarriesRow,
        "SELECT vlan, headnode_id, uuid, hypervisor FROM headnode_carries"
        " JOIN headnode ON headnode.id = headnode_id WHERE hypervisor NOT IN"
        " (SELECT name FROM hypervisor WHERE retired IS NOT NULL) AND vlan IN ({})",
        vlans,
    )


# --- whose they are -------------------------------------------------------------------------------


def labels(tx: Tx, vlans: Sequence[int]) -> dict[int, str]:
    """Return the names of the networks of those VLANs that are claimed."""
    sql = "SELECT vlan, label FROM vlan_claim WHERE vlan IN ({})"
    return {row.vlan: row.label for row in by_ids(tx, LabelRow, sql, vlans)}


def claim_left_over(tx: Tx, vlan: int) -> None:
    """Claim a VLAN id that no network has, so that nobody gets it while it is being removed."""
    tx.execute("INSERT OR IGNORE INTO vlan_claim (vlan, label) VALUES (?, 'left over')", (vlan,))


_CHUNK = 500
"""Ids in one IN list. SQLite takes 32,766 parameters, but short statements are cached better."""


def by_ids(tx: Tx, row: type[R], sql: str, ids: Sequence[int]) -> list[R]:
    """Run a query whose ``{}`` is an IN list, for any number of ids."""
    rows: list[R] = []
    for start in range(0, len(ids), _CHUNK):
        chunk = ids[start : start + _CHUNK]
        rows += tx.query(row, sql.format(", ".join("?" * len(chunk))), chunk)
    return rows
