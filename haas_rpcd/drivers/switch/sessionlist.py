"""Reads a switch's list of its own sessions, to find those that earlier logins left behind."""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from haas_rpcd.drivers import SESSION_LOST
from haas_rpcd.errors import DeviceError

log = logging.getLogger(__name__)

_ROW = re.compile(r"(?P<own>[* ]) *(?P<line>\d+) +(?:con|aux|tty|vty) +\d+ ")


class _Login(NamedTuple):
    """A row of the list. ``place``: from where it logged in, the last word of the row."""

    own: bool
    line: str
    user: str
    place: str


class SessionList(NamedTuple):
    """The list that ``show users`` prints on IOS and on switches that resemble it.

    The columns are Line, User, Host(s), Idle and Location; an asterisk marks the own session
    (Cisco IOS Terminal Services Command Reference, "show users" and "clear line"). ``end``: the
    command that ends a session, with ``{line}`` for its number; "" if there is none.
    """

    show: str
    end: str = ""

    def ends(self, answer: str) -> list[str]:
        """Return the commands that end the other sessions of the own login.

        They have the same user at the same place. Without a user name anybody may be behind them.
        """
        own, others = _read(answer)
        if own is None or not own.user or not self.end:
            return []
        return [self.end.format(line=other.line) for other in others if other.place == own.place]

    def alone(self, answer: str) -> bool:
        """Return whether the own session is certainly the only one of its user."""
        own, others = _read(answer)
        return own is not None and not others


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


def _read(answer: str) -> tuple[_Login | None, list[_Login]]:
    """Return the own session and the others of its user; None if the own one is not found."""
    rows = answer.splitlines()
    head = next((row for row in rows if {"Line", "User", "Host(s)"} <= set(row.split())), "")
    column = slice(head.find("User"), head.find("Host(s)"))
    found = [
        _Login(match["own"] == "*", match["line"], row[column].strip(), row.split()[-1])
        for row in rows
        if head and (match := _ROW.match(row))
    ]
    own = [login for login in found if login.own]
    if len(own) != 1:
        return None, []
    return own[0], [login for login in found if not login.own and login.user == own[0].user]
