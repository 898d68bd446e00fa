"""What was revoked since a backup stays revoked when the backup is restored.

The database that is replaced says who may come in now. Where it cannot be read, no token is good.
"""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import msgspec


class Revoked(msgspec.Struct, frozen=True):
    """What a backup would have let in again, and does not."""

    tokens: int
    """How many tokens are not good any more."""

    users: tuple[str, ...] = ()
    """Users who were deleted since."""

    reduced: tuple[str, ...] = ()
    """Users who lost a membership, a role or admin's rights since."""

    compared: bool = True
    """False if the replaced database could not be read: then all tokens were revoked."""


def carry_over(restored: Path, replaced: Path | None) -> Revoked:
    """Revoke in a restored database what the one that it replaces does not allow any more.

    Raises sqlite3.Error if the restored one cannot be written.
    """
    with contextlib.closing(sqlite3.connect(restored, isolation_level=None, uri=True)) as database:
        database.execute("PRAGMA foreign_keys = ON")
        if replaced is not None:
            with contextlib.suppress(sqlite3.Error):
                return _compare(database, replaced)
        if not database.execute("SELECT 1 FROM sqlite_schema WHERE name = 'token'").fetchone():
            return Revoked(tokens=0, compared=False)  # a backup from before there were tokens
        count = database.execute("DELETE FROM token").rowcount
        return Revoked(tokens=count, compared=False)


def _compare(database: sqlite3.Connection, replaced: Path) -> Revoked:
    database.execute("ATTACH ? AS now", (f"{replaced.absolute().as_uri()}?mode=ro",))
    database.execute("BEGIN IMMEDIATE")
    try:
        tokens = _count(database)
        users = _names(database, "SELECT name FROM main.user EXCEPT SELECT name FROM now.user")
        reduced = _names(database, _REDUCED)
        for statement in _REVOKE:
            database.execute(statement)
        left = _count(database)
        database.execute("COMMIT")
    except sqlite3.Error:
        database.execute("ROLLBACK")
        raise
    return Revoked(tokens=tokens - left, users=users, reduced=reduced)


def _count(database: sqlite3.Connection) -> int:
    return int(database.execute("SELECT count(*) FROM main.token").fetchone()[0])


def _names(database: sqlite3.Connection, query: str) -> tuple[str, ...]:
    return tuple(sorted({str(name) for (name,) in database.execute(query)}))


_RANK = "CASE {} WHEN 'reader' THEN 1 WHEN 'member' THEN 2 ELSE 3 END"

_MEMBERS = """
SELECT {columns} FROM main.member AS then_
JOIN main.user AS user ON user.id = then_.user_id
JOIN main.project AS project ON project.id = then_.project_id
JOIN now.user AS user_now ON user_now.name = user.name
JOIN now.project AS project_now ON project_now.name = project.name
LEFT JOIN now.member AS member_now
    ON member_now.user_id = user_now.id AND member_now.project_id = project_now.id
"""
"""Memberships in the backup, with what has become of them in projects that there still are."""

_KEY = "then_.project_id, then_.user_id"
_LOST = _MEMBERS.format(columns=_KEY) + " WHERE member_now.role IS NULL"
_LOWER = f"{_RANK.format('member_now.role')} < {_RANK.format('then_.role')}"

_REDUCED = (
    _MEMBERS.format(columns="user.name")
    + f" WHERE member_now.role IS NULL OR {_LOWER}"
    + " UNION SELECT main.user.name FROM main.user JOIN now.user ON now.user.name = main.user.name"
    " WHERE main.user.admin > now.user.admin"
)

_REVOKE = (
    "DELETE FROM main.token WHERE hash NOT IN (SELECT hash FROM now.token)",
    "DELETE FROM main.user WHERE name NOT IN (SELECT name FROM now.user)",
    "UPDATE main.user SET admin = 0 WHERE name IN (SELECT name FROM now.user WHERE admin = 0)",
    f"DELETE FROM main.member WHERE (project_id, user_id) IN ({_LOST})",
    "UPDATE main.member SET role = (SELECT member_now.role FROM now.member AS member_now"
    " JOIN now.user AS user_now ON user_now.id = member_now.user_id"
    " JOIN now.project AS project_now ON project_now.id = member_now.project_id"
    " JOIN main.user AS user ON user.name = user_now.name"
    " JOIN main.project AS project ON project.name = project_now.name"
    " WHERE user.id = main.member.user_id AND project.id = main.member.project_id)"
    f" WHERE (project_id, user_id) IN ({_MEMBERS.format(columns=_KEY)} WHERE {_LOWER})",
)
