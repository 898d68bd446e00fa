"""Lists that count what drawing costs, and lists whose lines can be folded."""

from __future__ import annotations

from typing import ClassVar, Self

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region

from haas_console.tui.lines import Lines

_MOVE = 24  # about how many bytes it takes to move the cursor and set styles


class SpareLines(Lines):
    """Lines that change often, with the styles that plans and jobs use."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"lines--gone", "lines--plus"}
    DEFAULT_CSS = """
    SpareLines > .lines--gone { color: $bad; }
    SpareLines > .lines--plus { color: $good; }
    """

    spent = 0
    """About how many bytes drawing has sent since this was set to 0."""

    def refresh(self, *regions: Region, **how: bool) -> Self:
        """Draw these regions and count the bytes: Textual sends each line from its left edge."""
        self.spent += sum(2 * region.right + _MOVE for region in regions)
        return super().refresh(*regions, **how)


class FoldLines(SpareLines):
    """Lines some of which fold those below them; each foldable part has a key."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space,enter", "fold", "Fold", id="fold.one"),
        Binding("l", "fold_all", "Lines", id="fold.all"),
    ]

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.folded: set[str] = set()

    # --- for subclasses to define ---

    def fold_key(self, index: int) -> str:
        """The key of what is folded with the line; empty if nothing is."""
        raise NotImplementedError

    def fold_keys(self) -> set[str]:
        """The keys of all parts that ``l`` folds and unfolds together."""
        raise NotImplementedError

    def rebuild(self) -> None:
        """Rebuild the lines according to what is folded."""
        raise NotImplementedError

    # --- folding ---

    def toggle(self, index: int) -> None:
        """Fold or unfold the part to which a line belongs; move the cursor to its head."""
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
        """Put the cursor there; a click on the sign also folds or unfolds."""
        index = self.index_at(event.y)
        if index is None:
            return
        self.focus(scroll_visible=False)
        self.move_to(index)
        if event.x < 6:
            self.toggle(index)
