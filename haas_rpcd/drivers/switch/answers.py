"""Takes a switch's output apart: echoes, log messages, answers. Pure text, no I/O."""

from __future__ import annotations

import re

_SYSLOG = re.compile(
    r"^(?:[*.]|<\d+>)?(?:[\w:.,+ -]*[: ])?(?:%\$ ?VDC-\d+ ?%\$ )?"
    r"(?:%[A-Z]+\d*-[A-Z]:[A-Z]+\d* )?"
    r"%(?:%\d+)?[A-Z0-9][A-Z0-9_/]*(?:-[A-Z0-9_]+)*-[0-7]-[A-Z0-9_]+ ?(?:\([^)]*\))?: ?.*$"
    r"|^(?:<\d+>)?(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) +\d{1,2} (?:\d{4} )?"
    r"\d\d:\d\d:\d\d(?:\.\d+)? +(?:\S+ +){1,2}[\w./-]+(?:\[\d+\])?: .*$"
    r"|^SYSLOG: ?<\d+>.*$"
    r"|^[%#*](?:@\d+%?)?[A-Z][a-z]{2} +\d{1,2} \d\d:\d\d:\d\d(?::\d{3})? \d{4} \S+ "
    r"(?:%%\d+)?[A-Z0-9_]+/\d/[A-Z0-9_()]+: ?.*$"
    r"|^Trap 1(?:\.\d+){5,}.*$"
    r"|^(?:ST\d-(?:CMDR|STBY|MMBR): )?[IWMDE] \d\d/\d\d/\d\d \d\d:\d\d:\d\d "
    r"(?:\d{5} )?[\w. -]+: .*$"
    r"|^Message from syslogd@\S* at .*\.\.\.$"
)
"""A log message that the switch prints into the session. The forms, in this order:

* IOS: ``%LINK-5-CHANGED: Interface …``. NX-OS puts date, host and VDC before it: ``2026 Jun  9
  12:00:02 sw1 %$ VDC-1 %$ %ETHPORT-5-…``; OS9 date and unit: ``Jun 18 13:52:30 %STKUNIT0-M:CP
  %SEC-5-LOGOUT: …``.
* BSD's syslogd: ``Aug  9 05:40:40 sw1 mib2d[2112]: SNMP_TRAP_LINK_UP: …``.
* FastIron: ``SYSLOG: <14>Dec 15 18:46:17 sw1 Interface ethernet 1/1/3, state up``.
* Comware: ``%Jan  1 00:00:01:123 2013 sw1 IFNET/3/PHY_UPDOWN: …``. Traps start with ``#`` and have
  a second line, ``Trap 1.3.6.1.4.1.…``; debugging messages start with ``*``.
* ProCurve, with the severity first: ``I 01/01/90 00:00:10 00076 ports: port 1 is now on-line``.
"""

_OS10_LOG = re.compile(
    r"^(?:<\d+>\d? ?)?\S.* Node\.\d+-Unit\.\d+:PRI\S* \[\w+\], Dell.*\(OS10\) %\w+: ?.*$"
)
"""A log message of Dell OS10, after RFC 5424: ``<165>1 2019-10-28T19:10:22.616888+00:00 OS10 dn_alm
669 - - Node.1-Unit.1:PRI [event], Dell EMC (OS10) %IFM_OSTATE_DN: …``."""

_ROS_LOG = re.compile(
    r"^(?:<\d+>)?(?:\d\d-[A-Z][a-z]{2}-\d{4} \d\d:\d\d:\d\d :?)?%[A-Za-z0-9_]+-[A-Z]-[\w-]+: ?.*$"
)
"""A log message of Marvell's ROS (Dell PowerConnect 55xx), whose severities are letters:
``04-Jun-2016 13:02:53 %LINK-W-Down:  gi1/0/1``."""

_FASTPATH_LOG = re.compile(
    r"^<\d+> *[A-Z][a-z]{2} +\d+ \d\d:\d\d:\d\d \S+ [\w.-]+\[[^\]]*\]: \S+\(\d+\) \d+ %% .*$"
)
"""A log message of Broadcom's FASTPATH (Dell N-series): ``<189> Oct 21 09:10:54 10.201.1.110-1
TRAPMGR[trapTask]: traputil.c(721) 29331 %% NOTE 'startup-config' has changed.``."""

_LOGS = (_SYSLOG, _OS10_LOG, _ROS_LOG, _FASTPATH_LOG)

_IN_LOGS = re.compile(r"%|\d:\d\d|SYSLOG|Trap 1|Message from")
"""Characters that every log message contains; other lines need only this quick test."""

_MAX_QUOTED = 300
"""Maximum characters of a switch's answer in an error message."""

_MAX_SEARCHED = 4096
"""Characters of an answer that are searched for the quotation, as most of it may be blank."""

_MAX_ECHO = 8192
"""Characters after which an unfinished echo counts as none."""

_MIN_SHIFTED = 8
"""Characters of a shifted line that must be visible for it to count as the echo."""

MISMATCH = -1
INCOMPLETE = -2


def echo_end(text: str, line: str, start: int = 0) -> int:
    """Return where the echo of ``line`` that starts at ``start`` ends, including its newline.

    ``MISMATCH``: no echo starts there. ``INCOMPLETE``: more output is needed to decide. White space
    and backspaces are ignored, because a terminal may have wrapped the line. Log messages may
    interrupt it, and a narrow terminal may show only its end.
    """
    wanted = [char for char in line if not char.isspace()]
    limit = start + _MAX_ECHO
    at, position = 0, start
    while at < len(wanted):
        if position >= limit:
            return MISMATCH
        if position == len(text):
            return INCOMPLETE
        char = text[position]
        if char == wanted[at]:
            at += 1
        elif char == "\n" and (end := _log_end(text, position + 1)):
            position = end - 1
        elif not char.isspace() and char != "\x08":
            if at == 0 and "\x08" not in text[start:position]:
                return MISMATCH  # it does not even begin like the line
            end = _shifted_end(text[start:limit], line)
            return start + end if end >= 0 else end
        position += 1
    newline = text.find("\n", position, limit)
    if newline < 0:
        return INCOMPLETE if not text[position:limit].strip(" \r\x08") else MISMATCH
    return newline + 1 if not text[position:newline].strip(" \r\x08") else MISMATCH


def _log_end(text: str, start: int) -> int:
    """Return the end of the line that starts at ``start`` if it is a log message, else 0."""
    end = text.find("\n", start, start + _MAX_ECHO)
    return end if end >= 0 and is_log(text[start:end]) else 0


def _shifted_end(text: str, line: str) -> int:
    """Return the end of an echo that a narrow terminal shifted: only its end, after a ``$``."""
    raw, newline, _ = text.partition("\n")
    begun = re.split(r"[\x08\r]", raw, maxsplit=1)[0]
    if not _squeezed(begun) or not _squeezed(line).startswith(_squeezed(begun)):
        return MISMATCH
    if not newline:
        return INCOMPLETE
    _, shifted, shown = _row(raw).rpartition("$")
    seen = _squeezed(shown)
    if shifted and len(seen) >= _MIN_SHIFTED and _squeezed(line).endswith(seen):
        return len(raw) + 1
    return MISMATCH


def _squeezed(text: str) -> str:
    return "".join(text.split())


def _row(text: str) -> str:
    """Return what a terminal's row shows after text with backspaces was written to it."""
    row: list[str] = []
    column = 0
    for char in text.rstrip("\r").rpartition("\r")[2]:
        if char == "\x08":
            column = max(0, column - 1)
            continue
        row[column : column + 1] = [char]
        column += 1
    return "".join(row)


def lines_of(text: str) -> list[str]:
    """Split a switch's output into lines, whatever line ends it uses."""
    return [line.rstrip() for line in text.split("\n")]


def is_log(line: str) -> bool:
    """Return whether a line is a log message."""
    if ":" not in line or not _IN_LOGS.search(line):  # each has a time, or a colon after its name
        return False
    text = line.strip()
    return any(log.match(text) for log in _LOGS)


def without_logs(text: str) -> str:
    """Return an answer without log messages."""
    return "\n".join([line for line in lines_of(text) if ":" not in line or not is_log(line)])


def only_logs(text: str) -> bool:
    """Return whether the text has only complete log messages, or nothing at all."""
    if not text.strip(" \r\x08"):  # the cursor was moved
        return True
    rows = lines_of(text)
    return "\n" in text and all(not row.strip() or is_log(row) for row in rows)


def without_echo(text: str, line: str) -> str:
    """Return the text after the echo of a line, however the terminal wrapped it."""
    end = echo_end(text, line)
    if end >= 0:
        return text[end:]
    first, newline, rest = text.partition("\n")
    squeezed = re.sub(r"\s|\x08.|\x08", "", first[-_MAX_ECHO:])
    return rest if newline and line and squeezed.endswith(re.sub(r"\s", "", line)) else text


def quote(text: str) -> str:
    """Return the start of a switch's output on one line, for an error message."""
    quoted = _on_one_line(text[:_MAX_SEARCHED])
    return quoted if len(quoted) <= _MAX_QUOTED else f"{quoted[:_MAX_QUOTED]}…"


def last_words(text: str) -> str:
    """Return the end of a switch's output on one line, for an error message."""
    quoted = _on_one_line(text[-_MAX_SEARCHED:])
    return quoted if len(quoted) <= _MAX_QUOTED else f"…{quoted[-_MAX_QUOTED:]}"


def _on_one_line(text: str) -> str:
    words = [line.strip() for line in lines_of(text)]
    return " ".join(word for word in words if word and word.strip("^ "))
