"""What the console assumes of Textual's private parts: read here first when its pin moves."""

from __future__ import annotations

import ast
import asyncio
import inspect
import os
import textwrap
import threading
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual._xterm_parser import XTermParser
from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.color import Color
from textual.css.stylesheet import Stylesheet
from textual.dom import DOMNode
from textual.driver import Driver
from textual.drivers._writer_thread import MAX_QUEUED_WRITES, WriterThread
from textual.drivers.linux_driver import LinuxDriver
from textual.events import Event
from textual.filter import LineFilter, Monochrome, NoColor
from textual.geometry import Size
from textual.screen import ModalScreen, Screen
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widgets import Input, Static, TextArea

import haas_console.tui
from haas_console.tui.textual_private import (
    EscapeParser,
    LosableTerminal,
    PaintOnceScreen,
    PlainApp,
    QuietScrollView,
    TerminalDriver,
)
from tests.tui.terminal_input import key_of, send


def test_textual_is_the_version_that_was_read() -> None:
    assert version("textual") == "8.2.8"


@pytest.mark.parametrize("key", ["enter", "x", "colon"])
def test_esc_that_comes_together_with_a_key_is_a_key_of_its_own(key: str) -> None:
    typed = {"enter": "\r", "colon": ":"}.get(key, key)
    assert _read_at_once(EscapeParser(), f"\x1b{typed}") == ["escape", key]
    assert _read_at_once(XTermParser(), f"\x1b{typed}") != ["escape", key]


def _read_at_once(parser: XTermParser, typed: str) -> list[str]:
    """The keys of what a terminal sent in one piece, and then nothing for a while."""
    found = [*parser.feed(typed)]
    while not found:
        found += parser.tick()
    return [event.key for event in found if isinstance(event, events.Key)]


# --- the app --------------------------------------------------------------------------------------


async def test_textual_counts_the_screen_below_an_opaque_one_as_visible() -> None:
    app = PlainApp()
    async with app.run_test() as pilot:
        below = app.screen
        await app.push_screen(Screen[None]())
        await pilot.pause()
        assert App._background_screens.fget(app) == [below]  # type: ignore[attr-defined]
        assert app._background_screens == []
        await app.push_screen(ModalScreen[None]())
        assert below not in app._background_screens[1:]
        assert app._background_screens


class Working(Screen[None]):
    left = -1

    def compose(self) -> ComposeResult:
        yield Static("a widget")

    def on_mount(self) -> None:
        self.run_worker(self.work())

    async def work(self) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            self.left = len(self.query(Static))


async def test_the_workers_of_a_screen_end_before_its_widgets_go() -> None:
    app = PlainApp()
    async with app.run_test() as pilot:
        page = Working()
        await app.push_screen(page)
        await pilot.pause()
        [worker] = app.workers
        await app.pop_screen()
        assert worker.is_cancelled
        assert page.left == 1


class KeyRecorder(PlainApp):
    BINDINGS = [Binding("x,y", "act")]

    def __init__(self) -> None:
        super().__init__()
        self.order: list[str] = []

    def before_key(self, event: events.Key) -> bool:
        self.order.append(f"before {event.key}")
        return event.key != "y"

    def action_act(self) -> None:
        self.order.append("act")

    async def after_key(self) -> None:
        self.order.append("after")


async def test_a_key_that_no_widget_uses_is_handled_by_the_apps_on_key() -> None:
    app = KeyRecorder()
    async with app.run_test() as pilot:
        await pilot.press("x")
        assert app.order == ["before x", "act", "after"]
        await pilot.press("y")
        assert app.order[3:] == ["before y", "after"]


class Pressed(PlainApp):
    def compose(self) -> ComposeResult:
        yield Static("press me", id="target")


async def test_the_app_remembers_the_widget_on_which_the_mouse_was_pressed() -> None:
    app = Pressed()
    async with app.run_test() as pilot:
        press = events.MouseDown(None, 2, 0, 0, 0, 1, False, False, False, 2, 0)
        send(app, press)
        await pilot.pause()
        assert app.pressed_widget is app.query_one("#target")


class Recorder(LinuxDriver):
    """The driver of a real terminal, whose output is kept."""

    sent = ""

    def write(self, data: str) -> None:
        self.sent += data


def with_terminal(app: PlainApp) -> Recorder:
    app._driver = Recorder(app)
    return app._driver


async def test_the_driver_writes_to_the_terminal() -> None:
    app = PlainApp()
    assert not app.write("nowhere")
    terminal = with_terminal(app)
    assert app.write("\x1b]52;c;eA==\x07")
    assert terminal.sent == "\x1b]52;c;eA==\x07"


async def test_the_driver_of_a_terminal_can_give_up_the_mouse_and_take_it_back() -> None:
    app = PlainApp()
    assert not app.report_mouse(False)
    terminal = with_terminal(app)
    app.report_mouse(False)
    assert "\x1b[?1000l" in terminal.sent
    app.report_mouse(True)
    assert "\x1b[?1000h" in terminal.sent


class NoFilter(LineFilter):
    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return segments


def test_the_thread_that_writes_ends_when_told_although_the_terminal_is_gone() -> None:
    assert PlainApp().driver_class is TerminalDriver
    master, slave = os.openpty()
    os.close(master)  # from here on each write to the terminal fails
    file = open(slave, "w")  # noqa: SIM115  closing it fails too
    writer = WriterThread(LosableTerminal(file))  # type: ignore[arg-type]
    writer.start()

    def write_more_than_the_queue_holds() -> None:
        for _ in range(3 * MAX_QUEUED_WRITES):
            writer.write("text\n")
        writer.stop()

    app = threading.Thread(target=write_more_than_the_queue_holds, daemon=True)
    app.start()
    app.join(30)
    with pytest.raises(OSError, match="Input/output error"):
        file.close()  # the terminal is gone indeed
    assert not app.is_alive(), "it waits for ever for room in the queue"


def test_filters_can_be_added_to_the_apps_list() -> None:
    app, added = PlainApp(), NoFilter()
    app.add_line_filter(added)
    assert app.get_line_filters()[-1] is added


def test_without_colours_textual_uses_greys_until_they_are_dropped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = PlainApp()
    assert any(isinstance(each, Monochrome) for each in app.get_line_filters())
    app.drop_colours_only()
    kinds = [type(each) for each in app.get_line_filters()]
    assert NoColor in kinds and Monochrome not in kinds


# --- the screen -----------------------------------------------------------------------------------


class Page(PaintOnceScreen):
    def compose(self) -> ComposeResult:
        yield Static("text")


class Paged(PlainApp):
    def get_default_screen(self) -> Screen[None]:
        return Page()


@pytest.fixture
def paints(monkeypatch: pytest.MonkeyPatch) -> list[Screen[None]]:
    """The screens that Textual painted, in order."""
    painted: list[Screen[None]] = []
    paint = Screen._compositor_refresh

    def count(screen: Screen[None]) -> None:
        painted.append(screen)
        paint(screen)

    monkeypatch.setattr(Screen, "_compositor_refresh", count)
    return painted


async def test_the_styles_of_a_new_screen_are_computed_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    styled: list[DOMNode] = []
    apply = Stylesheet.apply

    def count(sheet: Stylesheet, node: DOMNode, **how: Any) -> None:
        styled.append(node)
        apply(sheet, node, **how)

    monkeypatch.setattr(Stylesheet, "apply", count)
    async with Paged().run_test() as pilot:
        page = pilot.app.screen
        assert isinstance(page, Page)
        assert styled.count(page.query_one(Static)) == 1


async def test_a_screen_is_painted_only_by_its_compositor_refresh(
    paints: list[Screen[None]],
) -> None:
    async with Paged().run_test() as pilot:
        await pilot.pause()
        assert not paints


async def test_the_first_paint_includes_the_layout_that_waits_for_the_next_tick(
    paints: list[Screen[None]],
) -> None:
    app = Paged()
    async with app.run_test() as pilot:
        page = app.screen
        assert isinstance(page, Page)
        page.paint_first()
        assert page.painted and paints
        assert page.query_one(Static).size.width  # it is laid out
        paints.clear()
        await pilot.pause()
        assert not paints  # nothing that was asked for before is painted once more


async def test_textuals_toasts_and_tooltips_are_added_by_extend_compose() -> None:
    app = Paged()
    async with app.run_test(tooltips=True, notifications=True):
        assert [type(child).__name__ for child in app.screen.children] == ["Static"]
    plain = PlainApp()
    async with plain.run_test(tooltips=True, notifications=True):
        assert "ToastRack" in [type(child).__name__ for child in plain.screen.children]


# --- lists ----------------------------------------------------------------------------------------


class TallView(QuietScrollView):
    def render_line(self, y: int) -> Strip:
        return Strip.blank(1)


class Scrolled(PlainApp):
    def compose(self) -> ComposeResult:
        yield TallView()


async def test_a_new_number_of_lines_fits_the_scroll_bar_and_lays_nothing_out() -> None:
    app = Scrolled()
    async with app.run_test(size=(20, 10)) as pilot:
        await pilot.pause()
        view = app.query_one(TallView)
        view.virtual_size = Size(10, 50)
        await pilot.pause()  # the scroll bar appears: that is a layout
        view.virtual_size = Size(10, 100)
        assert view.max_scroll_y == 90
        assert not view._layout_required
        assert not app.screen._layout_required


async def test_what_a_layout_paints_is_not_painted_once_more() -> None:
    app = Scrolled()
    async with app.run_test(size=(20, 10)) as pilot:
        await pilot.pause()
        view, small = app.query_one(TallView), Size(10, 5)
        assert view._size_updated(small, small, small)
        assert not view._repaint_regions
        assert ScrollView._size_updated(view, Size(9, 5), small, small)
        assert view._repaint_regions  # Textual would


async def test_textual_reports_a_size_even_if_it_is_the_same() -> None:
    app = Scrolled()
    async with app.run_test(size=(20, 10)) as pilot:
        await pilot.pause()
        view = app.query_one(TallView)
        size, moved = view.outer_size, Size(5, 5)
        assert ScrollView._size_updated(view, size, moved, moved)
        assert not view._size_updated(size, moved, moved)


# --- what a terminal sends ------------------------------------------------------------------------


def test_textual_names_the_key_of_a_letter() -> None:
    assert [key_of(letter) for letter in "a/:?"] == ["a", "slash", "colon", "question_mark"]


# --- nothing else ---------------------------------------------------------------------------------


def test_no_other_module_of_the_console_names_a_private_part_of_textual() -> None:
    private = _private_names()
    assert {"_driver", "_on_timer_update", "_size_updated"} <= private
    folder = Path(inspect.getfile(haas_console.tui)).parent
    found = {
        (str(path.relative_to(folder)), name)
        for path in folder.rglob("*.py")
        if path.name != "textual_private.py"
        for name in _names_used(path) & private
    }
    assert found == set()


def _private_names() -> set[str]:
    """The private names of Textual's classes that the console derives from or holds."""
    found: set[str] = set()
    for kind in (App, Screen, ScrollView, Driver, LinuxDriver, Event, Input, TextArea, Static):
        for base in kind.__mro__:
            if base.__module__.startswith("textual"):
                tree = ast.parse(textwrap.dedent(inspect.getsource(base)))
                found |= {
                    node.attr
                    for node in ast.walk(tree)
                    if isinstance(node, ast.Attribute)
                    and isinstance(node.value, ast.Name)
                    and node.value.id == "self"
                }
                found |= set(vars(base))
    return {name for name in found if name.startswith("_") and not name.startswith("__")}


def _names_used(path: Path) -> set[str]:
    """The methods and attributes that a module's classes define or use."""
    return {
        node.attr if isinstance(node, ast.Attribute) else node.name
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute | ast.FunctionDef | ast.AsyncFunctionDef)
    }


def test_textual_begins_and_ends_each_piece_of_text_in_the_default_style() -> None:
    style = Style(color="#010203", bgcolor="#040506", bold=True)
    drawn = Strip([Segment("a", style), Segment("b")]).render(Console(color_system="truecolor"))
    assert drawn == "\x1b[1;38;2;1;2;3;48;2;4;5;6ma\x1b[0mb"
