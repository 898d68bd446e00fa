"""A ProVision switch (Aruba 2530): contexts, refusals and tables as ArubaOS-Switch has them.

Written from the "Advanced Traffic Management Guide" (K/KA/KB.15.15), ntc-templates' recorded
output, published sessions and configurations. The refusals of one VLAN too many, of a port's last
VLAN and of logins are in its manner, not verbatim.

VLANs list ports. ``untagged`` takes a port off the VLAN that it was untagged on, ``tagged`` leaves
it there. A port is on at least one VLAN at any time: what loses its last one is on the default VLAN
again, or (``lonely``, as other releases may have it) the line is refused.

All that is asked and echoed is positioned by ANSI sequences, as on a terminal of 24 rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

from haas_rpcd.sim import cli
from haas_rpcd.sim.cli import Args, CliSwitch, Commands, Line, Lines, Mode, RejectedError, Session
from haas_rpcd.sim.cli.portname import PortNames

__all__ = ["ProcurveSwitch"]

PRODUCT, MODEL, RELEASE = "J9773A", "HP J9773A 2530-24G-PoEP Switch", "YA.16.10.0010"
DEFAULT_VLAN = 1
ROW = 24

OPERATOR = Mode("operator", "{host}> ")
MANAGER = Mode("manager", "{host}# ", OPERATOR)
CONFIG = Mode("config", "{host}(config)# ", MANAGER, configures=True)
PORT = Mode("eth", "{host}(eth-{label})# ", CONFIG, configures=True, falls_to=CONFIG)
VLAN = Mode("vlan", "{host}(vlan-{label})# ", CONFIG, configures=True, falls_to=CONFIG)

BANNER = (
    f"{MODEL}",
    f"Software revision {RELEASE}",
    "",
    "(C) Copyright 2019 Hewlett Packard Enterprise Development LP",
    "                  RESTRICTED RIGHTS LEGEND",
    " Confidential computer software. Valid license from Hewlett Packard Enterprise",
    " Development LP required for possession, use or copying.",
    "",
    "We'd like to keep you up to date about:",
    "  * Software feature updates",
    "  * New product announcements",
    "",
)


@dataclass(slots=True)
class Port:
    """A port as it comes: enabled."""

    name: str = ""
    shutdown: bool = False


@dataclass(slots=True)
class Vlan:
    """A VLAN, and the ports that it lists."""

    name: str
    tagged: frozenset[str] = frozenset()
    untagged: frozenset[str] = frozenset()


@dataclass(slots=True)
class Config(cli.Config):
    """A configuration of ProVision."""

    max_vlans: int = 256

    def carried(self, port: str) -> cli.Carried:
        """Look which VLANs list the port."""
        if self.ports[port].shutdown:
            return cli.NOTHING
        untagged = next((v for v, it in self.vlans.items() if port in it.untagged), None)
        tagged = frozenset(vlan for vlan, it in self.vlans.items() if port in it.tagged)
        return cli.Carried(untagged, tagged)

    def is_lonely(self, port: str) -> bool:
        """Whether a port is on no VLAN at all."""
        return not any(port in it.tagged | it.untagged for it in self.vlans.values())


class PortList:
    """``1-4,7``: one word."""

    help = "[ethernet] PORT-LIST"

    def take(self, line: Line, index: int, names: PortNames) -> tuple[object, int]:
        """Read the list; what names no port is refused in a way of its own."""
        ports: dict[str, None] = {}
        text = line.words[index].text
        for part in text.split(","):
            first, dash, last = part.partition("-")
            if first not in names.all or (dash and last not in names.all):
                raise RejectedError(f"Module not present for port or invalid port: {part}")
            at, end = names.all.index(first), names.all.index(last or first)
            if end < at:
                raise cli.InvalidError(line.words[index].at, index)
            ports.update(dict.fromkeys(names.all[at : end + 1]))
        return tuple(ports), index + 1


class ProcurveSession(Session):
    """A session on a terminal whose last row is where everything is typed."""

    _column = 1

    def _write(self, text: str) -> None:
        """Position what is asked or echoed; output goes by in whole lines."""
        if text.startswith("\x1b"):
            painted = text
        elif text == "\n":
            painted, self._column = f"\x1b[{ROW};0H\x1bE\x1b[{ROW};1H\x1b[2K\x1b[{ROW};1H", 1
        elif text.endswith("\n"):
            painted, self._column = text, 1
        else:
            begin, self._column = self._column, self._column + len(text)
            clear = f"\x1b[1;{ROW}r\x1b[{ROW};1H\x1b[2K\x1b[?25h" if begin == 1 else ""
            painted = (
                f"{clear}\x1b[{ROW};{begin}H{text}\x1b[{ROW};{begin}H\x1b[?25h"
                f"\x1b[{ROW};{self._column}H"
            )
        super()._write(painted)


# --- at the ">" and "#" prompts


def _enable(switch: ProcurveSwitch, session: Session, args: Args) -> Lines:
    access = switch.access
    if session.mode is not OPERATOR or not access.enable:
        session.enter(MANAGER if session.mode is OPERATOR else session.mode)
        return []

    def asked(user: str) -> Lines:
        def answered(password: str) -> Lines:
            if switch.enables(session, password) and user == (access.username or ""):
                session.enter(MANAGER)
                return []
            switch.counters.failed_logins += 1
            return ["Invalid password"]

        session.ask("Password: ", answered, mode="enable", echo=False)
        return []

    if access.username is None:
        return asked("")
    session.ask("Username: ", asked, mode="username")
    return []


def _configure(switch: ProcurveSwitch, session: Session, args: Args) -> Lines:
    if not session.mode.configures:
        session.enter(CONFIG)
    return []


def _page(switch: ProcurveSwitch, session: Session, args: Args) -> Lines:
    session.length = 0 if args.no else switch.pager.length
    return []


def _save(switch: ProcurveSwitch, session: Session, args: Args) -> Lines:
    return [] if switch.save() else (switch.faults.save_error or "").splitlines()


def _reload(switch: ProcurveSwitch, session: Session, args: Args) -> Lines:
    def saved(key: str) -> Lines:
        printed = _save(switch, session, args) if key.lower() == "y" else []
        switch.reload()
        return printed

    def continued(key: str) -> Lines:
        if key.lower() != "y":
            return []
        if not switch.modified:
            switch.reload()
            return []
        question = "Do you want to save current configuration [y/n/^C]? "
        session.ask(question, saved, key=True, shows_key=True)
        return []

    session.ask("Do you want to continue [y/n]? ", continued, key=True, shows_key=True)
    return ["This command will cause a switchover or reboot of the system."]


# --- show


def _running(switch: ProcurveSwitch, session: Session, args: Args) -> Lines:
    return ["", "Running configuration:", "", *_config_lines(switch, switch.running)]


def _running_vlan(switch: ProcurveSwitch, session: Session, args: Args) -> Lines:
    vlan = args.number("vlan")
    if vlan not in switch.running.vlans:
        raise RejectedError(f"VLAN {vlan} not found.")
    return ["", "Running configuration:", "", *_vlan_lines(switch, switch.running, vlan)]


def _startup(switch: ProcurveSwitch, session: Session, args: Args) -> Lines:
    if switch.startup is None:
        return ["No startup configuration."]
    return ["", "Startup configuration:", "", *_config_lines(switch, switch.startup)]


def _status(switch: ProcurveSwitch, session: Session, args: Args) -> Lines:
    if switch.modified:
        return ["Running configuration has been changed and needs to be saved."]
    return ["Running configuration is same as the startup configuration."]


def _config_lines(switch: ProcurveSwitch, config: Config) -> Iterator[str]:
    yield f"; {PRODUCT} Configuration Editor; Created on release #{RELEASE}"
    yield "; Ver #14:01.4f.f8.1d.9b.3f.bf.bb.ef.7c.59.fc.6b.fb.9f.fc.ff.ff.37.ef:05"
    yield f'hostname "{config.hostname}"'
    if config.max_vlans != 256:
        yield f"max-vlans {config.max_vlans}"
    for name, port in config.ports.items():
        if port.shutdown or port.name:
            yield f"interface {name}"
            yield from ["   disable"] if port.shutdown else []
            yield from [f'   name "{port.name}"'] if port.name else []
            yield "   exit"
    yield 'snmp-server community "public" unrestricted'
    for vlan in sorted(config.vlans):
        yield from _vlan_lines(switch, config, vlan)


def _vlan_lines(switch: ProcurveSwitch, config: Config, vlan: int) -> Iterator[str]:
    it: Vlan = config.vlans[vlan]
    yield f"vlan {vlan}"
    yield f'   name "{it.name}"'
    gone = frozenset(switch.port_list) - it.untagged - it.tagged
    if vlan == DEFAULT_VLAN and gone:
        yield f"   no untagged {_listed(switch, gone)}"
    if it.untagged:
        yield f"   untagged {_listed(switch, it.untagged)}"
    if it.tagged:
        yield f"   tagged {_listed(switch, it.tagged)}"
    yield f"   {'ip address dhcp-bootp' if vlan == DEFAULT_VLAN else 'no ip address'}"
    yield "   exit"


def _listed(switch: ProcurveSwitch, ports: frozenset[str]) -> str:
    return cli.format_list((int(name) for name in ports), pairs=False)


def _show_vlans(switch: ProcurveSwitch, session: Session, args: Args) -> Lines:
    lines = [
        " Status and Counters - VLAN Information",
        "",
        f"  Maximum VLANs to support : {switch.room_for_vlans}",
        "  Primary VLAN : DEFAULT_VLAN",
        "  Management VLAN :",
        "",
        "  VLAN ID Name                             | Status     Voice Jumbo",
        "  ------- -------------------------------- + ---------- ----- -----",
    ]
    for vlan, it in sorted(switch.running.vlans.items()):
        lines.append(f"  {vlan:<7} {it.name:<32} | Port-based No    No")
    return [*lines, ""]


def _brief(switch: ProcurveSwitch, session: Session, args: Args) -> Lines:
    lines = [
        " Status and Counters - Port Status",
        "",
        "                          | Intrusion                           MDI  Flow Bcast",
        "  Port         Type       | Alert     Enabled Status Mode       Mode Ctrl Limit",
        "  ------------ ---------- + --------- ------- ------ ---------- ---- ---- -----",
    ]
    for name, port in switch.running.ports.items():
        up = not port.shutdown and name not in switch.unplugged
        lines.append(
            f"  {name:<12} 100/1000T  | No        {'No' if port.shutdown else 'Yes':<7} "
            f"{'Up' if up else 'Down':<6} {'1000FDx' if up else '':<10} Auto off  0"
        )
    return [*lines, ""]


def _system(switch: ProcurveSwitch, session: Session, args: Args) -> Lines:
    minutes = int(switch.seconds_up()) // 60
    up = f"{minutes // 1440} days" if minutes >= 1440 else f"{minutes} mins"
    return [
        " Status and Counters - General System Information",
        "",
        f"  System Name        : {switch.running.hostname}",
        "  System Contact     :" + " " * 32,
        "",
        f"  Software revision  : {RELEASE}        Base MAC Addr      : 3464a9-b1ffff",
        "  ROM Version        : YA.15.20             Serial Number      : CN46FP0001",
        "",
        f"  Up Time            : {up:<20} Memory   - Total   : 101,695,488",
        "  CPU Util (%)       : 5                               Free    : 67,201,112",
        "",
    ]


def _lldp(switch: ProcurveSwitch, session: Session, args: Args) -> Lines:
    return [
        " LLDP Local Device Information",
        "",
        "  Chassis Type : mac-address",
        "  Chassis Id   : 3464a9-b1ffff",
        f"  System Name  : {switch.running.hostname}",
        f"  System Description : {MODEL}, revision {RELEASE}, RO...",
        "",
    ]


def _version(switch: ProcurveSwitch, session: Session, args: Args) -> Lines:
    return [
        "Image stamp:    rel_beijing_qaoff",
        "                Mar 29 2019 15:54:05",
        f"                {RELEASE}",
        "                1106",
        "Boot Image:     Primary",
    ]


# --- configuration


def _hostname(switch: ProcurveSwitch, session: Session, args: Args) -> Lines:
    switch.running.hostname = args.text("word").strip('"')
    return []


def _max_vlans(switch: ProcurveSwitch, session: Session, args: Args) -> Lines:
    switch.running.max_vlans = args.number("number")
    return ["Command will take effect after saving configuration and reboot."]


def _vlan(switch: ProcurveSwitch, session: Session, args: Args) -> Lines:
    session.enter(VLAN, str(args.number("vlan")), editing=switch.made(args.number("vlan")))
    return []


def _no_vlan(switch: ProcurveSwitch, session: Session, args: Args) -> Lines:
    vlan = args.number("vlan")
    if vlan not in switch.running.vlans:
        raise RejectedError(f"VLAN {vlan} not found.")
    if vlan == DEFAULT_VLAN:
        raise RejectedError("The default VLAN cannot be deleted.")
    homeless = switch.running.vlans[vlan].untagged

    def answered(key: str) -> Lines:
        if key.lower() == "y":
            del switch.running.vlans[vlan]
            switch.bring_home()
        elif key.lower() != "n":
            ask()
        return []

    def ask() -> None:
        session.ask("[y/n] ", answered, key=True, shows_key=True)

    if not homeless:
        return answered("y")
    ask()
    return [
        "The following ports will be moved to the default VLAN:",
        _listed(switch, homeless),
        "Do you want to continue?",
    ]


def _vlan_name(switch: ProcurveSwitch, session: Session, args: Args) -> Lines:
    vlan = args.number("vlan") if "vlan" in args else int(session.label)
    switch.made(vlan).name = args.text("word").strip('"')
    return []


def _join(switch: ProcurveSwitch, session: Session, args: Args) -> Lines:
    """``[no] vlan 100 untagged 1-4``, or the same in the VLAN's context."""
    vlan = args.number("vlan") if "vlan" in args else int(session.label)
    wanted = frozenset(args.ports("ports"))
    it = switch.made(vlan)
    switch.touch()
    if args.no:
        before = (it.tagged, it.untagged)
        it.tagged -= wanted if args.word("how") == "tagged" else frozenset()
        it.untagged -= wanted if args.word("how") == "untagged" else frozenset()
        lonely = [name for name in switch.port_list if switch.running.is_lonely(name)]
        if lonely and (vlan == DEFAULT_VLAN or switch.lonely == "refused"):
            it.tagged, it.untagged = before
            return [f"Port {lonely[0]} must be a member of at least one VLAN."]
        switch.bring_home()
    elif args.word("how") == "tagged":
        it.tagged, it.untagged = it.tagged | wanted, it.untagged - wanted
    else:
        for other in switch.running.vlans.values():
            other.untagged -= wanted
        it.tagged, it.untagged = it.tagged - wanted, it.untagged | wanted
    return []


def _interface(switch: ProcurveSwitch, session: Session, args: Args) -> Lines:
    ports = args.ports("ports")
    session.enter(PORT, _listed(switch, frozenset(ports)), ports=ports)
    return []


def _switched(switch: ProcurveSwitch, session: Session, args: Args) -> Lines:
    """``interface 1-4 disable``, or the same in the ports' context."""
    for name in args.ports("ports") if "ports" in args else session.selection:
        switch.running.ports[name].shutdown = args.word("how") == "disable"
        switch.touch(name)
    return []


def _port_name(switch: ProcurveSwitch, session: Session, args: Args) -> Lines:
    for name in args.ports("ports") if "ports" in args else session.selection:
        switch.running.ports[name].name = "" if args.no else args.text("word").strip('"')
    return []


SHOWS: Commands = [
    ("show interfaces brief", _brief),
    ("show lldp info local-device", _lldp),
    ("show system [information]", _system),
    ("show version", _version),
    ("show vlans", _show_vlans),
    ("[no] page", _page),
    ("logout", lambda switch, session, args: switch.do_quit(session, args)),
]
MANAGER_SHOWS: Commands = [
    *SHOWS,
    ("show config", _startup),
    ("show config status", _status),
    ("show running-config", _running),
    ("show running-config vlan <vlan>", _running_vlan),
    ("write memory", _save),
]
IN_OPERATOR: Commands = [*SHOWS, ("enable", _enable), ("exit", CliSwitch.do_exit)]
IN_MANAGER: Commands = [
    *MANAGER_SHOWS,
    ("boot system", _reload),
    ("configure [terminal]", _configure),
    ("enable", _enable),
    ("exit", CliSwitch.do_exit),
    ("reload", _reload),
]
LEAVING: Commands = [("end", CliSwitch.do_end), ("exit", CliSwitch.do_exit)]
IN_CONFIG: Commands = [
    *LEAVING,
    *MANAGER_SHOWS,
    ("configure [terminal]", _configure),
    ("hostname <word>", _hostname),
    ("interface <ports>", _interface),
    ("interface <ports> how:disable|enable", _switched),
    ("interface <ports> name <word>", _port_name),
    ("max-vlans <number>", _max_vlans),
    ("vlan <vlan>", _vlan),
    ("no vlan <vlan>", _no_vlan),
    ("vlan <vlan> name <word>", _vlan_name),
    ("[no] vlan <vlan> how:tagged|untagged <ports>", _join),
]
IN_VLAN: Commands = [
    *LEAVING,
    ("name <word>", _vlan_name),
    ("[no] how:tagged|untagged <ports>", _join),
    ("no ip address", CliSwitch.do_nothing),
]
IN_PORT: Commands = [
    *LEAVING,
    ("how:disable|enable", _switched),
    ("name <word>", _port_name),
    ("no name", _port_name),
]


class ProcurveSwitch(CliSwitch[Config]):
    """A simulated ProVision switch. Options: see `haas_rpcd.sim.cli.device.Options`."""

    dialect = "hp_procurve"
    user_mode = OPERATOR
    privileged_mode = MANAGER
    session_type = ProcurveSession
    naming = cli.Naming({"": ""}, kind="", gap="", number=r"\d*")
    login = cli.Login(wrong=("Invalid password",), closing=("Invalid password",))
    pager = cli.Pager(
        more="-- MORE --, next page: Space, next line: Enter, quit: Control-C",
        erase=f"\x1b[{ROW};1H\x1b[2K\x1b[{ROW};1H",
        quits="qQ\x03",
    )
    full_text = "Maximum number of telnet sessions reached.\r\n"
    comment = ";"
    do_word = ""
    width = 0
    max_vtys = 4
    arguments: ClassVar[Mapping[str, cli.Argument]] = {**cli.ARGUMENTS, "ports": PortList()}

    lonely: ClassVar[str] = "falls"
    """What happens to a port that loses its last VLAN: it ``falls`` to the default one, or the line
    is ``refused``."""

    room_for_vlans = 256
    """VLANs at most, until the next start."""

    @classmethod
    def port_names(cls, count: int) -> list[str]:
        """``1`` onwards, as on a switch without modules."""
        return [str(number) for number in range(1, count + 1)]

    def factory(self, hostname: str) -> Config:
        """What comes out of the box."""
        ports = {name: Port() for name in self.port_list}
        home = Vlan("DEFAULT_VLAN", untagged=frozenset(self.port_list))
        return Config(hostname or "HP-2530-24G-PoEP", ports, {DEFAULT_VLAN: home})

    def restored(self, saved: Config) -> Config:
        """The number of VLANs is settled when it starts."""
        self.room_for_vlans = saved.max_vlans
        return saved

    def tables(self) -> Mapping[Mode, Commands]:
        """The commands of every context."""
        return {
            OPERATOR: IN_OPERATOR,
            MANAGER: IN_MANAGER,
            CONFIG: IN_CONFIG,
            VLAN: IN_VLAN,
            PORT: IN_PORT,
        }

    def reserved(self) -> Mapping[Mode, Mapping[str, str]]:
        """Keywords known only so that abbreviations clash."""
        return {
            MANAGER: {
                "": "clear copy debug erase kill menu ping setup telnet terminal traceroute update",
                "show": "arp authentication cdp cpu flash ip ipv6 logging mac-address modules name"
                " power-over-ethernet spanning-tree tech time trunks uptime",
            },
            CONFIG: {"": "aaa banner console crypto ip logging radius-server snmp-server trunk"},
        }

    # --- dialogue

    def greet(self, session: Session) -> None:
        """Show who made it, and wait for a key."""

        def pressed(key: str) -> Lines:
            if self.access.username is None and self.access.password is None:
                return self.enter(session, "")
            session.print(["\x1b[2J"])
            self.ask_login(session, self.login.tries)
            return []

        session.print(["\x1b[2J\x1b[?7l\x1b[3;23r\x1b[?6l\x1b[1;1H", *self.motd.splitlines()])
        session.print(BANNER)
        session.ask("Press any key to continue", pressed, key=True)

    def do_quit(self, session: Session, args: Args) -> Lines:
        """Ask before a session ends, and whether to save what was not saved."""

        def saved(key: str) -> Lines:
            if key.lower() in ("y", "n"):
                session.hang_up()
                return _save(self, session, args) if key.lower() == "y" else []
            session.ask(
                "Do you want to save current configuration [y/n/^C]? ",
                saved,
                key=True,
                shows_key=True,
            )
            return []

        def sure(key: str) -> Lines:
            if key.lower() != "y":
                return []
            return saved("" if self.modified else "n")

        session.ask("Do you want to log out [y/n]? ", sure, key=True, shows_key=True)
        return []

    # --- VLANs

    def made(self, vlan: int) -> Vlan:
        """A VLAN, made if there is room."""
        vlans: dict[int, Vlan] = self.running.vlans
        if vlan not in vlans:
            if len(vlans) >= self.room_for_vlans:
                raise RejectedError(
                    f"Maximum number of VLANs ({self.room_for_vlans}) has already been reached."
                )
            vlans[vlan] = Vlan(f"VLAN{vlan}")
        return vlans[vlan]

    def bring_home(self) -> None:
        """Put ports that are on no VLAN on the default one."""
        home: Vlan = self.running.vlans[DEFAULT_VLAN]
        home.untagged |= {name for name in self.port_list if self.running.is_lonely(name)}
        self.touch()

    # --- refusals

    def invalid(self, session: Session, line: Line, error: cli.InvalidError) -> Lines:
        """It says what it does not take."""
        return [f"Invalid input: {line.words[min(error.word, len(line.words) - 1)].text}"]

    def incomplete(self, session: Session, line: Line) -> Lines:
        """It says after what something is missing."""
        return [f"Incomplete input: {line.words[-1].text}"]

    def ambiguous(self, session: Session, line: Line) -> Lines:
        """It says what may be several."""
        return [f"Ambiguous input: {line.words[-1].text}"]
