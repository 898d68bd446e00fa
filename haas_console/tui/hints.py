"""What can be pressed, made from the bindings themselves: the hint line and the help."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

if TYPE_CHECKING:
    from textual.screen import Screen

KEYS = {
    "question_mark": "?",
    "colon": ":",
    "slash": "/",
    "asterisk": "*",
    "space": "space",
    "escape": "esc",
    "pagedown": "pgdn",
    "pageup": "pgup",
}


def key_text(keys: str) -> str:
    """``down,j`` as a reader says it: ``down j``."""
    return " ".join(KEYS.get(key, key.replace("ctrl+", "^")) for key in keys.split(","))


def hints_text(screen: Screen[None], width: int) -> Text:
    """The keys that matter here, as many as there is room for; greyed ones in dim.

    The way to the help comes first: where there is no room, it names the others.
    """
    shown = [active for active in screen.active_bindings.values() if active.binding.show]
    shown.sort(key=lambda active: active.binding.id != "app.help")
    text = Text(" ")
    told: set[str] = set()
    for active in shown:
        binding = active.binding
        if binding.action in told:
            continue
        told.add(binding.action)
        key = key_text(binding.key_display or binding.key)
        look = "" if active.enabled else "dim"
        if text.cell_len + len(key) + len(binding.description) + 3 > width:
            break
        text.append(key, f"bold {look}".strip())
        text.append(f" {binding.description}  ", look)
    return text
