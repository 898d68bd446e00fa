"""The palette (ctrl+p): finds every action and every object by some letters of its name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from haas_console.core.objects import Ref, everything, note_on
from haas_console.core.owncommands import OwnCommand
from haas_console.core.rights import method_refused
from haas_console.core.session import Session
from haas_console.tui.hints import key_text
from haas_console.tui.lines import Lines, Part, cut
from haas_console.tui.match import pick


@dataclass(frozen=True)
class Choice:
    """Something to do: its title, a note on it, its key, and how it is done."""

    title: str
    note: str
    key: str
    run: Callable[[], object]
    refused: bool = False
    """True if the user may not do it, as ``note`` says."""


def choices(
    app: App[int],
    session: Session,
    command: Callable[[str], None],
    show: Callable[[Ref], None],
) -> list[Choice]:
    """The keys of the screen in front, the screens, the commands, the themes, and all objects.

    The commands that the user may not use come last, each with the reason.

    ``command`` opens the command line with the beginning of a command, ``show`` an object.
    """
    found: list[Choice] = []
    refused: list[Choice] = []
    seen: set[str] = set()
    for active in app.screen.active_bindings.values():
        binding = active.binding
        if not binding.description or not active.enabled or binding.description in seen:
            continue
        if (binding.id or "").partition(".")[0] in ("list", "prompt", ""):
            continue
        seen.add(binding.description)
        run = partial(app.run_action, binding.action, active.node)
        found.append(Choice(binding.description, "", key_text(binding.key), run))
    info = session.inventory.info
    for noun, verbs in sorted(session.sync.language.api.nouns.items()):
        for verb, method in verbs.items():
            line, note = f"{noun} {verb} ", method.summary.replace("``", "")
            if (why := method_refused(method, info, session.project)) is not None:
                refused.append(Choice(line, why, "", partial(command, line), refused=True))
            else:
                found.append(Choice(line, note, ":", partial(command, line)))
    for name in sorted(app.available_themes):
        found.append(Choice(f"theme {name}", "", "", partial(setattr, app, "theme", name)))
    for ref in everything(session.inventory):
        note = note_on(session.inventory, ref)
        found.append(Choice(ref.title, note, "open", partial(show, ref)))
    return found + refused


def own_choices(commands: Mapping[str, OwnCommand], run: Callable[[str], None]) -> Iterator[Choice]:
    """The user's own commands; ``run`` gets the name of one."""
    for name, command in commands.items():
        key = key_text(command.key) if command.key is not None else ":"
        yield Choice(name, command.about, key, partial(run, name))


class Found(Lines):
    """The choices that fit what was typed."""

    can_focus = False

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.found: Sequence[Choice] = ()

    def count(self) -> int:
        """One line for each."""
        return len(self.found)

    def line_look(self, index: int) -> str:
        """Show the cursor although the input has the focus."""
        return "cursor" if index == self.cursor else ""

    def parts(self, index: int, width: int) -> list[Part]:
        """Title, note and key."""
        choice = self.found[index]
        note = max(0, width - 30 - 8)
        return [
            (f" {cut(choice.title, 28)} ", "dim" if choice.refused else ""),
            (cut(choice.note, note), "dim"),
            (f" {choice.key:>6} ", "head"),
        ]


class PaletteScreen(ModalScreen[Choice | None]):
    """An input with the list of choices below it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,ctrl+p", "leave", "Leave", show=False, priority=True),
        Binding("down", "move(1)", "Next", show=False, priority=True),
        Binding("up", "move(-1)", "Before", show=False, priority=True),
        Binding("pagedown", "move(10)", "Ten on", show=False, priority=True),
        Binding("pageup", "move(-10)", "Ten back", show=False, priority=True),
    ]

    def __init__(self, known: Sequence[Choice], beginning: str = "") -> None:
        super().__init__()
        self._known = known
        self._beginning = beginning

    def compose(self) -> ComposeResult:
        """The input and the list."""
        with Vertical(id="palette"):
            line = Input(
                self._beginning,
                placeholder="what to do, or the name of an object",
                id="palette-input",
                compact=True,
                select_on_focus=False,
            )
            line.cursor_blink = False
            yield line
            yield Found(id="palette-found")

    def on_mount(self) -> None:
        """Begin with everything, or with what fits the beginning."""
        self._find(self._beginning)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Find what fits."""
        event.stop()
        self._find(event.value)

    def _find(self, typed: str) -> None:
        found = self.query_one(Found)
        by_title = {choice.title: choice for choice in self._known}
        names = pick(list(by_title), typed)
        noted = [c.title for c in self._known if typed and typed.lower() in c.note.lower()]
        found.found = [by_title[name] for name in dict.fromkeys([*names, *noted])]
        found.cursor = 0
        found.scroll_to(y=0, animate=False, immediate=True)
        found.changed()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Take the choice under the cursor."""
        event.stop()
        found = self.query_one(Found)
        self.dismiss(found.found[found.cursor] if found.found else None)

    def action_move(self, by: int) -> None:
        """Move the cursor of the list."""
        self.query_one(Found).action_move(by)

    def action_leave(self) -> None:
        """Do nothing."""
        self.dismiss(None)
