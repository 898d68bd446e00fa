"""The files that a user names: only regular ones, read up to a limit; none at all over SSH.

Without a shell (ForceCommand), the console runs on the master while its user sits elsewhere. The
files there are not the user's: it may neither read them nor learn which there are.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Mapping
from pathlib import Path

from haas_console.core.errors import ConsoleError

STDIN = "-"
_LONGEST = 16 << 20  # bytes; the daemon takes no larger message

_forbidden = False


def forbid() -> None:
    """Open no file that a user names from now on."""
    global _forbidden
    _forbidden = True


def allowed() -> bool:
    """Whether files may be named."""
    return not _forbidden


def is_forced(environ: Mapping[str, str]) -> bool:
    """Whether sshd passes the words that were typed, see ForceCommand in sshd_config(5)."""
    return "SSH_ORIGINAL_COMMAND" in environ


def without_shell(environ: Mapping[str, str]) -> bool:
    """Whether sshd runs this program instead of a shell: it is the parent.

    A shell runs the last command of ``-c`` in its own place.
    """
    if "SSH_CONNECTION" not in environ:
        return False
    try:
        return Path(f"/proc/{os.getppid()}/comm").read_text().startswith("sshd")
    except OSError:
        return False


_OVER_SSH = (
    "over SSH no file of the master is opened: send a site file on stdin, with"
    "  site import -  < FILE, and take an export from stdout, with  site export"
)


def check(file: str, refusal: str = _OVER_SSH) -> None:
    """Raise ConsoleError if this file may not be opened; ``refusal`` says what to do instead."""
    if _forbidden and file != STDIN:
        raise ConsoleError(refusal)


def read_text(file: str) -> str:
    """Read a file, or stdin for ``-``; raises ConsoleError, which names the file."""
    check(file)
    try:
        data = sys.stdin.buffer.read(_LONGEST + 1) if file == STDIN else _read(file)
        if len(data) > _LONGEST:
            raise ConsoleError(f"{file} is longer than {_LONGEST >> 20} MiB")
        return data.decode("utf-8")
    except OSError as error:
        raise ConsoleError(f"{file} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConsoleError(f"{file} is not UTF-8 text: {error}") from error


def _read(file: str) -> bytes:
    # not blocking, so that opening a pipe does not wait for its other end
    with open(os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as opened:
        if not stat.S_ISREG(os.fstat(opened.fileno()).st_mode):
            raise ConsoleError(f"{file} is no regular file; - is stdin")
        return opened.read(_LONGEST + 1)


def write_text(file: str, text: str) -> int:
    """Write a file and return its number of bytes; raises ConsoleError, which names the file."""
    check(file)
    data = text.encode("utf-8")
    try:
        Path(file).write_bytes(data)
    except OSError as error:
        raise ConsoleError(f"{file} cannot be written: {error.strerror}") from error
    return len(data)
