"""Queries of projects."""

from __future__ import annotations

from haas_rpcd.store.database import Tx
from haas_rpcd.store.rows import Json, Row
from haas_rpcd.store.saves import SITE


class ProjectRow(Row, frozen=True):
    """A project."""

    id: int
    name: str


class ProjectDetailRow(Row, frozen=True):
    """A project with its members' names, and how many of each thing it holds."""

    id: int
    name: str
    members: Json[list[str]]
    nodes: int
    networks: int
    headnodes: int


_DETAIL = """
SELECT id, name,
    (SELECT json_group_array(name) FROM (SELECT user.name FROM member
        JOIN user ON user.id = member.user_id
        WHERE member.project_id = project.id ORDER BY 1)) AS members,
    (SELECT count(*) FROM allocation WHERE project_id = project.id) AS nodes,
    (SELECT count(*) FROM network WHERE project_id = project.id) AS networks,
    (SELECT count(*) FROM headnode WHERE project_id = project.id) AS headnodes
FROM project
"""


def find(tx: Tx, name: str) -> ProjectRow | None:
    """Return the project of this name."""
    return tx.one(ProjectRow, "SELECT id, name FROM project WHERE name = ?", (name,))


def by_id(tx: Tx, project_id: int) -> ProjectRow:
    """Return a project that exists."""
    (row,) = tx.query(ProjectRow, "SELECT id, name FROM project WHERE id = ?", (project_id,))
    return row


def detail(tx: Tx, project_id: int) -> ProjectDetailRow:
    """Return a project that exists, in detail."""
    (row,) = tx.query(ProjectDetailRow, f"{_DETAIL} WHERE id = ?", (project_id,))
    return row


def page(tx: Tx, limit: int, after: str, user: str | None) -> list[ProjectDetailRow]:
    """Return projects by name: those that ``user`` is a member of, or all (None)."""
    return tx.query(
        ProjectDetailRow,
        f"{_DETAIL} WHERE name > :after AND (:user IS NULL OR id IN (SELECT project_id FROM member"
        " JOIN user ON user.id = member.user_id WHERE user.name = :user))"
        " ORDER BY name LIMIT :limit",
        {"after": after, "user": user, "limit": limit},
    )


def create(tx: Tx, name: str) -> int:
    """Add a project; return its id. Raises sqlite3.IntegrityError if the name is taken."""
    return tx.insert("project", name=name)


def delete(tx: Tx, project_id: int) -> None:
    """Remove a project. Raises sqlite3.IntegrityError while it holds anything.

    SQLite reuses ids, so changes that the project left unsaved on switches become the site's:
    otherwise the next project with this id would seem to have made them.
    """
    tx.execute(
        "INSERT OR IGNORE INTO unsaved SELECT switch_id, ? FROM unsaved WHERE project_id = ?",
        (SITE, project_id),
    )
    tx.execute("DELETE FROM unsaved WHERE project_id = ?", (project_id,))
    tx.execute("DELETE FROM project WHERE id = ?", (project_id,))


def add_member(tx: Tx, project_id: int, user_id: int) -> None:
    """Make a user a member. A user who is one already stays one."""
    tx.execute("INSERT OR IGNORE INTO member VALUES (?, ?)", (project_id, user_id))


def remove_member(tx: Tx, project_id: int, user_id: int) -> int:
    """Remove a member; return how many that were (0 or 1)."""
    return tx.execute(
        "DELETE FROM member WHERE project_id = ? AND user_id = ?", (project_id, user_id)
    )
