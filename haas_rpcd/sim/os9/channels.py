"""Channels of OS9: ports that users make, and that other ports become members of.

Written from ``channel-member`` in Dell's "FTOS Command Line Reference Guide for the S4820T System"
and from the chapter on LACP of the "Dell 9.7(0.0) User Manual". The words of some refusals are not
in any source.
"""

from __future__ import annotations

from haas_rpcd.sim.cli import Args, Commands, Lines, RejectedError, Session
from haas_rpcd.sim.ioslike import ports
from haas_rpcd.sim.os9 import modes, show
from haas_rpcd.sim.os9.state import CHANNEL, NAMING, Os9, Port


def _no_interface(switch: Os9, session: Session, args: Args) -> Lines:
    """``no interface <channel>``: its members have no configuration then; no VLAN lists it."""
    name = args.text("port")
    if not switch.names.is_channel(name):
        raise RejectedError("% Error: Cannot delete a physical interface.")
    show.there(switch, [name])
    for member in switch.running.members(name):
        switch.running.ports[member].channel = None
    for vlan in switch.running.vlans.values():
        vlan.remove("tagged", name)
        vlan.remove("untagged", name)
    del switch.running.ports[name]
    switch.touch()
    return []


def _lacp(switch: Os9, session: Session, args: Args) -> Lines:
    """``port-channel-protocol lacp``: a context; negated: the ports are in no aggregation."""
    if not args.no:
        if any(map(switch.names.is_channel, session.selection)):
            raise RejectedError('% Error: Invalid input at "^" marker.')
        session.enter(modes.LACP, session.label, ports=session.selection)
        return []
    for name in session.selection:
        port = switch.running.ports[name]
        if port.channel is not None and port.channel[1] != "on":
            port.channel = None
            switch.touch(name)
    return []


def _port_channel(switch: Os9, name: str, port: Port, args: Args) -> None:
    """``port-channel <number> mode …``, which makes the channel if it is not there."""
    number, mode = args.number("number"), args.word("mode")
    _bundle(switch, name, f"{CHANNEL}{number}", mode)


def _channel_member(switch: Os9, session: Session, args: Args) -> Lines:
    """``[no] channel-member …`` of a channel: one port after the other, until one is refused."""
    [channel] = session.selection
    if not switch.names.is_channel(channel):
        raise RejectedError('% Error: Invalid input at "^" marker.')
    for name in args.ports("members"):
        if not args.no:
            _bundle(switch, name, channel, "on")
        elif switch.running.ports[name].channel != (_number(channel), "on"):
            raise RejectedError(f"% Error: Port is not part of this LAG {NAMING.short(name)}.")
        else:
            switch.running.ports[name].channel = None
        switch.touch(name)
    return []


def _bundle(switch: Os9, name: str, channel: str, mode: str) -> None:
    """Make a port a member. It must have no configuration of its own, and the others' mode."""
    port, short = switch.running.ports[name], NAMING.short(name)
    if switch.names.is_channel(name) or channel not in switch.names.channels:
        raise RejectedError("% Error: Value out of range.")
    if port.switched or port.address:
        layer = "2" if port.switched else "3"
        raise RejectedError(f"% Error: Port is in Layer-{layer} mode {short}.")
    if port.channel is not None and port.channel[0] != _number(channel):
        raise RejectedError(f"% Error: Port is part of a LAG {short}.")
    others = [switch.running.ports[one].channel for one in switch.running.members(channel)]
    if any(other and (other[1] == "on") != (mode == "on") for other in others):
        raise RejectedError("% Error: Static and dynamic members cannot be in the same LAG.")
    switch.running.ports.setdefault(channel, Port())
    port.channel = (_number(channel), mode)
    switch.touch()


def _number(channel: str) -> int:
    return int(channel.removeprefix(CHANNEL))


def alone(name: str, port: Port) -> None:
    """Raise `RejectedError` if a port is a member: only few things can be set on one."""
    if port.channel is not None:
        raise RejectedError(f"% Error: Port is part of a LAG {NAMING.short(name)}.")


GLOBAL: Commands = [("no interface <port>", _no_interface)]
IN_INTERFACE: Commands = [
    ("[no] channel-member <members>", _channel_member),
    ("[no] port-channel-protocol lacp", _lacp),
]
IN_LACP: Commands = ports.commands(
    [("port-channel <number> mode mode:active|off|passive", _port_channel)]
)
