"""Finding names by some of their letters."""

from __future__ import annotations

from collections.abc import Sequence


def pick(known: Sequence[str], typed: str) -> list[str]:
    """The names that match: first those that begin with what was typed, then those that contain it,
    then those that contain its letters in order.
    """
    wanted = typed.strip().lower()
    ranked = []
    for number, name in enumerate(known):
        rank = _rank(name.lower(), wanted)
        if rank is not None:
            ranked.append((rank, number, name))
    return [name for _, _, name in sorted(ranked)]


def _rank(name: str, wanted: str) -> int | None:
    if name.startswith(wanted) or any(f"{sign}{wanted}" in name for sign in " /"):
        return 0
    if wanted in name:
        return 1
    letters = iter(name)
    return 2 if all(letter in letters for letter in wanted) else None
