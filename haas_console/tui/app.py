"""The app: wiring between the session and the screens."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.app import App
from textual.binding import Binding, BindingType
from textual.screen import Screen

from haas_console.core.commands import Apply, Command, Help
from haas_console.core.errors import ConsoleError
from haas_console.core.live import Target
from haas_console.core.session import Session
from haas_console.tui.board import BoardScreen
from haas_console.tui.prompt import Question
from haas_console.tui.screen import ConsoleScreen, pick
from haas_console.tui.table import SCREENS, Entry, entry


@dataclass(frozen=True)
class Options:
    """How the console is to look and what it may do."""

    readonly: bool = False
    project: str | None = None


class ConsoleApp(App[int]):
    """HaaS on a terminal."""

    TITLE = "HaaS"
    CSS_PATH = "styles.tcss"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("colon", "command", "Command", id="app.command"),
        Binding("p", "project", "Project", id="app.project"),
        Binding("question_mark", "help", "Help", id="app.help"),
        Binding("q,ctrl+q", "quit", "Quit", id="app.quit"),
    ]

    def __init__(self, target: Target, options: Options | None = None) -> None:
        super().__init__()
        self.options = options or Options()
        self.session = Session(target, readonly=self.options.readonly, project=self.options.project)
        self.animation_level = "none"
        for item in SCREENS:
            self.bind(item.key, f"open('{item.name}')", description=item.title)

    def get_default_screen(self) -> Screen[None]:
        """Begin with the board itself: a blank screen under it would be painted first."""
        return BoardScreen(self.session)

    def on_mount(self) -> None:
        """Connect once the first paint is out."""
        self.call_after_refresh(self._connect)

    def _connect(self) -> None:
        self.run_worker(self.session.live.run(), name="live", group="live", exit_on_error=True)

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
        here = self.here
        if here is not None and item.name == here.NAME:
            return
        info = self.session.inventory.info
        if item.admin and (info is None or not info.admin):
            if here is not None:
                here.fail(f"{item.title} is for admins.")
            return
        screen = item.load()(self.session)
        if len(self.screen_stack) > 1:
            self.switch_screen(screen)
        else:
            self.push_screen(screen)

    def action_open(self, name: str) -> None:
        """Go to the screen of that name."""
        found = entry(name)
        if found is not None:
            self.open(found)

    def back(self) -> None:
        """Go back to the screen before; the board is the last."""
        if len(self.screen_stack) > 1:
            self.pop_screen()

    # --- what works everywhere ---

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

    def action_command(self) -> None:
        """Type a command, in the language of scripts."""
        here = self.here
        if here is not None:
            here.put(Question(":", answer=self._typed))

    def _typed(self, line: str) -> None:
        here = self.here
        if here is None or not line.strip():
            return
        words = line.split()
        if words[0] in ("q", "quit", "exit"):
            self.exit(0)
            return
        found = entry(words[0])
        if found is not None and len(words) == 1:
            self.open(found)
            return
        try:
            command = self.session.live.language.parse_line(line, self.session.project)
        except ConsoleError as error:
            here.fail(str(error))
            return
        if command is not None:
            self.run_worker(self._run(here, command), group="send")

    async def _run(self, here: ConsoleScreen, command: Command) -> None:
        if isinstance(command, Help | Apply):
            here.fail("Not here yet.")
            return
        outcome = await here.send([command])
        if outcome.ok and not self.session.live.language.mutates(command):
            here.say(str(outcome.results[-1])[:200])

    def action_help(self) -> None:
        """Say what can be pressed."""


def run(target: Target, options: Options | None = None, args: Sequence[str] = ()) -> int:
    """Run the console on this terminal until it is quit; gives the exit code."""
    del args
    app = ConsoleApp(target, options)
    with contextlib.suppress(KeyboardInterrupt):
        return app.run() or 0
    return 130
