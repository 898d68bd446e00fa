"""The list of switches, and what switches answered, as lines."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

from textual.message import Message

from haas_console.core import tables
from haas_console.core.contact import SILENT, sign
from haas_console.core.devicetext import probe_fields, probed_state, trust_lines
from haas_console.core.portviews import DRIFTED
from haas_console.core.tables import SwitchLine
from haas_console.core.text import clean
from haas_console.tui.lines import Part, cut
from haas_console.tui.tablelines import TableLines


class SwitchList(TableLines[SwitchLine]):
    """The switches; the face plate shows the one under the cursor. All columns take its place."""

    class Widened(Message):
        """All columns are wanted, or only the names again."""

    def __init__(self, *, id: str) -> None:
        super().__init__(tables.SWITCHES, lambda line: line.key, id=id, header="switches-title")

    def action_wide(self) -> None:
        """Show all columns, or the names only."""
        super().action_wide()
        self.post_message(self.Widened())

    def mark(self, item: SwitchLine) -> Part:
        """Whether it answers, or is not saved."""
        if wrong := sign(item.switch):
            return wrong, "drift" if wrong == SILENT else "staged"
        unsaved = item.switch is not None and item.switch.unsaved
        return ("!", "staged") if unsaved else (" ", "")

    def text(self, name: str, item: SwitchLine, size: int) -> str:
        """The text of a cell; the name is followed by how much drifted if no column says so."""
        text = super().text(name, item, size)
        if name == "switch" and item.drift and not any(n == "drift" for n, _ in self.shown):
            badge = f" {item.drift}{DRIFTED}"
            return cut(text, size - len(badge)) + badge
        return text

    def look(self, name: str, item: SwitchLine) -> str:
        """The style of a cell."""
        silent = sign(item.switch) == SILENT
        match name:
            case "switch":
                return "drift" if item.drift else "dim" if silent else ""
            case "answers" | "contact":
                return "drift" if silent else "dim"
            case "drift":
                return "drift"
            case "saved":
                return "staged" if item.switch is not None and item.switch.unsaved else "dim"
            case _:
                return "dim"


def probe_lines(answer: Mapping[str, Any], width: int) -> list[list[Part]]:
    """The answer to a probe: what the switch is, its VLANs, and the ports that carry any."""
    lines: list[list[Part]] = [[], [(" probe: ", "head"), ("reachable", "good")]]
    facts = probe_fields(answer)
    lines += [[(f"   {name:8} ", "dim"), (value, "")] for name, value in facts.items()]
    if not answer["model"] and not answer["version"]:
        lines += [[(f"            {clean(line)}", "dim")] for line in answer["said"]]
    alike: dict[str, list[str]] = {}
    for port in answer["ports"]:
        alike.setdefault(probed_state(port), []).append(port["port"])
    shown = "; ".join(f"{what}: {_few(alike[what])}" for what in alike if what != "parked")
    pieces = textwrap.wrap(shown or "none", max(20, width - 14))
    lines += [[(f"   {'' if n else 'open':8} ", "dim"), (p, "")] for n, p in enumerate(pieces)]
    return lines


def key_lines(answer: Mapping[str, Any], width: int) -> list[list[Part]]:
    """The host key of a switch. A fingerprint is never broken into lines: users compare it."""
    pieces = [
        piece
        for line in trust_lines(answer)
        for piece in textwrap.wrap(
            line, max(20, width - 4), break_long_words=False, break_on_hyphens=False
        )
    ]
    return [[], *([(f"   {piece}", "")] for piece in pieces)]


def _few(ports: list[str]) -> str:
    """A list of ports, shortened to the first and the last if there are many."""
    return " ".join(ports) if len(ports) < 4 else f"{ports[0]} … {ports[-1]} ({len(ports)} ports)"


def wrap(parts: list[Part], width: int) -> list[list[Part]]:
    """Wrap a row of parts; a colour and its text stay on one line."""
    lines: list[list[Part]] = [[]]
    used = 0
    pairs = [parts[at : at + 2] for at in range(0, len(parts), 2)]
    for pair in pairs:
        size = sum(len(text) for text, _ in pair)
        if used and used + size > width:
            lines.append([])
            used = 0
        lines[-1] += pair
        used += size
    return lines
