"""Why a port carries what it carries: who staged it, which job set it, what the switch said."""

from __future__ import annotations

import msgspec

from haas_rpcd.store.database import Tx
from haas_rpcd.store.rows import Row


class Proof(msgspec.Struct, frozen=True):
    """How a port was confirmed: when, in seconds since the epoch; by which job, if by one.

    ``said``: the switch's own lines about the port.
    """

    time: float
    job_id: int | None = None
    said: tuple[str, ...] = ()


class StagedRow(Row, frozen=True):
    """Who last staged something for a nic, when, and for which project."""

    user: str
    time: float
    project_id: int


class EvidenceRow(Row, frozen=True):
    """What is known of a port's last confirmation.

    ``project_id``: whose job it was; null: the site's. Times are in seconds since the epoch.
    """

    time: float
    said: str
    job_id: int | None
    applied_by: str | None
    project_id: int | None
    staged_by: str | None
    staged_at: float | None
    staged_project_id: int | None


def stage(tx: Tx, nic_id: int, user: str, project_id: int, now: float) -> None:
    """Note who has staged something for a nic."""
    tx.execute(
        "INSERT OR REPLACE INTO nic_staged (nic_id, user, time, project_id) VALUES (?, ?, ?, ?)",
        (nic_id, user, now, project_id),
    )


def stage_all(tx: Tx, node_id: int, user: str, project_id: int, now: float) -> None:
    """Note who has staged something for all nics of a node."""
    tx.execute(
        "INSERT OR REPLACE INTO nic_staged (nic_id, user, time, project_id)"
        " SELECT id, ?, ?, ? FROM nic WHERE node_id = ?",
        (user, now, project_id, node_id),
    )


def keep(tx: Tx, port_id: int, proof: Proof) -> None:
    """Keep what is known of a confirmation of a port, in place of what is known of the last one."""
    tx.execute(
        "INSERT OR REPLACE INTO port_evidence (port_id, time, said, job_id, applied_by,"
        " project_id, staged_by, staged_at, staged_project_id)"
        " SELECT port.id, :time, :said, :job, job.user, job.project_id, nic_staged.user,"
        " nic_staged.time, nic_staged.project_id FROM port LEFT JOIN nic ON nic.id = port.nic_id"
        " LEFT JOIN nic_staged ON nic_staged.nic_id = nic.id LEFT JOIN job ON job.id = :job"
        " WHERE port.id = :port",
        {"port": port_id, "time": proof.time, "said": "\n".join(proof.said), "job": proof.job_id},
    )


def of_port(tx: Tx, port_id: int) -> EvidenceRow | None:
    """Return what is known of a port's last confirmation."""
    return tx.one(
        EvidenceRow,
        "SELECT time, said, job_id, applied_by, project_id, staged_by, staged_at,"
        " staged_project_id FROM port_evidence WHERE port_id = ?",
        (port_id,),
    )


def staged(tx: Tx, nic_id: int) -> StagedRow | None:
    """Return who last staged something for a nic."""
    return tx.one(
        StagedRow, "SELECT user, time, project_id FROM nic_staged WHERE nic_id = ?", (nic_id,)
    )
