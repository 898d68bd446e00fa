"""A form for any method of the API. It builds one command, shows its line, and sends it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.widget import Widget
from textual.widgets import Static

from haas_console.core.forms import Form, FormField
from haas_console.core.session import Session
from haas_console.core.sync import Changes
from haas_console.tui.bars import Bar
from haas_console.tui.screen import ConsoleScreen
from haas_console.tui.screens.forms_fields import (
    ChoiceField,
    Edited,
    Hint,
    LinesField,
    SendButton,
    TextField,
)


class FormScreen(ConsoleScreen):
    """The fields of one method; what was typed stays until the daemon has accepted it."""

    NAME = "form"
    CHANGES = frozenset({"submit"})
    DEFAULT_CSS = """
    FormScreen #form { height: 1fr; scrollbar-size-vertical: 1; padding: 0 1; }
    FormScreen #about { height: auto; max-height: 2; padding: 0 1; }
    FormScreen .field { height: auto; }
    FormScreen .label { width: 15; height: 1; text-style: bold; }
    FormScreen TextField { width: 1fr; height: 1; border: none; padding: 0; background: $surface; }
    FormScreen LinesField { width: 1fr; border: none; padding: 0; background: $surface; }
    FormScreen LinesField { height: auto; min-height: 2; max-height: 8; }
    FormScreen ChoiceField { width: 1fr; height: 1; }
    FormScreen ChoiceField:focus { background: $surface; text-style: reverse; }
    FormScreen #send { width: 8; height: 1; }
    FormScreen #send:focus { text-style: reverse; }
    FormScreen .hint { height: auto; max-height: 3; margin-left: 15; }
    FormScreen #error { margin-left: 0; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "submit", "Send", id="form.send", priority=True),
        Binding("tab,down", "app.focus_next", "Next field", id="form.next", show=False),
        Binding("shift+tab,up", "app.focus_previous", "Field before", id="form.back", show=False),
        Binding("escape", "back", "Leave", id="form.leave"),
    ]

    def __init__(
        self,
        session: Session,
        method: str,
        given: Mapping[str, str] | None = None,
        done: Callable[[Any], None] | None = None,
    ) -> None:
        super().__init__(session)
        language = session.sync.language
        self.form = Form(language, language.api.methods[method], dict(given or {}))
        self.TITLE = method.replace(".", " ")  # type: ignore[misc]  # an instance's own
        self._first = dict(self.form.texts)
        self._sending = False
        self._then = done

    # --- showing ---

    def compose_body(self) -> ComposeResult:
        """An input and a hint for each field; below them the line of the command."""
        yield Static(self.form.method.summary, id="about", markup=False)
        with VerticalScroll(id="form", can_focus=False):
            for known in self.form.fields:
                star = "*" if known.required else " "
                with Horizontal(classes="field"):
                    yield Static(f"{star} {known.name}", markup=False, classes="label")
                    yield self._widget(known)
                yield Hint(f"hint-{known.name}")
            yield SendButton()
        yield Hint("error")
        yield Bar(id="line")

    def _widget(self, known: FormField) -> Widget:
        text = self.form.texts[known.name]
        if known.kind == "choice":
            return ChoiceField(known, text)
        if known.kind == "lines":
            return LinesField(known, text)
        return TextField(known, text, self._suggestions(known.name))

    def _suggestions(self, name: str) -> Sequence[str]:
        """The values that a parameter may have, as far as the inventory knows them."""
        inventory, info = self.session.inventory, self.session.inventory.info
        if name == self.form.method.noun and self.form.method.verb in ("register", "create"):
            return ()
        match name:
            case "switch":
                return sorted(inventory.switches)
            case "node":
                return sorted(inventory.nodes)
            case "project":
                return sorted(inventory.projects)
            case "dialect":
                return info.dialects if info else ()
            case "port" if self.form.method.noun == "nic":
                free = [
                    p.port
                    for ports in inventory.ports.values()
                    for p in ports
                    if p.role == "access" and p.nic is None
                ]
                return sorted(set(free))
            case _:
                return ()

    def on_mount(self) -> None:
        """Begin in the first empty field."""
        super().on_mount()
        empty = [f.name for f in self.form.fields if not self.form.texts[f.name]]
        wanted = empty[0] if empty else self.form.fields[0].name
        self.query_one(f"#field-{wanted}").focus()

    def on_descendant_focus(self) -> None:
        """Show the keys of the field: in a text, letters are typed and no keys."""
        super().on_descendant_focus()
        self.show_bars()

    def changed(self, changes: Changes) -> None:
        """Show hints, errors and the line."""
        self._show()

    def _show(self) -> None:
        form = self.form
        for known in form.fields:
            wrong = form.errors.get(known.name)
            text = Text(f"✗ {wrong}", "bold red") if wrong else Text(self._hint(known), "dim")
            self.query_one(f"#hint-{known.name}", Hint).show(text)
        error = Text(f" ✗ {form.error}" if form.error else "", "bold red")
        self.query_one("#error", Hint).show(error)
        self.query_one("#line", Bar).show(Text(f" > {form.line()}", "dim"))

    def _hint(self, known: FormField) -> str:
        offered = self._suggestions(known.name) if known.kind == "text" else ()
        if offered and (len(offered) <= 8 or known.name == "dialect"):
            return f"one of: {', '.join(offered)}"
        return known.hint.replace("``", "`")

    # --- filling in ---

    def on_edited(self, event: Edited) -> None:
        """Take over a new text; an error shown for the old one is no longer true."""
        event.stop()
        if self.form.texts[event.field] == event.text:
            return
        self.form.texts[event.field] = event.text
        self.form.errors.pop(event.field, None)
        self.form.error = ""
        self._show()
        self.drop_message()

    def action_submit(self) -> None:
        """Send the command; on an error stay, with the field that it is about."""
        if not self._sending:
            self.take_turn(self._submit)

    async def _submit(self) -> None:
        call = self.form.call()
        if call is None:
            self._point_at(next(iter(self.form.errors)))
            wrong = ", ".join(self.form.errors)
            self.fail(f"Not sent: to be put right are {wrong}.", lambda: bool(self.form.errors))
            return
        self._sending = True
        try:
            outcome = await self.send([call], keep_keys=True)
        finally:
            self._sending = False
        if outcome.ok:
            self._done(outcome.results[-1])
        elif outcome.cause is not None:
            self._point_at(self.form.refuse(outcome.cause))

    def _point_at(self, name: str | None) -> None:
        self._show()
        if name is not None:
            self.query_one(f"#field-{name}").focus()

    def _done(self, answer: Any) -> None:
        line = self.session.sync.log.commands[-1].line
        self.console.navigation.back()
        if self._then is not None:
            self._then(answer)
        if self.console.front is not None:
            self.console.front.say(f"> {line}")

    def leave(self) -> None:
        """Go back; ask first if something was typed."""
        if self.form.texts == self._first:
            super().leave()
        else:
            self.take_turn(self._leave_typed)

    async def _leave_typed(self) -> None:
        if await self.confirm("leave what was typed?"):
            super().leave()
