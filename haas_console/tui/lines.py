"""A list of any length that draws only the lines that are seen.

Over SSH each cell that is sent costs, so this remembers what it drew, and after a change sends
only the lines that are different; the cursor costs two lines.
"""

from __future__ import annotations

from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.strip import Strip

from haas_console.core.text import clean
from haas_console.tui.spans import changed_span
from haas_console.tui.textual_private import QuietScrollView

Part = tuple[str, str]
"""Text and the name of its style: ``dim``, ``head``, ``staged``, ...; empty for plain."""

STYLES = (
    "cursor", "blur", "dim", "head", "staged", "leaves", "drift", "good", "mark", "target",
    "refused",
)  # fmt: skip


BAR = 1  # cells at the right edge, for the scroll bar


class Lines(QuietScrollView, can_focus=True):
    """Lines with a cursor; subclasses say how many there are and what stands in each."""

    ALLOW_SELECT = False  # else a drag selects text as well, and the selection stays
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"lines--{name}" for name in STYLES}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "move(1)", "Down", id="list.down", show=False),
        Binding("up,k", "move(-1)", "Up", id="list.up", show=False),
        Binding("pagedown,ctrl+f", "page(1)", "Page down", id="list.page_down", show=False),
        Binding("pageup,ctrl+b", "page(-1)", "Page up", id="list.page_up", show=False),
        Binding("g,home", "go(0)", "First", id="list.first", show=False),
        Binding("G,end", "go(-1)", "Last", id="list.last", show=False),
    ]

    class Moved(Message):
        """The cursor moved to another line."""

        def __init__(self, lines: Lines) -> None:
            super().__init__()
            self.lines = lines

        @property
        def control(self) -> Lines:
            """The list whose cursor moved."""
            return self.lines

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.cursor = 0
        self.auto_links = False  # else the whole widget is drawn anew on each mouse move
        self._painted: dict[int, Strip] = {}
        self._looks: dict[tuple[str, ...], Style] = {}

    # --- what subclasses say ---

    def count(self) -> int:
        """How many lines there are."""
        raise NotImplementedError

    def parts(self, index: int, width: int) -> list[Part]:
        """What stands in a line."""
        raise NotImplementedError

    def line_look(self, index: int) -> str:
        """The style that lies over a whole line: ``target``, ``refused``, or empty."""
        return ""

    # --- drawing ---

    def render_line(self, y: int) -> Strip:
        """Draw a line of the window, and remember it."""
        strip = self._strip(y + self.scroll_offset.y)
        self._painted[y] = strip
        return strip

    def _strip(self, index: int) -> Strip:
        width = self.scrollable_content_region.width
        bar = self._bar(index - self.scroll_offset.y)
        if not 0 <= index < self.count():
            return Strip.blank(width, self._look())
        over = self.line_look(index)
        if not over and index == self.cursor:
            over = "cursor" if self.has_focus else "blur"
        plain = over in ("target", "refused")  # one look, so that it is read at a glance
        segments = [
            Segment(
                text if text.isprintable() else clean(text),
                self._look("" if plain else name, over),
            )
            for text, name in self.parts(index, width - BAR)
            if text
        ]
        strip = Strip(segments).adjust_cell_length(width - BAR, self._look("", over)).simplify()
        return Strip([*strip, Segment(bar, self._look("dim"))], width)

    def _bar(self, y: int) -> str:
        """A cell of the scroll bar; Textual's own is drawn anew, 1 KB, when the mouse passes it."""
        height, count = self.scrollable_content_region.height, self.count()
        if count <= height:
            return " "
        size = max(1, height * height // count)
        begin = self.scroll_offset.y * (height - size) // (count - height)
        return "▐" if begin <= y < begin + size else " "

    def scroll_to_bar(self, y: int) -> None:
        """Scroll to where a row of the scroll bar stands for."""
        height = max(1, self.scrollable_content_region.height - 1)
        target = round(self.max_scroll_y * min(max(y, 0), height) / height)
        self.scroll_to(y=target, animate=False, immediate=True)

    def _look(self, *names: str) -> Style:
        look = self._looks.get(names)
        if look is None:
            look = self.rich_style
            for name in names:
                if name:
                    look += self.get_component_rich_style(f"lines--{name}", partial=True)
            self._looks[names] = look
        return look

    def notify_style_update(self) -> None:
        """Forget looks that a theme has changed."""
        self._looks.clear()
        super().notify_style_update()

    def changed(self) -> None:
        """Draw what differs from what was drawn; call this after the lines have changed."""
        size = Size(self.scrollable_content_region.width, self.count())
        if size.height != self.virtual_size.height:
            self.virtual_size = size
            self.cursor = max(0, min(self.cursor, self.count() - 1))
            if self.scroll_offset.y > self.max_scroll_y:
                self.scroll_to(y=self.max_scroll_y, animate=False, immediate=True)
        self.redraw()

    def redraw(self) -> None:
        """Send the visible lines that differ from what was sent."""
        top = self.scroll_offset.y
        width = self.scrollable_content_region.width
        for y in range(self.scrollable_content_region.height):
            strip = self._strip(y + top)
            span = changed_span(self._painted.get(y), strip)
            if span is not None:
                self._painted[y] = strip
                self.refresh(Region(span[0], y, min(span[1], width), 1))

    def on_resize(self) -> None:
        """The width may be another; what is drawn anew for that is noted as it is drawn."""
        self.virtual_size = Size(self.scrollable_content_region.width, self.count())

    def on_focus(self) -> None:
        """Show the cursor of a list that has the keys."""
        self.redraw()

    def on_blur(self) -> None:
        """Show that it has them no longer."""
        self.redraw()

    # --- the cursor ---

    def move_to(self, index: int) -> None:
        """Put the cursor on a line, and the line in sight."""
        index = max(0, min(index, self.count() - 1))
        if index == self.cursor or self.count() == 0:
            return
        self.cursor = index
        self.reveal()
        self.redraw()
        self.post_message(self.Moved(self))

    def reveal(self) -> None:
        """Scroll so far that the cursor is seen; some lines more, as each scroll draws all."""
        height = self.scrollable_content_region.height
        top = self.scroll_offset.y
        if height <= 0 or top <= self.cursor < top + height:
            return
        spare = height // 3
        target = self.cursor - spare if self.cursor < top else self.cursor - height + 1 + spare
        self.scroll_to(y=max(0, min(target, self.max_scroll_y)), animate=False, immediate=True)

    def action_move(self, by: int) -> None:
        """Move the cursor by some lines."""
        self.move_to(self.cursor + by)

    def action_page(self, by: int) -> None:
        """Move the cursor by a window."""
        height = max(1, self.scrollable_content_region.height - 1)
        self.move_to(self.cursor + by * height)

    def action_go(self, where: int) -> None:
        """Move the cursor to the first (0) or last (-1) line."""
        self.move_to(0 if where == 0 else self.count() - 1)

    def index_at(self, y: int) -> int | None:
        """The line at a row of the window, or None below the last."""
        index = y + self.scroll_offset.y
        return index if 0 <= index < self.count() else None


def cut(text: str, width: int) -> str:
    """Fit a text into so many cells: padded, or with its end left out."""
    if len(text) > width:
        return text[: width - 1] + "…" if width > 1 else text[:width]
    return text.ljust(width)
