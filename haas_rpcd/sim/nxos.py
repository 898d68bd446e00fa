"""A Cisco Nexus with NX-OS 9.3: modes, refusals and tables as NX-OS has them.

Written from Cisco's Nexus 9000 configuration guides ("Fundamentals", "Interfaces", "Layer 2
Switching") and published output of devices. Where NX-OS differs from IOS: a user is at ``#`` at
once; exec commands may be typed in configuration modes; a port routes or switches by the system's
default; the configuration shows what differs from that default, or all of it with ``all``; naming a
VLAN on a port creates nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Unpack

from haas_rpcd.sim import cli
from haas_rpcd.sim.cli import Args, CliSwitch, Commands, Line, Lines, Mode, Session
from haas_rpcd.sim.cli import filters as standard

__all__ = ["NxosSwitch"]

MODEL, VERSION, SERIAL = "Nexus9000 93180YC-EX", "9.3(8)", "FDO22200AAA"
RESERVED_VLANS = range(3968, 4095)
"""Kept for the switch itself (Layer 2 Switching guide, "VLAN Ranges")."""

MANAGEMENT = ("", "interface mgmt0", "  no shutdown", "  vrf member management")

EXEC = Mode("exec", "{host}# ")
CONFIG = Mode("config", "{host}(config)# ", EXEC, configures=True)
PORT = Mode("config-if", "{host}(config-if)# ", CONFIG, configures=True, falls_to=CONFIG)
PORTS = Mode("config-if-range", "{host}(config-if-range)# ", CONFIG, configures=True,
             falls_to=CONFIG)  # fmt: skip
VLAN = Mode("config-vlan", "{host}(config-vlan)# ", CONFIG, configures=True, falls_to=CONFIG)

NAMING = cli.Naming({"Ethernet": "Eth"}, number=r"[\d/]*")


@dataclass(slots=True)
class Port(cli.Port):
    """A port; without ``switched`` it routes and carries no VLAN."""

    switched: bool = True

    def carried(self, vlans: Iterable[int]) -> cli.Carried:
        """Say what it carries while ``vlans`` exist."""
        # Written out: super() does not find its way in dataclasses with slots.
        return cli.Port.carried(self, vlans) if self.switched else cli.NOTHING


class Config(cli.Config):
    """A configuration of NX-OS."""

    ports: dict[str, Port]
    vlans: dict[int, str]


# --- exec commands


def _configure(switch: NxosSwitch, session: Session, args: Args) -> Lines:
    session.enter(CONFIG)
    return ["Enter configuration commands, one per line. End with CNTL/Z."]


def _monitor(switch: NxosSwitch, session: Session, args: Args) -> Lines:
    session.monitors = not args.no
    return []


def _save(switch: NxosSwitch, session: Session, args: Args) -> Lines:
    if not switch.save():
        return (switch.faults.save_error or "").splitlines()
    return [
        f"[{'#' * 40}] 100%",
        "Copy complete, now saving to disk (please wait)...",
        "Copy complete.",
    ]


def _reload(switch: NxosSwitch, session: Session, args: Args) -> Lines:
    def answered(text: str) -> Lines:
        if text.strip().lower() == "y":
            switch.reload()
        return []

    modified = ["WARNING: There is unsaved configuration!!!"] if switch.modified else []
    session.print([*modified, "WARNING: This command will reboot the system"])
    session.ask("Do you want to continue? (y/n) [n] ", answered)
    return []


# --- show


def _head(command: str) -> list[str]:
    return [
        "",
        f"!Command: {command}",
        "!Running configuration last done at: Tue Jun  9 11:58:40 2026",
        "!Time: Tue Jun  9 12:00:02 2026",
        "",
        f"version {VERSION} Bios:version 07.69 ",
    ]


def _running(switch: NxosSwitch, session: Session, args: Args) -> Lines:
    everything = "all" in args
    if "ports" in args or "interfaces" in args:
        names = args.ports("ports") if "ports" in args else switch.port_list
        what = f" {','.join(names)}" if "ports" in args else ""
        lines = _head(f"show running-config interface{what}{' all' if everything else ''}")
        for name in names:
            lines += ["", *_stanza(switch, name, switch.running, everything=everything)]
        return [*lines, *([] if "ports" in args else MANAGEMENT), ""]
    return [*_head("show running-config"), *_config_lines(switch, switch.running)]


def _startup(switch: NxosSwitch, session: Session, args: Args) -> Lines:
    if switch.startup is None:
        return ["No startup configuration"]
    return [*_head("show startup-config"), *_config_lines(switch, switch.startup)]


def _config_lines(switch: NxosSwitch, config: Config) -> Iterator[str]:
    yield f"hostname {config.hostname}"
    yield from ["vdc " + config.hostname + " id 1", "  limit-resource vlan minimum 16 maximum 4094"]
    yield ""
    if switch.access.username is not None:
        yield f"username {switch.access.username} password 5 <removed>  role network-admin"
    if switch.switched:
        yield "system default switchport"
    yield f"vlan {cli.format_list(config.vlans, pairs=False)}"
    for vlan, name in sorted(config.vlans.items()):
        if vlan != 1 and name != _default_name(vlan):
            yield from [f"vlan {vlan}", f"  name {name}"]
    for name in switch.port_list:
        yield from ["", *_stanza(switch, name, config)]
    yield from [*MANAGEMENT, "line console", "line vty", ""]


def _stanza(
    switch: NxosSwitch, name: str, config: Config, *, everything: bool = False
) -> Iterator[str]:
    """One interface: what is not at its default, or all of it."""
    port = config.ports[name]
    fresh = Port(switched=port.switched, shutdown=not port.switched)
    yield f"interface {name}"
    if port.description or everything:
        yield f"  description {port.description}" if port.description else "  no description"
    if everything or port.switched != switch.switched:
        yield f"  {'' if port.switched else 'no '}switchport"
    if port.switched:
        if everything or port.mode != "access":
            yield f"  switchport mode {port.mode}"
        if everything:
            yield from ["  no switchport monitor", "  no switchport dot1q ethertype"]
        if everything or port.access_vlan != 1:
            yield f"  switchport access vlan {port.access_vlan}"
        if everything or port.native_vlan != 1:
            yield f"  switchport trunk native vlan {port.native_vlan}"
        if everything or port.allowed != fresh.allowed:
            first, *more = cli.wrap_list(cli.format_list(port.allowed, pairs=False), 60)
            yield f"  switchport trunk allowed vlan {first}"
            yield from (f"  switchport trunk allowed vlan add {row}" for row in more)
    if everything or port.shutdown != fresh.shutdown:
        yield f"  {'' if port.shutdown else 'no '}shutdown"


def _show_vlan(switch: NxosSwitch, session: Session, args: Args) -> Lines:
    lines = [
        "",
        "VLAN Name                             Status    Ports",
        "---- -------------------------------- --------- -------------------------------",
    ]
    for vlan, name in sorted(switch.running.vlans.items()):
        members = [
            NAMING.short(port)
            for port in switch.port_list
            if vlan in (carried := switch.carried(port)).tagged or vlan == carried.untagged
        ]
        rows = [row.replace(",", ", ") for row in cli.wrap_list(",".join(members), 27)]
        lines.append(f"{vlan:<4} {name:<32} {'active':<9} {rows[0]}".rstrip())
        lines += [f"{'':48}{row}" for row in rows[1:]]
    return [*lines, ""]


def _status(switch: NxosSwitch, session: Session, args: Args) -> Lines:
    line = "-" * 80
    lines = [
        line,
        "Port          Name               Status    Vlan      Duplex  Speed   Type",
        line,
    ]
    for name in switch.port_list:
        port = switch.running.ports[name]
        link = "notconnec" if name in switch.unplugged else "connected"
        vlan = "trunk" if port.mode == "trunk" else str(port.access_vlan)
        lines.append(
            f"{NAMING.short(name):<13} {port.description[:18] or '--':<18} "
            f"{'disabled' if port.shutdown else link:<9} "
            f"{vlan if port.switched else 'routed':<9} full    10G     10Gbase-SR"
        )
    return lines


def _version(switch: NxosSwitch, session: Session, args: Args) -> Lines:
    minutes, seconds = divmod(int(switch.seconds_up()), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    return [
        "Cisco Nexus Operating System (NX-OS) Software",
        "TAC support: http://www.cisco.com/tac",
        "Copyright (c) 2002-2021, Cisco Systems, Inc. All rights reserved.",
        "",
        "Software",
        "  BIOS: version 07.69",
        f"  NXOS: version {VERSION}",
        "  BIOS compile time:  04/08/2021",
        "",
        "Hardware",
        f"  cisco {MODEL} chassis ",
        "  Intel(R) Xeon(R) CPU  @ 1.80GHz with 24571632 kB of memory.",
        f"  Processor Board ID {SERIAL}",
        "",
        f"  Device name: {switch.running.hostname}",
        f"Kernel uptime is {days} day(s), {hours} hour(s), {minutes} minute(s), "
        f"{seconds} second(s)",
        "",
        "Last reset at 12345 usecs after Tue Jun  9 11:50:00 2026",
        "  Reason: Reset Requested by CLI command reload",
        "",
    ]


# --- configuration


def _hostname(switch: NxosSwitch, session: Session, args: Args) -> Lines:
    switch.running.hostname = "switch" if args.no else args.text("word")
    return []


def _interface(switch: NxosSwitch, session: Session, args: Args) -> Lines:
    ports = args.ports("ports")
    session.enter(PORTS if len(ports) > 1 else PORT, ports=ports)
    return []


def _default_name(vlan: int) -> str:
    return "default" if vlan == 1 else f"VLAN{vlan:04}"


def _vlan(switch: NxosSwitch, session: Session, args: Args) -> Lines:
    vlans = args.vlans("vlans")
    if not vlans.isdisjoint(RESERVED_VLANS):
        raise cli.RejectedError(_marker(switch, session, "vlan "), "invalid vlan (reserved value) "
                                "at '^' marker.")  # fmt: skip
    if args.no:
        if 1 in vlans:
            raise cli.RejectedError("ERROR: Operation not permitted on the default VLAN")
        switch.touch()
        for vlan in vlans:
            switch.running.vlans.pop(vlan, None)
        return []
    if session.mode is VLAN:
        switch.leaving(session)  # another VLAN: the one under edit comes into being
    session.enter(VLAN, editing=dict.fromkeys(vlans, ""))
    return []


def _vlan_name(switch: NxosSwitch, session: Session, args: Args) -> Lines:
    name = "" if args.no else args.text("word")
    if len(name) > 32:
        raise cli.RejectedError(
            _marker(switch, session, "name "), "% String exceeded max length of (32) at '^' marker."
        )
    for vlan in session.editing:
        session.editing[vlan] = name or _default_name(vlan)
    return []


def _marker(switch: NxosSwitch, session: Session, before: str) -> str:
    return " " * len(switch.prompt(session) + before) + "^"


def _description(switch: NxosSwitch, name: str, port: Port, args: Args) -> None:
    port.description = "" if args.no else args.text("line")


def _shutdown(switch: NxosSwitch, name: str, port: Port, args: Args) -> None:
    if port.shutdown == (not args.no):
        return
    port.shutdown = not args.no
    what = "IF_ADMIN_UP: Interface {} is admin up ."
    if port.shutdown:
        what = "IF_DOWN_ADMIN_DOWN: Interface {} is down (Administratively down)"
    host = switch.running.hostname
    switch.log(f"2026 Jun  9 12:00:02 {host} %ETHPORT-5-{what.format(name)}")


def _switched(switch: NxosSwitch, name: str, port: Port, args: Args) -> None:
    """What the port had for the other layer is lost."""
    if port.switched == args.no:
        port.switched = not args.no
        port.mode, port.access_vlan, port.native_vlan = "access", 1, 1
        port.allowed = cli.ALL_VLANS


def _layer2(name: str, port: Port) -> None:
    if not port.switched:
        raise cli.RejectedError(f"ERROR: {name}: requested config not allowed")


def _mode(switch: NxosSwitch, name: str, port: Port, args: Args) -> None:
    _layer2(name, port)
    port.mode = "access" if args.no else args.word("mode")


def _access_vlan(switch: NxosSwitch, name: str, port: Port, args: Args) -> None:
    _layer2(name, port)
    port.access_vlan = 1 if args.no else args.number("vlan")


def _native_vlan(switch: NxosSwitch, name: str, port: Port, args: Args) -> None:
    _layer2(name, port)
    port.native_vlan = 1 if args.no else args.number("vlan")


def _allowed(switch: NxosSwitch, name: str, port: Port, args: Args) -> None:
    _layer2(name, port)
    word = args.word("how") if "how" in args else ""
    vlans = args.vlans("vlans") if "vlans" in args else frozenset[int]()
    port.allowed = {
        "": vlans,
        "none": vlans,
        "all": cli.ALL_VLANS,
        "add": port.allowed | vlans,
        "remove": port.allowed - vlans,
        "except": cli.ALL_VLANS - vlans,
    }["all" if args.no else word]


ANYWHERE: Commands = [
    ("copy running-config startup-config", _save),
    ("show interface status", _status),
    ("show running-config", _running),
    ("show running-config interfaces:interface [<ports>] [all:all]", _running),
    ("show startup-config", _startup),
    ("show version", _version),
    ("show vlan [brief]", _show_vlan),
    ("terminal length <number>", CliSwitch.do_length),
    ("terminal width <number>", CliSwitch.do_width),
    ("terminal monitor", _monitor),
]
LEAVING: Commands = [("end", CliSwitch.do_end), ("exit", CliSwitch.do_exit)]
GLOBAL: Commands = [
    ("[no] hostname <word>", _hostname),
    ("interface <ports>", _interface),
    ("[no] vlan <vlans>", _vlan),
    ("spanning-tree mode mst|rapid-pvst", CliSwitch.do_nothing),
]
IN_VLAN: Commands = [
    ("name <word>", _vlan_name),
    ("no name", _vlan_name),
    ("state active", CliSwitch.do_nothing),
]
IN_PORT: Commands = [
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
    ("no switchport trunk allowed vlan [<vlans>]", cli.each_port(_allowed)),
    ("spanning-tree port type edge [trunk]", CliSwitch.do_nothing),
]

_RESERVED_ANY = {
    "": "attach clear debug echo ethanalyzer event feature find install ip module ping python "
    "run-script sleep ssh system tac-pac telnet test traceroute undebug where write",
    "copy": "bootflash: core: debug: ftp: http: scp: sftp: startup-config tftp: volatile:",
    "show": "aaa accounting arp banner bgp boot bridge-domain cdp class-map cli clock cores "
    "environment feature hardware hosts incompatibility install inventory ip ipv6 lacp license "
    "line lldp logging mac module monitor ntp policy-map port-channel processes queuing redundancy "
    "role route-map spanning-tree ssh system tech-support user-account users vdc vpc vrf",
}


def _unquoted(made: standard.Made) -> standard.Made:
    """NX-OS takes its expressions in quotes, too."""
    return lambda pattern: made(re.compile(re.sub(r'^"(.*)"$', r"\1", pattern.pattern)))


class NxosSwitch(CliSwitch[Config]):
    """A simulated Nexus. ``switched``: what ``system default switchport`` says; without, fresh
    ports route and are shut. Options: see `haas_rpcd.sim.cli.Options`."""

    dialect = "cisco_nxos"
    user_mode = EXEC
    privileged_mode = EXEC
    naming = NAMING
    login = cli.Login(
        user="{host} login: ", before=("User Access Verification",), wrong=("Login incorrect", "")
    )
    pager = cli.Pager(more="\x1b[7m--More--\x1b[27m", erase="\r" + " " * 8 + "\r")
    filters: ClassVar[Mapping[str, standard.Made]] = {
        **{words: _unquoted(made) for words, made in standard.FILTERS.items()},
        "no-more": standard.whole,
    }
    max_vtys = 32
    width = 0
    longest_line = 1024
    arguments: ClassVar[Mapping[str, cli.Argument]] = {
        **cli.ARGUMENTS,
        "number": cli.Number(0, 511),
    }

    def __init__(
        self,
        hostname: str = "switch",
        *,
        ports: Sequence[str],
        switched: bool = True,
        **options: Unpack[cli.Options],
    ) -> None:
        self.switched = switched
        super().__init__(hostname, ports=ports, **options)

    @classmethod
    def port_names(cls, count: int) -> list[str]:
        """``Ethernet1/1`` onwards."""
        return [f"Ethernet1/{number}" for number in range(1, count + 1)]

    def factory(self, hostname: str) -> Config:
        """What comes out of the box."""
        ports = {
            name: Port(switched=self.switched, shutdown=not self.switched)
            for name in self.port_list
        }
        return Config(hostname or "switch", ports)

    def tables(self) -> Mapping[Mode, Commands]:
        """The commands of every mode. Exec commands may be typed in any."""
        leave: Commands = [("exit", CliSwitch.do_quit), ("logout", CliSwitch.do_quit)]
        return {
            EXEC: [*ANYWHERE, *leave, ("configure [terminal]", _configure), ("reload", _reload)],
            CONFIG: [*LEAVING, *ANYWHERE, *GLOBAL],
            PORT: [*LEAVING, *ANYWHERE, *IN_PORT],
            PORTS: [*LEAVING, *ANYWHERE, *IN_PORT],
            VLAN: [*LEAVING, *ANYWHERE, *IN_VLAN],
        }

    def reserved(self) -> Mapping[Mode, Mapping[str, str]]:
        """Keywords known only so that abbreviations clash."""
        return {EXEC: _RESERVED_ANY}

    def enter(self, session: Session, user: str) -> list[str]:
        """The copyright is told at every login."""
        super().enter(session, user)
        return [
            "Cisco NX-OS Software",
            "Copyright (c) 2002-2021, Cisco Systems, Inc. All rights reserved.",
            'Nexus 9000v software ("Nexus 9000v") and related documentation,',
            "files or other reference materials are the proprietary property of Cisco Systems.",
        ]

    def leaving(self, session: Session) -> Iterable[str]:
        """VLANs under edit come into being when their mode is left (Layer 2 Switching guide)."""
        if session.mode is VLAN:
            self.touch()
            for vlan, name in session.editing.items():
                known = self.running.vlans.get(vlan, _default_name(vlan))
                self.running.vlans[vlan] = name or known
        return ()

    def invalid(self, session: Session, line: Line, error: cli.InvalidError) -> Lines:
        """Say what was wrong at the marker: a name of a port, a number, or anything else."""
        words = [word.text for word in line.words]
        wrong = words[error.word] if error.word < len(words) else ""
        what = "% Invalid command"
        if words and "interface".startswith(words[0].lower()) and error.word:
            what = "Invalid range" if re.search(r"\d-", wrong) else "Invalid interface format"
        elif wrong.isdecimal():
            what = "% Invalid number, range is (1:4094)"
        return [*self._at(session, error.at), f"{what} at '^' marker."]

    def incomplete(self, session: Session, line: Line) -> Lines:
        """With the marker at the end of the line."""
        marker = self._at(session, len(line.text))
        return [*marker, "% Incomplete command at '^' marker."]

    def ambiguous(self, session: Session, line: Line) -> Lines:
        """With the marker as well."""
        marker = self._at(session, len(line.text))
        return [*marker, "% Ambiguous command at '^' marker."]

    def _at(self, session: Session, column: int) -> list[str]:
        return [" " * (len(self.prompt(session)) + column) + "^"]
