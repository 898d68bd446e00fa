"""The commands of NX-OS, mode by mode."""

from __future__ import annotations

from collections.abc import Mapping

from haas_rpcd.sim import cli
from haas_rpcd.sim.cli import Args, CliSwitch, Commands, Lines, Mode, Session
from haas_rpcd.sim.ioslike import channels, execute, ports
from haas_rpcd.sim.ioslike.execute import LEAVING
from haas_rpcd.sim.ioslike.ports import checked
from haas_rpcd.sim.ioslike.show import default_vlan_name
from haas_rpcd.sim.nxos import cabling, modes, show
from haas_rpcd.sim.nxos.state import RESERVED_VLANS, Config, Port

Switch = CliSwitch[Config]

ARGUMENTS: Mapping[str, cli.Argument] = {**cli.ARGUMENTS, "number": cli.Number(0, 511)}


ENTERING = "Enter configuration commands, one per line. End with CNTL/Z."


def default_name(vlan: int) -> str:
    """Return the name that a VLAN has until it gets another."""
    return "default" if vlan == 1 else default_vlan_name(vlan)


# --- in every mode


def _reload(switch: Switch, session: Session, args: Args) -> Lines:
    def answered(text: str) -> Lines:
        if text.strip().lower() == "y":
            switch.reload()
        return []

    modified = ["WARNING: There is unsaved configuration!!!"] if switch.modified else []
    session.print([*modified, "WARNING: This command will reboot the system"])
    session.ask("Do you want to continue? (y/n) [n] ", answered)
    return []


_save = execute.save(
    f"[{'#' * 40}] 100%",
    "Copy complete, now saving to disk (please wait)...",
    "Copy complete.",
)

ANYWHERE: Commands = [
    ("copy running-config startup-config", _save),
    ("terminal length <number>", CliSwitch.do_length),
    ("terminal width <number>", CliSwitch.do_width),
    ("terminal monitor", execute.monitor),
    *show.COMMANDS,
    *cabling.COMMANDS,
]


# --- configuration


def _interface(switch: Switch, session: Session, args: Args) -> Lines:
    names = args.ports("ports")
    session.enter(modes.PORTS if len(names) > 1 else modes.PORT, ports=names)
    return []


def _vlan(switch: Switch, session: Session, args: Args) -> Lines:
    vlans = args.vlans("vlans")
    if not vlans.isdisjoint(RESERVED_VLANS):
        raise cli.RejectedError(
            _marker(switch, session, "vlan "), "invalid vlan (reserved value) at '^' marker."
        )
    if args.no:
        if 1 in vlans:
            raise cli.RejectedError("ERROR: Operation not permitted on the default VLAN")
        switch.touch()
        for vlan in vlans:
            switch.running.vlans.pop(vlan, None)
        return []
    if session.mode is modes.VLAN:
        switch.leaving(session)  # the VLAN that was edited exists from now on
    session.enter(modes.VLAN, editing=dict.fromkeys(vlans, ""))
    return []


def _vlan_name(switch: Switch, session: Session, args: Args) -> Lines:
    name = "" if args.no else args.text("word")
    if len(name) > 32:
        raise cli.RejectedError(
            _marker(switch, session, "name "), "% String exceeded max length of (32) at '^' marker."
        )
    for vlan in session.editing:
        session.editing[vlan] = name or default_name(vlan)
    return []


def _marker(switch: Switch, session: Session, before: str) -> str:
    return " " * len(switch.prompt(session) + before) + "^"


def _shutdown(switch: Switch, name: str, port: Port, args: Args) -> None:
    if port.shutdown == (not args.no):
        return
    port.shutdown = not args.no
    what = "IF_ADMIN_UP: Interface {} is admin up ."
    if port.shutdown:
        what = "IF_DOWN_ADMIN_DOWN: Interface {} is down (Administratively down)"
    host = switch.running.hostname
    switch.log(f"2026 Jun  9 12:00:02 {host} %ETHPORT-5-{what.format(name)}")


def _switched(switch: Switch, name: str, port: Port, args: Args) -> None:
    """``[no] switchport``: the settings for the other layer are lost."""
    if port.switched == args.no:
        port.switched = not args.no
        port.mode, port.access_vlan, port.native_vlan = "access", 1, 1
        port.voice_vlan = None
        port.allowed = cli.ALL_VLANS


def _compatible(switch: Switch, name: str, channel: Port, args: Args) -> None:
    """Refuse a port whose port mode or VLANs are not those of the channel.

    Source: Nexus 5000 and 7000 configuration guides, "Compatibility Requirements".
    """
    port = switch.running.ports[name]
    for setting, title in (
        ("switched", "Ethernet Layer"),
        ("mode", "port mode"),
        ("access_vlan", "port access VLAN"),
        ("native_vlan", "port native VLAN"),
        ("allowed", "port allowed VLAN list"),
    ):
        if getattr(port, setting) != getattr(channel, setting):
            raise cli.RejectedError(f"command failed: port not compatible [{title}]")


def _forced(switch: Switch, name: str, channel: Port, args: Args) -> None:
    """``force``: the port takes over what the channel has."""
    channels.follow(switch.running.ports[name], channel)


def _layer2(name: str, port: Port) -> None:
    if not port.switched:
        raise cli.RejectedError(f"ERROR: {name}: requested config not allowed")


def _check_switched(name: str, port: Port) -> None:
    if not port.switched:
        raise cli.RejectedError(f"ERROR: {name}: requested config not allowed")


GLOBAL: Commands = [
    ("[no] hostname <word>", execute.hostname("switch")),
    ("interface <ports>", channels.entering(Port, _interface)),
    ("no interface <ports>", channels.removing("Invalid range at '^' marker.")),
    ("[no] vlan <vlans>", _vlan),
    ("spanning-tree mode mst|rapid-pvst", CliSwitch.do_nothing),
]
IN_VLAN: Commands = [
    ("name <word>", _vlan_name),
    ("no name", _vlan_name),
    ("state active", CliSwitch.do_nothing),
]
IN_PORT: Commands = channels.spreading(
    [
        *ports.commands(
            [
                ("description <line>", ports.description),
                ("no description [<line>]", ports.description),
                ("[no] shutdown", _shutdown),
                ("[no] switchport", _switched),
                *ports.channel_commands(setting=channels.joining(Port, _compatible)),
                *ports.channel_commands(setting=channels.joining(Port, _forced), force="force ")[
                    :1
                ],
                (
                    "no switchport trunk allowed vlan <vlans>",
                    checked(_check_switched, ports.allowed_vlans()),
                ),
            ]
        ),
        *ports.switchport(_check_switched),
        *ports.commands(
            [
                ("switchport voice vlan <vlan>", checked(_check_switched, ports.voice_vlan)),
                ("no switchport voice vlan [<vlan>]", checked(_check_switched, ports.voice_vlan)),
            ]
        ),
        ("spanning-tree port type edge [trunk]", CliSwitch.do_nothing),
    ]
)

_RESERVED = {
    "": "attach clear debug echo ethanalyzer event feature find install ip module ping python "
    "run-script sleep ssh system tac-pac telnet test traceroute undebug where write",
    "copy": "bootflash: core: debug: ftp: http: scp: sftp: startup-config tftp: volatile:",
    "show": "aaa accounting arp banner bgp boot bridge-domain cdp class-map cli clock cores "
    "environment feature hardware hosts incompatibility install inventory ip ipv6 lacp license "
    "line lldp logging mac module monitor ntp policy-map port-channel processes queuing redundancy "
    "role route-map spanning-tree ssh system tech-support user-account users vdc vpc vrf",
}
RESERVED: Mapping[Mode, Mapping[str, str]] = {modes.EXEC: _RESERVED}
"""Further keywords, so that abbreviations are ambiguous as on the device."""

TABLES: Mapping[Mode, Commands] = {
    modes.EXEC: [
        *ANYWHERE,
        (
            "configure [terminal]",
            execute.enter(
                modes.CONFIG, "Enter configuration commands, one per line. End with CNTL/Z."
            ),
        ),
        ("exit", CliSwitch.do_quit),
        ("logout", CliSwitch.do_quit),
        ("reload", _reload),
    ],
    modes.CONFIG: [*LEAVING, *ANYWHERE, *GLOBAL],
    modes.PORT: [*LEAVING, *ANYWHERE, *IN_PORT],
    modes.PORTS: [*LEAVING, *ANYWHERE, *IN_PORT],
    modes.VLAN: [*LEAVING, *ANYWHERE, *IN_VLAN],
}
