"""What a simulated switch remembers for tests and benchmarks, and how it can be made to fail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Carried:
    """The VLANs a port carries at one moment: without a tag (or None), and with one."""

    untagged: int | None = None
    tagged: frozenset[int] = frozenset()


NOTHING = Carried()

MASK = "********"
"""Stands for a password in the records."""


@dataclass(frozen=True, slots=True)
class LineRecord:
    """One line as it was received."""

    session: int  # counts logins and failed logins alike, from 1
    mode: str  # username, password, enable, question, or a mode's name
    text: str  # `MASK` in place of a password


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """What one line changed: the ports that carry something else than before it, and what."""

    line: LineRecord
    changed: Mapping[str, Carried]


@dataclass(slots=True)
class Counters:
    """Totals since the switch was made."""

    connections: int = 0  # taken, whether or not they logged in
    refused: int = 0  # turned away: no VTY free, or `Faults.refuse_connections`
    logins: int = 0
    failed_logins: int = 0  # wrong answers, not sessions
    saves: int = 0
    failed_saves: int = 0
    reloads: int = 0
    lines: int = 0
    bytes_in: int = 0
    bytes_out: int = 0


@dataclass(slots=True)
class Faults:
    """Ways to fail. Set and cleared at run time; each takes effect with the next line.

    Patterns are regular expressions searched for in a line, whatever the case. Passwords are
    never compared.
    """

    line_delay: float = 0.0
    """Seconds a line takes; of lines typed ahead, one is worked off after the other."""

    slow: dict[str, float] = field(default_factory=dict)
    """Lines that take so many seconds more, as a commit or a save may."""

    idle_timeout: float | None = None
    """Seconds after which a session on which nothing is typed is closed."""

    round_trip: float = 0.0
    """Seconds that data is under way, both ways together: half before a line is seen, half before
    its answer is. Lines sent ahead pay it once. On SSH it counts from the login on."""

    refuse: dict[str, str] = field(default_factory=dict)
    """Command lines that are answered by a text instead of being carried out."""

    cut_after: int | None = None
    """So many command lines more are answered; the session of the next is cut, and that line is
    not carried out. One-shot: None again once it struck."""

    cut_at: str | None = None
    """A command line that is carried out, but whose session is cut before it is answered.
    One-shot."""

    stall_at: str | None = None
    """A line that is neither carried out nor answered; its session answers nothing any more."""

    refuse_connections: bool = False
    """Reset every new connection."""

    save_error: str | None = None
    """Saving fails with this text, such as the vendor's for a busy NVRAM."""
