"""The audit trail: who requested which change, when, and with what outcome."""

from __future__ import annotations

import json
from typing import Any

from haas_rpcd.store.database import Tx
from haas_rpcd.store.rows import Json, Row


class AuditRow(Row, frozen=True):
    """One request for a change. ``time`` is in seconds since the epoch."""

    id: int
    time: float
    user: str
    method: str
    project: str | None
    params: Json[dict[str, Any]]
    outcome: str
    message: str | None


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
    """Add a record; ``time`` is in seconds since the epoch.

    If ``user`` may act for the project of this name, the record belongs to that project, and its
    members can see it.
    """
    project_id = tx.value(
        int,
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
) -> list[AuditRow]:
    """Return records, the oldest first, or with ``newest`` the newest first.

    ``project`` selects by the name in the request, ``project_id`` what belongs to a project.
    """
    return tx.query(
        AuditRow,
        "SELECT id, time, user, method, project, params, outcome, message FROM audit"
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
