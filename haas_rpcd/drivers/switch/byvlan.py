"""What the families have in common in which ports are listed under VLANs, not VLANs under ports.

A port is on a VLAN because of a line in that VLAN's context (``vlan 100`` + ``untagged 1-24``), and
no line takes it off all others: it has to be taken off each by name. So what it carries is read
first (:attr:`Dialect.needs_current_config`).

A port that is on no VLAN falls back to the default VLAN, with all its like. So a port is shut while
it changes, and opened once every line was accepted; it stays open only where nothing can make it
fall back meanwhile (:meth:`ByVlan.keeps_open`). In between a shut port is on nothing but what it
was on, the default VLAN, and what it is to be on.
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
    """A port that is set: its canonical name, which change it is, what is wanted, what is there."""

    port: str
    at: int
    config: PortConfig
    now: PortConfig | None


class ByVlan(Dialect):
    """The base of the dialects in which ports join VLANs by lines under the VLAN."""

    needs_current_config = True
    leave_port = "exit"
    leave_vlan: ClassVar[str] = "exit"
    shut: ClassVar[str] = "shutdown"
    opened: ClassVar[str] = "no shutdown"

    leaves_all: ClassVar[bool] = False
    """Whether a port that is shut to be changed is taken off all VLANs, also those it is to be on
    afterwards: where what it is on decides what it can join."""

    most_named: ClassVar[int] = 8
    """Runs of ports that one line under a VLAN takes; 0: each port has a line of its own."""

    home_first: ClassVar[bool] = False
    """Whether a port has to be put on the default VLAN by name before it can leave its last one
    (else the switch does so by itself)."""

    # --- lines, for a family to say ---------------------------------------------------------------

    def enter_vlan(self, vlan: int) -> str:
        """Give the line that enters a VLAN's context."""
        return f"vlan {vlan}"

    def named(self, runs: Sequence[portnames.Span]) -> str:
        """Name several runs of ports in a line under a VLAN."""
        return ",".join(
            f"{run.prefix}{run.first}-{run.last}"
            if run.last > run.first
            else portnames.names(run)[0]
            for run in runs
        )

    def join(self, named: str, tagged: bool) -> str:
        """Give the line under a VLAN that puts ports on it."""
        return f"{'tagged' if tagged else 'untagged'} {named}"

    def leave(self, named: str, tagged: bool) -> str:
        """Give the line under a VLAN that takes ports off it."""
        return f"no {self.join(named, tagged)}"

    def leaves_home(self, options: Options) -> bool:
        """Whether a port that is to be tagged only has to be taken off the default VLAN by name.

        That is done once it is on another. Else the switch does so by itself.
        """
        return False

    def memberships(self, config: PortConfig, options: Options) -> frozenset[Membership]:
        """Say on which VLANs, and how, a port is listed that carries this."""
        places = {Membership(vlan, True) for vlan in config.tagged}
        if config.untagged is not None:
            places.add(Membership(config.untagged, False))
        return frozenset(places)

    def home(self, options: Options) -> Membership:
        """Say where a port is that is on no other VLAN. Option ``default_vlan``: not on VLAN 1."""
        vlan = options.get("default_vlan")
        return Membership(vlan if isinstance(vlan, int) else DEFAULT_VLAN, tagged=False)

    def leaving(
        self, now: PortConfig, config: PortConfig, options: Options
    ) -> frozenset[Membership]:
        """Say what a port is to be taken off by name: what it is not to be on any more, or all."""
        there = self.memberships(now, options) - {self.home(options)}
        if self.leaves_all and not self.keeps_open(now, config):
            return there
        return there - self.memberships(config, options)

    def before_leaving(self, now: PortConfig, config: PortConfig, options: Options) -> list[str]:
        """Give lines in the context of a port that is shut and still on its VLANs."""
        return []

    def before_joining(self, config: PortConfig, options: Options) -> list[str]:
        """Give lines in the context of a port that is shut and off what it is not to be on."""
        return []

    def after_joining(self, config: PortConfig, options: Options) -> list[str]:
        """Give lines in the context of a port that is still shut and on all its VLANs."""
        return []

    def keeps_open(self, now: PortConfig, config: PortConfig) -> bool:
        """Whether a port may stay as open as it is: at no time can it be on the default VLAN.

        By default, when what it carries without a tag stays and so does some tagged VLAN. Lines in
        a port's own context are not sent then.
        """
        return now == config or (
            now.untagged == config.untagged and not set(now.tagged).isdisjoint(config.tagged)
        )

    def clearing(self, config: PortConfig, options: Options) -> list[str] | None:
        """Give lines in the context of a shut port that make it carry nothing, whatever it is on.

        They may be refused for a port that is on something; then it stays shut. None where the
        family has no such lines: a port of which nothing is known is shut then, and nothing more.
        """
        return None

    # --- the script -------------------------------------------------------------------------------

    def port_script(
        self, changes: Mapping[int, SetPort], options: Options, now: Mapping[str, PortConfig]
    ) -> list[Stage]:
        """Shut the ports, take them off what they are on, put them on what they are to be on, open.

        Each is a stage of its own, so nothing opens unless all before it was accepted.
        """
        moving: list[_Change] = []
        staying: list[_Change] = []
        for index, change in changes.items():
            seen = now.get(change.port)
            one = _Change(self.canonical_port(change.port), index, change.config, seen)
            stays = seen is not None and self.keeps_open(seen, change.config)
            (staying if stays and not change.config.parked else moving).append(one)
        both = sorted([*moving, *staying], key=lambda one: one.at)
        known = [one for one in both if one.now is not None]
        strange = [
            one
            for one in both
            if one.now is None and self.clearing(one.config, options) is not None
        ]
        settled = [one for one in moving if one.now is not None and one.now != one.config]
        placed = sorted([*known, *strange], key=lambda one: one.at)
        stages: list[Stage] = [
            self._in_ports([(one, [self.shut]) for one in moving], options),
            self._in_ports(
                [(one, self.before_leaving(_now(one), one.config, options)) for one in settled],
                options,
            ),
            self._off(known, options),
            self._in_ports(
                [(one, self.clearing(one.config, options) or []) for one in strange], options
            ),
            self._in_ports(
                [(one, self.before_joining(one.config, options)) for one in (*settled, *strange)],
                options,
            ),
            self._on(placed, options),
            self._leave_home(placed, options),
            self._in_ports(
                [(one, self.after_joining(one.config, options)) for one in (*settled, *strange)],
                options,
            ),
            self._in_ports(
                [(one, [self.opened]) for one in placed if not one.config.parked], options
            ),
        ]
        return [stage for stage in stages if stage]

    def _in_ports(self, wanted: Iterable[tuple[_Change, list[str]]], options: Options) -> Stage:
        """Set lines in ports' own contexts; those with the same lines together."""
        stage: dict[tuple[str, ...], dict[str, int]] = {}
        for one, lines in wanted:
            if lines:
                stage.setdefault(tuple(lines), {})[one.port] = one.at
        return self._port_blocks(stage, options)

    def _off(self, changes: Sequence[_Change], options: Options) -> Stage:
        places: dict[Membership, list[_Change]] = {}
        homeward: list[_Change] = []
        for one in changes:
            there = self.memberships(_now(one), options)
            leaving = self.leaving(_now(one), one.config, options)
            if self.home_first and leaving and leaving == there:
                homeward.append(one)
            for place in leaving:
                places.setdefault(place, []).append(one)
        blocks = list(self._under(self.home(options), homeward, options, join=True))
        for place in sorted(places):
            # A port that was put on the default VLAN by name left what it was on untagged.
            staying = [one for one in places[place] if place.tagged or one not in homeward]
            blocks += self._under(place, staying, options, join=False)
        return blocks

    def _on(self, changes: Sequence[_Change], options: Options) -> Stage:
        places: dict[Membership, list[_Change]] = {}
        for one in changes:
            there = frozenset[Membership]()
            if one.now is not None:
                there = self.memberships(one.now, options)
                there -= self.leaving(one.now, one.config, options)
            for place in self.memberships(one.config, options) - there:
                places.setdefault(place, []).append(one)
        return [
            block
            for place in sorted(places, key=lambda place: (place.tagged, place.vlan))
            for block in self._under(place, places[place], options, join=True)
        ]

    def _leave_home(self, changes: Sequence[_Change], options: Options) -> Stage:
        fallen = [
            one
            for one in changes
            if self.leaves_home(options)
            and one.config.untagged is None
            and one.config.tagged
            and (one.now is None or not self.keeps_open(one.now, one.config))
        ]
        return list(self._under(self.home(options), fallen, options, join=False))

    def _under(
        self, place: Membership, changes: Sequence[_Change], options: Options, *, join: bool
    ) -> Iterator[Block]:
        """Put ports on a VLAN or take them off, as many in a line as it takes."""
        indexes = {one.port: one.at for one in changes}
        for ports, named in self.name_ports(list(indexes), options):
            line = self.join(named, place.tagged) if join else self.leave(named, place.tagged)
            yield Block(
                tuple(sorted(indexes[port] for port in ports)),
                (line,),
                self.enter_vlan(place.vlan),
                self.leave_vlan,
            )

    def name_ports(
        self, ports: Collection[str], options: Options
    ) -> Iterator[tuple[tuple[str, ...], str]]:
        """Name ports in lines under a VLAN: the ports of each line, and its text."""
        single = not self.most_named or options.get("ranges") is False
        for runs in portnames.grouped(list(ports), 1 if single else self.most_named):
            names = [name for run in runs for name in portnames.names(run)]
            if not single:
                yield tuple(names), self.named(runs)
                continue
            for name in names:
                [run] = portnames.spans([name])
                yield (name,), self.named([run])


def _now(change: _Change) -> PortConfig:
    if change.now is None:
        raise ValueError(f"it is not known what {change.port} carries")
    return change.now
