"""The networks as areas, with what is connected to them, and the parked area. Pure."""

from __future__ import annotations

from collections import defaultdict

import msgspec

from haas_console.core.gestures import PARKED, DragItem, DropTarget, HeadnodeRef, NicRef
from haas_console.core.inventory import Inventory
from haas_schemas.headnode import Headnode
from haas_schemas.network import Network, NetworkKey
from haas_schemas.node import Nic, Node


class AreaLine(msgspec.Struct, frozen=True):
    """One line: the head of an area (no ``item``), or a nic or headnode in it.

    ``sign`` is what an apply does: ``+`` the item joins, ``-`` it leaves, blank: it stays.
    """

    target: DropTarget
    text: str
    item: DragItem | None = None
    sign: str = " "
    note: str = ""

    @property
    def head(self) -> bool:
        """An area begins here."""
        return self.item is None and bool(self.text)


Items = dict[NetworkKey | None, list[AreaLine]]


def area_lines(inventory: Inventory, project: str | None) -> list[AreaLine]:
    """The areas of a project, its own networks first; without a project, of all.

    The parked area comes last. Areas are separated by blank lines.
    """
    items: Items = defaultdict(list)
    for headnode in inventory.headnodes_of(project):
        _place_headnode(inventory, headnode, items)
    for node in inventory.nodes_of(project):
        if node.state == "allocated":
            for nic in node.nics:
                _place_nic(inventory, node, nic, items)
    lines: list[AreaLine] = []
    for network in inventory.networks_of(project):
        lines += _area(network, project, items.pop(network.key, []))
    if not lines:
        hint = "no network yet: n makes one" if project else "no networks yet"
        lines += [AreaLine(PARKED, "", note=hint), AreaLine(PARKED, "")]
    parked = items.pop(None, [])
    lines.append(AreaLine(PARKED, "parked", note=_note(parked, "on no network")))
    return lines + parked


def _area(network: Network, project: str | None, items: list[AreaLine]) -> list[AreaLine]:
    target = DropTarget(network.key)
    name = network.name_for(project)
    note = _note(items, f"vlan {network.vlan}")
    if network.shared_with and network.project == project:
        note += f", shared with {', '.join(network.shared_with)}"
    return [AreaLine(target, name, note=note), *items, AreaLine(target, "")]


def _note(items: list[AreaLine], first: str) -> str:
    staying = [line for line in items if line.sign != "-"]
    nics = sum(isinstance(line.item, NicRef) for line in staying)
    heads = len(staying) - nics
    parts = [first, f"{nics} nic{'' if nics == 1 else 's'}"]
    if heads:
        parts.append(f"{heads} headnode{'' if heads == 1 else 's'}")
    return ", ".join(parts)


def _place_nic(inventory: Inventory, node: Node, nic: Nic, items: Items) -> None:
    name = f"{node.node}:{nic.nic}"
    wanted = {(k.network, k.tagged) for k in nic.networks}
    applied = None if nic.applied is None else {(k.network, k.tagged) for k in nic.applied}
    for network, tagged in sorted(wanted, key=str):
        sign = " " if applied is not None and (network, tagged) in applied else "+"
        _put(inventory, node, nic, network, tagged, sign, name, items)
    for network, tagged in sorted((applied or set()) - wanted, key=str):
        _put(inventory, node, nic, network, tagged, "-", name, items)
    if not wanted and nic.state != "unwired":
        sign = " " if not applied else "+"
        items[None].append(AreaLine(PARKED, name, NicRef(node.node, nic.nic), sign, _kind(nic)))


def _put(
    inventory: Inventory,
    node: Node,
    nic: Nic,
    network: str | None,
    tagged: bool,
    sign: str,
    name: str,
    items: Items,
) -> None:
    found = inventory.network(node.project, network) if network else None
    if found is None:
        return
    note = ", ".join(filter(None, ["tagged" if tagged else "", _kind(nic)]))
    ref = NicRef(node.node, nic.nic, network)
    items[found.key].append(AreaLine(DropTarget(found.key), name, ref, sign, note))


def _kind(nic: Nic) -> str:
    return "bmc" if nic.kind == "bmc" else ""


def _place_headnode(inventory: Inventory, headnode: Headnode, items: Items) -> None:
    where = {net.vlan: net for net in inventory.networks.values()}
    state = headnode.state if headnode.state != "staged" else "new"
    name = f"headnode {headnode.headnode}"
    on_any = False
    for nic in headnode.nics:
        found = inventory.network(headnode.project, nic.network) if nic.network else None
        ref = HeadnodeRef(headnode.project, headnode.headnode, nic.nic)
        if found is not None:
            on_any = True
            sign = " " if nic.vlan == nic.applied else "+"
            items[found.key].append(AreaLine(DropTarget(found.key), name, ref, sign, state))
        left = where.get(nic.applied) if nic.applied is not None else None
        if left is not None and nic.applied != nic.vlan:
            items[left.key].append(AreaLine(DropTarget(left.key), name, ref, "-", state))
    if not on_any:
        ref = HeadnodeRef(headnode.project, headnode.headnode)
        items[None].append(AreaLine(PARKED, name, ref, " ", state))
