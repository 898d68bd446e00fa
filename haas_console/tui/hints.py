"""The names of keys, and the line of key hints, made from the bindings."""

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
    "left_square_bracket": "[",
    "right_square_bracket": "]",
}


def key_text(keys: str) -> str:
    """Textual's names of keys as users know them: ``down,j`` becomes ``down j``."""
    return " ".join(KEYS.get(key, key.replace("ctrl+", "^")) for key in keys.split(","))


def hints_text(screen: Screen[None], width: int) -> Text:
    """The keys that matter on a screen, as many as fit; those that do nothing now are dim.

    The key of the help page comes first, because that page names those that do not fit.
    """
    shown = [active for active in screen.active_bindings.values() if active.binding.show]
    shown.sort(key=lambda active: active.binding.id != "app.help")
    text = Text(" ")
    listed: set[str] = set()
    for active in shown:
        binding = active.binding
        if binding.action in listed:
            continue
        listed.add(binding.action)
        key = key_text(binding.key_display or binding.key)
        look = "" if active.enabled else "dim"
        if text.cell_len + len(key) + len(binding.description) + 3 > width:
            break
        text.append(key, f"bold {look}".strip())
        text.append(f" {binding.description}  ", look)
    return text
