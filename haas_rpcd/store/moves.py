"""Queries of headnodes that move between hypervisors, and of what they leave behind."""

from __future__ import annotations

from haas_rpcd.model import HeadnodeSeen
from haas_rpcd.store import headnode_states, headnodes
from haas_rpcd.store.database import Tx


def stage(tx: Tx, headnode_id: int, hypervisor: str | None, token: str | None = None) -> None:
    """Stage that a headnode moves to a hypervisor, with a token of this move; None: it stays."""
    tx.execute(
        "UPDATE headnode SET move_to = ?, move_token = ? WHERE id = ?",
        (hypervisor, token, headnode_id),
    )


def note_copy(tx: Tx, headnode_id: int, hypervisor: str) -> None:
    """Write that something of a headnode is, or may be, on another hypervisor than its own."""
    tx.execute("INSERT OR IGNORE INTO headnode_copy VALUES (?, ?)", (headnode_id, hypervisor))


def forget_copy(tx: Tx, headnode_id: int, hypervisor: str) -> None:
    """Write that nothing of a headnode is left on another hypervisor than its own.

    One that is to be deleted is removed if nothing of it is left anywhere.
    """
    tx.execute(
        "DELETE FROM headnode_copy WHERE headnode_id = ? AND hypervisor = ?",
        (headnode_id, hypervisor),
    )
    headnode_states.remove_if_gone(tx, headnode_id)


def finish(tx: Tx, headnode_id: int, hypervisor: str, seen: HeadnodeSeen) -> None:
    """Write that a headnode is on another hypervisor now. What it was is left where it was."""
    tx.execute(
        "INSERT INTO headnode_copy SELECT id, hypervisor FROM headnode WHERE id = ?",
        (headnode_id,),
    )
    headnodes.place(tx, headnode_id, hypervisor)
    forget_copy(tx, headnode_id, hypervisor)
    headnode_states.confirm(tx, headnode_id, seen)


def hypervisor_lost(tx: Tx, hypervisor: str) -> None:
    """Write that no headnode moves to or from a hypervisor that was retired.

    What moves left there is noted for when it comes back.
    """
    tx.execute(
        "UPDATE headnode SET move_to = NULL, move_token = NULL"
        " WHERE move_to IS NOT NULL AND ? IN (hypervisor, move_to)",
        (hypervisor,),
    )
    tx.execute(
        "INSERT OR IGNORE INTO left_behind SELECT headnode_copy.hypervisor, headnode.uuid,"
        " project.name || '/' || headnode.name FROM headnode_copy"
        " JOIN headnode ON headnode.id = headnode_id JOIN project ON project.id = project_id"
        " WHERE headnode_copy.hypervisor = ?",
        (hypervisor,),
    )
    left = "SELECT headnode_id FROM headnode_copy WHERE hypervisor = ?"
    for headnode_id in tx.values(int, left, (hypervisor,)):
        forget_copy(tx, headnode_id, hypervisor)
