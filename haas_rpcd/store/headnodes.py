"""Queries of headnodes and their nics."""

from __future__ import annotations

from haas_rpcd.store.database import Row, Tx

_HEADNODE = """
SELECT headnode.*, project.name AS project, headnode_applied.seen,
    headnode_applied.headnode_id IS NOT NULL AS touched
FROM headnode JOIN project ON project.id = headnode.project_id
LEFT JOIN headnode_applied ON headnode_applied.headnode_id = headnode.id
"""


def find(tx: Tx, project_id: int, name: str) -> Row | None:
    """Give a project's headnode, with what was last seen of it (JSON, or null)."""
    return tx.one(f"{_HEADNODE} WHERE project_id = ? AND headnode.name = ?", (project_id, name))


def page(
    tx: Tx, limit: int, after: int, *, project_id: int | None = None, user: str | None = None
) -> list[Row]:
    """Give headnodes in the order of their making; of one project, or of a tenant's projects."""
    return tx.query(
        f"{_HEADNODE} WHERE headnode.id > :after"
        " AND (:project IS NULL OR headnode.project_id = :project)"
        " AND (:user IS NULL OR headnode.project_id IN (SELECT project_id FROM member"
        " JOIN user ON user.id = member.user_id WHERE user.name = :user))"
        " ORDER BY headnode.id LIMIT :limit",
        {"after": after, "project": project_id, "user": user, "limit": limit},
    )


def create(tx: Tx, project_id: int, name: str, uuid: str, image: str) -> int:
    """Add a headnode. Raises sqlite3.IntegrityError when the name is taken."""
    return tx.insert("headnode", project_id=project_id, name=name, uuid=uuid, image=image)


def nics(tx: Tx, headnode_id: int) -> list[Row]:
    """Give a headnode's nics, in the order of their making, with network, owner and VLAN."""
    return tx.query(
        "SELECT headnode_nic.*, network.name AS network, project.name AS owner, vlan_claim.vlan"
        " FROM headnode_nic LEFT JOIN network ON network.id = headnode_nic.network_id"
        " LEFT JOIN project ON project.id = network.project_id"
        " LEFT JOIN vlan_claim ON vlan_claim.network_id = network.id"
        " WHERE headnode_id = ? ORDER BY headnode_nic.id",
        (headnode_id,),
    )


def add_nic(tx: Tx, headnode_id: int, name: str, mac: str) -> int:
    """Add a nic on no network. Raises sqlite3.IntegrityError when the name or MAC is taken."""
    return tx.insert("headnode_nic", headnode_id=headnode_id, name=name, mac=mac)


def connect(tx: Tx, nic_id: int, network_id: int | None) -> None:
    """Stage a nic on a network, or off it. Its MAC stays."""
    tx.execute("UPDATE headnode_nic SET network_id = ? WHERE id = ?", (network_id, nic_id))


def set_running(tx: Tx, headnode_id: int, running: bool) -> None:
    """Stage a start or a stop."""
    tx.execute("UPDATE headnode SET running = ? WHERE id = ?", (int(running), headnode_id))


def mark_deleting(tx: Tx, headnode_id: int) -> None:
    """Stage the deletion, and take the nics off their networks."""
    tx.execute("UPDATE headnode SET deleting = 1 WHERE id = ?", (headnode_id,))
    tx.execute("UPDATE headnode_nic SET network_id = NULL WHERE headnode_id = ?", (headnode_id,))


def delete(tx: Tx, headnode_id: int) -> None:
    """Forget a headnode that is on no hypervisor. Raises sqlite3.IntegrityError if it may be."""
    tx.execute("DELETE FROM headnode WHERE id = ?", (headnode_id,))
