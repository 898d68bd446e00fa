"""A plan as a diff whose parts can be folded, and the two answers to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from haas_console.core.colours import network_look
from haas_console.core.plandiff import (
    Difference,
    Plan,
    PlanRow,
    device_key,
    number,
    rows,
    step_key,
)
from haas_console.core.sharedlines import with_below
from haas_console.tui.bars import Bar
from haas_console.tui.folds import FoldLines
from haas_console.tui.glyphs import glyphs
from haas_console.tui.lines import Part

SIGN_LOOKS = {"-": "gone", "+": "plus", "~": "staged", "=": "dim"}


class PlanLines(FoldLines, can_focus=False):
    """The lines for each device. The screen has its keys, because the answers have the focus."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.plan: Plan | None = None
        self.difference = Difference()
        self.shown: Sequence[PlanRow] = ()

    def show(self, plan: Plan | None, difference: Difference | None = None) -> None:
        """Show a plan: with all its lines if they fit the window, otherwise folded to its steps."""
        first = self.plan is None or plan is None or plan.project != self.plan.project
        self.plan, self.difference = plan, difference or Difference()
        if first:
            self.folded = set()
            if plan is not None and len(rows(plan, ())) > self.scrollable_content_region.height:
                self.folded = self.fold_keys()
        self.rebuild()

    def rebuild(self) -> None:
        """Rebuild the lines."""
        self.shown = rows(self.plan, self.folded, self.difference) if self.plan else ()
        self.changed()

    def count(self) -> int:
        """One line for each device, step and line."""
        return len(self.shown)

    def fold_key(self, index: int) -> str:
        """The key of the device or the step."""
        return self.shown[index].key

    def fold_keys(self) -> set[str]:
        """The keys of the steps, which hide their lines."""
        return {step_key(step) for step in self.plan.steps} if self.plan else set()

    def fold_devices(self) -> None:
        """Show only the devices, or their steps again."""
        keys = {device_key(device) for device in self.plan.devices} if self.plan else set()
        self.folded = self.folded - keys if self.folded & keys else self.folded | keys
        self.rebuild()

    def line_look(self, index: int) -> str:
        """Always show the cursor, because the keys that move it always work."""
        return "cursor" if index == self.cursor else ""

    def parts(self, index: int, width: int) -> list[Part]:
        """A device, a step with a sign as in a diff, or a line as it is sent."""
        row = self.shown[index]
        signs = glyphs()
        fold = f"{signs.closed if row.folded else signs.open} "
        step = row.step
        match row.what:
            case "device":
                name, _, rest = row.text.partition("  ")
                return [(f" {fold}", "dim"), (name, "head"), (f"  {rest}", "dim")]
            case "step" if step is not None:
                parts: list[Part] = [
                    (f"   {'│ ' if step.below else fold}", "dim"),
                    (f"{step.sign} {step.word:9} ", SIGN_LOOKS[step.sign]),
                    ("NEW ", "staged") if row.new else ("", ""),
                    (row.text, ""),
                ]
                if step.note:
                    before, arrow, after = step.note.partition("-> ")
                    look = network_look(step.network) if step.network else ""
                    parts += [(f"  {before}{arrow}", "staged"), (after, f"head {look}")]
                if step.below:
                    parts.append((f"  {with_below(step.below)}", "dim"))
                elif row.folded:
                    parts.append((f"  {number(len(step.lines), 'line')}", "dim"))
                return parts
            case "line":
                return [("                 > ", "dim"), (row.text, "")]
            case "gone":
                return [("     . no more   ", "dim"), (row.text, "leaves")]
        return [("", "")]


class Choice(Bar, can_focus=True):
    """The answers Cancel and Apply; Enter alone means Cancel."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab,shift+tab,left,right", "other", "Choose", id="apply.choose"),
        Binding("enter", "choose", "Take it", id="apply.take"),
    ]

    class Chosen(Message):
        """One of the two was chosen."""

        def __init__(self, apply: bool) -> None:
            super().__init__()
            self.apply = apply

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.on_apply = False
        self.offer = ""
        self._cells = (0, 0)

    def draw(self, offer: str) -> None:
        """Show the answers; with an empty ``offer``, if there is nothing to apply, only Cancel."""
        self.offer = offer
        if not offer:
            self.on_apply = False
        text = Text("  ")
        cells = []
        for word, chosen in (("Cancel", not self.on_apply), (offer, self.on_apply)):
            if word:
                text.append(f"[ {word} ]" if chosen else f"  {word}  ", "reverse" if chosen else "")
                text.append("   ")
            cells.append(text.cell_len)
        self._cells = (cells[0], cells[1])
        self.show(text)

    def back_to_cancel(self) -> None:
        """Make Enter mean Cancel."""
        self.on_apply = False
        self.draw(self.offer)

    def action_other(self) -> None:
        """Go to the other answer."""
        self.on_apply = not self.on_apply and bool(self.offer)
        self.draw(self.offer)

    def action_choose(self) -> None:
        """Take the answer that is marked."""
        self.post_message(self.Chosen(self.on_apply))

    def on_click(self, event: events.Click) -> None:
        """Choose the answer that was clicked."""
        if event.x < self._cells[1]:
            self.post_message(self.Chosen(event.x >= self._cells[0]))
