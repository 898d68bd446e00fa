"""The board's right side: one area for each network, with what is on it."""

from __future__ import annotations

from collections.abc import Sequence

from haas_console.core.areas import AreaLine, area_lines
from haas_console.core.colours import network_look
from haas_console.core.gestures import DragItem, DropTarget
from haas_console.core.inventory import Inventory
from haas_console.tui.grip import Grip
from haas_console.tui.lines import Lines, Part, cut

SIGN_LOOK = {"+": "staged", "-": "leaves", " ": ""}


class AreaList(Grip, Lines):
    """The areas. The one that a drop would land on is lit."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.lines: list[AreaLine] = []
        self.lit: DropTarget | None = None
        self.lit_refused = False

    def update(self, inventory: Inventory, project: str | None) -> None:
        """Rebuild the lines."""
        self.lines = area_lines(inventory, project) if inventory.info is not None else []
        self.changed()

    def count(self) -> int:
        """One line for each head, nic and headnode."""
        return len(self.lines)

    def light(self, target: DropTarget | None, refused: bool = False) -> None:
        """Mark an area as the target of a drag, or as one that is ``refused``."""
        if (target, refused) != (self.lit, self.lit_refused):
            self.lit, self.lit_refused = target, refused
            self.redraw()

    def line_look(self, index: int) -> str:
        """Light the head of the area that is the target."""
        line = self.lines[index]
        if self.lit is None or not line.head or line.target != self.lit:
            return ""
        return "refused" if self.lit_refused else "target"

    def parts(self, index: int, width: int) -> list[Part]:
        """The name and the contents of a head; of other lines the sign and the name."""
        line = self.lines[index]
        if line.head:
            lit = line.target == self.lit
            sign = ("✗ " if self.lit_refused else "▶ ") if lit else "■ "
            name = min(len(line.text), width - 4)
            note, key = f"  {line.note}", line.target.key
            return [
                (sign, f"head {network_look(key)}" if key is not None else "head"),
                (cut(line.text, name), "head"),
                (cut(note, max(0, width - name - 2)), "dim"),
            ]
        if line.item is None:
            return [(f"  {line.note}" if line.note else "", "dim")]
        look = SIGN_LOOK[line.sign]
        note = f"  {line.note}" if line.note else ""
        return [(f"  {line.sign} ", look), (line.text, look), (note, "dim")]

    def target_at(self, index: int) -> DropTarget | None:
        """The area to which a line belongs; below the last line the last area."""
        if 0 <= index < len(self.lines):
            return self.lines[index].target
        return self.lines[-1].target if self.lines and index >= len(self.lines) else None

    def items_at(self, index: int) -> Sequence[DragItem]:
        """The nic or headnode of a line; none if it only leaves the area."""
        line = self.lines[index]
        return () if line.item is None or line.sign == "-" else (line.item,)

    def head_of(self, target: DropTarget) -> int | None:
        """The line of an area's head."""
        return next((i for i, ln in enumerate(self.lines) if ln.head and ln.target == target), None)

    def current(self) -> AreaLine | None:
        """The line under the cursor."""
        return self.lines[self.cursor] if 0 <= self.cursor < len(self.lines) else None
