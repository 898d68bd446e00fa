"""The dialogues of a login and of ``enable``, in the texts that a vendor's switch has for them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Protocol

from haas_rpcd.sim.cli.interpreter import Interpreter
from haas_rpcd.sim.cli.options import Access
from haas_rpcd.sim.cli.records import Counters
from haas_rpcd.sim.cli.session import Session
from haas_rpcd.sim.cli.texts import Enable, Login, Mode


class Guarded(Interpreter, Protocol):
    """A switch with logins: see `CliSwitch`, which implements it."""

    privileged_mode: ClassVar[Mode]
    enabling: ClassVar[Enable]
    login: Login
    access: Access
    motd: str
    counters: Counters

    def allows(self, user: str, password: str) -> bool:
        """Check a login."""

    def ask_login(self, session: Any, tries: int) -> None:
        """Ask who the user is, at most ``tries`` times."""

    def enables(self, session: Any, answer: str) -> bool:
        """Return whether the answer to ``enable`` is correct."""


def greet(switch: Guarded, session: Session) -> None:
    """Open the dialogue on a new telnet connection."""
    login, access = switch.login, switch.access
    session.print(["", *([*switch.motd.splitlines(), ""] if switch.motd else [])])
    if access.username is None and access.password is None:
        if login.none_set is not None:
            session.print(login.none_set)
            session.hang_up()
        else:
            session.ask_nothing(switch.enter(session, ""))
        return
    session.print(login.before)
    switch.ask_login(session, login.tries)


def ask_login(switch: Guarded, session: Session, tries: int) -> None:
    """Ask for a user, for a password, or for both."""
    login, access = switch.login, switch.access

    def answered(user: str, password: str) -> list[str]:
        if switch.allows(user, password):
            return switch.enter(session, user)
        session.print(login.wrong if tries > 1 or not login.closing else ())
        if tries > 1:
            switch.ask_login(session, tries - 1)
            return []
        session.print(login.closing)
        session.hang_up()
        return []

    def ask_password(user: str) -> list[str]:
        if access.password is None:
            return answered(user, "")
        session.ask(
            login.password,
            lambda password: answered(user, password),
            mode="password",
            echo=login.stars or False,
        )
        return []

    if access.username is None:
        ask_password("")
    else:
        question = login.user.format(host=switch.running.hostname)
        session.ask(question, ask_password, mode="username")


def enable(switch: Guarded, session: Session) -> Iterable[str]:
    """``enable``: ask for its password, if there is one."""
    texts, password = switch.enabling, switch.access.enable
    if session.mode is not switch.user_mode:
        return []
    if password is None and texts.none_set is not None:
        return texts.none_set
    if not password:
        session.enter(switch.privileged_mode)
        return []

    def ask(tries: int) -> None:
        def answered(text: str) -> Iterable[str]:
            if switch.enables(session, text):
                session.enter(switch.privileged_mode)
                return []
            switch.counters.failed_logins += 1
            if tries == 1:
                return texts.last
            session.print(texts.wrong)
            ask(tries - 1)
            return []

        session.ask(texts.question, answered, mode="enable", echo=texts.stars or False)

    ask(texts.tries)
    return []
