"""What the devices should have, as a whole, and what was found to be different."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from haas_rpcd.model import (
    LIBVIRT,
    MASTER,
    Applied,
    AppliedPort,
    HeadnodeGoal,
    HeadnodeSeen,
    PortConfig,
    PortRef,
    SwitchFacts,
)
from haas_rpcd.store import scope
from haas_rpcd.store.database import Row, Tx


def applied_on(tx: Tx, device: str, facts: scope.Facts) -> Applied:
    """Read everything that was confirmed on one device."""
    if device == MASTER:
        rows = tx.dicts("SELECT vlan, confirmed FROM bridge")
        return Applied(bridges={row["vlan"]: bool(row["confirmed"]) for row in rows})
    if device == LIBVIRT:
        return Applied(headnodes={row["label"]: _seen(row["seen"]) for row in _headnodes(tx)})
    row = tx.one_dict("SELECT id, dialect FROM switch WHERE name = ?", (device,))
    if row is None:
        return Applied()
    found = tx.dicts(
        "SELECT port.name, port_applied.config FROM port"
        " JOIN port_applied ON port_applied.port_id = port.id WHERE port.switch_id = ?",
        (row["id"],),
    )
    vlans = tx.dicts("SELECT vlan, confirmed FROM switch_vlan WHERE switch_id = ?", (row["id"],))
    return Applied(
        ports={
            PortRef(device, port["name"]): AppliedPort(_config(port["config"])) for port in found
        },
        vlans={device: {vlan["vlan"]: bool(vlan["confirmed"]) for vlan in vlans}},
        switches={device: _facts(row, facts)},
    )


def _facts(row: Row, facts: scope.Facts) -> SwitchFacts:
    return facts(row["dialect"], 0)


def _config(text: str | None) -> PortConfig | None:
    return None if text is None else msgspec.json.decode(text, type=PortConfig)


def _seen(text: str | None) -> HeadnodeSeen | None:
    return None if text is None else msgspec.json.decode(text, type=HeadnodeSeen)


def _headnodes(tx: Tx) -> list[Row]:
    return tx.dicts(
        "SELECT headnode.*, project.name || '/' || headnode.name AS label, headnode_applied.seen"
        " FROM headnode JOIN project ON project.id = headnode.project_id"
        " JOIN headnode_applied ON headnode_applied.headnode_id = headnode.id"
        " WHERE headnode.deleting = 0"
    )


def headnode_goals(tx: Tx) -> dict[str, HeadnodeGoal]:
    """Give the identity and the image of every headnode that was made."""
    return {
        row["label"]: HeadnodeGoal(
            uuid=row["uuid"], image=row["image"], present=True, running=False, nics=()
        )
        for row in _headnodes(tx)
    }


# --- what was found -------------------------------------------------------------------------------


class Found(msgspec.Struct, frozen=True):
    """One difference in words."""

    kind: str
    target: str
    applied: str
    observed: str


def replace(
    tx: Tx, device: str, found: Sequence[Found], now: float
) -> tuple[list[Found], list[str]]:
    """Write what differs on a device; give what is new, and the targets that are right again."""
    known = {
        (row["kind"], row["target"]): Found(**{name: row[name] for name in Found.__struct_fields__})
        for row in tx.dicts("SELECT * FROM drift WHERE device = ?", (device,))
    }
    new = [one for one in found if known.get((one.kind, one.target)) != one]
    gone = known.keys() - {(one.kind, one.target) for one in found}
    tx.execute_many(
        "DELETE FROM drift WHERE device = ? AND kind = ? AND target = ?",
        [(device, kind, target) for kind, target in gone],
    )
    tx.execute_many(
        "INSERT INTO drift VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (device, kind, target)"
        " DO UPDATE SET applied = excluded.applied, observed = excluded.observed",
        [(device, one.kind, one.target, one.applied, one.observed, now) for one in new],
    )
    tx.execute("UPDATE switch SET checked = ? WHERE name = ?", (now, device))
    return new, sorted(target for _, target in gone)


def known(tx: Tx, devices: Iterable[str]) -> list[Row]:
    """Give what is known to differ on some devices, with the ``project`` it concerns and what is
    ``behind`` it."""
    rows = [
        row
        for device in sorted(devices)
        for row in tx.dicts("SELECT * FROM drift WHERE device = ? ORDER BY kind, target", (device,))
    ]
    return _owned(tx, rows)


def page(tx: Tx, limit: int, after: tuple[str, str, str], device: str | None) -> list[Row]:
    """Give what differs, on one device or on all, by device, kind and target, as :func:`known`."""
    rows = tx.dicts(
        "SELECT * FROM drift WHERE (device, kind, target) > (?, ?, ?) AND ifnull(device = ?, TRUE)"
        " ORDER BY device, kind, target LIMIT ?",
        (*after, device, limit),
    )
    return _owned(tx, rows)


def _owned(tx: Tx, rows: list[Row]) -> list[Row]:
    for row in rows:
        row["project"], row["behind"] = _owner(tx, row)
    return rows


def settled(tx: Tx, targets: Sequence[tuple[str, str]]) -> None:
    """Take out what a job has just set anew: devices and the targets of steps."""
    tx.execute_many("DELETE FROM drift WHERE device = ? AND target = ?", targets)


def _owner(tx: Tx, found: Row) -> tuple[str | None, str | None]:
    device, target = found["device"], found["target"]
    match found["kind"]:
        case "port":
            row = tx.one_dict(
                "SELECT project.name AS project, node.name || ':' || nic.name AS behind FROM port"
                " JOIN switch ON switch.id = port.switch_id"
                " LEFT JOIN nic ON nic.port_id = port.id LEFT JOIN node ON node.id = nic.node_id"
                " LEFT JOIN allocation ON allocation.node_id = node.id"
                " LEFT JOIN project ON project.id = allocation.project_id"
                " WHERE switch.name = ? AND port.name = ?",
                (device, target),
            )
        case "headnode":
            return target.partition("/")[0], target
        case _:
            row = tx.one_dict(
                "SELECT project.name AS project, vlan_claim.label AS behind FROM vlan_claim"
                " LEFT JOIN project ON project.id = vlan_claim.project_id WHERE vlan = ?",
                (int(target.removeprefix("br-vlan")),),
            )
    return (row["project"], row["behind"]) if row else (None, None)
