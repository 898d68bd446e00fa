"""Removes secrets from a switch's output: some switches echo or quote what was typed."""

from __future__ import annotations

import re

from haas_rpcd.config import Credential
from haas_rpcd.errors import DeviceError

MASK = "***"

_SHORT = 4
"""Characters below which a secret is replaced only as a word of its own."""


class Secrets:
    """The secrets that were typed into the sessions of one switch since the daemon began."""

    def __init__(self) -> None:
        self._patterns: dict[str, re.Pattern[str]] = {}

    def note(self, credential: Credential) -> Credential:
        """Remember what is about to be typed; return it."""
        for secret in (credential.password, credential.enable):
            if secret.strip() and secret not in self._patterns:
                self._patterns[secret] = _pattern(secret)
        return credential

    def mask(self, text: str) -> str:
        """Return a text with every secret replaced."""
        for secret in sorted(self._patterns, key=len, reverse=True):
            text = self._patterns[secret].sub(MASK, text)
        return text

    def mask_error(self, error: DeviceError) -> DeviceError:
        """Return an error with every secret replaced."""
        message = self.mask(error.message)
        data = {
            key: self.mask(value) if isinstance(value, str) else value
            for key, value in error.data.items()
            if key != "kind"
        }
        if message == error.message and all(error.data[key] == data[key] for key in data):
            return error
        return DeviceError(message, **{**data, "reason": error.reason})


def _pattern(secret: str) -> re.Pattern[str]:
    """Return a pattern for a secret in an error.

    White space may come in between: a terminal wraps lines, and errors join them. What is quoted
    may be cut, which leaves the secret's beginning before the mark, or its end after it.
    """
    letters = [re.escape(char) for char in secret if not char.isspace()]
    whole = r"\s*".join(letters)
    if len(letters) < _SHORT:
        return re.compile(rf"(?<!\w){whole}(?!\w)", re.IGNORECASE)
    beginnings = [r"\s*".join(letters[:end]) + "(?=…)" for end in range(_SHORT, len(letters))]
    endings = ["(?<=…)" + r"\s*".join(letters[start:]) for start in range(1, len(letters) - 3)]
    longest_first = [whole, *reversed(beginnings), *endings]
    return re.compile("|".join(longest_first), re.IGNORECASE)
