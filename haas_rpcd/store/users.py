"""Queries of users and their memberships."""

from __future__ import annotations

from haas_rpcd.store.database import Tx
from haas_rpcd.store.rows import Json, Row


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


def projects_of(tx: Tx, user: str) -> list[str]:
    """Name the projects that a user is a member of."""
    return tx.values(
        str,
        "SELECT project.name FROM member JOIN project ON project.id = member.project_id"
        " JOIN user ON user.id = member.user_id WHERE user.name = ? ORDER BY 1",
        (user,),
    )


def is_member(tx: Tx, user: str, project_id: int) -> bool:
    """Return whether a user is a member of a project."""
    return tx.exists(
        "SELECT 1 FROM member JOIN user ON user.id = member.user_id"
        " WHERE member.project_id = ? AND user.name = ?",
        (project_id, user),
    )


def create(tx: Tx, name: str, admin: bool) -> None:
    """Add a user. Raises sqlite3.IntegrityError if the name is taken."""
    tx.insert("user", name=name, admin=int(admin))


def set_admin(tx: Tx, name: str, admin: bool) -> None:
    """Make a user an admin, or a tenant."""
    tx.execute("UPDATE user SET admin = ? WHERE name = ?", (int(admin), name))


def delete(tx: Tx, name: str) -> int:
    """Remove a user and its memberships; return how many users that were (0 or 1)."""
    return tx.execute("DELETE FROM user WHERE name = ?", (name,))
