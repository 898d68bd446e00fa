"""Cabling: where nics are registered to be plugged in, and where the switches see them."""

from __future__ import annotations

from typing import Literal

import msgspec

from haas_schemas.drift import UnreadDevice

CablingState = Literal["right", "swapped", "unknown", "not_seen"]
SightingSource = Literal["lldp", "mac table"]


class Sighting(msgspec.Struct, frozen=True, gc=False):
    """Where a nic was last seen, and when. ``vlan`` is null if the switch did not say.

    ``how``: by a frame of LLDP, which only a direct neighbour hears, or in the switch's MAC table.
    """

    switch: str
    port: str
    mac: str
    vlan: int | None
    how: SightingSource
    at: str


class NicCabling(msgspec.Struct, frozen=True):
    """A nic's place as registered, and what the switches say of it.

    ``state``: ``right``, seen where it is registered; ``swapped``, an alarm: seen on another port,
    or another node's nic was seen on its port; ``not_seen``; ``unknown``, it cannot be told.
    ``why`` is a sentence. ``seen`` may be older than ``checked``, the time of the last check.
    """

    node: str
    nic: str
    mac: str | None
    switch: str | None
    port: str | None
    state: CablingState
    why: str
    seen: Sighting | None = None
    checked: str | None = None


class Stranger(msgspec.Struct, frozen=True):
    """A port on which something was heard that nobody registered.

    ``macs`` are the addresses in the switch's MAC table, ``neighbour`` what LLDP says is there.
    """

    switch: str
    port: str
    macs: tuple[str, ...]
    neighbour: str | None
    at: str


class MacProposal(msgspec.Struct, frozen=True):
    """A MAC address heard on the port of a nic that has none registered.

    Nothing is registered by itself: ``command`` does, once somebody knows that it is right.
    """

    node: str
    nic: str
    mac: str
    switch: str
    port: str
    command: str


class SwitchLink(msgspec.Struct, frozen=True, gc=False):
    """A cable between two registered switches, as the LLDP of ``switch`` tells it."""

    switch: str
    port: str
    peer: str
    peer_port: str
    at: str


class WrongLink(msgspec.Struct, frozen=True, gc=False):
    """A trunk port that is declared to lead somewhere, and what LLDP says instead.

    ``declared`` and ``why`` are for people.
    """

    switch: str
    port: str
    declared: str
    why: str


class LinkProposal(msgspec.Struct, frozen=True, gc=False):
    """Two trunk ports that LLDP says are the ends of one cable, and of which nothing is declared.

    Nothing is declared by itself: ``command`` does, once somebody knows that it is right.
    """

    switch: str
    port: str
    peer: str
    peer_port: str
    command: str


class CablingReport(msgspec.Struct, frozen=True):
    """The result of a check. ``checked`` lists the switches that were read.

    ``nics`` are those registered or seen on them. ``alarms`` counts those that are ``swapped``, and
    the ``wrong_links``, which contradict what trunk ports are declared to lead to.
    ``without_lldp`` names switches that were read, and whose LLDP is off. ``unread`` quotes lines
    that could not be understood: a neighbour or an address may be missing for each.
    """

    checked: tuple[str, ...]
    unreachable: tuple[UnreadDevice, ...]
    alarms: int
    nics: tuple[NicCabling, ...]
    strangers: tuple[Stranger, ...]
    proposals: tuple[MacProposal, ...]
    links: tuple[SwitchLink, ...]
    without_lldp: tuple[str, ...] = ()
    unread: tuple[UnreadDevice, ...] = ()
    wrong_links: tuple[WrongLink, ...] = ()
    link_proposals: tuple[LinkProposal, ...] = ()


class NicProof(msgspec.Struct, frozen=True):
    """What was seen while the port of one nic was open, alone, on a VLAN of nobody's.

    ``state`` and ``why`` as in :class:`NicCabling`; only ``right`` proves it. ``said`` has what the
    switches' tables showed.
    """

    nic: str
    switch: str
    port: str
    state: CablingState
    why: str
    said: tuple[str, ...]
    at: str


class NodeProof(msgspec.Struct, frozen=True):
    """The last proof of a node's cabling: by which job, who asked for it, and the evidence.

    ``proven``: it succeeded, and holds: no nic was registered otherwise since (then it is
    ``void``), and none was seen elsewhere. ``why``: why not. ``notes``: what limits it.
    """

    job: int
    by: str
    at: str
    proven: bool
    void: bool
    why: str | None
    nics: tuple[NicProof, ...]
    notes: tuple[str, ...] = ()


class NodeCabling(msgspec.Struct, frozen=True):
    """The cabling of a node's nics, and its last proof. ``proving``: the job of one under way."""

    node: str
    nics: tuple[NicCabling, ...]
    proof: NodeProof | None = None
    proving: int | None = None
