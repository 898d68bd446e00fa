"""The help page, made from the bindings that are active on a screen."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from typing import Any

from haas_console.core.owncommands import OwnCommand
from haas_console.tui.hints import key_text
from haas_console.tui.screen import ConsoleScreen

_WORDS = [
    "# How it works",
    "What you do is staged: nothing is sent to a switch until you apply (a shows the plan first).",
    "lab → storage*   on lab now, and on storage after an apply;   +lab is tagged;   parked",
    "On the right:  + joins with the next apply,  - leaves with it.",
    "The line at the bottom shows what a script would say for what you did.",
    "",
    "# Filter (/)",
    "Words must all fit something that is shown; ! inverts; ~ begins a regular expression;",
    "field=value compares one field, * stands for anything; letters in order if nothing else fits:",
    "state=free   project=astro   tag=gpu   network=lab   network=parked   switch=sw1   !kind=bmc",
    "",
    "# Mouse",
    "Drag a nic (or many that are marked) onto a network, or onto parked; a headnode onto a",
    "network. Esc lets go. Ctrl-click marks. m gives the mouse to the terminal, to select text.",
    "",
    "# Commands (:)",
    "The language of scripts: noun verb words --options; Tab completes, Up recalls; :help lists",
    "all, :help node allocate explains one, :q quits.",
]


def help_lines(screen: ConsoleScreen) -> list[str]:
    """The keys of a screen in groups, then a few lines about everything else."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for active in screen.active_bindings.values():
        binding = active.binding
        if binding.id is None or not binding.description:  # Textual's own have none
            continue
        group = binding.id.partition(".")[0]
        text = _doc(active.node, binding.action) or binding.description
        text = _NUMBERED.sub("the column of that number", text)
        row = (key_text(binding.key_display or binding.key), text)
        rows = groups.setdefault(group, [])
        same = next((n for n, (_, known) in enumerate(rows) if known == text), None)
        if same is None:
            rows.append(row)
        else:
            rows[same] = (f"{rows[same][0]} {row[0]}", text)
    lines = []
    for group, rows in sorted(groups.items(), key=lambda item: _ORDER.get(item[0], 1)):
        lines.append(f"# Keys: {_NAMES.get(group, group)}")
        lines += [f"{_digits(keys):14} {text}" for keys, text in rows]
        lines.append("")
    return [*lines, *own_lines(screen.console.own_commands), *_WORDS]


def own_lines(commands: Mapping[str, OwnCommand]) -> list[str]:
    """The user's own commands: the key, or the word to type, and what they do."""
    rows = [
        f"{key_text(own.key) if own.key is not None else f':{name}':14} {own.about or name}"
        for name, own in commands.items()
    ]
    return ["# Your own", *rows, ""] if rows else []


_ORDER = {"board": 0, "list": 2, "screen": 3, "app": 3, "open": 4}
_NAMES = {"app": "everywhere", "list": "in lists", "open": "screens", "screen": "everywhere too"}


_NUMBERED = re.compile(r"column \d$")


def _digits(keys: str) -> str:
    """Keys, with all digits in a row as ``1 … 9``."""
    return keys.replace(" ".join("123456789"), "1 … 9")


def _doc(node: Any, action: str) -> str:
    """The first line of an action's docstring; empty for actions with arguments."""
    name, bracket, _ = action.rpartition(".")[2].partition("(")
    if bracket:
        return ""
    method = getattr(node, f"action_{name}", None)
    doc = inspect.getdoc(method) if method is not None else None
    return doc.partition("\n")[0].rstrip(".") if doc else ""
