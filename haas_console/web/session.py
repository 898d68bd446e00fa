"""The console of one page: ``python -m haas_console.web.session URL [CA_FILE]``.

The token is the first line of stdin. It is in no argument and no variable, where other programs of
the machine could read it. What follows on stdin is the page's, in the protocol of Textual's web
driver.
"""

from __future__ import annotations

import os
import sys

from haas_console.core import files
from haas_console.core.config import Endpoint
from haas_console.core.target import Target

_LONGEST = 4096


def read_token() -> str:
    """Read the first line of stdin, and nothing behind it."""
    line = b""
    while len(line) < _LONGEST and (byte := os.read(0, 1)) not in (b"", b"\n"):
        line += byte
    return line.decode()


def main() -> int:
    """Run the console until it is quit."""
    url, *ca_file = sys.argv[1:]
    token = read_token()
    files.forbid()  # they are the server's, not the visitor's
    from haas_console.tui.app import ConsoleApp

    endpoint = Endpoint(None, url, "the page", ca_file[0] if ca_file else None)
    return ConsoleApp(Target(endpoint, token)).run() or 0


if __name__ == "__main__":
    sys.exit(main())
