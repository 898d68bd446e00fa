"""The planner's two inputs, read for one scope: a project, one node that is released, or the site.

What a plan reads grows with its scope, not with the inventory: all lookups outside the scope are
by VLAN id, through indexes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import msgspec

from haas_rpcd.model import (
    MASTER,
    Applied,
    AppliedPort,
    Desired,
    HeadnodeGoal,
    HeadnodeNic,
    HeadnodeSeen,
    PortConfig,
    PortGoal,
    PortRef,
    SwitchFacts,
)
from haas_rpcd.store.applied import SITE
from haas_rpcd.store.database import Row, Tx

Facts = Callable[[str, int], SwitchFacts]
"""From a dialect's name and a count of trunk ports to what the planner has to know of a switch."""


NO_NODE = 0


class Scope(msgspec.Struct, frozen=True):
    """What one plan may change: a project's things, one node's ports, or (neither) the site's.

    The site is the trunk ports and all ports that no project holds. A node is in the scope of its
    release for as long as that lasts; ``NO_NODE`` is the scope of the release of a deleted one.
    """

    project_id: int | None = None
    node_id: int | None = None


_PORTS = """
SELECT port.id, port.name AS port, port.role, switch.name AS switch, port_applied.config,
    nic.id AS nic_id, nic.name AS nic, node.name AS node
FROM port JOIN switch ON switch.id = port.switch_id
LEFT JOIN port_applied ON port_applied.port_id = port.id
LEFT JOIN nic ON nic.port_id = port.id
LEFT JOIN node ON node.id = nic.node_id
LEFT JOIN allocation ON allocation.node_id = nic.node_id
"""


def load(tx: Tx, scope: Scope, pool: Sequence[int], facts: Facts) -> tuple[Desired, Applied]:
    """Read what is wanted and what was confirmed within a scope."""
    ports = _ports(tx, scope)
    headnodes = _headnodes(tx, scope)
    goals = _port_goals(tx, ports, tuple(pool))
    headnode_goals = {row["label"]: _headnode_goal(tx, row) for row in headnodes}
    networks = _networks(tx, scope, ports, headnodes, goals.values(), headnode_goals.values())
    switches = _switches(tx, facts)
    desired = Desired(ports=goals, headnodes=headnode_goals, networks=networks)
    applied = Applied(
        ports={
            _ref(row): AppliedPort(
                None
                if row["config"] is None
                else msgspec.json.decode(row["config"], type=PortConfig)
            )
            for row in ports
        },
        headnodes={
            row["label"]: (
                None if row["seen"] is None else msgspec.json.decode(row["seen"], type=HeadnodeSeen)
            )
            for row in headnodes
            if row["touched"]
        },
        vlans=_switch_vlans(tx, networks),
        bridges=_bridges(tx, networks),
        elsewhere=_elsewhere(tx, networks, ports, headnodes),
        unsaved=_unsaved(tx, scope),
        switches=switches,
    )
    return desired, applied


def _ref(row: Row) -> PortRef:
    return PortRef(row["switch"], row["port"])


def _ports(tx: Tx, scope: Scope) -> list[Row]:
    if scope.node_id is not None:
        # only while it is being released by this project: it may have changed hands since
        return tx.dicts(
            f"{_PORTS} WHERE nic.node_id = ? AND allocation.releasing"
            " AND allocation.project_id = ?",
            (scope.node_id, scope.project_id),
        )
    if scope.project_id is not None:
        return tx.dicts(f"{_PORTS} WHERE allocation.project_id = ?", (scope.project_id,))
    return tx.dicts(
        f"{_PORTS} WHERE port.role = 'trunk' OR allocation.node_id IS NULL OR allocation.releasing"
    )


def _port_goals(tx: Tx, ports: list[Row], pool: tuple[int, ...]) -> dict[PortRef, PortGoal]:
    wired = [row["nic_id"] for row in ports if row["nic_id"] is not None]
    untagged: dict[int, int] = {}
    tagged: dict[int, list[int]] = {}
    for row in _by_ids(
        tx,
        "SELECT connection.nic_id, connection.tagged, vlan_claim.vlan FROM connection"
        " JOIN vlan_claim ON vlan_claim.network_id = connection.network_id"
        " WHERE connection.nic_id IN ({})",
        wired,
    ):
        if row["tagged"]:
            tagged.setdefault(row["nic_id"], []).append(row["vlan"])
        else:
            untagged[row["nic_id"]] = row["vlan"]
    goals = {}
    for row in ports:
        if row["role"] == "trunk":
            goal = PortGoal(PortConfig(tagged=pool), "trunk", trunk=True)
        elif row["nic_id"] is None:
            goal = PortGoal(PortConfig(), "no nic")
        else:
            nic_id = row["nic_id"]
            config = PortConfig(untagged.get(nic_id), tuple(sorted(tagged.get(nic_id, ()))))
            goal = PortGoal(config, f"{row['node']}:{row['nic']}")
        goals[_ref(row)] = goal
    return goals


def _headnodes(tx: Tx, scope: Scope) -> list[Row]:
    if scope.project_id is None or scope.node_id is not None:
        return []
    return tx.dicts(
        "SELECT headnode.*, project.name || '/' || headnode.name AS label, headnode_applied.seen,"
        " headnode_applied.headnode_id IS NOT NULL AS touched FROM headnode"
        " JOIN project ON project.id = headnode.project_id"
        " LEFT JOIN headnode_applied ON headnode_applied.headnode_id = headnode.id"
        " WHERE headnode.project_id = ?",
        (scope.project_id,),
    )


def _headnode_goal(tx: Tx, row: Row) -> HeadnodeGoal:
    nics = tx.dicts(
        "SELECT headnode_nic.name, headnode_nic.mac, vlan_claim.vlan FROM headnode_nic"
        " JOIN vlan_claim ON vlan_claim.network_id = headnode_nic.network_id WHERE headnode_id = ?",
        (row["id"],),
    )
    return HeadnodeGoal(
        uuid=row["uuid"],
        image=row["image"],
        present=not row["deleting"],
        running=bool(row["running"]),
        nics=tuple(sorted(HeadnodeNic(nic["name"], nic["mac"], nic["vlan"]) for nic in nics)),
    )


def _networks(
    tx: Tx,
    scope: Scope,
    ports: list[Row],
    headnodes: list[Row],
    port_goals: Iterable[PortGoal],
    headnode_goals: Iterable[HeadnodeGoal],
) -> dict[int, str]:
    """Give the VLANs the scope speaks of: its own, those it uses, and those it may still carry."""
    vlans = {vlan for goal in port_goals if not goal.trunk for vlan in goal.config.vlans}
    vlans |= {nic.vlan for goal in headnode_goals for nic in goal.nics}
    for table, rows in (("port", ports), ("headnode", headnodes)):
        sql = f"SELECT DISTINCT vlan FROM {table}_carries WHERE {table}_id IN ({{}})"
        vlans |= {row["vlan"] for row in _by_ids(tx, sql, [row["id"] for row in rows])}
    if scope.project_id is None:
        vlans |= set(tx.values(int, "SELECT vlan FROM vlan_claim WHERE network_id IS NULL"))
    elif scope.node_id is None:
        vlans |= set(
            tx.values(int, "SELECT vlan FROM vlan_claim WHERE project_id = ?", (scope.project_id,))
        )
    return {
        row["vlan"]: row["label"]
        for row in _by_ids(
            tx, "SELECT vlan, label FROM vlan_claim WHERE vlan IN ({})", sorted(vlans)
        )
    }


def _switches(tx: Tx, facts: Facts) -> dict[str, SwitchFacts]:
    return {
        row["name"]: facts(row["dialect"], row["trunks"])
        for row in tx.dicts(
            "SELECT switch.name, switch.dialect, (SELECT count(*) FROM port"
            " WHERE switch_id = switch.id AND role = 'trunk') AS trunks FROM switch"
        )
    }


def _switch_vlans(tx: Tx, networks: dict[int, str]) -> dict[str, dict[int, bool]]:
    found: dict[str, dict[int, bool]] = {}
    for row in _by_ids(
        tx,
        "SELECT switch.name, switch_vlan.vlan, switch_vlan.confirmed FROM switch_vlan"
        " JOIN switch ON switch.id = switch_vlan.switch_id WHERE switch_vlan.vlan IN ({})",
        list(networks),
    ):
        found.setdefault(row["name"], {})[row["vlan"]] = bool(row["confirmed"])
    return found


def _bridges(tx: Tx, networks: dict[int, str]) -> dict[int, bool]:
    return {
        row["vlan"]: bool(row["confirmed"])
        for row in _by_ids(
            tx, "SELECT vlan, confirmed FROM bridge WHERE vlan IN ({})", list(networks)
        )
    }


def _elsewhere(
    tx: Tx, networks: dict[int, str], ports: list[Row], headnodes: list[Row]
) -> dict[int, frozenset[str]]:
    """Say on which devices something outside the scope carries, or may carry, the scope's VLANs."""
    own_ports = {row["id"] for row in ports}
    own_headnodes = {row["id"] for row in headnodes}
    places: dict[int, set[str]] = {}
    for row in _by_ids(
        tx,
        "SELECT port_carries.vlan, port.id, switch.name FROM port_carries"
        " JOIN port ON port.id = port_carries.port_id JOIN switch ON switch.id = port.switch_id"
        " WHERE port_carries.vlan IN ({})",
        list(networks),
    ):
        if row["id"] not in own_ports:
            places.setdefault(row["vlan"], set()).add(row["name"])
    for row in _by_ids(
        tx,
        "SELECT vlan, headnode_id AS id FROM headnode_carries WHERE vlan IN ({})",
        list(networks),
    ):
        if row["id"] not in own_headnodes:
            places.setdefault(row["vlan"], set()).add(MASTER)
    return {vlan: frozenset(devices) for vlan, devices in places.items()}


def _unsaved(tx: Tx, scope: Scope) -> frozenset[str]:
    return frozenset(
        tx.values(
            str,
            "SELECT switch.name FROM unsaved JOIN switch ON switch.id = unsaved.switch_id"
            " WHERE unsaved.project_id = ?",
            (SITE if scope.project_id is None else scope.project_id,),
        )
    )


_CHUNK = 500
"""Ids in one IN list; SQLite takes 32,766 parameters, and short statements are cached better."""


def _by_ids(tx: Tx, sql: str, ids: Sequence[int]) -> list[Row]:
    """Run a query whose ``{}`` is an IN list, over any number of ids."""
    rows: list[Row] = []
    for start in range(0, len(ids), _CHUNK):
        chunk = ids[start : start + _CHUNK]
        rows += tx.dicts(sql.format(", ".join("?" * len(chunk))), chunk)
    return rows
