"""The list of switches, and what switches answered, as lines."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

from haas_console.core.contact import SILENT
from haas_console.core.devicetext import probe_fields, probed_state, trust_lines
from haas_console.core.portviews import DRIFTED
from haas_console.core.text import clean
from haas_console.tui.lines import ClickableLines, Part, cut


class SwitchList(ClickableLines):
    """The names of the switches; the face plate shows the one under the cursor."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.names: list[str] = []
        self.signs: Mapping[str, str] = {}
        """Of each switch, whether it answers."""
        self.unsaved: set[str] = set()
        self.drifted: Mapping[str, int] = {}

    def count(self) -> int:
        """One line for each switch."""
        return len(self.names)

    def parts(self, index: int, width: int) -> list[Part]:
        """Whether it answers, its name, how much drifted, and a sign if that is not saved."""
        name = self.names[index]
        drifted = self.drifted.get(name, 0)
        badge = f"{drifted}{DRIFTED}" if drifted else ""
        answers = self.signs.get(name, "") or " "
        return [
            (answers, "drift" if answers == SILENT else "staged"),
            (cut(name, width - 3 - len(badge)), "dim" if answers == SILENT else ""),
            (badge, "drift"),
            ("! " if name in self.unsaved else "  ", "staged"),
        ]


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
