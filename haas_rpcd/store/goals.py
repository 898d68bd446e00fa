"""What the ports and headnodes of a scope are to carry."""

from __future__ import annotations

from typing import Literal

import msgspec

from haas_rpcd.model import Channel, HeadnodeNic, PortConfig, PortRef
from haas_rpcd.states import HeadnodeGoal, PortGoal
from haas_rpcd.store import backs, headnodes
from haas_rpcd.store import vlans as store_vlans
from haas_rpcd.store.backs import Back
from haas_rpcd.store.database import Tx
from haas_rpcd.store.headnodes import HeadnodeRow
from haas_rpcd.store.rows import Json, Row


class ScopePortRow(Row, frozen=True):
    """A port of the scope and the nic behind it.

    ``config`` null: its state is not known. ``channel``: see ``SetPort``. ``unsaved``: its state is
    known, but the switch has not saved it.
    """

    id: int
    name: str
    switch: str
    role: Literal["access", "trunk"]
    config: Json[PortConfig | None]
    channel: Json[Channel | None]
    unsaved: bool
    nic_id: int | None
    nic: str | None
    node: str | None

    @property
    def ref(self) -> PortRef:
        """How the planner names the port."""
        return PortRef(self.switch, self.name)

    def goal(self, untagged: int | None, tagged: tuple[int, ...]) -> PortGoal:
        """Return what is to become of the port if its nic is to be on these VLANs."""
        carries = untagged is not None or bool(tagged)
        is_channel = self.channel is not None and self.channel.name == self.name
        member = self.channel if carries and not is_channel else None
        behind = "no nic" if self.nic_id is None else f"{self.node}:{self.nic}"
        return PortGoal(PortConfig(untagged, tagged, member), behind, channel=self.channel)


class StagedRow(Row, frozen=True):
    """A VLAN staged on a nic."""

    nic_id: int
    vlan: int
    tagged: bool


def of_ports(tx: Tx, ports: list[ScopePortRow], pool: tuple[int, ...]) -> dict[PortRef, PortGoal]:
    """Return what is staged on ports; a trunk port is to carry the ``pool``."""
    untagged: dict[int | None, int] = {}
    tagged: dict[int | None, list[int]] = {}
    for row in store_vlans.by_ids(
        tx,
        StagedRow,
        "SELECT connection.nic_id, vlan_claim.vlan, connection.tagged FROM connection"
        " JOIN vlan_claim ON vlan_claim.network_id = connection.network_id"
        " WHERE connection.nic_id IN ({})",
        [port.nic_id for port in ports if port.nic_id is not None],
    ):
        if row.tagged:
            tagged.setdefault(row.nic_id, []).append(row.vlan)
        else:
            untagged[row.nic_id] = row.vlan
    goals = {}
    for port in ports:
        if port.role == "trunk":
            goal = PortGoal(PortConfig(tagged=pool), "trunk", trunk=True)
        elif port.nic_id is None:
            goal = port.goal(None, ())
        else:
            vlans = tuple(sorted(tagged.get(port.nic_id, ())))
            goal = port.goal(untagged.get(port.nic_id), vlans)
        goals[port.ref] = goal
    return goals


def of_headnode(tx: Tx, row: HeadnodeRow) -> HeadnodeGoal:
    """Return what is staged of a headnode."""
    nics = [
        HeadnodeNic(nic.name, nic.mac, nic.vlan)
        for nic in headnodes.nics(tx, row.id)
        if nic.vlan is not None
    ]
    return HeadnodeGoal(
        uuid=row.uuid,
        image=row.image,
        present=not row.deleting,
        running=row.running,
        nics=tuple(sorted(nics)),
        hypervisor=row.hypervisor,
        move_to=row.move_to,
        token=row.move_token or "",
    )


def _staying(tx: Tx, row: HeadnodeRow) -> HeadnodeGoal:
    """Return what is staged of a headnode, but for a move, which only its project's apply does."""
    return msgspec.structs.replace(of_headnode(tx, row), move_to=None)


def without_unusable(row: ScopePortRow, usable: set[int]) -> PortGoal:
    """Return what a port carries now, without the VLANs that its project may not use any more.

    What else is staged on it waits for the project's own apply.
    """
    now = row.config or PortConfig()
    return row.goal(
        now.untagged if now.untagged in usable else None,
        tuple(vlan for vlan in now.tagged if vlan in usable),
    )


def proved(row: ScopePortRow, open_ports: dict[int, int]) -> PortGoal:
    """Return what a port of a node carries while its cabling is proved.

    That is nothing, or the VLAN that ``open_ports`` has for it by its id. It is in no channel then.
    """
    goal = row.goal(None, ())
    return msgspec.structs.replace(goal, config=PortConfig(open_ports.get(row.id)))


def headnode_off(tx: Tx, row: HeadnodeRow, usable: set[int]) -> HeadnodeGoal:
    """Return a headnode as it is, without nics on VLANs that its project may not use any more."""
    staged = _staying(tx, row)
    if row.seen is None:
        return staged
    return msgspec.structs.replace(
        staged,
        present=True,
        running=bool(row.seen.running),
        nics=tuple(nic for nic in row.seen.nics if nic.vlan in usable),
    )


def port_back(row: ScopePortRow, back: Back, vlans: dict[int, int]) -> PortGoal:
    """Return what a port carried before a job that nobody confirmed."""
    had = back.nics[row.nic_id] if row.nic_id is not None else ()
    config = backs.config(had, vlans)
    return row.goal(config.untagged, config.tagged)


def headnode_back(tx: Tx, row: HeadnodeRow, back: Back, vlans: dict[int, int]) -> HeadnodeGoal:
    """Return a headnode as it is, with the networks that it had before such a job."""
    now = {nic.nic: nic.vlan for nic in row.seen.nics} if row.seen is not None else {}
    nics = []
    for nic in headnodes.nics(tx, row.id):
        had = back.headnode_nics.get(nic.id)
        vlan = now.get(nic.name) if nic.id not in back.headnode_nics else vlans.get(had or 0)
        if vlan:
            nics.append(HeadnodeNic(nic.name, nic.mac, vlan))
    return msgspec.structs.replace(
        _staying(tx, row),
        running=bool(row.seen.running) if row.seen is not None else row.running,
        nics=tuple(sorted(nics)),
    )
