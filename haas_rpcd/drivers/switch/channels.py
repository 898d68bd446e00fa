"""Channels: how a family bundles the ports of a bond. Without I/O.

A channel is made, and removed, as a whole; its VLANs are set like those of any port. A port becomes
a member while it is shut, and is opened once the channel carries the right VLANs. It leaves while
it is shut as well, because a port that leaves an open channel is alone in whatever VLAN its family
puts it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

CHANNELS = "channels"
"""The option of a switch with the numbers of channels that HaaS may use."""

_USUAL = "25-48"
"""Numbers that nearly every family has, and of which people use the lower ones."""

_HIGHEST = 9999


@dataclass(frozen=True, kw_only=True)
class Channels:
    """How one family of switches makes channels."""

    name: Callable[[int], str]
    """Returns the name of the channel with a number, as the switch shows it."""

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
