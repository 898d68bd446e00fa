"""A Dell PowerSwitch with SmartFabric OS10: modes, refusals and tables as OS10 has them.

Written from Dell's "SmartFabric OS10 User Guide" and published output of devices. Where OS10
differs from IOS: a user is at ``#`` at once; a refusal is one line, without a marker; a VLAN is
made by its interface, and with it vanishes from all ports; ``switchport trunk allowed vlan`` adds
to the list, which is empty on a fresh trunk; the access VLAN is also what a trunk carries untagged,
and may not be on that list; ``no switchport`` forgets all of that; saving says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

from haas_rpcd.sim import cli
from haas_rpcd.sim.cli import Args, CliSwitch, Commands, Line, Lines, Mode, Session
from haas_rpcd.sim.cli import filters as standard

__all__ = ["Os10Switch"]

MODEL, VERSION = "S4148F-ON", "10.5.1.3"
DEFAULT_VLAN = 1

EXEC = Mode("exec", "{host}# ")
CONFIG = Mode("config", "{host}(config)# ", EXEC, configures=True)
PORT = Mode("conf-if", "{host}(conf-if-{label})# ", CONFIG, configures=True, falls_to=CONFIG)
PORTS = Mode("conf-range", "{host}(conf-range-{label})# ", CONFIG, configures=True,
             falls_to=CONFIG)  # fmt: skip
VLAN = Mode("conf-if-vl", "{host}(conf-if-vl-{label})# ", CONFIG, configures=True, falls_to=CONFIG)

NAMING = cli.Naming(
    {"ethernet": "Eth"},
    number=r"[\d/:]*",
    separator="/:",
    to="-",
    comma=",",
    ends=("number",),
    bare=True,
)


@dataclass(slots=True)
class Port:
    """The configuration of a port; ``access_vlan`` None: nothing untagged."""

    description: str = ""
    switched: bool = True
    mode: str = "access"  # or "trunk"
    access_vlan: int | None = DEFAULT_VLAN
    allowed: frozenset[int] = frozenset()
    shutdown: bool = False

    def carried(self, vlans: Iterable[int]) -> cli.Carried:
        """Say what it carries while ``vlans`` exist."""
        live = frozenset(vlans)
        if self.shutdown or not self.switched:
            return cli.NOTHING
        return cli.Carried(
            self.access_vlan if self.access_vlan in live else None,
            self.allowed & live if self.mode == "trunk" else frozenset(),
        )


class Config(cli.Config):
    """A configuration of OS10; of a VLAN it has the description."""

    ports: dict[str, Port]
    vlans: dict[int, str]


# --- exec commands


def _configure(switch: Os10Switch, session: Session, args: Args) -> Lines:
    session.enter(CONFIG)
    return []


def _save(switch: Os10Switch, session: Session, args: Args) -> Lines:
    return [] if switch.save() else (switch.faults.save_error or "").splitlines()


def _reload(switch: Os10Switch, session: Session, args: Args) -> Lines:
    def confirm() -> None:
        session.ask("Proceed to reboot the system? [confirm yes/no]:", confirmed)

    def confirmed(text: str) -> Lines:
        if text.strip().lower() in ("y", "yes"):
            switch.reload()
        return []

    def save_first(text: str) -> Lines:
        yes = text.strip().lower() in ("y", "yes")
        session.print(
            ["Saving system configuration", *(_save(switch, session, args) or ())]
            if yes
            else ["Continuing without saving system configuration"]
        )
        confirm()
        return []

    if switch.modified:
        session.ask("System configuration has been modified. Save? [yes/no]:", save_first)
    else:
        confirm()
    return []


# --- show


def _running(switch: Os10Switch, session: Session, args: Args) -> Lines:
    if "port" in args:
        return ["!", *_stanza(args.text("port"), switch.running)]
    kind = args.word("kind") if "kind" in args else ""
    if kind:
        return [line for line in _interfaces(switch, switch.running, kind) if line]
    return _config_lines(switch, switch.running)


def _startup(switch: Os10Switch, session: Session, args: Args) -> Lines:
    return [] if switch.startup is None else _config_lines(switch, switch.startup)


def _config_lines(switch: Os10Switch, config: Config) -> Iterator[str]:
    yield from [f"! Version {VERSION}", "! Last configuration change at Jun  09 12:00:02 2026", "!"]
    yield from ["ip vrf default", "!", f"hostname {config.hostname}"]
    if switch.access.username is not None:
        yield f"username {switch.access.username} password **** role sysadmin"
    yield "aaa authentication login default local"
    yield from _interfaces(switch, config, "vlan")
    yield from ["!", "interface mgmt1/1/1", " no shutdown", " ip address dhcp"]
    yield from _interfaces(switch, config, "ethernet")
    yield "!"


def _interfaces(switch: Os10Switch, config: Config, kind: str) -> Iterator[str]:
    if kind == "vlan":
        for vlan, description in sorted(config.vlans.items()):
            yield from ["!", f"interface vlan{vlan}"]
            if description:
                yield f" description {description}"
            yield " no shutdown"
    if kind == "ethernet":
        for name in switch.port_list:
            yield from ["!", *_stanza(name, config)]


def _stanza(name: str, config: Config) -> Iterator[str]:
    """One interface: its state and its access VLAN are always shown."""
    port = config.ports[name]
    yield f"interface {name}"
    if port.description:
        yield f" description {port.description}"
    yield " shutdown" if port.shutdown else " no shutdown"
    if not port.switched:
        yield " no switchport"
    else:
        if port.mode == "trunk":
            yield " switchport mode trunk"
        if port.access_vlan is not None:
            yield f" switchport access vlan {port.access_vlan}"
        if port.allowed:
            yield f" switchport trunk allowed vlan {cli.format_list(port.allowed, pairs=False)}"
    yield " flowcontrol receive on"


def _show_vlan(switch: Os10Switch, session: Session, args: Args) -> Iterator[str]:
    yield "Codes: * - Default VLAN, M - Management VLAN, R - Remote Port Mirroring VLANs,"
    yield "       @ - Attached to Virtual Network"
    yield "Q: A - Access (Untagged), T - Tagged"
    yield "    NUM    Status    Description                     Q Ports"
    carried = {name: switch.running.ports[name] for name in switch.port_list}
    for vlan, description in sorted(switch.running.vlans.items()):
        access = [
            name for name, port in carried.items() if port.switched and port.access_vlan == vlan
        ]
        tagged = [name for name, port in carried.items() if port.switched and vlan in port.allowed]
        live = any(not carried[name].shutdown for name in (*access, *tagged))
        rows = [f"{q} {_listed(names)}" for q, names in (("T", tagged), ("A", access)) if names]
        yield (
            f"{'*' if vlan == DEFAULT_VLAN else ' '}   {vlan:<6} "
            f"{'Active' if live else 'Inactive':<9} {description[:31]:<31} "
            f"{rows[0] if rows else ''}"
        ).rstrip()
        yield from (f"{'':53}{row}" for row in rows[1:])


def _listed(names: list[str]) -> str:
    """``Eth1/1/1-1/1/3,1/1/7,1/1/25:1``."""
    slots: dict[str, list[int]] = {}
    for name in names:
        slot, last = re.split(r"(?<=[/:])(?=\d+$)", NAMING.split(name)[1])
        slots.setdefault(slot, []).append(int(last))
    parts = [
        "-".join(f"{slot}{number}" for number in part.split("-"))
        for slot, numbers in slots.items()
        for part in cli.format_list(numbers, pairs=False).split(",")
    ]
    return "Eth" + ",".join(parts)


def _status(switch: Os10Switch, session: Session, args: Args) -> Iterator[str]:
    line = "-" * 68
    yield from [line, "Port            Description     Status   Speed    Duplex   Mode Vlan", line]
    for name in switch.port_list:
        port = switch.running.ports[name]
        up = not port.shutdown and name not in switch.unplugged
        mode = ("T" if port.mode == "trunk" else "A") if port.switched else "-"
        yield (
            f"{NAMING.short(name).replace('Eth', 'Eth '):<15} {port.description[:15]:<15} "
            f"{'up' if up else 'down':<8} 10G      full     {mode:<4} {port.access_vlan or '-'}"
        )


def _version(switch: Os10Switch, session: Session, args: Args) -> Lines:
    minutes, seconds = divmod(int(switch.seconds_up()), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    day = f"{days} day{'' if days == 1 else 's'} " if days else ""
    return [
        "Dell EMC Networking OS10 Enterprise",
        "Copyright (c) 1999-2020 by Dell Inc. All Rights Reserved.",
        f"OS Version: {VERSION}",
        f"Build Version: {VERSION}.190",
        "Build Time: 2020-06-19T21:48:07+0000",
        f"System Type: {MODEL}",
        "Architecture: x86_64",
        f"Up Time: {day}{hours:02}:{minutes:02}:{seconds:02}",
    ]


# --- configuration


def _hostname(switch: Os10Switch, session: Session, args: Args) -> Lines:
    switch.running.hostname = "OS10" if args.no else args.text("word")
    return []


def _interface(switch: Os10Switch, session: Session, args: Args) -> Lines:
    name = args.text("port")
    session.enter(PORT, NAMING.short(name).lower(), ports=(name,))
    return []


def _range(switch: Os10Switch, session: Session, args: Args) -> Lines:
    ports = args.ports("ports")
    session.enter(PORTS, _listed(list(ports)).lower(), ports=ports)
    return []


def _vlan(switch: Os10Switch, session: Session, args: Args) -> Lines:
    vlan = args.number("vlan")
    switch.touch()
    if not args.no:
        switch.running.vlans.setdefault(vlan, "")
        session.enter(VLAN, str(vlan), editing=vlan)
        return []
    if vlan == DEFAULT_VLAN:
        raise cli.RejectedError("% Error: Default VLAN cannot be deleted.")
    switch.running.vlans.pop(vlan, None)
    for port in switch.running.ports.values():  # it vanishes from them all
        port.allowed -= {vlan}
        if port.access_vlan == vlan:
            port.access_vlan = DEFAULT_VLAN
    return []


def _vlan_description(switch: Os10Switch, session: Session, args: Args) -> Lines:
    switch.running.vlans[session.editing] = "" if args.no else args.text("line").strip('"')
    return []


def _description(switch: Os10Switch, name: str, port: Port, args: Args) -> None:
    port.description = "" if args.no else args.text("line").strip('"')


def _shutdown(switch: Os10Switch, name: str, port: Port, args: Args) -> None:
    port.shutdown = not args.no


def _not_switched(switch: Os10Switch, name: str, port: Port, args: Args) -> None:
    port.switched, port.mode, port.access_vlan, port.allowed = False, "access", None, frozenset()


def _mode(switch: Os10Switch, name: str, port: Port, args: Args) -> None:
    if not port.switched:
        port.switched, port.access_vlan = True, DEFAULT_VLAN
    port.mode = "access" if args.no else args.word("mode")
    if port.mode == "access":
        port.allowed = frozenset()
        port.access_vlan = port.access_vlan or DEFAULT_VLAN


def _layer2(port: Port) -> None:
    if not port.switched:
        raise cli.RejectedError("% Error: Interface is in Layer 3 mode.")


def _exist(switch: Os10Switch, vlans: Iterable[int]) -> None:
    if not switch.running.vlans.keys() >= set(vlans):
        raise cli.RejectedError("% Error: VLAN does not exist.")


def _access_vlan(switch: Os10Switch, name: str, port: Port, args: Args) -> None:
    _layer2(port)
    if args.no:
        port.access_vlan = None if port.mode == "trunk" else DEFAULT_VLAN
        return
    vlan = args.number("vlan")
    _exist(switch, [vlan])
    if vlan in port.allowed:
        raise cli.RejectedError(
            "% Error: Interface cannot be an access and trunk member of the same VLAN."
        )
    port.access_vlan = vlan


def _allowed(switch: Os10Switch, name: str, port: Port, args: Args) -> None:
    _layer2(port)
    if port.mode != "trunk":
        raise cli.RejectedError("% Error: Interface is not in trunk mode.")
    vlans = args.vlans("vlans") if "vlans" in args else port.allowed
    if args.no:
        port.allowed -= vlans
        return
    _exist(switch, vlans)
    if port.access_vlan in vlans:
        raise cli.RejectedError(
            "% Error: Interface cannot be an access and trunk member of the same VLAN. One of the "
            "vlan in the range provided is already an access vlan."
        )
    port.allowed |= vlans


SHOW: Commands = [
    ("show interface status", _status),
    ("show running-configuration", _running),
    ("show running-configuration interface kind:ethernet|port-channel|vlan", _running),
    ("show running-configuration interface <port>", _running),
    ("show startup-configuration", _startup),
    ("show version", _version),
    ("show vlan", _show_vlan),
]
IN_EXEC: Commands = [
    *SHOW,
    ("configure [terminal]", _configure),
    ("copy running-configuration startup-configuration", _save),
    ("exit", CliSwitch.do_quit),
    ("reload", _reload),
    ("terminal length <number>", CliSwitch.do_length),
    ("terminal width <number>", CliSwitch.do_width),
    ("write [memory]", _save),
]
LEAVING: Commands = [("end", CliSwitch.do_end), ("exit", CliSwitch.do_exit)]
GLOBAL: Commands = [
    ("[no] hostname <word>", _hostname),
    ("interface range <ports>", _range),
    ("[no] interface vlan <vlan>", _vlan),
    ("interface <port>", _interface),
]
IN_VLAN: Commands = [
    ("description <line>", _vlan_description),
    ("no description [<line>]", _vlan_description),
    ("[no] shutdown", CliSwitch.do_nothing),
]
IN_PORT: Commands = [
    ("description <line>", cli.each_port(_description)),
    ("no description [<line>]", cli.each_port(_description)),
    ("[no] shutdown", cli.each_port(_shutdown)),
    ("no switchport", cli.each_port(_not_switched)),
    ("switchport mode mode:access|trunk", cli.each_port(_mode)),
    ("no switchport mode", cli.each_port(_mode)),
    ("switchport access vlan <vlan>", cli.each_port(_access_vlan)),
    ("no switchport access vlan", cli.each_port(_access_vlan)),
    ("switchport trunk allowed vlan <vlans>", cli.each_port(_allowed)),
    ("no switchport trunk allowed vlan [<vlans>]", cli.each_port(_allowed)),
    ("flowcontrol receive off|on", CliSwitch.do_nothing),
]


class Os10Switch(CliSwitch[Config]):
    """A simulated PowerSwitch. Options: see `haas_rpcd.sim.cli.Options`."""

    dialect = "dell_os10"
    user_mode = EXEC
    privileged_mode = EXEC
    naming = NAMING
    login = cli.Login(user="{host} login: ", wrong=("", "Login incorrect"))
    pager = cli.Pager(more="--More--", erase="\r" + " " * 8 + "\r")
    filters: ClassVar[Mapping[str, standard.Made]] = {
        "grep <line>": standard.include,
        "except <line>": standard.exclude,
        "find <line>": standard.begin,
        "no-more": standard.whole,
    }
    max_vtys = 12
    width = 0
    longest_line = 1024
    arguments: ClassVar[Mapping[str, cli.Argument]] = {
        **cli.ARGUMENTS,
        "number": cli.Number(0, 4294967295),
    }

    @classmethod
    def port_names(cls, count: int) -> list[str]:
        """``ethernet1/1/1`` onwards."""
        return [f"ethernet1/1/{number}" for number in range(1, count + 1)]

    def factory(self, hostname: str) -> Config:
        """What comes out of the box."""
        ports = {name: Port() for name in self.port_list}
        return Config(hostname or "OS10", ports, {DEFAULT_VLAN: ""})

    def tables(self) -> Mapping[Mode, Commands]:
        """The commands of every mode."""
        return {
            EXEC: IN_EXEC,
            CONFIG: [*LEAVING, *GLOBAL],
            PORT: [*LEAVING, *IN_PORT],
            PORTS: [*LEAVING, *IN_PORT],
            VLAN: [*LEAVING, *IN_VLAN],
        }

    def enter(self, session: Session, user: str) -> list[str]:
        """Linux lets in, and says what it is."""
        super().enter(session, user)
        return [
            "Last login: Tue Jun  9 11:50:00 UTC 2026 on pts/0",
            "Linux OS10 4.9.189 #1 SMP Debian 4.9.189-3+deb9u2 x86_64",
            "",
            "The programs included with the Debian GNU/Linux system are free software;",
            "-" * 58,
            "-*  Dell EMC Networking Operating System (OS10)        *-",
            "-" * 58,
        ]

    def invalid(self, session: Session, line: Line, error: cli.InvalidError) -> Lines:
        """No place is shown: the first word is a command or it is not."""
        if error.word:
            return ["% Error: Illegal parameter."]
        return ["% Error: Unrecognized command."]

    def incomplete(self, session: Session, line: Line) -> Lines:
        """One line, as all refusals are."""
        return ["% Error: Incomplete command."]

    def ambiguous(self, session: Session, line: Line) -> Lines:
        """One line."""
        return ["% Error: Ambiguous command."]
