"""Gestures: each builds commands, or a sentence that says why it is refused.

The same functions serve the mouse, the keys, the palette and the forms. They check against the
inventory before anything is sent; the daemon still has the last word.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from haas_console.core.commands import Call
from haas_console.core.inventory import Inventory
from haas_schemas.headnode import Headnode
from haas_schemas.network import Network, NetworkKey
from haas_schemas.node import Nic, Node


class NicRef(msgspec.Struct, frozen=True):
    """A nic; ``network`` is the one that it is dragged from, as its project names it."""

    node: str
    nic: str
    network: str | None = None

    def __str__(self) -> str:
        return f"{self.node}:{self.nic}"


class HeadnodeRef(msgspec.Struct, frozen=True):
    """A headnode; ``nic`` is the one that it is dragged by, if that is on a network."""

    project: str
    headnode: str
    nic: str | None = None

    def __str__(self) -> str:
        return self.headnode


DragItem = NicRef | HeadnodeRef


class DropTarget(msgspec.Struct, frozen=True):
    """Where items are dropped: a network, or without a key the parked area."""

    key: NetworkKey | None = None

    def __str__(self) -> str:
        return "parked" if self.key is None else self.key[1]


PARKED = DropTarget(None)


class Gesture(msgspec.Struct, frozen=True):
    """The calls to send, and a label for them: ``connect 2 nics to lab``."""

    calls: tuple[Call, ...]
    label: str


class Refusal(msgspec.Struct, frozen=True):
    """A sentence that says why a gesture is not possible."""

    reason: str


class WriteAccess(msgspec.Struct, frozen=True):
    """Whether the session can change anything: not if it is read-only or not connected.

    ``forbidden``: why the user may not; None if it may.
    """

    readonly: bool = False
    connected: bool = True
    forbidden: str | None = None

    def refusal(self) -> Refusal | None:
        """Why nothing can be changed now; None if it can."""
        if self.readonly:
            return Refusal("This console only looks (--readonly).")
        if not self.connected:
            return Refusal("The daemon is lost; nothing can be changed until it is back.")
        return Refusal(self.forbidden) if self.forbidden is not None else None


def count(number: int, noun: str) -> str:
    """``1 nic``, ``2 nics``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def plan_drop(
    inventory: Inventory,
    items: Sequence[DragItem],
    target: DropTarget,
    access: WriteAccess,
    *,
    tagged: bool,
) -> Gesture | Refusal:
    """Connect items to a network, or disconnect them; skip those that need no change."""
    if (refusal := access.refusal()) is not None:
        return refusal
    if not items:
        return Refusal("Nothing is marked.")
    calls: list[Call] = []
    for item in items:
        found = (
            _drop_nic(inventory, item, target, tagged)
            if isinstance(item, NicRef)
            else _drop_headnode(inventory, item, target)
        )
        if isinstance(found, Refusal):
            return found
        calls += found
    if not calls:
        one = len(items) == 1
        where = "parked" if target.key is None else f"on {target}"
        return Refusal(f"{items[0]} is {where} already." if one else f"All are {where} already.")
    return Gesture(tuple(calls), _label(items, target))


def _label(items: Sequence[DragItem], target: DropTarget) -> str:
    what = str(items[0])
    if len(items) > 1:
        nics = sum(isinstance(item, NicRef) for item in items)
        parts = [count(nics, "nic")] if nics else []
        parts += [count(len(items) - nics, "headnode")] if nics < len(items) else []
        what = " and ".join(parts)
    return f"disconnect {what}" if target.key is None else f"connect {what} to {target}"


def why_fixed(node: Node, nic: Nic) -> str | None:
    """Why a nic cannot be connected or disconnected now; None if it can."""
    if node.state == "releasing":
        return f"{node.node} is being released; its nics are fixed until it is free."
    if node.project is None:
        tail = "" if node.state == "free" else " once an admin applied the site"
        return f"{node.node} is not allocated: A allocates it{tail}."
    if nic.state == "unwired":
        return f"{node.node}:{nic.nic} is plugged into no registered port."
    return None


def _drop_nic(
    inventory: Inventory, ref: NicRef, target: DropTarget, tagged: bool
) -> list[Call] | Refusal:
    node = inventory.nodes.get(ref.node)
    nic = node.nic(ref.nic) if node else None
    if node is None or nic is None:
        return Refusal(f"{ref} is not there any more.")
    if (reason := why_fixed(node, nic)) is not None:
        return Refusal(reason)
    where = {"node": ref.node, "nic": ref.nic}
    if target.key is None:
        if not nic.networks:
            return []
        # Dragged from one of several networks: disconnect that one only.
        only = ref.network if len(nic.networks) > 1 else None
        params = {**where, "network": only} if only else where
        return [Call("nic.disconnect", params)]
    name = _network_name(inventory, target, node.project, f"{ref} is held by {node.project}")
    if isinstance(name, Refusal):
        return name
    if any(link.network == name and link.tagged == tagged for link in nic.networks):
        return []
    params = {**where, "network": name}
    calls = [Call("nic.connect", {**params, "tagged": True} if tagged else params)]
    held = next((link for link in nic.networks if link.network == ref.network), None)
    if ref.network and held is not None and held.tagged and not tagged:
        # Moved from a tagged network: connecting it untagged elsewhere would keep the tagged one.
        calls.insert(0, Call("nic.disconnect", {**where, "network": ref.network}))
    return calls


def _drop_headnode(
    inventory: Inventory, ref: HeadnodeRef, target: DropTarget
) -> list[Call] | Refusal:
    headnode = inventory.headnodes.get((ref.project, ref.headnode))
    if headnode is None:
        return Refusal(f"Headnode {ref} is not there any more.")
    if headnode.state == "deleting":
        return Refusal(f"Headnode {ref} is being deleted: it goes with the next apply.")
    where = {"project": ref.project, "headnode": ref.headnode}
    dragged = next((n for n in headnode.nics if n.nic == ref.nic), None)
    if target.key is None:
        if not any(nic.network for nic in headnode.nics):
            return []
        return [Call("headnode.disconnect", {**where, "nic": ref.nic} if dragged else where)]
    name = _network_name(inventory, target, ref.project, f"Headnode {ref} is {ref.project}'s")
    if isinstance(name, Refusal):
        return name
    if any(nic.network == name for nic in headnode.nics):
        return []
    params = {**where, "network": name}
    return [Call("headnode.connect", {**params, "nic": dragged.nic} if dragged else params)]


def _network_name(
    inventory: Inventory, target: DropTarget, project: str | None, owner: str
) -> str | Refusal:
    """The name by which a project may use the target; ``owner`` says whose the item is."""
    network = inventory.networks.get(target.key) if target.key else None
    if network is None:
        return Refusal(f"Network {target} is not there any more.")
    if not network.usable_by(project):
        return Refusal(f"{owner}, but {network.network} is {network.project}'s.")
    return network.name_for(project)


# --- nodes ----------------------------------------------------------------------------------------


def allocate(
    inventory: Inventory, nodes: Sequence[str], project: str | None, access: WriteAccess
) -> Gesture | Refusal:
    """Allocate nodes to the current project."""
    if (refusal := access.refusal()) is not None:
        return refusal
    if project is None:
        return Refusal(_which(inventory, "Allocate to which project?"))
    for name in nodes:
        node = inventory.nodes.get(name)
        if node is None:
            return Refusal(f"Node {name} is not there any more.")
        drifted = next((nic for nic in node.nics if inventory.found_on(nic) is not None), None)
        if drifted is not None:
            return Refusal(
                f"{name} can't be allocated: {drifted.switch} {drifted.port} is not parked any"
                f" more, it is {inventory.found_on(drifted)}. V, then r, repairs it."
            )
        if node.state == "unconfirmed":
            return Refusal(f"{name} waits for its ports to be parked: an admin applies the site.")
        if node.state == "releasing":
            return Refusal(f"{name} is being released; it is free in a moment.")
        if node.project is not None:
            return Refusal(f"{name} is held by {node.project} already.")
    if not nodes:
        return Refusal("No node is chosen.")
    what = nodes[0] if len(nodes) == 1 else count(len(nodes), "node")
    calls = tuple(Call("node.allocate", {"project": project, "node": name}) for name in nodes)
    return Gesture(calls, f"allocate {what} to {project}")


def _which(inventory: Inventory, question: str) -> str:
    """A question for a project, and how to get one."""
    if inventory.projects:
        return f"{question} p chooses one."
    if inventory.info is not None and inventory.info.admin:
        return f"{question} There is none yet; :project create NAME makes one."
    return f"{question} You are in none: an admin adds you to one."


def release(inventory: Inventory, nodes: Sequence[str], access: WriteAccess) -> Gesture | Refusal:
    """Release nodes; a job parks their ports at once."""
    if (refusal := access.refusal()) is not None:
        return refusal
    for name in nodes:
        node = inventory.nodes.get(name)
        if node is None:
            return Refusal(f"Node {name} is not there any more.")
        if node.project is None:
            return Refusal(f"{name} is held by no project, so there is nothing to release.")
    if not nodes:
        return Refusal("No node is chosen.")
    what = nodes[0] if len(nodes) == 1 else count(len(nodes), "node")
    return Gesture(tuple(Call("node.release", {"node": name}) for name in nodes), f"release {what}")


def switch_nodes(nodes: Sequence[str], action: str, access: WriteAccess) -> Gesture | Refusal:
    """Switch nodes on or off, or ask whether they are on; at once, and independently."""
    if action != "status" and (refusal := access.refusal()) is not None:
        return refusal
    if not nodes:
        return Refusal("No node is chosen.")
    what = nodes[0] if len(nodes) == 1 else count(len(nodes), "node")
    calls = tuple(Call("node.power", {"node": name, "action": action}) for name in nodes)
    return Gesture(calls, f"power {action} of {what}")


# --- networks and headnodes -----------------------------------------------------------------------


def create(
    inventory: Inventory, noun: str, name: str, project: str | None, access: WriteAccess
) -> Gesture | Refusal:
    """Create a network or a headnode in the current project."""
    if (refusal := access.refusal()) is not None:
        return refusal
    if project is None:
        return Refusal(_which(inventory, f"A {noun} belongs to a project."))
    return Gesture((Call(f"{noun}.create", {"project": project, noun: name}),), f"{noun} {name}")


def delete(owned: Network | Headnode, access: WriteAccess) -> Gesture | Refusal:
    """Delete an unused network, or stage the deletion of a headnode."""
    if (refusal := access.refusal()) is not None:
        return refusal
    noun = "network" if isinstance(owned, Network) else "headnode"
    project, name = owned.key
    return Gesture((Call(f"{noun}.delete", {"project": project, noun: name}),), f"delete {name}")


def power(headnode: Headnode, access: WriteAccess) -> Gesture | Refusal:
    """Stage the start of a headnode, or its stop if it is to run."""
    if (refusal := access.refusal()) is not None:
        return refusal
    if headnode.state == "deleting":
        return Refusal(f"Headnode {headnode.headnode} is being deleted.")
    verb = "stop" if headnode.running else "start"
    params = {"project": headnode.project, "headnode": headnode.headnode}
    return Gesture((Call(f"headnode.{verb}", params),), f"{verb} {headnode.headnode}")
