"""Queries of the proofs of nodes' cabling, and of those under way."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from haas_rpcd.model import PortConfig
from haas_rpcd.store import jobs, nodes
from haas_rpcd.store.database import IN_MINE, Tx, ids
from haas_rpcd.store.rows import Json, Row
from haas_schemas.cabling import NicProof


class ProvingRow(Row, frozen=True):
    """A proof under way: its VLAN, and the port that is open for it, if one is."""

    node_id: int
    node: str
    job_id: int
    vlan: int
    open_port_id: int | None


class ProofNicRow(Row, frozen=True):
    """A nic to be proved, and its port."""

    nic_id: int
    nic: str
    port_id: int
    switch: str
    port: str


class ProofRow(Row, frozen=True):
    """The last proof of a node's cabling; ``time`` is in seconds since the epoch.

    ``void``: a nic was registered otherwise since. ``holds``: nothing contradicts it.
    """

    node_id: int
    job_id: int
    user: str
    time: float
    proven: bool
    void: bool
    why: str | None
    nics: Json[tuple[NicProof, ...]]
    notes: Json[tuple[str, ...]]
    holds: bool


_PROVING = """
SELECT proving.node_id, node.name AS node, proving.job_id, proving.vlan, proving.open_port_id
FROM proving JOIN node ON node.id = proving.node_id
"""

_PROOF = """
SELECT node_id, job_id, user, time, proven, void, why, nics, notes,
    node_id IN (SELECT node_id FROM proven_node) AS holds
FROM proof
"""


def begin(tx: Tx, node: nodes.NodeRow, vlan: int, *, user: str, now: float) -> int:
    """Take a free node and a VLAN id that nobody has, and add the job that proves the cabling.

    Raises sqlite3.IntegrityError if either is taken.
    """
    job = jobs.create(tx, kind="site", user=user, now=now)
    tx.insert("proof_job", job_id=job, node=node.name)
    tx.insert("vlan_claim", vlan=vlan, label=f"the proof of {node.name}")
    tx.insert("proving", node_id=node.id, job_id=job, vlan=vlan)
    return job


def begin_parking(tx: Tx, node: str, *, user: str, now: float) -> int:
    """Add a job that only parks the ports that a proof of a node may have left open."""
    job = jobs.create(tx, kind="site", user=user, now=now)
    tx.insert("proof_job", job_id=job, node=node, parks_only=1)
    return job


def left_open(tx: Tx, node: str) -> bool:
    """Return whether a free node's data port may carry a VLAN that no network has."""
    return tx.exists(
        "SELECT 1 FROM nic JOIN node ON node.id = nic.node_id"
        " JOIN port ON port.nic_id = nic.id JOIN port_carries ON port_carries.port_id = port.id"
        " JOIN vlan_claim ON vlan_claim.vlan = port_carries.vlan"
        " WHERE node.name = ? AND nic.kind = 'data' AND vlan_claim.network_id IS NULL"
        " AND node.id NOT IN (SELECT node_id FROM allocation)",
        (node,),
    )


def under_way(tx: Tx, node_id: int) -> ProvingRow | None:
    """Return the proof under way on a node."""
    return tx.one(ProvingRow, f"{_PROVING} WHERE proving.node_id = ?", (node_id,))


def of_job(tx: Tx, job_id: int) -> ProvingRow | None:
    """Return the proof that a job carries out, until it ends."""
    return tx.one(ProvingRow, f"{_PROVING} WHERE proving.job_id = ?", (job_id,))


def proved_now(tx: Tx, node_ids: Sequence[int]) -> set[int]:
    """Return those of some nodes whose cabling is being proved."""
    return set(
        tx.values(
            int,
            f"SELECT node_id FROM proving WHERE node_id IN {IN_MINE}",
            {"mine": ids(node_ids)},
        )
    )


def nics_of(tx: Tx, node_id: int) -> list[ProofNicRow]:
    """Return the ports of a node's data nics: of a bond each, but not its channel."""
    return tx.query(
        ProofNicRow,
        "SELECT nic.id AS nic_id, nic.name AS nic, port.id AS port_id, switch.name AS switch,"
        " port.name AS port FROM nic JOIN port ON port.nic_id = nic.id"
        " JOIN switch ON switch.id = port.switch_id"
        " WHERE nic.node_id = ? AND nic.kind = 'data' AND port.channel IS NULL"
        " ORDER BY nic.id, port.leg",
        (node_id,),
    )


def open_port(tx: Tx, job_id: int, port_id: int | None) -> None:
    """Choose the only port that a proof may open now; None: it may open none."""
    tx.execute("UPDATE proving SET open_port_id = ? WHERE job_id = ?", (port_id, job_id))


def open_ports(tx: Tx, node_id: int) -> dict[int, int]:
    """Return the VLAN of the only port of a node that a proof may open now, by the port's id."""
    row = under_way(tx, node_id)
    return {} if row is None or row.open_port_id is None else {row.open_port_id: row.vlan}


def vlans_of(tx: Tx, node_id: int | None) -> set[int]:
    """Return the VLAN of the proof under way on a node, if one is."""
    row = under_way(tx, node_id) if node_id is not None else None
    return set() if row is None else {row.vlan}


def may_open(tx: Tx, switch: str, port: str, config: PortConfig) -> bool:
    """Return whether a port may carry this now, because a proof has it open."""
    return not config.tagged and tx.exists(
        "SELECT 1 FROM proving JOIN port ON port.id = proving.open_port_id"
        " JOIN switch ON switch.id = port.switch_id"
        " WHERE switch.name = ? AND port.name = ? AND proving.vlan = ?",
        (switch, port, config.untagged),
    )


def has_vlan(tx: Tx, vlan: int) -> bool:
    """Return whether a proof under way has this VLAN."""
    return tx.exists("SELECT 1 FROM proving WHERE vlan = ?", (vlan,))


# --- what came of them ----------------------------------------------------------------------------


def record(
    tx: Tx,
    node_id: int,
    job_id: int,
    *,
    now: float,
    why: str | None,
    nics: Sequence[NicProof],
    notes: Sequence[str],
) -> None:
    """Keep a proof, in place of the node's last one; ``why``: why it failed, None if it did not."""
    tx.execute(
        "INSERT OR REPLACE INTO proof (node_id, job_id, user, time, proven, why, nics, notes)"
        " SELECT ?, job.id, job.user, ?, ?, ?, ?, ? FROM job WHERE job.id = ?",
        (
            node_id,
            now,
            int(why is None),
            why,
            msgspec.json.encode(nics).decode(),
            msgspec.json.encode(notes).decode(),
            job_id,
        ),
    )


def of_node(tx: Tx, node_id: int) -> ProofRow | None:
    """Return the last proof of a node's cabling."""
    return tx.one(ProofRow, f"{_PROOF} WHERE node_id = ?", (node_id,))


def proven(tx: Tx, node_ids: Sequence[int]) -> dict[int, float]:
    """Return when the cabling of nodes was proved, of those whose proof holds."""
    rows = tx.query(
        ProofRow,
        f"{_PROOF} WHERE node_id IN (SELECT node_id FROM proven_node) AND node_id IN {IN_MINE}",
        {"mine": ids(node_ids)},
    )
    return {row.node_id: row.time for row in rows}
