"""What each device should have as a whole, and where it was observed to differ."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from msgspec.structs import astuple

from haas_rpcd.devicenames import hypervisor_of, is_libvirt
from haas_rpcd.model import PortRef
from haas_rpcd.states import Applied, AppliedPort, HeadnodeGoal
from haas_rpcd.store import headnodes, hypervisors, ports, saves, scope, switches, vlans
from haas_rpcd.store.database import IN_MINE, Tx, ids
from haas_rpcd.store.rows import Row


class DifferenceRow(Row, frozen=True):
    """One difference, in words.

    ``open`` tells whether a port is open, ``not_understood`` quotes the line that is not; both are
    null for other targets.
    """

    kind: str
    target: str
    applied: str
    observed: str
    open: bool | None = None
    not_understood: str | None = None


class DriftRow(Row, frozen=True):
    """One difference, in words, and whom it concerns.

    ``behind`` is the nic, the headnode or the network, ``project`` its holder or owner. ``since``
    is in seconds since the epoch.
    """

    device: str
    kind: Literal["port", "vlan", "bridge", "headnode"]
    target: str
    applied: str
    observed: str
    open: bool | None
    not_understood: str | None
    since: float
    project: str | None
    behind: str | None

    @property
    def tenants(self) -> bool:
        """True if it concerns headnodes or their bridges, which ``project`` may see and repair."""
        return self.kind in ("headnode", "bridge")


# --- what was confirmed ---------------------------------------------------------------------------


def applied_on(tx: Tx, device: str, traits: scope.TraitsLookup) -> Applied:
    """Return everything that was confirmed on one device."""
    if is_libvirt(device):
        rows = headnodes.on_hypervisor(tx, hypervisor_of(device))
        return Applied(
            headnodes={row.label: row.seen for row in rows},
            placed={row.label: row.hypervisor for row in rows},
        )
    if device in hypervisors.in_service(tx):
        bridges = {row.vlan: row.confirmed for row in vlans.all_bridges(tx, device)}
        return Applied(bridges={device: bridges})
    switch = switches.find(tx, device)
    if switch is None:
        return Applied()
    return Applied(
        ports={
            PortRef(device, row.name): AppliedPort(row.config, row.channel)
            for row in ports.states(tx, switch.id)
        },
        vlans={device: {row.vlan: row.confirmed for row in vlans.on_switch(tx, switch.id)}},
        switches={device: traits(switch.dialect, 0)},
    )


def headnode_goals(tx: Tx, hypervisor: str | None = None) -> dict[str, HeadnodeGoal]:
    """Return the identity and the image of every headnode that may be on a hypervisor, or any."""
    return {
        row.label: HeadnodeGoal(
            uuid=row.uuid,
            image=row.image,
            present=True,
            running=False,
            nics=(),
            hypervisor=row.hypervisor,
        )
        for row in headnodes.on_hypervisor(tx, hypervisor)
    }


def count(tx: Tx) -> int:
    """Count the differences that are known."""
    return tx.number("SELECT count(*) FROM drift")


# --- what was observed ----------------------------------------------------------------------------


def replace(
    tx: Tx, device: str, found: Sequence[DifferenceRow], now: float
) -> tuple[list[DriftRow], list[DriftRow]]:
    """Replace a device's differences; return those that are new, and those that are gone.

    ``now`` is in seconds since the epoch. A port that is right again may have been saved while it
    was not.
    """
    known = {
        (row.kind, row.target): row
        for row in tx.query(
            DifferenceRow,
            "SELECT kind, target, applied, observed, open, not_understood FROM drift"
            " WHERE device = ?",
            (device,),
        )
    }
    new = [one for one in found if known.get((one.kind, one.target)) != one]
    gone = known.keys() - {(one.kind, one.target) for one in found}
    ended = [row for row in of_devices(tx, [device]) if (row.kind, row.target) in gone]
    tx.execute_many(
        "DELETE FROM drift WHERE device = ? AND kind = ? AND target = ?",
        [(device, kind, target) for kind, target in gone],
    )
    saves.forget(tx, device, [target for kind, target in gone if kind == "port"])
    tx.execute_many(
        "INSERT INTO drift (device, since, kind, target, applied, observed, open, not_understood)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (device, kind, target) DO UPDATE SET"
        " applied = excluded.applied, observed = excluded.observed, open = excluded.open,"
        " not_understood = excluded.not_understood",
        [(device, now, *astuple(one)) for one in new],
    )
    tx.execute("UPDATE switch SET checked = ? WHERE name = ?", (now, device))
    began = {(one.kind, one.target) for one in new}
    return [row for row in of_devices(tx, [device]) if (row.kind, row.target) in began], ended


def clear(tx: Tx, targets: Sequence[tuple[str, str]]) -> None:
    """Remove the differences of targets that a job has just set: pairs of device and target."""
    tx.execute_many("DELETE FROM drift WHERE device = ? AND target = ?", targets)


_DRIFT = """
SELECT drift.device, drift.kind, drift.target, drift.applied, drift.observed, drift.open,
    drift.not_understood, drift.since,
    CASE drift.kind
        WHEN 'port' THEN holder.name
        WHEN 'headnode' THEN substr(drift.target, 1, instr(drift.target, '/') - 1)
        ELSE owner.name END AS project,
    CASE drift.kind
        WHEN 'port' THEN node.name || ':' || nic.name
        WHEN 'headnode' THEN drift.target
        ELSE vlan_claim.label END AS behind
FROM drift
LEFT JOIN switch ON drift.kind = 'port' AND switch.name = drift.device
LEFT JOIN port ON port.switch_id = switch.id AND port.name = drift.target
LEFT JOIN nic ON nic.id = port.nic_id
LEFT JOIN node ON node.id = nic.node_id
LEFT JOIN allocation ON allocation.node_id = node.id
LEFT JOIN project AS holder ON holder.id = allocation.project_id
LEFT JOIN vlan_claim ON drift.kind IN ('vlan', 'bridge')
    AND vlan_claim.vlan = CAST(replace(drift.target, 'br-vlan', '') AS INTEGER)
LEFT JOIN project AS owner ON owner.id = vlan_claim.project_id
"""


def of_devices(tx: Tx, devices: Iterable[str]) -> list[DriftRow]:
    """Return all differences on some devices, by device, kind and target."""
    return [
        row
        for device in sorted(devices)
        for row in tx.query(
            DriftRow, f"{_DRIFT} WHERE drift.device = ? ORDER BY drift.kind, target", (device,)
        )
    ]


def page(
    tx: Tx,
    limit: int,
    after: tuple[str, str, str],
    device: str | None,
    *,
    project: str | None = None,
    mine: Sequence[int] | None = None,
) -> list[DriftRow]:
    """Return differences, on one device or on all (None), by device, kind and target.

    With ``project`` those of one project; with ``mine`` those of the headnodes of these projects,
    and of their networks' bridges.
    """
    device_after, kind_after, target_after = after
    return tx.query(
        DriftRow,
        f"SELECT * FROM ({_DRIFT}) AS drift"
        " WHERE (drift.device, drift.kind, target) > (:device_after, :kind_after, :target_after)"
        " AND (:device IS NULL OR drift.device = :device)"
        " AND (:project IS NULL OR project = :project)"
        " AND (:mine IS NULL OR (kind IN ('headnode', 'bridge')"
        f" AND project IN (SELECT name FROM project WHERE id IN {IN_MINE})))"
        " ORDER BY drift.device, drift.kind, target LIMIT :limit",
        {
            "device_after": device_after,
            "kind_after": kind_after,
            "target_after": target_after,
            "device": device,
            "project": project,
            "mine": ids(mine),
            "limit": limit,
        },
    )


def of_project(tx: Tx, project: str) -> set[tuple[str, str]]:
    """Return the kind and target of what a project may repair: see :attr:`DriftRow.tenants`."""
    rows = tx.query(DriftRow, f"{_DRIFT} WHERE drift.kind IN ('headnode', 'bridge')")
    return {(row.kind, row.target) for row in rows if row.project == project}
