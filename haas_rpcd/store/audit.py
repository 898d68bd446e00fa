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
    admin: bool,
    method: str,
    project: str | None,
    params: dict[str, Any],
    outcome: str,
    message: str | None = None,
) -> None:
    """Add a record; ``time`` in seconds since the epoch.

    It belongs to the project of this name, for its members to see, if ``user`` may act for it.
    """
    project_id = tx.value(
        "SELECT id FROM project WHERE name = :project AND (:admin OR id IN (SELECT project_id"
        " FROM member JOIN user ON user.id = member.user_id WHERE user.name = :user))",
        {"project": project, "admin": admin, "user": user},
    )
    tx.insert(
        "audit",
        time=time,
        user=user,
        method=method,
        project=project,
        project_id=project_id,
        params=json.dumps(params, sort_keys=True),
        outcome=outcome,
        message=message,
    )


def page(
    tx: Tx,
    limit: int,
    after: int | None,
    *,
    newest: bool = False,
    since: float | None,
    user: str | None,
    project: str | None,
    project_id: int | None = None,
) -> list[Row]:
    """Give records in the order of time, or with ``newest`` against it; ``params`` decoded.

    ``project`` goes by the name that was asked for, ``project_id`` by what belongs to a project.
    """
    rows = tx.query(
        "SELECT * FROM audit"
        f" WHERE (:after IS NULL OR id {'<' if newest else '>'} :after)"
        " AND (:since IS NULL OR time >= :since)"
        " AND (:user IS NULL OR user = :user) AND (:project IS NULL OR project = :project)"
        " AND (:project_id IS NULL OR project_id = :project_id)"
        f" ORDER BY id {'DESC' if newest else 'ASC'} LIMIT :limit",
        {
            "after": after,
            "since": since,
            "user": user,
            "project": project,
            "project_id": project_id,
            "limit": limit,
        },
    )
    for row in rows:
        row["params"] = json.loads(row["params"])
    return rows
