"""Looks things up for a caller. What it may not see gives the same error as what does not exist."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from haas_rpcd.auth import Caller
from haas_rpcd.errors import ConflictError, DeniedError, InvalidParamsError, NotFoundError
from haas_rpcd.store import (
    headnodes,
    jobs,
    networks,
    nics,
    nodes,
    ports,
    projects,
    proofs,
    shares,
    switches,
    users,
)
from haas_rpcd.store.database import Tx
from haas_schemas.common import Page
from haas_schemas.project import MemberRole

T = TypeVar("T")


_NOTHING = -1
"""The id of nothing in the database."""

_RANK: dict[str, int] = {"user": 0, "reader": 1, "member": 2, "owner": 3}

_MAY: dict[str, str] = {
    "member": "change anything in it",
    "owner": "decide who its members are",
}


def roles(tx: Tx, caller: Caller) -> dict[int, MemberRole]:
    """Return the caller's role in each of its projects, by the project's id, in order of names."""
    if caller.bound is not None:
        return {caller.bound.project_id: caller.bound.role}
    return {row.project_id: row.role for row in users.memberships(tx, caller.user)}


def visible(tx: Tx, caller: Caller) -> list[int] | None:
    """Return the ids of the projects a list is limited to; None for admins, who see everything."""
    return None if caller.admin else list(roles(tx, caller))


def sees(tx: Tx, caller: Caller, project_id: int | None) -> bool:
    """Return True if the caller may see what this project holds."""
    return caller.admin or (project_id is not None and project_id in roles(tx, caller))


def may_act_for(tx: Tx, caller: Caller, name: str) -> bool:
    """Return True if the caller has the role that the running method requires in a project."""
    try:
        find_project(tx, caller, name)
    except (NotFoundError, DeniedError):
        return False
    return True


def sees_project(tx: Tx, caller: Caller, name: str) -> bool:
    """Return True if the caller may see what the project of this name holds."""
    row = projects.find(tx, name)
    return row is not None and sees(tx, caller, row.id)


def find_project(tx: Tx, caller: Caller, name: str) -> projects.ProjectRow:
    """Return a project in which the caller has the role that the running method requires.

    Raises NotFoundError if the caller is not a member, and DeniedError if its role is too low.
    """
    known = roles(tx, caller)
    row = projects.find(tx, name)
    if row is None or not (caller.admin or row.id in known):
        raise NotFoundError(f"There is no project {name}.")
    _check_role(caller, known, row.id, row.name)
    return row


def _check_role(
    caller: Caller, known: dict[int, MemberRole], project_id: int, project: str
) -> None:
    """Raise DeniedError if the caller's role in a project that it sees is too low."""
    if caller.admin or _RANK[known[project_id]] >= _RANK[caller.needs]:
        return
    raise DeniedError(
        f"You are a {known[project_id]} of project {project} and may not {_MAY[caller.needs]}:"
        f" ask an owner of {project}, or an admin, to make you {_article(caller.needs)}."
    )


def _article(role: str) -> str:
    return f"an {role}" if role == "owner" else f"a {role}"


def find_node(tx: Tx, caller: Caller, name: str) -> nodes.NodeRow:
    """Return a node that is free or held by the caller's projects; any, for an admin.

    Raises NotFoundError, and DeniedError if the caller's role in the node's project is too low.
    """
    known = roles(tx, caller)
    row = nodes.find(tx, name)
    if row is None or not (caller.admin or row.project_id is None or row.project_id in known):
        raise NotFoundError(f"There is no node {name}.")
    if row.project_id is not None:
        _check_role(caller, known, row.project_id, row.project or "")
    return row


def find_held_node(tx: Tx, caller: Caller, name: str) -> tuple[nodes.NodeRow, projects.ProjectRow]:
    """Return a node that is held and not being released, and the project that holds it.

    Raises NotFoundError, ConflictError.
    """
    row = find_node(tx, caller, name)
    if row.project_id is None:
        raise ConflictError(
            f"Node {name} is allocated to no project: allocate it first with"
            f"  node allocate PROJECT {name}"
        )
    if row.releasing:
        raise ConflictError(
            f"Node {name} is being released; it can be allocated again once its ports are parked."
        )
    return row, projects.by_id(tx, row.project_id)


def check_not_proved(tx: Tx, node: nodes.NodeRow) -> None:
    """Raise ConflictError while the cabling of a node is being proved."""
    if (proving := proofs.under_way(tx, node.id)) is not None:
        raise ConflictError(
            f"The cabling of node {node.name} is being proved: wait for job {proving.job_id}, or"
            f" cancel it with  job cancel {proving.job_id}"
        )


def find_nic(tx: Tx, node: nodes.NodeRow, name: str) -> nics.RegisteredNic:
    """Return a nic of a node. Raises NotFoundError."""
    row = nics.find(tx, node.id, name)
    if row is None:
        raise NotFoundError(f"Node {node.name} has no nic {name}.")
    return row


def find_network(tx: Tx, project: projects.ProjectRow, name: str) -> networks.NetworkRow:
    """Return a network that a project owns or shares, by ``name`` or ``owner/name``.

    Raises NotFoundError.
    """
    owner_name, _, own_name = name.rpartition("/")
    owner = projects.find(tx, owner_name) if owner_name else project
    # The same is asked for a network that is foreign and one that does not exist.
    row = networks.find(tx, owner.id if owner is not None else _NOTHING, own_name)
    guest = shares.is_guest(tx, row.id if row is not None else _NOTHING, project.id)
    if row is None or not (guest or row.project_id == project.id):
        raise NotFoundError(f"Project {project.name} has no network {name}.")
    return row


def find_usable_network(tx: Tx, project: projects.ProjectRow, name: str) -> networks.NetworkRow:
    """Return a network that something of a project may be connected to.

    Raises NotFoundError, and ConflictError while the network or the share of it is ending.
    """
    row = find_network(tx, project, name)
    if not shares.usable_by(tx, row, project.id):
        raise ConflictError(
            f"Network {name} is being taken back or deleted: nothing more can be connected to it."
        )
    return row


def find_headnode(tx: Tx, project: projects.ProjectRow, name: str) -> headnodes.HeadnodeRow:
    """Return a headnode of a project. Raises NotFoundError."""
    row = headnodes.find(tx, project.id, name)
    if row is None:
        raise NotFoundError(f"Project {project.name} has no headnode {name}.")
    return row


def find_job(tx: Tx, caller: Caller, number: int) -> jobs.JobRow:
    """Return a job of the caller's projects; any, for an admin.

    Raises NotFoundError, and DeniedError if the caller's role in the project is too low.
    """
    known = roles(tx, caller)
    row = jobs.find(tx, number)
    if row is None or not (caller.admin or row.project_id in known):
        raise NotFoundError(f"There is no job {number}.")
    if row.project_id is not None:
        _check_role(caller, known, row.project_id, row.project or "")
    return row


def find_switch(tx: Tx, name: str) -> switches.SwitchRow:
    """Return a switch. Raises NotFoundError."""
    row = switches.find(tx, name)
    if row is None:
        raise NotFoundError(f"There is no switch {name}.")
    return row


def find_port(tx: Tx, switch: str, port: str) -> ports.PortRow:
    """Return a port of a switch. Raises NotFoundError."""
    row = ports.find(tx, find_switch(tx, switch).name, port)
    if row is None:
        raise NotFoundError(
            f"Switch {switch} has no port {port}: register it with  port register {switch} {port}"
        )
    return row


@contextmanager
def conflict(message: str) -> Iterator[None]:
    """Turn a violated database constraint into a ConflictError with this message."""
    try:
        yield
    except sqlite3.IntegrityError as error:
        raise ConflictError(message) from error


def paged(items: Sequence[T], limit: int, cursor: str | int | None) -> Page[T]:
    """Return a page; ``cursor`` is the last item's. It is omitted at the end of the list."""
    return Page(items=tuple(items), next=str(cursor) if len(items) == limit else None)


def number_cursor(after: str | None) -> int:
    """Parse the ``after`` of a list that is ordered by id. Raises InvalidParamsError."""
    if after is None:
        return 0
    if not after.isdecimal() or len(after) > 15:
        raise InvalidParamsError(
            "after: must be the `next` of the page before this one.", field="after"
        )
    return int(after)
