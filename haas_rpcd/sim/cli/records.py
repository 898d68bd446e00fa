"""What a simulated switch records for tests and benchmarks, and the faults it can have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Carried:
    """The VLANs that a port carries: one without a tag (or None), and those with a tag."""

    untagged: int | None = None
    tagged: frozenset[int] = frozenset()


NOTHING = Carried()

MASK = "********"
"""Replaces passwords in the records."""


@dataclass(frozen=True, slots=True)
class LineRecord:
    """A line that was received."""

    session: int  # number of the connection, from 1
    mode: str  # username, password, enable, question, or a mode's name
    text: str  # `MASK` if it was a password


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """What a line changed: the affected ports and what they carry since."""

    line: LineRecord
    changed: Mapping[str, Carried]


@dataclass(slots=True)
class Counters:
    """Totals since the switch was made."""

    connections: int = 0  # accepted, with or without a login
    refused: int = 0  # no VTY was free, or `Faults.refuse_connections`
    logins: int = 0
    failed_logins: int = 0  # wrong answers; a session may give several
    saves: int = 0
    failed_saves: int = 0
    reloads: int = 0
    lines: int = 0
    bytes_in: int = 0
    bytes_out: int = 0


@dataclass(slots=True)
class Faults:
    """Faults that can be set and cleared at any time. They take effect with the next line.

    Patterns are regular expressions that are searched for in a line. Case is ignored. Passwords
    are never compared.
    """

    line_delay: float = 0.0
    """Seconds that each line takes, one after the other."""

    slow: dict[str, float] = field(default_factory=dict)
    """Patterns of lines that take longer, such as a commit or a save, and the extra seconds."""

    idle_timeout: float | None = None
    """Seconds after which an idle session is closed."""

    round_trip: float = 0.0
    """Seconds that data is in transit, for both directions together. Lines that are sent together
    are delayed together. With SSH the delay begins after the login."""

    refuse: dict[str, str] = field(default_factory=dict)
    """Patterns of command lines that are not executed, and the text that answers them; none if the
    line is silently ignored."""

    cut_after: int | None = None
    """Number of further command lines that are answered. The next one is not executed, and its
    connection is cut. It happens once; then this is None again."""

    cut_at: str | None = None
    """Pattern of a command line that is executed, after which the connection is cut without an
    answer. It happens once."""

    stall_at: str | None = None
    """Pattern of a line that is not executed. Its session never answers again."""

    hang_at: str | None = None
    """Pattern of a command line at which its session hangs. It answers no more, but keeps its VTY,
    the line, and what was typed after it, even if the connection is closed: `Device.finish_hung`
    executes all of that. (A shell ends, but its command goes on.) It happens once."""

    refuse_connections: bool = False
    """Reset every new connection."""

    save_error: str | None = None
    """Saving fails with this text, for example the vendor's text for a busy NVRAM."""
