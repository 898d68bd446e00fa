"""The pulse of the site: what needs somebody, what goes on, and what is left."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from haas_console.core.facts import Fact
from haas_console.core.pulse import Figure
from haas_console.core.sparkline import sparkline
from haas_console.core.sync import Changes
from haas_console.tui.factlines import NO_LINK, FactLines
from haas_console.tui.pulsebar import known_figures
from haas_console.tui.screen import PULSE, ConsoleScreen

LOOKS = {"bad": "drift", "warn": "staged", "busy": "head", "calm": ""}
TEXT = 40  # cells of a figure's text, before its line of the last hour


def lines_of(figure: Figure) -> list[Fact]:
    """A figure and what is counted in it, with room around a figure that lists anything."""
    text = figure.text
    if figure.series:
        number = f"{sum(figure.series)} {figure.counted} in the last hour"
        text = f"{text:{TEXT}} {sparkline(figure.series)} {number}"
    head = Fact(figure.name, text, None, LOOKS[figure.look])
    return [head, *figure.facts, Fact("", "")] if figure.facts else [head]


class PulseScreen(ConsoleScreen):
    """All figures, with the objects that each counts."""

    TITLE: ClassVar[str] = "Pulse"
    NAME = "pulse"
    AUTO_FOCUS = "#figures"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "Open", id="pulse.open"),
        Binding("y", "copy", "Copy", id="pulse.copy"),
        Binding("escape", "back", "Back", id="pulse.back"),
    ]

    def compose_body(self) -> ComposeResult:
        """One list."""
        yield FactLines(id="figures")

    @property
    def lines(self) -> FactLines:
        """The list."""
        return self.query_one(FactLines)

    def changed(self, changes: Changes) -> None:
        """Show the figures as they are now; the cursor stays on its object."""
        if not changes & PULSE:
            return
        lines = self.lines
        facts = [fact for figure in known_figures(self.session) for fact in lines_of(figure)]
        at, link = lines.cursor, lines.link
        if link is not None:
            at = next((n for n, fact in enumerate(facts) if fact.link == link), at)
        lines.show(facts, at)
        if at == 0:
            lines.move_to(lines.first_link())

    def on_fact_lines_opened(self, event: FactLines.Opened) -> None:
        """Open what was clicked."""
        event.stop()
        self.action_open()

    def action_open(self) -> None:
        """Open the object under the cursor."""
        link = self.lines.link
        if link is None:
            self.say(NO_LINK)
        else:
            self.console.navigation.open_details(link)

    def action_copy(self) -> None:
        """Copy all lines."""
        self.console.copy("\n".join(f"{f.name:13} {f.text}".rstrip() for f in self.lines.facts))
