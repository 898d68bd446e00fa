"""The commands of EOS, mode by mode."""

from __future__ import annotations

from collections.abc import Mapping

from haas_rpcd.sim import cli
from haas_rpcd.sim.cli import Args, CliSwitch, Commands, Lines, Mode, Session
from haas_rpcd.sim.eos import cabling, modes, show
from haas_rpcd.sim.eos.state import NAMING, Config, Port
from haas_rpcd.sim.ioslike import channels, execute, ports
from haas_rpcd.sim.ioslike.execute import LEAVING
from haas_rpcd.sim.ioslike.show import default_vlan_name

Switch = CliSwitch[Config]

ARGUMENTS: Mapping[str, cli.Argument] = {**cli.ARGUMENTS, "number": cli.Number(0, 32767)}

SAVED = "Copy completed successfully."


# --- in user and privileged mode


def _length(switch: Switch, session: Session, args: Args) -> Lines:
    session.length = args.number("number")
    if not session.length:
        return ["Pagination disabled."]
    return [f"Pagination enabled with length {session.length}."]


def _width(switch: Switch, session: Session, args: Args) -> Lines:
    session.editor.width = args.number("number")
    return [f"Width set to {session.editor.width} columns."]


_reload = execute.reload(
    lambda switch: [SAVED] if switch.save() else switch.save_error,
    "System configuration has been modified. Save? [yes/no/cancel/diff]:",
    retry=["Invalid response"],
    cancels=True,
)

ANY_LEVEL: Commands = [
    *execute.ANY_LEVEL,
    ("terminal length <number>", _length),
    ("terminal width <number>", _width),
    *show.ANY_LEVEL,
    *cabling.COMMANDS,
]
PRIVILEGED: Commands = [
    *ANY_LEVEL,
    ("configure [terminal]", execute.enter(modes.CONFIG)),
    ("copy running-config startup-config", execute.save(SAVED)),
    ("reload", _reload),
    ("write [memory]", execute.save(SAVED)),
    *show.PRIVILEGED_ONLY,
]


# --- configuration


def _interface(switch: Switch, session: Session, args: Args) -> Lines:
    names = args.ports("ports")
    slots: dict[str, list[int]] = {}
    for name in names:
        slot, slash, number = NAMING.split(name)[1].rpartition("/")
        slots.setdefault(slot + slash, []).append(int(number))
    lists = (slot + cli.format_list(numbers, pairs=False) for slot, numbers in slots.items())
    kind, _ = NAMING.split(names[0])
    session.enter(modes.INTERFACE, f"{NAMING.kinds[kind]}{','.join(lists)}", ports=names)
    return []


def _vlan(switch: Switch, session: Session, args: Args) -> Lines:
    vlans = args.vlans("vlans")
    switch.touch()
    if args.no:
        for vlan in vlans - {1}:
            switch.running.vlans.pop(vlan, None)
        return ["% Default VLAN 1 cannot be deleted"] if 1 in vlans else []
    for vlan in vlans:
        switch.running.vlans.setdefault(vlan, default_vlan_name(vlan))
    session.enter(modes.VLAN, cli.format_list(vlans, pairs=False), editing=vlans)
    return []


def _vlan_name(switch: Switch, session: Session, args: Args) -> Lines:
    for vlan in session.editing:
        default = "default" if vlan == 1 else default_vlan_name(vlan)
        switch.running.vlans[vlan] = default if args.no else args.text("word")
    return []


def _switched(switch: Switch, name: str, port: Port, args: Args) -> None:
    port.switched = not args.no


GLOBAL: Commands = [
    ("[no] hostname <word>", execute.hostname("localhost")),
    ("interface <ports>", channels.entering(Port, _interface)),
    ("no interface <ports>", channels.removing("% Invalid input")),
    ("[no] vlan <vlans>", _vlan),
    ("spanning-tree mode mstp|none|rapid-pvst|rstp", CliSwitch.do_nothing),
]
IN_VLAN: Commands = [
    ("name <word>", _vlan_name),
    ("no name", _vlan_name),
    ("state active", CliSwitch.do_nothing),
]
IN_INTERFACE: Commands = [
    *ports.commands(
        [
            ("description <line>", ports.description),
            ("no description [<line>]", ports.description),
            ("[no] shutdown", ports.shutdown),
            ("[no] switchport", _switched),
            ("switchport phone vlan <vlan>", ports.voice_vlan),
            ("no switchport phone vlan [<vlan>]", ports.voice_vlan),
            *ports.channel_commands(setting=channels.joining(Port)),
        ]
    ),
    *ports.switchport(lambda name, port: None),  # routed ports take these commands as well
    ("[no] spanning-tree portfast", CliSwitch.do_nothing),
]

_RESERVED = {
    "": "attach bash clear debug event-handler help no pdb ping ssh telnet traceroute watch who",
    "show": "aaa agent aliases arp banner boot-config clock environment hardware history hosts "
    "interfaces inventory ip ipv6 lacp ldp lldp logging mac mlag module monitor ntp port-channel "
    "port-security privilege processes qos radius redundancy reload route-map run sflow snmp "
    "spanning-tree ssh system tacacs tech-support terminal trunk users vrf vxlan zerotouch",
    "show interfaces": "counters description flowcontrol phy transceiver trunk vlans",
}
RESERVED: Mapping[Mode, Mapping[str, str]] = {modes.USER: _RESERVED, modes.PRIVILEGED: _RESERVED}
"""Further keywords, so that abbreviations are ambiguous as on the device."""

# Commands that only show something are accepted in configuration mode as well.
_ANYWHERE = execute.those(PRIVILEGED, "show", "write", "copy", "terminal")

TABLES: Mapping[Mode, Commands] = {
    modes.USER: ANY_LEVEL,
    modes.PRIVILEGED: PRIVILEGED,
    modes.CONFIG: [*LEAVING, *_ANYWHERE, *GLOBAL],
    modes.INTERFACE: [*LEAVING, *IN_INTERFACE],
    modes.VLAN: [*LEAVING, *IN_VLAN],
}
