"""network.*: logical networks. Each is one VLAN."""

from __future__ import annotations

import secrets

import msgspec

from haas_rpcd.errors import ConflictError, ExhaustedError, InvalidParamsError, NotFoundError
from haas_rpcd.methods.access import (
    conflict,
    find_network,
    find_project,
    paged,
    roles,
    sees,
    visible,
)
from haas_rpcd.methods.call import TxCall
from haas_rpcd.methods.cursors import seal, unseal
from haas_rpcd.methods.ending import end_share
from haas_rpcd.methods.quotas import check_quota
from haas_rpcd.methods.registry import always, method
from haas_rpcd.store import late, networks, projects, shares, switches
from haas_rpcd.store.networks import NetworkRow
from haas_schemas.common import Deleted, Page
from haas_schemas.names import Limit, Name, NetworkName, VlanId
from haas_schemas.network import Network, NetworkDetail, NetworkNic


def record(row: NetworkRow) -> Network:
    """Return the API's record of a network."""
    return Network(
        project=row.project,
        network=row.name,
        vlan=row.vlan,
        shared_with=tuple(row.shared_with),
        offered_to=tuple(row.offered_to),
        ending_with=tuple(row.ending_with),
        nics=row.nics,
        headnodes=row.headnodes,
    )


def for_caller(call: TxCall, row: NetworkRow) -> NetworkRow:
    """Limit what a guest sees of a network to its own projects."""
    if _visible(call, row.project_id):
        return row
    mine = {projects.by_id(call.tx, own_id).name for own_id in roles(call.tx, call.caller)}
    nics = networks.nics_on(call.tx, row.id)
    headnodes = networks.headnodes_on(call.tx, row.id)
    return msgspec.structs.replace(
        row,
        shared_with=[name for name in row.shared_with if name in mine],
        ending_with=[name for name in row.ending_with if name in mine],
        offered_to=[],
        nics=sum(_visible(call, nic.project_id) for nic in nics),
        headnodes=sum(_visible(call, headnode.project_id) for headnode in headnodes),
    )


def _visible(call: TxCall, project_id: int) -> bool:
    """Return True if the caller may see what a project holds."""
    return sees(call.tx, call.caller, project_id)


def own(call: TxCall, project: str, network: str) -> NetworkRow:
    """Return a network owned by a project of the caller's. Raises NotFoundError."""
    owner = find_project(call.tx, call.caller, project)
    row = networks.find(call.tx, owner.id, network)
    if row is None:
        raise NotFoundError(f"Project {project} has no network {network}.")
    return row


@method("network.create", mutates=True)
def create(call: TxCall, project: Name, network: Name, vlan: VlanId | None = None) -> Network:
    """Create a network. Its VLAN id comes from the pool; an admin may choose it.

    An admin gets the lowest free id, a tenant any.
    """
    owner = find_project(call.tx, call.caller, project)
    if networks.find(call.tx, owner.id, network) is not None:
        raise ConflictError(f"Project {project} has a network {network} already.")
    check_quota(call, owner, "networks", networks.claimed_by(call.tx, owner.id))
    with conflict(f"VLAN {vlan} was taken this moment: try again."):
        networks.create(
            call.tx, owner.id, network, pick_vlan(call, vlan), label=f"{project}/{network}"
        )
    call.changed("network", "created", network, project)
    return record(for_caller(call, own(call, project, network)))


def pick_vlan(call: TxCall, wanted: int | None = None) -> int:
    """Return a free VLAN id of the pool: this one, or any. Raises HaasError if there is none."""
    pool = call.context.settings.pool
    reserved = _reserved(call)
    if wanted is None:
        vlans = [vlan for vlan in pool if vlan not in reserved]
        if not call.caller.admin:  # the lowest one would tell how many networks others have
            secrets.SystemRandom().shuffle(vlans)
        vlan = networks.first_free_vlan(call.tx, vlans)
        if vlan is not None:
            return vlan
        waiting = networks.retiring(call.tx) if call.caller.admin else 0
        hint = f" {waiting} more become free with the next applies." if waiting else ""
        raise ExhaustedError(
            f"All {len(pool)} VLAN ids of the pool are in use: delete a network that is not needed,"
            f" or ask an admin to widen [vlans] pool in haas.toml.{hint}"
        )
    if not call.caller.admin:
        raise InvalidParamsError(
            "vlan: only an admin may name the VLAN id; leave it out to get one of the pool.",
            field="vlan",
        )
    if wanted not in pool:
        raise InvalidParamsError(
            f"vlan: {wanted} is not in the pool {call.context.settings.vlans.pool}, and HaaS"
            " touches no other ids ([vlans] pool in haas.toml).",
            field="vlan",
        )
    if wanted in reserved:
        raise ConflictError(
            f"VLAN {wanted} cannot be made on {reserved[wanted]}, which keeps it for itself:"
            " choose another."
        )
    if (claim := networks.claim(call.tx, wanted)) is not None:
        if claim.network_id is None and (switch := late.may_bring_back(call.tx, wanted)):
            raise ConflictError(
                f"VLAN {wanted} was {claim.label}'s, and {switch} may still execute a line about it"
                " that it did not answer: HaaS frees the id when that can no longer be."
            )
        if claim.network_id is None:
            raise ConflictError(
                f"VLAN {wanted} was {claim.label}'s, and not every device has confirmed that it"
                " is gone: it is free after the next apply there."
            )
        raise ConflictError(f"VLAN {wanted} belongs to {claim.label} already.")
    return wanted


def _reserved(call: TxCall) -> dict[int, str]:
    """Return the VLANs that some switch keeps for itself, each with the name of such a switch."""
    return {
        vlan: switch
        for dialect, switch in switches.one_of_each_dialect(call.tx).items()
        for vlan in call.context.reserved_vlans(dialect)
    }


@method("network.delete", mutates=True)
def delete(call: TxCall, project: Name, network: Name) -> Deleted:
    """Delete a network that nothing of its own project is connected to.

    What other projects have on it is disconnected, and parked first, in jobs. Its VLAN id becomes
    free once every device has confirmed that the VLAN is gone.
    """
    row = own(call, project, network)
    if row.deleting:
        raise ConflictError(f"Network {network} is being deleted already.")
    if users_of := _users_of(call, row):
        raise ConflictError(
            f"Network {network} is still in use by {', '.join(users_of[:3])}"
            + (f" and {len(users_of) - 3} more" if len(users_of) > 3 else "")
            + ": disconnect it there first."
        )
    shares.withdraw_offers(call.tx, row.id)
    networks.mark_deleting(call.tx, row.id)
    for guest in row.shared_with:
        end_share(call, row, guest)
    shares.finish_ends(call.tx)
    if networks.find(call.tx, row.project_id, network) is None:
        pass  # deleted with its last share
    elif not (row.shared_with or row.ending_with):
        networks.delete(call.tx, row.id)
    else:
        call.changed("network", "changed", network, project)
        return Deleted(
            deleted=False,
            note=f"What other projects have on {network} is parked first, in jobs; then it goes.",
        )
    call.changed("network", "deleted", network, project)
    if row.vlan in networks.free_claims(call.tx):
        return Deleted(deleted=True)
    return Deleted(
        deleted=True, note=f"VLAN {row.vlan} is taken off the devices by the next apply."
    )


def _users_of(call: TxCall, network: NetworkRow) -> list[str]:
    """Return what its own project has connected to a network."""
    nics = networks.nics_on(call.tx, network.id)
    heads = networks.headnodes_on(call.tx, network.id)
    return [
        *(f"{nic.node}:{nic.nic}" for nic in nics if nic.project_id == network.project_id),
        *(
            f"headnode {h.project}/{h.headnode}"
            for h in heads
            if h.project_id == network.project_id
        ),
    ]


@method("network.list", lasts=always)
def list_(
    call: TxCall, project: Name | None = None, limit: Limit = 1000, after: str | None = None
) -> Page[Network]:
    """List the networks that a project may use, or all that the caller may see."""
    project_id = find_project(call.tx, call.caller, project).id if project else None
    rows = networks.page(
        call.tx,
        limit,
        unseal(call.tx, after),
        project_id=project_id,
        mine=visible(call.tx, call.caller),
    )
    items = [record(for_caller(call, row)) for row in rows]
    return paged(items, limit, seal(call.tx, rows[-1].id) if rows else None)


@method("network.show")
def show(call: TxCall, project: Name, network: NetworkName) -> NetworkDetail:
    """Show a network that a project may use, and what is connected to it."""
    row = find_network(call.tx, find_project(call.tx, call.caller, project), network)
    shown = for_caller(call, row)
    return NetworkDetail(
        project=shown.project,
        network=shown.name,
        vlan=shown.vlan,
        shared_with=tuple(shown.shared_with),
        offered_to=tuple(shown.offered_to),
        ending_with=tuple(shown.ending_with),
        nics=tuple(
            NetworkNic(node=nic.node, nic=nic.nic, tagged=nic.tagged)
            for nic in networks.nics_on(call.tx, row.id)
            if _visible(call, nic.project_id)
        ),
        headnodes=tuple(
            f"{head.project}/{head.headnode}"
            for head in networks.headnodes_on(call.tx, row.id)
            if _visible(call, head.project_id)
        ),
    )
