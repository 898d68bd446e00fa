"""Applies that go back unless they are confirmed: what to go back to, and by when."""

from __future__ import annotations

import sqlite3
from typing import Literal

import msgspec

from haas_rpcd.boottime import Moment
from haas_rpcd.model import HeadnodeSeen, PortConfig
from haas_rpcd.store import headnodes, jobs, nics
from haas_rpcd.store.backs import Back, Networks
from haas_rpcd.store.database import Tx
from haas_rpcd.store.ports import CONFIG
from haas_rpcd.store.rows import Json, Row
from haas_rpcd.store.scope import Scope, nics_within


class ConfirmRow(Row, frozen=True):
    """How a job is confirmed. ``seconds``: how long it waits after its end.

    ``deadline``: until when it waits, in seconds since the epoch; null before its end.
    """

    job_id: int
    seconds: float
    state: Literal["waiting", "confirmed", "reverted"]
    back: Json[Back | None]
    boot: str | None
    boot_deadline: float | None
    deadline: float | None
    reverted_by: int | None


class _PortRow(Row, frozen=True):
    nic_id: int
    config: Json[PortConfig | None]


class _ClaimRow(Row, frozen=True):
    vlan: int
    network_id: int


class _StagedRow(Row, frozen=True):
    nic_id: int
    network_id: int
    tagged: bool


_CONFIRM = (
    "SELECT job_id, seconds, state, back, boot, boot_deadline, deadline, reverted_by FROM confirm"
)


def request(tx: Tx, job_id: int, seconds: float) -> None:
    """Let a job go back unless it is confirmed within so many seconds after its end."""
    tx.insert("confirm", job_id=job_id, seconds=seconds)


def find(tx: Tx, job_id: int) -> ConfirmRow | None:
    """Return how a job is confirmed; None if it need not be."""
    return tx.one(ConfirmRow, f"{_CONFIRM} WHERE job_id = ?", (job_id,))


def waiting(tx: Tx) -> list[ConfirmRow]:
    """Return the jobs that have ended and wait to be confirmed, by deadline."""
    return tx.query(
        ConfirmRow,
        f"{_CONFIRM} WHERE state = 'waiting' AND deadline IS NOT NULL ORDER BY deadline",
    )


def unstarted(tx: Tx) -> list[int]:
    """Return the jobs that have ended, but whose time to be confirmed has not begun."""
    return tx.values(
        int,
        "SELECT job_id FROM confirm JOIN job ON job.id = confirm.job_id"
        " WHERE confirm.state = 'waiting' AND deadline IS NULL AND back IS NOT NULL"
        " AND job.state NOT IN ('queued', 'running')",
    )


def remember(tx: Tx, job_id: int, scope: Scope) -> None:
    """Write what those nics of a project, or of a part of it, have now that a job changes.

    Call it before the job changes anything.

    Nothing is written again for a job that a restarted daemon resumes: it may have changed some.
    """
    row = find(tx, job_id)
    if row is None or row.back is not None or scope.project_id is None:
        return
    own_nics, own_headnodes = nics_within(tx, scope)
    claims = tx.query(
        _ClaimRow, "SELECT vlan, network_id FROM vlan_claim WHERE network_id IS NOT NULL"
    )
    networks = {claim.vlan: claim.network_id for claim in claims}
    back = Back({}, {})
    staged = _staged(tx, scope.project_id)
    for nic_id, had in _nics(tx, scope.project_id, networks).items():
        wanted = staged.get(nic_id, ())
        if nic_id in own_nics and set(had) != set(wanted):
            back.nics[nic_id], back.wanted[nic_id] = had, wanted
    for headnode in headnodes.all_of(tx, scope.project_id):
        if headnode.id not in own_headnodes:
            continue
        seen = headnode.seen if isinstance(headnode.seen, HeadnodeSeen) else None
        vlans = {nic.nic: nic.vlan for nic in seen.nics} if seen is not None else {}
        for nic in headnodes.nics(tx, headnode.id):
            network = networks.get(vlans.get(nic.name) or 0)
            if network != nic.network_id:
                back.headnode_nics[nic.id] = network
                back.headnodes_wanted[nic.id] = nic.network_id
    tx.execute(
        "UPDATE confirm SET back = ? WHERE job_id = ?", (msgspec.json.encode(back).decode(), job_id)
    )


def _nics(tx: Tx, project_id: int, networks: dict[int, int]) -> dict[int, Networks]:
    rows = tx.query(
        _PortRow,
        f"SELECT nic.id AS nic_id, {CONFIG} FROM nic JOIN allocation ON allocation.node_id ="
        " nic.node_id JOIN port ON port.nic_id = nic.id"
        " LEFT JOIN port_applied ON port_applied.port_id = port.id WHERE allocation.project_id = ?",
        (project_id,),
    )
    found: dict[int, Networks] = {}
    for row in rows:
        config = row.config or PortConfig()
        vlans = [(config.untagged, False), *((vlan, True) for vlan in config.tagged)]
        had = tuple((networks[vlan], tagged) for vlan, tagged in vlans if vlan in networks)
        found[row.nic_id] = found.get(row.nic_id) or had  # of a bond, any port tells
    return found


def _staged(tx: Tx, project_id: int) -> dict[int, Networks]:
    """Return what is staged on the nics of the nodes that a project holds, by the nics' ids."""
    found: dict[int, Networks] = {}
    for row in tx.query(
        _StagedRow,
        "SELECT connection.nic_id, connection.network_id, connection.tagged FROM connection"
        " JOIN nic ON nic.id = connection.nic_id"
        " JOIN allocation ON allocation.node_id = nic.node_id WHERE allocation.project_id = ?",
        (project_id,),
    ):
        found[row.nic_id] = (*found.get(row.nic_id, ()), (row.network_id, row.tagged))
    return found


def ended(tx: Tx, job_id: int, now: Moment, wall: float) -> bool:
    """Begin the time in which a job that has ended can be confirmed; return whether it can be."""
    row = find(tx, job_id)
    if row is None or row.state != "waiting" or row.back is None:
        return False
    tx.execute(
        "UPDATE confirm SET boot = ?, boot_deadline = ?, deadline = ? WHERE job_id = ?",
        (now.boot, now.seconds + row.seconds, wall + row.seconds, job_id),
    )
    return True


def confirm(tx: Tx, job_id: int) -> bool:
    """Let a job stay as it is; return False if it had gone back, or need not be confirmed."""
    return (
        tx.execute(
            "UPDATE confirm SET state = 'confirmed' WHERE job_id = ? AND state = 'waiting'",
            (job_id,),
        )
        > 0
    )


def revert(tx: Tx, row: ConfirmRow, *, user: str, now: float) -> int | None:
    """Add a job that takes back what another one changed, and nothing else; return that job.

    What the nics had is staged again, except on a nic on which something else was staged since:
    that stays staged. A nic whose node is not the project's any more is left alone, as is a network
    that is gone. Returns None if the project is gone.
    """
    job = jobs.find(tx, row.job_id)
    back = row.back
    if job is None or job.project_id is None or back is None:
        tx.execute("UPDATE confirm SET state = 'reverted' WHERE job_id = ?", (row.job_id,))
        return None
    held = set(
        tx.values(
            int,
            "SELECT nic.id FROM nic JOIN allocation ON allocation.node_id = nic.node_id"
            " WHERE allocation.project_id = ? AND NOT allocation.releasing",
            (job.project_id,),
        )
    )
    staged = _staged(tx, job.project_id)
    for nic_id, networks in back.nics.items():
        wanted = back.wanted.get(nic_id)
        unchanged = wanted is None or set(wanted) == set(staged.get(nic_id, ()))
        if nic_id in held and unchanged:
            nics.disconnect(tx, nic_id, None)
            for network_id, tagged in networks:
                _if_possible(tx, nic_id, network_id, tagged)
    own = _headnode_nics(tx, job.project_id)
    for headnode_nic, network in back.headnode_nics.items():
        wanted_there = back.headnodes_wanted.get(headnode_nic, own.get(headnode_nic))
        if headnode_nic in own and own[headnode_nic] == wanted_there:
            kept = network if network is not None and _exists(tx, network) else None
            headnodes.connect(tx, headnode_nic, kept)
    made = jobs.create(tx, kind="apply", user=user, now=now, project_id=job.project_id)
    if job.target is not None:  # to show it
        jobs.set_target(tx, made, job.target, job.target_node, job.target_network)
    tx.execute(
        "UPDATE confirm SET state = 'reverted', reverted_by = ? WHERE job_id = ?",
        (made, row.job_id),
    )
    return made


def _if_possible(tx: Tx, nic_id: int, network_id: int, tagged: bool) -> None:
    if not _exists(tx, network_id):
        return
    try:
        nics.connect(tx, nic_id, network_id, tagged)
    except sqlite3.IntegrityError:
        return  # the network is not shared with the project any more


def _exists(tx: Tx, network_id: int) -> bool:
    return tx.exists("SELECT 1 FROM network WHERE id = ?", (network_id,))


def _headnode_nics(tx: Tx, project_id: int) -> dict[int, int | None]:
    """Return the network staged on each nic of a project's headnodes, by the nics' ids."""
    return {
        nic.id: nic.network_id
        for headnode in headnodes.all_of(tx, project_id)
        for nic in headnodes.nics(tx, headnode.id)
    }


def scope_of(tx: Tx, job_id: int) -> tuple[int, int, str | None] | None:
    """Return a job with the id and the name of its project."""
    job = jobs.find(tx, job_id)
    return None if job is None or job.project_id is None else (job_id, job.project_id, job.project)
