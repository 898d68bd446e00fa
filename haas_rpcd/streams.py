"""The daemon's standard streams when they are closed, full, or have no reader any more."""

from __future__ import annotations

import os
import sys

_STREAMS = (("stdin", os.O_RDONLY, "r"), ("stdout", os.O_RDONLY, "w"), ("stderr", os.O_WRONLY, "w"))
"""Each stream's name, and how /dev/null is opened in its place: stdin is then at its end, writing
to stdout fails with EBADF, and what is written to stderr is dropped."""


def open_closed() -> None:
    """Open a file for every standard stream that is closed.

    Otherwise the database or a socket would take its number, and libvirt, which writes to
    descriptor 2, would write into that.
    """
    for name, flags, mode in _STREAMS:
        if getattr(sys, name) is None:
            number = os.open(os.devnull, flags)  # the lowest that is free: the stream's own
            setattr(sys, name, os.fdopen(number, mode, closefd=False))


def say(sentence: str) -> None:
    """Print a sentence on stderr, if that can be written to."""
    try:
        print(f"haas-rpcd: {sentence}", file=sys.stderr)  # noqa: T201
    except OSError:
        _discard(sys.stderr.fileno())


def finish(code: int) -> int:
    """Write what the streams still hold; returns 1 if stdout cannot be written, else ``code``."""
    try:
        sys.stdout.flush()
    except OSError as error:
        _discard(sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            say(f"the output can't be written: {error.strerror}")
        code = code or 1
    try:
        sys.stderr.flush()
    except OSError:
        _discard(sys.stderr.fileno())
    return code


def _discard(number: int) -> None:
    """Let what is still written there go to nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), number)
