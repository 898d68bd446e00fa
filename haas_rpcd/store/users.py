"""Queries of users, projects and who is in which."""

from __future__ import annotations

from haas_rpcd.store.database import Row, Tx


def find(tx: Tx, name: str) -> Row | None:
    """Give the user of this name."""
    return tx.one("SELECT * FROM user WHERE name = ?", (name,))


def create(tx: Tx, name: str, admin: bool) -> None:
    """Add a user. Raises sqlite3.IntegrityError when the name is taken."""
    tx.insert("user", name=name, admin=int(admin))


def set_admin(tx: Tx, name: str, admin: bool) -> None:
    """Make a user an admin, or not."""
    tx.execute("UPDATE user SET admin = ? WHERE name = ?", (int(admin), name))


def delete(tx: Tx, name: str) -> int:
    """Remove a user and its memberships; give how many there were (0 or 1)."""
    return tx.execute("DELETE FROM user WHERE name = ?", (name,))


def page(tx: Tx, limit: int, after: str) -> list[Row]:
    """Give users by name, each with ``projects`` (a list)."""
    rows = tx.query("SELECT * FROM user WHERE name > ? ORDER BY name LIMIT ?", (after, limit))
    for row in rows:
        row["projects"] = projects_of(tx, row["name"])
    return rows


def projects_of(tx: Tx, user: str) -> list[str]:
    """Name the projects that a user is a member of."""
    return tx.values(
        "SELECT project.name FROM member JOIN project ON project.id = member.project_id"
        " JOIN user ON user.id = member.user_id WHERE user.name = ? ORDER BY 1",
        (user,),
    )


def is_member(tx: Tx, user: str, project_id: int) -> bool:
    """Whether the user is a member of the project."""
    return bool(
        tx.value(
            "SELECT 1 FROM member JOIN user ON user.id = member.user_id"
            " WHERE member.project_id = ? AND user.name = ?",
            (project_id, user),
        )
    )
