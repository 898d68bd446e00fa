"""The face plate as a widget, with a cursor that moves from port to port."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from haas_console.core.faceplate import Plate
from haas_console.tui.lines import Lines, Part


class PlateLines(Lines):
    """The face plate of one switch, with some lines above and below it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "step(-1,0)", "Port to the left", id="switch.left", show=False),
        Binding("right,l", "step(1,0)", "Port to the right", id="switch.right", show=False),
        Binding("up,k", "step(0,-1)", "Port above", id="switch.up", show=False),
        Binding("down,j", "step(0,1)", "Port below", id="switch.down", show=False),
    ]

    class PortChosen(Message):
        """The cursor has moved to another port."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.plate = Plate()
        self.above: list[list[Part]] = []
        self.below: list[list[Part]] = []
        self.port: str | None = None
        self.cursor = -1  # the cursor is on a cell, not on a line

    def update_plate(self, plate: Plate, above: list[list[Part]], below: list[list[Part]]) -> None:
        """Show a face plate; the cursor stays on its port if there still is one of that name."""
        self.plate, self.above, self.below = plate, above, below
        if self.port not in plate.line_of:
            self.port = plate.step(None, 0, 0)
        self.changed()
        self.cursor = -1

    def count(self) -> int:
        """The lines of the face plate, and those above and below it."""
        return len(self.above) + len(self.plate.lines) + len(self.below)

    def parts(self, index: int, width: int) -> list[Part]:
        """A line, with the cell under the cursor in its own style."""
        if index < len(self.above):
            return self.above[index]
        index -= len(self.above)
        if index >= len(self.plate.lines):
            return self.below[index - len(self.plate.lines)]
        over = "cursor" if self.has_focus else "blur"
        return [
            (
                cell.text,
                f"{cell.look} {over}" if cell.port and cell.port == self.port else cell.look,
            )
            for cell in self.plate.lines[index]
        ]

    # --- the cursor ---

    def choose(self, port: str | None) -> None:
        """Put the cursor on a port, and scroll to it."""
        if port is None or port == self.port or port not in self.plate.line_of:
            return
        self.port = port
        self._reveal_port()
        self.redraw()
        self.post_message(self.PortChosen())

    def _reveal_port(self) -> None:
        line = len(self.above) + self.plate.line_of.get(self.port or "", 0)
        top, height = self.scroll_offset.y, self.scrollable_content_region.height
        if height > 0 and not top + 2 <= line < top + height - 2:
            self.scroll_to(y=max(0, line - height // 2), animate=False, immediate=True)

    def action_step(self, across: int, down: int) -> None:
        """Go to the next port in a direction."""
        self.choose(self.plate.step(self.port, across, down))

    def action_page(self, by: int) -> None:
        """Scroll by a number of windows."""
        height = max(1, self.scrollable_content_region.height - 1)
        self.scroll_to(y=self.scroll_offset.y + by * height, animate=False, immediate=True)

    def action_go(self, where: int) -> None:
        """Go to the first or the last port."""
        ports = [port for row in self.plate.rows for port in row if port]
        if ports:
            self.choose(ports[where])

    def on_click(self, event: events.Click) -> None:
        """Put the cursor on the clicked port."""
        index = self.index_at(event.y)
        at = -1 if index is None else index - len(self.above)
        if not 0 <= at < len(self.plate.lines):
            return
        column = 0
        for cell in self.plate.lines[at]:
            column += len(cell.text)
            if event.x < column:
                self.choose(cell.port)
                return
