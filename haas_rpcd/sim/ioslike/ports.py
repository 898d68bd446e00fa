"""The settings of a port: handlers for `each_port`, which is called with one port at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from haas_rpcd.sim import cli
from haas_rpcd.sim.cli import Args, CliSwitch, Commands, Lines

Setting = Callable[[Any, str, Any, Args], Lines]
"""Changes one port, given the switch, the port's name, its configuration and the arguments."""

Check = Callable[[str, Any], None]
"""Raises `RejectedError` if a port, given its name and its configuration, can't be set."""


@dataclass(slots=True)
class RoutedPort(cli.Port):
    """A port that can route. It carries no VLAN unless it is ``switched``.

    ``voice_vlan``: for a telephone, tagged beside the access VLAN. ``channel``: the number and the
    mode of its port channel. A member counts as carrying what is configured on itself.
    """

    switched: bool = True
    voice_vlan: int | None = None
    channel: tuple[int, str] | None = None

    def carried(self, vlans: Iterable[int]) -> cli.Carried:
        """Return what the port carries while ``vlans`` exist."""
        if not self.switched:
            return cli.NOTHING
        there = frozenset(vlans)
        # super() does not work in dataclasses with slots.
        now = cli.Port.carried(self, there)
        if self.shutdown or self.mode != "access" or self.voice_vlan not in there:
            return now
        return cli.Carried(now.untagged, frozenset({self.voice_vlan}) - {now.untagged})


def description(switch: CliSwitch[Any], name: str, port: Any, args: Args) -> None:
    """``[no] description <line>``."""
    port.description = "" if args.no else args.text("line")


def unquoted_description(quotes: str) -> Setting:
    """Make ``[no] description <line>``, which removes quotes around the text."""

    def run(switch: CliSwitch[Any], name: str, port: Any, args: Args) -> None:
        port.description = "" if args.no else args.text("line").strip(quotes)

    return run


def shutdown(switch: CliSwitch[Any], name: str, port: Any, args: Args) -> None:
    """``[no] shutdown``."""
    port.shutdown = not args.no


def mode(switch: CliSwitch[Any], name: str, port: Any, args: Args) -> None:
    """``switchport mode …``; negated: access."""
    port.mode = "access" if args.no else args.word("mode")


def access_vlan(switch: CliSwitch[Any], name: str, port: Any, args: Args) -> None:
    """``switchport access vlan <vlan>`` for a VLAN that need not exist; negated: VLAN 1."""
    port.access_vlan = 1 if args.no else args.number("vlan")


def native_vlan(switch: CliSwitch[Any], name: str, port: Any, args: Args) -> None:
    """``switchport trunk native vlan <vlan>`` for a VLAN that need not exist; negated: VLAN 1."""
    port.native_vlan = 1 if args.no else args.number("vlan")


def voice_vlan(switch: CliSwitch[Any], name: str, port: Any, args: Args) -> None:
    """``switchport voice vlan <vlan>``; negated: none."""
    port.voice_vlan = None if args.no else args.number("vlan")


def channel(switch: CliSwitch[Any], name: str, port: Any, args: Args) -> None:
    """``channel-group <number> mode …``; negated: the port is in no channel."""
    port.channel = None if args.no else (args.number("number"), args.word("mode"))


def channel_commands(
    modes: str = "active|on|passive", *, setting: Setting = channel, force: str = ""
) -> tuple[tuple[str, Setting], ...]:
    """Return the commands that make a port the member of a link aggregation.

    In every simulator a port's ``channel`` is the number and the mode of its link aggregation, or
    None. A member counts as carrying what is configured on itself.
    """
    return (
        (f"channel-group <number> {force}mode mode:{modes}", setting),
        ("no channel-group [<number>]", setting),
    )


CHANNEL = channel_commands()


def channel_line(port: Any) -> list[str]:
    """Return the line of the configuration about a port's channel, if it is in one."""
    if port.channel is None:
        return []
    number, mode = port.channel
    return [f"channel-group {number} mode {mode}"]


def allowed_vlans(every: frozenset[int] = cli.ALL_VLANS) -> Setting:
    """Make ``switchport trunk allowed vlan …``. ``every``: the VLANs of a new trunk."""

    def run(switch: CliSwitch[Any], name: str, port: Any, args: Args) -> None:
        how = args.word("how") if "how" in args else ""
        vlans = args.vlans("vlans") if "vlans" in args else frozenset[int]()
        port.allowed = {
            "": vlans,
            "none": vlans,
            "all": every,
            "add": port.allowed | vlans,
            "remove": port.allowed - vlans,
            "except": every - vlans,
        }["all" if args.no else how]

    return run


def checked(check: Check, setting: Setting) -> Setting:
    """Make a setting that is refused if a check fails."""

    def run(switch: CliSwitch[Any], name: str, port: Any, args: Args) -> Lines:
        check(name, port)
        return setting(switch, name, port, args)

    return run


def commands(settings: Iterable[tuple[str, Setting]], *, stops: bool = True) -> Commands:
    """Make commands for the selected ports; ``stops``: see `each_port`."""
    return [(pattern, cli.each_port(setting, stops=stops)) for pattern, setting in settings]


def switchport(check: Check) -> Commands:
    """Make the ``switchport`` commands of families whose ports can route."""
    return commands(
        (pattern, checked(check, setting))
        for pattern, setting in (
            ("switchport mode mode:access|trunk", mode),
            ("no switchport mode", mode),
            ("switchport access vlan <vlan>", access_vlan),
            ("no switchport access vlan [<vlan>]", access_vlan),
            ("switchport trunk native vlan <vlan>", native_vlan),
            ("no switchport trunk native vlan [<vlan>]", native_vlan),
            ("switchport trunk allowed vlan <vlans>", allowed_vlans()),
            ("switchport trunk allowed vlan how:all|none", allowed_vlans()),
            ("switchport trunk allowed vlan how:add|except|remove <vlans>", allowed_vlans()),
            ("no switchport trunk allowed vlan", allowed_vlans()),
        )
    )
