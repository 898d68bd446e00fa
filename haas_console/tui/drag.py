"""A drag: the ghost that follows the pointer, the lit target, and why it would be refused."""

from __future__ import annotations

from collections.abc import Sequence

from textual.geometry import Offset
from textual.timer import Timer
from textual.widgets import Static

from haas_console.core import gestures
from haas_console.core.gestures import DragItem, DropTarget, Refusal
from haas_console.tui.areas import AreaList
from haas_console.tui.console import ScreenHost
from haas_console.tui.grip import Grip
from haas_console.tui.lines import Lines

EDGE = 1 / 12  # seconds between two lines of scrolling at an edge


class Ghost(Static):
    """What is dragged, shown beside the pointer.

    It is mounted once and made visible for each drag: that costs 0.2 KB, mounting it 18 KB.
    """

    ALLOW_SELECT = False

    def __init__(self) -> None:
        super().__init__("", id="ghost", markup=False)
        self.auto_links = False


class Drag:
    """The drag, one at a time, from either side of the board onto an area."""

    def __init__(self, host: ScreenHost, areas: AreaList, ghost: Ghost) -> None:
        self._host = host
        self.areas = areas
        self.ghost = ghost
        self.items: list[DragItem] = []
        self.source: Grip | None = None
        self._at = Offset(0, 0)
        self._timer: Timer | None = None
        self._refusal = ""

    @property
    def on(self) -> bool:
        """Whether something is being dragged."""
        return self.source is not None

    def begin(self, source: Grip, items: Sequence[DragItem], at: Offset) -> None:
        """Show the ghost at the pointer."""
        self.source, self.items = source, list(items)
        what = str(self.items[0])
        if len(self.items) > 1:
            what = f"{len(self.items)} nics"
        self.ghost.update(f" {what} ")
        self.ghost.styles.offset = self._place(at)
        self.ghost.visible = True
        self.move(at)

    def _place(self, at: Offset) -> tuple[int, int]:
        """A place beside the pointer and within the screen."""
        size = self.ghost.screen.size
        width = self.ghost.size.width or 20
        return (max(0, min(at.x + 2, size.width - width)), min(at.y + 1, size.height - 1))

    def move(self, at: Offset) -> None:
        """Follow the pointer; light the area under it, or say why a drop there is refused."""
        if not self.on:
            return
        self._at = at
        self.ghost.styles.offset = self._place(at)
        target = self.target(at)
        refusal = ""
        if target is not None:
            session = self._host.session
            found = gestures.plan_drop(
                session.inventory, self.items, target, session.write_access, tagged=False
            )
            refusal = found.reason if isinstance(found, Refusal) else ""
        self.areas.light(target, bool(refusal))
        if refusal != self._refusal:
            self._refusal = refusal
            if refusal:
                self._host.fail(refusal)
            else:
                self._host.say("")
        self._mind_edges(at)

    def target(self, at: Offset) -> DropTarget | None:
        """The area at a position on the screen."""
        region = self.areas.region
        if not region.contains(at.x, at.y):
            return None
        return self.areas.target_at(at.y - region.y + self.areas.scroll_offset.y)

    def end(self, at: Offset) -> DropTarget | None:
        """Hide the ghost; return the area it was dropped on."""
        target = self.target(at) if self.on else None
        self.source = None
        self.ghost.visible = False
        self.areas.light(None)
        self._refusal = ""
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        return target

    def cancel(self) -> None:
        """Let go without dropping."""
        if self.source is not None:
            self.source.cancel_drag()
            self._host.say("")

    # --- scrolling at the edges ---

    def _edge(self, at: Offset) -> tuple[Lines, int] | None:
        for lines in (self.areas, self.source):
            if lines is None or not lines.region.contains(at.x, at.y):
                continue
            if at.y <= lines.region.y and lines.scroll_offset.y > 0:
                return lines, -1
            if at.y >= lines.region.bottom - 1 and lines.scroll_offset.y < lines.max_scroll_y:
                return lines, 1
        return None

    def _mind_edges(self, at: Offset) -> None:
        near = self._edge(at) is not None
        if near and self._timer is None:
            self._timer = self.ghost.set_interval(EDGE, self._scroll)
        elif not near and self._timer is not None:
            self._timer.stop()
            self._timer = None

    def _scroll(self) -> None:
        found = self._edge(self._at)
        if found is None or not self.on:
            return
        lines, by = found
        lines.scroll_to(y=lines.scroll_offset.y + by, animate=False, immediate=True)
        self.move(self._at)
