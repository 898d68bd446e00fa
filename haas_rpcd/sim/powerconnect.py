"""A Dell PowerConnect 5548 with Marvell's ROS 4.1: modes, refusals and tables as it has them.

Written from published sessions and configurations of 3548, 5324, 5524, 5548 and R1-2210, and of
others with the same software. Where it differs from IOS: VLANs are made in ``vlan database``; a
port can be on no VLAN (``none``); a trunk's list of VLANs is added to and removed from, never
written; an error on one port of a range doesn't stop the others; a port at its defaults is not in
the running configuration; severities of log messages are letters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from haas_rpcd.sim import cli
from haas_rpcd.sim.cli import Args, CliSwitch, Commands, Line, Lines, Mode, Session
from haas_rpcd.sim.general import GeneralPort

__all__ = ["PowerConnectSwitch"]

MODEL, VERSION = "PowerConnect 5548", "4.1.0.19"

USER = Mode("user", "{host}>")
PRIVILEGED = Mode("privileged", "{host}#")
CONFIG = Mode("config", "{host}(config)#", PRIVILEGED, configures=True)
DATABASE = Mode("config-vlan", "{host}(config-vlan)#", CONFIG, configures=True)
INTERFACE = Mode("config-if", "{host}(config-if)#", CONFIG, configures=True, falls_to=CONFIG)
RANGE = Mode(
    "config-if-range", "{host}(config-if-range)#", CONFIG, configures=True, falls_to=CONFIG
)
VLAN_INTERFACE = Mode(
    "config-if-vlan", "{host}(config-if)#", CONFIG, configures=True, falls_to=CONFIG
)

NAMING = cli.Naming(
    {"gigabitethernet": "gi", "tengigabitethernet": "te"}, gap=" ?", to="-", comma=","
)

NOT_CREATED = "VLAN was not created by user."
OVERWRITE = "Overwrite file [startup-config].... (Y/N)[N] ?"


Port = GeneralPort


class Config(cli.Config):
    """A configuration of ROS."""

    ports: dict[str, Port]
    vlans: dict[int, str]


# --- commands at the ">" and "#" prompts


def _configure(switch: PowerConnectSwitch, session: Session, args: Args) -> Lines:
    session.enter(CONFIG)
    return []


def _datadump(switch: PowerConnectSwitch, session: Session, args: Args) -> Lines:
    session.length = switch.pager.length if args.no else 0
    return []


def _save(switch: PowerConnectSwitch, session: Session, args: Args) -> Lines:
    def answered(key: str) -> Lines:
        if key.lower() != "y":
            return []
        copying = _log(
            "COPY-I-FILECPY",
            "Files Copy - source URL running-config destination URL flash://startup-config",
        )
        if not switch.save():
            return [copying, *(switch.faults.save_error or "").splitlines()]
        done = _log("COPY-N-TRAP", "The copy operation was completed successfully")
        return [copying, done, "Copy succeeded"]

    session.ask(OVERWRITE, answered, key=True, shows_key=True)
    return []


def _log(kind: str, text: str) -> str:
    return f"01-Jan-2000 00:13:41 %{kind}: {text}"


def _reload(switch: PowerConnectSwitch, session: Session, args: Args) -> Lines:
    def answered(key: str) -> Lines:
        if key.lower() == "y":
            session.print(["Shutting down ..."])
            switch.reload()
        return []

    unsaved = "You haven't saved your changes. Are you sure you want to continue ? (Y/N)[N] "
    session.ask(
        unsaved
        if switch.modified
        else "This command will reset the whole system and disconnect your current session. "
        "Do you want to continue ? (Y/N)[N] ",
        answered,
        key=True,
        shows_key=True,
    )
    return []


# --- show


def _running(switch: PowerConnectSwitch, session: Session, args: Args) -> Lines:
    if "ports" in args:
        ports = switch.running.ports
        return [line for name in args.ports("ports") for line in _section(name, ports[name])]
    return _config_lines(switch, switch.running)


def _startup(switch: PowerConnectSwitch, session: Session, args: Args) -> Lines:
    if switch.startup is None:
        return ["Empty configuration"]
    return _config_lines(switch, switch.startup)


def _config_lines(switch: PowerConnectSwitch, config: Config) -> Iterator[str]:
    made = [vlan for vlan in config.vlans if vlan != 1]
    if made:
        yield from ["vlan database", f"vlan {cli.format_list(made, pairs=False)}", "exit"]
    yield f"hostname {config.hostname}"
    if switch.access.username is not None:
        yield f"username {switch.access.username} password encrypted <removed> privilege 15"
    for vlan, name in sorted(config.vlans.items()):
        if vlan != 1 and name:
            yield from [f"interface vlan {vlan}", f" name {name}", "!"]
    for name in switch.port_list:
        if config.ports[name] != Port():
            yield from [*_section(name, config.ports[name]), "!"]
    yield from ["", "Default settings:", "Service tag: 9K0KVH1", "", f"SW version {VERSION}", ""]
    yield from ["Gigabit Ethernet Ports", "=" * 29, "no shutdown", "speed 1000", "duplex full"]
    yield from ["negotiation", "flow-control off", "mdix auto", "no back-pressure", ""]
    yield from ["interface vlan 1", "interface port-channel 1 - 32", ""]
    yield from ["spanning-tree", "spanning-tree mode RSTP"]


def _section(name: str, port: Port) -> Iterator[str]:
    """One interface; what is at its default is not shown."""
    yield f"interface {name}"
    if port.description:
        yield f" description {port.description}"
    if port.shutdown:
        yield " shutdown"
    if port.mode != "access":
        yield f" switchport mode {port.mode}"
    if port.access_vlan != 1:
        yield f" switchport access vlan {port.access_vlan or 'none'}"
    if port.native_vlan != 1:
        yield f" switchport trunk native vlan {port.native_vlan or 'none'}"
    if port.allowed != cli.ALL_VLANS:
        gone = cli.format_list(cli.ALL_VLANS - port.allowed, pairs=False)
        yield f" switchport trunk allowed vlan remove {gone}"
    for vlans, how in ((port.general - port.untagged, "tagged"), (port.untagged, "untagged")):
        added = vlans & port.general - ({1} if how == "untagged" else set())
        if added:
            listed = cli.format_list(added, pairs=False)
            yield f" switchport general allowed vlan add {listed} {how}"
    if 1 not in port.general:
        yield " switchport general allowed vlan remove 1"
    if port.pvid != 1:
        yield f" switchport general pvid {port.pvid}"


def _show_vlan(switch: PowerConnectSwitch, session: Session, args: Args) -> Iterator[str]:
    yield from ["", "Vlan       Name                   Ports                Type     Authorization"]
    yield "---- ----------------- --------------------------- ------------ -------------"
    for vlan, name in sorted(switch.running.vlans.items()):
        members = [NAMING.short(port) for port in switch.port_list if _is_on(switch, port, vlan)]
        rows = cli.wrap_list(",".join(members), 27)
        kind = "Default" if vlan == 1 else "permanent"
        shown = name or str(vlan)
        yield f"{vlan:>3} {shown:^18} {rows[0]:^27} {kind:^12}   Required    "
        yield from (f"{'':23}{row:^27}" for row in rows[1:])
    yield ""


def _is_on(switch: PowerConnectSwitch, name: str, vlan: int) -> bool:
    port = switch.running.ports[name]
    if port.mode == "trunk":
        return vlan in port.allowed
    return vlan in port.general if port.mode == "general" else vlan == port.access_vlan


def _switchport(switch: PowerConnectSwitch, session: Session, args: Args) -> Iterator[str]:
    names: Sequence[str] = args.ports("ports") if "ports" in args else switch.port_list
    for name in names:
        port = switch.running.ports[name]
        up = not port.shutdown and name not in switch.unplugged
        yield f"Name: {NAMING.short(name)}"
        yield "Switchport: enable"
        yield f"Administrative Mode: {port.mode}"
        yield f"Operational Mode: {port.mode if up else 'down'}"
        yield f"Access Mode VLAN: {port.access_vlan or 'none'}"
        yield "Access Multicast TV VLAN: none"
        yield f"Trunking Native Mode VLAN: {port.native_vlan or 'none'}"
        rows = cli.wrap_list(cli.format_list(port.allowed, pairs=False), 50)
        yield f"Trunking VLANs Enabled: {rows[0]}"
        yield from (f"{'':24}{row}" for row in rows[1:])
        yield from ["Classification rules:", ""]


def _status(switch: PowerConnectSwitch, session: Session, args: Args) -> Iterator[str]:
    yield f"{'':45}Flow Link          Back   Mdix"
    yield "Port     Type         Duplex  Speed Neg      ctrl State       Pressure Mode"
    yield "-------- ------------ ------  ----- -------- ---- ----------- -------- -------"
    for name in switch.port_list:
        if switch.running.ports[name].shutdown or name in switch.unplugged:
            rest = "  --      --     --     --  Down           --     --"
        else:
            rest = "Full    1000  Enabled  Off  Up          Disabled Off"
        yield f"{NAMING.short(name):<8} {'1G-Copper':<12} {rest}"
    yield from ["", f"{'':42}Flow    Link"]
    yield "Ch       Type    Duplex  Speed  Neg      control  State"
    yield "-------- ------- ------  -----  -------- -------  -----------"
    yield from ("Po1         --     --      --      --       --    Not Present",)


def _version(switch: PowerConnectSwitch, session: Session, args: Args) -> Lines:
    return [
        f"SW version    {VERSION} ( date  11-Nov-2013 time  13:58:11 )",
        "Boot version    1.0.0.16 ( date  02-Nov-2010 time  17:32:42 )",
        "HW version    00.00.02",
        "",
    ]


def _system(switch: PowerConnectSwitch, session: Session, args: Args) -> Lines:
    hours, rest = divmod(int(switch.seconds_up()), 3600)
    days, hours = divmod(hours, 24)
    up = f"{days:02},{hours:02}:{rest // 60:02}:{rest % 60:02}"
    return [
        f"System Description:                       {MODEL}",
        f"System Up Time (days,hour:min:sec):       {up}",
        "System Contact:",
        f"System Name:                              {switch.running.hostname}",
        "System Location:",
        "System MAC Address:                       00:1e:c9:aa:bb:01",
        "System Object ID:                         1.3.6.1.4.1.674.10895.3031",
        "",
    ]


# --- configuration


def _hostname(switch: PowerConnectSwitch, session: Session, args: Args) -> Lines:
    switch.running.hostname = "console" if args.no else args.text("word").strip('"')
    return []


def _database(switch: PowerConnectSwitch, session: Session, args: Args) -> Lines:
    session.enter(DATABASE)
    return []


def _vlan(switch: PowerConnectSwitch, session: Session, args: Args) -> Lines:
    config, vlans = switch.running, args.vlans("vlans") - {1}
    switch.touch()
    if not args.no:
        for vlan in vlans:
            config.vlans.setdefault(vlan, "")
        return []
    known = vlans & config.vlans.keys()
    for vlan in known:
        del config.vlans[vlan]
        for port in config.ports.values():
            if port.access_vlan == vlan:
                port.access_vlan = 1
    return [NOT_CREATED] if known != vlans else []


def _vlan_interface(switch: PowerConnectSwitch, session: Session, args: Args) -> Lines:
    vlan = args.number("vlan")
    if vlan not in switch.running.vlans:
        raise cli.RejectedError(NOT_CREATED)
    session.enter(VLAN_INTERFACE, editing=vlan)
    return []


def _vlan_name(switch: PowerConnectSwitch, session: Session, args: Args) -> Lines:
    switch.running.vlans[session.editing] = "" if args.no else args.text("word")
    return []


def _interface(switch: PowerConnectSwitch, session: Session, args: Args) -> Lines:
    session.enter(INTERFACE, ports=[args.text("port")])
    return []


def _interfaces(switch: PowerConnectSwitch, session: Session, args: Args) -> Lines:
    session.enter(RANGE, ports=args.ports("ports"))
    return []


OnPort = Callable[["PowerConnectSwitch", Port, Args], None]


def _each(apply: OnPort) -> Callable[[PowerConnectSwitch, Session, Args], Lines]:
    """Make a command of ports. One that is refused on a port is carried out on the others."""

    def run(switch: PowerConnectSwitch, session: Session, args: Args) -> list[str]:
        printed: list[str] = []
        for name in session.selection:
            switch.touch(name)
            try:
                apply(switch, switch.running.ports[name], args)
            except cli.RejectedError as error:
                printed += error.lines
        return printed

    return run


def _description(switch: PowerConnectSwitch, port: Port, args: Args) -> None:
    port.description = "" if args.no else args.text("line")


def _shutdown(switch: PowerConnectSwitch, port: Port, args: Args) -> None:
    port.shutdown = not args.no


def _mode(switch: PowerConnectSwitch, port: Port, args: Args) -> None:
    port.mode = "access" if args.no else args.word("mode")


def _known(switch: PowerConnectSwitch, vlans: Iterable[int]) -> None:
    if not switch.running.vlans.keys() >= set(vlans):
        raise cli.RejectedError(NOT_CREATED)


def _one(switch: PowerConnectSwitch, args: Args) -> int | None:
    """Read a VLAN that must exist, ``none``, or the default one after a ``no``."""
    if args.no or "none" in args:
        return 1 if args.no else None
    _known(switch, [args.number("vlan")])
    return args.number("vlan")


def _access_vlan(switch: PowerConnectSwitch, port: Port, args: Args) -> None:
    port.access_vlan = _one(switch, args)


def _native_vlan(switch: PowerConnectSwitch, port: Port, args: Args) -> None:
    port.native_vlan = _one(switch, args)


def _allowed(switch: PowerConnectSwitch, port: Port, args: Args) -> None:
    how = "all" if args.no else args.word("how")
    vlans = args.vlans("vlans") if "vlans" in args else frozenset[int]()
    if how == "add":
        _known(switch, vlans)
    port.allowed = {
        "all": cli.ALL_VLANS,
        "none": vlans,
        "add": port.allowed | vlans,
        "remove": port.allowed - vlans,
        "except": cli.ALL_VLANS - vlans,
    }[how]


def _general(switch: PowerConnectSwitch, port: Port, args: Args) -> None:
    vlans = args.vlans("vlans")
    if args.word("how") == "remove":
        port.general, port.untagged = port.general - vlans, port.untagged - vlans
        return
    _known(switch, vlans)
    port.general |= vlans
    tagged = "tag" not in args or args.word("tag") == "tagged"
    port.untagged = port.untagged - vlans if tagged else port.untagged | vlans


def _pvid(switch: PowerConnectSwitch, port: Port, args: Args) -> None:
    if not args.no:
        _known(switch, [args.number("vlan")])
    port.pvid = 1 if args.no else args.number("vlan")


ANY_LEVEL: Commands = [
    ("enable", CliSwitch.do_enable),
    ("exit", CliSwitch.do_quit),
    ("show system", _system),
    ("show version", _version),
    ("[no] terminal datadump", _datadump),
]
PRIVILEGED_ONLY: Commands = [
    ("configure [terminal]", _configure),
    ("copy running-config startup-config", _save),
    ("disable", CliSwitch.do_disable),
    ("reload", _reload),
    ("show interfaces status", _status),
    ("show interfaces switchport [<ports>]", _switchport),
    ("show running-config", _running),
    ("show running-config interface <ports>", _running),
    ("show startup-config", _startup),
    ("show vlan", _show_vlan),
    ("write [memory]", _save),
]
LEAVING: Commands = [("end", CliSwitch.do_end), ("exit", CliSwitch.do_exit)]
GLOBAL: Commands = [
    ("[no] hostname <word>", _hostname),
    ("interface <port>", _interface),
    ("interface range <ports>", _interfaces),
    ("interface vlan <vlan>", _vlan_interface),
    ("vlan database", _database),
]
IN_DATABASE: Commands = [("[no] vlan <vlans>", _vlan)]
IN_VLAN_INTERFACE: Commands = [("name <word>", _vlan_name), ("no name", _vlan_name)]
IN_INTERFACE: Commands = [
    ("description <line>", _each(_description)),
    ("no description", _each(_description)),
    ("[no] shutdown", _each(_shutdown)),
    ("switchport mode mode:access|general|trunk", _each(_mode)),
    ("no switchport mode", _each(_mode)),
    ("switchport access vlan <vlan>", _each(_access_vlan)),
    ("switchport access vlan none:none", _each(_access_vlan)),
    ("no switchport access vlan", _each(_access_vlan)),
    ("switchport trunk native vlan <vlan>", _each(_native_vlan)),
    ("switchport trunk native vlan none:none", _each(_native_vlan)),
    ("no switchport trunk native vlan", _each(_native_vlan)),
    ("switchport trunk allowed vlan how:all|none", _each(_allowed)),
    ("switchport trunk allowed vlan how:add|except|remove <vlans>", _each(_allowed)),
    ("no switchport trunk allowed vlan", _each(_allowed)),
    ("switchport general allowed vlan how:add <vlans> [tag:tagged|untagged]", _each(_general)),
    ("switchport general allowed vlan how:remove <vlans>", _each(_general)),
    ("switchport general pvid <vlan>", _each(_pvid)),
    ("no switchport general pvid", _each(_pvid)),
    ("spanning-tree portfast", CliSwitch.do_nothing),
]


class PowerConnectSwitch(CliSwitch[Config]):
    """A simulated PowerConnect. Options: see `haas_rpcd.sim.cli.Options`."""

    dialect = "dell_powerconnect"
    user_mode = USER
    privileged_mode = PRIVILEGED
    naming = NAMING
    login = cli.Login(
        user="User Name:",
        password="Password:",  # noqa: S106  (a prompt)
        stars="*",
        wrong=("authentication failed", ""),
    )
    enabling = cli.Enable(
        question="Password:", wrong=("authentication failed",), last=("authentication failed", "")
    )
    pager = cli.Pager(
        more="More: <space>,  Quit: q or CTRL+Z, One line: <return> ",
        erase="\r" + " " * 54 + "\r",
        quits="q\x1a",
    )
    max_vtys = 4
    width = 0

    @classmethod
    def port_names(cls, count: int) -> list[str]:
        """``gigabitethernet1/0/1`` onwards, as on the first unit of a stack."""
        return [f"gigabitethernet1/0/{number}" for number in range(1, count + 1)]

    def factory(self, hostname: str) -> Config:
        """What comes out of the box."""
        return Config(
            hostname or "console", {name: Port() for name in self.port_list}, vlans={1: ""}
        )

    def tables(self) -> Mapping[Mode, Commands]:
        """The commands of every mode."""
        return {
            USER: ANY_LEVEL,
            PRIVILEGED: [*ANY_LEVEL, *PRIVILEGED_ONLY],
            CONFIG: [*LEAVING, *GLOBAL],
            DATABASE: [*LEAVING, *IN_DATABASE],
            INTERFACE: [*LEAVING, *IN_INTERFACE],
            RANGE: [*LEAVING, *IN_INTERFACE],
            VLAN_INTERFACE: [*LEAVING, *IN_VLAN_INTERFACE],
        }

    def invalid(self, session: Session, line: Line, error: cli.InvalidError) -> Lines:
        """It shows no place, and says of what is known that something in it is wrong."""
        if error.word == 0:
            return ["% Unrecognized command"]
        return ["% Wrong number of parameters or invalid range, size or characters entered"]

    def incomplete(self, session: Session, line: Line) -> Lines:
        """No full stop."""
        return ["% Incomplete command"]

    def ambiguous(self, session: Session, line: Line) -> Lines:
        """Only that much."""
        return ["% Ambiguous command"]
