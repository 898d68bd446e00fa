"""`ProcurveSwitch`: its logins, the texts around commands, and how it refuses them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from haas_rpcd.sim import cli
from haas_rpcd.sim.cli import Args, CliSwitch, Commands, Line, Lines, Mode, Session
from haas_rpcd.sim.ioslike.byvlan import ListingVlan
from haas_rpcd.sim.procurve import commands, configure, modes, show, terminal
from haas_rpcd.sim.procurve.state import DEFAULT_VLAN, Config, Port


class ProcurveSwitch(CliSwitch[Config]):
    """A simulated ProVision switch. Options: see `haas_rpcd.sim.cli.device.Options`."""

    dialect = "hp_procurve"
    user_mode = modes.OPERATOR
    privileged_mode = modes.MANAGER
    session_type = terminal.ProcurveSession
    naming = cli.Naming({"": ""}, kind="", gap="", number=r"\d*")
    login = cli.Login(wrong=("Invalid password",), closing=("Invalid password",))
    pager = cli.Pager(
        more="-- MORE --, next page: Space, next line: Enter, quit: Control-C",
        erase=f"{terminal.CLEAR_ROW}\x1b[{terminal.ROW};1H",
        quits="qQ\x03",
    )
    full_text = "Maximum number of telnet sessions reached.\r\n"
    comment = ";"
    do_word = ""
    width = 0
    max_vtys = 4
    arguments: ClassVar[Mapping[str, cli.Argument]] = {
        **cli.ARGUMENTS,
        "ports": configure.PortList(),
    }

    refuses_orphans: ClassVar[bool] = False
    """Whether the switch refuses to take a port off its last VLAN, as some releases may. Otherwise
    such a port moves to the default VLAN."""

    @classmethod
    def port_names(cls, count: int) -> list[str]:
        """``1`` onwards, as on a switch without modules."""
        return [str(number) for number in range(1, count + 1)]

    def factory(self, hostname: str) -> Config:
        """Return the configuration of a new switch."""
        return Config(
            hostname or "HP-2530-24G-PoEP",
            {name: Port() for name in self.port_list},
            {DEFAULT_VLAN: ListingVlan("DEFAULT_VLAN", untagged=frozenset(self.port_list))},
            refuses_orphans=self.refuses_orphans,
        )

    def restored(self, saved: Config) -> Config:
        """Apply the maximum number of VLANs, which only a restart changes."""
        saved.vlan_limit = saved.max_vlans
        return saved

    def tables(self) -> Mapping[Mode, Commands]:
        """Return the commands of each context."""
        return {
            modes.OPERATOR: commands.OPERATOR,
            modes.MANAGER: commands.MANAGER,
            modes.CONFIG: configure.CONFIG,
            modes.VLAN: configure.VLAN,
            modes.PORT: configure.PORT,
        }

    def reserved(self) -> Mapping[Mode, Mapping[str, str]]:
        """Return keywords known only so that abbreviations are ambiguous as on the device."""
        return {
            modes.MANAGER: {
                "": "clear copy debug erase kill menu ping setup telnet terminal traceroute update",
                "show": "arp authentication cdp cpu flash ip ipv6 logging mac-address modules name"
                " power-over-ethernet spanning-tree tech time trunks uptime",
            },
            modes.CONFIG: {
                "": "aaa banner console crypto ip logging radius-server snmp-server trunk"
            },
        }

    # --- dialogue

    def greet(self, session: Session) -> None:
        """Show the banner and wait for a key before the login."""

        def pressed(key: str) -> Lines:
            if self.access.username is None and self.access.password is None:
                return self.enter(session, "")
            session.print([terminal.CLEAR_SCREEN])
            self.ask_login(session, self.login.tries)
            return []

        session.print([terminal.SCREEN_SETUP, *self.motd.splitlines()])
        session.print(show.BANNER)
        session.ask("Press any key to continue", pressed, key=True)

    def do_quit(self, session: Session, args: Args) -> Lines:
        """Ask before the session ends, and whether to save unsaved changes."""
        return commands.logout(self, session, args)

    # --- refusals

    def invalid(self, session: Session, line: Line, error: cli.InvalidError) -> Lines:
        """Name the word that is wrong."""
        return [f"Invalid input: {line.words[min(error.word, len(line.words) - 1)].text}"]

    def incomplete(self, session: Session, line: Line) -> Lines:
        """Name the word after which something is missing."""
        return [f"Incomplete input: {line.words[-1].text}"]

    def ambiguous(self, session: Session, line: Line) -> Lines:
        """Name the word that is ambiguous."""
        return [f"Ambiguous input: {line.words[-1].text}"]
