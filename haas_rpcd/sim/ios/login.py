"""Who may use a switch, and the dialogue at the beginning of a session."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from haas_rpcd.sim.ios.modes import Mode

if TYPE_CHECKING:
    from haas_rpcd.sim.ios.session import Session

TRIES = 3
"""Wrong answers after which IOS closes the line."""


@dataclass(frozen=True)
class Access:
    """Credentials of one switch.

    With a username it is ``login local``; without one only the lines' password is asked for.
    Without either, IOS turns everybody away ("Password required, but none set").
    ``enable``: None means no enable secret (``enable`` is then refused on a VTY: "% No password
    set"); an empty one lets everybody through.
    """

    username: str | None
    password: str | None
    enable: str | None
    privilege: int  # 15 lands at the "#" prompt, less at ">"

    def config_lines(self) -> tuple[str, ...]:
        """The lines of the configuration above the interfaces; secrets only as digests."""
        lines = []
        if self.enable:
            lines += [f"enable secret 5 {_digest(self.enable)}", "!"]
        if self.username is not None:
            level = " privilege 15" if self.privilege == 15 else ""
            secret = _digest(self.password or "")
            lines += [f"username {self.username}{level} secret 5 {secret}"]
        return tuple(lines)

    def vty_lines(self) -> tuple[str, ...]:
        """The lines of the configuration below ``line vty``."""
        if self.username is not None:
            return (" login local",)
        level = (" privilege level 15",) if self.privilege == 15 else ()
        hidden = (" password 7 <removed>",) if self.password is not None else ()
        return (*level, *hidden, " login")


def _digest(secret: str) -> str:
    """Something that looks like a type 5 secret and says as little."""
    digest = base64.b64encode(hashlib.sha256(secret.encode()).digest(), b"./").decode()
    return f"$1${digest[:4]}${digest[4:26]}"


def greet(session: Session) -> None:
    """Open the dialogue on a new connection."""
    access = session.switch.access
    motd = session.switch.motd
    session.print([""] + ([*motd.splitlines(), ""] if motd else []))
    if access.username is None and access.password is None:
        session.print(["", "Password required, but none set"])
        session.hang_up()
        return
    session.print(["", "User Access Verification", ""])
    if access.username is None:
        _ask_line_password(session, TRIES)
    else:
        _ask_user(session, TRIES)


def _ask_user(session: Session, tries: int) -> None:
    access = session.switch.access

    def named(user: str) -> list[str]:
        def answered(password: str) -> list[str]:
            if (user, password) == (access.username, access.password):
                return _enter(session, user)
            session.switch.counters.failed_logins += 1
            session.print(["% Login invalid", ""])
            if tries == 1:
                session.hang_up()
            else:
                _ask_user(session, tries - 1)
            return []

        session.ask("Password: ", answered, mode="password", echo=False)
        return []

    session.ask("Username: ", named, mode="username")


def _ask_line_password(session: Session, tries: int) -> None:
    def answered(password: str) -> list[str]:
        if password == session.switch.access.password:
            return _enter(session, "")
        session.switch.counters.failed_logins += 1
        if tries == 1:
            session.print(["% Bad passwords"])
            session.hang_up()
        else:
            _ask_line_password(session, tries - 1)
        return []

    session.ask("Password: ", answered, mode="password", echo=False)


def _enter(session: Session, user: str) -> list[str]:
    session.user = user
    session.mode = Mode.PRIVILEGED if session.switch.access.privilege == 15 else Mode.USER
    session.switch.counters.logins += 1
    return []
