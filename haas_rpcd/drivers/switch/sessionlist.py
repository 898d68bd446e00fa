"""Reads a switch's list of its own sessions, to find those that earlier logins left behind."""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from haas_rpcd.drivers import SESSION_LOST
from haas_rpcd.errors import DeviceError

log = logging.getLogger(__name__)

_IOS_ROW = re.compile(r"(?P<own>[* ]) *(?P<line>\d+) +(?:con|aux|tty|vty) +[\d/]+ ")
_NXOS_ROW = re.compile(
    r"(?P<user>\S+) +(?P<line>\S+) +\S+ +\d+ +[\d:]+ +\S+ +[\d:]+(?P<comment>.*)"
)
_OS9_ROW = re.compile(
    r" *(?P<own>\*?) *(?P<line>\d+) +(?:console|aux|vty) +\d+ +(?P<user>\S+)(?P<rest>.*)"
)
_COMWARE_ROW = re.compile(r" *(?P<own>\+?)[ F]*\d+ +(?P<line>[A-Z]{3} \d+) +[\d:]+ ")
_COMWARE_DETAIL = re.compile(r" *(?P<line>[A-Z]{3} \d+) *: *")
_COMWARE_FIELD = re.compile(r" *(?P<name>User name|Location) *: *(?P<value>\S+) *")


class Login(NamedTuple):
    """A row of the list. ``place``: from where it logged in, if the list tells."""

    own: bool
    line: str
    user: str
    place: str


class SessionList(NamedTuple):
    """How a switch lists its sessions, and ends one."""

    show: str
    """The line that shows the list."""

    read: Callable[[str], list[Login]]
    """Reads the list; empty if the answer is none."""

    end: str = ""
    """The line that ends a session, with ``{line}`` for its number; "" if there is none."""

    def ends(self, answer: str) -> list[str]:
        """Return the lines that end the other sessions of the own login.

        They have the same user at the same place. Without a user name anybody may be behind them.
        """
        own, others = self._of_own_user(answer)
        if own is None or not own.user or not self.end:
            return []
        return [self.end.format(line=other.line) for other in others if other.place == own.place]

    def alone(self, answer: str) -> bool:
        """Return whether the own session is certainly the only one of its user."""
        own, others = self._of_own_user(answer)
        return own is not None and not others

    def _of_own_user(self, answer: str) -> tuple[Login | None, list[Login]]:
        """Return the own session, None if it is not found, and the others of its user."""
        logins = self.read(answer)
        own = [login for login in logins if login.own]
        if len(own) != 1:
            return None, []
        return own[0], [login for login in logins if not login.own and login.user == own[0].user]


def ios_logins(answer: str) -> list[Login]:
    """Read ``show users`` of IOS: Line, User, Host(s), Idle, Location; ``*`` marks the own session.

    Source: Cisco IOS Terminal Services Command Reference, "show users" and "clear line".
    """
    rows = answer.splitlines()
    head = next((row for row in rows if {"Line", "User", "Host(s)"} <= set(row.split())), "")
    column = slice(head.find("User"), head.find("Host(s)"))
    return [
        Login(match["own"] == "*", match["line"], row[column].strip(), row.split()[-1])
        for row in rows
        if head and (match := _IOS_ROW.match(row))
    ]


def nxos_logins(answer: str) -> list[Login]:
    """Read ``show users`` of NX-OS: NAME, LINE, TIME, IDLE, PID, COMMENT, which ends in ``*``.

    Source: genieparser, tests of nxos/show_users.
    """
    rows = answer.splitlines()
    at = next((at for at, row in enumerate(rows) if row.split()[:2] == ["NAME", "LINE"]), len(rows))
    return [
        Login(match["comment"].rstrip().endswith("*"), match["line"], match["user"], "")
        for row in rows[at + 1 :]
        if (match := _NXOS_ROW.fullmatch(row))
    ]


def os9_logins(answer: str) -> list[Login]:
    """Read ``show users`` of OS9: Line, User, Role, Privilege, Host(s), Location; ``*``: the own.

    Source: Dell's OS9 configuration guides, "Displaying Information About Users Logged into the
    Switch". (A row without a user has the host in its place, which is ``idle`` there.)
    """
    rows = answer.splitlines()
    head = next((at for at, row in enumerate(rows) if row.split()[:2] == ["Line", "User"]), None)
    return [
        Login(
            match["own"] == "*",
            match["line"],
            "" if match["user"] == "idle" else match["user"],
            (match["rest"].split() or [""])[-1],
        )
        for row in rows[len(rows) if head is None else head + 1 :]
        if (match := _OS9_ROW.fullmatch(row))
    ]


def comware_logins(answer: str) -> list[Login]:
    """Read ``display users`` of Comware: a table, where ``+`` marks the own session, then details.

    Source: H3C's "Fundamentals Command Reference", "display users" and "free line".
    """
    marked: dict[str, bool] = {}
    said: dict[tuple[str, str], str] = {}
    line = ""
    for row in answer.splitlines():
        if match := _COMWARE_ROW.match(row):
            marked[match["line"]] = match["own"] == "+"
        elif match := _COMWARE_DETAIL.fullmatch(row):
            line = match["line"]
        elif match := _COMWARE_FIELD.fullmatch(row):
            said[line, match["name"]] = match["value"]
    return [
        Login(own, line, said.get((line, "User name"), ""), said.get((line, "Location"), ""))
        for line, own in marked.items()
    ]


async def end_others(
    known: SessionList, switch: str, show: Callable[[Sequence[str]], Awaitable[list[str]]]
) -> bool:
    """End the other sessions of the own login; return whether certainly none is left.

    A switch that does not let this login see or end sessions gives no certainty. Raises DeviceError
    whose reason is in ``SESSION_LOST``.
    """
    try:
        await show(known.ends(*await show([known.show])))
        return known.alone(*await show([known.show]))
    except DeviceError as error:
        if error.reason in SESSION_LOST:
            raise
        log.info("%s: about its other sessions: %s", switch, error.reason)
        return False
