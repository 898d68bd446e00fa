"""From where nics are registered to where switches see them: is the cabling right?

A switch sees a nic in two ways. Its MAC table names the port at which a nic's frames arrive, be it
through other switches. LLDP names the direct neighbour. So a MAC address learnt on a trunk, or on a
port with another switch behind it, says nothing about where the nic is plugged in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from haas_rpcd.model import PortRef
from haas_schemas.cabling import CablingState, SightingSource


class CabledNic(msgspec.Struct, frozen=True):
    """A registered nic. A bond has several ``places``, and the channel that a switch makes of them.

    ``parked``: its ports are confirmed to be shut, so nothing is heard there.
    """

    node: str
    nic: str
    mac: str | None
    places: tuple[PortRef, ...]
    parked: bool = False

    @property
    def where(self) -> str:
        """Where it is registered, for people."""
        return " and ".join(f"{place.switch} {place.port}" for place in self.places)

    @property
    def label(self) -> str:
        """The nic as people write it."""
        return f"{self.node}:{self.nic}"


class Seen(msgspec.Struct, frozen=True):
    """A MAC address seen on a port. ``at``: when, for one that an earlier check has seen."""

    place: PortRef
    mac: str
    vlan: int | None = None
    how: SightingSource = "mac table"
    at: str | None = None

    def describe(self) -> str:
        """Return it as a phrase for people."""
        vlan = f", VLAN {self.vlan}" if self.vlan is not None else ""
        return f"{self.place.switch} {self.place.port} ({self.how}{vlan})"


class LldpNeighbour(msgspec.Struct, frozen=True):
    """What LLDP says is at the other end of a cable, in the neighbour's own words."""

    place: PortRef
    chassis: str
    remote_port: str
    name: str | None = None

    def describe(self) -> str:
        """Return it as a phrase for people."""
        return f"{self.name or self.chassis}, port {self.remote_port}"


class SwitchView(msgspec.Struct, frozen=True):
    """What one switch sees: its neighbours, and its MAC table. ``lldp``: whether it listens."""

    neighbours: tuple[LldpNeighbour, ...] = ()
    learnt: tuple[Seen, ...] = ()
    lldp: bool = True


class KnownSwitch(msgspec.Struct, frozen=True):
    """A registered switch: the MAC addresses that it says are its own, and its trunk ports."""

    name: str
    macs: frozenset[str] = frozenset()
    trunks: frozenset[PortRef] = frozenset()
    access: frozenset[PortRef] = frozenset()


class CablingRow(msgspec.Struct, frozen=True):
    """The verdict on one nic. ``seen`` is where it is, or was last."""

    nic: CabledNic
    state: CablingState
    why: str
    seen: Seen | None = None


class StrangerRow(msgspec.Struct, frozen=True):
    """A port, and what was heard on it that nobody registered."""

    place: PortRef
    macs: tuple[str, ...]
    neighbour: str | None


class ProposalRow(msgspec.Struct, frozen=True):
    """A MAC address that may be that of a nic registered without one."""

    nic: CabledNic
    mac: str


class LinkRow(msgspec.Struct, frozen=True):
    """A cable between two registered switches, as the first one's LLDP tells it."""

    place: PortRef
    peer: str
    peer_port: str


class CablingVerdict(msgspec.Struct, frozen=True):
    """All that follows from what some switches see."""

    rows: tuple[CablingRow, ...]
    strangers: tuple[StrangerRow, ...]
    proposals: tuple[ProposalRow, ...]
    links: tuple[LinkRow, ...]


def cabling(
    registered: Sequence[CabledNic],
    observed: Mapping[str, SwitchView],
    *,
    switches: Sequence[KnownSwitch] = (),
    unread: Mapping[str, str] | None = None,
    before: Mapping[str, Seen] | None = None,
) -> CablingVerdict:
    """Compare where nics are registered with where switches see them.

    ``unread``: why switches could not be read. ``before``: where nics were last seen by earlier
    checks, by their label. A nic that is not seen now is judged by that: parking a wrong port does
    not make it right.
    """
    return _Comparison(registered, observed, switches, unread or {}, before or {}).verdict()


class _Comparison:
    def __init__(
        self,
        registered: Sequence[CabledNic],
        observed: Mapping[str, SwitchView],
        switches: Sequence[KnownSwitch],
        unread: Mapping[str, str],
        before: Mapping[str, Seen],
    ) -> None:
        self._nics = registered
        self._observed = observed
        self._unread = unread
        self._by_mac = {nic.mac: nic for nic in registered if nic.mac is not None}
        self._by_place = {place: nic for nic in registered for place in nic.places}
        self._access = frozenset().union(*(known.access for known in switches))
        self._neighbours = [each for view in observed.values() for each in view.neighbours]
        self.links = _links(self._neighbours, switches)
        self._uplinks = frozenset().union(*(known.trunks for known in switches))
        self._uplinks |= {link.place for link in self.links}
        self._uplinks |= self._between_switches()
        self._heard: dict[PortRef, set[str]] = {}
        self._now: dict[str, list[Seen]] = {}
        self._node_at: dict[PortRef, str] = {}
        self._told: dict[PortRef, set[str]] = {}
        self._listen()
        self._last = {
            nic.label: seen
            for nic in registered
            if (seen := before.get(nic.label)) is not None and seen.mac == nic.mac
        }
        self._found_at: dict[PortRef, list[CabledNic]] = {}
        for nic in registered:
            for seen in self._where(nic):
                self._found_at.setdefault(seen.place, []).append(nic)

    def _between_switches(self) -> set[PortRef]:
        """Return unregistered ports at which nics of several nodes are heard: another switch is
        behind them."""
        nodes: dict[PortRef, set[str]] = {}
        for seen in self._learnt():
            if seen.mac in self._by_mac and seen.place not in self._access:
                nodes.setdefault(seen.place, set()).add(self._by_mac[seen.mac].node)
        return {place for place, found in nodes.items() if len(found) > 1}

    def _learnt(self) -> Iterable[Seen]:
        return (seen for view in self._observed.values() for seen in view.learnt)

    def _listen(self) -> None:
        for near in self._neighbours:
            mac = as_mac(near.remote_port)
            if mac is not None and mac in self._by_mac:
                self._see(Seen(near.place, mac, None, "lldp"))
            elif mac is not None:
                self._told.setdefault(near.place, set()).add(mac)
            if (owner := self._by_mac.get(as_mac(near.chassis) or "")) is not None:
                self._node_at[near.place] = owner.node
        for seen in self._learnt():
            if seen.place in self._uplinks:
                continue
            if seen.mac in self._by_mac:
                self._see(seen)
            else:
                self._heard.setdefault(seen.place, set()).add(seen.mac)

    def _see(self, seen: Seen) -> None:
        nic = self._by_mac[seen.mac]
        if all(other.place != seen.place for other in self._now.get(nic.label, ())):
            self._now.setdefault(nic.label, []).append(seen)

    def verdict(self) -> CablingVerdict:
        """Return all that follows."""
        return CablingVerdict(
            rows=tuple(self._row(nic) for nic in self._nics if self._concerns(nic)),
            strangers=tuple(self._strangers()),
            proposals=tuple(self._proposals()),
            links=self.links,
        )

    def _concerns(self, nic: CabledNic) -> bool:
        """Return whether anything that was read, or was to be read, is about a nic."""
        asked = {*self._observed, *self._unread}
        return nic.label in self._now or any(place.switch in asked for place in nic.places)

    # --- one nic ----------------------------------------------------------------------------------

    def _row(self, nic: CabledNic) -> CablingRow:
        for judge in (self._elsewhere, self._taken, self._at_home, self._not_heard):
            if (row := judge(nic)) is not None:
                return row
        return CablingRow(nic, "not_seen", _silence(nic), self._last.get(nic.label))

    def _where(self, nic: CabledNic) -> list[Seen]:
        """Return where a nic is seen now, or else where it was seen last."""
        last = self._last.get(nic.label)
        return self._now.get(nic.label) or ([last] if last is not None else [])

    def _elsewhere(self, nic: CabledNic) -> CablingRow | None:
        wrong = [seen for seen in self._where(nic) if seen.place not in nic.places]
        if not wrong or (not nic.places and not self._now.get(nic.label)):
            return None
        seen = wrong[0]
        when = f" at {seen.at}, and not since" if seen.at is not None else ""
        if not nic.places:
            why = f"seen on {seen.describe()}; no port is registered for it"
            return CablingRow(nic, "unknown", why, seen)
        why = f"seen on {seen.describe()}{when}, not on {nic.where}"
        return CablingRow(nic, "swapped", why, seen)

    def _taken(self, nic: CabledNic) -> CablingRow | None:
        """Judge a nic on whose port another nic, or another node, was seen."""
        for place in nic.places:
            others = [o.label for o in self._found_at.get(place, ()) if o.label != nic.label]
            node = self._node_at.get(place)
            if others:
                why = f"{others[0]} was seen on its port {place.switch} {place.port}"
            elif node is not None and node != nic.node:
                why = f"LLDP says that {node} is on its port {place.switch} {place.port}"
            else:
                continue
            return CablingRow(nic, "swapped", why, self._last.get(nic.label))
        return None

    def _at_home(self, nic: CabledNic) -> CablingRow | None:
        here = [seen for seen in self._now.get(nic.label, ()) if seen.place in nic.places]
        if not here:
            return None
        return CablingRow(nic, "right", f"seen on {here[0].describe()}", here[0])

    def _heard_by(self, nic: CabledNic) -> set[str]:
        """Return the addresses heard on a nic's ports that nobody registered."""
        return {mac for place in nic.places for mac in self._heard.get(place, ())}

    def _not_heard(self, nic: CabledNic) -> CablingRow | None:
        """Judge a nic of which it cannot be told whether it is where it should be."""
        last = self._last.get(nic.label)
        if not nic.places:
            return CablingRow(nic, "unknown", "no port is registered for it", last)
        unread = [place.switch for place in nic.places if place.switch in self._unread]
        if unread:
            why = f"{unread[0]} could not be read: {self._unread[unread[0]]}"
            return CablingRow(nic, "unknown", why, last)
        heard = ", ".join(sorted(self._heard_by(nic)))
        if nic.mac is None:
            said = f"{heard} was heard on its port" if heard else _silence(nic)
            return CablingRow(nic, "unknown", f"no MAC address is registered for it; {said}", last)
        if heard:
            why = f"{heard} was heard on its port, which nobody registered, and not {nic.mac}"
            return CablingRow(nic, "unknown", why, last)
        return None

    # --- what nobody registered -------------------------------------------------------------------

    def _strangers(self) -> Iterable[StrangerRow]:
        """Say what was heard on access ports that nobody registered.

        Behind a nic that is where it belongs, other addresses are those of its node's guests.
        """
        known = {near.place: near for near in self._neighbours if not self._registered(near)}
        for place in sorted(self._heard.keys() | known.keys()):
            nic = self._by_place.get(place)
            if place not in self._access or place in self._uplinks:
                continue
            if nic is not None and (nic.mac is None or self._at_home(nic) is not None):
                continue
            near = known.get(place)
            macs = tuple(sorted(self._heard.get(place, ())))
            yield StrangerRow(place, macs, near.describe() if near is not None else None)

    def _registered(self, near: LldpNeighbour) -> bool:
        return bool({as_mac(near.remote_port), as_mac(near.chassis)} & self._by_mac.keys())

    def _proposals(self) -> Iterable[ProposalRow]:
        """Propose addresses for nics without one: what LLDP names, or the only one heard."""
        for nic in self._nics:
            if nic.mac is not None or self._taken(nic) is not None:
                continue
            told = {mac for place in nic.places for mac in self._told.get(place, ())}
            found = told or self._heard_by(nic)
            if len(found) == 1:
                yield ProposalRow(nic, next(iter(found)))


def _silence(nic: CabledNic) -> str:
    if nic.parked:
        return "its port is parked, so nothing is heard there"
    return "nothing was heard on its port: the node is off, silent or not plugged in"


def _links(
    neighbours: Iterable[LldpNeighbour], switches: Sequence[KnownSwitch]
) -> tuple[LinkRow, ...]:
    """Return the cables between registered switches, which LLDP names by MAC address or by name.

    A port that hears several has more than a cable behind it.
    """
    by_mac = {mac: known.name for known in switches for mac in known.macs}
    names = {known.name for known in switches}
    found = {}
    for near in neighbours:
        said = (near.name or "").lower()
        name = said if said in names else said.partition(".")[0]
        peer = by_mac.get(as_mac(near.chassis) or "") or (name if name in names else None)
        if peer is not None and peer != near.place.switch:
            found[near.place, peer, near.remote_port] = LinkRow(near.place, peer, near.remote_port)
    return tuple(found[key] for key in sorted(found))


def as_mac(text: str) -> str | None:
    """Return a MAC address in any vendor's spelling as ``52:54:00:12:34:56``; None if it is none.

    Vendors write 0010.0de0.e289, 500000-260000 and 52-54-00-12-34-56 too.
    """
    digits = re.sub(r"[.:-]", "", text.strip()).lower()
    if not re.fullmatch(r"[0-9a-f]{12}", digits):
        return None
    return ":".join(digits[at : at + 2] for at in range(0, 12, 2))
