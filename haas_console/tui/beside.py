"""The pane beside the board: what the console knows of the object under the cursor."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.timer import Timer

from haas_console.core.details import Answers, details
from haas_console.core.facts import Fact
from haas_console.core.objects import Ref
from haas_console.tui.bars import Bar
from haas_console.tui.console import WIDE, ScreenHost
from haas_console.tui.factlines import FactLines
from haas_console.tui.lines import Part, cut

REST = 0.15
"""Seconds that the cursor must rest: a key that is held down draws the pane once."""


NAME = 9
"""Width of the column of names, in cells."""


class BesideLines(FactLines, can_focus=False):
    """Facts without a cursor; a click opens what a line leads to."""

    class Chosen(Message):
        """A line that leads to an object was clicked."""

        def __init__(self, ref: Ref) -> None:
            super().__init__()
            self.ref = ref

    def __init__(self) -> None:
        super().__init__(id="beside")
        self.cursor = -1

    def parts(self, index: int, width: int) -> list[Part]:
        """Name and text; no sign of a link, because each sign is sent again with each line."""
        fact = self.facts[index]
        return [
            (f" {cut(fact.name, NAME)} ", "dim"),
            (cut(fact.text, max(0, width - NAME - 2)), fact.look),
        ]

    def on_click(self, event: events.Click) -> None:
        """Open what the line leads to."""
        index = self.index_at(event.y)
        link = self.facts[index].link if index is not None else None
        if link is not None:
            self.post_message(self.Chosen(link))


class Beside(Vertical):
    """Shows what the inventory has, so that moving the cursor asks the daemon nothing."""

    def __init__(self, host: ScreenHost, subject: Callable[[], Ref | None], *, shown: bool) -> None:
        super().__init__(classes="pane" if shown else "pane off")
        self._host = host
        self._subject = subject
        self._bar = Bar(id="beside-title", classes="title")
        self._lines = BesideLines()
        self._rest: Timer | None = None

    def compose(self) -> ComposeResult:
        """The title, and the facts."""
        yield self._bar
        yield self._lines

    def follow(self) -> None:
        """Show what is under the cursor once it rests."""
        if self._rest is not None:
            self._rest.stop()
        self._rest = self.set_timer(REST, self.show)

    def show(self) -> None:
        """Show what is under the cursor now."""
        if not self._host.is_there or not self._lines.size:
            return
        ref = self._subject()
        if ref is not None and ref.kind == "nic":
            ref = Ref("node", ref.pair[0])
        title, facts = Text(), list[Fact]()
        inventory = self._host.session.inventory
        if ref is not None and inventory.info is not None:
            title = Text(f" {ref.title}")
            facts = details(inventory, ref, Answers())
        self._bar.show(title)
        self._lines.facts = [_brief(fact) for fact in facts if fact.name != "changes"]
        self._lines.changed()
        self._lines.cursor = -1

    def toggle(self, width: int) -> None:
        """Show the pane, or take it away, now and in consoles that are opened later."""
        if width < WIDE:
            self._host.fail(f"There is room for details from {WIDE} columns on; enter opens them.")
            return
        self.toggle_class("off")
        self._host.console.remember("details", not self.has_class("off"))

    def on_beside_lines_chosen(self, event: BesideLines.Chosen) -> None:
        """Open what was clicked."""
        event.stop()
        self._host.console.navigation.open_details(event.ref)


def _brief(fact: Fact) -> Fact:
    """A fact in few cells: a port without the MAC behind it, what is staged before what is."""
    if fact.link is not None and fact.link.kind == "port":
        return msgspec.structs.replace(fact, text=f"  at {fact.link.name}")
    before, arrow, after = fact.text.partition(" → ")
    if not arrow:
        return fact
    name, gap, now = before.rpartition("  ")
    return msgspec.structs.replace(fact, text=f"{name}{gap}{after}, now {now}")
