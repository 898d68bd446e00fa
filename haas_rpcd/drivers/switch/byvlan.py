"""Writes lines for families that list ports under VLANs, instead of VLANs under ports.

A port joins a VLAN by a line in that VLAN's context (``vlan 100``, ``untagged 1-24``). No line
removes it from all other VLANs, so it must be removed from each by name, and its current
configuration is read first (:attr:`Writer.needs_current`).

A port that is on no VLAN falls back to the default VLAN, together with all others in that state.
Therefore a port is shut while it changes, and opened after it was read back. It stays open only if
it cannot fall back meanwhile (:attr:`ByVlan.can_stay_open`). While it changes, a shut port is only
on its old VLANs, the default VLAN and its new VLANs.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from haas_rpcd.drivers.switch import portnames
from haas_rpcd.drivers.switch.portnames import Span
from haas_rpcd.drivers.switch.script import Block, Effect, Stage
from haas_rpcd.drivers.switch.state import PortState
from haas_rpcd.drivers.switch.writer import (
    Current,
    Grouping,
    Options,
    PortContexts,
    Ports,
    alike,
    grouped,
)
from haas_rpcd.model import PortConfig

DEFAULT_VLAN = 1


class Membership(NamedTuple):
    """A port's place on a VLAN."""

    vlan: int
    tagged: bool


class _Change(NamedTuple):
    """A port to be set. ``port`` is its canonical name, ``change`` the index of its change.

    ``present`` is None if the port's state is unknown. A port that ``stays`` open need not be shut.
    """

    port: str
    change: int
    config: PortConfig
    present: PortState | None
    stays: bool

    @property
    def current(self) -> PortConfig | None:
        """What it is configured to carry; None if that is unknown."""
        return None if self.present is None else self.present.config

    @property
    def is_open(self) -> bool:
        """True unless it is known to be shut."""
        return self.present is None or self.present.open


def enter_vlan(vlan: int) -> str:
    """Return the line that enters a VLAN's context in most families."""
    return f"vlan {vlan}"


def default_membership(options: Options) -> Membership:
    """Return where a port falls back to: VLAN 1, or the one in option ``default_vlan``."""
    vlan = options.get("default_vlan")
    return Membership(vlan if isinstance(vlan, int) else DEFAULT_VLAN, tagged=False)


def listed_under(config: PortConfig, options: Options) -> frozenset[Membership]:
    """Return under which VLANs, and how, a port with this configuration is listed."""
    places = {Membership(vlan, True) for vlan in config.tagged}
    if config.untagged is not None:
        places.add(Membership(config.untagged, False))
    return frozenset(places)


def keeps_untagged(current: PortConfig, config: PortConfig) -> bool:
    """Return whether a port's untagged VLAN stays the same, and at least one tagged VLAN remains.

    Then it never falls back to the default VLAN.
    """
    return current == config or (
        current.untagged == config.untagged and not set(current.tagged).isdisjoint(config.tagged)
    )


def no_lines(config: PortConfig, options: Options) -> list[str]:
    """Return no lines."""
    return []


@dataclass(frozen=True, kw_only=True)
class ByVlan:
    """A :data:`writer.PortScript`: ports join and leave VLANs by lines under the VLANs."""

    canonical: Callable[[str], str]
    contexts: PortContexts
    shut_line: str = "shutdown"
    open_line: str = "no shutdown"

    # --- lines under a VLAN ---
    enter_vlan: Callable[[int], str] = enter_vlan
    leave_vlan: str = "exit"
    port_list: Callable[[Sequence[Span]], str] = portnames.joined
    """Writes several spans of ports as a line under a VLAN takes them."""

    max_spans: int = 8
    """Spans of ports that one line under a VLAN takes."""

    kind: Grouping = alike
    """Only ports of the same kind are named in one line under a VLAN."""

    memberships: Callable[[PortConfig, Options], frozenset[Membership]] = listed_under
    """Returns under which VLANs, and how, a port with this configuration is listed."""

    # --- the family's rules ---
    leave_all_first: bool = False
    """True if a port that is shut for a change leaves all its VLANs, even those it will be on
    afterwards, because its present VLANs restrict which ones it can join."""

    join_default_first: bool = False
    """True if a port must join the default VLAN by name before it can leave its last VLAN. On other
    families the switch does this by itself."""

    must_leave_default: Callable[[Options], bool] = field(default=lambda options: False)
    """Returns whether a tagged-only port must leave the default VLAN by name.

    This is done after it joined another VLAN. On other families the switch does it by itself."""

    can_stay_open: Callable[[PortConfig, PortConfig], bool] = keeps_untagged
    """Returns whether a port can stay open, because it never falls back to the default VLAN.

    No lines are sent in the port's own context then."""

    to_leave: (
        Callable[[frozenset[Membership], frozenset[Membership], PortConfig], frozenset[Membership]]
        | None
    ) = None
    """Returns what a port with the first memberships must leave by name before it can have the
    second ones. The default VLAN is not among the first. None: all that it must not keep, or all of
    them."""

    # --- lines in the context of a port ---
    no_voice_vlan: tuple[str, ...] = ()
    """Lines that remove a telephone's VLAN, also from a port whose configuration is unknown."""

    # --- lines in the context of a port that is shut ---
    before_leaving: Callable[[PortConfig, Options], list[str]] = no_lines
    """Returns lines for a port that is still on its old VLANs, from those."""

    before_joining: Callable[[PortConfig, Options], list[str]] = no_lines
    """Returns lines for a port that has left its old VLANs, for its new configuration."""

    after_joining: Callable[[PortConfig, Options], list[str]] = no_lines
    """Returns lines for a port that has joined all its VLANs."""

    clear: tuple[str, ...] = ()
    """Lines that remove a port from every VLAN it is on.

    The switch may refuse them for a port that is on a VLAN; it then stays shut. Without such lines
    a port in an unknown state is shut, and nothing more."""

    def __call__(self, changes: Ports, options: Options, current: Current) -> list[Stage]:
        """Shut the ports, leave the old VLANs, join the new ones, open the ports.

        Each is a stage of its own, so no port opens unless everything before was accepted.
        """
        every: list[_Change] = []
        for index, change in changes.items():
            seen, config = current.get(change.port), change.config
            stays = (
                seen is not None and not config.parked and self.can_stay_open(seen.config, config)
            )
            every.append(_Change(self.canonical(change.port), index, config, seen, stays))
        every.sort(key=lambda one: one.change)
        staying = [one for one in every if one.stays]
        moving = [one for one in every if not one.stays]
        known = [one for one in every if one.current is not None]
        cleared = [one for one in every if one.current is None and self.clear]
        changed = [one for one in moving if one.current is not None and one.current != one.config]
        placed = sorted([*known, *cleared], key=lambda one: one.change)
        moved = (*changed, *cleared)
        shut = [one for one in moving if one.is_open or one.config.parked]
        is_shut = [one for one in moving if one not in shut]
        opened = [one for one in placed if not one.config.parked]
        stages: list[Stage] = [
            self._in_ports(
                [(one, [self.shut_line, *self.no_voice_vlan]) for one in shut], options, "shuts"
            ),
            self._in_ports(
                [(one, self.no_voice_vlan) for one in (*is_shut, *staying) if _changes(one)],
                options,
            ),
            self._in_ports(
                [(one, self.before_leaving(_current(one), options)) for one in changed], options
            ),
            self._leave_stage(known, options),
            self._in_ports([(one, self.clear) for one in cleared], options),
            self._in_ports(
                [(one, self.before_joining(one.config, options)) for one in moved], options
            ),
            self._join_stage(placed, options),
            self._leave_default_stage(placed, options),
            self._in_ports(
                [(one, self.after_joining(one.config, options)) for one in moved], options
            ),
            self._in_ports(
                [(one, [self.open_line]) for one in opened if not one.stays or not one.is_open],
                options,
                "opens",
            ),
        ]
        return [stage for stage in stages if stage]

    def _in_ports(
        self,
        wanted: Iterable[tuple[_Change, Sequence[str]]],
        options: Options,
        effect: Effect = "",
    ) -> Stage:
        """Send lines in ports' own contexts."""
        return self.contexts.stage(
            ((one.port, one.change, lines) for one, lines in wanted), options, effect
        )

    def _leaves(
        self, current: PortConfig, config: PortConfig, options: Options
    ) -> frozenset[Membership]:
        """Return what a port must leave by name."""
        present = self.memberships(current, options) - {default_membership(options)}
        wanted = self.memberships(config, options)
        if self.to_leave is not None:
            return self.to_leave(present, wanted, config)
        if self.leave_all_first and not self.can_stay_open(current, config):
            return present
        return present - wanted

    def _leave_stage(self, changes: Sequence[_Change], options: Options) -> Stage:
        places: dict[Membership, list[_Change]] = {}
        to_default: list[_Change] = []
        for one in changes:
            present = self.memberships(_current(one), options)
            leaving = self._leaves(_current(one), one.config, options)
            if self.join_default_first and leaving and leaving == present:
                to_default.append(one)
            for place in leaving:
                places.setdefault(place, []).append(one)
        blocks = list(self._under_vlan(default_membership(options), to_default, options, join=True))
        for place in sorted(places):
            # A port that joined the default VLAN by name has left its untagged VLAN already.
            remaining = [one for one in places[place] if place.tagged or one not in to_default]
            blocks += self._under_vlan(place, remaining, options, join=False)
        return blocks

    def _join_stage(self, changes: Sequence[_Change], options: Options) -> Stage:
        places: dict[Membership, list[_Change]] = {}
        for one in changes:
            kept = frozenset[Membership]()
            if one.current is not None:
                kept = self.memberships(one.current, options)
                kept -= self._leaves(one.current, one.config, options)
            for place in self.memberships(one.config, options) - kept:
                places.setdefault(place, []).append(one)
        return [
            block
            for place in sorted(places, key=lambda place: (place.tagged, place.vlan))
            for block in self._under_vlan(place, places[place], options, join=True)
        ]

    def _leave_default_stage(self, changes: Sequence[_Change], options: Options) -> Stage:
        fallen_back = [
            one
            for one in changes
            if self.must_leave_default(options)
            and one.config.untagged is None
            and one.config.tagged
            and (one.current is None or not self.can_stay_open(one.current, one.config))
        ]
        place = default_membership(options)
        return list(self._under_vlan(place, fallen_back, options, join=False))

    def _under_vlan(
        self, place: Membership, changes: Sequence[_Change], options: Options, *, join: bool
    ) -> Iterator[Block]:
        """Add ports to a VLAN or remove them, as many per line as it takes."""
        indexes = {one.port: one.change for one in changes}
        verb = f"{'' if join else 'no '}{'tagged' if place.tagged else 'untagged'}"
        for ports, named in self._named(list(indexes), options):
            yield Block(
                tuple(sorted(indexes[port] for port in ports)),
                (f"{verb} {named}",),
                self.enter_vlan(place.vlan),
                self.leave_vlan,
            )

    def _named(
        self, ports: Collection[str], options: Options
    ) -> Iterator[tuple[tuple[str, ...], str]]:
        """Yield groups of ports, each with its text in a line under a VLAN."""
        single = options.get("ranges") is False
        for same in grouped(ports, self.kind):
            for spans in portnames.grouped(same, 1 if single else self.max_spans):
                names = tuple(name for span in spans for name in span.names)
                if not single:
                    yield names, self.port_list(spans)
                    continue
                for name in names:
                    yield (name,), self.port_list(list(portnames.spans([name])))


def _changes(one: _Change) -> bool:
    return one.current != one.config


def _current(one: _Change) -> PortConfig:
    if one.current is None:
        raise ValueError(f"the configuration of {one.port} is not known")
    return one.current
