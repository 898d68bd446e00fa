"""Turns wanted changes into lines: ports and VLANs, in stages. Without I/O.

One rule binds every family: after *each* line, a port carries no VLAN that is in neither its old
nor its new configuration. Lines are sent ahead of their answers, so the rule must also hold if a
line is refused and the next few are still carried out. Two means achieve this:

* A port's lines come in *stages*. A stage starts only after every line of the previous stage was
  accepted, for all ports that are set together. A line that opens a port, or that activates what
  earlier lines prepared, is in a stage of its own.
* Each context (``interface …``) is left before the next one is entered
  (:attr:`PortContexts.leave`). If entering is refused, the lines meant for the context are refused
  too, instead of changing the port before.

A switch may also accept a line and not carry it out. So a port that goes from shut to open has a
stage for that alone, before which it is read back; see :mod:`haas_rpcd.drivers.switch.parts`. A
port stays open only where no line that might be ignored decides what it carries
(:func:`stays_open`).
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple

from haas_rpcd.drivers.switch import portnames
from haas_rpcd.drivers.switch.channels import ChannelLines
from haas_rpcd.drivers.switch.portnames import Span
from haas_rpcd.drivers.switch.script import Block, Effect, Line, Stage, script
from haas_rpcd.drivers.switch.state import PortState
from haas_rpcd.model import PARKED, Channel, PortConfig, SetPort, SetVlan

Options = Mapping[str, Any]
"""The options that a switch is registered with."""

Ports = Mapping[int, SetPort]
"""Ports to be set, by the indexes of their changes."""

Vlans = Mapping[int, SetVlan]
"""VLANs to be created and removed, by the indexes of their changes."""

Current = Mapping[str, PortState]
"""The present state of ports, by their names in the changes; without those not understood."""

PortScript = Callable[[Ports, Options, Current], list[Stage]]
"""Returns the stages that make several ports carry exactly what they should (parked: shut, and
nothing)."""

VlanScript = Callable[[Vlans, Options], list[Stage]]
"""Returns the stages that create and remove VLANs. They start and end outside of any context."""


class PortStages(NamedTuple):
    """The lines that make a port carry something else, in the order in which they are sent.

    They are typed in the context of the port, or of several ports that get the same lines.
    """

    shut: Sequence[str] = ()
    """Lines that shut the port. It is read back before anything else is set."""

    settings: Sequence[Sequence[str]] = ()
    """Stages that set its VLANs, and whatever else must be set."""

    open: Sequence[str] = ()
    """Lines that open it, after it was read back. None for a port that stays open, or is parked."""


StagesOf = Callable[[PortState | None, PortConfig, Options], PortStages]
"""Returns the lines that give a port in this state (None: unknown) another configuration."""

VlanLines = Callable[[int, bool, Options], list[str]]
"""Returns the lines that create a VLAN, or remove it."""

Grouping = Callable[[str], str]
"""Returns what ports must have in common to be named in one line."""

MAX_LIST = 180
"""Characters of a list of VLANs on one line, at most."""


@dataclass(frozen=True, kw_only=True)
class Writer:
    """How one family of switches is configured."""

    ports: PortScript
    vlans: VlanScript = field(default=lambda changes, options: [])
    """By default: a VLAN exists as soon as a port carries it."""

    commit: tuple[str, ...] = ()
    """Lines that activate the typed configuration, in families that need a commit.

    Ports that are opened in a stage of their own are opened by a second commit."""

    candidate: Callable[[Options], list[str]] | None = None
    """Returns lines that show what the commit would activate, in the form of the reader's
    ``read_ports``, typed where the configuration is. It is read before each commit."""

    abort: tuple[str, ...] = ()
    """Lines that discard what was typed but not committed."""

    needs_current: Literal["never", "joining", "always"] = "never"
    """Whether a port is read before it changes, because its lines depend on its present state:
    which VLANs are removed by name, and whether it is open. ``joining``: only if it will not be
    parked."""

    parked_config: PortConfig = PARKED
    """Configuration left on a parked (shut) port. Most families leave none; those that always keep
    one VLAN keep the default VLAN."""

    def script(
        self,
        changes: Sequence[SetPort | SetVlan],
        options: Options,
        current: Current | None = None,
    ) -> list[Line]:
        """Return the lines for several changes: first all VLANs, then all ports.

        ``current`` has the ports' states if :attr:`needs_current` (for a preview: those last
        confirmed).
        """
        ports = {i: change for i, change in enumerate(changes) if isinstance(change, SetPort)}
        vlans = {i: change for i, change in enumerate(changes) if isinstance(change, SetVlan)}
        stages = self.vlans(vlans, options) if vlans else []
        stages += self.ports(ports, options, current or {}) if ports else []
        if self.commit and any(stages):
            effect: Effect = "commits" if self.candidate and ports else ""
            commit = [Block(tuple(range(len(changes))), self.commit, effect=effect)]
            opening = [stage for stage in stages if any(one.effect == "opens" for one in stage)]
            prepared = [stage for stage in stages if stage not in opening]
            first = [*prepared, commit] if prepared or not opening else []
            stages = [*first, *([*opening, commit] if opening else [])]
        return script(stage for stage in stages if stage)


# --- ports that have contexts ---------------------------------------------------------------------


def interface_range(spans: Sequence[Span]) -> str:
    """Return the line by which most families enter the context of several ports."""
    return f"interface range {portnames.joined(spans)}"


def alike(port: str) -> str:
    """The grouping of families that can name any ports in one line: all get the same key."""
    return ""


@dataclass(frozen=True, kw_only=True)
class PortContexts:
    """How the contexts of ports are entered and left (``interface P``, ``exit``)."""

    leave: str = ""
    max_ranges: int = 0
    """Spans of ports that one context takes; 0: each port is entered by itself."""

    range_line: Callable[[Sequence[Span]], str] = interface_range
    """Returns the line that enters the context of several ports."""

    kind: Grouping = alike
    """Only ports of the same kind share a context."""

    def entered(
        self, ports: Sequence[str], options: Options
    ) -> Iterator[tuple[tuple[str, ...], str]]:
        """Yield groups of ports, each with the line that enters their common context."""
        if not self.max_ranges or options.get("ranges") is False:
            for port in ports:
                yield (port,), f"interface {port}"
            return
        for same in grouped(ports, self.kind):
            for spans in portnames.grouped(same, self.max_ranges):
                named = tuple(name for span in spans for name in span.names)
                single = len(named) == 1
                yield named, f"interface {named[0]}" if single else self.range_line(spans)

    def stage(
        self,
        wanted: Iterable[tuple[str, int, Sequence[str]]],
        options: Options,
        effect: Effect = "",
    ) -> Stage:
        """Return the blocks that type lines in the contexts of ports.

        ``wanted``: ports, each with the index of its change and its lines, if it has any. Ports
        with the same lines share a context.
        """
        alike: dict[tuple[str, ...], dict[str, int]] = {}
        for port, index, lines in wanted:
            if lines:
                alike.setdefault(tuple(lines), {})[port] = index
        blocks = [
            Block(tuple(sorted(indexes[port] for port in ports)), lines, enter, self.leave, effect)
            for lines, indexes in alike.items()
            for ports, enter in self.entered(list(indexes), options)
        ]
        blocks.sort(key=lambda block: block.changes[-1])
        return blocks


@dataclass(frozen=True)
class InContexts:
    """A :data:`PortScript`: each port is set in its context; those with the same lines together."""

    stages: StagesOf
    contexts: PortContexts
    channels: ChannelLines | None = None

    def __call__(self, changes: Ports, options: Options, current: Current) -> list[Stage]:
        """Return the stages that set several ports; the last removes channels."""
        removed = {index: one for index, one in changes.items() if removes(one)}
        wanted = [
            (change.port, index, self._lines(change, current.get(change.port), options))
            for index, change in changes.items()
            if index not in removed
        ]
        made = {change.port for change in changes.values() if change.is_channel}

        def stage(lines_of: Callable[[PortStages], Sequence[str]], effect: Effect = "") -> Stage:
            given = [(port, index, lines_of(lines)) for port, index, lines in wanted]
            return self._stage(given, made, options, effect)

        def settings(at: int) -> Callable[[PortStages], Sequence[str]]:
            return lambda lines: lines.settings[at] if at < len(lines.settings) else ()

        deepest = max((len(lines.settings) for _, _, lines in wanted), default=0)
        stages = [
            stage(lambda lines: lines.shut, "shuts"),
            *(stage(settings(at)) for at in range(deepest)),
            stage(lambda lines: lines.open, "opens"),
            [
                Block((index,), tuple(self.channels.remove(change.channel)))
                for index, change in removed.items()
                if self.channels and change.channel and not is_gone(current.get(change.port))
            ],
        ]
        return [stage for stage in stages if stage]

    def _stage(
        self,
        given: Sequence[tuple[str, int, Sequence[str]]],
        channels: Container[str],
        options: Options,
        effect: Effect,
    ) -> Stage:
        """Return a stage in which channels are entered one by one: a range of them must exist."""
        one_by_one = replace(self.contexts, max_ranges=0)
        blocks = self.contexts.stage(
            [each for each in given if each[0] not in channels], options, effect
        ) + one_by_one.stage([each for each in given if each[0] in channels], options, effect)
        return sorted(blocks, key=lambda block: block.changes[-1])

    def _lines(self, change: SetPort, state: PortState | None, options: Options) -> PortStages:
        lines = self.stages(state, change.config, options)
        if self.channels is None or change.channel is None:
            return lines
        return bundled(self.channels, change, change.channel, state, lines)


def removes(change: SetPort) -> bool:
    """Return whether a change removes a channel."""
    return change.is_channel and change.config.parked


def is_gone(state: PortState | None) -> bool:
    """Return whether a channel in this state was seen not to exist; see ``SwitchReader.before``."""
    return state is not None and not state.open and state.config.parked


def bundled(
    channels: ChannelLines,
    change: SetPort,
    channel: Channel,
    state: PortState | None,
    lines: PortStages,
) -> PortStages:
    """Return the lines for a channel, or for a port that becomes a member or leaves.

    ``lines`` are those for a port by itself. A member is only made of a port that is shut.
    """
    if change.is_channel:
        return lines._replace(settings=[channels.make(channel), *lines.settings])
    if change.config.parked:
        first, *others = lines.settings
        return lines._replace(settings=[[*channels.leave(channel), *first], *others])
    is_member = state is not None and state.config.member == channel
    if state is not None and state.open and is_member:
        return lines if channels.own_vlans else PortStages()
    own = lines.settings if channels.own_vlans or (channels.joins_alike and not is_member) else ()
    is_shut = state is not None and not state.open
    shut = () if is_shut else channels.shut
    return PortStages(shut, [*own, channels.join(channel)], channels.open)


def stays_open(current: PortState | None, config: PortConfig) -> bool:
    """Return whether a port may stay open while it gets this configuration.

    It may if it has VLANs, and stays an access port or a trunk. Whichever line is ignored then, it
    carries only its old and its new VLANs. A change of the mode would activate what earlier lines
    prepared, and what nobody removed.
    """
    return (
        current is not None
        and current.open
        and not (current.config.parked or config.parked)
        and bool(current.config.tagged) == bool(config.tagged)
    )


# --- VLANs ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class VlanByVlan:
    """A :data:`VlanScript`: each VLAN is created or removed by lines of its own."""

    lines: VlanLines

    def __call__(self, changes: Vlans, options: Options) -> list[Stage]:
        """Return one stage that creates and removes VLANs."""
        blocks = [
            Block((index,), tuple(self.lines(change.vlan, change.present, options)))
            for index, change in changes.items()
        ]
        return [[block for block in blocks if block.lines]]


# --- lists ----------------------------------------------------------------------------------------


def rows_of(listed: str, most: int = MAX_LIST) -> list[str]:
    """Split a comma-separated list of VLANs into rows of a length that one line takes."""
    rows = [""]
    for part in listed.split(","):
        joined = f"{rows[-1]},{part}" if rows[-1] else part
        if len(joined) <= most:
            rows[-1] = joined
        else:
            rows.append(part)
    return rows


def grouped(ports: Iterable[str], kind: Grouping) -> Iterator[list[str]]:
    """Yield the ports of each kind."""
    kinds: dict[str, list[str]] = {}
    for port in ports:
        kinds.setdefault(kind(port), []).append(port)
    yield from kinds.values()
