"""What most switches print during login and between commands, as regular expressions."""

from __future__ import annotations

import re

from haas_rpcd.registered import Uptime


def at_end(pattern: str, *, ignore_case: bool = True) -> re.Pattern[str]:
    """Compile a pattern for a line of its own at the very end of the output."""
    return re.compile(rf"(?:(?<=\n)|(?<=\r)|\A)(?:{pattern})\Z", re.I if ignore_case else 0)


def at_start(pattern: str) -> re.Pattern[str]:
    """Compile a pattern for the start of a line, or of what follows a turned page."""
    return re.compile(rf"(?:(?<=[\n\r\f\x08])|\A)(?:{pattern})")


def on_own_line(pattern: str) -> re.Pattern[str]:
    """Compile a pattern for the start of a complete line; blanks, ``%`` and ``*`` may precede it.

    (A pattern that starts with ``[^\\r\\n]*`` and is not bound to the start of a line takes a
    quadratic time on a long line.)
    """
    return re.compile(rf"(?:(?<=[\r\n])|\A)[ \t%*]*(?:{pattern})[^\r\n]*(?=[\r\n])", re.I)


def within_line(pattern: str) -> re.Pattern[str]:
    """Compile a pattern for a line that contains it."""
    return re.compile(rf"(?:(?<=[\r\n])|\A)[^\r\n]*(?:{pattern})[^\r\n]*", re.I)


ASKS_USERNAME = (
    r"(?![^\r\n]*last login)[^\r\n]*(?:user ?(?:name|id)?|login(?: name| id)?)"
    r"(?: ?\([^()\r\n]*\))?: *"
)
"""A site may put its own words around it: ``Username(HAD):`` (scrapli issue 367)."""

ASKS_WORD = r"[^\r\n]*pass(?:word|code|phrase)[^\r\n:]*: *"
"""With a token server it is ``Enter PASSCODE:`` (scrapli issue 367)."""

USERNAME = at_end(ASKS_USERNAME)
PASSWORD = at_end(ASKS_WORD)
NEW_PASSWORD = at_end(
    r"[^\r\n]*\b(?:new|old|current|confirm|re-?enter|re-?type|repeat)\b[^\r\n:]*"
    r"password[^\r\n:]*:[ \r]*"
)
"""Asked for when the password has expired: ``New password:`` (IOS with TACACS+), ``Enter old
password:`` (netmiko issue 1337), ``Current Password:`` (netmiko issue 2083)."""

PASSWORD_EXPIRED = within_line(
    r"password (?:is |has |has been )?expired|(?:must|need to|required to) change your password|"
    r"password (?:needs|has) to be changed"
)
LOGIN_FAILED = on_own_line(
    r"(?:login invalid|bad passwords?|authentication failed|access denied|password required|"
    r"login incorrect|invalid login|login failed|user authentication failed)\b"
)
NO_FREE_SESSION = within_line(
    r"(?:all|no) [^\r\n]{0,40}(?:lines|ttys|vtys|sessions|connections) "
    r"[^\r\n]{0,20}(?:in use|busy|available|free|taken)|too many (?:users|sessions|connections|"
    r"logins)|(?:maximum|max)\.? (?:number|limit|no\.?)?[^\r\n]{0,30}"
    r"(?:sessions|users|connections)[^\r\n]{0,20}(?:reached|exceeded|logged)"
)
ASKS_KEY = r"[^\r\n]*(?:press (?:any key|return|enter)[^\r\n]*|connect to or <cr>: *)"
"""The second is the menu of a stack's commander, whose own line is behind Enter: ``Enter switch
number to connect to or <CR>:`` (ProCurve; netmiko issue 306, oxidized issue 509)."""

PRESS_KEY = at_end(ASKS_KEY)
PAGER = at_end(
    r"[\x08 ]*(?:<?-+ ?\(?more\)?[^\r\n]{0,80}|more: <space>[^\r\n]{0,60}|"
    r"press any key to continue[^\r\n]{0,40})[\x08 ]*"
)
QUESTION = at_end(
    r"[^\r\n]*(?:\[confirm\]|[\[(]y(?:es)?/no?[\])][^\r\n]{0,8}|filename \[[^\]]*\]\? ?)"
)
UPTIME = re.compile(r"up ?time(?: is|:)?\s*:? *([^\r\n]+)", re.I)

_UNITS = {"y": 31_536_000, "w": 604_800, "d": 86_400, "h": 3600, "m": 60, "s": 1}


def parse_duration(text: str) -> Uptime | None:
    """Read a duration such as ``1 week, 2 days``, ``3d4h``, ``12:04:31`` or ``4 days, 3:04``.

    The resolution is the smallest unit in it. None if the text has no duration.
    """
    total, units = 0.0, set[int]()
    clock = re.search(r"\b(\d+):(\d\d)(?::(\d\d))?\b", text)
    if clock:
        hours, minutes, seconds = clock.groups(default="0")
        total = int(hours) * 3600 + int(minutes) * 60 + int(seconds)
        units.add(1 if clock[3] else 60)
    for match in re.finditer(
        r"(\d+(?:\.\d+)?) ?(year|y|week|wk|w|day|d|hour|hr|h|minute|min|m|second|sec|s)(?:s|\(s\))?"
        r"(?![a-z])",
        text,
        re.I,
    ):
        unit = _UNITS[match[2][0].lower()]
        total += float(match[1]) * unit
        units.add(unit)
    return Uptime(total, min(units)) if units else None
