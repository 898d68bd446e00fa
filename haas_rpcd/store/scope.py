"""The planner's two inputs, read for one scope: a project, the release of a node, or the site.

What a plan reads grows with its scope, not with the inventory. Everything outside the scope is
looked up by VLAN id, through indexes. Retired switches and hypervisors are in no scope.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import msgspec

from haas_rpcd.devicenames import MASTER
from haas_rpcd.model import SetNodePower
from haas_rpcd.states import Applied, AppliedPort, Desired, HeadnodeGoal, PortGoal, SwitchTraits
from haas_rpcd.store import backs, bmcs, goals, headnodes, hypervisors, proofs, saves, trunks
from haas_rpcd.store import vlans as store_vlans
from haas_rpcd.store.database import Tx
from haas_rpcd.store.goals import ScopePortRow
from haas_rpcd.store.headnodes import HeadnodeRow
from haas_rpcd.store.ports import CHANNEL, CONFIG
from haas_rpcd.store.rows import Row

TraitsLookup = Callable[[str, int], SwitchTraits]
"""Returns what the planner needs to know of a switch, from its dialect and its number of trunks."""

NO_NODE = 0
"""The node id of a release whose node has been deleted."""


class Target(msgspec.Struct, frozen=True):
    """A part of a project: one node, or everything that is on a network or is to be.

    With neither, what it was is gone.
    """

    node_id: int | None = None
    network_id: int | None = None


class Scope(msgspec.Struct, frozen=True):
    """What one plan may change.

    With ``project_id`` alone: everything of that project. With ``node_id`` as well: the ports of
    that node, as long as the project is releasing it. With ``vlan`` as well: what the project has,
    or may have, on that VLAN; it is only taken off. With ``target`` as well: a part of the project.
    With ``revert``, the number of a job that takes back what another one changed: those nics alone.
    With ``proof``, the id of a node that no project holds: its data ports, of which one may be
    open.
    With none of them: the site, that is trunk ports and all ports that no project holds, but for
    those of nodes whose cabling is being proved.
    """

    project_id: int | None = None
    node_id: int | None = None
    vlan: int | None = None
    target: Target | None = None
    revert: int | None = None
    proof: int | None = None


class SwitchTraitsRow(Row, frozen=True):
    """What a switch's properties depend on."""

    name: str
    dialect: str
    trunks: int


def load(
    tx: Tx, scope: Scope, pool: Sequence[int], traits: TraitsLookup
) -> tuple[Desired, Applied]:
    """Return what is desired and what was confirmed within a scope."""
    ports = _ports(tx, scope)
    own_headnodes = _headnodes(tx, scope)
    if scope.revert is not None:
        back, back_vlans = backs.of_revert(tx, scope.revert), backs.usable(tx, scope.project_id)
        port_goals = {row.ref: goals.port_back(row, back, back_vlans) for row in ports}
        headnode_goals = {
            row.label: goals.headnode_back(tx, row, back, back_vlans) for row in own_headnodes
        }
    elif scope.proof is not None:
        open_ports = proofs.open_ports(tx, scope.proof)
        port_goals, headnode_goals = {row.ref: goals.proved(row, open_ports) for row in ports}, {}
    elif scope.vlan is None:
        port_goals = goals.of_ports(tx, ports, tuple(pool))
        headnode_goals = {row.label: goals.of_headnode(tx, row) for row in own_headnodes}
    else:
        usable = store_vlans.usable_by(tx, scope.project_id) - {scope.vlan}
        port_goals = {row.ref: goals.without_unusable(row, usable) for row in ports}
        headnode_goals = {row.label: goals.headnode_off(tx, row, usable) for row in own_headnodes}
    networks = _networks(
        tx, scope, ports, own_headnodes, port_goals.values(), headnode_goals.values()
    )
    vlans = list(networks)
    desired = Desired(
        ports=port_goals,
        headnodes=headnode_goals,
        networks=networks,
        retired=store_vlans.without_network(tx, vlans) - proofs.vlans_of(tx, scope.proof),
        passing=_passing(tx, scope),
        power=_power(tx, scope),
    )
    applied = Applied(
        ports={row.ref: AppliedPort(row.config, row.channel) for row in ports},
        headnodes={row.label: row.now for row in own_headnodes if row.touched},
        vlans=_on_switches(tx, vlans),
        bridges=_bridges(tx, vlans),
        elsewhere=_elsewhere(tx, vlans, ports, own_headnodes),
        unsaved=frozenset(_unsaved(tx, scope, ports)),
        switches=_switches(tx, traits),
        hypervisors=frozenset(hypervisors.in_service(tx)),
        placed={row.label: row.hypervisor for row in own_headnodes if row.hypervisor != MASTER},
        fabric=trunks.fabric(tx),
        copies={row.label: row.copies for row in own_headnodes if row.copies}
        if scope.vlan is None and scope.revert is None
        else {},
    )
    return desired, applied


# --- what is desired ------------------------------------------------------------------------------

_PORTS = f"""
SELECT port.id, port.name, switch.name AS switch, port.role, {CONFIG}, {CHANNEL},
    ifnull(port_applied.confirmed AND NOT port_applied.saved, 0) AS unsaved,
    nic.id AS nic_id, nic.name AS nic, node.name AS node
FROM port JOIN switch ON switch.id = port.switch_id AND switch.retired IS NULL
LEFT JOIN port_applied ON port_applied.port_id = port.id
LEFT JOIN nic ON nic.id = port.nic_id
LEFT JOIN node ON node.id = nic.node_id
LEFT JOIN allocation ON allocation.node_id = nic.node_id
"""

_CARRIES = (
    "SELECT leg.nic_id FROM port_carries JOIN port AS leg ON leg.id = port_carries.port_id"
    " WHERE port_carries.vlan = "
)
"""The nics of which any port may carry a VLAN: all ports of a bond are set together."""


def _ports(tx: Tx, scope: Scope) -> list[ScopePortRow]:
    if scope.node_id is not None:
        # Since the release was requested, the node may have become free and been allocated again.
        return tx.query(
            ScopePortRow,
            f"{_PORTS} WHERE nic.node_id = ? AND allocation.releasing"
            " AND allocation.project_id = ?",
            (scope.node_id, scope.project_id),
        )
    if scope.vlan is not None:
        return tx.query(
            ScopePortRow,
            f"{_PORTS} WHERE allocation.project_id = ? AND nic.id IN ({_CARRIES}?)",
            (scope.project_id, scope.vlan),
        )
    if scope.revert is not None:
        return store_vlans.by_ids(
            tx,
            ScopePortRow,
            f"{_PORTS} WHERE NOT allocation.releasing"
            f" AND allocation.project_id = {scope.project_id or 0} AND nic.id IN ({{}})",
            list(backs.of_revert(tx, scope.revert).nics),
        )
    if scope.target is not None:
        return tx.query(
            ScopePortRow,
            f"{_PORTS} WHERE allocation.project_id = :project AND (nic.node_id = :node"
            " OR nic.id IN (SELECT nic_id FROM connection WHERE network_id = :network)"
            f" OR nic.id IN ({_CARRIES}(SELECT vlan FROM vlan_claim"
            "  WHERE network_id = :network)))",
            {
                "project": scope.project_id,
                "node": scope.target.node_id,
                "network": scope.target.network_id,
            },
        )
    if scope.proof is not None:
        return tx.query(
            ScopePortRow,
            f"{_PORTS} WHERE nic.node_id = ? AND nic.kind = 'data' AND allocation.node_id IS NULL",
            (scope.proof,),
        )
    if scope.project_id is not None:
        return tx.query(
            ScopePortRow, f"{_PORTS} WHERE allocation.project_id = ?", (scope.project_id,)
        )
    return tx.query(
        ScopePortRow,
        f"{_PORTS} WHERE port.role = 'trunk' OR allocation.releasing OR (allocation.node_id IS NULL"
        " AND ifnull(nic.node_id, 0) NOT IN (SELECT node_id FROM proving))",
    )


def _headnodes(tx: Tx, scope: Scope) -> list[HeadnodeRow]:
    if scope.project_id is None or scope.node_id is not None:
        return []
    found = [row for row in headnodes.all_of(tx, scope.project_id) if not row.retired]
    if scope.revert is not None:
        changed = backs.of_revert(tx, scope.revert).headnode_nics.keys()
        return [
            row
            for row in found
            if not row.deleting and changed & {nic.id for nic in headnodes.nics(tx, row.id)}
        ]
    if scope.target is not None:
        on_network = headnodes.staged_on(tx, scope.target.network_id)
        vlans = _vlans_of(tx, scope.target)
    elif scope.vlan is not None:
        on_network, vlans = set(), [scope.vlan]
    else:
        return found
    on_network |= {row.headnode_id for row in store_vlans.headnodes_on(tx, vlans)}
    return [row for row in found if row.id in on_network]


def _power(tx: Tx, scope: Scope) -> tuple[SetNodePower, ...]:
    """Return what is staged for the power of the nodes of a scope."""
    if scope.vlan is not None or scope.revert is not None or scope.proof is not None:
        return ()
    if scope.node_id is not None:
        return bmcs.staged_for(tx, node_id=scope.node_id, releasing=True)
    if scope.target is not None:
        return bmcs.staged_for(tx, project_id=scope.project_id, node_id=scope.target.node_id or 0)
    return bmcs.staged_for(tx, project_id=scope.project_id)


def _vlans_of(tx: Tx, target: Target) -> list[int]:
    """Return the VLAN of the network that is a target; none if it is a node."""
    return tx.values(int, "SELECT vlan FROM vlan_claim WHERE network_id = ?", (target.network_id,))


def nics_within(tx: Tx, scope: Scope) -> tuple[set[int], set[int]]:
    """Return the ids of the nodes' nics and of the headnodes within a scope."""
    nics = {row.nic_id for row in _ports(tx, scope) if row.nic_id is not None}
    return nics, {row.id for row in _headnodes(tx, scope)}


# --- which VLANs the plan is about ----------------------------------------------------------------


def _networks(
    tx: Tx,
    scope: Scope,
    ports: list[ScopePortRow],
    own_headnodes: list[HeadnodeRow],
    port_goals: Iterable[PortGoal],
    headnode_goals: Iterable[HeadnodeGoal],
) -> dict[int, str]:
    """Return the VLANs of the scope with their networks' names.

    These are the project's own, those that something in the scope is to be on, and those that
    something in the scope may still carry. The site also has those of deleted networks and,
    if it is declared what trunk ports lead to, those of all others.
    """
    vlans = {vlan for goal in port_goals if not goal.trunk for vlan in goal.config.vlans}
    vlans |= {nic.vlan for goal in headnode_goals for nic in goal.nics}
    carried = store_vlans.carried_by_ports(tx, [row.id for row in ports])
    carried |= store_vlans.carried_by_headnodes(tx, [row.id for row in own_headnodes])
    if scope.project_id is not None:
        # A port may carry any VLAN after a restore, or by hand. Another's network is not shown, and
        # where it exists is none of this project's business: the port's own step takes it off.
        carried -= store_vlans.of_others(tx, scope.project_id)
    vlans |= carried
    if scope.proof is not None:
        vlans |= proofs.vlans_of(tx, scope.proof)
    elif scope.project_id is None:
        vlans |= _passing(tx, scope)
        vlans |= set(
            tx.values(
                int,
                "SELECT vlan FROM vlan_claim WHERE network_id IS NULL"
                " AND vlan NOT IN (SELECT vlan FROM proving)",
            )
        )
    elif scope.target is not None:
        vlans |= set(_vlans_of(tx, scope.target))
    elif scope.node_id is None and scope.vlan is None and scope.revert is None:
        vlans |= set(
            tx.values(int, "SELECT vlan FROM vlan_claim WHERE project_id = ?", (scope.project_id,))
        )
    return store_vlans.labels(tx, sorted(vlans))


def _passing(tx: Tx, scope: Scope) -> frozenset[int]:
    """Return the VLANs of all networks, in a plan of the site, if what trunk ports lead to decides
    on which switches they exist: what is declared may have changed."""
    if scope != Scope() or not trunks.declared(tx):
        return frozenset()
    return frozenset(tx.values(int, "SELECT vlan FROM vlan_claim WHERE network_id IS NOT NULL"))


# --- what was confirmed ---------------------------------------------------------------------------


def _switches(tx: Tx, traits: TraitsLookup) -> dict[str, SwitchTraits]:
    rows = tx.query(
        SwitchTraitsRow,
        "SELECT switch.name, switch.dialect, (SELECT count(*) FROM port"
        " WHERE switch_id = switch.id AND role = 'trunk') AS trunks FROM switch"
        " WHERE retired IS NULL",
    )
    return {row.name: traits(row.dialect, row.trunks) for row in rows}


def _on_switches(tx: Tx, vlans: Sequence[int]) -> dict[str, dict[int, bool]]:
    found: dict[str, dict[int, bool]] = {}
    for row in store_vlans.on_switches(tx, vlans):
        found.setdefault(row.switch, {})[row.vlan] = row.confirmed
    return found


def _bridges(tx: Tx, vlans: Sequence[int]) -> dict[str, dict[int, bool]]:
    found: dict[str, dict[int, bool]] = {}
    for row in store_vlans.bridges(tx, vlans):
        found.setdefault(row.hypervisor, {})[row.vlan] = row.confirmed
    return found


def _elsewhere(
    tx: Tx, vlans: Sequence[int], ports: list[ScopePortRow], own_headnodes: list[HeadnodeRow]
) -> dict[int, frozenset[str]]:
    """Return the devices on which something outside the scope carries, or may carry, each VLAN.

    Retired switches do not count: nothing is kept elsewhere for what they may carry.
    """
    own_port_ids = {row.id for row in ports}
    own_headnode_ids = {row.id for row in own_headnodes}
    places: dict[int, set[str]] = {}
    for port in store_vlans.ports_on(tx, vlans):
        if port.port_id not in own_port_ids:
            places.setdefault(port.vlan, set()).add(port.switch)
    for headnode in store_vlans.headnodes_on(tx, vlans):
        if headnode.headnode_id not in own_headnode_ids:
            places.setdefault(headnode.vlan, set()).add(headnode.hypervisor)
    return {vlan: frozenset(devices) for vlan, devices in places.items()}


def _unsaved(tx: Tx, scope: Scope, ports: list[ScopePortRow]) -> set[str]:
    """Name the switches that the scope is to save.

    They include those whose saves a release waits for, whoever made the changes. A proof saves none
    but those of its node.
    """
    to_save = saves.to_save(tx, scope.project_id)
    if scope.proof is not None:
        return to_save & {row.switch for row in ports}
    if scope.node_id is not None:
        to_save |= {row.switch for row in ports if row.unsaved}
    return to_save
