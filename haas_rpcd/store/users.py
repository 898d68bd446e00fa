"""Queries of users and their memberships."""

from __future__ import annotations

from haas_rpcd.store.database import Tx
from haas_rpcd.store.rows import Json, Row
from haas_schemas.project import MemberRole


class UserRow(Row, frozen=True):
    """A user."""

    id: int
    name: str
    admin: bool


class UserDetailRow(Row, frozen=True):
    """A user, with the names of the projects it is a member of."""

    id: int
    name: str
    admin: bool
    projects: Json[list[str]]


class MembershipRow(Row, frozen=True):
    """A user's role in a project."""

    project_id: int
    project: str
    role: MemberRole


_DETAIL = """
SELECT id, name, admin, (SELECT json_group_array(name) FROM (
    SELECT project.name FROM member JOIN project ON project.id = member.project_id
    WHERE member.user_id = user.id ORDER BY 1)) AS projects
FROM user
"""


def find(tx: Tx, name: str) -> UserRow | None:
    """Return the user of this name."""
    return tx.one(UserRow, "SELECT id, name, admin FROM user WHERE name = ?", (name,))


def page(tx: Tx, limit: int, after: str) -> list[UserDetailRow]:
    """Return users by name."""
    return tx.query(
        UserDetailRow, f"{_DETAIL} WHERE name > ? ORDER BY name LIMIT ?", (after, limit)
    )


def memberships(tx: Tx, user: str) -> list[MembershipRow]:
    """Return the projects that a user is a member of, with its role in each, by name."""
    return tx.query(
        MembershipRow,
        "SELECT member.project_id, project.name AS project, member.role FROM member"
        " JOIN user ON user.id = member.user_id JOIN project ON project.id = member.project_id"
        " WHERE user.name = ? ORDER BY project.name",
        (user,),
    )


def create(tx: Tx, name: str, admin: bool) -> int:
    """Add a user; return its id. Raises sqlite3.IntegrityError if the name is taken."""
    return tx.insert("user", name=name, admin=int(admin))


def set_admin(tx: Tx, name: str, admin: bool) -> None:
    """Make a user an admin, or a tenant."""
    tx.execute("UPDATE user SET admin = ? WHERE name = ?", (int(admin), name))


def delete(tx: Tx, name: str) -> int:
    """Remove a user and its memberships; return how many users that were (0 or 1)."""
    return tx.execute("DELETE FROM user WHERE name = ?", (name,))
