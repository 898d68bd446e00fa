"""The inventory as the daemon last reported it: the only source of what screens show."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec
from msgspec.structs import replace

from haas_console.core.collector import gc_paused
from haas_console.core.errors import ConsoleError
from haas_schemas.drift import DriftItem
from haas_schemas.headnode import Headnode
from haas_schemas.job import Job
from haas_schemas.network import Network, NetworkKey
from haas_schemas.node import Nic, NicPort, Node
from haas_schemas.project import Project
from haas_schemas.switch import Port, Switch
from haas_schemas.system import Pulse, SystemInfo

T = TypeVar("T")


def record(kind: type[T], answer: Mapping[str, Any]) -> T:
    """Convert an answer to a record; raises ConsoleError if it does not fit."""
    with _understood():
        return msgspec.convert(answer, kind)


def records(kind: type[T], answers: Iterable[Mapping[str, Any]]) -> list[T]:
    """Convert a page's items to records; raises ConsoleError if one does not fit."""
    with _understood(), gc_paused():
        return msgspec.convert(answers, list[kind])  # type: ignore[valid-type]


@contextlib.contextmanager
def _understood() -> Iterator[None]:
    try:
        yield
    except msgspec.ValidationError as error:
        raise ConsoleError(f"The daemon's answer is not understood: {error}") from error


@dataclass
class Inventory:
    """Everything known, by name. Whoever changes it notifies the session's watchers."""

    info: SystemInfo | None = None
    nodes: dict[str, Node] = field(default_factory=dict)
    networks: dict[NetworkKey, Network] = field(default_factory=dict)
    headnodes: dict[tuple[str, str], Headnode] = field(default_factory=dict)
    projects: dict[str, Project] = field(default_factory=dict)
    switches: dict[str, Switch] = field(default_factory=dict)
    ports: dict[str, list[Port]] = field(default_factory=dict)
    jobs: dict[int, Job] = field(default_factory=dict)
    drift: dict[tuple[str, str], DriftItem] = field(default_factory=dict)
    """By device and target, what differed from what is applied at the last check."""
    pulse: Pulse | None = None

    # --- changing ---

    def put_node(self, node: Node) -> None:
        """Add or replace a node."""
        self.nodes[node.node] = node

    def put_nic(self, node: str, nic: Nic) -> None:
        """Replace a nic of a known node."""
        known = self.nodes.get(node)
        if known is None:
            return
        nics = tuple(nic if old.nic == nic.nic else old for old in known.nics)
        self.nodes[node] = replace(known, nics=nics)

    # --- reading ---

    def nic(self, node: str, nic: str) -> Nic | None:
        """A nic by the names of its node and its own."""
        known = self.nodes.get(node)
        return known.nic(nic) if known else None

    def plugged_into(self, switch: str) -> set[str]:
        """The names of the nodes that have a nic on a switch."""
        return {
            node.node
            for node in self.nodes.values()
            if any(leg.switch == switch for nic in node.nics for leg in nic.legs)
        }

    def behind(self, switch: str, port: str) -> tuple[Node, Nic] | None:
        """The nic that is plugged into a port, with its node; None if none is registered."""
        place = NicPort(switch, port)
        nics = ((node, nic) for node in self.nodes.values() for nic in node.nics)
        return next(((node, nic) for node, nic in nics if place in nic.legs), None)

    def drifted(self, device: str | None) -> int:
        """The number of drift items of a device; without one, of all."""
        return sum(device in (None, item.device) for item in self.drift.values())

    def found_on(self, nic: Nic | None) -> str | None:
        """What a nic's port carries instead of what is applied, if it has drifted."""
        if not self.drift or nic is None:
            return None
        for leg in nic.legs:
            item = self.drift.get((leg.switch, leg.port))
            if item is not None and item.kind == "port":
                return item.observed
        return None

    def network(self, project: str | None, name: str) -> Network | None:
        """A network by the name that a project uses: ``lab`` or ``owner/lab``."""
        owner, slash, rest = name.partition("/")
        if slash:
            return self.networks.get((owner, rest))
        return self.networks.get((project, name)) if project else None

    def networks_of(self, project: str | None) -> list[Network]:
        """The networks that a project may use, its own first; without a project, all."""
        found = [n for n in self.networks.values() if project is None or n.usable_by(project)]
        return sorted(found, key=lambda n: (n.project != project, n.project, n.network))

    def headnodes_of(self, project: str | None) -> list[Headnode]:
        """The headnodes of a project, by name; without a project, all."""
        found = [h for h in self.headnodes.values() if project is None or h.project == project]
        return sorted(found, key=lambda h: h.key)

    def nodes_of(self, project: str | None) -> list[Node]:
        """The nodes allocated to a project; without a project, to any."""
        return [
            node
            for node in self.nodes.values()
            if (node.project == project if project else node.project is not None)
        ]

    def staged_count(self, project: str) -> int:
        """The number of nics and headnodes of a project that an apply would change."""
        nics = sum(
            nic.staged
            for node in self.nodes.values()
            if node.project == project and node.state == "allocated"
            for nic in node.nics
        )
        return nics + sum(h.staged for h in self.headnodes_of(project))

    def running_jobs(self) -> list[Job]:
        """The jobs that have not ended, oldest first."""
        return sorted((j for j in self.jobs.values() if j.under_way), key=lambda j: j.created)
