"""Undo and redo of staged edits, and discarding all of them.

The inverse of a command is computed from the inventory as it was before the command was sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from haas_console.core.commands import Call
from haas_console.core.inventory import Inventory
from haas_schemas.headnode import Headnode
from haas_schemas.node import Nic, NicNetwork

KEPT = 200


class Edit(msgspec.Struct, frozen=True):
    """An edit: the calls that made it, those that undo it, and a label."""

    label: str
    forward: tuple[Call, ...]
    backward: tuple[Call, ...]
    note: str = ""
    """Why it can't be undone, and what to do instead; empty if it can."""


@dataclass
class History:
    """The edits of this session, for ``z`` and ``Z``."""

    done: list[Edit] = field(default_factory=list)
    undone: list[Edit] = field(default_factory=list)

    def add(self, edit: Edit) -> None:
        """Add an edit; what was undone before can no longer be redone."""
        self.done = [*self.done[1 - KEPT :], edit]
        self.undone.clear()

    def to_undo(self) -> Edit | None:
        """The edit that ``z`` would undo."""
        return self.done[-1] if self.done else None

    def to_redo(self) -> Edit | None:
        """The edit that ``Z`` would redo."""
        return self.undone[-1] if self.undone else None

    def moved(self, edit: Edit, *, undone: bool) -> None:
        """Move an edit that was undone, or redone, to the other list."""
        source, target = (self.done, self.undone) if undone else (self.undone, self.done)
        if source and source[-1] is edit:
            source.pop()
        if not edit.note:
            target.append(edit)


def inverse(inventory: Inventory, call: Call) -> tuple[Call, ...] | None:
    """The calls that undo one that is about to be sent; None if nothing can."""
    params = call.params
    match call.method:
        case "nic.connect" | "nic.disconnect":
            nic = inventory.nic(params["node"], params["nic"])
            if nic is None:
                return None
            after = _links_after(nic, call)
            return tuple(links_calls(params["node"], params["nic"], after, nic.networks))
        case "headnode.connect" | "headnode.disconnect":
            headnode = inventory.headnodes.get((params["project"], params["headnode"]))
            return None if headnode is None else _undo_headnode(headnode, call)
        case "headnode.start" | "headnode.stop":
            headnode = inventory.headnodes.get((params["project"], params["headnode"]))
            verb = "stop" if call.method == "headnode.start" else "start"
            unchanged = headnode is not None and headnode.running == (verb == "stop")
            return () if unchanged else (Call(f"headnode.{verb}", dict(params)),)
        case "network.create" | "headnode.create":
            noun = call.method.partition(".")[0]
            keys = ("project", noun)
            return (Call(f"{noun}.delete", {key: params[key] for key in keys}),)
        case "network.delete":
            return (Call("network.create", dict(params)),)
        case _:
            return None


def irreversible(call: Call) -> str:
    """Why a call on nodes is not undone, and what to do instead; empty for other calls."""
    node = call.params.get("node") or "the nodes"
    match call.method:
        case "node.allocate":
            return f"An allocation is not undone: R (node release) gives {node} back."
        case "node.release":
            return f"A release is not undone: A allocates {node} again once it is free."
        case _:
            return ""


def _links_after(nic: Nic, call: Call) -> tuple[NicNetwork, ...]:
    """The networks of a nic after a call: an untagged one replaces the untagged one before."""
    name = call.params.get("network")
    if call.method == "nic.disconnect":
        return tuple(k for k in nic.networks if name is not None and k.network != name)
    tagged = bool(call.params.get("tagged", False))
    kept = [k for k in nic.networks if k.network != name and (tagged or k.tagged)]
    return (*kept, NicNetwork(name, 0, tagged))


def links_calls(
    node: str, nic: str, before: Sequence[NicNetwork], wanted: Sequence[NicNetwork]
) -> list[Call]:
    """The calls that move a nic from one set of networks to another."""
    where = {"node": node, "nic": nic}
    have = {(link.network, link.tagged) for link in before}
    want = {(link.network, link.tagged) for link in wanted if link.network is not None}
    if not want:
        return [Call("nic.disconnect", where)] if have else []
    calls = []
    untagged_comes = any(not tagged for _, tagged in want - have)
    for name, tagged in sorted(have - want, key=str):
        replaced = untagged_comes and not tagged
        again = any(name == other for other, _ in want)
        if name is not None and not replaced and not again:
            calls.append(Call("nic.disconnect", {**where, "network": name}))
    for name, tagged in sorted(want - have, key=str):
        params = {**where, "network": name}
        calls.append(Call("nic.connect", {**params, "tagged": True} if tagged else params))
    return calls


def _undo_headnode(headnode: Headnode, call: Call) -> tuple[Call, ...]:
    where = {"project": headnode.project, "headnode": headnode.headnode}
    network, nic = call.params.get("network"), call.params.get("nic")
    if call.method == "headnode.connect":
        if any(n.network == network for n in headnode.nics):
            return ()
        before = next((n.network for n in headnode.nics if n.nic == nic), None)
        if nic is not None and before is not None:
            return (Call("headnode.connect", {**where, "network": before, "nic": nic}),)
        return (Call("headnode.disconnect", {**where, "network": network}),)
    return tuple(
        Call("headnode.connect", {**where, "network": n.network, "nic": n.nic})
        for n in headnode.nics
        if n.network is not None and network in (None, n.network) and nic in (None, n.nic)
    )


def discard(inventory: Inventory, project: str) -> tuple[Call, ...]:
    """The calls that reset everything staged in a project to what is applied."""
    calls: list[Call] = []
    for node in inventory.nodes_of(project):
        if node.state != "allocated":
            continue
        for nic in node.nics:
            if nic.staged and nic.applied is not None:
                calls += links_calls(node.node, nic.nic, nic.networks, nic.applied)
    by_vlan = {n.vlan: n.name_for(project) for n in inventory.networks_of(project)}
    for headnode in inventory.headnodes_of(project):
        calls += _discard_headnode(headnode, by_vlan)
    return tuple(calls)


def _discard_headnode(headnode: Headnode, by_vlan: dict[int, str]) -> list[Call]:
    where = {"project": headnode.project, "headnode": headnode.headnode}
    if headnode.state == "staged":
        return [Call("headnode.delete", where)]
    if headnode.state in ("deleting", "unknown"):
        return []  # the API cannot revoke a staged deletion
    calls = []
    for nic in headnode.nics:
        if nic.vlan == nic.applied:
            continue
        name = by_vlan.get(nic.applied) if nic.applied is not None else None
        if name is not None:
            calls.append(Call("headnode.connect", {**where, "network": name, "nic": nic.nic}))
        elif nic.applied is None:
            calls.append(Call("headnode.disconnect", {**where, "nic": nic.nic}))
    settled = headnode.state in ("running", "stopped") and headnode.observed is None
    if settled and headnode.running != (headnode.state == "running"):
        calls.append(Call("headnode.stop" if headnode.running else "headnode.start", where))
    return calls
