"""Channels: how a family bundles the ports of a bond. Without I/O.

A channel is made, and removed, as a whole; its VLANs are set like those of any port. A port becomes
a member while it is shut, and is opened once the channel carries the right VLANs. It leaves while
it is shut as well: a port that leaves an open channel is alone in whatever VLAN its family puts it.

A port that is a member is *not understood* by itself, whatever channel it is in: the line that says
so is quoted. Only where HaaS made it a member of exactly this channel, the line is understood.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from haas_rpcd.drivers.switch.harmless import IGNORE
from haas_rpcd.drivers.switch.state import PortState
from haas_rpcd.model import PARKED, Channel, ChannelMode, PortConfig, PortSeen

CHANNELS = "channels"
"""The option of a switch with the numbers of channels that HaaS may use."""

_USUAL = "25-48"
"""Numbers that nearly every family has; people use lower ones."""

_HIGHEST = 9999

Parse = Callable[[Mapping[str, Any]], dict[str, PortState]]
"""Reads the ports in some answers, by canonical name, given the switch's options."""


@dataclass(frozen=True, kw_only=True)
class Channels:
    """How one family of switches makes channels."""

    name: Callable[[int], str]
    """Returns the name of the channel with a number, as the switch shows it."""

    member: Callable[[str], Channel | None]
    """Returns the channel that a line, or the quoted words, makes a port a member of.

    Behind a line that does not say how the channel bundles ports: :attr:`PortState.bundled`."""

    follow: bool = True
    """True if members carry what the channel does, whatever VLANs they have of their own."""

    listed: bool = False
    """True if the switch lists channels that nobody has made, as ports that carry nothing."""

    never_empty: bool = False
    """True if a channel may need members: it is made with them, and removed with the last one."""

    modes: tuple[ChannelMode, ...] = ("lacp", "static")
    """How it can bundle ports."""

    numbers: str = _USUAL
    """The numbers that HaaS uses unless the switch's option says otherwise."""


def numbers(channels: Channels, options: Mapping[str, Any]) -> Iterator[int]:
    """Yield the numbers of channels that HaaS may use on a switch.

    Raises ValueError, with a sentence, if the option is not a range of numbers.
    """
    text = str(options.get(CHANNELS, channels.numbers))
    first, _, last = text.partition("-")
    if not first.isdecimal() or not (last or first).isdecimal():
        raise ValueError(f"channels: {text} is not a number or a range such as {_USUAL}")
    low, high = int(first), int(last or first)
    if not low <= high <= _HIGHEST:
        raise ValueError(f"channels: {text} is not a range of numbers up to {_HIGHEST}")
    yield from range(low, high + 1)


def member_line(
    pattern: str, name: Callable[[int], str], modes: Mapping[str, ChannelMode]
) -> Callable[[str], Channel | None]:
    """Return a reader of lines with the groups ``number`` and ``mode``.

    ``modes``: what the words for modes mean. Other modes are not understood.
    """
    compiled = re.compile(pattern)

    def read(line: str) -> Channel | None:
        found = compiled.fullmatch(line)
        mode = modes.get(found["mode"]) if found else None
        return Channel(name(int(found["number"])), mode) if found and mode else None

    return read


def understand(
    channels: Channels, ours: Mapping[str, Channel], options: Mapping[str, Any], parse: Parse
) -> dict[str, PortState]:
    """Read ports of which some are members of the channels that HaaS makes.

    ``ours``: the channel of each port that may be a member, by canonical name; channels have their
    canonical names, too.
    """
    found = parse(options)
    joined = {
        port: line
        for port, channel in ours.items()
        if port in found
        and (line := found[port].not_understood) is not None
        and channels.member(line + found[port].bundled) == channel
    }
    if joined:
        known = [*options.get(IGNORE, ()), *sorted({re.escape(line) for line in joined.values()})]
        again = parse({**options, IGNORE: known})
        for port in joined:
            found[port] = _member(channels, ours[port], again[port], found)
    return found | _with_strangers(channels, set(ours.values()), found, joined)


def _member(
    channels: Channels, channel: Channel, state: PortState, found: Mapping[str, PortState]
) -> PortState:
    """Return the state of a member, given the state by its other lines."""
    config, why = state.config, state.not_understood
    if channels.follow:
        carrier = found.get(channel.name)
        config = PortConfig() if carrier is None else carrier.config
        why = why or (None if carrier is None else carrier.not_understood)
    return state._replace(
        config=msgspec.structs.replace(config, member=channel), not_understood=why
    )


def _with_strangers(
    channels: Channels,
    ours: set[Channel],
    found: Mapping[str, PortState],
    joined: Mapping[str, str],
) -> dict[str, PortState]:
    """Return our channels that have members which HaaS did not add."""
    names = {channel.name for channel in ours}
    strange: dict[str, PortState] = {}
    for port, state in found.items():
        line = state.not_understood
        if line is None or port in joined:
            continue
        channel = channels.member(line + state.bundled)
        if channel is not None and channel.name in names & found.keys():
            state = found[channel.name]
            strange[channel.name] = state._replace(not_understood=f"{port} {line}")
    return strange


def channel_seen(state: PortState | None, *, listed: bool = False) -> PortSeen:
    """Return what was seen of a channel that HaaS makes; None: it does not exist.

    It is parked only then: one that is there, and carries nothing, may carry something later.
    ``listed``: see :class:`Channels`.
    """
    if state is None or (listed and state.config.parked and state.not_understood is None):
        return PortSeen(PARKED)
    there = state.seen
    if there.believed != PARKED:
        return there
    return msgspec.structs.replace(there, open_without_vlan=True)


# --- lines ----------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class ChannelLines:
    """The lines of families that set channels, and members, in contexts (``interface P``)."""

    join: Callable[[Channel], Sequence[str]]
    """Returns the lines that make a shut port a member, in its context."""

    leave: Callable[[Channel], Sequence[str]]
    """Returns the lines that end a shut port's membership, in its context."""

    remove: Callable[[Channel], Sequence[str]]
    """Returns the lines that remove a channel, outside of any context."""

    make: Callable[[Channel], Sequence[str]] = lambda channel: ()
    """Returns lines for a new channel, in its context, before its VLANs are set."""

    own_vlans: bool = False
    """True if members need the channel's VLANs as their own."""

    joins_alike: bool = False
    """True if only a port with the channel's VLANs can join, and no member can be set by itself."""

    shut: Sequence[str] = ("shutdown",)
    """Lines that shut a port, in its context."""

    open: Sequence[str] = ("no shutdown",)
    """Lines that open a port, in its context."""


def number_of(channel: Channel) -> int:
    """Return the number of a channel: the digits at the end of its name."""
    found = re.search(r"\d+$", channel.name)
    if found is None:
        raise ValueError(f"{channel.name} has no number")
    return int(found[0])


_GROUP_MODES: Mapping[ChannelMode, str] = {"lacp": "active", "static": "on"}


def channel_group(
    name: Callable[[int], str],
) -> Callable[[str], Channel | None]:
    """Return a reader of ``channel-group <number> mode active|on``; other modes are not ours."""
    modes: Mapping[str, ChannelMode] = {word: mode for mode, word in _GROUP_MODES.items()}
    return member_line(r"channel-group (?P<number>\d+) mode (?P<mode>\S+)", name, modes)


def channel_lines(
    *, make: Sequence[str] = (), own_vlans: bool = False, words: str = "mode"
) -> ChannelLines:
    """Return the lines of families that have ``channel-group <number> mode active|on``.

    ``make``: lines for a new channel, before its VLANs. ``words``: those before the mode.
    """
    return ChannelLines(
        join=lambda channel: [
            f"channel-group {number_of(channel)} {words} {_GROUP_MODES[channel.mode]}"
        ],
        leave=lambda channel: ["no channel-group"],
        remove=lambda channel: [f"no interface {channel.name}"],
        make=lambda channel: make,
        own_vlans=own_vlans,
    )
