"""Queries of headnodes and their nics."""

from __future__ import annotations

from collections.abc import Sequence

from haas_rpcd.devicenames import MASTER
from haas_rpcd.model import HeadnodeSeen
from haas_rpcd.store.database import IN_MINE, Tx, ids
from haas_rpcd.store.rows import Json, Row
from haas_schemas.headnode import HeadnodeState


class HeadnodeRow(Row, frozen=True):
    """A headnode.

    ``running`` and ``deleting`` are what is staged, ``seen`` is what the hypervisor confirmed: null
    while that is not known. ``touched`` is false if nothing was ever sent to the hypervisor for it.
    ``move_to`` is the hypervisor to which it is to move, ``move_token`` identifies this move.
    ``copies`` are the other hypervisors in service on which something of it is, or may be.
    If ``differs``, the hypervisor was found to have ``observed`` instead, which is null if it could
    never be read. ``reached`` is false while it cannot be read. ``retired``: the hypervisor is out
    of service.
    """

    id: int
    name: str
    project_id: int
    project: str
    uuid: str
    image: str
    running: bool
    deleting: bool
    seen: Json[HeadnodeSeen | None]
    touched: bool
    differs: bool
    observed: Json[HeadnodeSeen | None]
    reached: bool
    hypervisor: str
    retired: bool
    move_to: str | None
    move_token: str | None
    copies: Json[tuple[str, ...]]

    @property
    def now(self) -> HeadnodeSeen | None:
        """What the hypervisor has, as far as known: plans start from this."""
        return self.observed if self.differs and self.seen is not None else self.seen

    @property
    def state(self) -> HeadnodeState:
        """Its state, as the API names it."""
        now = self.now
        if self.deleting:
            return "deleting"
        if not self.touched:
            return "staged"
        if now is None or not self.reached:
            return "unknown"
        if not now.defined:
            return "missing"
        if now.condition is not None and not (now.off and not self.applied_running):
            return now.condition
        if now.added or (self.seen is not None and now.nics != self.seen.nics):
            return "edited"
        return "running" if now.running else "stopped"

    @property
    def applied_running(self) -> bool:
        """True if the hypervisor last confirmed that it runs."""
        return self.seen is not None and self.seen.running

    @property
    def label(self) -> str:
        """The headnode's name in plans and jobs: ``project/headnode``."""
        return f"{self.project}/{self.name}"


class MacRow(Row, frozen=True):
    """The MAC of a headnode's nic, and whether it is known where the nic is."""

    mac: str
    confirmed: bool


class HeadnodeNicRow(Row, frozen=True):
    """A nic of a headnode, and the network staged on it with its owner's name and its VLAN id."""

    id: int
    name: str
    mac: str
    network_id: int | None
    network: str | None
    owner: str | None
    vlan: int | None


_HEADNODE = """
SELECT headnode.id, headnode.name, headnode.project_id, project.name AS project, headnode.uuid,
    headnode.image, headnode.running, headnode.deleting,
    CASE headnode_applied.confirmed WHEN 1 THEN json_object(
        'defined', json('true'),
        'running', json(iif(headnode_applied.running, 'true', 'false')),
        'nics', json((SELECT json_group_array(json_object('nic', name, 'mac', mac, 'vlan', vlan))
            FROM (SELECT name, mac, vlan FROM headnode_applied_nic
            WHERE headnode_applied_nic.headnode_id = headnode.id ORDER BY name, mac, vlan))))
    END AS seen,
    headnode_applied.headnode_id IS NOT NULL AS touched,
    headnode_observed.headnode_id IS NOT NULL AS differs, headnode_observed.seen AS observed,
    ifnull(headnode_observed.reached, 1) AS reached, headnode.hypervisor,
    EXISTS (SELECT 1 FROM hypervisor
        WHERE hypervisor.name = headnode.hypervisor AND hypervisor.retired IS NOT NULL) AS retired,
    headnode.move_to, headnode.move_token,
    (SELECT json_group_array(hypervisor) FROM headnode_copy
        WHERE headnode_copy.headnode_id = headnode.id) AS copies
FROM headnode JOIN project ON project.id = headnode.project_id
LEFT JOIN headnode_applied ON headnode_applied.headnode_id = headnode.id
LEFT JOIN headnode_observed ON headnode_observed.headnode_id = headnode.id
"""


def find(tx: Tx, project_id: int, name: str) -> HeadnodeRow | None:
    """Return a project's headnode of this name."""
    return tx.one(
        HeadnodeRow, f"{_HEADNODE} WHERE project_id = ? AND headnode.name = ?", (project_id, name)
    )


def page(
    tx: Tx,
    limit: int,
    after: int,
    *,
    project_id: int | None = None,
    mine: Sequence[int] | None = None,
) -> list[HeadnodeRow]:
    """Return headnodes in the order of their creation: of a project, or of several (``mine``)."""
    return tx.query(
        HeadnodeRow,
        f"{_HEADNODE} WHERE headnode.id > :after"
        " AND (:project IS NULL OR headnode.project_id = :project)"
        f" AND (:mine IS NULL OR headnode.project_id IN {IN_MINE})"
        " ORDER BY headnode.id LIMIT :limit",
        {"after": after, "project": project_id, "mine": ids(mine), "limit": limit},
    )


def all_of(tx: Tx, project_id: int) -> list[HeadnodeRow]:
    """Return all headnodes of a project."""
    return tx.query(HeadnodeRow, f"{_HEADNODE} WHERE headnode.project_id = ?", (project_id,))


def on_hypervisor(tx: Tx, hypervisor: str | None = None) -> list[HeadnodeRow]:
    """Return the headnodes that may be on a hypervisor, or on any, and are to stay there."""
    return tx.query(
        HeadnodeRow,
        f"{_HEADNODE} WHERE headnode_applied.headnode_id IS NOT NULL AND headnode.deleting = 0"
        " AND (:hypervisor IS NULL OR headnode.hypervisor = :hypervisor) ORDER BY headnode.id",
        {"hypervisor": hypervisor},
    )


def load_on(tx: Tx, hypervisor: str, project_id: int) -> tuple[int, list[str]]:
    """Return how many headnodes a project has, or is to have, on a hypervisor, and the images of
    those of any project that are to be made there, or to move there.
    """
    own = tx.number(
        "SELECT count(*) FROM headnode WHERE ifnull(move_to, hypervisor) = ? AND project_id = ?"
        " AND deleting = 0",
        (hypervisor, project_id),
    )
    staged = tx.values(
        str,
        "SELECT image FROM headnode WHERE deleting = 0 AND (move_to = :name OR hypervisor = :name"
        " AND id NOT IN (SELECT headnode_id FROM headnode_applied))",
        {"name": hypervisor},
    )
    return own, list(staged)


def by_uuid(tx: Tx, uuid: str) -> HeadnodeRow | None:
    """Return the headnode with this UUID."""
    return tx.one(HeadnodeRow, f"{_HEADNODE} WHERE headnode.uuid = ?", (uuid,))


def id_of(tx: Tx, uuid: str) -> int | None:
    """Return the id of the headnode with this UUID."""
    return tx.value(int, "SELECT id FROM headnode WHERE uuid = ?", (uuid,))


def nics(tx: Tx, headnode_id: int) -> list[HeadnodeNicRow]:
    """Return a headnode's nics in the order of their creation."""
    return tx.query(
        HeadnodeNicRow,
        "SELECT headnode_nic.id, headnode_nic.name, headnode_nic.mac, headnode_nic.network_id,"
        " network.name AS network, project.name AS owner, vlan_claim.vlan"
        " FROM headnode_nic LEFT JOIN network ON network.id = headnode_nic.network_id"
        " LEFT JOIN project ON project.id = network.project_id"
        " LEFT JOIN vlan_claim ON vlan_claim.network_id = network.id"
        " WHERE headnode_id = ? ORDER BY headnode_nic.id",
        (headnode_id,),
    )


def staged_on(tx: Tx, network_id: int | None) -> set[int]:
    """Return the ids of the headnodes that are to be on a network."""
    return set(
        tx.values(int, "SELECT headnode_id FROM headnode_nic WHERE network_id = ?", (network_id,))
    )


def create(
    tx: Tx, project_id: int, name: str, uuid: str, image: str, hypervisor: str = MASTER
) -> int:
    """Add a headnode; return its id. Raises sqlite3.IntegrityError if the name is taken."""
    return tx.insert(
        "headnode",
        project_id=project_id,
        name=name,
        uuid=uuid,
        image=image,
        hypervisor=hypervisor,
    )


def add_nic(tx: Tx, headnode_id: int, name: str, mac: str) -> int:
    """Add a nic without a network; return its id.

    Raises sqlite3.IntegrityError if the name or the MAC address is taken.
    """
    return tx.insert("headnode_nic", headnode_id=headnode_id, name=name, mac=mac)


def connect(tx: Tx, nic_id: int, network_id: int | None) -> None:
    """Stage a network on a nic, or none. The nic keeps its MAC address."""
    tx.execute("UPDATE headnode_nic SET network_id = ? WHERE id = ?", (network_id, nic_id))


def set_running(tx: Tx, headnode_id: int, running: bool) -> None:
    """Stage a start or a stop."""
    tx.execute("UPDATE headnode SET running = ? WHERE id = ?", (int(running), headnode_id))


def place(tx: Tx, headnode_id: int, hypervisor: str) -> None:
    """Put a headnode on a hypervisor, where the next apply makes it anew.

    Nothing is known any more of what may be left of it where it was.
    """
    for table in ("headnode_observed", "headnode_carries", "headnode_applied"):
        tx.execute(f"DELETE FROM {table} WHERE headnode_id = ?", (headnode_id,))
    tx.execute(
        "UPDATE headnode SET hypervisor = ?, move_to = NULL, move_token = NULL WHERE id = ?",
        (hypervisor, headnode_id),
    )


def mark_deleting(tx: Tx, headnode_id: int) -> None:
    """Stage the deletion, and disconnect the nics."""
    tx.execute(
        "UPDATE headnode SET deleting = 1, move_to = NULL, move_token = NULL WHERE id = ?",
        (headnode_id,),
    )
    tx.execute("UPDATE headnode_nic SET network_id = NULL WHERE headnode_id = ?", (headnode_id,))


def delete(tx: Tx, headnode_id: int) -> None:
    """Remove a headnode. Raises sqlite3.IntegrityError if it may be on the hypervisor."""
    tx.execute("DELETE FROM headnode WHERE id = ?", (headnode_id,))


# --- what may be on a VLAN ------------------------------------------------------------------------


def macs_on(tx: Tx, hypervisor: str, vlan: int) -> dict[str, bool]:
    """Return the MACs of the nics that are on a VLAN's bridge on a hypervisor (true), or may be.

    If it is not known what the hypervisor has of a headnode, any of its nics may be on any of the
    headnode's VLANs.
    """
    rows = tx.query(
        MacRow,
        "SELECT headnode_applied_nic.mac, 1 AS confirmed FROM headnode_applied_nic"
        " JOIN headnode_applied USING (headnode_id)"
        " JOIN headnode ON headnode.id = headnode_id AND hypervisor = :hypervisor"
        " WHERE vlan = :vlan AND confirmed = 1"
        " UNION SELECT headnode_nic.mac, 0 FROM headnode_nic"
        " JOIN headnode_carries USING (headnode_id)"
        " JOIN headnode ON headnode.id = headnode_id AND hypervisor = :hypervisor"
        " WHERE vlan = :vlan AND headnode_id NOT IN"
        " (SELECT headnode_id FROM headnode_applied WHERE confirmed = 1)",
        {"vlan": vlan, "hypervisor": hypervisor},
    )
    return {row.mac: row.confirmed for row in rows}
