"""The commands at ProVision's ``>`` and ``#`` prompts; `configure` has those of configuration."""

from __future__ import annotations

from collections.abc import Iterator

from haas_rpcd.sim.cli import Args, CliSwitch, Commands, Lines, RejectedError, Session
from haas_rpcd.sim.procurve import cabling, modes, show
from haas_rpcd.sim.procurve.state import Config

Switch = CliSwitch[Config]

ASK_TO_SAVE = "Do you want to save current configuration [y/n/^C]? "


# --- sessions


def _enable(switch: Switch, session: Session, args: Args) -> Lines:
    access = switch.access
    if session.mode is not modes.OPERATOR or not access.enable:
        session.enter(modes.MANAGER)
        return []

    def ask_password(user: str) -> Lines:
        def answered(password: str) -> Lines:
            if switch.enables(session, password) and user == (access.username or ""):
                session.enter(modes.MANAGER)
                return []
            switch.counters.failed_logins += 1
            return ["Invalid password"]

        session.ask("Password: ", answered, mode="enable", echo=False)
        return []

    if access.username is None:
        return ask_password("")
    session.ask("Username: ", ask_password, mode="username")
    return []


def logout(switch: Switch, session: Session, args: Args) -> Lines:
    """Ask before the session ends, and whether to save unsaved changes."""

    def answered(key: str) -> Lines:
        if key.lower() not in ("y", "n"):
            ask_to_save()
            return []
        session.hang_up()
        return _save(switch, session, args) if key.lower() == "y" else []

    def ask_to_save() -> None:
        session.ask(ASK_TO_SAVE, answered, key=True, shows_key=True)

    def confirmed(key: str) -> Lines:
        if key.lower() != "y":
            return []
        if switch.modified:
            ask_to_save()
        else:
            session.hang_up()
        return []

    session.ask("Do you want to log out [y/n]? ", confirmed, key=True, shows_key=True)
    return []


def configure(switch: Switch, session: Session, args: Args) -> Lines:
    """Enter configuration."""
    if not session.mode.configures:
        session.enter(modes.CONFIG)
    return []


def _page(switch: Switch, session: Session, args: Args) -> Lines:
    session.length = 0 if args.no else switch.pager.length
    return []


# --- saving and restarting


def _save(switch: Switch, session: Session, args: Args) -> Lines:
    return [] if switch.save() else switch.save_error


def _reload(switch: Switch, session: Session, args: Args) -> Lines:
    def answered(key: str) -> Lines:
        printed = _save(switch, session, args) if key.lower() == "y" else []
        switch.reload()
        return printed

    def confirmed(key: str) -> Lines:
        if key.lower() != "y":
            return []
        if switch.modified:
            session.ask(ASK_TO_SAVE, answered, key=True, shows_key=True)
        else:
            switch.reload()
        return []

    session.ask("Do you want to continue [y/n]? ", confirmed, key=True, shows_key=True)
    return ["This command will cause a switchover or reboot of the system."]


# --- show


def _show_running(switch: Switch, session: Session, args: Args) -> Lines:
    return ["", "Running configuration:", "", *show.configuration(switch.running)]


def _show_running_vlan(switch: Switch, session: Session, args: Args) -> Lines:
    vlan = args.number("vlan")
    if vlan not in switch.running.vlans:
        raise RejectedError(f"VLAN {vlan} not found.")
    return ["", "Running configuration:", "", *show.vlan(switch.running, vlan)]


def _show_config(switch: Switch, session: Session, args: Args) -> Lines:
    if switch.startup is None:
        return ["No startup configuration."]
    return ["", "Startup configuration:", "", *show.configuration(switch.startup)]


def _show_config_status(switch: Switch, session: Session, args: Args) -> Lines:
    if switch.modified:
        return ["Running configuration has been changed and needs to be saved."]
    return ["Running configuration is same as the startup configuration."]


def _show_vlans(switch: Switch, session: Session, args: Args) -> Lines:
    return show.vlans(switch.running)


def _show_vlans_of_ports(switch: Switch, session: Session, args: Args) -> Iterator[str]:
    return show.vlans_of_ports(switch.running, switch.is_on)


def _show_interfaces_brief(switch: Switch, session: Session, args: Args) -> Lines:
    return show.interfaces_brief(switch.running, switch.unplugged)


def _show_system(switch: Switch, session: Session, args: Args) -> Lines:
    return show.system(switch.running.hostname, switch.serial, switch.seconds_up())


def _show_lldp(switch: Switch, session: Session, args: Args) -> Lines:
    return show.lldp(switch.running.hostname)


def _show_version(switch: Switch, session: Session, args: Args) -> Lines:
    return show.VERSION


_EVERYBODY: Commands = [
    ("show interfaces brief", _show_interfaces_brief),
    ("show lldp info local-device", _show_lldp),
    ("show system [information]", _show_system),
    ("show version", _show_version),
    ("show vlans", _show_vlans),
    ("show vlans ports [ethernet] all detail", _show_vlans_of_ports),
    ("[no] page", _page),
    ("logout", logout),
    *cabling.COMMANDS,
]

ALL_MANAGER_CONTEXTS: Commands = [
    *_EVERYBODY,
    ("configure [terminal]", configure),
    ("show config", _show_config),
    ("show config status", _show_config_status),
    ("show running-config", _show_running),
    ("show running-config vlan <vlan>", _show_running_vlan),
    ("write memory", _save),
]
"""What a manager may type at the ``#`` prompt and in global configuration."""

OPERATOR: Commands = [*_EVERYBODY, ("enable", _enable), ("exit", CliSwitch.do_exit)]

MANAGER: Commands = [
    *ALL_MANAGER_CONTEXTS,
    ("boot system", _reload),
    ("enable", _enable),
    ("exit", CliSwitch.do_exit),
    ("reload", _reload),
]
