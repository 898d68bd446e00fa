"""The audit trail: who asked for which change, when, and what came of it."""

from __future__ import annotations

import json
from typing import Any

from haas_rpcd.store.database import Row, Tx


def record(
    tx: Tx,
    *,
    time: float,
    user: str,
    method: str,
    project: str | None,
    params: dict[str, Any],
    outcome: str,
    message: str | None = None,
) -> None:
    """Add a record; ``time`` in seconds since the epoch."""
    tx.insert(
        "audit",
        time=time,
        user=user,
        method=method,
        project=project,
        params=json.dumps(params, sort_keys=True),
        outcome=outcome,
        message=message,
    )


def page(
    tx: Tx, limit: int, after: int, *, since: float | None, user: str | None, project: str | None
) -> list[Row]:
    """Give records in the order of time; ``params`` decoded."""
    rows = tx.query(
        "SELECT * FROM audit WHERE id > :after AND (:since IS NULL OR time >= :since)"
        " AND (:user IS NULL OR user = :user) AND (:project IS NULL OR project = :project)"
        " ORDER BY id LIMIT :limit",
        {"after": after, "since": since, "user": user, "project": project, "limit": limit},
    )
    for row in rows:
        row["params"] = json.loads(row["params"])
    return rows
