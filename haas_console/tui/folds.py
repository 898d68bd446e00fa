"""Lists whose lines can be folded, and which count what drawing them costs."""

from __future__ import annotations

from typing import ClassVar, Self

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region

from haas_console.tui.lines import Lines

_MOVE = 24  # bytes that it takes to go to a place and set styles, about


class SpareLines(Lines):
    """Lines that change often, with the looks that plans and jobs want."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"lines--bad", "lines--gone", "lines--plus"}
    DEFAULT_CSS = """
    SpareLines > .lines--bad { color: $error; text-style: bold; }
    SpareLines > .lines--gone { color: $error; }
    SpareLines > .lines--plus { color: $success; }
    """

    spent = 0
    """About how many bytes drawing has taken since this was set to 0."""

    def refresh(self, *regions: Region, **how: bool) -> Self:
        """Draw these regions; what that takes is counted: Textual sends a line from its left on."""
        self.spent += sum(2 * region.right + _MOVE for region in regions)
        return super().refresh(*regions, **how)


class FoldLines(SpareLines):
    """Lines of which some fold those below them; subclasses say by which key."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space,enter", "fold", "Fold", id="fold.one"),
        Binding("l", "fold_all", "Lines", id="fold.all"),
    ]

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.folded: set[str] = set()

    # --- what subclasses say ---

    def fold_key(self, index: int) -> str:
        """What is folded with the line; empty: nothing."""
        raise NotImplementedError

    def fold_keys(self) -> set[str]:
        """The keys of all that hides lines, so that one key can hide and show them all."""
        raise NotImplementedError

    def rebuild(self) -> None:
        """Make the lines anew, with what is folded now."""
        raise NotImplementedError

    # --- folding ---

    def toggle(self, index: int) -> None:
        """Fold or unfold what a line belongs to; the cursor goes to its head."""
        key = self.fold_key(index) if 0 <= index < self.count() else ""
        if not key:
            return
        self.folded ^= {key}
        self.rebuild()
        self.move_to(next(n for n in range(self.count()) if self.fold_key(n) == key))

    def action_fold(self) -> None:
        """Fold or unfold what is under the cursor."""
        self.toggle(self.cursor)

    def action_fold_all(self) -> None:
        """Show all lines, or if they are shown, hide them."""
        keys = self.fold_keys()
        self.folded = set() if self.folded & keys else self.folded | keys
        self.rebuild()

    def on_click(self, event: events.Click) -> None:
        """Put the cursor there, and fold with a click on the sign."""
        index = self.index_at(event.y)
        if index is None:
            return
        self.focus(scroll_visible=False)
        self.move_to(index)
        if event.x < 6:
            self.toggle(index)
