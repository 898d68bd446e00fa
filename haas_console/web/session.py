"""The console of one page: ``python -m haas_console.web.session PIPE URL [CA_FILE]``.

The token comes through the descriptor PIPE. It is in no argument and no variable, where other
programs of the machine could read it.
"""

from __future__ import annotations

import fcntl
import os
import sys
import termios

from haas_console.core import files
from haas_console.core.config import Endpoint
from haas_console.core.target import Target


def read_token(pipe: int) -> str:
    """Read what the pipe has, and close it."""
    with os.fdopen(pipe, "rb") as source:
        return source.read().decode()


def main() -> int:
    """Run the console until it is quit."""
    pipe, url, *ca_file = sys.argv[1:]
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # signals of the terminal, such as a new size, come here
    token = read_token(int(pipe))
    files.forbid()  # they are the server's, not the visitor's
    from haas_console.tui.app import ConsoleApp

    endpoint = Endpoint(None, url, "the page", ca_file[0] if ca_file else None)
    return ConsoleApp(Target(endpoint, token)).run() or 0


if __name__ == "__main__":
    sys.exit(main())
