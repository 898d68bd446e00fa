"""A Dell S4810 with OS9, formerly Force10's FTOS: modes, refusals and tables as it has them.

Written from Dell's configuration guides (Virtual LANs; Lock CONFIGURATION Mode), published sessions
and ntc-templates' recorded output. Refusals of ``tagged`` and ``untagged``, of logins, and of what
is incomplete or ambiguous are in OS9's form, not verbatim. Where OS9 differs from IOS: a fresh port
is shut and routes; in Layer-2 mode (``switchport``) it is untagged on VLAN 1 until a VLAN lists it;
it is on one VLAN untagged or on some tagged, and on both only where it was made hybrid before it
entered Layer-2 mode; Layer-2 mode can be left only while no VLAN but the default one lists it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

from haas_rpcd.sim import cli
from haas_rpcd.sim.cli import Args, CliSwitch, Commands, Line, Lines, Mode, RejectedError, Session
from haas_rpcd.sim.cli.portname import IncompleteNameError, NoSuchPortError, PortNames

__all__ = ["Os9Switch"]

MODEL, VERSION = "S4810", "9.14(2.4)"
DEFAULT_VLAN = 1

USER = Mode("user", "{host}>")
PRIVILEGED = Mode("privileged", "{host}#")
CONFIG = Mode("conf", "{host}(conf)#", PRIVILEGED, configures=True)
INTERFACE = Mode("conf-if", "{host}(conf-if-{label})#", CONFIG, configures=True, falls_to=CONFIG)
VLAN = Mode("conf-if-vl", "{host}(conf-if-vl-{label})#", CONFIG, configures=True, falls_to=CONFIG)

NAMING = cli.Naming({"TenGigabitEthernet ": "Te ", "fortyGigE ": "Fo "})


@dataclass(slots=True)
class Port:
    """A port as it comes: shut, and in neither Layer-2 nor Layer-3 mode."""

    description: str = ""
    address: str = ""
    switched: bool = False
    hybrid: bool = False
    shutdown: bool = True


@dataclass(slots=True)
class Vlan:
    """A VLAN and the ports that it lists."""

    name: str = ""
    description: str = ""
    tagged: frozenset[str] = frozenset()
    untagged: frozenset[str] = frozenset()


class Config(cli.Config):
    """A configuration of OS9."""

    ports: dict[str, Port]
    vlans: dict[int, Vlan]

    def carried(self, port: str) -> cli.Carried:
        """Look where the port is listed; on the default VLAN it need not be."""
        own = self.ports[port]
        if own.shutdown or not own.switched:
            return cli.NOTHING
        tagged = frozenset(vlan for vlan, it in self.vlans.items() if port in it.tagged)
        untagged = next((vlan for vlan, it in self.vlans.items() if port in it.untagged), None)
        if untagged is None and (own.hybrid or not tagged):
            untagged = DEFAULT_VLAN
        return cli.Carried(untagged, tagged)

    def on_a_vlan(self, port: str) -> bool:
        """Whether a VLAN but the default one lists the port."""
        return any(port in vlan.tagged | vlan.untagged for vlan in self.vlans.values())


class Members:
    """Ports as OS9 lists them: ``TenGigabitEthernet 0/1-4,9``, ``te 0/1 - 4 , te 0/9``."""

    help = "Interface list"

    def take(self, line: Line, index: int, names: PortNames) -> tuple[object, int]:
        """Read everything up to the end of the line."""
        start = line.column(index)
        ports: dict[str, None] = {}
        kind = slot = ""
        for part in re.split(r"\s*,\s*", line.text[start:].strip()):
            found = re.fullmatch(
                r"([A-Za-z]*)\s*((?:\d+/)*)(\d+)(?:\s*-\s*(?:\d+/)*(\d+))?", part.strip()
            )
            if found is None or not (found[1] or kind):
                raise cli.InvalidError(start, index)
            kind, slot = found[1] or kind, found[2] or slot
            first, last = int(found[3]), int(found[4] or found[3])
            if last < first:
                raise cli.InvalidError(start, index)
            for number in range(first, last + 1):
                try:
                    ports[names.read(f"{kind} {slot}{number}", 0)[0]] = None
                except (NoSuchPortError, IncompleteNameError):
                    raise cli.InvalidError(start, index) from None
        return tuple(ports), len(line.words)


# --- commands at the ">" and "#" prompts


def _configure(switch: Os9Switch, session: Session, args: Args) -> Lines:
    if switch.locked_by is not None:
        raise RejectedError(
            f'% Error: User "{switch.locked_by}" on line vty9 is in exclusive configuration mode.'
        )
    session.enter(CONFIG)
    return []


def _copy(switch: Os9Switch, session: Session, args: Args) -> Lines:
    def done() -> Lines:
        if not switch.save():
            return (switch.faults.save_error or "").splitlines()
        return ["!", f"{len(list(_config_lines(switch, switch.running))) * 20} bytes successfully"
                " copied"]  # fmt: skip

    def answered(text: str) -> Lines:
        return done() if text.strip().lower() == "yes" else []

    if switch.startup is None:
        return done()
    session.ask("Proceed to copy the file [confirm yes/no]: ", answered)
    return ["File with same name already exist."]


def _write(switch: Os9Switch, session: Session, args: Args) -> Lines:
    return ["!"] if switch.save() else (switch.faults.save_error or "").splitlines()


def _reload(switch: Os9Switch, session: Session, args: Args) -> Lines:
    def confirmed(text: str) -> Lines:
        if text.strip().lower() == "yes":
            switch.reload()
        return []

    def save_first(text: str) -> Lines:
        printed = _write(switch, session, args) if text.strip().lower() == "yes" else []
        session.ask("Proceed with reload [confirm yes/no]: ", confirmed)
        return printed

    if switch.modified:
        question = "System configuration has been modified. Save? [yes/no]: "
        session.ask(question, save_first)
    else:
        session.ask("Proceed with reload [confirm yes/no]: ", confirmed)
    return []


def _running(switch: Os9Switch, session: Session, args: Args) -> Lines:
    if "port" in args:
        return ["!", *_stanza(args.text("port"), switch.running.ports[args.text("port")])]
    return ["Current Configuration ...", *_config_lines(switch, switch.running)]


def _config_lines(switch: Os9Switch, config: Config) -> Iterator[str]:
    yield from [f"! Version {VERSION}", "!", f"hostname {config.hostname}", "!"]
    if switch.access.username is not None:
        yield from [f"username {switch.access.username} password 7 387a7f2df5969da4", "!"]
    for name in switch.port_list:
        yield from [*_stanza(name, config.ports[name]), "!"]
    yield from ["interface ManagementEthernet 0/0", " no ip address", " shutdown", "!"]
    for number, vlan in sorted(config.vlans.items()):
        yield from [f"interface Vlan {number}", *_vlan_lines(switch, number, vlan), "!"]
    yield "end"


def _stanza(name: str, port: Port) -> Iterator[str]:
    yield f"interface {name}"
    if port.description:
        yield f" description {port.description}"
    yield f" ip address {port.address}" if port.address else " no ip address"
    if port.hybrid:
        yield " portmode hybrid"
    if port.switched:
        yield " switchport"
    yield " shutdown" if port.shutdown else " no shutdown"


def _vlan_lines(switch: Os9Switch, number: int, vlan: Vlan) -> Iterator[str]:
    if vlan.description:
        yield f" description {vlan.description}"
    if vlan.name:
        yield f" name {vlan.name}"
    if number == DEFAULT_VLAN:
        there = [n for n in switch.port_list if switch.running.carried(n).untagged == number]
        yield from (f"!untagged {listed}" for listed in _listed(there))
        return
    yield " no ip address"
    yield from (f" tagged {listed}" for listed in _listed(vlan.tagged))
    yield from (f" untagged {listed}" for listed in _listed(vlan.untagged))
    yield " shutdown"


def _listed(ports: Iterable[str], short: bool = False) -> Iterator[str]:
    """Write ports, those of a slot together: ``TenGigabitEthernet 0/1-4,9``."""
    slots: dict[str, list[int]] = {}
    for port in ports:
        head, _, number = port.rpartition("/")
        slots.setdefault(head, []).append(int(number))
    for head, numbers in sorted(slots.items()):
        kind, slot = head.split(" ")
        shown = NAMING.kinds[f"{kind} "].strip() if short else kind
        yield f"{shown} {slot}/{cli.format_list(numbers, pairs=False)}"


def _show_vlan(switch: Os9Switch, session: Session, args: Args) -> Lines:
    lines = [
        "",
        "Codes: * - Default VLAN, G - GVRP VLANs, R - Remote Port Mirroring VLANs, P - Primary, "
        "C - Community, I - Isolated",
        "       O - Openflow",
        "Q: U - Untagged, T - Tagged",
        "   x - Dot1x untagged, X - Dot1x tagged",
        "",
        "    NUM    Status    Description                     Q Ports",
    ]
    for number in sorted(switch.running.vlans):
        if "vlan" in args and number != args.number("vlan"):
            continue
        carried = {name: switch.carried(name) for name in switch.port_list}
        tagged = [name for name, now in carried.items() if number in now.tagged]
        untagged = [name for name, now in carried.items() if now.untagged == number]
        rows = [f"T {listed}" for listed in _listed(tagged, short=True)]
        rows += [f"U {listed}" for listed in _listed(untagged, short=True)]
        star = "*" if number == DEFAULT_VLAN else " "
        status = "Active" if rows else "Inactive"
        text = switch.running.vlans[number].description
        lines.append(
            f"{star}   {number:<6} {status:<9} {text:<31} {rows[0] if rows else ''}".rstrip()
        )
        lines += [f"{'':53}{row}" for row in rows[1:]]
    return lines


def _status(switch: Os9Switch, session: Session, args: Args) -> Lines:
    lines = ["Port                 Description  Status Speed        Duplex Vlan"]
    for name in switch.port_list:
        port, now = switch.running.ports[name], switch.carried(name)
        up = not port.shutdown and name not in switch.unplugged
        carried = sorted(now.tagged | ({now.untagged} if now.untagged else set()))
        lines.append(
            f"{NAMING.short(name):<20} {port.description[:12]:<12} {'Up' if up else 'Down':<6} "
            f"{'10000 Mbit' if up else 'Auto':<12} {'Full' if up else 'Auto':<6} "
            f"{cli.format_list(carried, '--', pairs=False)}"
        )
    return lines


def _version(switch: Os9Switch, session: Session, args: Args) -> Lines:
    return [
        "Dell Real Time Operating System Software",
        "Dell Operating System Version:  2.0",
        f"Dell Application Software Version:  {VERSION}",
        "Copyright (c) 1999-2018 by Dell Inc. All Rights Reserved.",
        f"Dell Networking OS uptime is {_uptime(switch.seconds_up())}",
        "",
        'System image file is "system://A"',
        "",
        f"System Type: {MODEL}",
        "Control Processor: Freescale QorIQ P2020 with 2 Gbytes (2147483648 bytes) of memory,"
        " core(s) 1.",
        "",
        f" {len(switch.port_list)} Ten GigabitEthernet/IEEE 802.3 interface(s)",
    ]


def _uptime(seconds: float) -> str:
    """``1 week(s), 2 day(s), 9 hour(s), 5 minute(s)``."""
    minutes = int(seconds) // 60
    parts: list[str] = []
    for unit, size in (("week", 10080), ("day", 1440), ("hour", 60)):
        count, minutes = divmod(minutes, size)
        if count or parts:
            parts.append(f"{count} {unit}(s)")
    return ", ".join([*parts, f"{minutes} minute(s)"])


# --- configuration


def _hostname(switch: Os9Switch, session: Session, args: Args) -> Lines:
    switch.running.hostname = args.text("word")
    return []


def _interface(switch: Os9Switch, session: Session, args: Args) -> Lines:
    name = args.text("port")
    session.enter(INTERFACE, NAMING.short(name).lower().replace(" ", "-"), ports=[name])
    return []


def _range(switch: Os9Switch, session: Session, args: Args) -> Lines:
    ports = args.ports("members")
    label = ",".join(text.lower().replace(" ", "-") for text in _listed(ports, short=True))
    session.enter(INTERFACE, f"range-{label}", ports=ports)
    return []


def _interface_vlan(switch: Os9Switch, session: Session, args: Args) -> Lines:
    number = args.number("vlan")
    if not args.no:
        switch.running.vlans.setdefault(number, Vlan())
        session.enter(VLAN, str(number), editing=number)
        return []
    if number == DEFAULT_VLAN:
        raise RejectedError("% Error: Cannot delete the default VLAN.")
    if number not in switch.running.vlans:
        raise RejectedError("% Error: No such interface.")
    del switch.running.vlans[number]
    switch.touch()
    return []


def _shutdown(switch: Os9Switch, name: str, port: Port, args: Args) -> None:
    port.shutdown = not args.no


def _description(switch: Os9Switch, name: str, port: Port, args: Args) -> None:
    port.description = "" if args.no else args.text("line")


def _address(switch: Os9Switch, name: str, port: Port, args: Args) -> None:
    if not args.no and port.switched:
        raise RejectedError(f"% Error: Port is in Layer-2 mode {NAMING.short(name)}.")
    port.address = "" if args.no else args.text("line")


def _switchport(switch: Os9Switch, name: str, port: Port, args: Args) -> None:
    short = NAMING.short(name)
    if args.no and switch.running.on_a_vlan(name):
        raise RejectedError(f"% Error: {short} Port is part of a non-default VLAN.")
    if not args.no and port.address:
        raise RejectedError(f"% Error: Port is in Layer-3 mode {short}.")
    port.switched = not args.no


def _portmode(switch: Os9Switch, name: str, port: Port, args: Args) -> None:
    if port.switched:
        raise RejectedError(f"% Error: Port is in Layer-2 mode {NAMING.short(name)}.")
    port.hybrid = not args.no


def _show_config(switch: Os9Switch, session: Session, args: Args) -> Lines:
    if session.mode is VLAN:
        number = session.editing
        vlan = switch.running.vlans.get(number, Vlan())
        return ["!", f"interface Vlan {number}", *_vlan_lines(switch, number, vlan)]
    return [
        line for name in session.selection for line in _stanza(name, switch.running.ports[name])
    ]


def _vlan_name(switch: Os9Switch, session: Session, args: Args) -> Lines:
    _edited(switch, session).name = "" if args.no else args.text("word")
    return []


def _vlan_description(switch: Os9Switch, session: Session, args: Args) -> Lines:
    _edited(switch, session).description = "" if args.no else args.text("line")
    return []


def _edited(switch: Os9Switch, session: Session) -> Vlan:
    return switch.running.vlans.setdefault(session.editing, Vlan())


def _members(switch: Os9Switch, session: Session, args: Args) -> Lines:
    """``[no] tagged|untagged …``: one port after the other, up to the first that is refused."""
    how = args.word("how")
    for name in args.ports("members"):
        if session.editing == DEFAULT_VLAN:
            raise RejectedError("% Error: Default VLAN cannot be configured.")
        vlan = _edited(switch, session)
        if args.no:
            _leave(vlan, how, name)
        else:
            _join(switch, vlan, how, name)
        switch.touch(name)
    return []


def _leave(vlan: Vlan, how: str, name: str) -> None:
    there = vlan.tagged if how == "tagged" else vlan.untagged
    if name not in there:
        raise RejectedError(f"% Error: {NAMING.short(name)} is not a {how} member of this Vlan.")
    if how == "tagged":
        vlan.tagged -= {name}
    else:
        vlan.untagged -= {name}


def _join(switch: Os9Switch, vlan: Vlan, how: str, name: str) -> None:
    port, short = switch.running.ports[name], NAMING.short(name)
    others = [other for other in switch.running.vlans.values() if other is not vlan]
    if not port.switched:
        raise RejectedError(f"% Error: {short} Port is not in Layer-2 mode.")
    if how == "tagged":
        untagged = name in vlan.untagged or any(name in other.untagged for other in others)
        if name in vlan.untagged or (untagged and not port.hybrid):
            raise RejectedError(f"% Error: {short} Port is untagged in another Vlan.")
        vlan.tagged |= {name}
        return
    if any(name in other.untagged for other in others):
        raise RejectedError(f"% Error: {short} Port is untagged in another Vlan.")
    tagged = name in vlan.tagged or any(name in other.tagged for other in others)
    if name in vlan.tagged or (tagged and not port.hybrid):
        raise RejectedError(f"% Error: {short} Port is tagged in another Vlan.")
    vlan.untagged |= {name}


ANY_LEVEL: Commands = [
    ("enable", CliSwitch.do_enable),
    ("disable", CliSwitch.do_disable),
    ("exit", CliSwitch.do_quit),
    ("quit", CliSwitch.do_quit),
    ("terminal length <number>", CliSwitch.do_length),
    ("show version", _version),
    ("show vlan", _show_vlan),
    ("show vlan id <vlan>", _show_vlan),
    ("show interfaces status", _status),
]
PRIVILEGED_ONLY: Commands = [
    ("configure [terminal]", _configure),
    ("copy running-config startup-config", _copy),
    ("reload", _reload),
    ("show running-config", _running),
    ("show running-config interface <port>", _running),
    ("write [memory]", _write),
]
LEAVING: Commands = [("end", CliSwitch.do_end), ("exit", CliSwitch.do_exit)]
GLOBAL: Commands = [
    ("hostname <word>", _hostname),
    ("interface <port>", _interface),
    ("interface range <members>", _range),
    ("[no] interface vlan <vlan>", _interface_vlan),
]
IN_INTERFACE: Commands = [
    ("description <line>", cli.each_port(_description)),
    ("no description [<line>]", cli.each_port(_description)),
    ("ip address <line>", cli.each_port(_address)),
    ("no ip address [<line>]", cli.each_port(_address)),
    ("[no] portmode hybrid", cli.each_port(_portmode)),
    ("[no] shutdown", cli.each_port(_shutdown)),
    ("[no] switchport", cli.each_port(_switchport)),
    ("show config", _show_config),
]
IN_VLAN: Commands = [
    ("[no] how:tagged|untagged <members>", _members),
    ("description <line>", _vlan_description),
    ("no description [<line>]", _vlan_description),
    ("name <word>", _vlan_name),
    ("no name [<word>]", _vlan_name),
    ("no ip address", CliSwitch.do_nothing),
    ("[no] shutdown", CliSwitch.do_nothing),  # of a VLAN it concerns only what is routed
    ("show config", _show_config),
]


class Os9Switch(CliSwitch[Config]):
    """A simulated OS9 switch. Options: see `haas_rpcd.sim.cli.Options`."""

    dialect = "dell_os9"
    user_mode = USER
    privileged_mode = PRIVILEGED
    naming = NAMING
    login = cli.Login(user="Login: ", wrong=("% Error: Access denied.", ""))
    enabling = cli.Enable(
        wrong=("% Error: Access denied.",), last=("% Error: Access denied.",), tries=3
    )
    pager = cli.Pager(more="--More--", erase="\r        \r", quits="q")
    max_vtys = 10
    width = 0
    arguments: ClassVar[Mapping[str, cli.Argument]] = {
        **cli.ARGUMENTS,
        "members": Members(),
        "number": cli.Number(0, 512),
    }
    locked_by: str | None = None
    """Who holds the configuration exclusively, if anybody."""

    @classmethod
    def port_names(cls, count: int) -> list[str]:
        """``TenGigabitEthernet 0/0`` onwards, as on an S4810."""
        return [f"TenGigabitEthernet 0/{number}" for number in range(count)]

    def factory(self, hostname: str) -> Config:
        """What comes out of the box."""
        ports = {name: Port() for name in self.port_list}
        return Config(hostname or "Dell", ports, {DEFAULT_VLAN: Vlan()})

    def tables(self) -> Mapping[Mode, Commands]:
        """The commands of every mode."""
        return {
            USER: ANY_LEVEL,
            PRIVILEGED: [*ANY_LEVEL, *PRIVILEGED_ONLY],
            CONFIG: [*LEAVING, *GLOBAL],
            INTERFACE: [*LEAVING, *IN_INTERFACE],
            VLAN: [*LEAVING, *IN_VLAN],
        }

    def invalid(self, session: Session, line: Line, error: cli.InvalidError) -> Lines:
        """OS9 shows the place, and tells a wrong number from a wrong word."""
        last_line = self.prompt(session).rpartition("\n")[2]
        caret = " " * (len(last_line) + error.at) + "^"
        number = line.text[error.at : error.at + 1].isdigit()
        said = "Value out of range" if number else "Invalid input"
        return [caret, f'% Error: {said} at "^" marker.']

    def incomplete(self, session: Session, line: Line) -> Lines:
        """By the same pattern."""
        return ["% Error: Incomplete command."]

    def ambiguous(self, session: Session, line: Line) -> Lines:
        """By the same pattern."""
        return ["% Error: Ambiguous command."]
