"""user.*: the people who may use HaaS. For admins."""

from __future__ import annotations

from haas_rpcd.errors import NotFoundError
from haas_rpcd.methods.access import conflict, paged
from haas_rpcd.methods.call import TxCall
from haas_rpcd.methods.registry import method
from haas_rpcd.store import projects, users
from haas_schemas.common import Deleted, Page
from haas_schemas.names import Limit, UserName
from haas_schemas.project import User


@method("user.create", mutates=True)
def create(call: TxCall, user: UserName, admin: bool = False) -> User:
    """Let a person use HaaS; on the Unix socket, the OS user of the same name."""
    with conflict(f"There is a user {user} already."):
        projects.admit(call.tx, users.create(call.tx, user, admin), user)
    call.changed("user", "created", user, admins_only=True)
    known = users.memberships(call.tx, user)
    return User(user=user, admin=admin, projects=tuple(row.project for row in known))


@method("user.delete", mutates=True)
def delete(call: TxCall, user: UserName) -> Deleted:
    """Delete a user. What its projects hold stays; ``note`` names those left without an owner."""
    alone = projects.only_owned_by(call.tx, user)
    if not users.delete(call.tx, user):
        raise NotFoundError(f"There is no user {user}.")
    call.changed("user", "deleted", user, admins_only=True)
    call.permissions_reduced(user)
    note = None
    if alone:
        note = (
            f"{user} was the only owner of {', '.join(alone)}: make another member an owner with"
            f"  project add-member {alone[0]} USER --role owner"
        )
    return Deleted(deleted=True, note=note)


@method("user.list")
def list_(call: TxCall, limit: Limit = 1000, after: str | None = None) -> Page[User]:
    """List the users."""
    rows = users.page(call.tx, limit, after or "")
    items = [User(user=row.name, admin=row.admin, projects=tuple(row.projects)) for row in rows]
    return paged(items, limit, rows[-1].name if rows else None)
