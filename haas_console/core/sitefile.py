"""The site file on the client's disk: read as text, written byte by byte as the daemon gave it."""

from __future__ import annotations

from pathlib import Path

from haas_console.core.errors import ConsoleError


def read_text(file: str) -> str:
    """The file's text; raises ConsoleError naming the file."""
    try:
        return Path(file).read_bytes().decode("utf-8")
    except OSError as error:
        raise ConsoleError(f"{file} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConsoleError(f"{file} is not UTF-8 text: {error}") from error


def write_text(file: str, text: str) -> int:
    """Write the text and give the number of bytes; raises ConsoleError naming the file."""
    data = text.encode("utf-8")
    try:
        Path(file).write_bytes(data)
    except OSError as error:
        raise ConsoleError(f"{file} cannot be written: {error.strerror}") from error
    return len(data)
