"""Serial over LAN (IPMI 2.0, 15) in the process of a session.

After two lines of JSON as in :mod:`.ipmi_process`, the standard input and output are the line.
"""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Callable
from typing import Any

_POLL = 0.03
"""Seconds after which it is looked for something typed. pyghmi waits for its own sockets only."""


def attach(
    address: dict[str, Any], started: Callable[[], None], failed: Callable[[str], None]
) -> None:
    """Attach to the line until the input ends, or the BMC ends the session.

    ``started`` is called once the line is there; ``failed`` instead, with what pyghmi says.
    """
    from pyghmi.ipmi.console import Console

    early: list[bytes] = []
    errors: list[str] = []
    ready = False

    def heard(data: bytes | dict[str, Any]) -> None:
        if isinstance(data, dict):
            if "error" in data:
                errors.append(str(data["error"]))
        elif ready:
            _write(data)
        else:
            early.append(data)

    console = Console(
        address["host"],
        address["username"],
        address["password"],
        iohandler=heard,
        port=address["port"],
        force=True,
    )
    while not console.connected and not errors:
        Console.wait_for_rsp(0.5)
    if errors:
        failed(errors[0])
        return
    started()
    ready = True
    for data in early:
        _write(data)
    try:
        while not errors:
            if select.select([0], [], [], 0)[0]:
                typed = os.read(0, 4096)
                if not typed:
                    return
                console.send_data(typed)
            Console.wait_for_rsp(_POLL)
    finally:
        session = console.ipmi_session
        console.close()
        if session is not None:
            session.logout()


def _write(data: bytes) -> None:
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()
