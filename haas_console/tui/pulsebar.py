"""The line below the top one: the pulse of the site, most urgent first, as much as fits."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from rich.text import Text

from haas_console.core.pulse import Figure, figures, urgent_first
from haas_console.core.session import Session
from haas_console.core.sparkline import sparkline
from haas_console.tui.bars import Bar

GAP = "  "
LOOKS = {"bad": "bold red", "warn": "yellow", "busy": "bold", "calm": "dim"}
LEAST_ROWS = 20
"""Rows of a terminal below which the line is left out."""


PAUSE = 5.0
"""Seconds between redraws of the line while a job runs: the job's screen needs the bytes."""


class PulseBar(Bar):
    """The line itself."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._due = 0.0
        self._waits = False

    def update(self, session: Session) -> None:
        """Show the figures as they are now; while a job runs, only now and then."""
        wait = self._due - time.monotonic()
        if session.inventory.running_jobs() and wait > 0 and self.content:
            if not self._waits:
                self._waits = True
                self.set_timer(wait, lambda: self._catch_up(session))
            return
        self._due = time.monotonic() + PAUSE
        self.show(pulse_text(session, self.size.width))

    def _catch_up(self, session: Session) -> None:
        self._waits = False
        self.update(session)


def known_figures(session: Session) -> list[Figure]:
    """The figures as they are now."""
    now, inventory = datetime.now(UTC), session.inventory
    failed = session.failures.of_the_day(inventory, now)
    return figures(inventory, session.tally.of(inventory, now), failed, now)


def pulse_text(session: Session, width: int) -> Text:
    """The figures in one line of so many cells.

    The most urgent come first, in full as long as all fit in short; then as many as fit.
    """
    found = urgent_first(known_figures(session))
    room = width - 2
    texts = [figure.text for figure in found]
    for at in reversed(range(len(found))):
        if _length(texts) <= room:
            break
        texts[at] = found[at].short
    lines = [sparkline(figure.series) if figure.series else "" for figure in found]
    spare = room - _length(texts) - sum(len(line) + 1 for line in lines if line)
    text = Text(" ")
    for figure, words, line in zip(found, texts, lines, strict=True):
        if text.cell_len + len(words) > room:
            text.append("…", "dim")
            break
        text.append(words, LOOKS[figure.look])
        if line and spare >= 0:
            text.append(f" {line}", LOOKS[figure.look])
        text.append(GAP)
    return text


def _length(texts: list[str]) -> int:
    return sum(len(text) + len(GAP) for text in texts)
