"""Queries of networks, the VLAN ids they claim, and whom they are shared with."""

from __future__ import annotations

from collections.abc import Iterable

from haas_rpcd.store.database import Row, Tx

_NETWORK = """
SELECT network.*, project.name AS project, vlan_claim.vlan,
    (SELECT count(*) FROM connection WHERE network_id = network.id) AS nics,
    (SELECT count(*) FROM headnode_nic WHERE network_id = network.id) AS headnodes
FROM network JOIN project ON project.id = network.project_id
JOIN vlan_claim ON vlan_claim.network_id = network.id
"""


def find(tx: Tx, project_id: int, name: str) -> Row | None:
    """Give a project's own network of this name."""
    return tx.one(
        f"{_NETWORK} WHERE network.project_id = ? AND network.name = ?", (project_id, name)
    )


def named(tx: Tx, name: str, user: str | None) -> list[Row]:
    """Give the networks of this name that a tenant's projects own, or anybody (None)."""
    return tx.query(
        f"{_NETWORK} WHERE network.name = :name AND (:user IS NULL OR network.project_id IN"
        " (SELECT project_id FROM member JOIN user ON user.id = member.user_id"
        " WHERE user.name = :user)) ORDER BY project.name",
        {"name": name, "user": user},
    )


def page(
    tx: Tx, limit: int, after: int, *, project_id: int | None = None, user: str | None = None
) -> list[Row]:
    """Give networks in the order of their making, with ``shared_with``.

    ``project_id``: those this project may use, its own and those shared with it. ``user``: those
    that a tenant's projects may use.
    """
    wanted = ["network.id > :after"]
    if project_id is not None:
        wanted.append(
            "(network.project_id = :project OR network.id IN"
            " (SELECT network_id FROM share WHERE project_id = :project))"
        )
    if user is not None:
        mine = (
            "(SELECT project_id FROM member JOIN user ON user.id = member.user_id"
            " WHERE user.name = :user)"
        )
        wanted.append(
            f"(network.project_id IN {mine} OR network.id IN"
            f" (SELECT network_id FROM share WHERE project_id IN {mine}))"
        )
    rows = tx.query(
        f"{_NETWORK} WHERE {' AND '.join(wanted)} ORDER BY network.id LIMIT :limit",
        {"after": after, "project": project_id, "user": user, "limit": limit},
    )
    for row in rows:
        row["shared_with"] = shared_with(tx, row["id"])
    return rows


def nics_on(tx: Tx, network_id: int) -> list[Row]:
    """Give the nics staged on a network, with their node and its holder."""
    return tx.query(
        "SELECT node.name AS node, nic.name AS nic, connection.tagged, allocation.project_id,"
        " project.name AS project"
        " FROM connection JOIN nic ON nic.id = connection.nic_id JOIN node ON node.id = nic.node_id"
        " LEFT JOIN allocation ON allocation.node_id = node.id"
        " LEFT JOIN project ON project.id = allocation.project_id"
        " WHERE connection.network_id = ? ORDER BY node.name, nic.id",
        (network_id,),
    )


def headnodes_on(tx: Tx, network_id: int) -> list[Row]:
    """Give the headnodes staged on a network, with their project."""
    return tx.query(
        "SELECT DISTINCT headnode.name AS headnode, headnode.project_id, project.name AS project"
        " FROM headnode_nic JOIN headnode ON headnode.id = headnode_nic.headnode_id"
        " JOIN project ON project.id = headnode.project_id"
        " WHERE headnode_nic.network_id = ? ORDER BY 3, 1",
        (network_id,),
    )


def create(tx: Tx, project_id: int, name: str, vlan: int, label: str) -> int:
    """Add a network with its VLAN id. Raises sqlite3.IntegrityError when name or id is taken."""
    network_id = tx.insert("network", project_id=project_id, name=name)
    tx.insert("vlan_claim", vlan=vlan, network_id=network_id, project_id=project_id, label=label)
    return network_id


def delete(tx: Tx, network_id: int) -> None:
    """Remove a network. Its VLAN claim stays, without a network, until :func:`free_claims`."""
    tx.execute("DELETE FROM network WHERE id = ?", (network_id,))


def first_free_vlan(tx: Tx, pool: Iterable[int]) -> int | None:
    """Give the lowest VLAN id of the pool that nobody claims."""
    taken = set(tx.values("SELECT vlan FROM vlan_claim"))
    return next((vlan for vlan in pool if vlan not in taken), None)


def claim(tx: Tx, vlan: int) -> Row | None:
    """Give who claims a VLAN id: ``network_id`` null means that it waits for its removal."""
    return tx.one("SELECT * FROM vlan_claim WHERE vlan = ?", (vlan,))


def retiring(tx: Tx) -> int:
    """Count the VLAN ids that wait for every switch to confirm that they are gone."""
    return int(tx.value("SELECT count(*) FROM vlan_claim WHERE network_id IS NULL"))


def free_claims(tx: Tx) -> list[int]:
    """Free the VLAN ids of deleted networks that no device has, or may have, any more."""
    vlans = tx.values(
        "SELECT vlan FROM vlan_claim WHERE network_id IS NULL"
        " AND vlan NOT IN (SELECT vlan FROM switch_vlan)"
        " AND vlan NOT IN (SELECT vlan FROM bridge)"
        " AND vlan NOT IN (SELECT vlan FROM port_carries)"
        " AND vlan NOT IN (SELECT vlan FROM headnode_carries)"
    )
    tx.execute_many("DELETE FROM vlan_claim WHERE vlan = ?", [(vlan,) for vlan in vlans])
    return vlans


# --- sharing --------------------------------------------------------------------------------------


def shared_with(tx: Tx, network_id: int) -> list[str]:
    """Name the projects that a network is shared with."""
    return tx.values(
        "SELECT project.name FROM share JOIN project ON project.id = share.project_id"
        " WHERE share.network_id = ? ORDER BY 1",
        (network_id,),
    )


def usable_by(tx: Tx, network: Row, project_id: int) -> bool:
    """Whether a project may use a network: it owns it, or it is shared with it."""
    return network["project_id"] == project_id or bool(
        tx.value(
            "SELECT 1 FROM share WHERE network_id = ? AND project_id = ?",
            (network["id"], project_id),
        )
    )


def share(tx: Tx, network_id: int, project_id: int) -> None:
    """Let another project use a network; doing it twice does no harm."""
    tx.execute("INSERT OR IGNORE INTO share VALUES (?, ?)", (network_id, project_id))


def unshare(tx: Tx, network_id: int, project_id: int) -> int:
    """End a share; give how many there were (0 or 1)."""
    return tx.execute(
        "DELETE FROM share WHERE network_id = ? AND project_id = ?", (network_id, project_id)
    )


def uses(tx: Tx, network: Row, project_id: int) -> int:
    """Count what a project has on a network, staged, confirmed, or possibly left on a device."""
    return int(
        tx.value(
            "SELECT (SELECT count(*) FROM connection JOIN nic ON nic.id = connection.nic_id"
            " JOIN allocation ON allocation.node_id = nic.node_id"
            " WHERE connection.network_id = :network AND allocation.project_id = :project)"
            " + (SELECT count(*) FROM headnode_nic JOIN headnode ON headnode.id = headnode_id"
            " WHERE network_id = :network AND headnode.project_id = :project)"
            " + (SELECT count(*) FROM port_carries JOIN nic ON nic.port_id = port_carries.port_id"
            " JOIN allocation ON allocation.node_id = nic.node_id"
            " WHERE port_carries.vlan = :vlan AND allocation.project_id = :project)"
            " + (SELECT count(*) FROM headnode_carries JOIN headnode ON headnode.id = headnode_id"
            " WHERE headnode_carries.vlan = :vlan AND headnode.project_id = :project)",
            {"network": network["id"], "vlan": network["vlan"], "project": project_id},
        )
    )
