"""project.*: tenants and their members."""

from __future__ import annotations

from haas_rpcd.errors import ConflictError, NotFoundError
from haas_rpcd.methods.access import conflict, find_project, paged, visible
from haas_rpcd.methods.call import TxCall
from haas_rpcd.methods.registry import always, method
from haas_rpcd.store import jobs, projects, shares, users
from haas_schemas.common import Deleted, Page
from haas_schemas.names import Limit, Name, UserName
from haas_schemas.project import MemberRole, Project, Quota

MAX_MEMBERS = 1000
"""Members of one project, with those who are invited."""


def record(row: projects.ProjectDetailRow) -> Project:
    """Return the API's record of a project."""
    quota = Quota(row.quota_nodes, row.quota_networks, row.quota_headnodes)
    return Project(
        project=row.name,
        members=tuple(row.roles),
        roles=row.roles,
        nodes=row.nodes,
        networks=row.networks,
        headnodes=row.headnodes,
        quota=quota if quota != Quota() else None,
    )


@method("project.create", mutates=True)
def create(call: TxCall, project: Name) -> Project:
    """Create a project."""
    with conflict(f"There is a project {project} already."):
        project_id = projects.create(call.tx, project)
    call.changed("project", "created", project, admins_only=True)
    return record(projects.detail(call.tx, project_id))


@method("project.delete", mutates=True)
def delete(call: TxCall, project: Name) -> Deleted:
    """Delete a project that holds nothing."""
    row = find_project(call.tx, call.caller, project)
    held = projects.detail(call.tx, row.id)
    counts = {"nodes": held.nodes, "headnodes": held.headnodes, "networks": held.networks}
    for noun, count in counts.items():
        if count:
            what = f"{count} {noun}" if count > 1 else f"1 {noun.removesuffix('s')}"
            them = "them" if count > 1 else "it"
            raise ConflictError(
                f"Project {project} still has {what}: release or delete {them} first."
            )
    for job in jobs.unfinished(call.tx):
        if job.project_id == row.id:
            raise ConflictError(
                f"Job {job.id} of project {project} is still under way: wait until it has ended,"
                " or cancel it."
            )
    projects.delete(call.tx, row.id)
    shares.drop_offers_to(call.tx, project)
    call.changed("project", "deleted", project, admins_only=True)
    for user in held.roles:
        call.permissions_reduced(user)
    return Deleted(deleted=True)


@method("project.list", lasts=always)
def list_(call: TxCall, limit: Limit = 1000, after: str | None = None) -> Page[Project]:
    """List the projects that the caller is a member of; all, for an admin."""
    rows = projects.page(call.tx, limit, after or "", visible(call.tx, call.caller))
    return paged([record(row) for row in rows], limit, rows[-1].name if rows else None)


@method("project.show")
def show(call: TxCall, project: Name) -> Project:
    """Show one project."""
    row = find_project(call.tx, call.caller, project)
    return record(projects.detail(call.tx, row.id))


@method("project.add_member", mutates=True)
def add_member(call: TxCall, project: Name, user: UserName, role: MemberRole = "member") -> Project:
    """Let a user act for a project, or give a member another role.

    A reader sees what the project holds, a member also changes it, an owner also chooses members.
    A user who is not known to HaaS yet becomes a member when an admin creates it.
    """
    row = find_project(call.tx, call.caller, project)
    known = projects.detail(call.tx, row.id).roles
    before = known.get(user)
    if role != "owner":
        _keep_an_owner(call, project, user)
    member = users.find(call.tx, user)
    if before is None and len(known) >= MAX_MEMBERS:  # the same for known users and others
        raise ConflictError(f"Project {project} has {MAX_MEMBERS} members: remove some first.")
    if member is not None:
        projects.set_member(call.tx, row.id, member.id, role)
    elif call.caller.admin:
        raise NotFoundError(f"There is no user {user}: make one with  user create {user}")
    else:  # an owner may not learn which users there are
        projects.invite(call.tx, row.id, user, role)
    call.changed("project", "changed", project, project)
    if before not in (None, role):
        call.permissions_reduced(user)
    return record(projects.detail(call.tx, row.id))


@method("project.remove_member", mutates=True)
def remove_member(call: TxCall, project: Name, user: UserName) -> Project:
    """Stop a user from acting for a project."""
    row = find_project(call.tx, call.caller, project)
    _keep_an_owner(call, project, user)
    member = users.find(call.tx, user)
    removed = projects.uninvite(call.tx, row.id, user)
    if member is not None:
        removed += projects.remove_member(call.tx, row.id, member.id)
    if not removed:
        raise NotFoundError(f"{user} is not a member of project {project}.")
    call.changed("project", "changed", project, project)
    call.permissions_reduced(user)
    return record(projects.detail(call.tx, row.id))


def _keep_an_owner(call: TxCall, project: str, user: str) -> None:
    """Raise ConflictError if an owner is about to leave the other members without one."""
    if not call.caller.admin and project in projects.only_owned_by(call.tx, user):
        raise ConflictError(
            f"{user} is the only owner of project {project}: make another member an owner first,"
            f" with  project add-member {project} USER --role owner"
        )
