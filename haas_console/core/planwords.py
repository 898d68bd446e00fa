"""The words after ``plan`` and ``apply`` that are not the API's: files."""

from __future__ import annotations

import re
from collections.abc import Sequence

from haas_console.core.errors import CommandSyntaxError

_PROJECT_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{0,62}")


def is_file(word: str) -> bool:
    """Whether a word after ``apply`` can only be a file: no project has such a name."""
    return word == "-" or (word != "" and _PROJECT_NAME.fullmatch(word) is None)


def first_word(words: Sequence[str]) -> str:
    """The first word that is neither an option nor its value; "" if there is none."""
    left = list(words)
    while left:
        word = left.pop(0)
        if not word.startswith("--"):
            return word
        if word == "--":
            return left[0] if left else ""
        if "=" not in word and not word.startswith("--no-"):
            left = left[1:]
    return ""


def take_out(words: list[str]) -> tuple[list[str], str | None]:
    """Take ``--out FILE`` out of the words of a plan. Raises CommandSyntaxError."""
    for at, word in enumerate(words):
        name, equals, value = word.partition("=")
        if word == "--":
            break
        if name == "--out":
            value = value if equals else "".join(words[at + 1 : at + 2])
            if not value:
                raise CommandSyntaxError("--out wants a file; - is stdout")
            return words[:at] + words[at + (1 if equals else 2) :], value
    return words, None
