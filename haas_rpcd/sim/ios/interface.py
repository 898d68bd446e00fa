"""Commands of interface configuration mode, for one port and for a range of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Literal

from haas_rpcd.sim.cli import Args, Commands, Handler, Session
from haas_rpcd.sim.ios import modes
from haas_rpcd.sim.ios.catalyst import Catalyst
from haas_rpcd.sim.ios.portname import short
from haas_rpcd.sim.ios.state import CHANNEL, Encapsulation, Port
from haas_rpcd.sim.ios.state import Mode as PortMode
from haas_rpcd.sim.ios.vlanlist import ALL_VLANS, LEGACY_VLANS, BadVlanListError, parse


class CommandRejectedError(Exception):
    """IOS rejects a line that it understands; ``str()`` is what it prints."""


@dataclass
class _Change:
    """One command for one port."""

    switch: Catalyst
    name: str
    port: Port
    args: Args


def _each(
    apply: Callable[[_Change], Iterable[str] | None],
) -> Handler:
    """Make a command for all selected ports from a function for a single port.

    In a range IOS stops at the first port that refuses. The ports before it stay changed.
    """

    def run(switch: Catalyst, session: Session, args: Args) -> list[str]:
        printed: list[str] = []
        for name in session.selection:
            port = switch.running.ports[name]
            try:
                printed += apply(_Change(switch, name, port, args)) or ()
            except CommandRejectedError as error:
                printed += str(error).splitlines()
                if session.mode is modes.RANGE:
                    printed.append(f"% Range command terminated because it failed on {name}")
                break
            switch.touch(*_spread(switch, name))
        return printed

    return run


def _spread(switch: Catalyst, name: str) -> list[str]:
    """Let the members of a channel follow it; return the ports of which something changed."""
    if not switch.names.is_channel(name):
        return [name]
    members = switch.running.members(name)
    for member in members:
        switch.running.ports[member].follow(switch.running.ports[name])
    return members


def _switched(change: _Change) -> None:
    """``[no] switchport``: the port switches, as it does at first, or routes."""
    change.port.switched = not change.args.no


def _layer2(apply: Callable[[_Change], Iterable[str] | None]) -> Handler:
    """Make a command that routed ports refuse."""

    def run(change: _Change) -> Iterable[str] | None:
        if not change.port.switched:
            raise CommandRejectedError(
                f"Command rejected: {short(change.name)} is not a switching port."
            )
        return apply(change)

    return _each(run)


def _description(change: _Change) -> None:
    change.port.description = "" if change.args.no else change.args.text("line")


def _shutdown(change: _Change) -> None:
    down = not change.args.no
    if change.port.shutdown == down:
        return
    change.port.shutdown = down
    state = "administratively down" if down else "up"
    link = "LINK-5-CHANGED" if down else "LINK-3-UPDOWN"
    log = change.switch.log
    if down or change.name not in change.switch.unplugged:
        log(f"%{link}: Interface {change.name}, changed state to {state}")
        log(
            f"%LINEPROTO-5-UPDOWN: Line protocol on Interface {change.name}, "
            f"changed state to {'down' if down else 'up'}"
        )


def _set_mode(mode: PortMode) -> Callable[[_Change], None]:
    def apply(change: _Change) -> None:
        port = change.port
        if mode.startswith("dynamic") and port.nonegotiate:
            raise _conflict(change)
        negotiates = change.switch.chassis.encapsulation and (port.encapsulation == "negotiate")
        if mode == "trunk" and negotiates:
            raise CommandRejectedError(
                'Command rejected: An interface whose trunk encapsulation is "Auto" can not be '
                'configured to "trunk" mode.'
            )
        port.mode = mode

    return apply


def _conflict(change: _Change) -> CommandRejectedError:
    return CommandRejectedError(
        "Command rejected: Conflict between 'nonegotiate' and 'dynamic' status on this "
        f"interface: {short(change.name)}"
    )


def _nonegotiate(change: _Change) -> None:
    if not change.args.no and change.port.mode.startswith("dynamic"):
        raise _conflict(change)
    change.port.nonegotiate = not change.args.no


def _access_vlan(change: _Change) -> list[str] | None:
    if change.args.no:
        change.port.access_vlan = 1
        return None
    vlan = change.args.number("vlan")
    printed: list[str] = []
    if vlan in LEGACY_VLANS:
        printed.append("% Warning: port will be inactive in non-ethernet VLAN")
    elif vlan not in change.switch.running.vlans:
        printed.append(f"% Access VLAN does not exist. Creating vlan {vlan}")
        printed += change.switch.add_vlans({vlan: None})
    change.port.access_vlan = vlan
    return printed


def _voice_vlan(change: _Change) -> list[str] | None:
    if change.args.no:
        change.port.voice_vlan = None
        return None
    vlan = change.args.number("vlan")
    printed: list[str] = []
    if vlan not in change.switch.running.vlans:
        printed.append(f"% Voice VLAN does not exist. Creating vlan {vlan}")
        printed += change.switch.add_vlans({vlan: None})
    change.port.voice_vlan = vlan
    return printed


def _native_vlan(change: _Change) -> None:
    change.port.native_vlan = 1 if change.args.no else change.args.number("vlan")


_SetOp = Callable[[frozenset[int], frozenset[int]], frozenset[int]]
_SET_OPS: dict[str, _SetOp] = {
    "": lambda old, new: new,
    "add": lambda old, new: old | new,
    "remove": lambda old, new: old - new,
    "except": lambda old, new: ALL_VLANS - new,
}


def _allowed(operation: str) -> Callable[[_Change], None]:
    combine = _SET_OPS[operation]

    def apply(change: _Change) -> None:
        if change.args.no:
            change.port.allowed = ALL_VLANS
            return
        try:
            vlans = parse(change.args.text("vlans"))
        except BadVlanListError as error:
            raise CommandRejectedError(str(error)) from None
        change.port.allowed = combine(change.port.allowed, vlans)

    return apply


def _allowed_all(change: _Change) -> None:
    change.port.allowed = ALL_VLANS


def _allowed_none(change: _Change) -> None:
    change.port.allowed = frozenset()


def _encapsulation(kind: Encapsulation) -> Callable[[_Change], None]:
    def apply(change: _Change) -> None:
        wanted: Encapsulation = "negotiate" if change.args.no else kind
        if wanted == "negotiate" and change.port.mode == "trunk":
            raise CommandRejectedError(
                'Command rejected: An interface in "trunk" mode can not have its trunk '
                'encapsulation configured to "Auto".'
            )
        change.port.encapsulation = wanted

    return apply


def _channel_group(change: _Change) -> list[str]:
    """``channel-group <number> mode …``: join an EtherChannel, which the first port makes."""
    if change.args.no:
        change.port.channel = None
        return []
    number, mode = change.args.number("number"), change.args.word("mode")
    name, ports = f"{CHANNEL}{number}", change.switch.running.ports
    if name in ports:
        members = change.switch.running.members(name)
        if any(_protocol(ports[each].channel) != _protocol((number, mode)) for each in members):
            raise CommandRejectedError(
                "Command rejected (Channel protocol mismatch for interface"
                f" {short(change.name)} in group {number}): the interface can not be added to the"
                " channel group"
            )
        change.port.channel = (number, mode)
        return []
    change.port.channel = (number, mode)
    ports[name] = replace(change.port, channel=None, description="", portfast="")
    return [f"Creating a port-channel interface Port-channel {number}", ""]


def _protocol(channel: tuple[int, str] | None) -> str:
    """Return the protocol of a member, which all of a channel have in common."""
    mode = channel[1] if channel else ""
    return {"active": "LACP", "passive": "LACP", "auto": "PAgP", "desirable": "PAgP"}.get(mode, "")


_PORTFAST_WARNING = """\
%Warning: portfast should only be enabled on ports connected to a single
 host. Connecting hubs, concentrators, switches, bridges, etc... to this
 interface  when portfast is enabled, can cause temporary bridging loops.
 Use with CAUTION
"""


def _portfast(setting: Literal["portfast", "portfast trunk"]) -> Handler:
    """Make ``spanning-tree portfast``, which warns once for a whole range."""

    def run(switch: Catalyst, session: Session, args: Args) -> list[str]:
        ports = switch.running.ports
        for name in session.selection:
            ports[name].portfast = "" if args.no else setting
        if args.no:
            return []
        warning = _PORTFAST_WARNING.splitlines()
        if setting == "portfast trunk":
            return warning
        if session.mode is modes.RANGE:
            return [
                *warning,
                "",
                f"%Portfast will be configured in {len(session.selection)} interfaces due to the "
                "range command",
                " but will only have effect when the interfaces are in a non-trunking mode.",
            ]
        return [
            *warning,
            "",
            f"%Portfast has been configured on {session.selection[0]} but will only",
            " have effect when the interface is in a non-trunking mode.",
        ]

    return run


COMMANDS: Commands = [
    ("description <line>", _each(_description)),
    ("no description [<line>]", _each(_description)),
    ("[no] shutdown", _each(_shutdown)),
    ("[no] switchport", _each(_switched)),
    ("channel-group <number> mode mode:active|auto|desirable|on|passive", _each(_channel_group)),
    ("no channel-group [<number>]", _each(_channel_group)),
    ("switchport mode access", _layer2(_set_mode("access"))),
    ("switchport mode trunk", _layer2(_set_mode("trunk"))),
    ("switchport mode dynamic auto", _layer2(_set_mode("dynamic auto"))),
    ("switchport mode dynamic desirable", _layer2(_set_mode("dynamic desirable"))),
    ("no switchport mode", _layer2(_set_mode("dynamic auto"))),
    ("[no] switchport nonegotiate", _layer2(_nonegotiate)),
    ("switchport access vlan <vlan>", _layer2(_access_vlan)),
    ("no switchport access vlan [<vlan>]", _layer2(_access_vlan)),
    ("switchport voice vlan <vlan>", _layer2(_voice_vlan)),
    ("no switchport voice vlan [<vlan>]", _layer2(_voice_vlan)),
    ("switchport trunk native vlan <vlan>", _layer2(_native_vlan)),
    ("no switchport trunk native vlan [<vlan>]", _layer2(_native_vlan)),
    ("switchport trunk allowed vlan <vlans>", _layer2(_allowed(""))),
    ("switchport trunk allowed vlan add <vlans>", _layer2(_allowed("add"))),
    ("switchport trunk allowed vlan remove <vlans>", _layer2(_allowed("remove"))),
    ("switchport trunk allowed vlan except <vlans>", _layer2(_allowed("except"))),
    ("switchport trunk allowed vlan all", _layer2(_allowed_all)),
    ("switchport trunk allowed vlan none", _layer2(_allowed_none)),
    ("no switchport trunk allowed vlan", _layer2(_allowed(""))),
    ("[no] spanning-tree portfast", _portfast("portfast")),
    ("[no] spanning-tree portfast trunk", _portfast("portfast trunk")),
]
"""The commands of all models."""

ENCAPSULATION: Commands = [
    ("switchport trunk encapsulation dot1q", _layer2(_encapsulation("dot1q"))),
    ("switchport trunk encapsulation isl", _layer2(_encapsulation("isl"))),
    ("switchport trunk encapsulation negotiate", _layer2(_encapsulation("negotiate"))),
    ("no switchport trunk encapsulation", _layer2(_encapsulation("negotiate"))),
]
"""The commands of models that know ISL besides 802.1Q, such as the 3560."""

RESERVED = {
    "": "arp auto bandwidth carrier-delay cdp channel-protocol default delay dot1x "
    "duplex exit flowcontrol help history ip ipv6 keepalive lacp lldp load-interval logging mac "
    "macro mls mtu neighbor network-policy pagp power priority-queue queue-set rmon "
    "service-policy snmp source speed srr-queue storm-control timeout transmit-interface udld",
    "switchport": "autostate backup block host port-security priority private-vlan protected",
    "switchport mode": "dot1q-tunnel private-vlan",
    "switchport trunk": "pruning",
    "spanning-tree": "bpdufilter bpduguard cost guard link-type mst port-priority stack-port vlan",
    "spanning-tree portfast": "disable",
}
"""Further keywords, so that abbreviations are ambiguous as on the device."""
