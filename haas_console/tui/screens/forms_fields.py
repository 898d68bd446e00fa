"""The widgets of a form: a line of text, a choice, and a few lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.suggester import SuggestFromList
from textual.widgets import Input, Static, TextArea

from haas_console.core.forms import FormField


class Edited(Message):
    """The text of a field has changed."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__()
        self.field = name
        self.text = text


class Hint(Static):
    """What a field accepts or what is wrong with it, on several lines if necessary."""

    ALLOW_SELECT = False

    def __init__(self, id: str) -> None:
        super().__init__(id=id, classes="hint", markup=False)
        self.auto_links = False
        self._shown = Text()

    def show(self, text: Text) -> None:
        """Show a text; redraw only if it has changed."""
        if (text.plain, text.style) != (self._shown.plain, self._shown.style):
            self._shown = text
            self.update(text)


class TextField(Input):
    """One line; a known value is suggested behind the cursor, and the right arrow accepts it."""

    def __init__(self, known: FormField, text: str, suggestions: Sequence[str]) -> None:
        suggester = SuggestFromList(suggestions) if suggestions else None
        super().__init__(
            text, id=f"field-{known.name}", compact=True, suggester=suggester, select_on_focus=False
        )
        self.known = known
        self.cursor_blink = False  # a blinking cursor would send bytes for ever
        self.auto_links = False

    def on_input_changed(self, event: Input.Changed) -> None:
        """Tell the form."""
        event.stop()
        self.post_message(Edited(self.known.name, event.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Go to the next field on Enter."""
        event.stop()
        self.screen.focus_next()


class LinesField(TextArea):
    """A list, one line for each item."""

    def __init__(self, known: FormField, text: str) -> None:
        super().__init__(text, id=f"field-{known.name}", compact=True, highlight_cursor_line=False)
        self.known = known
        self.cursor_blink = False
        self.auto_links = False

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        """Tell the form."""
        event.stop()
        self.post_message(Edited(self.known.name, self.text))


class ChoiceField(Static, can_focus=True):
    """One of a few words; the arrows or space go through them."""

    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,space,l", "choose(1)", "Next choice", id="form.next_choice", show=False),
        Binding("left,h", "choose(-1)", "Choice before", id="form.previous_choice", show=False),
        Binding("enter,down", "app.focus_next", "Next field", show=False),
        Binding("up", "app.focus_previous", "Field before", show=False),
    ]

    def __init__(self, known: FormField, text: str) -> None:
        super().__init__(id=f"field-{known.name}", markup=False)
        self.known = known
        self.chosen = text if text in known.choices else known.choices[0]
        self.auto_links = False

    def on_mount(self) -> None:
        """Show the words."""
        self._show()

    def _show(self) -> None:
        text = Text()
        for word in self.known.choices:
            chosen = word == self.chosen
            # Marked by brackets as well, not by the style alone.
            text.append(
                f"[{word or '-'}]" if chosen else f" {word or '-'} ", "bold" if chosen else ""
            )
            text.append(" ")
        self.update(text, layout=False)

    def action_choose(self, by: int) -> None:
        """Choose the next word."""
        words = self.known.choices
        self.chosen = words[(words.index(self.chosen) + by) % len(words)]
        self._show()
        self.post_message(Edited(self.known.name, self.chosen))

    def on_click(self, event: events.Click) -> None:
        """Choose the word that is clicked."""
        column = 0
        for word in self.known.choices:
            column += len(word or "-") + 3
            if event.x < column:
                self.chosen = word
                self._show()
                self.post_message(Edited(self.known.name, word))
                return


class SendButton(Static, can_focus=True):
    """The last line of a form; Enter sends the form."""

    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,space", "screen.submit", "Send", show=False),
        Binding("up", "app.focus_previous", "Field before", show=False),
    ]

    def __init__(self) -> None:
        super().__init__("[ Send ]", id="send", markup=False)
        self.auto_links = False

    async def on_click(self) -> None:
        """Send the form."""
        await self.screen.run_action("submit")
