"""Site files on the client's disk: read as text, written exactly as the daemon sent them."""

from __future__ import annotations

from pathlib import Path

from haas_console.core.commands import Call, ImportSite
from haas_console.core.errors import ConsoleError


def import_call(command: ImportSite) -> Call:
    """Read the file into a call; raises ConsoleError, which names the file."""
    return Call("site.import", {**command.params, "site": read_text(command.file)})


def read_text(file: str) -> str:
    """Read a file; raises ConsoleError, which names the file."""
    try:
        return Path(file).read_bytes().decode("utf-8")
    except OSError as error:
        raise ConsoleError(f"{file} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConsoleError(f"{file} is not UTF-8 text: {error}") from error


def write_text(file: str, text: str) -> int:
    """Write a file and return its number of bytes; raises ConsoleError, which names the file."""
    data = text.encode("utf-8")
    try:
        Path(file).write_bytes(data)
    except OSError as error:
        raise ConsoleError(f"{file} cannot be written: {error.strerror}") from error
    return len(data)
