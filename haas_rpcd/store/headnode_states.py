"""What hypervisors have of headnodes: as it was confirmed, and as it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import msgspec

from haas_rpcd.model import HeadnodeSeen
from haas_rpcd.store import headnodes
from haas_rpcd.store.database import Tx
from haas_rpcd.store.headnodes import HeadnodeRow


def set_unknown(tx: Tx, headnode_id: int) -> None:
    """Write that it is not known what the hypervisor has of a headnode."""
    tx.execute("DELETE FROM headnode_observed WHERE headnode_id = ?", (headnode_id,))
    tx.execute("DELETE FROM headnode_applied WHERE headnode_id = ?", (headnode_id,))
    tx.insert("headnode_applied", headnode_id=headnode_id, confirmed=0)


def confirm(tx: Tx, headnode_id: int, seen: HeadnodeSeen) -> None:
    """Write what was read of a headnode. One that is to be deleted, and is gone, is removed."""
    tx.execute("DELETE FROM headnode_carries WHERE headnode_id = ?", (headnode_id,))
    tx.execute("DELETE FROM headnode_observed WHERE headnode_id = ?", (headnode_id,))
    tx.execute("DELETE FROM headnode_applied WHERE headnode_id = ?", (headnode_id,))
    if not seen.defined:
        remove_if_gone(tx, headnode_id)
        return
    _apply(tx, headnode_id, seen)
    carry(tx, headnode_id, {nic.vlan for nic in seen.nics})


def remove_if_gone(tx: Tx, headnode_id: int) -> None:
    """Remove a headnode that is to be deleted, once nothing of it is left."""
    tx.execute(
        "DELETE FROM headnode WHERE id = :id AND deleting = 1"
        " AND NOT EXISTS (SELECT 1 FROM headnode_applied WHERE headnode_id = :id)"
        " AND NOT EXISTS (SELECT 1 FROM headnode_copy WHERE headnode_id = :id)",
        {"id": headnode_id},
    )


def keep(
    tx: Tx, headnode_id: int, was: HeadnodeSeen, now: HeadnodeSeen | None, *, stop_seen: bool
) -> None:
    """Write that a headnode was applied as it ``was``, and is as it is ``now``; null: not known."""
    tx.execute("DELETE FROM headnode_applied WHERE headnode_id = ?", (headnode_id,))
    _apply(tx, headnode_id, was)
    carry(tx, headnode_id, {nic.vlan for nic in was.nics})
    if now == was:
        return
    _observe(tx, headnode_id, now, reached=now is not None)
    if stop_seen:
        _note_stop(tx, headnode_id)


def _apply(tx: Tx, headnode_id: int, seen: HeadnodeSeen) -> None:
    tx.insert("headnode_applied", headnode_id=headnode_id, confirmed=1, running=int(seen.running))
    tx.execute_many(
        "INSERT INTO headnode_applied_nic (headnode_id, name, mac, vlan) VALUES (?, ?, ?, ?)",
        [(headnode_id, nic.nic, nic.mac, nic.vlan) for nic in set(seen.nics)],
    )


def observe(
    tx: Tx, hypervisor: str, differing: Mapping[str, HeadnodeSeen], *, watched: bool
) -> list[HeadnodeRow]:
    """Write what a hypervisor has, by label, of the headnodes that are not as applied.

    All its others are as applied. ``watched``: the daemon has read the hypervisor before, so what
    stopped since then was seen to stop. Returns the headnodes whose state or nics this changes.
    """

    def write(row: HeadnodeRow) -> None:
        seen = differing.get(row.label)
        if seen is None:
            tx.execute("DELETE FROM headnode_observed WHERE headnode_id = ?", (row.id,))
            return
        _observe(tx, row.id, seen, reached=True)
        ran = row.now is not None and row.now.running
        if watched and ran and not seen.running:
            _note_stop(tx, row.id)
        carry(tx, row.id, {nic.vlan for nic in seen.nics})

    return _changed_by(tx, hypervisor, write)


def lose_sight(tx: Tx, hypervisor: str, *, forget: bool) -> list[HeadnodeRow]:
    """Write that a hypervisor cannot be read; return the headnodes whose state this changes.

    Plans go on from what was known, unless it is to ``forget``: then it may be true no more.
    """
    return _changed_by(
        tx,
        hypervisor,
        lambda row: _observe(tx, row.id, None if forget else row.now, reached=False),
    )


def _observe(tx: Tx, headnode_id: int, seen: HeadnodeSeen | None, *, reached: bool) -> None:
    text = None if seen is None else msgspec.json.encode(seen).decode()
    tx.execute(
        "INSERT INTO headnode_observed (headnode_id, reached, seen) VALUES (?, ?, ?)"
        " ON CONFLICT (headnode_id) DO UPDATE SET reached = excluded.reached, seen = excluded.seen",
        (headnode_id, int(reached), text),
    )


def _note_stop(tx: Tx, headnode_id: int) -> None:
    tx.execute("UPDATE headnode_observed SET stop_seen = 1 WHERE headnode_id = ?", (headnode_id,))


def was_seen_to_stop(tx: Tx, headnode_id: int) -> bool:
    """Return whether a headnode stopped while a daemon watched."""
    sql = "SELECT 1 FROM headnode_observed WHERE headnode_id = ? AND stop_seen"
    return tx.value(int, sql, (headnode_id,)) is not None


def seen_to_stop(tx: Tx) -> set[str]:
    """Return the labels of the headnodes that stopped while a daemon watched."""
    ids = set(tx.values(int, "SELECT headnode_id FROM headnode_observed WHERE stop_seen"))
    return {row.label for row in headnodes.on_hypervisor(tx) if row.id in ids} if ids else set()


def forget_stops(tx: Tx, hypervisor: str) -> None:
    """Write that no headnode of a hypervisor was seen to stop."""
    tx.execute(
        "UPDATE headnode_observed SET stop_seen = 0"
        " WHERE headnode_id IN (SELECT id FROM headnode WHERE hypervisor = ?)",
        (hypervisor,),
    )


def _changed_by(tx: Tx, hypervisor: str, write: Callable[[HeadnodeRow], None]) -> list[HeadnodeRow]:
    before = headnodes.on_hypervisor(tx, hypervisor)
    for row in before:
        write(row)
    return [
        new
        for old, new in zip(before, headnodes.on_hypervisor(tx, hypervisor), strict=True)
        if (old.state, old.now) != (new.state, new.now)
    ]


def carry(tx: Tx, headnode_id: int, vlans: Iterable[int]) -> None:
    """Write that a headnode may be on some VLANs."""
    tx.execute_many(
        "INSERT OR IGNORE INTO headnode_carries VALUES (?, ?)",
        [(headnode_id, vlan) for vlan in vlans],
    )
