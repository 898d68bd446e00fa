"""All that the console uses of Textual's private parts, read in the source of Textual 8.2.8.

pyproject.toml pins that version. Nothing else in this package names a private part of Textual.
``tests/tui/test_textual_private.py`` tests each assumption made here: run it first when the pin
moves.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import IO, Any, Self

from textual import events
from textual._xterm_parser import XTermParser
from textual.app import App
from textual.await_remove import AwaitRemove
from textual.dom import DOMNode
from textual.driver import Driver
from textual.drivers import linux_driver
from textual.drivers.linux_driver import LinuxDriver
from textual.filter import LineFilter, Monochrome, NoColor
from textual.geometry import Region, Size
from textual.reactive import Reactive
from textual.screen import Screen
from textual.scroll_view import ScrollView
from textual.widget import Widget

from haas_console.tui.sgr import squeeze


class LosableTerminal:
    """The terminal's file, which drops what is written once the terminal is gone.

    An error of writing would end Textual's thread that writes. The app would then wait for ever for
    room in that thread's queue, and outlive its terminal.
    """

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self._lost = False

    def fileno(self) -> int:
        """The descriptor of the terminal."""
        return self._file.fileno()

    def write(self, text: str) -> None:
        """Write, if the terminal is still there."""
        if not self._lost:
            try:
                self._file.write(text)
            except OSError:
                self._lost = True

    def flush(self) -> None:
        """Send what was written, if the terminal is still there."""
        if not self._lost:
            try:
                self._file.flush()
            except OSError:
                self._lost = True


class EscapeParser(XTermParser):
    """Reads Esc and a key that arrive together as two keys.

    Textual takes them for Alt and the key, and drops Alt from keys with a name: Esc, Enter from a
    fast hand or over a slow line would be Enter alone, and answer what Esc was to leave. Nothing is
    bound to Alt here.
    """

    def _sequence_to_key_events(self, sequence: str, alt: bool = False) -> Iterable[events.Key]:
        if alt:
            yield events.Key("escape", "\x1b")
        yield from super()._sequence_to_key_events(sequence)


setattr(linux_driver, "XTermParser", EscapeParser)  # noqa: B010 - it is private there


class TerminalDriver(LinuxDriver):
    """Textual's driver, on a terminal that may go away at any moment."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._file: Any = LosableTerminal(self._file)

    def write(self, data: str) -> None:
        """Write, without the styles that are in force already.

        Textual ends every piece of text with a reset, so that what it writes at once begins and
        ends with the default style.
        """
        super().write(squeeze(data))


class PlainApp(App[int]):
    """An app that draws less, and gives access to its terminal."""

    def _prune(self, *nodes: Widget, parent: DOMNode | None = None) -> AwaitRemove:
        """Take widgets away, after their workers have been told to end.

        Textual tells them once the widgets inside are gone, which a worker would look for in vain.
        """
        for node in nodes:
            self.workers.cancel_node(node)
        return super()._prune(*nodes, parent=parent)

    def get_driver_class(self) -> type[Driver]:
        """Use our own driver in place of Textual's usual one."""
        usual = super().get_driver_class()
        return TerminalDriver if usual is LinuxDriver else usual

    @property
    def _background_screens(self) -> list[Screen[Any]]:
        """The screens that show behind the one in front: only those behind a modal one.

        Textual also counts the screen below an opaque one, and redraws the screen in front, 6 KB,
        for each change of the one below: several times when a screen opens or a job ends.
        """
        stack = self.screen_stack
        return super()._background_screens if not stack or stack[-1].is_modal else []

    async def _on_key(self, event: events.Key) -> None:
        """Handle a key that no widget has used, between :meth:`before_key` and :meth:`after_key`.

        Textual handles a key by the ``_on_key`` and then the ``on_key`` of each class, so a public
        ``on_key`` can run before the key's action but not after it.
        """
        event.prevent_default()
        if self.before_key(event):
            await super()._on_key(event)
        await self.after_key()

    def before_key(self, event: events.Key) -> bool:
        """Called before a key's action runs; False if none is to run."""
        return True

    async def after_key(self) -> None:
        """Called after a key's action has run."""

    @property
    def pressed_widget(self) -> Widget | None:
        """The widget on which the mouse was pressed; Textual needs it to tell a click."""
        return self._mouse_down_widget

    def write(self, sequence: str) -> bool:
        """Write a control sequence to the terminal; False if there is none."""
        if self._driver is None:
            return False
        self._driver.write(sequence)
        return True

    def report_mouse(self, on: bool) -> bool:
        """Ask the terminal for the mouse, or leave it the mouse; False if there is no terminal.

        Textual can decide this only when it starts: ``run(mouse=...)``.
        """
        if self._driver is None:
            return False
        # Only drivers of real terminals have these.
        name = "_enable_mouse_support" if on else "_disable_mouse_support"
        getattr(self._driver, name, lambda: None)()
        return True

    def add_line_filter(self, line_filter: LineFilter) -> None:
        """Filter every line before it is sent."""
        self._filters.append(line_filter)

    def drop_colours_only(self) -> None:
        """With NO_COLOR, drop colours but keep bold, dim and reverse.

        Textual picks its filter before the app's theme is known: greys for its own theme, which on
        the terminal's own colours make text and background the same.
        """
        self._filters = [each for each in self._filters if not isinstance(each, Monochrome)]
        self._filters.append(NoColor())


class PaintOnceScreen(Screen[None]):
    """A screen that is painted once when it opens: :meth:`paint_first` does it.

    Textual paints a new screen, still blank, when it is laid out and again because it is new; each
    costs 6 KB.
    """

    focused: Reactive[Widget | None] = Reactive(None, repaint=False)
    """As in Textual, but a new focus does not repaint the whole screen: 7 KB for each Tab."""

    _painted_first = False

    def _on_screen_resume(self, event: events.ScreenResume) -> None:
        """Keep the styles of a new screen, each of which was computed when it was mounted.

        Textual, whose own handler comes next, would compute all of them once more.
        """
        event.refresh_styles = event.refresh_styles and self._painted_first

    @property
    def is_there(self) -> bool:
        """Whether its widgets can be used: not once it has begun to be taken away."""
        return self.is_attached and not self._pruning

    @property
    def is_ready(self) -> bool:
        """Whether its widgets are there to act on.

        Textual asks the screen in front also about keys of the screens below it, and may do so
        before it is composed.
        """
        return self.is_there and self.is_mounted

    @property
    def painted(self) -> bool:
        """Whether the screen has been painted."""
        return self._painted_first

    def paint_first(self) -> None:
        """Paint for the first time, including all repaints and layouts that were asked for."""
        self._on_timer_update()  # does now what Textual has put off until its next tick
        self._painted_first = True
        self._compositor_refresh()
        for widget in self.walk_children(Widget):
            # Asked for while it was mounted and laid out; each would be drawn once more, 3 KB.
            widget._repaint_required = widget._layout_required = False

    def _compositor_refresh(self) -> None:
        """Paint, unless the screen is still blank."""
        if self._painted_first:
            super()._compositor_refresh()

    def _extend_compose(self, widgets: list[Widget]) -> None:
        """Add none of Textual's toasts and tooltips: even unused they cost a layout of it all."""

    def refresh(
        self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False
    ) -> Self:
        """Repaint, but not for a layout, which itself repaints what it moves.

        Textual asks for both when a widget is mounted and when the screen in front is gone.
        """
        repaint = repaint and not layout
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)


class QuietScrollView(ScrollView):
    """A scroll view whose number of lines can change without a layout of the screen, 6 KB."""

    virtual_size: Reactive[Size] = Reactive(Size(0, 0), repaint=False)
    """As in Textual, but a change neither lays out nor repaints."""

    def watch_virtual_size(self, size: Size) -> None:
        """Fit the scroll bar to the number of lines."""
        self._scroll_update(size)

    def _size_updated(
        self, size: Size, virtual_size: Size, container_size: Size, layout: bool = True
    ) -> bool:
        """Ignore a size that is the same: otherwise each move of a drag redraws the scroll bar.

        A layout paints what has another size. Textual also notes it as still to be painted, and
        would send all of it again, 4 KB, with the next cell that changes.
        """
        if size == self.outer_size:
            return False
        updated = super()._size_updated(size, virtual_size, container_size, layout)
        if layout:
            self._repaint_regions.clear()
        return updated
