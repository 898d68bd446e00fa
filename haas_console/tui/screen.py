"""What all screens share: the bars, the prompt, and the way commands are sent and answered."""

from __future__ import annotations

import asyncio
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, cast

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from haas_console.core.commands import Command
from haas_console.core.gestures import Gesture, Refusal
from haas_console.core.session import Outcome, Session
from haas_console.core.sync import Changes
from haas_console.tui.bars import Bar, top_text
from haas_console.tui.hints import hints_text
from haas_console.tui.match import pick
from haas_console.tui.prompt import Completer, Prompt, Question
from haas_console.tui.textual_private import PaintOnceScreen

if TYPE_CHECKING:
    from haas_console.tui.app import ConsoleApp

NOUNS = (
    "node", "network", "headnode", "project", "switch", "drift", "job", "info", "status", "use",
    "call", "command",
)  # fmt: skip
ALL: Changes = frozenset(NOUNS)


class ConsoleScreen(PaintOnceScreen):
    """A screen of the console; see :mod:`haas_console.tui` on how to write one."""

    TITLE: ClassVar[str] = ""
    NAME: ClassVar[str] = ""
    CHANGES: ClassVar[frozenset[str]] = frozenset()
    """Actions that change something: greyed by ``--readonly`` and while the daemon is lost."""

    AUTO_FOCUS = ""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Back", id="screen.back", show=False),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self.tells_job: int | None = None  # the job of which the screen tells, so the bar need not
        self._said = Text("")
        self._above: Text | None = None
        self._pending: set[str] = set()

    @property
    def console(self) -> ConsoleApp:
        """The app, with its own type."""
        return cast("ConsoleApp", self.app)

    # --- what subclasses say ---

    def compose_body(self) -> ComposeResult:
        """The widgets between the bars."""
        yield from ()

    def changed(self, changes: Changes) -> None:
        """Show what has changed; called in a burst once, and with all nouns at the beginning."""

    # --- what is on each screen ---

    def compose(self) -> ComposeResult:
        """The bars around the body, and the prompt over the last of them."""
        yield Bar(id="top")
        yield from self.compose_body()
        yield Bar(id="hints")
        yield Bar(id="message")
        yield Prompt()

    def on_mount(self) -> None:
        """Hear of changes from now on."""
        self._stop = self.session.sync.watch(self._hear)
        self._hear(ALL)

    def on_unmount(self) -> None:
        """Hear of them no longer."""
        self._stop()

    def on_screen_resume(self) -> None:
        """Catch up with what happened while another screen was in front."""
        self._hear(ALL)

    def on_resize(self) -> None:
        """Fill the new width."""
        self._hear(ALL)

    def _hear(self, changes: Changes) -> None:
        first = not self._pending
        self._pending |= changes
        if first:
            self.call_later(self._tell)

    def _tell(self) -> None:
        changes, self._pending = frozenset(self._pending), set()
        if not self.is_attached or self.app.screen is not self:
            return
        self.show_bars()
        if "status" in changes:
            self.refresh_bindings()
        self.changed(changes)
        if not self.painted:
            self.paint_first()

    def show_bars(self) -> None:
        """Draw the bars as things stand."""
        width = self.size.width
        crumbs = self.console.breadcrumbs()
        self.query_one("#top", Bar).show(top_text(self.session, crumbs, width, self.tells_job))
        if self.query_one(Prompt).question is None:
            self._show_hints()

    def _show_hints(self) -> None:
        """Show the keys; or the first half of a message that needs two lines."""
        self.query_one("#hints", Bar).show(self._above or hints_text(self, self.size.width))

    def on_key(self) -> None:
        """Give the keys' line back that a long message has taken: it is read by now."""
        if self._above is not None:
            self._above = None
            self.show_bars()
            self.query_one("#message", Bar).show(self._said)

    def on_click(self, event: events.Click) -> None:
        """A click on the bar on top, where jobs under way stand, opens the one that is told."""
        jobs = [job.job for job in self.session.inventory.running_jobs()]
        if event.widget is self.query_one("#top", Bar) and jobs:
            from haas_console.tui.screens.job import open_job

            open_job(self.console, next((job for job in jobs if job != self.tells_job), jobs[0]))

    # --- talking ---

    @property
    def told(self) -> str:
        """The message at the bottom, whole: it may take two lines, or be cut by now."""
        return self._said.plain

    def say(self, text: str) -> None:
        """Show a line at the bottom."""
        self._message(Text(f" {text}"))

    def fail(self, text: str) -> None:
        """Show what went wrong, as the sentence it is."""
        self._message(Text(f" ✗ {' '.join(text.split())}", "bold red"))

    def _message(self, text: Text) -> None:
        self._said, above = text, self._above
        width = self.size.width
        self._above = None
        if 0 < width < text.cell_len:
            first, *rest = textwrap.wrap(
                text.plain, width - 1, subsequent_indent="   ", max_lines=2, placeholder=" …"
            )
            if rest:
                self._above, text = Text(first, text.style), Text(rest[0], text.style)
        if self._above != above:
            self.show_bars()
        self.query_one("#message", Bar).show(text)

    def on_prompt_hints(self, event: Prompt.Hints) -> None:
        """Show the candidates of the prompt where the key hints are else."""
        if event.text is not None:
            self.query_one("#hints", Bar).show(event.text)
        else:
            self._show_hints()

    def put(self, question: Question) -> None:
        """Ask something in the line at the bottom."""
        self.query_one(Prompt).ask(question)

    async def ask(
        self,
        label: str,
        *,
        text: str = "",
        choices: Sequence[str] | None = None,
        complete: Completer | None = None,
    ) -> str | None:
        """Ask for a word (or one of ``choices``) and wait; None when it was cancelled.

        Await it in a worker only (``@work`` or ``run_worker``): the keys must go on being heard.
        """
        answer: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()

        def give(value: str | None) -> None:
            if not answer.done():
                answer.set_result(value)

        finder = complete
        if choices is not None:
            known = list(choices)
            finder = lambda typed: pick(known, typed)  # noqa: E731 - a name would say no more
        self.put(
            Question(
                label,
                answer=give,
                text=text,
                complete=finder,
                choose=choices is not None,
                cancelled=lambda: give(None),
            )
        )
        return await answer

    async def confirm(self, question: str) -> bool:
        """Ask for y or n; n is what Enter alone means."""
        return (await self.ask(f"{question} [y/N] ") or "").strip().lower() in ("y", "yes")

    # --- doing ---

    async def send(
        self, what: Gesture | Refusal | Sequence[Command], *, done: str | None = None
    ) -> Outcome:
        """Send a gesture or commands, and show the last line sent or the error."""
        session = self.session
        if isinstance(what, Gesture | Refusal):
            outcome = await session.do(lambda: what)
        else:
            outcome = await session.perform(what)
        self.show_outcome(outcome, done)
        return outcome

    def show_outcome(self, outcome: Outcome, done: str | None = None) -> None:
        """Show what became of commands: the line a script would have, or what went wrong."""
        commands = self.session.sync.log.commands
        if not outcome.ok:
            self.fail(outcome.error or "")
        elif done is not None:
            self.say(done)
        elif commands:
            number = len(outcome.results)
            more = f"   (and {number - 1} more)" if number > 1 else ""
            self.say(f"> {commands[-1].line}{more}")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Grey what would change things when nothing can be changed."""
        if action in self.CHANGES and self.session.write_access.refusal() is not None:
            return None
        return super().check_action(action, parameters)

    def action_back(self) -> None:
        """Go to the screen before."""
        self.console.back()
