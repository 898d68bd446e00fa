"""Queries of bearer tokens. Of a token itself only a hash is stored."""

from __future__ import annotations

from collections.abc import Sequence

from haas_rpcd.store.database import IN_MINE, Tx, ids
from haas_rpcd.store.rows import Row


class TokenRow(Row, frozen=True):
    """A token. Times are in seconds since the epoch.

    ``project``: the only project it is for; null: all of its user's. ``expires`` null: never.
    """

    id: int
    label: str
    user: str
    project_id: int | None
    project: str | None
    readonly: bool
    created: float
    expires: float | None
    last_used: float | None


class OwnedRow(Row, frozen=True):
    """A token and its user."""

    id: int
    user: str


_SELECT = """
SELECT token.id, token.label, token.user, token.project_id, project.name AS project,
    token.readonly, token.created, token.expires, token.last_used
FROM token LEFT JOIN project ON project.id = token.project_id
"""


def by_hash(tx: Tx, digest: bytes, now: float) -> TokenRow | None:
    """Return the token with this hash, unless it has expired."""
    return tx.one(
        TokenRow,
        f"{_SELECT} WHERE token.hash = ? AND (token.expires IS NULL OR token.expires > ?)",
        (digest, now),
    )


def find(tx: Tx, user: str, label: str) -> TokenRow | None:
    """Return a user's token with this label, also one that has expired."""
    return tx.one(TokenRow, f"{_SELECT} WHERE token.user = ? AND token.label = ?", (user, label))


def owners_of(tx: Tx, label: str) -> list[str]:
    """Return the users who have a token with this label, by name."""
    rows = tx.query(
        OwnedRow, "SELECT id, user FROM token WHERE label = ? ORDER BY user LIMIT 3", (label,)
    )
    return [row.user for row in rows]


def page(
    tx: Tx,
    limit: int,
    after: tuple[str, str],
    *,
    user: str | None = None,
    mine: Sequence[int] | None = None,
) -> list[TokenRow]:
    """Return tokens by user and label; of one user, and bound to some projects only, if given."""
    return tx.query(
        TokenRow,
        f"{_SELECT} WHERE (token.user, token.label) > (:after_user, :after_label)"
        " AND (:user IS NULL OR token.user = :user)"
        f" AND (:mine IS NULL OR token.project_id IN {IN_MINE})"
        " ORDER BY token.user, token.label LIMIT :limit",
        {
            "after_user": after[0],
            "after_label": after[1],
            "user": user,
            "mine": ids(mine),
            "limit": limit,
        },
    )


def create(
    tx: Tx,
    *,
    digest: bytes,
    label: str,
    user: str,
    project_id: int | None,
    readonly: bool,
    created: float,
    expires: float | None,
    parent_id: int | None,
) -> None:
    """Add a token; it ends with its parent. Raises sqlite3.IntegrityError if the label is taken."""
    tx.insert(
        "token",
        hash=digest,
        label=label,
        user=user,
        project_id=project_id,
        readonly=int(readonly),
        created=created,
        expires=expires,
        parent_id=parent_id,
    )


def count_of(tx: Tx, user: str) -> int:
    """Count a user's tokens, also those that have expired."""
    return tx.number("SELECT count(*) FROM token WHERE user = ?", (user,))


def delete(tx: Tx, token_id: int) -> dict[str, frozenset[int]]:
    """Remove a token, and those that were made with it; return the ids of all, by their users."""
    ended = tx.query(
        OwnedRow,
        "WITH RECURSIVE ended(id, user) AS (SELECT id, user FROM token WHERE id = ?"
        " UNION SELECT token.id, token.user FROM token JOIN ended ON token.parent_id = ended.id)"
        " SELECT id, user FROM ended",
        (token_id,),
    )
    tx.execute("DELETE FROM token WHERE id = ?", (token_id,))
    users = {row.user for row in ended}
    return {user: frozenset(row.id for row in ended if row.user == user) for user in users}


def used(tx: Tx, token_id: int, now: float) -> None:
    """Write when a token was last used."""
    tx.execute("UPDATE token SET last_used = ? WHERE id = ?", (now, token_id))
