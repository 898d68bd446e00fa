"""Lists whose lines can be clicked and dragged."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.geometry import Offset
from textual.message import Message

from haas_console.core.gestures import DragItem
from haas_console.tui.lines import BAR, Lines

THRESHOLD = 2  # cells that a pressed mouse must move to drag; less is a click


class Grip(Lines):
    """A list that posts a message for each click and each stage of a drag."""

    class Clicked(Message):
        """A line was clicked, at a ``column``; ``toggles`` if it is to be marked or unmarked."""

        def __init__(self, lines: Lines, index: int, column: int, toggles: bool) -> None:
            super().__init__()
            self.lines = lines
            self.index = index
            self.column = column
            self.toggles = toggles

    class DragBegan(Message):
        """A drag of these items has begun."""

        def __init__(self, source: Grip, items: Sequence[DragItem], at: Offset) -> None:
            super().__init__()
            self.source = source
            self.items = items
            self.at = at

    class DragMoved(Message):
        """The pointer has moved; a burst of these messages becomes one."""

        def __init__(self, at: Offset) -> None:
            super().__init__()
            self.at = at

        def can_replace(self, message: Message) -> bool:
            """Keep only the last position."""
            return isinstance(message, Grip.DragMoved)

    class DragEnded(Message):
        """The drag has ended: it was ``dropped``, or else cancelled."""

        def __init__(self, at: Offset, dropped: bool) -> None:
            super().__init__()
            self.at = at
            self.dropped = dropped

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._pressed: Offset | None = None
        self._pressed_index: int | None = None
        self._dragging = False
        self._scrolling = False
        self._dropped_at: Offset | None = None

    def _on_bar(self, x: int) -> bool:
        region = self.scrollable_content_region
        return x >= region.width - BAR and self.count() > region.height

    def items_at(self, index: int) -> Sequence[DragItem]:
        """What a drag from a line takes; nothing if the line cannot be dragged."""
        return ()

    # --- the mouse ---

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Remember the position: it may become a click or a drag."""
        if event.button != 1:
            return
        if self._on_bar(event.x):
            self._scrolling = True
            self.capture_mouse()
            self.scroll_to_bar(event.y)
            return
        index = self.index_at(event.y)
        self._pressed = Offset(event.screen_x, event.screen_y)
        self._pressed_index = index

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Begin a drag when the pressed mouse has moved far enough; then follow it."""
        at = Offset(event.screen_x, event.screen_y)
        if self._scrolling:
            self.scroll_to_bar(event.y)
            return
        if self._dragging:
            self.post_message(self.DragMoved(at))
            event.stop()
            return
        if self._pressed is None or self._pressed_index is None:
            return
        if event.button != 1:
            self._pressed = None  # it was released elsewhere
            return
        moved = at - self._pressed
        if abs(moved.x) < THRESHOLD and abs(moved.y) < 1:
            return
        items = self.items_at(self._pressed_index)
        if items:
            self._dragging = True
            self._dropped_at = None
            self.capture_mouse()
            self.post_message(self.DragBegan(self, items, at))

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """Drop, or click."""
        at = Offset(event.screen_x, event.screen_y)
        if self._scrolling:
            self.release_mouse()
        elif self._dragging:
            self._dropped_at = at
            self.release_mouse()
        elif self._pressed_index is not None and self._pressed is not None:
            index = self.index_at(event.y)
            if index == self._pressed_index and 0 <= event.x < self.size.width:
                toggles = event.ctrl or event.shift or event.meta
                self.post_message(self.Clicked(self, index, event.x, toggles))
        self._pressed = None

    def on_mouse_release(self, event: events.MouseRelease) -> None:
        """End the drag, whether it was dropped, cancelled, or its screen was left."""
        event.stop()
        self._pressed = None
        self._scrolling = False
        if self._dragging:
            self._dragging = False
            dropped, self._dropped_at = self._dropped_at, None
            at = dropped or event.mouse_position
            self.post_message(self.DragEnded(at, dropped is not None))

    def cancel_drag(self) -> None:
        """End the drag without dropping."""
        if self._dragging:
            self._dropped_at = None
            self.release_mouse()
