"""The table that ``make bench`` prints."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """A measurement and its budget. Those that depend on the machine are not ``asserted``."""

    what: str
    value: float
    unit: str
    budget: float | None = None
    asserted: bool = True
    note: str = ""

    @property
    def over(self) -> bool:
        """Whether the value exceeds the budget."""
        return self.budget is not None and self.value > self.budget

    @property
    def verdict(self) -> str:
        """``ok`` or ``OVER``; "" without a budget."""
        return "" if self.budget is None else "OVER" if self.over else "ok"


def show(rows: Iterable[Row]) -> str:
    """Write the rows as a table."""
    texts = [("measure", "value", "at most", "", "")]
    for row in rows:
        budget = "" if row.budget is None else _number(row.budget, row.unit)
        texts.append((row.what, _number(row.value, row.unit), budget, row.verdict, row.note))
    widths = [max(len(text[column]) for text in texts) for column in range(4)]
    return "\n".join(
        f"{what:{widths[0]}}  {value:>{widths[1]}}  {budget:>{widths[2]}}"
        f"  {verdict:{widths[3]}}  {note}".rstrip()
        for what, value, budget, verdict, note in texts
    )


def _number(value: float, unit: str) -> str:
    return f"{value:,.{0 if value >= 100 or value == int(value) else 2}f} {unit}"
