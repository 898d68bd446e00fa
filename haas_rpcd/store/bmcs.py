"""Queries of the BMCs of nodes, and of whether nodes are on."""

from __future__ import annotations

from collections.abc import Sequence

from haas_rpcd.bmc import RegisteredBmc
from haas_rpcd.model import SetNodePower
from haas_rpcd.store.database import IN_MINE, Tx, ids
from haas_rpcd.store.rows import Row
from haas_schemas.bmc import BmcProtocol, BootDevice, PowerState


class BmcRow(Row, frozen=True):
    """A BMC, and how it is registered."""

    node: str
    protocol: BmcProtocol
    host: str
    port: int
    credential: str | None
    system: str | None
    fingerprint: str | None

    @property
    def registered(self) -> RegisteredBmc:
        """How the BMC is registered."""
        return RegisteredBmc(
            node=self.node,
            protocol=self.protocol,
            host=self.host,
            port=self.port,
            credential=self.credential,
            system=self.system,
            fingerprint=self.fingerprint,
        )


class PowerRow(Row, frozen=True):
    """The power of a node as last seen (None: not known), and when it changed."""

    node_id: int
    power: PowerState | None
    changed: float | None


class OnNetworkRow(Row, frozen=True):
    """A nic of a BMC, and the network whose VLAN its port carries or may carry."""

    nic: str
    network: str


_BMC = """
SELECT node.name AS node, bmc.protocol, bmc.host, bmc.port, bmc.credential, bmc.system,
    bmc.fingerprint
FROM bmc JOIN node ON node.id = bmc.node_id
"""


def find(tx: Tx, node_id: int) -> BmcRow | None:
    """Return the BMC of a node."""
    return tx.one(BmcRow, f"{_BMC} WHERE bmc.node_id = ?", (node_id,))


def everyone(tx: Tx) -> list[BmcRow]:
    """Return the BMCs of all nodes, by the node's name."""
    return tx.query(BmcRow, f"{_BMC} ORDER BY node.name")


def put(tx: Tx, node_id: int, bmc: RegisteredBmc) -> None:
    """Register the BMC of a node, in place of another. Nothing is known of its power then."""
    delete(tx, node_id)
    tx.insert(
        "bmc",
        node_id=node_id,
        protocol=bmc.protocol,
        host=bmc.host,
        port=bmc.port,
        credential=bmc.credential,
        system=bmc.system,
        fingerprint=bmc.fingerprint,
    )


def delete(tx: Tx, node_id: int) -> bool:
    """Remove the BMC of a node; return whether there was one."""
    tx.execute("DELETE FROM node_power WHERE node_id = ?", (node_id,))
    return bool(tx.execute("DELETE FROM bmc WHERE node_id = ?", (node_id,)))


def on_network(tx: Tx, node_id: int) -> OnNetworkRow | None:
    """Return a nic of a node's BMC whose port carries a VLAN, or may carry it still."""
    return tx.one(
        OnNetworkRow,
        "SELECT nic.name AS nic, coalesce(vlan_claim.label, 'VLAN ' || port_carries.vlan)"
        " AS network FROM nic JOIN port ON port.nic_id = nic.id"
        " JOIN port_carries ON port_carries.port_id = port.id"
        " LEFT JOIN vlan_claim ON vlan_claim.vlan = port_carries.vlan"
        " WHERE nic.node_id = ? AND nic.kind = 'bmc' ORDER BY nic.id, port_carries.vlan LIMIT 1",
        (node_id,),
    )


# --- power ----------------------------------------------------------------------------------------


def power_of(tx: Tx, node_ids: Sequence[int]) -> dict[int, PowerRow]:
    """Return the power of several nodes, by the node's id."""
    rows = tx.query(
        PowerRow,
        f"SELECT node_id, power, changed FROM node_power WHERE node_id IN {IN_MINE}",
        {"mine": ids(node_ids)},
    )
    return {row.node_id: row for row in rows}


def set_power(tx: Tx, node: str, power: PowerState | None, now: float) -> bool:
    """Write what a node's BMC said, None if it did not answer; return whether that changed.

    The time of the last change is set only if on was followed by off, or off by on: a node whose
    power was not known may have changed long before.
    """
    return bool(
        tx.execute(
            "INSERT INTO node_power (node_id, power, changed)"
            " SELECT bmc.node_id, :power, NULL FROM bmc JOIN node ON node.id = bmc.node_id"
            " WHERE node.name = :node"
            " ON CONFLICT (node_id) DO UPDATE SET power = excluded.power,"
            " changed = CASE WHEN excluded.power IS NULL THEN changed"
            " WHEN power IS NULL THEN NULL ELSE :now END WHERE power IS NOT excluded.power",
            {"power": power, "now": now, "node": node},
        )
    )


class PowerCountRow(Row, frozen=True):
    """How many nodes with a BMC are in a state of power (None: not known)."""

    power: PowerState | None
    nodes: int


def powers(tx: Tx) -> list[PowerCountRow]:
    """Count the nodes with a BMC, by their power."""
    return tx.query(
        PowerCountRow,
        "SELECT node_power.power, count(*) AS nodes FROM bmc"
        " LEFT JOIN node_power ON node_power.node_id = bmc.node_id GROUP BY node_power.power",
    )


def nodes(tx: Tx) -> list[str]:
    """Return the nodes that have a BMC, by name."""
    return tx.values(
        str,
        "SELECT node.name FROM bmc JOIN node ON node.id = bmc.node_id ORDER BY node.name",
    )


def forget_change(tx: Tx, node_id: int) -> None:
    """Forget when the power of a node changed: that is nothing for its next holder."""
    tx.execute("UPDATE node_power SET changed = NULL WHERE node_id = ?", (node_id,))


# --- what is staged -------------------------------------------------------------------------------


class StagedRow(Row, frozen=True):
    """A node that is to be switched."""

    node: str
    power: PowerState
    boot: BootDevice | None

    @property
    def change(self) -> SetNodePower:
        """The change that does it."""
        return SetNodePower(self.node, self.power, self.boot)


_STAGED = """
SELECT node.name AS node, power_staged.power, power_staged.boot
FROM power_staged JOIN node ON node.id = power_staged.node_id
LEFT JOIN allocation ON allocation.node_id = node.id
"""


def stage(tx: Tx, node_id: int, power: PowerState, boot: BootDevice | None) -> None:
    """Stage that a node is switched, in place of what was staged before."""
    unstage(tx, node_id)
    tx.insert("power_staged", node_id=node_id, power=power, boot=boot)


def unstage(tx: Tx, node_id: int) -> None:
    """Take back what is staged for the power of a node."""
    tx.execute("DELETE FROM power_staged WHERE node_id = ?", (node_id,))


def staged_for(
    tx: Tx, *, project_id: int | None = None, node_id: int | None = None, releasing: bool = False
) -> tuple[SetNodePower, ...]:
    """Return what is staged for the nodes that a project holds, or nobody does (None), by name.

    ``node_id``: for this node only. ``releasing``: for a node that is being released, whoever has
    held it.
    """
    rows = tx.query(
        StagedRow,
        f"{_STAGED} WHERE (:node IS NULL OR node.id = :node)"
        " AND coalesce(allocation.releasing, 0) = :releasing"
        " AND (:releasing = 1 OR allocation.project_id IS :project) ORDER BY node.name",
        {"node": node_id, "project": project_id, "releasing": int(releasing)},
    )
    return tuple(row.change for row in rows)


def staged_of(tx: Tx, node_ids: Sequence[int]) -> dict[str, StagedRow]:
    """Return what is staged for several nodes, by the node's name."""
    rows = tx.query(StagedRow, f"{_STAGED} WHERE node.id IN {IN_MINE}", {"mine": ids(node_ids)})
    return {row.node: row for row in rows}


def is_staged(tx: Tx, change: SetNodePower) -> bool:
    """Return whether a change is staged."""
    return tx.exists(
        "SELECT 1 FROM power_staged JOIN node ON node.id = power_staged.node_id"
        " WHERE node.name = ? AND power = ? AND boot IS ?",
        (change.node, change.power, change.boot),
    )


def still_staged(tx: Tx, change: SetNodePower, project_id: int | None) -> bool:
    """Return whether a change is still staged, and its node still with that project, if any."""
    return tx.exists(
        f"SELECT 1 FROM ({_STAGED} WHERE node.name = ? AND power_staged.power = ?"
        " AND power_staged.boot IS ? AND (allocation.releasing = 1"
        "  OR allocation.project_id IS ?))",
        (change.node, change.power, change.boot, project_id),
    )


def confirm(tx: Tx, change: SetNodePower) -> None:
    """Write that a change was carried out: it is staged no more."""
    tx.execute(
        "DELETE FROM power_staged WHERE power = ? AND boot IS ?"
        " AND node_id = (SELECT id FROM node WHERE name = ?)",
        (change.power, change.boot, change.node),
    )
