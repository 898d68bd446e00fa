"""The app: puts the session, the screens and their parts together."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Awaitable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec
from textual import events
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen, Screen

from haas_console.core.api import near_miss
from haas_console.core.columns import Column
from haas_console.core.errors import ConfigError
from haas_console.core.recall import Recall
from haas_console.core.session import Session
from haas_console.core.sync import Changes
from haas_console.core.target import Target
from haas_console.tui import clipboard, themes
from haas_console.tui.announcements import DeviceAnnouncements, JobAnnouncements
from haas_console.tui.board import BoardScreen
from haas_console.tui.commandline import CommandLine
from haas_console.tui.glyphs import ASCII, Plain, glyphs
from haas_console.tui.grip import Grip
from haas_console.tui.navigation import ScreenNavigation
from haas_console.tui.screen import ConsoleScreen
from haas_console.tui.table import SCREENS
from haas_console.tui.textual_private import PlainApp
from haas_console.tui.typeahead import Hold, KeyProcessed, TypeAhead

if TYPE_CHECKING:
    from haas_console.core.owncommands import OwnCommand


class Options(msgspec.Struct, frozen=True):
    """How the console looks, what it may do, and where it keeps files (None: nowhere).

    ``contexts`` are the daemons that have a name; ``commands`` are the user's own, by their names.
    """

    readonly: bool = False
    project: str | None = None
    theme: str | None = None
    keymap: Mapping[str, str] = msgspec.field(default_factory=dict)
    columns: Mapping[str, Sequence[Column]] = msgspec.field(default_factory=dict)
    details: bool = True
    """Details stand beside the board, if there is room."""
    settings: Path | None = None
    contexts: Sequence[str] = ()
    commands: Mapping[str, OwnCommand] = msgspec.field(default_factory=dict)
    history: Path | None = None
    clipboard: Path | None = None


class ConsoleApp(PlainApp):
    """HaaS on a terminal."""

    TITLE = "HaaS"
    CSS_PATH = "styles.tcss"
    ENABLE_COMMAND_PALETTE = False  # the console's own, in tui/palette.py, sends less
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("colon", "command", "Command", id="app.command"),
        Binding("p", "project", "Project", id="app.project"),
        Binding("question_mark", "help", "Help", id="app.help"),
        Binding("ctrl+p", "palette", "Palette", id="app.palette", show=False),
        Binding("ctrl+t", "themes", "Theme", id="app.themes", show=False),
        Binding("m", "mouse", "Mouse on or off", id="app.mouse", show=False),
        Binding("q,ctrl+q", "quit", "Quit", id="app.quit"),
        Binding(
            "ctrl+c", "how_to_quit", "How to quit", id="app.how_to_quit", show=False, priority=True
        ),
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
        self.navigation = ScreenNavigation(self, self)
        self.commandline = CommandLine(self, Recall(self.options.history))
        self.typeahead = TypeAhead(self, super().on_event, self._say_that_keys_wait)
        self.animation_level = "none"
        self.next_context: str | None = None
        """The context to open next, once this app has ended."""
        self._mouse_is_ours = True
        self._has_texts = False
        self._own_keys = dict(self.options.keymap)
        self._complaint = self._configure()
        self._announcements = (JobAnnouncements(self), DeviceAnnouncements(self))

    def _configure(self) -> str:
        """Set up theme, glyphs and keys; return a sentence about an unknown theme or key."""
        for own in themes.THEMES.values():
            self.register_theme(own)
        complaint = ""
        theme = self.options.theme
        if theme is not None and theme not in self.available_themes:
            near, known = near_miss(theme, self.available_themes), sorted(self.available_themes)
            complaint = f'There is no theme "{theme}"{near}; there are: {", ".join(known)}.'
            theme = None
        self.theme = themes.fitting(theme, self.console.color_system, no_colour=self.no_color)
        self.watch_theme()
        if self.no_color and self.native_ansi_color:
            self.drop_colours_only()
        if glyphs() is ASCII:
            self.add_line_filter(Plain())
        complaint = self._bind_own_commands() or complaint
        if not self.options.keymap:
            return complaint
        from haas_console.tui import keymap  # it imports every screen

        self.set_keymap(self._own_keys)
        return complaint or keymap.unknown(self.options.keymap)

    def _bind_own_commands(self) -> str:
        """Bind the keys of the user's own commands; return a sentence about one that is no key."""
        keyed = {name: own.key for name, own in self.own_commands.items() if own.key is not None}
        if not keyed:
            return ""
        from haas_console.tui import keymap

        for name, key in keyed.items():
            try:
                self.bind(keymap.read_keys(key), f"own('{name}')", show=False)
            except ValueError as error:
                return f"[commands.{name}] key: {error}."
        return ""

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """The console's own styles in the themes of Textual."""
        return themes.defaults(self.current_theme.to_color_system().generate())

    def watch_theme(self) -> None:
        """Give the texts of bars the theme's colours."""
        if self._has_texts:
            self.console.pop_theme()
        self.console.push_theme(themes.texts(self.get_css_variables()))
        self._has_texts = True

    def get_default_screen(self) -> Screen[None]:
        """Begin with the board itself: a blank screen below it would be painted first."""
        columns = self.columns_of("board")
        return BoardScreen(self.session, columns, details=self.options.details)

    def on_mount(self) -> None:
        """Connect after the first paint."""
        self.call_after_refresh(self._connect)
        self.app_resume_signal.subscribe(self, lambda _: self.screen.refresh())
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGHUP):
            # Ends a demo daemon too, even when the terminal is gone.
            if threading.current_thread() is threading.main_thread():
                loop.add_signal_handler(number, self.exit, 128 + number)

    def on_unmount(self) -> None:
        """Deliver no more keys."""
        self.typeahead.stop()

    def _connect(self) -> None:
        hold = self.hold_keys()  # what is typed now is meant for what is shown once connected

        def connected_or_not(changes: Changes) -> None:
            sync = self.session.sync
            if "status" in changes and (sync.status.state == "live" or sync.has_failed):
                hold.close()
                unwatch()

        unwatch = self.session.sync.watch(connected_or_not)
        self.run_worker(self.session.sync.run(), name="live", group="live")
        if self._complaint and self.front is not None:
            self.front.fail(self._complaint, lambda: True)  # until the next message

    # --- what screens and parts need ---

    @property
    def contexts(self) -> Sequence[str]:
        """The daemons that have a name."""
        return self.options.contexts

    @property
    def own_commands(self) -> Mapping[str, OwnCommand]:
        """The user's own commands, by their names."""
        return self.options.commands

    @property
    def front(self) -> ConsoleScreen | None:
        """The screen in front, if it is one of the console's; None once the console has ended."""
        stack = self.screen_stack
        return stack[-1] if stack and isinstance(stack[-1], ConsoleScreen) else None

    def breadcrumbs(self) -> list[str]:
        """The titles of the screens on the way here."""
        return self.navigation.breadcrumbs()

    def start(self, work: Awaitable[Any]) -> None:
        """Run work that continues when the screen in front is left."""
        self.run_worker(work, group="send")

    def hold_keys(self) -> Hold:
        """Keep the keys that are typed from now on until the hold is released."""
        return Hold(self.typeahead)

    def columns_of(self, table: str) -> Sequence[Column]:
        """The columns that the user chose for a table; none: the usual ones."""
        return self.options.columns.get(table, ())

    @property
    def keymap(self) -> Mapping[str, str]:
        """The keys that the user has chosen, by id."""
        return self._own_keys

    def change_key(self, name: str, keys: str | None) -> None:
        """Give an id other keys, or with None those it has by default, now and later."""
        self._own_keys.pop(name, None)
        if keys is not None:
            self._own_keys[name] = keys
        self.set_keymap(self._own_keys)
        self.remember(name, keys, "keymap")

    def remember(self, key: str, value: str | bool | None, table: str = "") -> None:
        """Write a setting into console.toml, and say so if that cannot be done."""
        if self.options.settings is None:
            return
        from haas_console.core import settings  # not before the first paint

        try:
            settings.save(self.options.settings, key, value, table)
        except ConfigError as error:
            if self.front is not None:
                self.front.fail(str(error), lambda: True)

    def copy(self, text: str, *, secret: bool = False) -> None:
        """Copy by OSC 52, and into a file for terminals that ignore it, but no ``secret``."""
        results = []
        sequence = clipboard.sequence(text, os.environ)
        if sequence is not None and self.write(sequence):
            results.append("copied")
        if self.options.clipboard is not None and not secret:
            try:
                results.append(f"written to {clipboard.save(text, self.options.clipboard)}")
            except OSError as error:
                results.append(f"{self.options.clipboard} cannot be written: {error.strerror}")
        if self.front is not None:
            self.front.say(" and ".join(results) or "there is nowhere to copy it to")

    def open_context(self, name: str) -> None:
        """End the app, so that the console opens on another daemon; what is staged stays there."""
        self.next_context = name
        self.exit(0)

    def open_palette(self, beginning: str) -> None:
        """Show what can be done and opened, with these letters typed already."""
        self.action_palette(beginning)

    # --- events ---

    async def on_event(self, event: events.Event) -> None:
        """Deliver keys one by one, and a pressed mouse to the list it was pressed on.

        The list cannot capture the mouse itself: it gets the press later, when what a fast hand
        or a slow line sent after it, even the release, has already been delivered elsewhere.
        """
        if isinstance(event, events.Key | events.Paste) and not event.is_forwarded:
            await self.typeahead.feed(event)
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

    def before_key(self, event: events.Key) -> bool:
        """Say why a key has no effect now, if there is a reason.

        Textual would go on to what the key does on other screens.
        """
        active = self.screen.active_bindings.get(event.key)
        if active is None or active.enabled or not isinstance(active.node, ConsoleScreen):
            return True
        screen, action = active.node, active.binding.action.partition("(")[0]
        reason = screen.refusal(action)
        if reason is not None:
            screen.fail(reason, lambda: screen.refusal(action) == reason)
        return False

    async def after_key(self) -> None:
        """Let the next key come."""
        await self.typeahead.at_app()

    async def on_typeahead_key_processed(self, event: KeyProcessed) -> None:
        """Let the next key come."""
        await self.typeahead.processed(event.trip)

    def _say_that_keys_wait(self) -> None:
        if self.front is not None:
            self.front.say(
                "waiting for the daemon's answer; esc gives up what was typed",
                lambda: bool(self.typeahead.holds),
            )

    # --- actions that work everywhere ---

    def action_open(self, name: str) -> None:
        """Go to the screen of that name."""
        self.navigation.open(name)

    async def action_quit(self) -> None:
        """Quit; what was staged stays staged, and jobs go on."""
        self.exit(0)

    def action_how_to_quit(self) -> None:
        """Say how to quit: ^C itself ends nothing."""
        if self.front is not None:
            leave = "esc leaves this; then q quits" if self.front.is_asking else "q quits"
            self.front.hint(f"{leave}, and so does ^q everywhere; what is staged stays staged")
        elif isinstance(self.screen, ModalScreen):
            self.screen.dismiss()

    def action_project(self) -> None:
        """Choose the current project."""
        if self.front is not None:
            self.front.take_turn(self._choose_project)

    async def _choose_project(self) -> None:
        if self.front is None:
            return
        name = await self.front.ask(
            "project: ", choices=[*sorted(self.session.inventory.projects), "all"]
        )
        if name is not None:
            self.session.use(None if name == "all" else name)

    def action_command(self) -> None:
        """Type a command, in the language of scripts."""
        self.commandline.open()

    def action_own(self, name: str) -> None:
        """Run a command of the user's own, unless a question is open."""
        if self.front is not None and not self.front.is_asking:
            self.commandline.do(name)

    def action_help(self) -> None:
        """Say what can be pressed."""
        from haas_console.tui.helppage import help_lines

        if self.front is not None and self.front.TITLE != "Help":
            self.navigation.read("Help", help_lines(self.front), indent=15)

    def action_palette(self, beginning: str = "") -> None:
        """Find something to do, or an object, by its name; ``beginning`` is typed already."""
        from haas_console.tui.palette import Choice, PaletteScreen, choices, own_choices

        def run(choice: Choice | None) -> None:
            if choice is not None and choice.refused and self.front is not None:
                self.front.fail(f"You may not do  {choice.title.strip()} : {choice.note}.")
            elif choice is not None:
                self.call_later(choice.run)

        found = [
            *own_choices(self.own_commands, self.commandline.do),
            *choices(self, self.session, self.commandline.open, self.navigation.open_details),
        ]
        self.push_screen(PaletteScreen(found, beginning), run)

    def action_themes(self) -> None:
        """Choose a theme, seeing each."""
        from haas_console.tui.screens.themes import ThemeScreen

        def keep(name: str | None) -> None:
            if name is not None and self.front is not None:
                self.front.say(f"the theme is {name}")
                self.remember("theme", name)

        self.push_screen(ThemeScreen(themes.names(), self.theme), keep)

    def action_mouse(self) -> None:
        """Give the mouse to the terminal, to select text with it, or take it back."""
        if self.front is None or not self.report_mouse(not self._mouse_is_ours):
            return
        self._mouse_is_ours = not self._mouse_is_ours
        where = (
            "here again" if self._mouse_is_ours else "the terminal's: select text; m takes it back"
        )
        self.front.say(f"the mouse is {where}")


def run(target: Target, options: Options) -> int | str:
    """Run the console on this terminal until it is quit, or to be opened in another context.

    Gives the exit code, or the name of that context.
    """
    app = ConsoleApp(target, options)
    code = app.run() or 0
    return app.next_context or code
