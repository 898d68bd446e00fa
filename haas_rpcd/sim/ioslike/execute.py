"""Handlers of commands that configure no port: entering modes, saving, restarting."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from haas_rpcd.sim.cli import Args, CliSwitch, Commands, Handler, Lines, Mode, Session

Switch = CliSwitch[Any]

ANY_LEVEL: Commands = [
    ("enable", CliSwitch.do_enable),
    ("disable", CliSwitch.do_disable),
    ("exit", CliSwitch.do_quit),
    ("logout", CliSwitch.do_quit),
    ("quit", CliSwitch.do_quit),
]
"""The commands of user and privileged mode that change levels or end the session."""

LEAVING: Commands = [("end", CliSwitch.do_end), ("exit", CliSwitch.do_exit)]
"""The commands that leave a configuration mode."""


def is_yes(text: str) -> bool:
    """Return whether an answer is ``y`` or ``yes``."""
    return text.strip().lower() in ("y", "yes")


def enter(mode: Mode, *printed: str) -> Handler:
    """Make a command that enters a mode."""

    def run(switch: Switch, session: Session, args: Args) -> Lines:
        session.enter(mode)
        return printed

    return run


def enter_port(mode: Mode) -> Handler:
    """Make ``interface <port>`` for a mode whose prompt does not show the port."""

    def run(switch: Switch, session: Session, args: Args) -> Lines:
        session.enter(mode, ports=[args.text("port")])
        return []

    return run


def enter_ports(mode: Mode) -> Handler:
    """Make ``interface range <ports>`` for a mode whose prompt does not show the ports."""

    def run(switch: Switch, session: Session, args: Args) -> Lines:
        session.enter(mode, ports=args.ports("ports"))
        return []

    return run


def hostname(default: str = "", *, quotes: str = "") -> Handler:
    """Make ``[no] hostname <word>``. ``quotes`` are removed around the name."""

    def run(switch: Switch, session: Session, args: Args) -> Lines:
        name = default if args.no else args.text("word")
        switch.running.hostname = name.strip(quotes) if quotes else name
        return []

    return run


def monitor(switch: Switch, session: Session, args: Args) -> Lines:
    """``[no] terminal monitor``."""
    session.monitors = not args.no
    return []


def save(*printed: str) -> Handler:
    """Make a command that saves without a question and then prints these lines."""

    def run(switch: Switch, session: Session, args: Args) -> Lines:
        return printed if switch.save() else switch.save_error

    return run


def reload(
    save_first: Callable[[Any], Iterable[str]],
    question: str,
    *,
    retry: Sequence[str],
    cancels: bool = False,
) -> Handler:
    """Make ``reload``: offer to save unsaved changes, then ask for a single key.

    ``retry`` is printed if an answer to ``question`` is neither yes nor no. With ``cancels`` the
    answer may be cancel, which is also what an empty line means.
    """

    def run(switch: Switch, session: Session, args: Args) -> Lines:
        def confirm() -> None:
            session.ask("Proceed with reload? [confirm]", confirmed, key=True)

        def confirmed(key: str) -> Lines:
            if key in "\r\ny":
                switch.reload()
            return []

        def answered(text: str) -> Lines:
            answer = text.strip().lower()
            printed: Iterable[str] = []
            if cancels and "cancel".startswith(answer):
                return []
            if answer and "yes".startswith(answer):
                printed = save_first(switch)
            elif not answer or not "no".startswith(answer):
                session.ask(question, answered)
                return retry
            confirm()
            return printed

        if switch.modified:
            session.ask(question, answered)
        else:
            confirm()
        return []

    return run


def those(commands: Commands, *beginnings: str) -> Commands:
    """Select the commands that begin with these words, for modes that accept them as well."""
    return [(pattern, handler) for pattern, handler in commands if pattern.startswith(beginnings)]
