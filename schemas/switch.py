"""Switches and their ports."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from haas_schemas.cabling import CablingState, SwitchLink
from haas_schemas.node import Evidence

TransportName = Literal["telnet", "ssh"]
DEFAULT_PORTS: dict[str, int] = {"telnet": 23, "ssh": 22}
"""The TCP port of each transport, for switches registered without one."""


class PeerPort(msgspec.Struct, frozen=True, gc=False):
    """The trunk port at the other end of a cable."""

    switch: str
    port: str


class TrunkEnd(msgspec.Struct, frozen=True, gc=False):
    """What a trunk port is declared to lead to: a trunk port, or a hypervisor's trunk nic.

    ``wrong`` says what LLDP contradicts it with; null: nothing.
    """

    port: str
    peer: PeerPort | None
    hypervisor: str | None
    wrong: str | None = None


class Switch(msgspec.Struct, frozen=True):
    """A managed switch. ``credential`` names an entry of the credentials file.

    ``drift`` counts the differences found when the switch was last checked, at ``checked``.
    ``identity`` is what it says of itself that no other switch says. ``stranger`` says which other
    switch answers at its address, and what to do: nothing is sent to that, and no port is believed.
    ``reachable``: whether it answers, null while never tried; ``last_contact``: when it last did.
    ``retired``: since when it is out of service, so that nobody waits for it; else null.
    ``swapped`` counts the nics on its ports that are not cabled as registered, as of
    ``cabling_checked``; ``links`` are its cables to other switches, as its LLDP told then.
    ``trunks`` has what its trunk ports are declared to lead to; those that are not in it lead
    anywhere. ``vlans``: the VLANs that HaaS has, or may have, created on it, as ranges.
    """

    switch: str
    dialect: str
    host: str
    port: int
    transport: str
    credential: str | None
    options: dict[str, Any]
    ports: int
    unsaved: bool
    drift: int = 0
    checked: str | None = None
    identity: str | None = None
    stranger: str | None = None
    reachable: bool | None = None
    last_contact: str | None = None
    retired: str | None = None
    swapped: int = 0
    cabling_checked: str | None = None
    links: tuple[SwitchLink, ...] = ()
    trunks: tuple[TrunkEnd, ...] = ()
    vlans: str = ""


class SwitchTrust(msgspec.Struct, frozen=True):
    """The SSH host key that a switch presents.

    ``state``, after this call: ``known`` (trusted), ``unknown``, ``changed`` (other keys of this
    switch are trusted, but not this one) or ``revoked``. ``trusted`` lists the keys that were
    trusted before the call; ``stored`` tells whether this key has just replaced them; ``note`` says
    what to do next, if anything.
    """

    switch: str
    host: str
    port: int
    type: str
    fingerprint: str
    state: Literal["known", "unknown", "changed", "revoked"]
    stored: bool
    trusted: tuple[str, ...]
    note: str | None = None


class PortVlans(msgspec.Struct, frozen=True, gc=False):
    """The VLANs of a port; ``tagged`` is a list of ranges. A parked port has none."""

    untagged: int | None
    tagged: str


class Port(msgspec.Struct, frozen=True, gc=False):
    """A port of a switch and the nic behind it. ``applied`` is null until confirmed.

    ``drift`` says what was found on the port instead, when its switch was last checked.
    ``cabling``: whether the nic is seen on it; null: never checked. ``stranger``: what was heard on
    it that nobody registered. ``peer`` and ``hypervisor``: what a trunk port is declared to lead
    to; with neither, anywhere. ``wrong``: what LLDP contradicts that with.
    """

    switch: str
    port: str
    role: Literal["access", "trunk"]
    applied: PortVlans | None
    node: str | None
    nic: str | None
    project: str | None
    drift: str | None = None
    cabling: CablingState | None = None
    stranger: str | None = None
    peer: PeerPort | None = None
    hypervisor: str | None = None
    wrong: str | None = None


class PortDetails(Port, frozen=True, kw_only=True, gc=True):
    """A port, and the evidence of its last confirmation."""

    evidence: Evidence | None


class ProbedPort(msgspec.Struct, frozen=True, gc=False):
    """A port found on a switch. ``managed``: it is registered.

    ``open``: it is not shut. ``not_understood`` quotes the line of its configuration that HaaS does
    not understand. ``unconfigured``: VLANs on which the switch has the port though its
    configuration does not say so, as ranges. ``adopted``: its VLANs are now recorded as applied.
    """

    port: str
    carries: PortVlans
    managed: bool
    adopted: bool = False
    open: bool = True
    not_understood: str | None = None
    unconfigured: str = ""


class Probe(msgspec.Struct, frozen=True):
    """What a switch reported when HaaS logged in.

    ``model`` and ``version`` are null if it does not report them; ``said`` is its whole answer to
    the version command. ``vlans`` lists the VLAN ids in use, as ranges. ``warnings`` say what
    prevents adoption.
    """

    switch: str
    reachable: bool
    prompt: str
    model: str | None
    version: str | None
    said: tuple[str, ...]
    vlans: str
    ports: tuple[ProbedPort, ...]
    dry_run: bool = False
    warnings: tuple[str, ...] = ()
