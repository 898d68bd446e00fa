"""Queries of projects."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Literal

from haas_rpcd.store.database import IN_MINE, Tx, ids
from haas_rpcd.store.rows import Json, Row
from haas_rpcd.store.saves import SITE
from haas_schemas.project import MemberRole


class ProjectRow(Row, frozen=True):
    """A project."""

    id: int
    name: str


class ProjectDetailRow(Row, frozen=True):
    """A project with its members' roles, and how many of each thing it holds.

    ``roles`` has those who are invited too, as only admins know which users there are. ``quota_…``
    is how many of each it may hold; null: no limit.
    """

    id: int
    name: str
    roles: Json[dict[str, MemberRole]]
    nodes: int
    networks: int
    headnodes: int
    quota_nodes: int | None
    quota_networks: int | None
    quota_headnodes: int | None


_DETAIL = """
SELECT id, name,
    (SELECT json_group_object(name, role) FROM (SELECT user.name AS name, member.role FROM member
        JOIN user ON user.id = member.user_id WHERE member.project_id = project.id
        UNION ALL SELECT user, role FROM invitation WHERE invitation.project_id = project.id
        ORDER BY 1)) AS roles,
    (SELECT count(*) FROM allocation WHERE project_id = project.id) AS nodes,
    (SELECT count(*) FROM network WHERE project_id = project.id) AS networks,
    (SELECT count(*) FROM headnode WHERE project_id = project.id) AS headnodes,
    quota_nodes, quota_networks, quota_headnodes
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


def page(tx: Tx, limit: int, after: str, mine: Sequence[int] | None) -> list[ProjectDetailRow]:
    """Return projects by name: those of ``mine``, or all (None)."""
    return tx.query(
        ProjectDetailRow,
        f"{_DETAIL} WHERE name > :after AND (:mine IS NULL OR id IN {IN_MINE})"
        " ORDER BY name LIMIT :limit",
        {"after": after, "mine": ids(mine), "limit": limit},
    )


def create(tx: Tx, name: str) -> int:
    """Add a project; return its id. Raises sqlite3.IntegrityError if the name is taken.

    The id is random: SQLite would use that of a deleted project again, and what remembers who had
    something would take the new project for the old one.
    """
    return tx.insert("project", id=secrets.randbelow(2**53) + 1, name=name)


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


def set_member(tx: Tx, project_id: int, user_id: int, role: MemberRole) -> None:
    """Make a user a member, or give a member another role."""
    tx.execute(
        "INSERT INTO member VALUES (?, ?, ?)"
        " ON CONFLICT (project_id, user_id) DO UPDATE SET role = excluded.role",
        (project_id, user_id, role),
    )


def set_quota(
    tx: Tx, project_id: int, noun: Literal["nodes", "networks", "headnodes"], most: int | None
) -> None:
    """Limit how many of something a project may hold; None: no limit."""
    tx.execute(f"UPDATE project SET quota_{noun} = ? WHERE id = ?", (most, project_id))


def invite(tx: Tx, project_id: int, user: str, role: MemberRole) -> None:
    """Make a user of this name a member as soon as there is one."""
    tx.execute(
        "INSERT INTO invitation VALUES (?, ?, ?)"
        " ON CONFLICT (project_id, user) DO UPDATE SET role = excluded.role",
        (project_id, user, role),
    )


def uninvite(tx: Tx, project_id: int, user: str) -> int:
    """Withdraw an invitation; return how many that were (0 or 1)."""
    return tx.execute(
        "DELETE FROM invitation WHERE project_id = ? AND user = ?", (project_id, user)
    )


def admit(tx: Tx, user_id: int, user: str) -> None:
    """Make a new user a member of the projects that it was invited to."""
    tx.execute(
        "INSERT INTO member SELECT project_id, ?, role FROM invitation WHERE user = ?",
        (user_id, user),
    )
    tx.execute("DELETE FROM invitation WHERE user = ?", (user,))


def only_owned_by(tx: Tx, user: str) -> list[str]:
    """Return the projects with other members whose only owner is this user, by name."""
    rows = tx.query(
        ProjectRow,
        "SELECT project.id, project.name FROM project JOIN member ON member.project_id = project.id"
        " JOIN user ON user.id = member.user_id WHERE user.name = :user AND member.role = 'owner'"
        " AND EXISTS (SELECT 1 FROM member AS other WHERE other.project_id = project.id"
        " AND other.user_id <> user.id)"
        " AND NOT EXISTS (SELECT 1 FROM member AS other WHERE other.project_id = project.id"
        " AND other.user_id <> user.id AND other.role = 'owner') ORDER BY project.name",
        {"user": user},
    )
    return [row.name for row in rows]


def remove_member(tx: Tx, project_id: int, user_id: int) -> int:
    """Remove a member; return how many that were (0 or 1)."""
    return tx.execute(
        "DELETE FROM member WHERE project_id = ? AND user_id = ?", (project_id, user_id)
    )
