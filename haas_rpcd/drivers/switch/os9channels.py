"""Channels of Dell OS9: the lines that make them, and that let ports join and leave them.

Sources: ``channel-member`` in Dell's "FTOS Command Line Reference Guide for the S4820T System", the
role ``os9_lag`` of the Ansible collection dellemc.os9, and published sessions.

* A port that uses LACP names its channel itself, below ``port-channel-protocol``. Members without
  LACP are listed by the channel.
* "Only the shutdown, description, mtu, and ip mtu commands can be configured on an interface if it
  is added to a Port Channel." So a port is on no VLAN, and not in Layer-2 mode, when it joins.
* A port that is taken out "reverts to its configuration prior to joining the Port Channel". It was
  shut, and carried nothing.
* A channel is a port that VLANs list. ``no interface port-channel`` "removes all LACP-specific
  commands on the member interfaces", which "are restored to a state that is ready to be configured"
  ("Dell 9.7(0.0) User Manual").
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from haas_rpcd.drivers.switch.byvlan import ByVlan
from haas_rpcd.drivers.switch.channels import number_of
from haas_rpcd.drivers.switch.script import Block, Stage
from haas_rpcd.drivers.switch.writer import Current, Options, Ports, is_gone, removes
from haas_rpcd.model import PARKED, SetPort

_SHUT, _OPEN = ("shutdown",), ("no shutdown",)
_LEAVE = ("no port-channel-protocol lacp",)
"""Dell's Puppet module sends it to ports that are in no channel, too."""


@dataclass(frozen=True)
class WithChannels:
    """A :data:`writer.PortScript`: ports that join and leave VLANs, and channels."""

    ports: ByVlan

    def __call__(self, changes: Ports, options: Options, current: Current) -> list[Stage]:
        """Let ports leave channels, set those that are in none, let others join, remove channels.

        A channel that is removed leaves its VLANs first. If they are not known, it is removed as
        it is.
        """
        canonical = self.ports.canonical
        current = {canonical(port): state for port, state in current.items()}
        changes = {
            index: msgspec.structs.replace(one, port=canonical(one.port))
            for index, one in changes.items()
            if not (removes(one) and is_gone(current.get(canonical(one.port))))
        }
        stages = [
            *self._leaving(changes, options, current),
            *self.ports(_alone(changes, current), options, current),
            *self._joining(changes, options, current),
            self._removing(changes),
        ]
        return [stage for stage in stages if stage]

    def _leaving(self, changes: Ports, options: Options, current: Current) -> Iterator[Stage]:
        """Shut ports and take them out of their channel; shut channels in an unknown state."""
        known = {index: current.get(one.port) for index, one in changes.items()}
        parked = {index: one for index, one in changes.items() if one.channel and _parks(one)}
        shut = [
            (one.port, index, _SHUT)
            for index, one in parked.items()
            if (state := known[index]) is None or state.config.member is not None
        ]
        yield self.ports.contexts.stage(shut, options, "shuts")
        leaving = [(port, index, _LEAVE) for port, index, _ in shut if not parked[index].is_channel]
        yield self.ports.contexts.stage(leaving, options)
        yield [
            block
            for index, one in parked.items()
            if (state := known[index]) is not None and state.config.member is not None
            if state.config.member.mode == "static"
            for block in _listed(index, one, "no channel-member")
        ]

    def _joining(self, changes: Ports, options: Options, current: Current) -> Iterator[Stage]:
        """Make members of shut ports, and open them."""
        members = {index: one for index, one in changes.items() if one.config.member is not None}
        new = {index: one for index, one in members.items() if not _is_member(one, current)}
        lacp = [
            (one.port, index, _with_lacp(one))
            for index, one in new.items()
            if one.channel and one.channel.mode == "lacp"
        ]
        yield self.ports.contexts.stage(lacp, options)
        yield [
            block
            for index, one in new.items()
            if one.channel and one.channel.mode == "static"
            for block in _listed(index, one, "channel-member")
        ]
        opened = [
            (one.port, index, _OPEN)
            for index, one in members.items()
            if index in new or not current[one.port].open
        ]
        yield self.ports.contexts.stage(opened, options, "opens")

    def _removing(self, changes: Ports) -> Stage:
        return [
            Block((index,), (f"no interface {one.port}",))
            for index, one in changes.items()
            if removes(one)
        ]


def _parks(change: SetPort) -> bool:
    return change.config.parked


def _alone(changes: Ports, current: Current) -> Ports:
    """Return the changes that VLANs make, also of ports that leave them before they join."""
    alone: dict[int, SetPort] = {}
    for index, one in changes.items():
        state = current.get(one.port)
        if one.config.member is not None:
            shut = state is not None and not state.open and state.config.parked
            if not shut and not _is_member(one, current):
                alone[index] = msgspec.structs.replace(one, config=PARKED)
        elif not removes(one) if state is None else state.config.member is None:
            alone[index] = one
    return alone


def _is_member(change: SetPort, current: Current) -> bool:
    """Return whether a port is a member of the channel that it is to join."""
    state = current.get(change.port)
    return state is not None and state.config.member == change.config.member


def _with_lacp(change: SetPort) -> list[str]:
    number = number_of(change.channel) if change.channel else 0
    return ["port-channel-protocol lacp", f"port-channel {number} mode active", "exit"]


def _listed(index: int, change: SetPort, verb: str) -> Iterator[Block]:
    """Yield a line in the context of a static member's channel."""
    if change.channel is not None:
        name = change.channel.name
        yield Block((index,), (f"{verb} {change.port}",), f"interface {name}", "exit")
