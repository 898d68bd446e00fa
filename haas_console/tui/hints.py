"""The names of keys, and the line of key hints, made from the bindings."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rich.text import Text

if TYPE_CHECKING:
    from textual.binding import ActiveBinding, Binding
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


class Hint(NamedTuple):
    """A key's hint and the cells that it takes: from ``start`` up to ``end``."""

    start: int
    end: int
    key: str
    text: str
    active: ActiveBinding
    dim: bool
    """True if the key has no effect now."""


APPLY = "open.apply"
"""The id of the key that shows the plan."""


def hints(screen: Screen[None], width: int) -> list[Hint]:
    """Hints of the keys that matter on a screen, as many as fit.

    The key of the plan comes first; then that of the help page, which names those that do not fit.
    While nothing is staged, the plan's hint is dimmed, not removed, so that no other hint moves: a
    redraw costs all bytes of the line up to its last change.
    """
    known = screen.active_bindings.values()
    first = {APPLY: 0, "app.help": 1}
    shown = [a for a in known if a.binding.show or (a.binding.id == APPLY and _may_apply(screen))]
    shown.sort(key=lambda active: first.get(active.binding.id or "", 2))
    found: list[Hint] = []
    listed: set[str] = set()
    at = 1
    for active in shown:
        binding = active.binding
        if binding.action in listed:
            continue
        listed.add(binding.action)
        key = key_text(binding.key_display or binding.key)
        size = len(key) + 1 + len(binding.description)
        if at + size + 2 > width:
            break
        dim = not active.enabled or _is_idle(screen, binding)
        found.append(Hint(at, at + size, key, binding.description, active, dim))
        at += size + 2
    return found


def hints_text(screen: Screen[None], width: int) -> Text:
    """The line of key hints; hints of keys without effect are dim."""
    text = Text(" ")
    for hint in hints(screen, width):
        look = "dim" if hint.dim else ""
        text.append(hint.key, f"bold {look}".strip())
        text.append(f" {hint.text}  ", look)
    return text


def _may_apply(screen: Screen[None]) -> bool:
    """Whether a screen works in a project whose plan it does not show itself."""
    session = getattr(screen, "session", None)
    return session is not None and session.project is not None and screen.NAME != "apply"  # type: ignore[attr-defined]


def _is_idle(screen: Screen[None], binding: Binding) -> bool:
    """Whether a key has no effect now, such as that of the plan while nothing is staged."""
    session = getattr(screen, "session", None)
    if binding.id == APPLY:
        return session is None or not session.inventory.staged_count(session.project)
    return session is not None and screen.is_idle(binding.action)  # type: ignore[attr-defined]
