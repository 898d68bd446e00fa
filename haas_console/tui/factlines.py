"""A list of facts, some of which lead to other objects."""

from __future__ import annotations

from textual import events
from textual.message import Message

from haas_console.core.facts import Fact
from haas_console.core.objects import Ref
from haas_console.tui.lines import Lines, Part, cut

NAME_WIDTH = 13
NO_LINK = "nothing to open on this line: ▶ marks those that lead somewhere"


class FactLines(Lines):
    """One line for each fact; ``▶`` marks those that lead somewhere."""

    class Opened(Message):
        """The user wants to see what the line under the cursor leads to."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.facts: list[Fact] = []

    def show(self, facts: list[Fact], at: int) -> None:
        """Show facts, with the cursor on one of them."""
        self.facts = facts
        self.cursor = max(0, min(at, len(facts) - 1))
        self.changed()
        self.reveal()

    def count(self) -> int:
        """One line for each."""
        return len(self.facts)

    def parts(self, index: int, width: int) -> list[Part]:
        """Name, sign of a link, text."""
        fact = self.facts[index]
        sign = "▶ " if fact.link is not None else "  "
        return [
            (f" {cut(fact.name, NAME_WIDTH)} ", "dim"),
            (sign, "mark"),
            (cut(fact.text, max(0, width - NAME_WIDTH - 4)), fact.look),
        ]

    @property
    def link(self) -> Ref | None:
        """What the line under the cursor leads to."""
        return self.facts[self.cursor].link if self.cursor < len(self.facts) else None

    def first_link(self) -> int:
        """The first line that leads somewhere; 0 if none does."""
        return next((n for n, fact in enumerate(self.facts) if fact.link is not None), 0)

    def on_click(self, event: events.Click) -> None:
        """Put the cursor there; a click on a link under the cursor follows it."""
        index = self.index_at(event.y)
        if index is None:
            return
        if index == self.cursor:
            self.post_message(self.Opened())
        else:
            self.move_to(index)
