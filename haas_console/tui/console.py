"""The protocols by which screens, their parts and the app's parts know each other.

Screens know no other screen and not the app: they depend on this module, and the app on them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Protocol

from haas_console.core.commands import Command
from haas_console.core.facts import Fact
from haas_console.core.gestures import Gesture, Refusal
from haas_console.core.objects import Ref
from haas_console.core.session import Outcome, Session
from haas_console.tui.prompt import Completer, Question
from haas_console.tui.typeahead import Hold

if TYPE_CHECKING:
    from haas_console.core.owncommands import OwnCommand

WIDE = 120
"""Columns from which on there is room for a pane beside a list."""

Plan = Callable[[], Gesture | Refusal]
"""Plans a gesture with the inventory as it is when the gesture's turn has come."""


class Navigation(Protocol):
    """The ways from screen to screen."""

    def open(self, name: str) -> None:
        """Go to a screen of :data:`haas_console.tui.table.SCREENS`."""

    def open_switch(self, switch: str, port: str | None = None) -> None:
        """Show a switch's face plate, with the cursor on a port."""

    def open_plan(self, project: str | None, target: str | None = None) -> None:
        """Show what an apply of a project would do, or of a part of it; None: of the site."""

    def open_job(self, job: int) -> None:
        """Show a job."""

    def open_details(self, ref: Ref) -> None:
        """Show what is known of an object, or the screen that a reference is to."""

    def open_audit(self, about: str) -> None:
        """Show who changed an object."""

    def open_form(
        self,
        method: str,
        given: Mapping[str, str] | None = None,
        done: Callable[[Any], None] | None = None,
    ) -> None:
        """Show the form of a method, with some fields filled in; ``done`` gets its answer."""

    def open_facts(self, title: str, facts: Sequence[Fact], *, secret: str | None = None) -> None:
        """Show facts with their links. Of a ``secret``, only that is copied, and kept nowhere."""

    def read(self, title: str, lines: Sequence[str], *, indent: int | None = None) -> None:
        """Show a page of text; long lines are continued with an ``indent``."""

    def back(self) -> None:
        """Go back to the screen before."""

    def to_board(self) -> None:
        """Go back to the board."""


class ScreenHost(Protocol):
    """A screen as its parts, and the parts of the app, see it."""

    shown_job: int | None
    """The job that the screen shows, if it shows one."""

    @property
    def is_there(self) -> bool:
        """True while its widgets can be used: until its removal begins."""

    @property
    def session(self) -> Session:
        """What is known, and how to change it."""

    @property
    def console(self) -> Console:
        """The console that the screen is part of."""

    def say(self, text: str, cause: Callable[[], bool] | None = None) -> None:
        """Show a message, while its ``cause`` holds or until the next."""

    def hint(self, text: str) -> None:
        """Show a note where it can be seen even while a question is open."""

    def fail(self, text: str, cause: Callable[[], bool] | None = None) -> None:
        """Show what went wrong, while its ``cause`` holds or until the next message."""

    def show_outcome(self, outcome: Outcome, done: str | None = None) -> None:
        """Show how commands ended."""

    def put(self, question: Question) -> None:
        """Ask something in the line at the bottom."""

    async def ask(
        self,
        label: str,
        *,
        text: str = "",
        choices: Sequence[str] | None = None,
        complete: Completer | None = None,
    ) -> str | None:
        """Ask for a word and wait for it; None if the user cancels."""

    async def confirm(self, question: str) -> bool:
        """Ask a question to be answered by y or n."""

    async def send(
        self, what: Plan | Sequence[Command], *, done: str | None = None, keep_keys: bool = False
    ) -> Outcome:
        """Send a gesture or commands, and show how that ended."""

    def under_cursor(self) -> Ref | None:
        """What the line under the cursor is about."""

    def take_turn(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do something once the result of what was sent before is known."""


class Console(Protocol):
    """The console, as its screens and its own parts see it."""

    @property
    def session(self) -> Session:
        """What is known, and how to change it."""

    @property
    def navigation(self) -> Navigation:
        """The ways to other screens."""

    @property
    def front(self) -> ScreenHost | None:
        """The screen in front; None for the palette, and once the console has ended."""

    def start(self, work: Awaitable[Any]) -> None:
        """Run work that continues when the screen in front is left."""

    def hold_keys(self) -> Hold:
        """Keep the keys that are typed from now on until the hold is released."""

    def breadcrumbs(self) -> list[str]:
        """The titles of the screens on the way here."""

    @property
    def keymap(self) -> Mapping[str, str]:
        """The keys that the user has chosen, by id."""

    def change_key(self, name: str, keys: str | None) -> None:
        """Give an id other keys, or with None those it has by default, now and later."""

    def remember(self, key: str, value: str | bool | None, table: str = "") -> None:
        """Write a setting into console.toml, and say so if that cannot be done."""

    def copy(self, text: str, *, secret: bool = False) -> None:
        """Copy a text to the user's clipboard; a ``secret`` is written to no file."""

    def suspend(self) -> AbstractContextManager[None]:
        """Give the terminal back within the block. Raises SuspendNotSupported."""

    @property
    def contexts(self) -> Sequence[str]:
        """The daemons that have a name, which ``:ctx`` may change to."""

    @property
    def own_commands(self) -> Mapping[str, OwnCommand]:
        """The user's own commands, by their names."""

    def open_context(self, name: str) -> None:
        """Open the console anew on the daemon of that name."""

    def open_palette(self, beginning: str) -> None:
        """Show what can be done and opened, with these letters typed already."""

    def exit(self, result: int) -> None:
        """End the console with an exit code."""
