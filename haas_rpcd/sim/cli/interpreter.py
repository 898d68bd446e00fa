"""What a session needs of its switch."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Protocol

from haas_rpcd.sim.cli.records import Faults, LineRecord
from haas_rpcd.sim.cli.texts import Mode, Pager


class Interpreter(Protocol):
    """What executes a session's lines: see `CliSwitch`, which implements it."""

    user_mode: ClassVar[Mode]
    pager: ClassVar[Pager]
    width: ClassVar[int]
    longest_line: ClassVar[int]
    question_mark_helps: ClassVar[bool]
    interrupt_leaves: ClassVar[bool]
    idle_text: ClassVar[str]
    end_word: ClassVar[str]
    faults: Faults

    @property
    def running(self) -> Any:
        """The running configuration."""

    def greet(self, session: Any) -> None:
        """Open the dialogue on a new telnet connection."""

    def enter(self, session: Any, user: str) -> list[str]:
        """Let a user in; return what is printed before the first prompt."""

    def prompt(self, session: Any) -> str:
        """Return the prompt of a session."""

    def execute(self, session: Any, text: str) -> list[str]:
        """Execute one command line; return what is printed."""

    def help_lines(self, session: Any, text: str) -> list[str]:
        """Return what ``?`` prints after ``text``."""

    def leaving(self, session: Any) -> Iterable[str]:
        """Called when a mode is left; returns what is printed."""

    def configured(self, session: Any) -> None:
        """Called when configuration is left."""

    def forget(self, session: Any) -> None:
        """Take a session's VTY back."""

    def record(self, record: LineRecord) -> LineRecord:
        """Record a line that was received."""

    def strikes(self, pattern: str | None, record: LineRecord) -> bool:
        """Return whether the pattern of a fault matches a line."""

    def refusal(self, record: LineRecord) -> str | None:
        """Return the text by which a fault refuses a line, or None."""

    def seconds_for(self, record: LineRecord) -> float:
        """Return how many seconds a line takes."""

    def settle(self, record: LineRecord | None = None) -> None:
        """Record what a line changed."""
