"""The second half of a site file: what tenants hold and have staged, as ``[tenants.PROJECT]``."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

from haas_rpcd.errors import ConflictError
from haas_rpcd.methods import headnode as headnode_methods
from haas_rpcd.methods import network as network_methods
from haas_rpcd.methods import nic as nic_methods
from haas_rpcd.methods import node as node_methods
from haas_rpcd.methods import quotas, sharing
from haas_rpcd.methods.access import (
    find_nic,
    find_node,
    find_project,
    find_usable_network,
)
from haas_rpcd.methods.call import TxCall
from haas_rpcd.site import Tenant, TenantHeadnode, TenantNetwork, TenantNic, TenantNode
from haas_rpcd.store import headnodes, leases, networks, nodes, projects
from haas_rpcd.store import nics as store_nics
from haas_rpcd.store.database import Tx
from haas_rpcd.store.networks import NetworkRow
from haas_rpcd.store.projects import ProjectDetailRow
from haas_schemas.common import timestamp

_ALL = 1_000_000


class Note(Protocol):
    """Records that something was created or changed; neither: that it was so already."""

    def __call__(self, what: str, *, created: bool = False, changed: bool = False) -> None:
        """Record it, e.g. of ``network red/lab``."""


Where = Callable[[str], AbstractContextManager[None]]
"""A step at a place of the file, which an error then names."""


# --- export ---------------------------------------------------------------------------------------


def export(tx: Tx) -> dict[str, Tenant]:
    """Return what each project holds and has staged. Nodes being released are left out."""
    every = networks.page(tx, _ALL, 0)
    by_vlan = {row.vlan: row for row in every if not row.deleting}
    return {
        row.name: Tenant(
            quota=_quota(row),
            networks={
                each.name: TenantNetwork(each.vlan, list(each.shared_with))
                for each in sorted(by_vlan.values(), key=lambda each: each.name)
                if each.project_id == row.id
            },
            nodes=_nodes(tx, row, by_vlan),
            headnodes=_headnodes(tx, row),
        )
        for row in projects.page(tx, _ALL, "", None)
    }


def _quota(row: ProjectDetailRow) -> dict[quotas.Noun, int]:
    limits: tuple[tuple[quotas.Noun, int | None], ...] = (
        ("nodes", row.quota_nodes),
        ("networks", row.quota_networks),
        ("headnodes", row.quota_headnodes),
    )
    return {noun: most for noun, most in limits if most is not None}


def _nodes(
    tx: Tx, project: ProjectDetailRow, by_vlan: dict[int, NetworkRow]
) -> dict[str, TenantNode]:
    held: dict[str, TenantNode] = {}
    after = ""
    while rows := nodes.page(tx, 500, after, project_id=project.id):
        ids = [row.id for row in rows]
        ends, staged = leases.of_nodes(tx, ids), store_nics.connections_of(tx, ids)
        nics = store_nics.of_nodes(tx, ids)
        for row in rows:
            if row.releasing:
                continue
            node = TenantNode(timestamp(ends[row.id]) if row.id in ends else None)
            for nic in nics[row.id]:
                named = [
                    (_label(by_vlan[each.vlan], project.name), each.tagged)
                    for each in staged.get(nic.id, ())
                    if each.vlan in by_vlan
                ]
                if named:
                    untagged = next((name for name, tagged in named if not tagged), None)
                    tagged = [name for name, is_tagged in named if is_tagged]
                    node.nics[nic.name] = TenantNic(untagged, tagged)
            held[row.name] = node
        after = rows[-1].name
    return held


def _headnodes(tx: Tx, project: ProjectDetailRow) -> dict[str, TenantHeadnode]:
    return {
        row.name: TenantHeadnode(
            image=row.image,
            hypervisor=row.hypervisor,
            running=row.running,
            nics={
                nic.name: nic.network if nic.owner == project.name else f"{nic.owner}/{nic.network}"
                for nic in headnodes.nics(tx, row.id)
                if nic.network is not None
            },
        )
        for row in headnodes.page(tx, _ALL, 0, project_id=project.id)
        if not row.deleting
    }


def _label(network: NetworkRow, project: str) -> str:
    """The name by which a project calls a network."""
    own = network.project == project
    return network.name if own else f"{network.project}/{network.name}"


# --- import ---------------------------------------------------------------------------------------


def import_(call: TxCall, tenants: dict[str, Tenant], note: Note, at: Where) -> None:
    """Give tenants what the file says, by the rules of the methods that they use themselves.

    What they hold and the file does not name stays as it is. Networks come first, because a project
    may use those of another; quotas last, because they limit what comes after.
    """
    steps: list[Callable[[TxCall, str, Tenant, Note, Where], None]] = [
        _import_networks,
        _import_shares,
        _import_nodes,
        _import_headnodes,
        _import_quota,
    ]
    for step in steps:
        for project, tenant in tenants.items():
            with at(f"tenants.{project}"):
                step(call, project, tenant, note, at)


def _import_networks(call: TxCall, project: str, tenant: Tenant, note: Note, at: Where) -> None:
    owner = find_project(call.tx, call.caller, project)
    for name, network in tenant.networks.items():
        with at(f"networks.{name}"):
            row = networks.find(call.tx, owner.id, name)
            if row is not None and network.vlan not in (None, row.vlan):
                raise ConflictError(
                    f"Network {project}/{name} has the VLAN {row.vlan}, and not {network.vlan}."
                )
            if row is None:
                network_methods.create(call, project, name, network.vlan)
            note(f"network {project}/{name}", created=row is None)


def _import_shares(call: TxCall, project: str, tenant: Tenant, note: Note, at: Where) -> None:
    for name, network in tenant.networks.items():
        for guest in network.shared_with:
            with at(f"networks.{name}.shared_with"):
                shared = network_methods.own(call, project, name).shared_with
                if guest not in shared:
                    sharing.share(call, name, guest, project)
                note(f"share of {project}/{name} with {guest}", created=guest not in shared)


def _import_nodes(call: TxCall, project: str, tenant: Tenant, note: Note, at: Where) -> None:
    for name, node in tenant.nodes.items():
        with at(f"nodes.{name}"):
            row = nodes.find(call.tx, name)
            if row is None or row.project != project:
                node_methods.allocate(call, project, name, until=node.until)
                note(f"node {name} of {project}", created=True)
            else:
                note(f"node {name} of {project}")
            for nic, staged in node.nics.items():
                with at(f"nics.{nic}"):
                    _import_nic(call, project, name, nic, staged, note)


def _import_nic(
    call: TxCall, project: str, node: str, nic: str, staged: TenantNic, note: Note
) -> None:
    owner = find_project(call.tx, call.caller, project)
    row = find_node(call.tx, call.caller, node)
    nic_id = find_nic(call.tx, row, nic).id
    present = {
        (each.vlan, bool(each.tagged))
        for each in store_nics.connections_of(call.tx, [row.id]).get(nic_id, ())
    }
    wanted = [(staged.network, False)] if staged.network is not None else []
    wanted += [(name, True) for name in staged.tagged]
    for name, tagged in wanted:
        vlan = find_usable_network(call.tx, owner, name).vlan
        if not tagged and any(not each_tagged and each != vlan for each, each_tagged in present):
            raise ConflictError(f"{node}:{nic} is on another network than {name} already.")
        missing = (vlan, tagged) not in present
        if missing:
            nic_methods.connect(call, node, nic, name, tagged)
        note(f"{node}:{nic} on {name}", created=missing)


def _import_headnodes(call: TxCall, project: str, tenant: Tenant, note: Note, at: Where) -> None:
    owner = find_project(call.tx, call.caller, project)
    for name, headnode in tenant.headnodes.items():
        with at(f"headnodes.{name}"):
            row = headnodes.find(call.tx, owner.id, name)
            if row is not None and row.image != headnode.image:
                raise ConflictError(
                    f"Headnode {project}/{name} is a clone of {row.image}, and not of"
                    f" {headnode.image}."
                )
            if row is None:
                headnode_methods.create(call, project, name, headnode.image, headnode.hypervisor)
                if not headnode.running:
                    headnode_methods.stop(call, project, name)
            note(f"headnode {project}/{name}", created=row is None)
            for nic, network in headnode.nics.items():
                with at(f"nics.{nic}"):
                    before = headnode_methods.show(call, project, name)
                    on = next((each.network for each in before.nics if each.nic == nic), None)
                    if on not in (None, network):
                        raise ConflictError(f"Its {nic} is on {on} already, and not on {network}.")
                    if on is None:
                        headnode_methods.connect(call, project, name, network, nic)
                    note(f"headnode {project}/{name} on {network}", created=on is None)


def _import_quota(call: TxCall, project: str, tenant: Tenant, note: Note, at: Where) -> None:
    owner = find_project(call.tx, call.caller, project)
    present = _quota(projects.detail(call.tx, owner.id))
    for noun, most in tenant.quota.items():
        with at(f"quota.{noun}"):
            differs = present.get(noun) != most
            if differs:
                projects.set_quota(call.tx, owner.id, noun, most)
            note(f"quota of {project}", changed=differs)
