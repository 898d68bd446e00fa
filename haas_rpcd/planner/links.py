"""What LLDP says of trunk ports, compared with what they are declared to lead to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set

import msgspec

from haas_rpcd.model import PortRef
from haas_rpcd.planner.cabling import LinkRow


class DeclaredEnd(msgspec.Struct, frozen=True):
    """A trunk port, and the trunk port or the hypervisor that it is declared to lead to."""

    place: PortRef
    peer: PortRef | None
    hypervisor: str | None = None


class EndVerdict(msgspec.Struct, frozen=True):
    """What LLDP says of a declaration: ``wrong`` is why it contradicts it, null if it confirms."""

    place: PortRef
    wrong: str | None


class LinkVerdict(msgspec.Struct, frozen=True):
    """What follows from the links that LLDP tells of some switches.

    ``ends``: declarations of which it says anything. ``proposals``: pairs of trunk ports, in order,
    without a declaration.
    """

    ends: tuple[EndVerdict, ...]
    proposals: tuple[tuple[PortRef, PortRef], ...]


def judge(
    told: Iterable[LinkRow],
    declared: Iterable[DeclaredEnd],
    *,
    trunks: Set[PortRef],
    ports: Set[PortRef],
) -> LinkVerdict:
    """Compare what LLDP tells of links with what is declared.

    ``told``: with the registered names of the peers' ports, where they have one. ``trunks`` are the
    registered trunk ports, ``ports`` all registered ones: a neighbour that names its port in
    another way, as by a MAC address, may be any port of its switch. Nothing heard says nothing: the
    LLDP of a cable may be off.
    """
    heard: dict[PortRef, set[PortRef]] = {}
    for link in told:
        heard.setdefault(link.place, set()).add(PortRef(link.peer, link.peer_port))
    named_by: dict[PortRef, set[PortRef]] = {}
    for place, others in heard.items():
        for other in others:
            named_by.setdefault(other, set()).add(place)
    known = {end.place: end for end in declared}
    verdicts = []
    for end in known.values():
        wrong = _contradiction(end, heard, named_by, ports)
        if wrong is not None or end.place in heard or end.place in named_by:
            verdicts.append(EndVerdict(end.place, wrong))
    return LinkVerdict(
        ends=tuple(sorted(verdicts, key=lambda verdict: verdict.place)),
        proposals=tuple(sorted(_proposals(heard, named_by, trunks - known.keys()))),
    )


def _contradiction(
    end: DeclaredEnd,
    heard: Mapping[PortRef, Set[PortRef]],
    named_by: Mapping[PortRef, Set[PortRef]],
    ports: Set[PortRef],
) -> str | None:
    """Return what contradicts a declaration, as a phrase for people."""
    for other in sorted(heard.get(end.place, ())):
        same_switch = end.peer is not None and other.switch == end.peer.switch
        if other != end.peer and not (same_switch and other not in ports):
            return f"its LLDP says that {other.switch} {other.port} is there"
    for other in sorted(named_by.get(end.place, ())):
        if other != end.peer:
            return f"the LLDP of {other.switch} says that it leads to {other.port} there"
    return None


def _proposals(
    heard: Mapping[PortRef, Set[PortRef]],
    named_by: Mapping[PortRef, Set[PortRef]],
    undeclared: Set[PortRef],
) -> set[tuple[PortRef, PortRef]]:
    """Return the pairs of ports that LLDP joins, and joins with nothing else."""
    found = set()
    for place, others in heard.items():
        for other in others:
            ends = {place, other}
            if not ends <= undeclared or place.switch == other.switch:
                continue
            around = {*heard.get(place, ()), *heard.get(other, ()), *named_by.get(place, ())}
            if around | named_by[other] <= ends:
                found.add((min(ends), max(ends)))
    return found
