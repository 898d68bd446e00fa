"""The commands of a Junos switch; `statements` has those that edit a candidate."""

from __future__ import annotations

from collections.abc import Mapping

from haas_rpcd.sim.cli import Args, CliSwitch, Commands, Lines, Mode
from haas_rpcd.sim.junos import cabling, modes, show, statements
from haas_rpcd.sim.junos.session import Session
from haas_rpcd.sim.junos.state import Config, merged

Switch = CliSwitch[Config]


# --- sessions


def _cli(switch: Switch, session: Session, args: Args) -> Lines:
    session.enter(modes.OPERATIONAL)
    return []


def _exit(switch: Switch, session: Session, args: Args) -> Lines:
    if session.user == "root":
        session.enter(modes.SHELL)
    else:
        session.hang_up()
    return []


def _reboot(switch: Switch, session: Session, args: Args) -> Lines:
    def answered(text: str) -> Lines:
        if text.strip().lower() in ("y", "yes"):
            switch.reload()
        return []

    session.ask("Reboot the system ? [yes,no] (no) ", answered)
    return []


def _screen_length(switch: Switch, session: Session, args: Args) -> Lines:
    session.length = args.number("number")
    return [f"Screen length set to {session.length}"]


def _screen_width(switch: Switch, session: Session, args: Args) -> Lines:
    session.editor.width = args.number("number")
    return [f"Screen width set to {session.editor.width}"]


def _complete_on_space(switch: Switch, session: Session, args: Args) -> Lines:
    return [f"{'Enabling' if args.word('how') == 'on' else 'Disabling'} complete-on-space"]


# --- configuration mode


def _locked(session: Session) -> list[str]:
    """Return the refusal if another session configures exclusively."""
    locker = session.candidates.locker
    if locker is None or locker is session:
        return []
    return [
        "error: configuration database locked by:",
        f"  {locker.user} terminal p{locker.line} (pid {4200 + locker.number}) on since"
        " 2026-01-01 00:00:00 UTC",
        "      exclusive [edit]",
    ]


def _configure(switch: Switch, session: Session, args: Args) -> Lines:
    how = args.word("how") if "how" in args else ""
    if refusal := _locked(session):
        return refusal
    if how and session.shared_is_modified:
        shared = "shared " if how == "private" else ""
        return [f"error: {shared}configuration database modified"]
    session.enter(modes.CONFIGURATION)
    if not how:
        changed = ["The configuration has been changed but not committed"]
        return ["Entering configuration mode", *(changed if session.is_modified else [])]
    session.take_candidate()
    if how == "exclusive":
        session.candidates.locker = session
    return ["warning: uncommitted changes will be discarded on exit", "Entering configuration mode"]


def _leave(switch: Switch, session: Session, args: Args) -> Lines:
    def leave() -> list[str]:
        session.drop()
        session.enter(modes.OPERATIONAL)
        return ["Exiting configuration mode"]

    def answered(text: str) -> Lines:
        if text.strip().lower() in ("", "y", "yes"):
            return leave()
        if text.strip().lower() not in ("n", "no"):
            ask()
        return []

    def ask() -> None:
        what = "Discard" if session.candidate is not None else "Exit with"
        session.ask(f"{what} uncommitted changes? [yes,no] (yes) ", answered)

    if not session.is_modified:
        return leave()
    ask()
    return ["The configuration has been changed but not committed"]


def _commit(switch: Switch, session: Session, args: Args) -> Lines:
    if refusal := _locked(session):
        return refusal
    wanted = session.edited
    if session.candidate is not None and session.base is not None:
        wanted = merged(session.candidate, session.base, switch.running)
    if mistakes := wanted.mistakes():
        return mistakes
    if "check" in args:
        return ["configuration check succeeds"]
    if switch.faults.save_error is not None:
        switch.counters.failed_saves += 1
        return switch.save_error
    switch.adopt(wanted.copy())
    switch.save()
    session.reset()
    return ["configuration check succeeds", "commit complete"]


def _rollback(switch: Switch, session: Session, args: Args) -> Lines:
    session.reset()
    return ["load complete"]


# --- show


def _show_configuration(switch: Switch, session: Session, args: Args) -> Lines:
    return _statements(switch.running, session, args)


def _show_candidate(switch: Switch, session: Session, args: Args) -> Lines:
    return _statements(session.edited, session, args)


def _statements(config: Config, session: Session, args: Args) -> Lines:
    section = args.text("line").split() if "line" in args else []
    chosen = [
        statement
        for statement in config.statements()
        if " ".join(statement).split()[: len(section)] == section
    ]
    if session.shows_set:
        return show.as_set(chosen)
    inner = [show.below(statement, len(section)) for statement in chosen]
    changed = [] if section else [f"## Last commit: 2026-01-01 00:00:00 UTC by {session.user}"]
    return [*changed, *show.as_braces(inner)]


def _show_interfaces_terse(switch: Switch, session: Session, args: Args) -> Lines:
    aggregates = [f"ae{number}" for number in range(switch.running.aggregates)]
    names = [*switch.port_list, *aggregates]
    return show.interfaces_terse(switch.running, names, switch.unplugged)


def _show_vlans(switch: Switch, session: Session, args: Args) -> Lines:
    return show.vlans(switch.running, switch.carried, switch.port_list, switch.unplugged)


def _show_version(switch: Switch, session: Session, args: Args) -> Lines:
    return show.version(switch.running.hostname)


def _show_hardware(switch: Switch, session: Session, args: Args) -> Lines:
    return show.hardware(switch.serial)


def _show_uptime(switch: Switch, session: Session, args: Args) -> Lines:
    return show.uptime(switch.seconds_up(), session.user)


TABLES: Mapping[Mode, Commands] = {
    modes.SHELL: [("cli", _cli), ("exit", CliSwitch.do_quit)],
    modes.OPERATIONAL: [
        ("show chassis hardware", _show_hardware),
        ("show configuration [<line>]", _show_configuration),
        ("show interfaces terse", _show_interfaces_terse),
        ("show system uptime", _show_uptime),
        ("show version", _show_version),
        ("show vlans [brief]", _show_vlans),
        *cabling.COMMANDS,
        ("configure how:private|exclusive", _configure),
        ("configure", _configure),
        ("exit", _exit),
        ("quit", _exit),
        ("request system reboot", _reboot),
        ("set cli complete-on-space how:on|off", _complete_on_space),
        ("set cli screen-length <number>", _screen_length),
        ("set cli screen-width <number>", _screen_width),
    ],
    modes.CONFIGURATION: [
        ("commit", _commit),
        ("commit check:check", _commit),
        ("exit [configuration-mode]", _leave),
        ("quit [configuration-mode]", _leave),
        ("rollback [0]", _rollback),
        ("show [<line>]", _show_candidate),
        ("top", CliSwitch.do_nothing),
        *statements.COMMANDS,
    ],
}
