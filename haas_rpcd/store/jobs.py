"""The journal: jobs and their steps, each step's state written before and after it is sent."""

from __future__ import annotations

import json
from collections.abc import Sequence

import msgspec

from haas_rpcd.model import Change, Phase, Step
from haas_rpcd.store.database import Row, Tx


def create(
    tx: Tx,
    *,
    kind: str,
    user: str,
    now: float,
    project_id: int | None = None,
    node_id: int | None = None,
    digest: str | None = None,
) -> int:
    """Add a queued job; give its number."""
    project = tx.value(str, "SELECT name FROM project WHERE id = ?", (project_id,))
    return tx.insert(
        "job",
        kind=kind,
        project_id=project_id,
        project=project,
        node_id=node_id,
        user=user,
        state="queued",
        digest=digest,
        created=now,
    )


def create_repair(tx: Tx, *, user: str, now: float, switch: str | None) -> int:
    """Add a queued job of the site that repairs what drifted, on one switch or everywhere."""
    job = create(tx, kind="site", user=user, now=now)
    tx.insert("repair", job_id=job, switch=switch)
    return job


def find(tx: Tx, job_id: int) -> Row | None:
    """Give one job, with its counts."""
    return tx.one_dict(f"{_JOB} WHERE job.id = ?", (job_id,))


_JOB = """
SELECT job.*, repair.job_id IS NOT NULL AS repairs, repair.switch AS repaired,
    (SELECT count(*) FROM step WHERE job_id = job.id AND state <> 'interrupted') AS total,
    (SELECT count(*) FROM step WHERE job_id = job.id AND state = 'done') AS done
FROM job LEFT JOIN repair ON repair.job_id = job.id
"""


def page(
    tx: Tx,
    limit: int,
    before: int | None,
    *,
    project_id: int | None = None,
    user: str | None = None,
    state: str | None = None,
) -> list[Row]:
    """Give jobs, the newest first; ``user`` names a tenant: the jobs of its projects."""
    return tx.dicts(
        f"{_JOB} WHERE (:before IS NULL OR job.id < :before)"
        " AND (:project IS NULL OR job.project_id = :project)"
        " AND (:state IS NULL OR job.state = :state)"
        " AND (:user IS NULL OR job.project_id IN (SELECT project_id FROM member"
        " JOIN user ON user.id = member.user_id WHERE user.name = :user))"
        " ORDER BY job.id DESC LIMIT :limit",
        {"before": before, "project": project_id, "user": user, "state": state, "limit": limit},
    )


def unfinished(tx: Tx) -> list[Row]:
    """Give the jobs that are queued or running, the oldest first."""
    return tx.dicts(f"{_JOB} WHERE job.state IN ('queued', 'running') ORDER BY job.id")


def begin(tx: Tx, job_id: int, now: float) -> None:
    """Mark a job as running; a job that is picked up keeps its first start."""
    tx.execute(
        "UPDATE job SET state = 'running', started = coalesce(started, ?) WHERE id = ?",
        (now, job_id),
    )


def finish(tx: Tx, job_id: int, state: str, error: str | None, now: float) -> None:
    """Mark a job as ended."""
    tx.execute(
        "UPDATE job SET state = ?, error = ?, finished = ? WHERE id = ?",
        (state, error, now, job_id),
    )


def cancel(tx: Tx, job_id: int) -> None:
    """Ask a job to stop before its next step."""
    tx.execute("UPDATE job SET cancelling = 1 WHERE id = ?", (job_id,))


# --- steps ----------------------------------------------------------------------------------------


def steps(tx: Tx, job_id: int) -> list[Row]:
    """Give a job's steps in order; ``lines`` decoded."""
    rows = tx.dicts("SELECT * FROM step WHERE job_id = ? ORDER BY step", (job_id,))
    for row in rows:
        row["lines"] = json.loads(row["lines"])
    return rows


def add_steps(tx: Tx, job_id: int, planned: Sequence[tuple[Step, list[str]]]) -> list[int]:
    """Write a plan into the journal, after what is there; give the steps' numbers, from 1."""
    first = 1 + tx.number("SELECT coalesce(max(step), 0) FROM step WHERE job_id = ?", (job_id,))
    numbers = list(range(first, first + len(planned)))
    tx.execute_many(
        "INSERT INTO step"
        " (job_id, step, phase, device, kind, target, summary, change, lines, state)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'pending')",
        [
            (
                job_id,
                number,
                int(step.phase),
                step.device,
                step.kind,
                step.target,
                step.summary,
                msgspec.json.encode(step.change).decode(),
                json.dumps(lines),
            )
            for number, (step, lines) in zip(numbers, planned, strict=True)
        ],
    )
    return numbers


def set_step(
    tx: Tx, job_id: int, number: int, state: str, now: float, message: str | None = None
) -> None:
    """Write what has become of a step."""
    column = "started" if state == "sending" else "finished"
    tx.execute(
        f"UPDATE step SET state = ?, message = ?, {column} = ? WHERE job_id = ? AND step = ?",
        (state, message, now, job_id, number),
    )


def interrupt(tx: Tx, job_id: int, now: float) -> list[Step]:
    """Close the steps that a dead daemon left open; give those that it may have sent."""
    rows = tx.dicts(
        "SELECT * FROM step WHERE job_id = ? AND state IN ('pending', 'sending', 'sent')", (job_id,)
    )
    tx.execute(
        "UPDATE step SET state = 'interrupted', finished = ?,"
        " message = 'the daemon stopped; the job was planned again'"
        " WHERE job_id = ? AND state IN ('pending', 'sending', 'sent')",
        (now, job_id),
    )
    return [_step(row) for row in rows if row["state"] != "pending"]


def _step(row: Row) -> Step:
    return Step(
        phase=Phase(row["phase"]),
        device=row["device"],
        kind=row["kind"],
        target=row["target"],
        summary=row["summary"],
        change=msgspec.json.decode(row["change"], type=Change),
    )
