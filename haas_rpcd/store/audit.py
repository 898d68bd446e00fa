"""The audit trail: who requested which change, when, and with what outcome.

Each record's hash covers the record and the hash before it, so a record that was changed, inserted
or removed breaks the chain. Old records are deleted from the start only; the anchor keeps the hash
of the last one that is gone.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Sequence
from typing import Any

import msgspec

from haas_rpcd.store.database import IN_MINE, Tx, ids
from haas_rpcd.store.rows import Json, Row


class AuditRow(Row, frozen=True):
    """One request for a change. ``time`` is in seconds since the epoch.

    ``seq``: its number within its project, for those who may not count what others do.
    """

    id: int
    seq: int | None
    time: float
    user: str
    via: str
    method: str
    project: str | None
    params: Json[dict[str, Any]]
    objects: Json[list[str]]
    outcome: str
    message: str | None
    job: int | None


class ChainRow(Row, frozen=True):
    """What the hash of a record covers, as it is stored, and the hash."""

    id: int
    time: float
    user: str
    via: str
    method: str
    project: str | None
    params: str
    objects: str
    outcome: str
    message: str | None
    job: int | None
    hash: bytes


class AnchorRow(Row, frozen=True):
    """The last record that was deleted; 0 and an empty hash if none was."""

    audit_id: int
    hash: bytes


class AgeRow(Row, frozen=True):
    """How old a record is, and its hash."""

    id: int
    time: float
    hash: bytes


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A record to be added. ``time`` is in seconds since the epoch.

    ``objects``: what it is about, as (noun, name).
    """

    time: float
    user: str
    via: str
    admin: bool
    method: str
    project: str | None
    params: dict[str, Any]
    objects: Sequence[tuple[str, str]] = ()
    outcome: str
    message: str | None = None
    job: int | None = None


def record(tx: Tx, entry: Entry) -> None:
    """Add a record.

    If its user may act for the project of this name, the record belongs to that project, and its
    members can see it.
    """
    project_id = tx.value(
        int,
        "SELECT id FROM project WHERE name = :project AND (:admin OR id IN (SELECT project_id"
        " FROM member JOIN user ON user.id = member.user_id WHERE user.name = :user))",
        {"project": entry.project, "admin": entry.admin, "user": entry.user},
    )
    last = head(tx)
    objects = list(dict.fromkeys(entry.objects))
    content = (
        max(last_number(tx), last.audit_id) + 1,
        entry.time,
        entry.user,
        entry.via,
        entry.method,
        entry.project,
        json.dumps(entry.params, sort_keys=True),
        json.dumps([f"{noun} {name}" for noun, name in objects]),
        entry.outcome,
        entry.message,
        entry.job,
    )
    tx.execute(
        "INSERT INTO audit (id, time, user, via, method, project, params, objects, outcome,"
        " message, job, hash, project_id, project_seq)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, CASE WHEN ? IS NULL THEN NULL ELSE"
        " ifnull((SELECT max(project_seq) FROM audit WHERE project_id = ?), 0) + 1 END)",
        (*content, _hash(last.hash, content), project_id, project_id, project_id),
    )
    tx.execute_many(
        "INSERT INTO audit_object (audit_id, noun, name) VALUES (?, ?, ?)",
        [(content[0], noun, name) for noun, name in objects],
    )


def _hash(before: bytes, content: Sequence[Any]) -> bytes:
    text = json.dumps(list(content), ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(before + text.encode("utf-8", "surrogatepass")).digest()


def allocated_since(tx: Tx, since: float, mine: Sequence[int] | None) -> list[float]:
    """Return when nodes were allocated, one time for each, since a time.

    ``mine`` limits them to several projects.
    """
    return tx.values(
        float,
        "SELECT audit.time FROM audit JOIN audit_object ON audit_id = audit.id AND noun = 'node'"
        " WHERE audit.time >= :since AND method = 'node.allocate' AND outcome = 'done'"
        f" AND (:mine IS NULL OR project_id IN {IN_MINE})",
        {"since": since, "mine": ids(mine)},
    )


def page(
    tx: Tx,
    limit: int,
    after: int | None,
    *,
    newest: bool = False,
    since: float | None,
    until: float | None = None,
    user: str | None,
    project: str | None,
    project_id: int | None = None,
    noun: str | None = None,
    name: str | None = None,
) -> list[AuditRow]:
    """Return records, the oldest first, or with ``newest`` the newest first.

    ``project`` selects by the name in the request, ``project_id`` what belongs to a project;
    ``after`` is then a number within it. ``name`` and ``noun`` select by what records are about.
    """
    position = "id" if project_id is None else "project_seq"
    source = "audit" if name is None else "audit_object CROSS JOIN audit ON audit.id = audit_id"
    return tx.query(
        AuditRow,
        "SELECT id, project_seq AS seq, time, user, via, method, project, params, objects, outcome,"
        f" message, job FROM {source}"
        f" WHERE (:after IS NULL OR {position} {'<' if newest else '>'} :after)"
        " AND (:since IS NULL OR time >= :since) AND (:until IS NULL OR time < :until)"
        " AND (:user IS NULL OR user = :user) AND (:project IS NULL OR project = :project)"
        " AND (:project_id IS NULL OR project_id = :project_id)"
        + (
            ""
            if name is None
            else " AND audit_object.name = :name AND (:noun IS NULL OR audit_object.noun = :noun)"
            " GROUP BY id"
        )
        + f" ORDER BY {position} {'DESC' if newest else 'ASC'} LIMIT :limit",
        {
            "after": after,
            "since": since,
            "until": until,
            "user": user,
            "project": project,
            "project_id": project_id,
            "noun": noun,
            "name": name,
            "limit": limit,
        },
    )


# --- the chain ------------------------------------------------------------------------------------


def anchor(tx: Tx) -> AnchorRow:
    """Return where the chain begins."""
    found = tx.one(AnchorRow, "SELECT audit_id, hash FROM audit_anchor")
    return found or AnchorRow(0, b"")


def head(tx: Tx) -> AnchorRow:
    """Return the last record of the chain."""
    return tx.one(
        AnchorRow, "SELECT id AS audit_id, hash FROM audit ORDER BY id DESC LIMIT 1"
    ) or anchor(tx)


def newest(tx: Tx, before: float) -> float | None:
    """Return when the newest record from ``before`` a time was written.

    Both are in seconds since the epoch.
    """
    return tx.value(
        float, "SELECT time FROM audit WHERE time < ? ORDER BY id DESC LIMIT 1", (before,)
    )


def last_number(tx: Tx) -> int:
    """Return the number of the last record that was ever added."""
    return tx.value(int, "SELECT seq FROM sqlite_sequence WHERE name = 'audit'") or 0


def verify(tx: Tx, after: AnchorRow, limit: int) -> tuple[AnchorRow, int, int | None]:
    """Follow the chain over the next ``limit`` records.

    Returns the last record that is right, how many were, and the number of the first that is not:
    it was changed, or the one before it is missing, or it is missing itself, at the end.
    """
    count = 0
    for row in tx.query(
        ChainRow,
        "SELECT id, time, user, via, method, project, params, objects, outcome, message, job, hash"
        " FROM audit WHERE id > ? ORDER BY id LIMIT ?",
        (after.audit_id, limit),
    ):
        *content, stored = msgspec.structs.astuple(row)
        if stored != _hash(after.hash, content):
            return after, count, row.id
        after = AnchorRow(row.id, row.hash)
        count += 1
    missing = count == 0 and after.audit_id < last_number(tx)
    return after, count, after.audit_id + 1 if missing else None


def prune(tx: Tx, before: float, keep: int, limit: int) -> int:
    """Delete the oldest records: those from before a time, and those beyond ``keep``.

    Deletes at most ``limit``, and returns how many. The anchor moves, so the chain holds.
    """
    excess = tx.number("SELECT count(*) FROM audit") - keep
    oldest = tx.query(
        AgeRow,
        "SELECT id, time, hash FROM audit WHERE id > ? ORDER BY id LIMIT ?",
        (anchor(tx).audit_id, limit),
    )
    # One from before the time may follow one that is not, if the clock was set back: it waits.
    gone = list(
        itertools.takewhile(
            lambda numbered: numbered[1].time < before or numbered[0] < excess, enumerate(oldest)
        )
    )
    if not gone:
        return 0
    _, last = gone[-1]
    tx.execute("UPDATE audit_anchor SET audit_id = ?, hash = ?", (last.id, last.hash))
    return tx.execute("DELETE FROM audit WHERE id <= ?", (last.id,))
