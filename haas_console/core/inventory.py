"""What the daemon told us, as plain records, and the one place where the screen finds them.

The records are msgspec's, as there may be 10,000 nodes of them: it makes them from the daemon's
answers in C, and leaves out what a record does not name. Those that there are most of are nothing
to the garbage collector (``gc=False``): no cycle can go through them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec

from haas_console.core.calm import no_collections

T = TypeVar("T")

NetworkKey = tuple[str, str]
"""The owner's project and the network's name."""


class Link(msgspec.Struct, frozen=True, gc=False):
    """A network on a nic, as the nic's project names it; None: a network that is deleted."""

    network: str | None
    vlan: int
    tagged: bool = False


class Nic(msgspec.Struct, frozen=True, gc=False):
    """A nic: ``networks`` is what is staged, ``applied`` what the switch confirmed last."""

    nic: str
    kind: str
    mac: str | None
    switch: str | None
    port: str | None
    state: str
    networks: tuple[Link, ...]
    applied: tuple[Link, ...] | None

    @property
    def staged(self) -> bool:
        """Whether an apply would change its port."""
        return self.state == "staged"


class Node(msgspec.Struct, frozen=True, gc=False):
    """A physical machine."""

    node: str
    state: str
    project: str | None
    tags: tuple[str, ...]
    nics: tuple[Nic, ...]

    def nic(self, name: str) -> Nic | None:
        """Its nic of that name."""
        return next((nic for nic in self.nics if nic.nic == name), None)


class Network(msgspec.Struct, frozen=True):
    """A logical network: one VLAN."""

    project: str
    network: str
    vlan: int
    shared_with: tuple[str, ...]
    nics: int
    headnodes: int

    @property
    def key(self) -> NetworkKey:
        """What names it on the whole site."""
        return (self.project, self.network)

    def usable_by(self, project: str | None) -> bool:
        """Whether a project's nics may be on it."""
        return project is not None and (project == self.project or project in self.shared_with)

    def name_for(self, project: str | None) -> str:
        """How a project says it: plainly when it is its own, else ``owner/network``."""
        return self.network if project == self.project else f"{self.project}/{self.network}"


class HeadnodeNic(msgspec.Struct, frozen=True):
    """A nic of a headnode: ``network`` is staged, ``applied`` the VLAN id that is confirmed."""

    nic: str
    mac: str
    network: str | None
    vlan: int | None
    applied: int | None


class Headnode(msgspec.Struct, frozen=True):
    """A login machine: ``state`` is confirmed, ``running`` is wanted."""

    project: str
    headnode: str
    state: str
    running: bool
    image: str
    nics: tuple[HeadnodeNic, ...]

    @property
    def key(self) -> tuple[str, str]:
        """What names it on the whole site."""
        return (self.project, self.headnode)

    @property
    def staged(self) -> bool:
        """Whether an apply would change it."""
        if self.state in ("staged", "deleting"):
            return True
        if self.state != "unknown" and self.running != (self.state == "running"):
            return True
        return any(nic.vlan != nic.applied for nic in self.nics)


class Project(msgspec.Struct, frozen=True):
    """A tenant, and how much it holds."""

    project: str
    members: tuple[str, ...]
    nodes: int
    networks: int
    headnodes: int


class Switch(msgspec.Struct, frozen=True):
    """A managed switch; only admins see them."""

    switch: str
    dialect: str
    host: str
    port: int
    ports: int
    unsaved: bool
    transport: str = "telnet"
    drift: int = 0
    checked: str | None = None


class DriftItem(msgspec.Struct, frozen=True):
    """One thing that is not as it was applied; only admins are told."""

    device: str
    kind: str
    target: str
    applied: str
    observed: str
    project: str | None
    behind: str | None
    since: str | None


class Carried(msgspec.Struct, frozen=True):
    """What a port was last confirmed to carry; neither: parked."""

    untagged: int | None
    tagged: str


class Port(msgspec.Struct, frozen=True):
    """A port of a switch and what is behind it; ``applied`` None: not confirmed yet."""

    switch: str
    port: str
    role: str
    applied: Carried | None
    node: str | None
    nic: str | None
    project: str | None


class Job(msgspec.Struct, frozen=True):
    """An apply under way or past, without its steps."""

    job: int
    project: str | None
    kind: str
    state: str
    user: str
    done: int
    total: int
    created: str
    started: str | None
    finished: str | None
    error: str | None

    @property
    def under_way(self) -> bool:
        """Whether it is still to end."""
        return self.state in ("queued", "running")


class Info(msgspec.Struct, frozen=True):
    """The daemon, and who is asking."""

    name: str
    version: str
    user: str
    admin: bool
    projects: tuple[str, ...]
    pool: str
    master: bool
    images: tuple[str, ...]
    dialects: tuple[str, ...]
    demo: bool


def record(kind: type[T], answer: Mapping[str, Any]) -> T:
    """Make one record of an answer; raises msgspec.ValidationError when it is no such thing."""
    return msgspec.convert(answer, kind)


def records(kind: type[T], answers: Iterable[Mapping[str, Any]]) -> list[T]:
    """Make records of a page's items; raises msgspec.ValidationError."""
    with no_collections():
        return msgspec.convert(answers, list[kind])  # type: ignore[valid-type]


@dataclass
class Inventory:
    """All that is known, by name. Whoever changes it says so to the session's watchers."""

    info: Info | None = None
    nodes: dict[str, Node] = field(default_factory=dict)
    networks: dict[NetworkKey, Network] = field(default_factory=dict)
    headnodes: dict[tuple[str, str], Headnode] = field(default_factory=dict)
    projects: dict[str, Project] = field(default_factory=dict)
    switches: dict[str, Switch] = field(default_factory=dict)
    ports: dict[str, list[Port]] = field(default_factory=dict)
    jobs: dict[int, Job] = field(default_factory=dict)
    drift: dict[tuple[str, str], DriftItem] = field(default_factory=dict)
    """By device and target, what was not as applied when its device was last looked at."""

    # --- taking over what the daemon said ---

    def put_node(self, node: Node) -> None:
        """Take over one node."""
        self.nodes[node.node] = node

    def put_nic(self, node: str, nic: Nic) -> None:
        """Take over one nic of a node that is known."""
        known = self.nodes.get(node)
        if known is None:
            return
        nics = tuple(nic if old.nic == nic.nic else old for old in known.nics)
        self.nodes[node] = Node(known.node, known.state, known.project, known.tags, nics)

    # --- asking ---

    def nic(self, node: str, nic: str) -> Nic | None:
        """A nic by the two names it has."""
        known = self.nodes.get(node)
        return known.nic(nic) if known else None

    def drifted(self, device: str | None) -> int:
        """How much drifted on a device; without one, in all."""
        return sum(device in (None, item.device) for item in self.drift.values())

    def found_on(self, nic: Nic | None) -> str | None:
        """What was found on a nic's port instead of what was applied, if it drifted."""
        if not self.drift or nic is None or nic.switch is None or nic.port is None:
            return None
        item = self.drift.get((nic.switch, nic.port))
        return item.observed if item is not None and item.kind == "port" else None

    def network(self, project: str | None, name: str) -> Network | None:
        """A network by the name that a project gives it: ``lab`` or ``owner/lab``."""
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
        """The nodes that a project holds; without a project, all that anybody holds."""
        return [
            node
            for node in self.nodes.values()
            if (node.project == project if project else node.project is not None)
        ]

    def staged_count(self, project: str) -> int:
        """How many nics and headnodes of a project an apply would change."""
        nics = sum(
            nic.state == "staged"
            for node in self.nodes.values()
            if node.project == project and node.state == "allocated"
            for nic in node.nics
        )
        return nics + sum(h.staged for h in self.headnodes_of(project))

    def running_jobs(self) -> list[Job]:
        """The jobs that have not ended, the oldest first."""
        return sorted((j for j in self.jobs.values() if j.under_way), key=lambda j: j.job)
