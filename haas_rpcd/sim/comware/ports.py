"""The commands of one port or of a range of ports."""

from __future__ import annotations

from collections.abc import Callable

from haas_rpcd.sim import cli
from haas_rpcd.sim.cli import Args, CliSwitch, Commands, Line, Lines, RejectedError, Session
from haas_rpcd.sim.cli.portname import PortNames
from haas_rpcd.sim.comware.show import MAX_LIST_ITEMS
from haas_rpcd.sim.comware.state import AGGREGATE, DEFAULT_VLAN, Config, Port


class VlanList:
    """``100 to 110 112``: all words that are numbers or ``to``, with at most ten items."""

    help = "INTEGER<1-4094>"

    def take(self, line: Line, index: int, names: PortNames) -> tuple[object, int]:
        """Read the list."""
        end = index
        while end < len(line.words) and (
            line.words[end].text.isdigit() or line.words[end].text.lower() == "to"
        ):
            end += 1
        words = [word.text.lower() for word in line.words[index:end]]
        if not words:
            raise cli.InvalidError(line.column(index), index)
        if len(words) - 2 * words.count("to") > MAX_LIST_ITEMS:
            raise cli.InvalidError(line.column(end - 1), end - 1)
        try:
            return cli.parse_list(" ".join(words), " ", "to"), end
        except ValueError:
            raise cli.InvalidError(line.column(index), index) from None


def _each(apply: Callable[[Config, Port, Args], None]) -> cli.Handler:
    """Make a command for a range of ports from one for a single port.

    If the first port refuses the command, it ends there. Otherwise it goes on over ports that
    refuse it ("Bulk configuring interfaces" in the 5700's configuration guide).
    """

    def run(switch: CliSwitch[Config], session: Session, args: Args) -> Lines:
        printed: list[str] = []
        for at, name in enumerate(session.selection):
            switch.touch(name)
            try:
                _apply(switch, name, apply, args)
            except RejectedError as error:
                printed += error.lines
                if at == 0:
                    break
        return printed

    return run


def _apply(
    switch: CliSwitch[Config], name: str, apply: Callable[[Config, Port, Args], None], args: Args
) -> None:
    """Set one port. A member has the attributes of its aggregate interface, and no others.

    Source: H3C's "S6850 Series Configuration Guide", "Aggregation member port restrictions"; it
    does not say how the switch words its refusal.
    """
    config = switch.running
    port = config.ports[name]
    before, was_member = port.attributes, port.channel is not None
    apply(config, port, args)
    if was_member and port.channel is not None and port.attributes != before:
        for attribute, value in before.items():
            setattr(port, attribute, value)
        raise RejectedError("The attributes of a member port cannot be configured.")
    for member in config.members(name) if switch.names.is_channel(name) else ():
        member.inherit(port)


def _description(config: Config, port: Port, args: Args) -> None:
    port.description = "" if args.no else args.text("line")


def _shutdown(config: Config, port: Port, args: Args) -> None:
    port.shutdown = not args.no


def _link_mode(config: Config, port: Port, args: Args) -> None:
    """``port link-mode``: all settings of VLANs return to their defaults; ``shutdown`` stays."""
    routed = args.word("mode") == "route"
    if routed == port.routed:
        return
    port.become("access")
    port.routed, port.voice_vlan = routed, None


def _layer2(apply: Callable[[Config, Port, Args], None]) -> cli.Handler:
    """Make a command that a routed port does not have."""

    def run(config: Config, port: Port, args: Args) -> None:
        if port.routed:
            raise RejectedError(" % Unrecognized command found at '^' position.")
        apply(config, port, args)

    return _each(run)


def _link_type(config: Config, port: Port, args: Args) -> None:
    wanted = "access" if args.no else args.word("type")
    if wanted == port.link_type:
        return
    if "access" not in (wanted, port.link_type):
        raise RejectedError("Please set the link type of the port to access first.")
    port.become(wanted)


def _require(port: Port, link_type: str) -> None:
    if port.link_type != link_type:
        article = "an" if link_type == "access" else "a"
        raise RejectedError(f"The port is not {article} {link_type} port.")


def _access_vlan(config: Config, port: Port, args: Args) -> None:
    _require(port, "access")
    vlan = DEFAULT_VLAN if args.no else args.number("vlan")
    if vlan not in config.vlans:
        raise RejectedError("The VLAN does not exist.")
    port.access_vlan = vlan


def _trunk_permit(config: Config, port: Port, args: Args) -> None:
    _require(port, "trunk")
    vlans = args.vlans("list") if "list" in args else cli.ALL_VLANS
    port.permitted = port.permitted - vlans if args.no else port.permitted | vlans


def _pvid(config: Config, port: Port, args: Args) -> None:
    _require(port, args.word("type"))
    port.pvid = DEFAULT_VLAN if args.no else args.number("vlan")


def _hybrid_vlan(config: Config, port: Port, args: Args) -> None:
    _require(port, "hybrid")
    vlans = args.vlans("list")
    port.tagged, port.untagged = port.tagged - vlans, port.untagged - vlans
    if not args.no and args.word("how") == "tagged":
        port.tagged |= vlans
    elif not args.no:
        port.untagged |= vlans


def _voice_vlan(config: Config, port: Port, args: Args) -> None:
    if not args.no and args.number("vlan") not in config.vlans:
        raise RejectedError("The VLAN does not exist.")
    port.voice_vlan = None if args.no else args.number("vlan")


def _aggregation(config: Config, port: Port, args: Args) -> None:
    if args.no:
        port.channel = None
        return
    number = args.number("number")
    aggregate = config.ports.get(f"{AGGREGATE}{number}")
    if aggregate is None or aggregate is port:
        raise RejectedError("The aggregation group does not exist.")
    if aggregate.attributes != port.attributes:
        raise RejectedError("The attributes of the port are not those of the aggregation group.")
    port.channel = (number, "")


def _aggregation_mode(config: Config, port: Port, args: Args) -> None:
    if all(one is not port for name, one in config.ports.items() if name.startswith(AGGREGATE)):
        raise RejectedError(" % Unrecognized command found at '^' position.")
    port.dynamic = not args.no


COMMANDS: Commands = [
    ("port link-aggregation group <number>", _layer2(_aggregation)),
    ("undo port link-aggregation group [<number>]", _layer2(_aggregation)),
    ("link-aggregation mode dynamic", _each(_aggregation_mode)),
    ("undo link-aggregation mode", _each(_aggregation_mode)),
    ("voice-vlan <vlan> enable", _layer2(_voice_vlan)),
    ("undo voice-vlan [<vlan>] enable", _layer2(_voice_vlan)),
    ("description <line>", _each(_description)),
    ("undo description", _each(_description)),
    ("[undo] shutdown", _each(_shutdown)),
    ("port link-mode mode:bridge|route", _each(_link_mode)),
    ("port link-type type:access|hybrid|trunk", _layer2(_link_type)),
    ("undo port link-type", _layer2(_link_type)),
    ("port access vlan <vlan>", _layer2(_access_vlan)),
    ("undo port access vlan", _layer2(_access_vlan)),
    ("[undo] port trunk permit vlan <list>", _layer2(_trunk_permit)),
    ("[undo] port trunk permit vlan all", _layer2(_trunk_permit)),
    ("port type:hybrid|trunk pvid vlan <vlan>", _layer2(_pvid)),
    ("undo port type:hybrid|trunk pvid", _layer2(_pvid)),
    ("port hybrid vlan <list> how:tagged|untagged", _layer2(_hybrid_vlan)),
    ("undo port hybrid vlan <list>", _layer2(_hybrid_vlan)),
    ("[undo] stp edged-port", CliSwitch.do_nothing),
]
