"""node.*: physical machines, which admins register and tenants allocate and release."""

from __future__ import annotations

import time
from typing import Annotated, Literal

from msgspec import Meta

from haas_rpcd.engine import releasing
from haas_rpcd.engine.power import registered
from haas_rpcd.errors import ConflictError, DeniedError, ExhaustedError, InvalidParamsError
from haas_rpcd.methods import plugging
from haas_rpcd.methods.access import (
    check_not_proved,
    conflict,
    find_held_node,
    find_node,
    find_project,
    paged,
    visible,
)
from haas_rpcd.methods.call import TxCall
from haas_rpcd.methods.node_records import node_records
from haas_rpcd.methods.power import may_switch
from haas_rpcd.methods.quotas import check_queue, check_quota
from haas_rpcd.methods.registry import method
from haas_rpcd.methods.times import Time, in_future
from haas_rpcd.nicplug import NicPlug
from haas_rpcd.store import bmcs, leases, nodes, proofs
from haas_rpcd.store.projects import ProjectRow
from haas_schemas.bmc import BootDevice
from haas_schemas.common import Deleted, Page, timestamp
from haas_schemas.names import Limit, Name, NicName, Tag
from haas_schemas.node import Allocated, Node, Released

_NEVER = "never"

End = Annotated[str, Meta(description="A time such as 2026-01-31T12:00:00Z, or never.")]


class NicSpec(NicPlug, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A nic of a node to register: its name, and what it is registered with."""

    nic: NicName


# --- the inventory --------------------------------------------------------------------------------


@method("node.register", mutates=True)
def register(call: TxCall, node: Name, nics: list[NicSpec], tags: list[Tag] | None = None) -> Node:
    """Register a node and its nics. It becomes free once an apply of the site has parked its ports.

    Each nic is an object such as {"nic": "primary-nic", "switch": "sw1", "port": "Gi1/0/1"}; for a
    bond see nic.register.
    """
    with conflict(f"There is a node {node} already."):
        node_id = nodes.create(call.tx, node, tags or ())
    for spec in nics:
        plugging.add(call, call.tx, node_id, node, spec.nic, spec)
    call.changed("node", "created", node)
    return _one(call, node)


def _one(call: TxCall, name: str) -> Node:
    return node_records(call, [find_node(call.tx, call.caller, name)])[0]


@method("node.delete", mutates=True)
def delete(call: TxCall, node: Name) -> Deleted:
    """Delete a node that no project holds, and its nics."""
    row = find_node(call.tx, call.caller, node)
    check_not_proved(call.tx, row)
    if row.project is not None:
        raise ConflictError(
            f"Node {node} is held by project {row.project}: release it first with"
            f"  node release {node}"
        )
    nodes.delete(call.tx, row.id)
    call.changed("node", "deleted", node)
    return Deleted(deleted=True)


@method("node.set", mutates=True)
def set_(
    call: TxCall,
    node: Name,
    power: Literal["on", "off", "keep"] | None = None,
    boot: BootDevice | None = None,
    tags: list[Tag] | None = None,
) -> Node:
    """Stage that a node is switched on or off by the next apply, after its ports are set.

    ``keep`` takes back what was staged. ``boot``, with ``on``: what it boots from then, once.
    ``tags`` replace its tags at once; for admins.
    """
    row = may_switch(call.tx, call.caller, node)
    if power is None and tags is None:
        raise InvalidParamsError("node.set changes power or tags: name one of them.", field="power")
    if boot is not None and power != "on":
        raise InvalidParamsError("boot: goes with power on.", field="boot")
    if tags is not None:
        if not call.caller.admin:
            raise DeniedError("tags: only an admin may set them.")
        nodes.set_tags(call.tx, row.id, tags)
    if power is not None and row.releasing:
        raise ConflictError(f"Node {node} is being released, so nothing is staged for it.")
    if power == "keep":
        bmcs.unstage(call.tx, row.id)
    elif power is not None:
        registered(call.tx, node)
        bmcs.stage(call.tx, row.id, power, boot)
    call.affects(row.project)
    call.changed("node", "changed", node, row.project)
    return _one(call, node)


def _lasts(page: Page[Node]) -> bool:
    """Return True if nothing of a page depends on the time."""
    return all(node.waiting_until is None for node in page.items)


@method("node.list", lasts=_lasts)
def list_(
    call: TxCall,
    project: Name | None = None,
    free: bool | None = None,
    tag: Tag | None = None,
    limit: Limit = 1000,
    after: str | None = None,
) -> Page[Node]:
    """List nodes. Tenants see their projects' nodes and those that no project holds."""
    project_id = find_project(call.tx, call.caller, project).id if project else None
    rows = nodes.page(
        call.tx,
        limit,
        after or "",
        mine=visible(call.tx, call.caller),
        project_id=project_id,
        free=free,
        tag=tag,
    )
    return paged(node_records(call, rows), limit, rows[-1].name if rows else None)


@method("node.show")
def show(call: TxCall, node: Name) -> Node:
    """Show one node with its nics: what is staged on them, and what is applied."""
    return _one(call, node)


# --- holding them ---------------------------------------------------------------------------------


@method("node.allocate", mutates=True)
def allocate(
    call: TxCall,
    project: Name,
    node: Name | None = None,
    count: Annotated[int, Meta(ge=1, le=1000, description="How many free nodes.")] | None = None,
    tag: Tag | None = None,
    until: Time | None = None,
) -> Allocated:
    """Allocate free nodes to a project: the one named, or ``count`` of them (with a ``tag``).

    With ``until`` they are released by themselves at that time, unless they are extended.
    """
    row = find_project(call.tx, call.caller, project)
    if (node is None) == (count is None):
        raise InvalidParamsError(
            "node.allocate takes either node or count: name a node, or say how many.", field="node"
        )
    if node is not None and tag is not None:
        raise InvalidParamsError("tag: goes with count, not with node.", field="tag")
    check_quota(call, row, "nodes", nodes.held(call.tx, row.id), count or 1)
    names = [node] if node is not None else _pick(call, count or 0, tag)
    for name in names:
        node_id = _allocate_one(call, row, name)
        if until is not None:
            _lease(call, node_id, until)
    return Allocated(project=project, nodes=tuple(names))


def _pick(call: TxCall, count: int, tag: str | None) -> list[str]:
    proven = call.context.settings.policy.require_proof
    names = nodes.free_names(call.tx, count, tag, proven=proven)
    if len(names) < count:
        tagged = f" with the tag {tag}" if tag else ""
        tagged += " whose cabling is proven" if proven else ""
        raise ExhaustedError(
            f"There are only {len(names)} free nodes{tagged}, not {count}: ask for fewer, or wait"
            " until some are released.",
            free=len(names),
        )
    return names


def _allocate_one(call: TxCall, project: ProjectRow, name: str) -> int:
    row = find_node(call.tx, call.caller, name)
    if row.state == "unconfirmed" and proofs.under_way(call.tx, row.id) is not None:
        raise ConflictError(
            f"Node {name} can't be allocated now: its cabling is being proved. Try again later."
        )
    if row.state == "free" and call.context.power.busy(name):
        raise ConflictError(
            f"Node {name} can't be allocated now: it is being switched on or off. Try again in a"
            " moment."
        )
    if row.state == "unconfirmed" and (place := nodes.drifted_port(call.tx, row.id)):
        raise ConflictError(
            f"Node {name} can't be allocated now: its port {place} was found open. An admin closes"
            " it with  drift repair"
        )
    waiting = call.context.engine.waiting(call.tx, [row.id])
    if row.state == "unconfirmed" and (wait := waiting.get(row.id)):
        raise ConflictError(
            f"Node {name} can't be allocated before {timestamp(wait.until)}: {wait.reason}"
        )
    if row.state == "unconfirmed" and (switch := nodes.on_a_stranger(call.tx, row.id)):
        raise ConflictError(
            f"Node {name} can't be allocated now: another switch answers in place of {switch}. An"
            f" admin sees what to do with  switch show {switch}"
        )
    if row.state == "unconfirmed" and (switch := nodes.on_a_retired_switch(call.tx, row.id)):
        raise ConflictError(
            f"Node {name} can't be allocated now: its switch {switch} is retired. An"
            f" admin takes it back with  switch reinstate {switch}"
        )
    if row.state == "unconfirmed":
        raise ConflictError(
            f"Node {name} can't be allocated yet: its ports are not confirmed parked. An admin"
            " parks them with  apply --site"
        )
    if row.state != "free":
        held = "being released" if row.releasing else f"allocated to {row.project}"
        raise ConflictError(f"Node {name} is not free: it is {held}.")
    if call.context.settings.policy.require_proof and not proofs.proven(call.tx, [row.id]):
        raise ConflictError(
            f"Node {name} can't be allocated: this site requires that its cabling is proven. An"
            f" admin proves it with  cabling prove {name}"
        )
    nodes.allocate(call.tx, row.id, project.id)
    bmcs.forget_change(call.tx, row.id)
    bmcs.unstage(call.tx, row.id)
    call.changed("node", "allocated", name)
    return row.id


@method("node.release", mutates=True)
def release(call: TxCall, node: Name, leave_on: bool = False) -> Released:
    """Release a node: disconnect its nics, and start a job that parks its ports.

    The node is ``releasing`` until the switches have confirmed that and, by the site's policy, its
    BMC has confirmed that it is off. If the job fails, releasing the node again starts another.
    ``leave_on``: it is free though it may be on; for admins.
    """
    if leave_on and not call.caller.admin:
        raise DeniedError("leave_on: only an admin may free a node that is not off.")
    row = find_node(call.tx, call.caller, node)
    if row.project_id is None:
        raise ConflictError(f"Node {node} is held by no project, so there is nothing to release.")
    call.affects(row.project)
    if row.releasing:  # each node's first release is needed, so it is not refused
        check_queue(call, row.project_id)
    begun = releasing.begin(
        call.tx,
        row,
        user=call.caller.user,
        now=time.time(),
        hook=bool(call.context.settings.release.command),
        switch_off=call.context.settings.policy.power_off_on_release and not leave_on,
    )
    call.changed("node", "releasing", node, row.project)
    if begun.job is None:  # its ports are parked already
        call.changed("node", "freed", node)
        return Released(node=node, state="free", job=None)
    call.start_job(begun.job, row.project_id)
    call.changed("job", "queued", str(begun.job), row.project)
    return Released(node=node, state="releasing", job=begun.job)


@method("node.extend", mutates=True)
def extend(call: TxCall, node: Name, until: End | None) -> Node:
    """Let the allocation of a node end at another time, of which it is warned again; or never.

    ``null``, or the word ``never``, lifts the lease: the node is held until it is released.
    """
    row, project = find_held_node(call.tx, call.caller, node)
    call.affects(project.name)
    if until is None or until == _NEVER:
        leases.lift(call.tx, row.id)
        call.tx.after_commit.append(call.context.leases.changed)
    else:
        _lease(call, row.id, until)
    call.changed("node", "changed", node, project.name)
    return _one(call, node)


def _lease(call: TxCall, node_id: int, until: str) -> None:
    leases.set_until(call.tx, node_id, in_future(until, "until", time.time()))
    call.tx.after_commit.append(call.context.leases.changed)
