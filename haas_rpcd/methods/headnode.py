"""headnode.*: login machines, cloned from a powered-off domain. Every change is staged."""

from __future__ import annotations

import secrets
import uuid
from typing import Annotated

from msgspec import Meta

from haas_rpcd.devicenames import MASTER, libvirt_device
from haas_rpcd.errors import (
    ConflictError,
    DeniedError,
    InvalidParamsError,
    NotFoundError,
    UnavailableError,
)
from haas_rpcd.methods.access import (
    conflict,
    find_headnode,
    find_network,
    find_project,
    find_usable_network,
    paged,
    visible,
)
from haas_rpcd.methods.call import TxCall
from haas_rpcd.methods.cursors import seal, unseal
from haas_rpcd.methods.hypervisor import find_hypervisor, master_of
from haas_rpcd.methods.quotas import check_quota
from haas_rpcd.methods.registry import always, method
from haas_rpcd.planner.placement import Candidate, place
from haas_rpcd.store import headnodes, hypervisors, moves
from haas_rpcd.store.database import Tx
from haas_rpcd.store.headnodes import HeadnodeNicRow, HeadnodeRow
from haas_rpcd.store.projects import ProjectRow
from haas_schemas.common import Deleted, Page
from haas_schemas.headnode import Headnode, HeadnodeNic
from haas_schemas.names import Limit, Name, NetworkName, NicName

Image = Annotated[str, Meta(min_length=1, max_length=255, description="A domain to clone.")]

HypervisorParam = Annotated[Name, Meta(description="The hypervisor to put it on.")]

MAC_PREFIX = "52:54:00"
"""The locally administered prefix that QEMU and KVM use for virtual machines."""


def record(tx: Tx, row: HeadnodeRow) -> Headnode:
    """Return the API's record of a headnode: what is staged, and what the hypervisor confirmed."""
    seen = row.seen
    # VLAN 0 means that the nic exists, but is on none of our networks
    confirmed = {nic.mac: nic.vlan or None for nic in seen.nics} if seen else {}
    nics = []
    for nic in headnodes.nics(tx, row.id):
        label = None
        if nic.network is not None:
            own = nic.owner == row.project
            label = nic.network if own else f"{nic.owner}/{nic.network}"
        nics.append(
            HeadnodeNic(
                nic=nic.name,
                mac=nic.mac,
                network=label,
                vlan=nic.vlan,
                applied=confirmed.get(nic.mac),
            )
        )
    return Headnode(
        project=row.project,
        headnode=row.name,
        state=row.state,
        running=row.running,
        image=row.image,
        uuid=row.uuid,
        nics=tuple(nics),
        observed=_observed(row),
        hypervisor=row.hypervisor,
        moving_to=row.move_to,
    )


def _observed(row: HeadnodeRow) -> str | None:
    """Describe what the hypervisor has, if it is read and differs from what was applied."""
    known = row.reached and row.now is not None and row.now != row.seen
    return row.now.describe() if known and row.now is not None else None


def _find(call: TxCall, project: str, headnode: str) -> tuple[ProjectRow, HeadnodeRow]:
    """Return a project and its headnode; a headnode being deleted is an error. Raises HaasError."""
    owner = find_project(call.tx, call.caller, project)
    row = find_headnode(call.tx, owner, headnode)
    if row.deleting:
        raise ConflictError(f"Headnode {headnode} is being deleted: it goes with the next apply.")
    return owner, row


def _changed(call: TxCall, project: str, headnode: str) -> Headnode:
    call.changed("headnode", "changed", headnode, project)
    return show(call, project, headnode)


@method("headnode.create", mutates=True)
def create(
    call: TxCall,
    project: Name,
    headnode: Name,
    image: Image = "base-headnode",
    hypervisor: HypervisorParam | None = None,
) -> Headnode:
    """Stage a headnode: the next apply clones ``image``, connects it and boots it.

    ``hypervisor`` is where it is made; only admins may choose that. Without it, it is one with
    room, and with the fewest other headnodes of the project. Of a site with two masters, it is not
    the master.
    """
    owner = find_project(call.tx, call.caller, project)
    master = master_of(call)
    if hypervisor is not None:
        check_hypervisor(call, hypervisor)
    else:
        hypervisor = _place(call, owner, image)
    if image not in master.images:
        raise InvalidParamsError(
            f"image: {image} is not one of the images that headnodes may be cloned from:"
            f" {', '.join(master.images)} ([master] images in haas.toml).",
            field="image",
        )
    known = headnodes.find(call.tx, owner.id, headnode)
    if known is not None and known.deleting:
        raise ConflictError(f"Headnode {headnode} is still being deleted: apply first.")
    check_quota(call, owner, "headnodes", len(headnodes.all_of(call.tx, owner.id)))
    with conflict(f"Project {project} has a headnode {headnode} already."):
        headnodes.create(call.tx, owner.id, headnode, str(uuid.uuid4()), image, hypervisor)
    call.changed("headnode", "created", headnode, project)
    return show(call, project, headnode)


def _place(call: TxCall, project: ProjectRow, image: str) -> str:
    """Return the hypervisor for a new headnode. Raises UnavailableError if none has room."""
    engine = call.context.engine
    names = hypervisors.in_service(call.tx)
    if call.context.settings.ha.on:
        names.remove(MASTER)
        if not names:
            raise UnavailableError(
                "This site has two masters, so headnodes are made on registered hypervisors only,"
                " and none is in service: an admin registers one (hypervisor register)."
            )
    if len(names) == 1:
        return names[0]
    found: list[Candidate] = []
    sizes = engine.capacities.image_sizes()
    for name in names:
        capacity = engine.capacities.of(name)
        if capacity is None or not (engine.sees(name) and engine.sees(libvirt_device(name))):
            continue
        own, staged = headnodes.load_on(call.tx, name, project.id)
        waiting = tuple(sizes[one] for one in staged if one in sizes)
        found.append(Candidate(name, capacity, capacity.has(image), own, waiting))
    if not found:
        return names[0]  # none was read yet: an apply says whether it can be
    size = sizes.get(image)
    draw = secrets.randbelow(10**6) / 10**6
    chosen = None if size is None else place(found, size, draw)
    if chosen is None:
        raise UnavailableError(
            f"No hypervisor has the image {image} and room for a clone of it now: try again later,"
            " or ask an admin."
        )
    return chosen


def check_hypervisor(call: TxCall, hypervisor: str) -> None:
    """Check that the caller may put a headnode on this hypervisor.

    Tenants may not: whoever can choose a neighbour's host can listen to what leaks between virtual
    machines. Raises DeniedError, NotFoundError, and ConflictError for one that is retired, and for
    the master of a site with two: it is another machine after a takeover, and may run on elsewhere.
    """
    if not call.caller.admin:
        raise DeniedError("Only an admin may choose a headnode's hypervisor: leave it out.")
    if hypervisor == MASTER:
        if call.context.settings.ha.on:
            raise ConflictError(
                "This site has two masters: after a takeover, what is on the one would be missing"
                " on the other. Choose a registered hypervisor."
            )
        return
    if find_hypervisor(call, hypervisor).retired is not None:
        raise ConflictError(f"Hypervisor {hypervisor} is retired: choose another one.")


@method("headnode.move", mutates=True)
def move(call: TxCall, project: Name, headnode: Name, hypervisor: HypervisorParam) -> Headnode:
    """Stage a headnode's move to another hypervisor; naming the one where it is takes that back.

    The next apply stops it, copies its disk, and starts it there if it is to run. If its hypervisor
    is retired or has lost it, it is made anew from its image, and what was on its disk is lost.
    Its name, its nics and their MACs stay.
    """
    _, row = _find(call, project, headnode)
    if row.hypervisor == hypervisor and row.move_to is not None:
        moves.stage(call.tx, row.id, None)
        return _changed(call, project, headnode)
    check_hypervisor(call, hypervisor)
    lost = row.now is not None and not row.now.defined
    if hypervisor == row.hypervisor or (hypervisor == row.move_to and not lost):
        return show(call, project, headnode)
    if row.touched and not row.retired and not lost:
        moves.stage(call.tx, row.id, hypervisor, secrets.token_hex(8))
    else:
        hypervisors.leave_behind(call.tx, row.id)
        headnodes.place(call.tx, row.id, hypervisor)
    return _changed(call, project, headnode)


@method("headnode.delete", mutates=True)
def delete(call: TxCall, project: Name, headnode: Name) -> Deleted:
    """Stage a headnode's deletion: the next apply removes the machine and its disk."""
    _, row = _find(call, project, headnode)
    headnodes.mark_deleting(call.tx, row.id)
    call.changed("headnode", "deleted", headnode, project)
    if not row.touched and not row.copies:
        headnodes.delete(call.tx, row.id)
        return Deleted(deleted=True)
    return Deleted(deleted=False, note=f"Headnode {headnode} and its disk go with the next apply.")


@method("headnode.list", lasts=always)
def list_(
    call: TxCall, project: Name | None = None, limit: Limit = 1000, after: str | None = None
) -> Page[Headnode]:
    """List headnodes: a project's, or all that the caller may see."""
    project_id = find_project(call.tx, call.caller, project).id if project else None
    rows = headnodes.page(
        call.tx,
        limit,
        unseal(call.tx, after),
        project_id=project_id,
        mine=visible(call.tx, call.caller),
    )
    return paged(
        [record(call.tx, row) for row in rows], limit, seal(call.tx, rows[-1].id) if rows else None
    )


@method("headnode.show")
def show(call: TxCall, project: Name, headnode: Name) -> Headnode:
    """Show one headnode with its nics: what is staged on them and what is applied."""
    owner = find_project(call.tx, call.caller, project)
    return record(call.tx, find_headnode(call.tx, owner, headnode))


@method("headnode.connect", mutates=True)
def connect(
    call: TxCall, project: Name, headnode: Name, network: NetworkName, nic: NicName | None = None
) -> Headnode:
    """Stage a headnode's nic onto a network. Without ``nic``: an unconnected nic, or a new one."""
    owner, row = _find(call, project, headnode)
    target = find_usable_network(call.tx, owner, network)
    nics = headnodes.nics(call.tx, row.id)
    already = next((n for n in nics if n.network_id == target.id), None)
    if already is not None and nic in (None, already.name):
        return _changed(call, project, headnode)
    if already is not None:
        raise ConflictError(
            f"Headnode {headnode} is on {network} with its nic {already.name} already."
        )
    headnodes.connect(call.tx, _nic_for(call.tx, row.id, nics, nic), target.id)
    return _changed(call, project, headnode)


def _nic_for(tx: Tx, headnode_id: int, nics: list[HeadnodeNicRow], wanted: str | None) -> int:
    """Return the nic to connect: the one named, else an unconnected one, else a new one."""
    names = {nic.name for nic in nics}
    for nic in nics:
        if nic.name == wanted or (wanted is None and nic.network_id is None):
            return nic.id
    name = wanted or next(f"nic{i}" for i in range(len(nics) + 1) if f"nic{i}" not in names)
    suffix = ":".join(f"{byte:02x}" for byte in secrets.token_bytes(3))
    with conflict("A MAC address was drawn twice: try again."):
        return headnodes.add_nic(tx, headnode_id, name, f"{MAC_PREFIX}:{suffix}")


@method("headnode.disconnect", mutates=True)
def disconnect(
    call: TxCall,
    project: Name,
    headnode: Name,
    network: NetworkName | None = None,
    nic: NicName | None = None,
) -> Headnode:
    """Stage a headnode off a network, named by the network or the nic; or off all networks."""
    owner, row = _find(call, project, headnode)
    target = find_network(call.tx, owner, network).id if network else None
    hit = [
        found
        for found in headnodes.nics(call.tx, row.id)
        if found.network_id is not None
        and (target is None or found.network_id == target)
        and (nic is None or found.name == nic)
    ]
    if not hit and (network or nic):
        raise NotFoundError(f"Headnode {headnode} is not connected to {network or nic}.")
    for found in hit:
        headnodes.connect(call.tx, found.id, None)
    return _changed(call, project, headnode)


@method("headnode.start", mutates=True)
def start(call: TxCall, project: Name, headnode: Name) -> Headnode:
    """Stage a headnode's start. The first apply starts a new headnode in any case."""
    _, row = _find(call, project, headnode)
    headnodes.set_running(call.tx, row.id, True)
    return _changed(call, project, headnode)


@method("headnode.stop", mutates=True)
def stop(call: TxCall, project: Name, headnode: Name) -> Headnode:
    """Stage a headnode's stop: the next apply powers it off."""
    _, row = _find(call, project, headnode)
    headnodes.set_running(call.tx, row.id, False)
    return _changed(call, project, headnode)
