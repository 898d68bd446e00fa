"""The palette (ctrl+p): everything one can do, found by typing some letters of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from haas_console.tui.hints import key_text
from haas_console.tui.lines import Lines, Part, cut
from haas_console.tui.match import pick

if TYPE_CHECKING:
    from haas_console.tui.app import ConsoleApp


@dataclass(frozen=True)
class Entry:
    """Something to do: what it is, what is said about it, its key, and how it is done."""

    title: str
    note: str
    key: str
    run: Callable[[], object]


def entries(app: ConsoleApp) -> list[Entry]:
    """The keys of the screen in front, the screens, the commands, and the themes."""
    found: list[Entry] = []
    seen: set[str] = set()
    screen = app.screen
    for active in screen.active_bindings.values():
        binding = active.binding
        if not binding.description or not active.enabled or binding.description in seen:
            continue
        if (binding.id or "").partition(".")[0] in ("list", "prompt", ""):
            continue
        seen.add(binding.description)
        node, action = active.node, binding.action
        found.append(
            Entry(
                binding.description,
                "",
                key_text(binding.key),
                lambda node=node, action=action: app.run_action(action, node),  # type: ignore[misc]
            )
        )
    api = app.session.sync.language.api
    info = app.session.inventory.info
    for noun, verbs in sorted(api.nouns.items()):
        for verb, method in verbs.items():
            if method.role == "admin" and not (info and info.admin):
                continue
            line, note = f"{noun} {verb} ", method.summary.replace("``", "")
            found.append(
                Entry(line, note, ":", lambda line=line: app.command(line))  # type: ignore[misc]
            )
    for name in sorted(app.available_themes):
        found.append(
            Entry(
                f"theme {name}",
                "",
                "",
                lambda name=name: setattr(app, "theme", name),  # type: ignore[misc]
            )
        )
    return found


class Found(Lines):
    """What fits what was typed."""

    can_focus = False

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.found: Sequence[Entry] = ()

    def count(self) -> int:
        """A line for each."""
        return len(self.found)

    def line_look(self, index: int) -> str:
        """The keys go to the input, yet the cursor is here."""
        return "cursor" if index == self.cursor else ""

    def parts(self, index: int, width: int) -> list[Part]:
        """Title, note and key."""
        entry = self.found[index]
        note = max(0, width - 30 - 8)
        return [
            (f" {cut(entry.title, 28)} ", ""),
            (cut(entry.note, note), "dim"),
            (f" {entry.key:>6} ", "head"),
        ]


class PaletteScreen(ModalScreen[Entry | None]):
    """The list and the line above it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,ctrl+p", "leave", "Leave", show=False, priority=True),
        Binding("down", "move(1)", "Next", show=False, priority=True),
        Binding("up", "move(-1)", "Before", show=False, priority=True),
        Binding("pagedown", "move(10)", "Ten on", show=False, priority=True),
        Binding("pageup", "move(-10)", "Ten back", show=False, priority=True),
    ]

    def __init__(self, known: Sequence[Entry]) -> None:
        super().__init__()
        self._known = known

    def compose(self) -> ComposeResult:
        """The line and the list."""
        with Vertical(id="palette"):
            line = Input(placeholder="what to do", id="palette-input", compact=True)
            line.cursor_blink = False
            yield line
            yield Found(id="palette-found")

    def on_mount(self) -> None:
        """Begin with everything."""
        self._find("")

    def on_input_changed(self, event: Input.Changed) -> None:
        """Find what fits."""
        event.stop()
        self._find(event.value)

    def _find(self, typed: str) -> None:
        found = self.query_one(Found)
        by_title = {entry.title: entry for entry in self._known}
        names = pick(list(by_title), typed)
        noted = [e.title for e in self._known if typed and typed.lower() in e.note.lower()]
        found.found = [by_title[name] for name in dict.fromkeys([*names, *noted])]
        found.cursor = 0
        found.scroll_to(y=0, animate=False, immediate=True)
        found.changed()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Take the one under the cursor."""
        event.stop()
        found = self.query_one(Found)
        self.dismiss(found.found[found.cursor] if found.found else None)

    def action_move(self, by: int) -> None:
        """Move the cursor of the list."""
        self.query_one(Found).action_move(by)

    def action_leave(self) -> None:
        """Do nothing."""
        self.dismiss(None)
