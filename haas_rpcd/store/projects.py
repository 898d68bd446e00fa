"""Queries of projects."""

from __future__ import annotations

from haas_rpcd.store.applied import SITE
from haas_rpcd.store.database import Row, Tx

_COUNTS = """
SELECT project.*,
    (SELECT count(*) FROM allocation WHERE project_id = project.id) AS nodes,
    (SELECT count(*) FROM network WHERE project_id = project.id) AS networks,
    (SELECT count(*) FROM headnode WHERE project_id = project.id) AS headnodes
FROM project
"""


def find(tx: Tx, name: str) -> Row | None:
    """Give the project of this name."""
    return tx.one("SELECT * FROM project WHERE name = ?", (name,))


def detail(tx: Tx, project_id: int) -> Row:
    """Give a project with its counts and ``members``."""
    row = tx.one(f"{_COUNTS} WHERE project.id = ?", (project_id,))
    assert row is not None  # noqa: S101 - the caller found it in this transaction
    row["members"] = members(tx, project_id)
    return row


def page(tx: Tx, limit: int, after: str, user: str | None) -> list[Row]:
    """Give projects by name, with counts and members; those of one user, or all."""
    rows = tx.query(
        f"{_COUNTS} WHERE name > :after AND (:user IS NULL OR id IN (SELECT project_id FROM member"
        " JOIN user ON user.id = member.user_id WHERE user.name = :user))"
        " ORDER BY name LIMIT :limit",
        {"after": after, "user": user, "limit": limit},
    )
    for row in rows:
        row["members"] = members(tx, row["id"])
    return rows


def members(tx: Tx, project_id: int) -> list[str]:
    """Name a project's members."""
    return tx.values(
        "SELECT user.name FROM member JOIN user ON user.id = member.user_id"
        " WHERE member.project_id = ? ORDER BY 1",
        (project_id,),
    )


def create(tx: Tx, name: str) -> int:
    """Add a project. Raises sqlite3.IntegrityError when the name is taken."""
    return tx.insert("project", name=name)


def delete(tx: Tx, project_id: int) -> None:
    """Remove a project that holds nothing. Raises sqlite3.IntegrityError when it does.

    What its changes left unsaved on switches is the site's to save: ids of projects are used again.
    """
    tx.execute(
        "INSERT OR IGNORE INTO unsaved SELECT switch_id, ? FROM unsaved WHERE project_id = ?",
        (SITE, project_id),
    )
    tx.execute("DELETE FROM unsaved WHERE project_id = ?", (project_id,))
    tx.execute("DELETE FROM project WHERE id = ?", (project_id,))


def add_member(tx: Tx, project_id: int, user_id: int) -> None:
    """Make a user a member; doing it twice does no harm."""
    tx.execute("INSERT OR IGNORE INTO member VALUES (?, ?)", (project_id, user_id))


def remove_member(tx: Tx, project_id: int, user_id: int) -> int:
    """Take a member out; give how many there were (0 or 1)."""
    return tx.execute(
        "DELETE FROM member WHERE project_id = ? AND user_id = ?", (project_id, user_id)
    )
