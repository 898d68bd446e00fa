"""References to objects: what a line is about, what can be opened, and what can be found. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec

from haas_console.core.inventory import Inventory
from haas_console.core.natural import natural

Kind = Literal[
    "node", "nic", "port", "network", "headnode", "switch", "project", "job", "audit", "plate"
]  # fmt: skip


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
    for job in sorted(inventory.jobs, reverse=True):
        yield Ref("job", str(job))


def exists(inventory: Inventory, ref: Ref) -> bool:
    """Whether an object is there now, as far as the user sees it."""
    first, second = ref.pair
    match ref.kind:
        case "node":
            return ref.name in inventory.nodes
        case "nic":
            return inventory.nic(first, second) is not None
        case "network":
            return (first, second) in inventory.networks
        case "headnode":
            return (first, second) in inventory.headnodes
        case "switch":
            return ref.name in inventory.switches
        case "project":
            return ref.name in inventory.projects
        case "job":
            return ref.name.isdigit() and int(ref.name) in inventory.jobs
        case _:
            return True
