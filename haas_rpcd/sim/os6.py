"""A Dell N2048 with OS6 (Broadcom's FASTPATH): modes, refusals and tables as it has them.

Written from Dell's "N-Series User's Guide" and "User's Configuration Guide", and published output
of N2048, M6348 and 8024F. Where it differs from IOS: VLANs end at 4093; one that
does not exist is refused on access ports; the native VLAN must be on the trunk's list, which has no
``none``; an access port whose VLAN is removed falls back to VLAN 1; a port at its defaults is not
in the running configuration; most answers begin with an empty line; saving asks first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from haas_rpcd.sim import cli
from haas_rpcd.sim.cli import Args, CliSwitch, Commands, Line, Lines, Mode, Session
from haas_rpcd.sim.general import GeneralPort

__all__ = ["Os6Switch"]

MODEL, VERSION = "N2048", "6.3.3.10"
LAST_VLAN = 4093
EVERY = frozenset(range(1, LAST_VLAN + 1))

USER = Mode("user", "{host}>")
PRIVILEGED = Mode("privileged", "{host}#", USER)
CONFIG = Mode("config", "{host}(config)#", PRIVILEGED, configures=True)
INTERFACE = Mode("config-if", "{host}(config-if-{label})#", CONFIG, configures=True)
RANGE = Mode("config-if-range", "{host}(config-if)#", CONFIG, configures=True)
VLAN = Mode("config-vlan", "{host}(config-vlan{label})#", CONFIG, configures=True)

NAMING = cli.Naming(
    {"gigabitethernet": "Gi", "tengigabitethernet": "Te"}, gap=" ?", to="-", comma=","
)

NO_INTERFACE = "An invalid interface has been used for this function"


@dataclass(slots=True)
class Port(GeneralPort):
    """A port; its trunk, should it become one, is open to all VLANs."""

    allowed: frozenset[int] = EVERY


class Config(cli.Config):
    """A configuration of OS6."""

    ports: dict[str, Port]
    vlans: dict[int, str]


# --- commands at the ">" and "#" prompts


def _configure(switch: Os6Switch, session: Session, args: Args) -> Lines:
    session.enter(CONFIG)
    return []


def _save(switch: Os6Switch, session: Session, args: Args) -> Lines:
    def answered(key: str) -> Lines:
        if key != "y":
            return ["", "Configuration Not Saved!"]
        if not switch.save():
            return ["", *(switch.faults.save_error or "").splitlines()]
        return ["", "Configuration Saved!"]

    session.ask("Are you sure you want to save? (y/n) ", answered, key=True)
    return [
        "This operation may take a few minutes.",
        "Management interfaces will not be available during this time.",
        "",
    ]


def _reload(switch: Os6Switch, session: Session, args: Args) -> Lines:
    def confirm() -> None:
        session.ask("Are you sure you want to reload the stack? (y/n) ", confirmed, key=True)

    def confirmed(key: str) -> Lines:
        if key == "y":
            session.print(["", "Reloading all switches."])
            switch.reload()
        return []

    def save_first(key: str) -> Lines:
        if key == "y":
            switch.save()
        confirm()
        return ["Configuration Saved!" if key == "y" else "Configuration Not Saved!"]

    if not switch.modified:
        confirm()
        return []
    session.ask("Would you like to save them now? (y/n) ", save_first, key=True)
    return ["Management switch has unsaved changes."]


# --- show


def _running(switch: Os6Switch, session: Session, args: Args) -> Lines:
    if "port" not in args:
        return _config_lines(switch, switch.running)
    return [*_settings(switch.running.ports[args.text("port")]), ""]


def _startup(switch: Os6Switch, session: Session, args: Args) -> Lines:
    if switch.startup is None:
        return ["File does not exist."]
    return _config_lines(switch, switch.startup)


def _config_lines(switch: Os6Switch, config: Config) -> Iterator[str]:
    yield "!Current Configuration:"
    yield f'!System Description "Dell Networking {MODEL}, {VERSION}, Linux 3.6.5"'
    yield from [f"!System Software Version {VERSION}", '!System Operational Mode "Normal"', "!"]
    yield "configure"
    made = [vlan for vlan in config.vlans if vlan != 1]
    if made:
        yield from [f"vlan {cli.format_list(made, pairs=False)}", "exit"]
    for vlan, name in sorted(config.vlans.items()):
        if vlan != 1 and name != f"VLAN{vlan:04}":
            yield from [f"vlan {vlan}", f'name "{name}"', "exit"]
    yield f'hostname "{config.hostname}"'
    yield from ["slot 1/0 2    ! Dell Networking N2048", "stack", "member 1 3    ! N2048", "exit"]
    yield from ["interface vlan 1", "ip address dhcp", "exit"]
    if switch.access.username is not None:
        yield f'username "{switch.access.username}" password <removed> privilege 15 encrypted'
    for name in switch.port_list:
        lines = list(_settings(config.ports[name]))
        if lines:
            yield from ["!", f"interface {NAMING.short(name)}", *lines, "exit"]
    yield "exit"


def _settings(port: Port) -> Iterator[str]:
    """What is not at its default of a port."""
    if port.shutdown:
        yield "shutdown"
    if port.description:
        yield f'description "{port.description}"'
    if port.mode != "access":
        yield f"switchport mode {port.mode}"
    if port.access_vlan != 1:
        yield f"switchport access vlan {port.access_vlan}"
    if port.pvid != 1:
        yield f"switchport general pvid {port.pvid}"
    for vlans, how in ((port.untagged - {1}, ""), (port.general - port.untagged, " tagged")):
        if vlans:
            yield f"switchport general allowed vlan add {cli.format_list(vlans)}{how}"
    if 1 not in port.general:
        yield "switchport general allowed vlan remove 1"
    if port.native_vlan != 1:
        yield f"switchport trunk native vlan {port.native_vlan}"
    if port.allowed != EVERY:
        yield f"switchport trunk allowed vlan {cli.format_list(port.allowed)}"


def _show_vlan(switch: Os6Switch, session: Session, args: Args) -> Lines:
    vlans = switch.running.vlans
    wanted = [args.number("vlan")] if "vlan" in args else sorted(vlans)
    if not vlans.keys() >= set(wanted):
        raise cli.RejectedError("", "ERROR: This VLAN does not exist.", "")
    lines = [
        "VLAN   Name                             Ports          Type",
        "-----  ---------------                  -------------  --------------",
    ]
    for vlan in wanted:
        members = [NAMING.short(name) for name in switch.port_list if _is_on(switch, name, vlan)]
        rows = cli.wrap_list(",".join(members), 13)
        kind = "Default" if vlan == 1 else "Static"
        lines.append(f"{vlan:<6} {vlans[vlan]:<32} {rows[0]:<14} {kind}")
        lines += [f"{'':40}{row}" for row in rows[1:]]
    return [*lines, ""]


def _is_on(switch: Os6Switch, name: str, vlan: int) -> bool:
    port = switch.running.ports[name]
    if port.mode == "trunk":
        return vlan in port.allowed
    return vlan in port.general if port.mode == "general" else vlan == port.access_vlan


def _switchport(switch: Os6Switch, session: Session, args: Args) -> Iterator[str]:
    names: Sequence[str] = [args.text("port")] if "port" in args else switch.port_list
    for name in names:
        port = switch.running.ports[name]
        tagged = port.general - port.untagged
        listed = "All" if port.allowed == EVERY else cli.format_list(port.allowed, "None")
        yield from [f"Port: {NAMING.short(name)}"]
        yield f"VLAN Membership Mode: {port.mode.capitalize()} Mode"
        yield f"Access Mode VLAN: {_named(switch, port.access_vlan or 1)}"
        yield f"General Mode PVID: {_named(switch, port.pvid)}"
        yield "General Mode Ingress Filtering: Enabled"
        yield "General Mode Acceptable Frame Type: Admit All"
        yield "General Mode Dynamically Added VLANs:"
        yield f"General Mode Untagged VLANs: {cli.format_list(port.untagged, '')}"
        yield f"General Mode Tagged VLANs: {cli.format_list(tagged, '')}"
        yield "General Mode Forbidden VLANs:"
        yield f"Trunking Mode Native VLAN: {_named(switch, port.native_vlan or 1)}"
        yield "Trunking Mode Native VLAN Tagging: Disabled"
        yield f"Trunking Mode VLANs Enabled: {listed}"
        yield ""


def _named(switch: Os6Switch, vlan: int) -> str:
    return f"{vlan} ({switch.running.vlans.get(vlan, 'Inactive')})"


def _status(switch: Os6Switch, session: Session, args: Args) -> Iterator[str]:
    yield "Port       Description                Duplex  Speed    Neg   Link   Flow Control"
    yield f"{'':61}State  Status"
    yield "---------  -------------------------  ------  -------  ----  ------ ------------"
    for name in switch.port_list:
        port = switch.running.ports[name]
        down = port.shutdown or name in switch.unplugged
        rest = "N/A     Unknown  Auto  Down   Inactive" if down else ""
        yield f"{NAMING.short(name):<10} {port.description[:25]:<26} " + (
            rest or "Full    1000     Auto  Up     Active"
        )
    yield from ["", "Flow Control:Enabled", ""]


def _version(switch: Os6Switch, session: Session, args: Args) -> Lines:
    return [
        "Machine Description............................ Dell Networking Switch",
        f"System Model ID................................ {MODEL}",
        f"Machine Type................................... Dell Networking {MODEL}",
        "Serial Number.................................. CN0D4T5D2829832K0042A00",
        "Manufacturer................................... 0xbc00",
        "Burned In MAC Address.......................... F8B1.5655.3D1C",
        "",
        "unit active      backup      current-active next-active",
        "---- ----------- ----------- -------------- --------------",
        f"1    {VERSION}    6.3.2.4     {VERSION}       {VERSION}",
        "",
    ]


def _system(switch: Os6Switch, session: Session, args: Args) -> Lines:
    hours, rest = divmod(int(switch.seconds_up()), 3600)
    days, hours = divmod(hours, 24)
    up = f"{days} days, {hours:02}h:{rest // 60:02}m:{rest % 60:02}s"
    return [
        f"System Description............................. {MODEL}, {VERSION}, Linux 3.6.5",
        f"System Up Time................................. {up}",
        "System Contact.................................",
        f"System Name.................................... {switch.running.hostname}",
        "System Object ID............................... 1.3.6.1.4.1.674.10895.3063",
        f"System Model ID................................ {MODEL}",
        "",
    ]


# --- configuration


def _hostname(switch: Os6Switch, session: Session, args: Args) -> Lines:
    switch.running.hostname = "console" if args.no else args.text("word").strip('"')
    return []


def _interface(switch: Os6Switch, session: Session, args: Args) -> Lines:
    port = args.text("port")
    session.enter(INTERFACE, NAMING.short(port), ports=[port])
    return []


def _interfaces(switch: Os6Switch, session: Session, args: Args) -> Lines:
    session.enter(RANGE, ports=args.ports("ports"))
    return []


def _vlan(switch: Os6Switch, session: Session, args: Args) -> Lines:
    config, vlans = switch.running, args.vlans("vlans")
    switch.touch()
    if not args.no:
        if wrong := vlans - EVERY:
            raise cli.RejectedError(*_failures(wrong, "VLAN ID is out of range"))
        for vlan in vlans:
            config.vlans.setdefault(vlan, "default" if vlan == 1 else f"VLAN{vlan:04}")
        session.enter(VLAN, cli.format_list(vlans), editing=vlans)
        return []
    known = (vlans & config.vlans.keys()) - {1}
    for vlan in known:
        del config.vlans[vlan]
        for port in config.ports.values():
            if port.access_vlan == vlan:
                port.access_vlan = 1
    missing = cli.format_list(vlans - known - {1}, "")
    return [f"These VLANs do not exist:  {missing}.", ""] if missing else []


def _failures(vlans: Iterable[int], why: str) -> Iterator[str]:
    wrong = sorted(vlans)
    yield from ["", "          Failure Information", "-" * 39]
    yield from [f"   VLANs failed to be configured : {len(wrong)}", "-" * 39]
    yield from ["   VLAN             Error", "-" * 39]
    yield from (f"VLAN {vlan:<9} ERROR: {why}" for vlan in wrong)
    yield ""


def _vlan_name(switch: Os6Switch, session: Session, args: Args) -> Lines:
    name = args.text("word").strip("\"'")
    if len(name) > 32:
        raise cli.RejectedError("Name must be 32 characters or less.", "")
    for vlan in session.editing:
        switch.running.vlans[vlan] = name
    return []


def _description(switch: Os6Switch, name: str, port: Port, args: Args) -> None:
    port.description = "" if args.no else args.text("line").strip("\"'")


def _shutdown(switch: Os6Switch, name: str, port: Port, args: Args) -> None:
    port.shutdown = not args.no


def _mode(switch: Os6Switch, name: str, port: Port, args: Args) -> None:
    port.mode = "access" if args.no else args.word("mode")


def _access_vlan(switch: Os6Switch, name: str, port: Port, args: Args) -> None:
    if not args.no and args.number("vlan") not in switch.running.vlans:
        raise cli.RejectedError("", "VLAN ID not found.", "")
    port.access_vlan = 1 if args.no else args.number("vlan")


def _native_vlan(switch: Os6Switch, name: str, port: Port, args: Args) -> None:
    vlan = 1 if args.no else args.number("vlan")
    if not args.no and vlan not in port.allowed & switch.running.vlans.keys():
        raise cli.RejectedError("Could not configure native VLAN.", "")
    port.native_vlan = vlan


def _allowed(switch: Os6Switch, name: str, port: Port, args: Args) -> None:
    word = args.word("how") if "how" in args else ""
    vlans = args.vlans("vlans") if "vlans" in args else EVERY
    port.allowed = {
        "": vlans,
        "all": EVERY,
        "add": port.allowed | vlans,
        "remove": port.allowed - vlans,
        "except": EVERY - vlans,
    }[word]


def _general(switch: Os6Switch, name: str, port: Port, args: Args) -> Lines:
    vlans = args.vlans("vlans")
    if args.word("how") == "remove":
        port.general, port.untagged = port.general - vlans, port.untagged - vlans
        return []
    if missing := vlans - switch.running.vlans.keys():
        return _failures(missing, "This VLAN does not exist.")
    port.general |= vlans
    tagged = "tag" in args and args.word("tag") == "tagged"
    port.untagged = port.untagged - vlans if tagged else port.untagged | vlans
    return []


def _pvid(switch: Os6Switch, name: str, port: Port, args: Args) -> None:
    vlan = 1 if args.no else args.number("vlan")
    if vlan not in switch.running.vlans:
        raise cli.RejectedError("Could not configure pvid.", "")
    port.pvid = vlan


ANY_LEVEL: Commands = [
    ("enable", CliSwitch.do_enable),
    ("exit", CliSwitch.do_exit),
    ("quit", CliSwitch.do_quit),
    ("show interfaces status", _status),
    ("show interfaces switchport [<port>]", _switchport),
    ("show system", _system),
    ("show version", _version),
    ("show vlan [id <vlan>]", _show_vlan),
    ("terminal length <number>", CliSwitch.do_length),
]
PRIVILEGED_ONLY: Commands = [
    ("configure [terminal]", _configure),
    ("copy running-config startup-config", _save),
    ("disable", CliSwitch.do_disable),
    ("reload", _reload),
    ("show running-config [interface <port>]", _running),
    ("show startup-config", _startup),
    ("write [memory]", _save),
]
LEAVING: Commands = [("end", CliSwitch.do_end), ("exit", CliSwitch.do_exit)]
GLOBAL: Commands = [
    ("[no] hostname <word>", _hostname),
    ("interface <port>", _interface),
    ("interface range <ports>", _interfaces),
    ("[no] vlan <vlans>", _vlan),
]
IN_VLAN: Commands = [("name <word>", _vlan_name)]
IN_INTERFACE: Commands = [
    ("description <line>", cli.each_port(_description)),
    ("no description", cli.each_port(_description)),
    ("[no] shutdown", cli.each_port(_shutdown)),
    ("switchport mode mode:access|general|trunk", cli.each_port(_mode)),
    ("no switchport mode", cli.each_port(_mode)),
    ("switchport access vlan <vlan>", cli.each_port(_access_vlan)),
    ("no switchport access vlan", cli.each_port(_access_vlan)),
    ("switchport trunk native vlan <vlan>", cli.each_port(_native_vlan)),
    ("no switchport trunk native vlan", cli.each_port(_native_vlan)),
    ("switchport trunk allowed vlan <vlans>", cli.each_port(_allowed)),
    ("switchport trunk allowed vlan how:all", cli.each_port(_allowed)),
    ("switchport trunk allowed vlan how:add|except|remove <vlans>", cli.each_port(_allowed)),
    ("no switchport trunk allowed vlan", cli.each_port(_allowed)),
    (
        "switchport general allowed vlan how:add <vlans> [tag:tagged|untagged]",
        cli.each_port(_general),
    ),
    ("switchport general allowed vlan how:remove <vlans>", cli.each_port(_general)),
    ("switchport general pvid <vlan>", cli.each_port(_pvid)),
    ("no switchport general pvid", cli.each_port(_pvid)),
    ("spanning-tree portfast", CliSwitch.do_nothing),
]


class Os6Switch(CliSwitch[Config]):
    """A simulated N-series switch. Options: see `haas_rpcd.sim.cli.Options`."""

    dialect = "dell_os6"
    user_mode = USER
    privileged_mode = PRIVILEGED
    naming = NAMING
    login = cli.Login(user="User:", password="Password:", stars="*", wrong=("",))  # noqa: S106
    enabling = cli.Enable(question="Password:", last=("Incorrect Password!",), tries=1, stars="*")
    pager = cli.Pager(more="--More-- or (q)uit", erase="\r" + " " * 21 + "\r\n", quits="q")
    max_vtys = 5
    width = 0
    do_word = "do"
    arguments: ClassVar[Mapping[str, cli.Argument]] = {
        **cli.ARGUMENTS,
        "vlan": cli.Number(1, LAST_VLAN),
        "number": cli.Number(0, 512),
    }

    @classmethod
    def port_names(cls, count: int) -> list[str]:
        """``gigabitethernet1/0/1`` onwards, as on the first unit of a stack."""
        return [f"gigabitethernet1/0/{number}" for number in range(1, count + 1)]

    def factory(self, hostname: str) -> Config:
        """What comes out of the box."""
        return Config(hostname or "console", {name: Port() for name in self.port_list})

    def tables(self) -> Mapping[Mode, Commands]:
        """The commands of every mode. Those that only show something may be typed in any."""
        shows = [
            (pattern, handler)
            for pattern, handler in [*ANY_LEVEL, *PRIVILEGED_ONLY]
            if pattern.startswith("show")
        ]
        leaving = [*LEAVING, *shows]
        return {
            USER: ANY_LEVEL,
            PRIVILEGED: [*ANY_LEVEL, *PRIVILEGED_ONLY],
            CONFIG: [*leaving, *GLOBAL],
            INTERFACE: [*leaving, *IN_INTERFACE],
            RANGE: [*leaving, *IN_INTERFACE],
            VLAN: [*leaving, *IN_VLAN],
        }

    def execute(self, session: Session, text: str) -> list[str]:
        """Carry out a line. An answer begins with an empty line, unless it shows a place."""
        printed = super().execute(session, text)
        if not text.strip() or (printed and printed[0].strip() == "^"):
            return printed
        return ["", *printed]

    def invalid(self, session: Session, line: Line, error: cli.InvalidError) -> Lines:
        """Name the ports that there are not; show the place of anything else."""
        if error.word and any(word.text == "interface" for word in line.words[: error.word]):
            return [NO_INTERFACE, ""]
        return super().invalid(session, line, error)

    def incomplete(self, session: Session, line: Line) -> Lines:
        """One text for both."""
        return ["Command not found / Incomplete command. Use ? to list commands.", ""]

    def ambiguous(self, session: Session, line: Line) -> Lines:
        """The same."""
        return self.incomplete(session, line)
