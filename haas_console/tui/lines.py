"""A list of any length that draws only its visible lines.

Each cell that is sent over SSH costs time, so the list remembers what it drew and sends only the
cells that differ after a change. Moving the cursor sends two lines.
"""

from __future__ import annotations

from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.strip import Strip

from haas_console.core.colours import COLOURS
from haas_console.core.text import clean
from haas_console.tui.spans import changed_span
from haas_console.tui.textual_private import QuietScrollView

Part = tuple[str, str]
"""A text and the names of its styles (``dim``, ``net3 cursor``); empty for the plain style."""

STYLES = (
    "cursor", "blur", "edge", "spot", "dim", "rule", "head", "staged", "leaves", "drift", "bad",
    "good", "mark", "target", "refused", *(f"net{number}" for number in range(COLOURS)),
)  # fmt: skip


BAR = 1  # cells at the right edge, for the scroll bar


class Lines(QuietScrollView, can_focus=True):
    """Lines with a cursor; subclasses define how many there are and what each contains."""

    ALLOW_SELECT = False  # otherwise a drag also selects text, and the selection stays
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
        self.auto_links = False  # otherwise each move of the mouse redraws the whole widget
        self._painted: dict[int, Strip] = {}
        self._looks: dict[tuple[str, ...], Style] = {}

    # --- for subclasses to define ---

    def count(self) -> int:
        """How many lines there are."""
        raise NotImplementedError

    def parts(self, index: int, width: int) -> list[Part]:
        """The parts of a line, for a line ``width`` cells wide."""
        raise NotImplementedError

    def line_look(self, index: int) -> str:
        """A style for the whole line: ``target``, ``refused``, or empty."""
        return ""

    # --- drawing ---

    def render_line(self, y: int) -> Strip:
        """Draw a line of the window and remember it."""
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
        plain = over in ("target", "refused")  # one style for the whole line, to stand out
        parts = self.parts(index, width - BAR)
        if over == "cursor" and not self._look(over).reverse:
            parts = _edged(parts)
        segments = [
            self._segment(text if text.isprintable() else clean(text), "" if plain else name, over)
            for text, name in parts
            if text
        ]
        strip = Strip(segments).adjust_cell_length(width - BAR, self._look("", over)).simplify()
        return Strip([*strip, Segment(bar, self._look("rule"))], width)

    def _segment(self, text: str, name: str, over: str) -> Segment:
        look = self._look(name, over)
        if look.reverse and not _BLOCKS.isdisjoint(text):
            look += _UNDERLINED  # reversed, a full bar looks empty
        return Segment(text, look)

    def _bar(self, y: int) -> str:
        """A cell of the scroll bar; Textual's own is redrawn, 1 KB, when the mouse crosses it."""
        height, count = self.scrollable_content_region.height, self.count()
        if count <= height:
            return " "
        size = max(1, height * height // count)
        begin = self.scroll_offset.y * (height - size) // (count - height)
        return "▐" if begin <= y < begin + size else " "

    def scroll_to_bar(self, y: int) -> None:
        """Scroll to the position that a row of the scroll bar represents."""
        height = max(1, self.scrollable_content_region.height - 1)
        target = round(self.max_scroll_y * min(max(y, 0), height) / height)
        self.scroll_to(y=target, animate=False, immediate=True)

    def _look(self, *names: str) -> Style:
        look = self._looks.get(names)
        if look is None:
            base = look = self.rich_style
            for name in " ".join(names).split():
                over = self.get_component_rich_style(f"lines--{name}", partial=True)
                if over.reverse and look.color != base.color:
                    over += _UNDERLINED  # reversed, a coloured text looks like a stripe
                look += over
            self._looks[names] = look
        return look

    def notify_style_update(self) -> None:
        """Forget styles, because the theme has changed."""
        self._looks.clear()
        super().notify_style_update()

    def changed(self) -> None:
        """Redraw what differs; call this after the lines have changed."""
        size = Size(self.scrollable_content_region.width, self.count())
        if size.height != self.virtual_size.height:
            self.virtual_size = size
            self.cursor = max(0, min(self.cursor, self.count() - 1))
            if self.scroll_offset.y > self.max_scroll_y:
                self.scroll_to(y=self.max_scroll_y, animate=False, immediate=True)
        self.redraw()

    def redraw(self) -> None:
        """Send the cells of visible lines that differ from what was sent."""
        top = self.scroll_offset.y
        width = self.scrollable_content_region.width
        for y in range(self.scrollable_content_region.height):
            strip = self._strip(y + top)
            span = changed_span(self._painted.get(y), strip)
            if span is not None:
                self._painted[y] = strip
                self.refresh(Region(span[0], y, min(span[1], width), 1))

    def on_resize(self) -> None:
        """Fit the new width; Textual redraws the lines, and :meth:`render_line` remembers them."""
        self.virtual_size = Size(self.scrollable_content_region.width, self.count())

    def on_focus(self) -> None:
        """Show the cursor as that of the list that has the focus."""
        self.redraw()

    def on_blur(self) -> None:
        """Show the cursor as that of a list without the focus."""
        self.redraw()

    # --- the cursor ---

    def move_to(self, index: int) -> None:
        """Put the cursor on a line and scroll to it."""
        index = max(0, min(index, self.count() - 1))
        if index == self.cursor or self.count() == 0:
            return
        self.cursor = index
        self.reveal()
        self.redraw()
        self.post_message(self.Moved(self))

    def reveal(self) -> None:
        """Scroll to the cursor, and some lines further, because each scroll redraws all lines."""
        height = self.scrollable_content_region.height
        top = self.scroll_offset.y
        if height <= 0 or top <= self.cursor < top + height:
            return
        spare = height // 3
        target = self.cursor - spare if self.cursor < top else self.cursor - height + 1 + spare
        self.scroll_to(y=max(0, min(target, self.max_scroll_y)), animate=False, immediate=True)

    def action_move(self, by: int) -> None:
        """Move the cursor by a number of lines."""
        self.move_to(self.cursor + by)

    def action_page(self, by: int) -> None:
        """Move the cursor by a number of windows."""
        height = max(1, self.scrollable_content_region.height - 1)
        self.move_to(self.cursor + by * height)

    def action_go(self, where: int) -> None:
        """Move the cursor to the first (0) or last (-1) line."""
        self.move_to(0 if where == 0 else self.count() - 1)

    def index_at(self, y: int) -> int | None:
        """The line at a row of the window; None below the last."""
        index = y + self.scroll_offset.y
        return index if 0 <= index < self.count() else None


_BLOCKS = frozenset("█░")
_UNDERLINED = Style(reverse=False, underline=True)
"""How the cursor's line goes on where it cannot be reversed."""


def _edged(parts: list[Part]) -> list[Part]:
    """Mark the beginning of the cursor's line, if there is room for a mark."""
    if not parts or not parts[0][0].startswith(" "):
        return parts
    (text, look), *rest = parts
    return [("▌", "edge"), (text[1:], look), *rest]


class ClickableLines(Lines):
    """Lines whose cursor goes where the user clicks."""

    def on_click(self, event: events.Click) -> None:
        """Put the cursor there."""
        index = self.index_at(event.y)
        if index is not None:
            self.move_to(index)


def cut(text: str, width: int) -> str:
    """Pad or cut a text to a number of cells."""
    if len(text) > width:
        return text[: width - 1] + "…" if width > 1 else text[:width]
    return text.ljust(width)
