"""Bonds of NVUE: made together with their members, and removed with the last one.

Sources: NVIDIA's "Cumulus Linux User Guide" (Bonding - Link Aggregation) and "NVUE Reference".

* "To create a bond, specify the bond members." Whether a bond without any is accepted is not
  documented. So the revision that makes a bond names all its members, which are down, and the one
  that takes the last member out removes the bond.
* The bond is down, too, until the kernel shows its VLANs. Members come up after that.
* A bond whose name begins with ``bond`` needs no type. Its mode is ``lacp`` or ``static``, the
  kernel's ``802.3ad`` and ``balance-xor``.
* A member is on no bridge by itself, so one that is alone carries nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import NamedTuple

import msgspec

from haas_rpcd.drivers.switch import linuxbonds, portnames
from haas_rpcd.drivers.switch.state import PortState
from haas_rpcd.drivers.switch.writer import Current, Ports, is_gone
from haas_rpcd.model import PARKED, Channel, PortConfig, SetPort

CHANNELS = replace(linuxbonds.CHANNELS, never_empty=True)


class Lines(NamedTuple):
    """The lines that set a port, and those that open it, with ``PORT`` for its name."""

    settings: list[str]
    opening: list[str]


LinesOf = Callable[[PortState | None, PortConfig], Lines]
"""Returns the lines for a port of the bridge in this state (None: unknown)."""


def bonded(
    change: SetPort, channel: Channel, changes: Ports, current: Current, lines_of: LinesOf
) -> Lines:
    """Return the lines for a bond, or for a port that becomes a member or leaves.

    ``changes``: all that are made together.
    """
    bond = current.get(channel.name)
    bond = None if is_gone(bond) else bond
    if change.is_channel:
        if not change.config.parked:
            return _bond(channel, change.config, change.members, bond, lines_of)
        gone = is_gone(current.get(channel.name))
        return Lines([] if gone else [f"nv unset interface {channel.name}"], [])
    state = current.get(change.port)
    if change.config.member is None:
        lines = lines_of(state, change.config)
        if not change.config.parked:
            return lines
        leaving = {one.port for one in changes.values() if one.channel == channel}
        stay = bond is not None and bool(bond.members - leaving)
        left = f"nv unset interface {channel.name}{' bond member PORT' if stay else ''}"
        return Lines([*lines.settings, left], [])
    wanted = msgspec.structs.replace(change.config, member=None)
    joined = bond is not None and change.port in bond.members
    join = [f"nv set interface {channel.name} bond member PORT"]
    join = [] if joined else [*lines_of(state, PARKED).settings, *join]
    up = "nv set interface PORT link state up"
    if any(one.is_channel and one.channel == channel for one in changes.values()):
        return Lines([], [up])  # in a preview: the bond is made with all its members before
    if bond is not None and bond.open and bond.config == wanted:
        return Lines(join, [up])
    whole = _bond(channel, wanted, (), bond, lines_of)
    return Lines([*join, *whole.settings], [*whole.opening, up])


def _bond(
    channel: Channel,
    config: PortConfig,
    members: Iterable[str],
    state: PortState | None,
    lines_of: LinesOf,
) -> Lines:
    """Return the lines for a bond; one in an unknown state is made."""
    settings, opening = (
        [line.replace("PORT", channel.name) for line in lines] for lines in lines_of(state, config)
    )
    if state is not None:
        return Lines(settings, opening)
    making = f"nv set interface {channel.name} bond"
    joining = [f"{making} member {span.text()}" for span in portnames.spans(members)]
    return Lines([*joining, f"{making} mode {channel.mode}", *settings], opening)
