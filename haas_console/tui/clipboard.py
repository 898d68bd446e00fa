"""Copying text out of a terminal by OSC 52, also from within tmux and screen; else into a file.

xterm's control sequences: ``OSC 52 ; c ; base64 BEL``. tmux passes it on when it is wrapped in
its own ``DCS tmux ; ... ST`` with each ESC doubled (tmux(1), allow-passthrough), and takes it
plainly when set-clipboard is on; both are sent. Terminals drop what is longer than about 74 KB.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path

LIMIT = 74_000  # bytes of base64 that xterm and others still take


def sequence(text: str, environ: Mapping[str, str]) -> str | None:
    """What to write to the terminal; None: the text is too long for it."""
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
    """Write the text beside the history as well: not every terminal heeds OSC 52.

    Raises OSError.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.touch(mode=0o600)
    path.write_text(text + "\n", "utf-8")
    return path
