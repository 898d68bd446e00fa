"""Queries of leases (ends of allocations) and release commands. Times: seconds since 1970."""

from __future__ import annotations

from collections.abc import Sequence

from haas_rpcd.store.database import IN_MINE, Tx, ids
from haas_rpcd.store.rows import Row


class LeaseRow(Row, frozen=True):
    """An allocation that ends at ``until``."""

    node_id: int
    node: str
    project_id: int
    project: str
    until: float


class UntilRow(Row, frozen=True):
    """When a node's allocation ends."""

    node_id: int
    until: float


class HookRunRow(Row, frozen=True):
    """A run of the release command, for a job."""

    node: str
    outcome: str
    output: str
    started: float
    finished: float


_LEASE = """
SELECT lease.node_id, node.name AS node, project.id AS project_id, project.name AS project,
    lease.until
FROM lease JOIN node ON node.id = lease.node_id
JOIN allocation ON allocation.node_id = lease.node_id
JOIN project ON project.id = allocation.project_id
"""


def set_until(tx: Tx, node_id: int, until: float) -> None:
    """Let a node's allocation end at a time, which is warned of again."""
    tx.execute(
        "INSERT INTO lease (node_id, until) VALUES (?, ?)"
        " ON CONFLICT (node_id) DO UPDATE SET until = excluded.until, warned = 0",
        (node_id, until),
    )


def lift(tx: Tx, node_id: int) -> None:
    """Let a node's allocation have no end."""
    tx.execute("DELETE FROM lease WHERE node_id = ?", (node_id,))


def of_nodes(tx: Tx, node_ids: Sequence[int]) -> dict[int, float]:
    """Return when the allocations of several nodes end, by the node's id."""
    rows = tx.query(
        UntilRow,
        f"SELECT node_id, until FROM lease WHERE node_id IN {IN_MINE}",
        {"mine": ids(node_ids)},
    )
    return {row.node_id: row.until for row in rows}


def due(tx: Tx, now: float) -> list[LeaseRow]:
    """Return the leases that have ended, of nodes that are not being released yet."""
    return tx.query(
        LeaseRow,
        f"{_LEASE} WHERE lease.until <= ? AND allocation.releasing = 0 ORDER BY lease.until",
        (now,),
    )


def to_warn(tx: Tx, until: float) -> list[LeaseRow]:
    """Return the leases that end before ``until`` and have not been warned of."""
    return tx.query(
        LeaseRow,
        f"{_LEASE} WHERE lease.until <= ? AND lease.warned = 0 AND allocation.releasing = 0",
        (until,),
    )


def warned(tx: Tx, node_ids: Sequence[int]) -> None:
    """Write that the ends of these leases have been warned of."""
    tx.execute_many("UPDATE lease SET warned = 1 WHERE node_id = ?", [(each,) for each in node_ids])


def next_end(tx: Tx) -> float | None:
    """Return when the next lease ends."""
    return tx.value(
        float,
        "SELECT min(lease.until) FROM lease JOIN allocation USING (node_id)"
        " WHERE allocation.releasing = 0",
    )


# --- release commands -----------------------------------------------------------------------------


def await_hook(tx: Tx, node_id: int) -> None:
    """Write that a node is not free before its release command has succeeded."""
    tx.execute("INSERT OR IGNORE INTO awaits_hook VALUES (?)", (node_id,))


def awaits_hook(tx: Tx, node_id: int) -> bool:
    """Return whether a node's release command has to succeed still."""
    return tx.exists("SELECT 1 FROM awaits_hook WHERE node_id = ?", (node_id,))


def hook_passed(tx: Tx, node_id: int) -> None:
    """Write that a node's release command has succeeded."""
    tx.execute("DELETE FROM awaits_hook WHERE node_id = ?", (node_id,))


def record_hook(tx: Tx, job_id: int, run: HookRunRow) -> None:
    """Keep the output of a release command with its job; of several runs the last one."""
    tx.execute("DELETE FROM hook_run WHERE job_id = ?", (job_id,))
    tx.insert(
        "hook_run",
        job_id=job_id,
        node=run.node,
        outcome=run.outcome,
        output=run.output,
        started=run.started,
        finished=run.finished,
    )


def hook_run(tx: Tx, job_id: int) -> HookRunRow | None:
    """Return the run of a release command of a job."""
    return tx.one(
        HookRunRow,
        "SELECT node, outcome, output, started, finished FROM hook_run WHERE job_id = ?",
        (job_id,),
    )
