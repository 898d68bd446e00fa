"""References to objects, by which lines name them and screens open and find them. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Literal

import msgspec

from haas_console.core.inventory import Inventory
from haas_console.core.natural import natural
from haas_schemas.node import Node

Kind = Literal[
    "node", "nic", "port", "network", "headnode", "switch", "project", "job", "audit", "plate"
]  # fmt: skip

KINDS: tuple[Kind, ...] = (
    "node", "nic", "port", "network", "headnode", "switch", "project", "job"
)  # fmt: skip
"""The kinds of objects."""


class Ref(msgspec.Struct, frozen=True):
    """An object, or a screen about one: ``audit`` (who changed it), ``plate`` (a face plate).

    ``name`` is written as in commands: ``node-1``, ``node-1:eth0``, ``sw1 Gi1/0/1``, ``owner/lab``.
    """

    kind: Kind
    name: str

    @property
    def title(self) -> str:
        """Its kind and name."""
        return f"{self.kind} {self.name}"

    @property
    def pair(self) -> tuple[str, str]:
        """The two halves of its name; the second is empty if it has one only."""
        sign = {"nic": ":", "port": " ", "plate": " "}.get(self.kind, "/")
        first, _, second = self.name.partition(sign)
        return first, second


def nic_ref(node: str, nic: str) -> Ref:
    """A nic."""
    return Ref("nic", f"{node}:{nic}")


def port_ref(switch: str, port: str) -> Ref:
    """A port of a switch."""
    return Ref("port", f"{switch} {port}")


def network_ref(inventory: Inventory, project: str | None, name: str | None) -> Ref | None:
    """A network by the name that a project uses; None if there is none such."""
    found = inventory.network(project, name) if name else None
    return Ref("network", f"{found.project}/{found.network}") if found else None


def everything(inventory: Inventory) -> Iterator[Ref]:
    """All objects that have a name of their own, in natural order within their kinds."""
    for project in sorted(inventory.projects, key=natural):
        yield Ref("project", project)
    for owner, network in sorted(inventory.networks):
        yield Ref("network", f"{owner}/{network}")
    for owner, headnode in sorted(inventory.headnodes):
        yield Ref("headnode", f"{owner}/{headnode}")
    for switch in sorted(inventory.switches, key=natural):
        yield Ref("switch", switch)
    for node in sorted(inventory.nodes, key=natural):
        yield Ref("node", node)
    for job in sorted(inventory.jobs.values(), key=lambda job: job.created, reverse=True):
        yield Ref("job", str(job.job))


def note_on(inventory: Inventory, ref: Ref) -> str:
    """A few words on an object that has a name of its own."""
    first, second = ref.pair
    match ref.kind:
        case "node" if (node := inventory.nodes.get(ref.name)) is not None:
            return f"{node.state} {node.project or ''} {' '.join(node.tags)}".strip()
        case "network" if (network := inventory.networks.get((first, second))) is not None:
            return f"VLAN {network.vlan}"
        case "headnode" if (headnode := inventory.headnodes.get((first, second))) is not None:
            return headnode.state
        case "switch" if (switch := inventory.switches.get(ref.name)) is not None:
            return f"{switch.dialect} {switch.host}"
        case "job" if (job := inventory.jobs.get(int(ref.name))) is not None:
            return f"{job.state} {job.project or 'the site'}"
        case _:
            return ""


def find(inventory: Inventory, text: str) -> list[tuple[Ref, str]]:
    """The objects with this text in their name or their note, each with its note.

    Nodes are found by their nics' MAC addresses and ports too, whatever sign separates the bytes of
    a MAC. Those with the text in their name come first.
    """
    wanted = text.casefold()
    by_name: list[tuple[Ref, str]] = []
    others: list[tuple[Ref, str]] = []
    for ref in everything(inventory):
        note = note_on(inventory, ref)
        if wanted in ref.name.casefold():
            by_name.append((ref, note))
        elif wanted in note.casefold():
            others.append((ref, note))
        elif ref.kind == "node" and (nic := _nic_with(inventory.nodes[ref.name], wanted)):
            others.append((ref, f"{note}  {nic}"))
    return by_name + others


def _nic_with(node: Node, wanted: str) -> str:
    """The nic of a node that has the text in its MAC address or port; empty if none has."""
    digits = _digits(wanted)
    for nic in node.nics:
        place = f"{nic.switch} {nic.port}" if nic.switch else ""
        is_mac = len(digits) >= 4 and nic.mac is not None and digits in _digits(nic.mac)
        if is_mac or wanted in place.casefold():
            return " ".join(word for word in (f"{node.node}:{nic.nic}", nic.mac, place) if word)
    return ""


def _digits(mac: str) -> str:
    """A MAC address, or a part of one, without separators; empty if it is none."""
    bare = re.sub(r"[:.-]", "", mac)
    return bare if re.fullmatch(r"[0-9a-f]+", bare) else ""


def named(inventory: Inventory, project: str | None, noun: str, name: str) -> Ref | None:
    """The object of a kind by its name, or by the beginning of the name if only one has it.

    Networks and headnodes of a project may be named without it.
    """
    if noun == "nic":
        node, _, nic = name.partition(":")
        return nic_ref(node, nic) if inventory.nic(node, nic) is not None else None
    known = {ref.name: ref for ref in everything(inventory) if ref.kind == noun}
    for wanted in (name, f"{project}/{name}"):
        if wanted in known:
            return known[wanted]
    found = [ref for full, ref in known.items() if full.startswith((name, f"{project}/{name}"))]
    return found[0] if len(found) == 1 else None


def beginning(word: str, known: Iterable[str]) -> list[str]:
    """The words that a word may abbreviate: itself if it is one, else all that begin with it."""
    names = list(dict.fromkeys(known))
    return [word] if word in names else [name for name in names if name.startswith(word)]
