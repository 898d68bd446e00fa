"""The app: wiring between the session and the screens."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.screen import Screen

from haas_console.core.api import near_miss
from haas_console.core.recall import Recall
from haas_console.core.session import Session
from haas_console.core.sync import Target
from haas_console.tui import clipboard
from haas_console.tui.board import BoardScreen
from haas_console.tui.commandline import CommandLine
from haas_console.tui.glyphs import ASCII, Plain, glyphs
from haas_console.tui.grip import Grip
from haas_console.tui.jobnews import JobNews
from haas_console.tui.match import pick
from haas_console.tui.prompt import Question
from haas_console.tui.screen import ConsoleScreen
from haas_console.tui.switchnews import SwitchNews
from haas_console.tui.table import SCREENS, Entry, entry
from haas_console.tui.textual_private import PlainApp
from haas_console.tui.typeahead import Landed, TypeAhead


@dataclass(frozen=True)
class Options:
    """How the console is to look, what it may do, and where it keeps things (None: nowhere)."""

    readonly: bool = False
    project: str | None = None
    theme: str | None = None
    keymap: Mapping[str, str] = field(default_factory=dict)
    history: Path | None = None
    clipboard: Path | None = None


class ConsoleApp(PlainApp):
    """HaaS on a terminal."""

    TITLE = "HaaS"
    CSS_PATH = "styles.tcss"
    ENABLE_COMMAND_PALETTE = False  # ours is in tui/palette.py, and sends less
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("colon", "command", "Command", id="app.command"),
        Binding("p", "project", "Project", id="app.project"),
        Binding("question_mark", "help", "Help", id="app.help"),
        Binding("ctrl+p", "palette", "Palette", id="app.palette", show=False),
        Binding("m", "mouse", "Mouse on or off", id="app.mouse", show=False),
        Binding("q,ctrl+q", "quit", "Quit", id="app.quit"),
        *(
            Binding(
                item.key, f"open('{item.name}')", item.title, id=f"open.{item.name}", show=False
            )
            for item in SCREENS
        ),
    ]

    def __init__(self, target: Target, options: Options | None = None) -> None:
        super().__init__()
        self.options = options or Options()
        self.session = Session(target, readonly=self.options.readonly, project=self.options.project)
        self.commandline = CommandLine(self, Recall(self.options.history))
        self.animation_level = "none"
        self._mouse_is_ours = True
        self._typeahead = TypeAhead(self, super().on_event)
        self._complaint = self._settle()
        self._job_news = JobNews(self)
        self._switch_news = SwitchNews(self)

    async def on_event(self, event: events.Event) -> None:
        """Give keys one by one, and a pressed mouse to the list it was pressed on.

        The mouse from the press to the release, and here, not in the list: that learns of its press
        only later, and what a fast hand or a slow line has sent behind it would have gone elsewhere
        by then, the release too.
        """
        if isinstance(event, events.Key | events.Paste) and not event.is_forwarded:
            await self._typeahead.feed(event)
            return
        fresh = isinstance(event, events.MouseEvent) and not event.is_forwarded
        await super().on_event(event)
        if not fresh:
            return
        if isinstance(event, events.MouseDown) and self.mouse_captured is None:
            gripped = self.pressed_widget
            if event.button == 1 and isinstance(gripped, Grip):
                self.capture_mouse(gripped)
        elif isinstance(event, events.MouseUp) and isinstance(self.mouse_captured, Grip):
            self.capture_mouse(None)

    def before_key(self, event: events.Key) -> None:
        """Say why a key does nothing, where nothing can be changed."""
        if (reason := self._why_not(event.key)) is not None and self.here is not None:
            self.here.fail(reason)

    async def after_key(self) -> None:
        """Let the next key come."""
        await self._typeahead.at_app()

    def _why_not(self, key: str) -> str | None:
        """Why the key does nothing, if it would change something and nothing can be changed."""
        refusal = self.session.write_access.refusal()
        if refusal is None:
            return None
        active = self.screen.active_bindings.get(key)
        if active is None or active.enabled or not isinstance(active.node, ConsoleScreen):
            return None
        action = active.binding.action.partition("(")[0]
        return refusal.reason if action in active.node.CHANGES else None

    async def on_typeahead_landed(self, event: Landed) -> None:
        """Let the next key come."""
        await self._typeahead.landed(event.lap)

    def _settle(self) -> str:
        """Take over theme and keys; gives a sentence on what of them cannot be used."""
        theme = self.options.theme
        if theme is not None and theme not in self.available_themes:
            return f'There is no theme "{theme}"{near_miss(theme, self.available_themes)}.'
        self.theme = theme or DEFAULT_THEME
        if self.no_color and self.native_ansi_color:
            self.drop_colours_only()
        if glyphs() is ASCII:
            self.add_line_filter(Plain())
        if self.options.keymap:
            self.set_keymap(dict(self.options.keymap))
        return ""

    def get_default_screen(self) -> Screen[None]:
        """Begin with the board itself: a blank screen under it would be painted first."""
        return BoardScreen(self.session)

    def on_mount(self) -> None:
        """Connect once the first paint is out."""
        self.call_after_refresh(self._connect)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGHUP):
            # In good order, even when the terminal is gone: a demo daemon is to be ended.
            if threading.current_thread() is threading.main_thread():
                loop.add_signal_handler(number, self.exit, 128 + number)

    def _connect(self) -> None:
        self.run_worker(self.session.sync.run(), name="live", group="live")
        if self._complaint and self.here is not None:
            self.here.fail(self._complaint)

    # --- screens ---

    @property
    def here(self) -> ConsoleScreen | None:
        """The screen in front, if it is one of ours."""
        return self.screen if isinstance(self.screen, ConsoleScreen) else None

    def breadcrumbs(self) -> list[str]:
        """The titles of the screens on the way here."""
        return [s.TITLE for s in self.screen_stack if isinstance(s, ConsoleScreen)]

    def open(self, item: Entry) -> None:
        """Go to a screen; from another than the board, in its place."""
        info = self.session.inventory.info
        if item.admin and (info is None or not info.admin):
            if self.here is not None:
                self.here.fail(f"{item.title} is for admins.")
            return
        screen = item.load()
        self.close_text()
        if self.here is None or self.here.NAME != screen.NAME:
            self.show(screen(self.session))

    def show(self, screen: ConsoleScreen) -> None:
        """Put a screen in front; from another than the board, in its place.

        Something to read lies over the screen one was at, which goes on below it.
        """
        self.close_text()
        if len(self.screen_stack) > 1 and screen.NAME != "text":
            self.switch_screen(screen)
        else:
            self.push_screen(screen)

    def close_text(self) -> None:
        """Put away what there is to read in front, if anything."""
        while self.here is not None and self.here.NAME == "text":
            self.pop_screen()

    def action_open(self, name: str) -> None:
        """Go to the screen of that name."""
        found = entry(name)
        if found is not None:
            self.open(found)

    def back(self) -> None:
        """Go back to the screen before; the board is the last."""
        if len(self.screen_stack) > 1:
            self.pop_screen()

    def to_board(self) -> None:
        """Go back to the board, from however far."""
        while len(self.screen_stack) > 1:
            self.pop_screen()

    # --- what works everywhere ---

    async def action_quit(self) -> None:
        """Quit; what was staged stays staged, and jobs go on."""
        self.exit(0)

    def action_project(self) -> None:
        """Choose the current project."""
        here = self.here
        if here is None:
            return
        names = [*sorted(self.session.inventory.projects), "all"]
        here.put(
            Question(
                "project: ",
                answer=lambda name: self.session.use(None if name == "all" else name),
                complete=lambda typed: pick(names, typed),
                choose=True,
            )
        )

    def command(self, text: str = "") -> None:
        """Open the command line, with a beginning of a command in it."""
        self.commandline.open(text)

    def action_command(self) -> None:
        """Type a command, in the language of scripts."""
        self.command()

    def action_help(self) -> None:
        """Say what can be pressed."""
        from haas_console.tui.helppage import help_lines
        from haas_console.tui.textscreen import TextScreen

        here = self.here
        if here is not None and here.TITLE != "Help":
            self.show(TextScreen(self.session, "Help", help_lines(here), indent=15))

    def action_palette(self) -> None:
        """Find something to do by its name."""
        from haas_console.tui.palette import Entry as Found
        from haas_console.tui.palette import PaletteScreen, entries

        def done(found: Found | None) -> None:
            if found is not None:
                self.call_later(found.run)

        self.push_screen(PaletteScreen(entries(self)), done)

    def action_mouse(self) -> None:
        """Give the mouse to the terminal, to select text with it, or take it back."""
        if self.here is None or not self.report_mouse(not self._mouse_is_ours):
            return
        self._mouse_is_ours = not self._mouse_is_ours
        said = (
            "here again" if self._mouse_is_ours else "the terminal's: select text; m takes it back"
        )
        self.here.say(f"the mouse is {said}")

    def copy(self, text: str) -> None:
        """Copy by OSC 52, and into a file for terminals that do not heed it."""
        told = []
        found = clipboard.sequence(text, os.environ)
        if found is not None and self.write(found):
            told.append("copied")
        if self.options.clipboard is not None:
            try:
                told.append(f"written to {clipboard.save(text, self.options.clipboard)}")
            except OSError as error:
                told.append(f"{self.options.clipboard} cannot be written: {error.strerror}")
        if self.here is not None:
            self.here.say(" and ".join(told) or "there is nowhere to copy it to")


DEFAULT_THEME = "ansi-dark"
"""The terminal's own colours: a third of the bytes, right on 16 colours and on light terminals."""


def run(target: Target, options: Options) -> int:
    """Run the console on this terminal until it is quit; gives the exit code."""
    return ConsoleApp(target, options).run() or 0
