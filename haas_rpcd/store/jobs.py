"""The journal: jobs and their steps. A step's state is written before and after it is sent."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from typing import Literal, NamedTuple

import msgspec

from haas_rpcd.model import Change, Phase, Step
from haas_rpcd.store.database import IN_MINE, Tx, ids
from haas_rpcd.store.rows import Json, Row
from haas_schemas.job import JobKind, JobState, StepState


class JobRow(Row, frozen=True):
    """A job. Times are in seconds since the epoch.

    ``project`` is the project's name when the job was created. ``project_id`` and ``node_id``
    become null when the project or the node is deleted. ``repairs``: the job repairs drift, on
    ``repair_switch``, for its project, or everywhere. ``restores``: by it the daemon restores what
    a hypervisor lost. ``withdraws``: the VLAN that it takes the
    project off, when a share ends. ``target`` names the part of the project that it applies, and
    ``target_node`` or ``target_network`` is its id. ``reverts``: it takes back what another one
    changed, because nobody confirmed that. ``proves`` names the node whose cabling it proves;
    ``parks_only``: it only parks what such a job left open. ``total`` counts the steps, ``done``
    those that a device confirmed. ``place``: in the order of creation, which numbers do not show.
    """

    id: int
    kind: Literal["apply", "release", "site"]
    project_id: int | None
    project: str | None
    node_id: int | None
    user: str
    state: JobState
    cancelling: bool
    digest: str | None
    error: str | None
    created: float
    started: float | None
    finished: float | None
    repairs: bool
    repair_switch: str | None
    restores: bool
    withdraws: int | None
    target: str | None
    target_node: int | None
    target_network: int | None
    reverts: bool
    proves: str | None
    parks_only: bool
    total: int
    done: int
    place: int

    @property
    def shown_kind(self) -> JobKind:
        """What the job does, in the API and in the log."""
        if self.proves is not None:
            return "prove"
        if self.withdraws is not None:
            return "unshare"
        return "repair" if self.repairs else self.kind


class StepRow(Row, frozen=True):
    """A step of a job and the lines sent for it. Times are in seconds since the epoch."""

    step: int
    device: str
    kind: str
    target: str
    summary: str
    lines: Json[tuple[str, ...]]
    state: StepState
    message: str | None
    started: float | None
    finished: float | None


class ChangeRow(Row, frozen=True):
    """The change that a step makes.

    An earlier release may have written it: a field that is added to a change needs a default, or a
    migration that rewrites these rows.
    """

    change: Json[Change]


class OpenStepRow(Row, frozen=True):
    """A step that has not ended. See :class:`ChangeRow` on ``change``."""

    phase: Phase
    device: str
    kind: str
    target: str
    summary: str
    change: Json[Change]
    state: StepState


class EndRow(Row, frozen=True):
    """When a job ended, in seconds since the epoch, and in which state."""

    finished: float
    state: JobState


class ProofQueue(NamedTuple):
    """The queue of the jobs that prove the cabling of one node."""

    node: str


_JOB = """
SELECT job.id, job.kind, job.project_id, job.project, job.node_id, job.user, job.state,
    job.cancelling, job.digest, job.error, job.created, job.started, job.finished,
    repair.job_id IS NOT NULL AS repairs, repair.switch AS repair_switch,
    ifnull(repair.switch IN ('master', 'libvirt') OR repair.switch LIKE 'libvirt:%'
        OR repair.switch IN (SELECT name FROM hypervisor), 0) AS restores,
    withdrawal.vlan AS withdraws, job_target.name AS target,
    job_target.node_id AS target_node, job_target.network_id AS target_network,
    EXISTS (SELECT 1 FROM confirm WHERE reverted_by = job.id) AS reverts,
    proof_job.node AS proves, ifnull(proof_job.parks_only, 0) AS parks_only,
    (SELECT count(*) FROM step WHERE job_id = job.id AND state <> 'interrupted') AS total,
    (SELECT count(*) FROM step WHERE job_id = job.id AND state = 'done') AS done,
    job.place
FROM job LEFT JOIN repair ON repair.job_id = job.id
LEFT JOIN withdrawal ON withdrawal.job_id = job.id
LEFT JOIN job_target ON job_target.job_id = job.id
LEFT JOIN proof_job ON proof_job.job_id = job.id
"""

_OPEN = "state IN ('pending', 'sending', 'sent')"


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
    """Add a queued job; return its number."""
    project = tx.value(str, "SELECT name FROM project WHERE id = ?", (project_id,))
    return tx.insert(
        "job",
        id=_new_number(tx),
        place=1 + (tx.value(int, "SELECT max(place) FROM job") or 0),
        kind=kind,
        project_id=project_id,
        project=project,
        node_id=node_id,
        user=user,
        state="queued",
        digest=digest,
        created=now,
    )


def _new_number(tx: Tx) -> int:
    """Draw the number of a new job at random: counting would tell tenants what others do."""
    for digits in (6, 6, 6, 9, 9, 15):
        lowest = int("1".ljust(digits, "0"))
        number = lowest + secrets.randbelow(9 * lowest)
        if not tx.exists("SELECT 1 FROM job WHERE id = ?", (number,)):
            return number
    raise RuntimeError("no number is left for a job")


def set_target(tx: Tx, job_id: int, name: str, node_id: int | None, network_id: int | None) -> None:
    """Limit a queued job to a part of its project: a node, or a network."""
    tx.insert("job_target", job_id=job_id, name=name, node_id=node_id, network_id=network_id)


def create_repair(
    tx: Tx, *, user: str, now: float, switch: str | None, project_id: int | None = None
) -> int:
    """Add a queued job that repairs drift; return its number.

    It repairs one switch, a project's headnodes and bridges, or everything. See
    :meth:`DriftWatch.repair_steps` for what the master's devices stand for.
    """
    kind = "site" if project_id is None else "apply"
    job = create(tx, kind=kind, user=user, now=now, project_id=project_id)
    tx.insert("repair", job_id=job, switch=switch)
    return job


def create_withdrawal(tx: Tx, *, user: str, now: float, project_id: int, vlan: int) -> int:
    """Add a queued job that takes what a project has off a VLAN; return its number."""
    job = create(tx, kind="apply", user=user, now=now, project_id=project_id)
    tx.insert("withdrawal", job_id=job, vlan=vlan)
    return job


def find(tx: Tx, job_id: int) -> JobRow | None:
    """Return one job."""
    return tx.one(JobRow, f"{_JOB} WHERE job.id = ?", (job_id,))


def page(
    tx: Tx,
    limit: int,
    before: int | None,
    *,
    project_id: int | None = None,
    mine: Sequence[int] | None = None,
    state: str | None = None,
) -> list[JobRow]:
    """Return jobs, the newest first: those with a ``place`` before this one.

    ``mine`` limits them to several projects.
    """
    return tx.query(
        JobRow,
        f"{_JOB} WHERE (:before IS NULL OR job.place < :before)"
        " AND (:project IS NULL OR job.project_id = :project)"
        " AND (:state IS NULL OR job.state = :state)"
        f" AND (:mine IS NULL OR job.project_id IN {IN_MINE})"
        " ORDER BY job.place DESC LIMIT :limit",
        {
            "before": before,
            "project": project_id,
            "mine": ids(mine),
            "state": state,
            "limit": limit,
        },
    )


def unfinished(tx: Tx) -> list[JobRow]:
    """Return the queued and running jobs, the oldest first."""
    return tx.query(JobRow, f"{_JOB} WHERE job.state IN ('queued', 'running') ORDER BY job.place")


def ended_since(tx: Tx, since: float, mine: Sequence[int] | None) -> list[EndRow]:
    """Return when jobs ended, since a time; ``mine`` limits them to several projects."""
    return tx.query(
        EndRow,
        "SELECT finished, state FROM job WHERE finished >= :since"
        f" AND (:mine IS NULL OR project_id IN {IN_MINE})",
        {"since": since, "mine": ids(mine)},
    )


def waiting_of(tx: Tx, project_id: int) -> int:
    """Count the queued jobs of a project."""
    return tx.number(
        "SELECT count(*) FROM job WHERE project_id = ? AND state = 'queued'", (project_id,)
    )


def prune(tx: Tx, before: float, keep: int, at_most: int) -> int:
    """Delete jobs that ended ``before`` (seconds since the epoch), or beyond the newest ``keep``.

    At most so many at a time, the oldest first, with their steps; return how many.
    """
    return tx.execute(
        "DELETE FROM job WHERE id IN (SELECT id FROM job"
        " WHERE state NOT IN ('queued', 'running') AND (finished < :before"
        " OR place <= (SELECT place FROM job ORDER BY place DESC LIMIT 1 OFFSET :keep))"
        " ORDER BY place LIMIT :most)",
        {"before": before, "keep": keep, "most": at_most},
    )


def begin(tx: Tx, job_id: int, now: float) -> None:
    """Mark a job as running. A job that a restarted daemon resumes keeps its first start."""
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
    """Request that a job stops before its next step."""
    tx.execute("UPDATE job SET cancelling = 1 WHERE id = ?", (job_id,))


# --- steps ----------------------------------------------------------------------------------------


def steps(tx: Tx, job_id: int, most: int = -1, device: str | None = None) -> list[StepRow]:
    """Return a job's steps in order: at most so many (-1: all), those that failed before others.

    With a ``device``, only its steps.
    """
    return tx.query(
        StepRow,
        "SELECT * FROM (SELECT step, device, kind, target, summary, lines, state, message, started,"
        " finished FROM step WHERE job_id = :job AND (:device IS NULL OR device = :device)"
        " ORDER BY state <> 'failed', step LIMIT :most) ORDER BY step",
        {"job": job_id, "most": most, "device": device},
    )


def count_steps(tx: Tx, job_id: int, device: str | None) -> int:
    """Count a job's steps, or those on one device."""
    return tx.number(
        "SELECT count(*) FROM step WHERE job_id = ? AND (? IS NULL OR device = ?)",
        (job_id, device, device),
    )


JournalRows = list[tuple[int, str, str, str, str, str, str]]
"""Steps as the journal has them: phase, device, kind, target, summary, and the change and the lines
as JSON."""


def rows_of(planned: Sequence[tuple[Step, list[str]]]) -> JournalRows:
    """Return steps, with the lines of each, as the journal has them. Takes long for many steps."""
    return [
        (
            int(step.phase),
            step.device,
            step.kind,
            step.target,
            step.summary,
            msgspec.json.encode(step.change).decode(),
            json.dumps(lines),
        )
        for step, lines in planned
    ]


def add_steps(tx: Tx, job_id: int, rows: JournalRows) -> list[int]:
    """Append steps to the journal; return their numbers, from 1 on."""
    first = 1 + tx.number("SELECT coalesce(max(step), 0) FROM step WHERE job_id = ?", (job_id,))
    numbers = list(range(first, first + len(rows)))
    tx.execute_many(
        "INSERT INTO step"
        " (job_id, step, phase, device, kind, target, summary, change, lines, state)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'pending')",
        [(job_id, number, *row) for number, row in zip(numbers, rows, strict=True)],
    )
    return numbers


def set_step(
    tx: Tx, job_id: int, number: int, state: str, now: float, message: str | None = None
) -> None:
    """Write a step's new state."""
    column = "started" if state == "sending" else "finished"
    tx.execute(
        f"UPDATE step SET state = ?, message = ?, {column} = ? WHERE job_id = ? AND step = ?",
        (state, message, now, job_id, number),
    )


def open_changes(tx: Tx, devices: Sequence[str], *, but_of: int) -> list[Change]:
    """Return the changes that running jobs, except ``but_of``, still have to send to devices."""
    marks = ", ".join("?" * len(devices))
    rows = tx.query(
        ChangeRow,
        "SELECT change FROM step JOIN job ON job.id = step.job_id WHERE job.state = 'running'"
        f" AND job.id <> ? AND step.{_OPEN} AND step.device IN ({marks})",
        (but_of, *devices),
    )
    return [row.change for row in rows]


def interrupt(tx: Tx, job_id: int, now: float) -> list[Step]:
    """Close the steps that a dead daemon left open; return those that it may have sent."""
    rows = tx.query(
        OpenStepRow,
        "SELECT phase, device, kind, target, summary, change, state FROM step"
        f" WHERE job_id = ? AND {_OPEN} ORDER BY step",
        (job_id,),
    )
    tx.execute(
        "UPDATE step SET state = 'interrupted', finished = ?,"
        " message = 'the daemon stopped; the job was planned again'"
        f" WHERE job_id = ? AND {_OPEN}",
        (now, job_id),
    )
    return [
        Step(row.phase, row.device, row.kind, row.target, row.summary, row.change)
        for row in rows
        if row.state != "pending"
    ]
