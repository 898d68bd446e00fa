"""The line at the bottom in which users type commands, filters, names and choices.

It is always mounted and only made visible, because mounting it would redraw the screen. The line of
key hints above it shows the candidates.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

import msgspec
from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, Static

Completer = Callable[[str], Sequence[str]]


class Question(msgspec.Struct):
    """A question: the label before the line, and what to call with the answer.

    ``complete`` gives the candidates for a text, best first. With ``choose``, only a candidate is
    an answer: Enter takes the highlighted one. ``typed`` is called after each change with the text
    and the highlighted candidate, ``cancelled`` if the user leaves without an answer, ``lines`` if
    several lines are pasted.
    """

    label: str
    answer: Callable[[str], None]
    text: str = ""
    complete: Completer | None = None
    choose: bool = False
    typed: Callable[[str, str | None], None] | None = None
    cancelled: Callable[[], None] | None = None
    history: Sequence[str] = msgspec.field(default_factory=tuple)
    lines: Callable[[list[str]], None] | None = None


def filter_question(before: str, apply: Callable[[str, bool], None]) -> Question:
    """Ask for a filter.

    ``apply`` gets each text while it is typed, with False, and at the end the answer, with True. If
    the user cancels, it gets the filter ``before``.
    """
    return Question(
        "/",
        text=before,
        answer=lambda text: apply(text, True),
        typed=lambda text, _: apply(text, False),
        cancelled=lambda: apply(before, True),
    )


class PromptInput(Input):
    """The line itself. Textual keeps the first of several pasted lines; here they are offered."""

    class LinesPasted(Message):
        """Several lines were pasted."""

        def __init__(self, lines: list[str]) -> None:
            super().__init__()
            self.lines = lines

    def on_paste(self, event: events.Paste) -> None:
        """Offer several lines as lines."""
        lines = [line for line in event.text.splitlines() if line.strip()]
        if len(lines) > 1:
            event.prevent_default()
            event.stop()
            self.post_message(self.LinesPasted([self.value + lines[0], *lines[1:]]))


class Prompt(Horizontal):
    """The input line; :meth:`ask` shows it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel", id="prompt.cancel", show=False, priority=True),
        Binding("tab", "complete(1)", "Complete", id="prompt.complete", show=False, priority=True),
        Binding("shift+tab", "complete(-1)", "Back", id="prompt.back", show=False, priority=True),
        Binding("up", "recall(-1)", "Earlier", id="prompt.earlier", show=False),
        Binding("down", "recall(1)", "Later", id="prompt.later", show=False),
    ]

    class Hints(Message):
        """The candidates have changed; None: the prompt has ended."""

        def __init__(self, text: Text | None) -> None:
            super().__init__()
            self.text = text

    def __init__(self) -> None:
        super().__init__(id="prompt")
        self.label = Static("", id="prompt-label", markup=False)
        self.input = PromptInput(id="prompt-input", compact=True, select_on_focus=False)
        self.input.cursor_blink = False  # a blinking cursor would send bytes for ever
        self.label.auto_links = self.input.auto_links = False
        self.input.can_focus = False
        self.question: Question | None = None
        self._found: list[str] = []
        self._at = 0
        self._recalled: int | None = None
        self._before: Widget | None = None

    def compose(self) -> ComposeResult:
        """The label and the line."""
        yield self.label
        yield self.input

    def ask(self, question: Question) -> None:
        """Show the line and take the focus."""
        if self.question is None:
            self._before = self.screen.focused
        earlier, self.question = self.question, None
        if earlier is not None and earlier.cancelled is not None:
            earlier.cancelled()
        self._recalled = None
        self.label.styles.width = len(question.label)
        self.label.update(question.label)
        with self.prevent(Input.Changed):
            self.input.value = question.text
            self.input.cursor_position = len(question.text)
        self.question = question
        self.input.can_focus = True
        self.visible = True
        self._take_focus()
        self._complete()

    @property
    def typed(self) -> str:
        """What was typed."""
        return self.input.value

    def _end(self) -> Question | None:
        question, self.question = self.question, None
        self.visible = False
        with self.prevent(Input.Changed):
            self.input.value = ""
        before = self._before if self._before is not None and self._before.is_attached else None
        self.screen.set_focus(before, scroll_visible=False)
        self.input.can_focus = False
        self.post_message(self.Hints(None))
        return question

    def cancel(self) -> None:
        """Leave the question, if one is open, without an answer."""
        question = self._end() if self.question is not None else None
        if question is not None and question.cancelled is not None:
            question.cancelled()

    def keep_focus(self) -> None:
        """Take the focus back while a question is open: keys answer it, wherever a click went."""
        if self.question is not None and not self.input.has_focus:
            self._take_focus()

    def _take_focus(self) -> None:
        """Take the focus at once: ``focus()`` does it later, and the next key could come first."""
        self.screen.set_focus(self.input, scroll_visible=False)

    # --- typing ---

    def on_input_changed(self, event: Input.Changed) -> None:
        """Find candidates for the new text."""
        event.stop()
        if self.question is not None:
            self._complete()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Answer with the text, or with the candidate if one must be chosen."""
        event.stop()
        question = self.question
        if question is None:
            return
        text = (self.candidate if question.choose else event.value) or ""
        if question.choose and not text:
            return  # nothing matches: let the user go on typing
        self._end()
        question.answer(text)

    def on_prompt_input_lines_pasted(self, event: PromptInput.LinesPasted) -> None:
        """Give several lines to a question that takes them; another takes the first."""
        event.stop()
        question = self.question
        if question is None:
            return
        if question.lines is None:
            self._set(event.lines[0])
        else:
            self._end()
            question.lines(event.lines)

    def _set(self, text: str) -> None:
        with self.prevent(Input.Changed):
            self.input.value = text
            self.input.cursor_position = len(text)
        self._complete()

    def _complete(self) -> None:
        question = self.question
        if question is None:
            return
        self._found = list(question.complete(self.typed)) if question.complete else []
        self._at = 0
        self._show_candidates()

    def _show_candidates(self) -> None:
        question = self.question
        if question is None:
            return
        if question.typed is not None:
            question.typed(self.typed, self.candidate)
        self.post_message(self.Hints(self._hints()))

    @property
    def candidate(self) -> str | None:
        """The candidate that Enter (or Tab) takes."""
        return self._found[self._at] if self._found else None

    def _hints(self) -> Text:
        text = Text(" ")
        if not self._found:
            chooses = self.question is not None and self.question.choose
            return text.append(" nothing fits", "dim") if chooses else text
        for number, word in enumerate(self._found[self._at // 8 * 8 :][:8]):
            chosen = number == self._at % 8
            text.append(f" {word} ", "reverse" if chosen else "")
            text.append(" ")
        if len(self._found) > 8:
            text.append(f"… {len(self._found)}", "dim")
        return text

    # --- keys ---

    def action_complete(self, by: int) -> None:
        """Complete the text; if one must be chosen, go to the next candidate."""
        question = self.question
        if question is None or not self._found:
            return
        if question.choose or by < 0:
            self._at = (self._at + by) % len(self._found)
            self._show_candidates()
            return
        found = self._found[self._at]
        head, space, _ = self.typed.rpartition(" ")
        tail = "" if found.endswith((":", "=", "/")) else " "
        self._set(f"{head}{space}{found}{tail}")

    def action_recall(self, by: int) -> None:
        """Recall an earlier line; if one must be chosen, go to the next candidate."""
        question = self.question
        if question is None:
            return
        if question.choose:
            self.action_complete(by)
            return
        past = question.history
        if not past:
            return
        at = len(past) if self._recalled is None else self._recalled
        self._recalled = max(0, min(len(past), at + by))
        self._set(past[self._recalled] if self._recalled < len(past) else "")

    def action_cancel(self) -> None:
        """Leave without an answer."""
        self.cancel()
