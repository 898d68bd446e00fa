"""What most switches print during login and between commands, as regular expressions."""

from __future__ import annotations

import re

from haas_rpcd.model import Uptime


def at_end(pattern: str, *, ignore_case: bool = True) -> re.Pattern[str]:
    """Compile a pattern for a line of its own at the very end of the output."""
    return re.compile(rf"(?:(?<=\n)|(?<=\r)|\A)(?:{pattern})\Z", re.I if ignore_case else 0)


def at_start(pattern: str) -> re.Pattern[str]:
    """Compile a pattern for the start of a line, or of what follows a turned page."""
    return re.compile(rf"(?:(?<=[\n\r\f\x08])|\A)(?:{pattern})")


USERNAME = at_end(r"(?![^\r\n]*last login)[^\r\n]*(?:username|login|user name|user): *")
PASSWORD = at_end(r"[^\r\n]*password[^\r\n:]*: *")
LOGIN_FAILED = re.compile(
    r"(?:% ?(?:login invalid|bad passwords?|authentication failed|access denied|"
    r"password required)|(?:login incorrect|authentication failed|invalid login|"
    r"login failed|user authentication failed)\b)[^\r\n]*(?=[\r\n])",
    re.I,
)
NO_FREE_SESSION = re.compile(
    r"[^\r\n]*(?:(?:all|no) [^\r\n]{0,40}(?:lines|ttys|vtys|sessions|connections) "
    r"[^\r\n]{0,20}(?:in use|busy|available|free|taken)|too many (?:users|sessions|connections|"
    r"logins)|(?:maximum|max)\.? (?:number|limit|no\.?)?[^\r\n]{0,30}"
    r"(?:sessions|users|connections)[^\r\n]{0,20}(?:reached|exceeded|logged))[^\r\n]*",
    re.I,
)
PRESS_KEY = at_end(r"[^\r\n]*press (?:any key|return|enter)[^\r\n]*")
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
