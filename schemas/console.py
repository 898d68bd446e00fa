"""Consoles of nodes and headnodes: the serial line, over a WebSocket of its own."""

from __future__ import annotations

import msgspec

CONNECTED = "connected"
"""The notice that the line is open."""


class ConsoleTicket(msgspec.Struct, frozen=True):
    """Leads to a console once, within ``seconds``: open a WebSocket at ``path``, as the same user.

    Binary messages are the line's bytes, both ways. A text message is a JSON object whose
    ``notice`` is a sentence for the user. ``writable``: what the client sends reaches the line.
    """

    console: str
    path: str
    writable: bool
    seconds: float
