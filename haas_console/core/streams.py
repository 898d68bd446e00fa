"""The standard streams when they are closed, full, or have no reader any more."""

from __future__ import annotations

import io
import os
import sys
from typing import Any, TextIO

_STREAMS = (("stdin", os.O_WRONLY, "r"), ("stdout", os.O_RDONLY, "w"), ("stderr", os.O_WRONLY, "w"))
"""Each stream's name, and how /dev/null is opened in its place.

Reading from stdin and writing to stdout then fail with EBADF, as on a closed stream. What is
written to stderr is dropped.
"""


def prepare() -> None:
    """Open a file for every standard stream that is closed, and let stderr drop what it must.

    Python sets a closed stream to None, and the next file or socket takes its number: what a
    library then writes to descriptor 2 would end up in there.
    """
    for name, flags, mode in _STREAMS:
        if getattr(sys, name) is None:
            number = os.open(os.devnull, flags)  # the lowest that is free: the stream's own
            setattr(sys, name, os.fdopen(number, mode, closefd=False))
    sys.stderr = _lossy(sys.stderr)


def discard_stdout() -> None:
    """Drop what stdout still holds, so that Python does not complain when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _lossy(stream: TextIO) -> TextIO:
    """Return a stream to the same file that drops what cannot be written there."""
    try:
        raw = _LossyFile(stream.fileno(), "w", closefd=False)
    except (OSError, ValueError):
        return stream  # no file is behind it
    buffer = io.BufferedWriter(raw)
    return io.TextIOWrapper(buffer, stream.encoding, stream.errors, line_buffering=True)


class _LossyFile(io.FileIO):
    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except OSError:
            return memoryview(data).nbytes
