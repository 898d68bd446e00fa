"""The ways from screen to screen. A screen's module is imported when it is first opened."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from textual.app import App

from haas_console.core.facts import Fact
from haas_console.core.objects import Ref
from haas_console.core.session import Session
from haas_console.tui.screen import ConsoleScreen
from haas_console.tui.table import entry


class Host(Protocol):
    """What navigation needs of the app."""

    @property
    def session(self) -> Session:
        """What is known, and how to change it."""

    @property
    def front(self) -> ConsoleScreen | None:
        """The screen in front, if it is one of the console's."""


class ScreenNavigation:
    """Opens and closes screens.

    Screens of the menu lie on the board, one at a time. What they open (a job, a form, a face
    plate) lies over them, and Esc goes back. A page to read lies over any screen, and goes away
    when another is opened.
    """

    def __init__(self, app: App[int], host: Host) -> None:
        self._textual = app
        self._host = host

    def breadcrumbs(self) -> list[str]:
        """The titles of the screens on the way here."""
        stack = self._textual.screen_stack
        return [screen.TITLE for screen in stack if isinstance(screen, ConsoleScreen)]

    # --- screens of the menu ---

    def open(self, name: str) -> None:
        """Go to a screen of the menu, in place of another."""
        found, front = entry(name), self._host.front
        if found is None:
            return
        info = self._host.session.inventory.info
        if found.admin and (info is None or not info.admin):
            if front is not None:
                front.fail(f"{found.title} is for admins.")
            return
        kind = found.load()
        self._close_pages()
        front = self._host.front
        if front is None or front.NAME != kind.NAME:
            self._replace(kind(self._host.session))

    def open_plan(self, project: str | None, target: str | None = None) -> None:
        """Show what an apply of a project would do, or of a part of it; None: of the site."""
        from haas_console.tui.screens.apply import ApplyScreen

        self._close_pages()
        session = self._host.session
        self._replace(ApplyScreen(session, site=project is None, project=project, target=target))

    def _replace(self, screen: ConsoleScreen) -> None:
        if len(self._textual.screen_stack) > 1:
            self._textual.switch_screen(screen)
        else:
            self._textual.push_screen(screen)

    # --- what lies over them ---

    def open_switch(self, switch: str, port: str | None = None) -> None:
        """Show a switch's face plate, with the cursor on a port."""
        from haas_console.tui.screens.switch import SwitchScreen

        self._textual.push_screen(SwitchScreen(self._host.session, switch, port))

    def open_details(self, ref: Ref) -> None:
        """Show what is known of an object, or the screen that a reference is to."""
        first, second = ref.pair
        match ref.kind:
            case "job":
                self.open_job(int(ref.name))
            case "audit":
                self.open_audit(ref.name)
            case "plate":
                self.open_switch(first, second or None)
            case _:
                self._open_object(ref)

    def _open_object(self, ref: Ref) -> None:
        from haas_console.tui.screens.details import DetailsScreen

        self._close_pages()
        front = self._host.front
        if isinstance(front, DetailsScreen):
            front.go(ref)
        else:
            self._textual.push_screen(DetailsScreen(self._host.session, ref))

    def open_audit(self, about: str) -> None:
        """Show who changed an object, such as ``node-1`` or ``red/net``."""
        from haas_console.tui.screens.audit import AuditScreen

        self._close_pages()
        self._textual.push_screen(AuditScreen(self._host.session, f"object={about}"))

    def open_facts(self, title: str, facts: Sequence[Fact], *, secret: str | None = None) -> None:
        """Show facts with their links. Of a ``secret``, only that is copied, and kept nowhere."""
        from haas_console.tui.screens.facts import FactsScreen

        self._close_pages()
        self._textual.push_screen(FactsScreen(self._host.session, title, facts, secret))

    def open_form(
        self,
        method: str,
        given: Mapping[str, str] | None = None,
        done: Callable[[Any], None] | None = None,
    ) -> None:
        """Show the form of a method, with some fields filled in; ``done`` gets its answer."""
        from haas_console.tui.screens.forms import FormScreen

        self._textual.push_screen(FormScreen(self._host.session, method, given, done))

    def open_job(self, job: int) -> None:
        """Show a job, in place of a plan or of another job."""
        from haas_console.tui.screens.job import JobScreen

        self._close_pages()
        front = self._host.front
        if front is not None and front.NAME == "job" and front.shown_job == job:
            return
        screen = JobScreen(self._host.session, job)
        if front is not None and front.NAME in ("apply", "job"):
            self._replace(screen)
        else:
            self._textual.push_screen(screen)

    def read(self, title: str, lines: Sequence[str], *, indent: int | None = None) -> None:
        """Show a page of text; long lines are continued with an ``indent``."""
        from haas_console.tui.textscreen import TextScreen

        self._close_pages()
        self._textual.push_screen(TextScreen(self._host.session, title, lines, indent=indent))

    def _close_pages(self) -> None:
        while (front := self._host.front) is not None and front.NAME == "text":
            self._textual.pop_screen()

    # --- back ---

    def back(self) -> None:
        """Go back to the screen before; the board is the first."""
        if len(self._textual.screen_stack) > 1:
            self._textual.pop_screen()

    def to_board(self) -> None:
        """Go back to the board, and close all screens on the way."""
        while len(self._textual.screen_stack) > 1:
            self._textual.pop_screen()
