"""The base of families that list ports under VLANs, instead of VLANs under ports.

A port joins a VLAN by a line in that VLAN's context (``vlan 100``, ``untagged 1-24``). No line
removes it from all other VLANs, so it must be removed from each by name, and its current
configuration is read first (:attr:`Dialect.needs_current_config`).

A port that is on no VLAN falls back to the default VLAN, together with all others in that state.
Therefore a port is shut while it changes, and opened after every line was accepted. It stays open
only if it cannot fall back meanwhile (:meth:`ByVlan.can_stay_open`). While it changes, a shut port
is only on its old VLANs, the default VLAN and its new VLANs.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import ClassVar, NamedTuple

from haas_rpcd.drivers.switch import portnames
from haas_rpcd.drivers.switch.dialect import Dialect, Options
from haas_rpcd.drivers.switch.script import Block, Stage
from haas_rpcd.model import PortConfig, SetPort

DEFAULT_VLAN = 1


class Membership(NamedTuple):
    """A port's place on a VLAN."""

    vlan: int
    tagged: bool


class _Change(NamedTuple):
    """A port to be set. ``port`` is its canonical name, ``change`` the index of its change.

    ``current`` is None if the port's configuration is unknown.
    """

    port: str
    change: int
    config: PortConfig
    current: PortConfig | None


class ByVlan(Dialect):
    """The base of the dialects in which ports join VLANs by lines under the VLAN."""

    needs_current_config = True
    leave_port = "exit"
    leave_vlan: ClassVar[str] = "exit"
    shut_line: ClassVar[str] = "shutdown"
    open_line: ClassVar[str] = "no shutdown"

    leave_all_first: ClassVar[bool] = False
    """True if a port that is shut for a change leaves all its VLANs, even those it will be on
    afterwards, because its present VLANs restrict which ones it can join."""

    max_spans: ClassVar[int] = 8
    """Spans of ports that one line under a VLAN takes; 0: each port has a line of its own."""

    join_default_first: ClassVar[bool] = False
    """True if a port must join the default VLAN by name before it can leave its last VLAN. On other
    families the switch does this by itself."""

    # --- lines, for a family to define ------------------------------------------------------------

    def enter_vlan(self, vlan: int) -> str:
        """Return the line that enters a VLAN's context."""
        return f"vlan {vlan}"

    def port_list(self, spans: Sequence[portnames.Span]) -> str:
        """Write several spans of ports as a line under a VLAN takes them."""
        return portnames.joined(spans)

    def join_line(self, ports: str, tagged: bool) -> str:
        """Return the line under a VLAN that adds ports to it."""
        return f"{'tagged' if tagged else 'untagged'} {ports}"

    def leave_line(self, ports: str, tagged: bool) -> str:
        """Return the line under a VLAN that removes ports from it."""
        return f"no {self.join_line(ports, tagged)}"

    def must_leave_default(self, options: Options) -> bool:
        """Return whether a tagged-only port must leave the default VLAN by name.

        This is done after it joined another VLAN. On other families the switch does it by itself.
        """
        return False

    def memberships(self, config: PortConfig, options: Options) -> frozenset[Membership]:
        """Return under which VLANs, and how, a port with this configuration is listed."""
        places = {Membership(vlan, True) for vlan in config.tagged}
        if config.untagged is not None:
            places.add(Membership(config.untagged, False))
        return frozenset(places)

    def default_membership(self, options: Options) -> Membership:
        """Return where a port falls back to: VLAN 1, or the one in option ``default_vlan``."""
        vlan = options.get("default_vlan")
        return Membership(vlan if isinstance(vlan, int) else DEFAULT_VLAN, tagged=False)

    def memberships_to_leave(
        self, current: PortConfig, config: PortConfig, options: Options
    ) -> frozenset[Membership]:
        """Return what a port must leave by name: all that it must not keep, or all of it."""
        present = self.memberships(current, options) - {self.default_membership(options)}
        if self.leave_all_first and not self.can_stay_open(current, config):
            return present
        return present - self.memberships(config, options)

    def before_leaving(
        self, current: PortConfig, config: PortConfig, options: Options
    ) -> list[str]:
        """Return lines for a port's context while it is shut and still on its old VLANs."""
        return []

    def before_joining(self, config: PortConfig, options: Options) -> list[str]:
        """Return lines for a port's context while it is shut, after it left its old VLANs."""
        return []

    def after_joining(self, config: PortConfig, options: Options) -> list[str]:
        """Return lines for a port's context while it is still shut, after it joined all VLANs."""
        return []

    def can_stay_open(self, current: PortConfig, config: PortConfig) -> bool:
        """Return whether a port can stay open, because it never falls back to the default VLAN.

        By default: if its untagged VLAN stays the same, and at least one tagged VLAN remains. No
        lines are sent in the port's own context then.
        """
        return current == config or (
            current.untagged == config.untagged
            and not set(current.tagged).isdisjoint(config.tagged)
        )

    def clear_lines(self, config: PortConfig, options: Options) -> list[str] | None:
        """Return lines for a shut port's context that remove it from every VLAN it is on.

        The switch may refuse them for a port that is on a VLAN; it then stays shut. None if the
        family has no such lines: then a port in an unknown state is shut, and nothing more.
        """
        return None

    # --- the script -------------------------------------------------------------------------------

    def port_script(
        self, changes: Mapping[int, SetPort], options: Options, current: Mapping[str, PortConfig]
    ) -> list[Stage]:
        """Shut the ports, leave the old VLANs, join the new ones, open the ports.

        Each is a stage of its own, so no port opens unless everything before was accepted.
        """
        moving: list[_Change] = []
        staying: list[_Change] = []
        for index, change in changes.items():
            seen = current.get(change.port)
            one = _Change(self.canonical_port(change.port), index, change.config, seen)
            stays = seen is not None and self.can_stay_open(seen, change.config)
            (staying if stays and not change.config.parked else moving).append(one)
        every = sorted([*moving, *staying], key=lambda one: one.change)
        known = [one for one in every if one.current is not None]
        cleared = [
            one
            for one in every
            if one.current is None and self.clear_lines(one.config, options) is not None
        ]
        changed = [one for one in moving if one.current is not None and one.current != one.config]
        placed = sorted([*known, *cleared], key=lambda one: one.change)
        stages: list[Stage] = [
            self._in_ports([(one, [self.shut_line]) for one in moving], options),
            self._in_ports(
                [(one, self.before_leaving(_current(one), one.config, options)) for one in changed],
                options,
            ),
            self._leave_stage(known, options),
            self._in_ports(
                [(one, self.clear_lines(one.config, options) or []) for one in cleared], options
            ),
            self._in_ports(
                [(one, self.before_joining(one.config, options)) for one in (*changed, *cleared)],
                options,
            ),
            self._join_stage(placed, options),
            self._leave_default_stage(placed, options),
            self._in_ports(
                [(one, self.after_joining(one.config, options)) for one in (*changed, *cleared)],
                options,
            ),
            self._in_ports(
                [(one, [self.open_line]) for one in placed if not one.config.parked], options
            ),
        ]
        return [stage for stage in stages if stage]

    def _in_ports(self, wanted: Iterable[tuple[_Change, list[str]]], options: Options) -> Stage:
        """Send lines in ports' own contexts; ports with the same lines share a context."""
        stage: dict[tuple[str, ...], dict[str, int]] = {}
        for one, lines in wanted:
            if lines:
                stage.setdefault(tuple(lines), {})[one.port] = one.change
        return self._port_blocks(stage, options)

    def _leave_stage(self, changes: Sequence[_Change], options: Options) -> Stage:
        places: dict[Membership, list[_Change]] = {}
        to_default: list[_Change] = []
        for one in changes:
            present = self.memberships(_current(one), options)
            leaving = self.memberships_to_leave(_current(one), one.config, options)
            if self.join_default_first and leaving and leaving == present:
                to_default.append(one)
            for place in leaving:
                places.setdefault(place, []).append(one)
        blocks = list(
            self._under_vlan(self.default_membership(options), to_default, options, join=True)
        )
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
                kept -= self.memberships_to_leave(one.current, one.config, options)
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
        place = self.default_membership(options)
        return list(self._under_vlan(place, fallen_back, options, join=False))

    def _under_vlan(
        self, place: Membership, changes: Sequence[_Change], options: Options, *, join: bool
    ) -> Iterator[Block]:
        """Add ports to a VLAN or remove them, as many per line as it takes."""
        indexes = {one.port: one.change for one in changes}
        give = self.join_line if join else self.leave_line
        for ports, named in self.name_ports(list(indexes), options):
            yield Block(
                tuple(sorted(indexes[port] for port in ports)),
                (give(named, place.tagged),),
                self.enter_vlan(place.vlan),
                self.leave_vlan,
            )

    def name_ports(
        self, ports: Collection[str], options: Options
    ) -> Iterator[tuple[tuple[str, ...], str]]:
        """Yield groups of ports, each with its text in a line under a VLAN."""
        single = not self.max_spans or options.get("ranges") is False
        for spans in portnames.grouped(list(ports), 1 if single else self.max_spans):
            names = [name for span in spans for name in span.names]
            if not single:
                yield tuple(names), self.port_list(spans)
                continue
            for name in names:
                yield (name,), self.port_list(list(portnames.spans([name])))


def _current(one: _Change) -> PortConfig:
    if one.current is None:
        raise ValueError(f"the configuration of {one.port} is not known")
    return one.current
