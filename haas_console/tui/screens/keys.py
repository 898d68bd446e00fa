"""The keys of the console, and a way to change them: they are kept in console.toml."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from haas_console.core.session import Session
from haas_console.tui import keymap
from haas_console.tui.bars import Bar
from haas_console.tui.hints import key_text
from haas_console.tui.keymap import Key
from haas_console.tui.lines import ClickableLines, Part, cut
from haas_console.tui.prompt import Question
from haas_console.tui.screen import ConsoleScreen, in_turn

ID_WIDTH, KEY_WIDTH = 24, 18


class KeyLines(ClickableLines):
    """One line for each key that has an id."""

    def __init__(self) -> None:
        super().__init__(id="keys")
        self.found: list[Key] = []
        self.chosen: dict[str, str] = {}

    def count(self) -> int:
        """One line for each."""
        return len(self.found)

    def parts(self, index: int, width: int) -> list[Part]:
        """Id, key, default if it is another, and what it does."""
        key = self.found[index]
        own = self.chosen.get(key.id)
        now = key_text(own or key.keys)
        usual = f"  (by default {key_text(key.keys)})" if own is not None else ""
        return [
            (f" {cut(key.id, ID_WIDTH)} ", "dim"),
            (f"{cut(now, KEY_WIDTH)} ", "head" if own is None else "staged"),
            (key.does, ""),
            (usual, "dim"),
        ]


class KeysScreen(ConsoleScreen):
    """All keys by the ids of console.toml; Enter changes one."""

    TITLE: ClassVar[str] = "Keys"
    NAME = "keys"
    AUTO_FOCUS = "#keys"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "change", "Change", id="keys.change"),
        Binding("d", "default", "Default", id="keys.default"),
        Binding("slash", "filter", "Filter", id="keys.filter"),
        Binding("escape", "back", "Back", id="keys.back"),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._known = keymap.bindings()
        self._filter = ""

    def compose_body(self) -> ComposeResult:
        """The columns' names, and the list."""
        yield Bar(id="title", classes="title")
        yield KeyLines()

    @property
    def lines(self) -> KeyLines:
        """The list."""
        return self.query_one(KeyLines)

    def on_mount(self) -> None:
        """Show all keys."""
        super().on_mount()
        self._show()

    def _show(self) -> None:
        lines, wanted = self.lines, self._filter.lower()
        lines.chosen = dict(self.console.keymap)
        lines.found = [
            key
            for key in self._known
            if wanted in f"{key.id} {lines.chosen.get(key.id, key.keys)} {key.does}".lower()
        ]
        lines.changed()
        title = f" {cut('id', ID_WIDTH)} {cut('key', KEY_WIDTH)} what it does"
        if wanted:
            title += f"   /{self._filter}  {len(lines.found)}/{len(self._known)}"
        self.query_one("#title", Bar).show(Text(title))

    def _current(self) -> Key | None:
        lines = self.lines
        return lines.found[lines.cursor] if lines.cursor < lines.count() else None

    def action_filter(self) -> None:
        """Show only keys with some letters in id, key or text."""
        self.put(Question("show keys with: ", answer=self._find, text=self._filter))

    def _find(self, text: str) -> None:
        self._filter = text.strip()
        self._show()

    @in_turn
    async def action_change(self) -> None:
        """Ask for another key, and keep it."""
        key = self._current()
        if key is None:
            return
        typed = await self.ask(f"key for {key.id} (such as x, ctrl+x, f5, or several: x,f5): ")
        if not typed or not typed.strip():
            return
        try:
            new = keymap.read_keys(typed)
        except ValueError as error:
            self.fail(str(error))
            return
        now = {each.id: self.console.keymap.get(each.id, each.keys) for each in self._known}
        same, others = keymap.conflicts(key.id, new, now)
        if same:
            self.fail(f"{key_text(new)} is {same} on the same screen: change that one first.")
            return
        if others and not await self.confirm(f"{key_text(new)} is {others} elsewhere. Use it?"):
            return
        self.console.change_key(key.id, new)
        self._show()
        self.say(f"{key.id} is {key_text(new)} now")

    def action_default(self) -> None:
        """Go back to the key that it has by default."""
        key = self._current()
        if key is not None:
            self.console.change_key(key.id, None)
            self._show()
            self.say(f"{key.id} is {key_text(key.keys)} again")
