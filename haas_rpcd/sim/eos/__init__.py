"""An Arista switch with EOS 4.2x: modes, refusals and tables as EOS has them.

Written from Arista's user manual ("Virtual LANs", "Command-Line Interface") and published output
of devices. Where EOS differs from IOS: a fresh port is an access port; VLANs come into being as
soon as they are named; naming one that does not exist on a port creates nothing, and the port
carries nothing until it does; ranges are part of the interface's name (``Et1,3-5``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from haas_rpcd.sim import cli
from haas_rpcd.sim.cli import Args, CliSwitch, Commands, Line, Lines, Mode, Session

__all__ = ["EosSwitch"]

MODEL, VERSION, SERIAL = "DCS-7050TX-64-R", "4.22.4M", "JPE16021123"

USER = Mode("user", "{host}>")
PRIVILEGED = Mode("privileged", "{host}#")
CONFIG = Mode("config", "{host}(config)#", PRIVILEGED, configures=True)
INTERFACE = Mode(
    "config-if", "{host}(config-if-{label})#", CONFIG, configures=True, falls_to=CONFIG
)
VLAN = Mode("config-vlan", "{host}(config-vlan-{label})#", CONFIG, configures=True, falls_to=CONFIG)

NAMING = cli.Naming({"Ethernet": "Et"}, to="-", comma=",", ends=("last", "number"), bare=True)


@dataclass(slots=True)
class Port(cli.Port):
    """A port; without ``switched`` it routes and carries no VLAN."""

    switched: bool = True

    def carried(self, vlans: Iterable[int]) -> cli.Carried:
        """Say what it carries while ``vlans`` exist."""
        # Written out: super() does not find its way in dataclasses with slots.
        return cli.Port.carried(self, vlans) if self.switched else cli.NOTHING


class Config(cli.Config):
    """A configuration of EOS."""

    ports: dict[str, Port]
    vlans: dict[int, str]


# --- commands at the ">" and "#" prompts


def _configure(switch: EosSwitch, session: Session, args: Args) -> Lines:
    session.enter(CONFIG)
    return []


def _length(switch: EosSwitch, session: Session, args: Args) -> Lines:
    session.length = args.number("number")
    if not session.length:
        return ["Pagination disabled."]
    return [f"Pagination enabled with length {session.length}."]


def _width(switch: EosSwitch, session: Session, args: Args) -> Lines:
    session.editor.width = args.number("number")
    return [f"Width set to {session.editor.width} columns."]


def _save(switch: EosSwitch, session: Session, args: Args) -> Lines:
    if not switch.save():
        return (switch.faults.save_error or "").splitlines()
    return ["Copy completed successfully."]


def _reload(switch: EosSwitch, session: Session, args: Args) -> Lines:
    def confirm() -> None:
        session.ask("Proceed with reload? [confirm]", confirmed, key=True)

    def confirmed(key: str) -> Lines:
        if key in "\r\ny":
            switch.reload()
        return []

    def save_first(text: str) -> Lines:
        answer = text.strip().lower()
        printed: Lines = []
        if not answer or "cancel".startswith(answer):
            return []
        if "yes".startswith(answer):
            printed = _save(switch, session, args)
        elif not "no".startswith(answer):
            ask_save()
            return ["Invalid response"]
        confirm()
        return printed

    def ask_save() -> None:
        question = "System configuration has been modified. Save? [yes/no/cancel/diff]:"
        session.ask(question, save_first)

    if switch.modified:
        ask_save()
    else:
        confirm()
    return []


# --- show


def _running(switch: EosSwitch, session: Session, args: Args) -> Lines:
    if "ports" in args:
        return [
            line for name in args.ports("ports") for line in _stanza(name, switch.running.ports)
        ]
    return [
        "! Command: show running-config",
        *_config_lines(switch, switch.running),
    ]


def _startup(switch: EosSwitch, session: Session, args: Args) -> Lines:
    if switch.startup is None:
        return ["% Error opening startup-config (No such file or directory)"]
    return ["! Command: show startup-config", *_config_lines(switch, switch.startup)]


def _config_lines(switch: EosSwitch, config: Config) -> Iterator[str]:
    yield f"! device: {config.hostname} ({MODEL}, EOS-{VERSION})"
    yield from ["!", "transceiver qsfp default-mode 4x10G", "!"]
    yield from [f"hostname {config.hostname}", "!", "spanning-tree mode mstp", "!"]
    yield from ["no aaa root", "!"]
    if switch.access.username is not None:
        level = "privilege 15 " if switch.access.privileged else ""
        yield from [f"username {switch.access.username} {level}secret sha512 <removed>", "!"]
    yield from _vlan_stanzas(config.vlans)
    for name in switch.port_list:
        yield from [*_stanza(name, config.ports), "!"]
    yield from ["no ip routing", "!", "end"]


def _vlan_stanzas(vlans: Mapping[int, str]) -> Iterator[str]:
    """VLANs; those under default names stand together."""
    unnamed = [v for v, name in vlans.items() if v != 1 and name == _default_name(v)]
    if unnamed:
        yield from [f"vlan {cli.format_list(unnamed, pairs=False)}", "!"]
    for vlan, name in sorted(vlans.items()):
        if vlan not in (1, *unnamed):
            yield from [f"vlan {vlan}", f"   name {name}", "!"]


def _stanza(name: str, ports: Mapping[str, Port]) -> Iterator[str]:
    """One interface; what is at its default is not shown."""
    port = ports[name]
    yield f"interface {name}"
    if port.description:
        yield f"   description {port.description}"
    if port.shutdown:
        yield "   shutdown"
    if port.access_vlan != 1:
        yield f"   switchport access vlan {port.access_vlan}"
    if port.native_vlan != 1:
        yield f"   switchport trunk native vlan {port.native_vlan}"
    if port.allowed != cli.ALL_VLANS:
        yield f"   switchport trunk allowed vlan {cli.format_list(port.allowed, pairs=False)}"
    if port.mode != "access":
        yield f"   switchport mode {port.mode}"
    if not port.switched:
        yield "   no switchport"


def _show_vlan(switch: EosSwitch, session: Session, args: Args) -> Lines:
    wanted = args.vlans("vlans") if "vlans" in args else frozenset(switch.running.vlans)
    lines = [
        "VLAN  Name                             Status    Ports",
        "----- -------------------------------- --------- -------------------------------",
    ]
    for vlan in sorted(wanted & switch.running.vlans.keys()):
        members = [NAMING.short(name) for name in switch.port_list if _is_in(switch, name, vlan)]
        rows = [row.replace(",", ", ") for row in cli.wrap_list(",".join(members), 27)]
        lines.append(f"{vlan:<5} {switch.running.vlans[vlan]:<32} {'active':<9} {rows[0]}".rstrip())
        lines += [f"{'':49}{row}" for row in rows[1:]]
    missing = sorted(wanted - switch.running.vlans.keys())
    return [*([] if missing and len(wanted) == len(missing) else [*lines, ""])] + [
        f"VLAN {vlan} not found in current VLAN database" for vlan in missing
    ]


def _is_in(switch: EosSwitch, name: str, vlan: int) -> bool:
    carried = switch.carried(name)
    return name not in switch.unplugged and (vlan == carried.untagged or vlan in carried.tagged)


def _switchport(switch: EosSwitch, session: Session, args: Args) -> Lines:
    names: Sequence[str] = args.ports("ports") if "ports" in args else switch.port_list
    return [line for name in names for line in _switchport_lines(switch, name)]


def _switchport_lines(switch: EosSwitch, name: str) -> list[str]:
    port = switch.running.ports[name]
    vlans = switch.running.vlans
    if not port.switched:
        return [f"Name: {NAMING.short(name)}", "Switchport: Disabled", ""]
    mode = "trunk" if port.mode == "trunk" else "static access"
    down = port.shutdown or name in switch.unplugged
    enabled = cli.format_list(port.allowed, "NONE", pairs=False)
    return [
        f"Name: {NAMING.short(name)}",
        "Switchport: Enabled",
        f"Administrative Mode: {mode}",
        f"Operational Mode: {'down' if down else mode}",
        "MAC Address Learning: enabled",
        "Dot1q ethertype/TPID: 0x8100 (active)",
        f"Access Mode VLAN: {port.access_vlan} ({vlans.get(port.access_vlan or 0, 'Inactive')})",
        f"Trunking Native Mode VLAN: {port.native_vlan} "
        f"({vlans.get(port.native_vlan or 0, 'Inactive')})",
        "Administrative Native VLAN tagging: disabled",
        f"Trunking VLANs Enabled: {'ALL' if port.allowed == cli.ALL_VLANS else enabled}",
        "Static Trunk Groups:",
        "Dynamic Trunk Groups:",
        "",
    ]


def _status(switch: EosSwitch, session: Session, args: Args) -> Lines:
    names: Sequence[str] = args.ports("ports") if "ports" in args else switch.port_list
    lines = [
        "Port       Name   Status       Vlan     Duplex Speed  Type         Flags Encapsulation"
    ]
    for name in names:
        port = switch.running.ports[name]
        link = "notconnect" if name in switch.unplugged else "connected"
        vlan = "routed" if not port.switched else str(port.access_vlan)
        vlan = "trunk" if port.switched and port.mode == "trunk" else vlan
        lines.append(
            f"{NAMING.short(name):<10} {port.description[:6]:<6} "
            f"{'disabled' if port.shutdown else link:<12} {vlan:<8} full   10G    10GBASE-T"
        )
    return lines


def _version(switch: EosSwitch, session: Session, args: Args) -> Lines:
    return [
        f"Arista {MODEL}",
        "Hardware version:    01.11",
        f"Serial number:       {SERIAL}",
        "System MAC address:  001c.73aa.bb01",
        "",
        f"Software image version: {VERSION}",
        "Architecture:           i686",
        f"Internal build version: {VERSION}-14582549.4224M",
        "",
        f"Uptime:                 {_uptime(switch.seconds_up())}",
        "Total memory:           3818208 kB",
        "Free memory:            2337532 kB",
        "",
    ]


def _show_uptime(switch: EosSwitch, session: Session, args: Args) -> Lines:
    minutes = int(switch.seconds_up()) // 60
    users = len(switch.sessions)
    return [f" 12:00:00 up {minutes} min,  {users} users,  load average: 0.05, 0.10, 0.12"]


def _uptime(seconds: float) -> str:
    """``1 day, 2 hours and 3 minutes``."""
    minutes = int(seconds) // 60
    parts: list[str] = []
    for unit, size in (("week", 10080), ("day", 1440), ("hour", 60)):
        count, minutes = divmod(minutes, size)
        if count or parts or unit == "hour":
            parts.append(f"{count} {unit}{'' if count == 1 else 's'}")
    return f"{', '.join(parts)} and {minutes} minute{'' if minutes == 1 else 's'}"


# --- configuration


def _hostname(switch: EosSwitch, session: Session, args: Args) -> Lines:
    switch.running.hostname = "localhost" if args.no else args.text("word")
    return []


def _interface(switch: EosSwitch, session: Session, args: Args) -> Lines:
    ports = args.ports("ports")
    slots: dict[str, list[int]] = {}
    for name in ports:
        slot, slash, number = NAMING.split(name)[1].rpartition("/")
        slots.setdefault(slot + slash, []).append(int(number))
    lists = (slot + cli.format_list(numbers, pairs=False) for slot, numbers in slots.items())
    session.enter(INTERFACE, f"Et{','.join(lists)}", ports=ports)
    return []


def _default_name(vlan: int) -> str:
    return f"VLAN{vlan:04}"


def _vlan(switch: EosSwitch, session: Session, args: Args) -> Lines:
    vlans = args.vlans("vlans")
    switch.touch()
    if args.no:
        for vlan in vlans - {1}:
            switch.running.vlans.pop(vlan, None)
        return ["% Default VLAN 1 cannot be deleted"] if 1 in vlans else []
    for vlan in vlans:
        switch.running.vlans.setdefault(vlan, _default_name(vlan))
    session.enter(VLAN, cli.format_list(vlans, pairs=False), editing=vlans)
    return []


def _vlan_name(switch: EosSwitch, session: Session, args: Args) -> Lines:
    for vlan in session.editing:
        default = "default" if vlan == 1 else _default_name(vlan)
        switch.running.vlans[vlan] = default if args.no else args.text("word")
    return []


def _description(switch: EosSwitch, name: str, port: Port, args: Args) -> None:
    port.description = "" if args.no else args.text("line")


def _shutdown(switch: EosSwitch, name: str, port: Port, args: Args) -> None:
    port.shutdown = not args.no


def _switched(switch: EosSwitch, name: str, port: Port, args: Args) -> None:
    port.switched = not args.no


def _mode(switch: EosSwitch, name: str, port: Port, args: Args) -> None:
    port.mode = "access" if args.no else args.word("mode")


def _access_vlan(switch: EosSwitch, name: str, port: Port, args: Args) -> None:
    port.access_vlan = 1 if args.no else args.number("vlan")


def _native_vlan(switch: EosSwitch, name: str, port: Port, args: Args) -> None:
    port.native_vlan = 1 if args.no else args.number("vlan")


def _allowed(switch: EosSwitch, name: str, port: Port, args: Args) -> None:
    if args.no:
        port.allowed = cli.ALL_VLANS
        return
    word = args.word("how") if "how" in args else ""
    vlans = args.vlans("vlans") if "vlans" in args else frozenset[int]()
    port.allowed = {
        "": vlans,
        "none": vlans,
        "all": cli.ALL_VLANS,
        "add": port.allowed | vlans,
        "remove": port.allowed - vlans,
        "except": cli.ALL_VLANS - vlans,
    }[word]


ANY_LEVEL: Commands = [
    ("enable", CliSwitch.do_enable),
    ("disable", CliSwitch.do_disable),
    ("exit", CliSwitch.do_quit),
    ("logout", CliSwitch.do_quit),
    ("quit", CliSwitch.do_quit),
    ("terminal length <number>", _length),
    ("terminal width <number>", _width),
    ("show interfaces [<ports>] switchport", _switchport),
    ("show interfaces [<ports>] status", _status),
    ("show uptime", _show_uptime),
    ("show version", _version),
    ("show vlan [brief]", _show_vlan),
    ("show vlan [id] <vlans>", _show_vlan),
]
PRIVILEGED_ONLY: Commands = [
    ("configure [terminal]", _configure),
    ("copy running-config startup-config", _save),
    ("reload", _reload),
    ("show running-config", _running),
    ("show running-config interfaces <ports>", _running),
    ("show startup-config", _startup),
    ("write [memory]", _save),
]
LEAVING: Commands = [("end", CliSwitch.do_end), ("exit", CliSwitch.do_exit)]
GLOBAL: Commands = [
    ("[no] hostname <word>", _hostname),
    ("interface <ports>", _interface),
    ("[no] vlan <vlans>", _vlan),
    ("spanning-tree mode mstp|none|rapid-pvst|rstp", CliSwitch.do_nothing),
]
IN_VLAN: Commands = [
    ("name <word>", _vlan_name),
    ("no name", _vlan_name),
    ("state active", CliSwitch.do_nothing),
]
IN_INTERFACE: Commands = [
    ("description <line>", cli.each_port(_description)),
    ("no description [<line>]", cli.each_port(_description)),
    ("[no] shutdown", cli.each_port(_shutdown)),
    ("[no] switchport", cli.each_port(_switched)),
    ("switchport mode mode:access|trunk", cli.each_port(_mode)),
    ("no switchport mode", cli.each_port(_mode)),
    ("switchport access vlan <vlan>", cli.each_port(_access_vlan)),
    ("no switchport access vlan [<vlan>]", cli.each_port(_access_vlan)),
    ("switchport trunk native vlan <vlan>", cli.each_port(_native_vlan)),
    ("no switchport trunk native vlan [<vlan>]", cli.each_port(_native_vlan)),
    ("switchport trunk allowed vlan <vlans>", cli.each_port(_allowed)),
    ("switchport trunk allowed vlan how:all|none", cli.each_port(_allowed)),
    ("switchport trunk allowed vlan how:add|except|remove <vlans>", cli.each_port(_allowed)),
    ("no switchport trunk allowed vlan", cli.each_port(_allowed)),
    ("[no] spanning-tree portfast", CliSwitch.do_nothing),
]

_RESERVED_ANY = {
    "": "attach bash clear debug event-handler help no pdb ping ssh telnet traceroute watch who",
    "show": "aaa agent aliases arp banner boot-config clock environment hardware history hosts "
    "interfaces inventory ip ipv6 lacp ldp lldp logging mac mlag module monitor ntp port-channel "
    "port-security privilege processes qos radius redundancy reload route-map run sflow snmp "
    "spanning-tree ssh system tacacs tech-support terminal trunk users vrf vxlan zerotouch",
    "show interfaces": "counters description flowcontrol phy transceiver trunk vlans",
}


class EosSwitch(CliSwitch[Config]):
    """A simulated Arista switch. Options: see `haas_rpcd.sim.cli.Options`."""

    dialect = "arista_eos"
    user_mode = USER
    privileged_mode = PRIVILEGED
    naming = NAMING
    # Its telnetd hands over to Linux's login.
    login = cli.Login(user="{host} login: ", wrong=("Login incorrect", ""))
    enabling = cli.Enable(last=("% Bad secret",), tries=3)
    pager = cli.Pager(erase="\r\x1b[K")
    do_word = ""  # EOS takes show commands in every mode without it
    max_vtys = 50
    width = 0
    arguments: ClassVar[Mapping[str, cli.Argument]] = {
        **cli.ARGUMENTS,
        "number": cli.Number(0, 32767),
    }

    @classmethod
    def port_names(cls, count: int) -> list[str]:
        """``Ethernet1`` onwards, as on a switch of one unit."""
        return [f"Ethernet{number}" for number in range(1, count + 1)]

    def factory(self, hostname: str) -> Config:
        """What comes out of the box."""
        return Config(hostname or "localhost", {name: Port() for name in self.port_list})

    def tables(self) -> Mapping[Mode, Commands]:
        """The commands of every mode. Those that only show something may be typed in any."""
        privileged = [*ANY_LEVEL, *PRIVILEGED_ONLY]
        anywhere = [
            (pattern, handler)
            for pattern, handler in privileged
            if pattern.startswith(("show", "write", "copy", "terminal"))
        ]
        return {
            USER: ANY_LEVEL,
            PRIVILEGED: privileged,
            CONFIG: [*LEAVING, *anywhere, *GLOBAL],
            INTERFACE: [*LEAVING, *IN_INTERFACE],
            VLAN: [*LEAVING, *IN_VLAN],
        }

    def reserved(self) -> Mapping[Mode, Mapping[str, str]]:
        """Keywords known only so that abbreviations clash."""
        return {USER: _RESERVED_ANY, PRIVILEGED: _RESERVED_ANY}

    def invalid(self, session: Session, line: Line, error: cli.InvalidError) -> Lines:
        """EOS shows no place; where only the privilege is missing it says so."""
        if session.mode is USER and self.fits(PRIVILEGED, line):
            return ["% Invalid input (privileged mode required)"]
        return ["% Invalid input"]

    def incomplete(self, session: Session, line: Line) -> Lines:
        """No full stop."""
        return ["% Incomplete command"]

    def ambiguous(self, session: Session, line: Line) -> Lines:
        """Only that much."""
        return ["% Ambiguous command"]
