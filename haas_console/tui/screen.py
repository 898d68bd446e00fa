"""What all screens share: the bars, the prompt, and how commands are sent and answered."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any, ClassVar, Concatenate, ParamSpec, TypeVar, cast

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from haas_console.core.commands import Command
from haas_console.core.gestures import Refusal
from haas_console.core.objects import Ref
from haas_console.core.session import Outcome, Session
from haas_console.core.sync import Changes
from haas_console.tui.bars import Bar, top_text
from haas_console.tui.console import WIDE, Console, Plan
from haas_console.tui.hints import hints, hints_text
from haas_console.tui.lines import Lines
from haas_console.tui.match import pick
from haas_console.tui.message import MessageLine, stays
from haas_console.tui.prompt import Completer, Prompt, Question
from haas_console.tui.pulsebar import LEAST_ROWS, PulseBar
from haas_console.tui.textual_private import PaintOnceScreen
from haas_console.tui.turns import Turn, current_turn

NOUNS = (
    "node", "network", "headnode", "project", "switch", "drift", "job", "info", "status", "use",
    "call", "command", "pulse",
)  # fmt: skip
ALL: Changes = frozenset(NOUNS)
PULSE: Changes = frozenset({"node", "switch", "drift", "job", "info", "pulse"})
"""Nouns whose changes affect the figures of the pulse."""

S = TypeVar("S", bound="ConsoleScreen")
P = ParamSpec("P")


def in_turn(
    action: Callable[Concatenate[S, P], Coroutine[Any, Any, None]],
) -> Callable[Concatenate[S, P], None]:
    """Make an action that depends on the inventory, or asks something, a turn of its screen's."""

    @functools.wraps(action)
    def start(screen: S, /, *args: P.args, **kwargs: P.kwargs) -> None:
        screen.take_turn(lambda: action(screen, *args, **kwargs))

    return start


class ConsoleScreen(PaintOnceScreen):
    """A screen of the console; :mod:`haas_console.tui` says how to write one."""

    TITLE: ClassVar[str] = ""
    NAME: ClassVar[str] = ""
    CHANGES: ClassVar[frozenset[str]] = frozenset()
    """Actions that change something; they are greyed by ``--readonly`` and without a connection."""

    METHODS: ClassVar[Mapping[str, str]] = {}
    """The methods that actions call; what the user may not call is greyed, with the reason."""

    AUTO_FOCUS = ""
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (WIDE, "-wide")]

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Back", id="screen.back", show=False),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self.shown_job: int | None = None
        """The job that the screen itself shows, so that the bar on top need not."""
        self._top = Bar(id="top")
        self._pulse_bar = PulseBar(id="pulse")
        self._hint_bar = Bar(id="hints")
        self._message_bar = Bar(id="message")
        self._message = MessageLine(self._message_bar)
        self._prompt = Prompt()
        self._pending: set[str] = set()
        self._turn: Turn | None = None

    @property
    def console(self) -> Console:
        """The app, as screens know it."""
        return cast("Console", self.app)

    # --- what subclasses say ---

    def compose_body(self) -> ComposeResult:
        """The widgets between the bars."""
        yield from ()

    def changed(self, changes: Changes) -> None:
        """Show what has changed: once for a burst of changes, and with all nouns at first."""

    # --- what is on each screen ---

    def compose(self) -> ComposeResult:
        """The bars around the body, and the prompt over the last of them."""
        # Textual does it after the mount, and would compute all styles once more
        self.set_class(self.app.size.width >= WIDE, "-wide", update=False)
        self.set_class(self.app.size.width < WIDE, "-narrow", update=False)
        yield self._top
        yield self._pulse_bar
        yield from self.compose_body()
        yield self._hint_bar
        yield self._message_bar
        yield self._prompt

    def on_mount(self) -> None:
        """Follow changes from now on."""
        self._unwatch = self.session.sync.watch(self._note_changes)
        self._note_changes(ALL)

    def on_unmount(self) -> None:
        """Stop following changes."""
        self._unwatch()
        if self._turn is not None:
            self._turn.abandon()

    def on_screen_resume(self) -> None:
        """Show what changed while another screen was in front."""
        self._note_changes(ALL)

    def on_resize(self) -> None:
        """Fill the new width."""
        self._pulse_bar.display = self.size.height >= LEAST_ROWS
        self._note_changes(ALL)

    def _note_changes(self, changes: Changes) -> None:
        first = not self._pending
        self._pending |= changes
        if first:
            self.call_later(self.show_changes)

    def show_changes(self) -> None:
        """Show now what has changed, without waiting for the end of the burst."""
        if not self._pending:
            return
        changes, self._pending = frozenset(self._pending), set()
        if not self.is_there or self.console.front is not self:
            return
        self._message.drop_if_over()
        self.show_bars()
        if changes & PULSE:
            self._pulse_bar.update(self.session)
        if "status" in changes:
            self.refresh_bindings()
        self.changed(changes)
        if not self.painted:
            self.paint_first()

    def show_bars(self) -> None:
        """Draw the bar on top and the key hints."""
        crumbs = self.console.breadcrumbs()
        self._top.show(top_text(self.session, crumbs, self.size.width, self.shown_job))
        if not self.is_asking:
            self._show_hints()

    def _show_hints(self) -> None:
        """Show the keys, or the first half of a message that needs two lines."""
        self._hint_bar.show(self._message.above or hints_text(self, self.size.width))

    def on_key(self) -> None:
        """Show the key hints again in place of a long message: it has been read by now."""
        if self._message.shorten():
            self.show_bars()

    def on_click(self, event: events.Click) -> None:
        """Press the key whose hint was clicked; open what the bars on top show."""
        if event.widget is self._hint_bar and not self.is_asking and self._message.above is None:
            self._press_hint(event.x)
        if event.widget is self._pulse_bar and self.NAME != "pulse":
            self.console.navigation.open("pulse")
        jobs = [job.job for job in self.session.inventory.running_jobs()]
        if event.widget is self._top and jobs:
            job = next((job for job in jobs if job != self.shown_job), jobs[0])
            self.console.navigation.open_job(job)

    def _press_hint(self, x: int) -> None:
        """Press the key whose hint was clicked."""
        found = next((h for h in hints(self, self.size.width) if h.start <= x < h.end), None)
        if found is None:
            return
        if found.active.enabled:
            action, node = found.active.binding.action, found.active.node
            self.app.call_later(self.app.run_action, action, node)
        elif (reason := self.refusal(found.active.binding.action.partition("(")[0])) is not None:
            self.fail(reason)

    # --- talking ---

    @property
    def message(self) -> str:
        """The whole message at the bottom, even if only a part of it is shown."""
        return self._message.text.plain

    def say(self, text: str, cause: Callable[[], bool] | None = None) -> None:
        """Show a message at the bottom, while its ``cause`` holds or until the next."""
        self._show_message(Text(f" {text}"), cause)

    def remark(self, text: str) -> None:
        """Show a message about what is under the cursor, until the cursor moves."""
        self.say(text, stays(self, self.session))

    def is_idle(self, action: str) -> bool:
        """Whether the key of an action has no effect now, so that its hint is dim."""
        return False

    def fail(self, text: str, cause: Callable[[], bool] | None = None) -> None:
        """Show what went wrong, as the sentence it is, while its ``cause`` holds.

        Without a cause it is about what is under the cursor, and stays until the cursor moves.
        """
        if cause is None:
            cause = stays(self, self.session)
        lines = [" ".join(line.split()) for line in text.splitlines()]
        told = "; ".join(line for line in lines if line)
        self._show_message(Text(f" ✗ {told}", "bold red"), cause)

    def on_lines_moved(self, event: Lines.Moved) -> None:
        """Take away a message that was about another line."""
        self.drop_message()

    def drop_message(self) -> None:
        """Take the message away if its cause has gone."""
        above = self._message.above
        if self._message.drop_if_over() and above is not None:
            self.show_bars()

    def _show_message(self, text: Text, cause: Callable[[], bool] | None = None) -> None:
        above = self._message.above
        self._message.show(text, self.size.width, cause)
        if self._message.above != above:
            self.show_bars()

    def on_descendant_focus(self) -> None:
        """Leave the keys to an open question, even if something else was clicked."""
        self._prompt.keep_focus()

    def hint(self, text: str) -> None:
        """Show a note where it can be seen even while a question is open."""
        if self.is_asking:
            self._hint_bar.show(Text(f" {text}", "bold"))
        else:
            self.say(text)

    def on_prompt_hints(self, event: Prompt.Hints) -> None:
        """Show the candidates of the prompt in place of the key hints."""
        if event.text is not None:
            self._hint_bar.show(event.text)
        else:
            self._show_hints()

    @property
    def is_asking(self) -> bool:
        """Whether a question is open."""
        return self._prompt.question is not None

    @property
    def typed(self) -> str:
        """What is typed in the line at the bottom."""
        return self._prompt.typed

    def put(self, question: Question) -> None:
        """Ask something in the line at the bottom."""
        self._prompt.ask(question)
        if (turn := current_turn()) is not None:
            turn.asks()

    async def ask(
        self,
        label: str,
        *,
        text: str = "",
        choices: Sequence[str] | None = None,
        complete: Completer | None = None,
    ) -> str | None:
        """Ask for a word (or one of ``choices``) and wait for it; None if the user cancels.

        Await this in a turn or a worker only, so that keys are still processed.
        """
        answer: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        turn = current_turn()

        def give(value: str | None) -> None:
            if not answer.done():
                if turn is not None:
                    turn.is_answered()
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
        """Ask for y or n; Enter alone means n."""
        return (await self.ask(f"{question} [y/N] ") or "").strip().lower() in ("y", "yes")

    # --- doing ---

    def take_turn(self, work: Callable[[], Awaitable[None]]) -> None:
        """Run ``work`` once the results of earlier commands are known.

        Keys wait until the work asks something, has queued its commands, or is done. A turn that
        still waits, for its beginning or for an answer, is ended by the next.
        """
        if self._turn is not None:
            self._turn.abandon()
        turn = self._turn = Turn(self.console.hold_keys())
        run = functools.partial(turn.run, self.session, self.show_changes, work)
        turn.worker = self.run_worker(run, group="turn", exit_on_error=True)

    async def send(
        self, what: Plan | Sequence[Command], *, done: str | None = None, keep_keys: bool = False
    ) -> Outcome:
        """Send a gesture or commands, and show the last line sent or the error.

        What was begun goes on if the screen is left. ``keep_keys``: in a turn, keys wait for the
        outcome, because it decides what they mean.
        """
        session = self.session
        sent = asyncio.ensure_future(session.do(what) if callable(what) else session.perform(what))
        turn = current_turn()
        if turn is not None:
            turn.sending = True
            if not keep_keys:
                turn.is_queued()
        try:
            outcome = await asyncio.shield(sent)
        except asyncio.CancelledError:
            sent.add_done_callback(self._show_later)
            raise
        finally:
            if turn is not None:
                turn.sending = False
        self.show_outcome(outcome, done)
        if callable(what) and outcome.error is not None and what() == Refusal(outcome.error):
            refusal = Refusal(outcome.error)
            self.fail(refusal.reason, lambda: what() == refusal)
        return outcome

    def _show_later(self, sent: asyncio.Future[Outcome]) -> None:
        if not sent.cancelled() and sent.exception() is None:
            self.show_outcome(sent.result())

    def show_outcome(self, outcome: Outcome, done: str | None = None) -> None:
        """Show how commands ended: the line that a script would have, or what went wrong.

        If this screen has been left, the one in front shows it.
        """
        front = self.console.front
        if front is not None and front is not self:
            front.show_outcome(outcome, done)
            return
        if not self.is_there:
            return
        commands = self.session.sync.log.commands
        if not outcome.ok:
            self.fail(outcome.error or "", lambda: True)  # until the next message
        elif done is not None:
            self.say(done)
        elif commands:
            number = len(outcome.results)
            more = f"   (and {number - 1} more)" if number > 1 else ""
            self.say(f"> {commands[-1].line}{more}")

    def refusal(self, action: str) -> str | None:
        """Why an action can't be done now, as a sentence; None if it can."""
        session = self.session
        if action in self.CHANGES and (refused := session.write_access.refusal()) is not None:
            return refused.reason
        method = self.METHODS.get(action)
        if method is None or not self.is_ready:
            return None
        return session.refusal(method, self.acts_in(action))

    def under_cursor(self) -> Ref | None:
        """What the line under the cursor is about, if it is one object."""
        return None

    def acts_in(self, action: str) -> str | None:
        """The project in which an action of :attr:`METHODS` acts."""
        return self.session.project

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Grey what can't be done now."""
        if not self.is_ready or self.refusal(action) is not None:
            return None
        return super().check_action(action, parameters)

    def action_back(self) -> None:
        """Leave an open question, or else the screen."""
        if self.is_asking:
            self._prompt.cancel()
        else:
            self.leave()

    def leave(self) -> None:
        """Go to the screen before."""
        self.console.navigation.back()
