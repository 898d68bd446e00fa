"""Nodes and their nics."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

from haas_schemas.bmc import PowerState
from haas_schemas.cabling import CablingState, NicCabling
from haas_schemas.names import Name, PortName

NodeState = Literal["unconfirmed", "free", "allocated", "releasing"]
NicKind = Literal["data", "bmc"]
NicState = Literal["applied", "staged", "unconfirmed", "unwired"]
BondMode = Literal["lacp", "static", "active-backup"]
"""How the ports of a bond share its frames. ``lacp`` and ``static``: the switch makes a channel of
them. ``active-backup``: the node uses one port at a time, and no switch knows."""


class NicNetwork(msgspec.Struct, frozen=True, gc=False):
    """A network on a nic. ``network`` is null if the VLAN's network has been deleted."""

    network: str | None
    vlan: int
    tagged: bool = False


class NicPort(msgspec.Struct, frozen=True, gc=False):
    """A port of a switch that a nic is plugged into."""

    switch: Name
    port: PortName


class Nic(msgspec.Struct, frozen=True, gc=False):
    """A nic of a node: ``networks`` are staged, ``applied`` is what the switch last confirmed.

    ``state``: ``applied`` if the two agree, ``staged`` if an apply would change a port,
    ``unconfirmed`` if a port's state is unknown, ``unwired`` if no port is registered. A bond is
    plugged into ``ports``, and not into one ``switch`` and ``port``; ``channel`` is what its switch
    calls the channel that HaaS makes of them.
    ``cabling``: whether switches see it where it is registered, as :class:`NicCabling` says; null:
    never checked. It is for the node's holder and admins.
    """

    nic: str
    kind: NicKind
    mac: str | None
    switch: str | None
    port: str | None
    state: NicState
    networks: tuple[NicNetwork, ...]
    applied: tuple[NicNetwork, ...] | None
    bond: BondMode | None = None
    ports: tuple[NicPort, ...] = ()
    channel: str | None = None
    cabling: CablingState | None = None

    @property
    def places(self) -> tuple[NicPort, ...]:
        """The ports that it is plugged into: one, several of a bond, or none."""
        if self.switch is not None and self.port is not None:
            return (NicPort(self.switch, self.port),)
        return self.ports

    @property
    def legs(self) -> tuple[NicPort, ...]:
        """The ports that it is plugged into, and the channel that HaaS makes of them."""
        places = self.places
        made = () if self.channel is None else (NicPort(places[0].switch, self.channel),)
        return (*places, *made)

    @property
    def place(self) -> str | None:
        """Where it is plugged in, such as ``sw1 eth1`` or ``bond lacp sw1 eth1+eth2``, or None."""
        return place_text(self.places, self.bond)

    @property
    def staged(self) -> bool:
        """True if an apply would change its port to what its project staged."""
        return self.state == "staged" or (self.state == "unconfirmed" and bool(self.networks))


def place_text(places: Iterable[NicPort], bond: BondMode | None) -> str | None:
    """Return where a nic is plugged in, in words; None if it is not."""
    by_switch: dict[str, list[str]] = {}
    for place in places:
        by_switch.setdefault(place.switch, []).append(place.port)
    if not by_switch:
        return None
    text = " + ".join(f"{switch} {'+'.join(ports)}" for switch, ports in by_switch.items())
    return text if bond is None else f"bond {bond} {text}"


class Evidence(msgspec.Struct, frozen=True):
    """Why a port is known to carry what it carries.

    ``confirmed``: when it was last read back from the switch. ``job`` set it, which ``applied_by``
    started (null: it was found so); ``staged_by`` had staged it. ``said`` has the switch's own
    lines about the port, for admins.
    """

    confirmed: str
    job: int | None
    applied_by: str | None
    staged_by: str | None
    staged_at: str | None
    said: tuple[str, ...] | None = None


class NicDetails(msgspec.Struct, frozen=True):
    """A nic, who last staged something for it, and the evidence of its port's last confirmation."""

    node: str
    nic: str
    kind: NicKind
    mac: str | None
    project: str | None
    switch: str | None
    port: str | None
    state: NicState
    networks: tuple[NicNetwork, ...]
    applied: tuple[NicNetwork, ...] | None
    staged_by: str | None
    staged_at: str | None
    evidence: Evidence | None
    bond: BondMode | None = None
    ports: tuple[NicPort, ...] = ()
    channel: str | None = None
    cabling: NicCabling | None = None


class Node(msgspec.Struct, frozen=True, gc=False):
    """A physical machine.

    ``waiting`` says why it is not free yet although its ports are parked, and ``waiting_until``
    when it will be at the latest: a switch did not answer a line that may still take effect.
    ``until``: when its allocation ends; null: not by itself. ``power``: what its BMC last said,
    null while that is not known. ``power_changed``: when that was first seen to differ from before.
    ``power_staged``: what the next apply switches it to. ``proven``: when its cabling was proved,
    null unless that holds. These are for its holder and admins.
    """

    node: str
    state: NodeState
    project: str | None
    tags: tuple[str, ...]
    nics: tuple[Nic, ...]
    waiting: str | None = None
    waiting_until: str | None = None
    until: str | None = None
    power: PowerState | None = None
    power_changed: str | None = None
    power_staged: PowerState | None = None
    proven: str | None = None

    @property
    def swapped(self) -> tuple[Nic, ...]:
        """The nics that switches see elsewhere than where they are registered: an alarm."""
        return tuple(nic for nic in self.nics if nic.cabling == "swapped")

    def nic(self, name: str) -> Nic | None:
        """Return the nic of this name, or None."""
        return next((nic for nic in self.nics if nic.nic == name), None)


class Allocated(msgspec.Struct, frozen=True):
    """The nodes that were allocated."""

    project: str
    nodes: tuple[str, ...]


class Released(msgspec.Struct, frozen=True):
    """A node is ``releasing`` until the job has parked its ports, then ``free``."""

    node: str
    state: NodeState
    job: int | None
