"""Copies text to the user's clipboard by OSC 52, also from within tmux and screen, or to a file.

xterm defines ``OSC 52 ; c ; base64 BEL``. tmux accepts that if set-clipboard is on. It passes the
sequence on if it is wrapped in ``DCS tmux ; ... ST`` with each ESC doubled (tmux(1),
allow-passthrough). Both are sent. Terminals drop what is longer than about 74 KB.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path

LIMIT = 74_000  # bytes of base64 that xterm and others still take


def sequence(text: str, environ: Mapping[str, str]) -> str | None:
    """What to write to the terminal; None if the text is too long for it."""
    encoded = base64.b64encode(text.encode("utf-8")).decode("ascii")
    if len(encoded) > LIMIT:
        return None
    plain = f"\x1b]52;c;{encoded}\x07"
    if environ.get("TMUX"):
        doubled = plain.replace("\x1b", "\x1b\x1b")
        return f"{plain}\x1bPtmux;{doubled}\x1b\\"
    if environ.get("TERM", "").startswith("screen"):
        return f"\x1bP{plain}\x1b\\"
    return plain


def save(text: str, path: Path) -> Path:
    """Write the text to a file as well, because not every terminal supports OSC 52.

    Raises OSError.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.touch(mode=0o600)
    path.write_text(text + "\n", "utf-8")
    return path
