"""The API's records of nodes and their nics, from their rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from haas_rpcd.methods.access import sees
from haas_rpcd.methods.call import TxCall
from haas_rpcd.methods.plugging import bond_ports
from haas_rpcd.model import PortConfig
from haas_rpcd.store import bmcs, leases, networks, nodes, proofs
from haas_rpcd.store import nics as store_nics
from haas_rpcd.store.bmcs import StagedRow
from haas_rpcd.store.database import Tx
from haas_rpcd.store.nics import ConnectionRow, RegisteredNic
from haas_rpcd.store.nodes import NodeRow
from haas_schemas.bmc import PowerState
from haas_schemas.common import timestamp
from haas_schemas.node import Nic, NicNetwork, NicState, Node

_BEING_PROVED = "its cabling is being proved"

_Link = tuple[int, bool]
"""A VLAN, and whether it is tagged."""


def node_records(call: TxCall, rows: list[NodeRow]) -> list[Node]:
    """Return the records of nodes. The number of queries does not depend on the number of nodes."""
    tx = call.tx
    not_free = [row.id for row in rows if row.state in ("releasing", "unconfirmed")]
    waiting = call.context.engine.waiting(tx, not_free)
    ids = [row.id for row in rows]
    tags, nics = nodes.tags_of(tx, ids), store_nics.of_nodes(tx, ids)
    connections = store_nics.connections_of(tx, ids)
    labels, until = _Labels(tx), leases.of_nodes(tx, ids)
    seen = {
        project_id: sees(tx, call.caller, project_id)
        for project_id in {row.project_id for row in rows}
    }
    power = bmcs.power_of(tx, [row.id for row in rows if seen[row.project_id]])
    staged = bmcs.staged_of(tx, ids)
    proven, proving = proofs.proven(tx, ids), proofs.proved_now(tx, not_free)
    return [
        Node(
            node=row.name,
            state=row.state,
            project=row.project,
            tags=tuple(tags[row.id]),
            nics=tuple(
                _nic_record(nic, connections.get(nic.id, ()), row, labels, seen[row.project_id])
                for nic in nics[row.id]
            ),
            waiting=(
                waiting[row.id].reason
                if row.id in waiting
                else _BEING_PROVED
                if row.id in proving
                else _not_off(row, staged)
            ),
            waiting_until=timestamp(waiting[row.id].until) if row.id in waiting else None,
            until=timestamp(until.get(row.id)),
            power=power[row.id].power if row.id in power else None,
            power_changed=timestamp(power[row.id].changed) if row.id in power else None,
            proven=timestamp(proven.get(row.id)) if seen[row.project_id] else None,
            power_staged=_staged_power(row, staged) if seen[row.project_id] else None,
        )
        for row in rows
    ]


def _not_off(row: NodeRow, staged: Mapping[str, StagedRow]) -> str | None:
    """Return why a node that is being released is not free: it must be off."""
    if not row.releasing or row.name not in staged:
        return None
    return "its BMC has not confirmed that it is off"


def _staged_power(row: NodeRow, staged: Mapping[str, StagedRow]) -> PowerState | None:
    return staged[row.name].power if row.name in staged else None


class _Labels:
    """Names of the networks that VLAN ids belong to; looks up each id once."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self._known: dict[int, str | None] = {}

    def of(self, vlan: int, project: str | None) -> str | None:
        """Return the name ``project`` uses for a VLAN's network, or None if it was deleted."""
        if vlan not in self._known:
            row = networks.claim(self._tx, vlan)
            self._known[vlan] = row.label if row and row.network_id is not None else None
        label = self._known[vlan]
        return label.removeprefix(f"{project}/") if label else None

    def named(self, links: Sequence[_Link], project: str | None) -> tuple[NicNetwork, ...]:
        """Return the records of links to VLANs."""
        if not links:  # as on most nics
            return ()
        return tuple(NicNetwork(self.of(vlan, project), vlan, tagged) for vlan, tagged in links)


def _links_of(config: PortConfig | None) -> list[_Link] | None:
    """Return the VLANs that are applied, untagged first; None if that is not known."""
    if config is None:
        return None
    untagged = [] if config.untagged is None else [(config.untagged, False)]
    return [*untagged, *((vlan, True) for vlan in config.tagged)] if config.tagged else untagged


def _nic_record(
    row: RegisteredNic,
    connections: Sequence[ConnectionRow],
    node: NodeRow,
    labels: _Labels,
    holder: bool,
) -> Nic:
    """Return a nic's record: what is staged and what was confirmed.

    ``holder``: the caller may see what only the node's holder and admins may.
    """
    wanted = [(connection.vlan, connection.tagged) for connection in connections]
    now = _links_of(row.config)
    state: NicState
    if not row.ports:
        state = "unwired"
    elif now is None:
        state = "unconfirmed"
    else:
        state = "applied" if wanted == now or set(wanted) == set(now) else "staged"
    place = row.place
    return Nic(
        nic=row.name,
        kind=row.kind,
        mac=row.mac,
        switch=place.switch if place else None,
        port=place.name if place else None,
        state=state,
        networks=labels.named(wanted, node.project),
        applied=None if now is None else labels.named(now, node.project),
        bond=row.bond,
        ports=bond_ports(row),
        channel=row.channel.name if row.channel else None,
        cabling=row.cabling if holder else None,
    )
