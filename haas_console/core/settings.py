"""Changes one setting of console.toml, and leaves all other lines as the user wrote them."""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from pathlib import Path
from typing import Any

from haas_console.core.errors import ConfigError

Value = str | bool


def save(file: Path, key: str, value: Value | None, table: str = "") -> None:
    """Set a key at the top of the file, or in a ``table``; None takes it out.

    Raises ConfigError, which names the file, if it cannot be read, changed or written.
    """
    try:
        text = file.read_text("utf-8") if file.exists() else ""
        changed = edited(text, key, value, table)
        file.parent.mkdir(parents=True, exist_ok=True)
        _replace(file, changed)
    except OSError as error:
        raise ConfigError(f"{file} cannot be changed: {error.strerror}") from error
    except ValueError as error:
        line = _line(key, value) if value is not None else f"no {_name(key)}"
        where = f" in [{table}]" if table else ""
        raise ConfigError(f"{file} is not changed ({error}): put  {line}  there{where}") from error


def edited(text: str, key: str, value: Value | None, table: str = "") -> str:
    """Return a file's text with one setting changed.

    Raises ValueError if it is not TOML, or has the setting in a form that is not understood.
    """
    import tomllib  # 6 ms, only if there is something to change

    wanted: dict[str, Any] = tomllib.loads(text)
    inner = wanted.setdefault(table, {}) if table else wanted
    inner.pop(key, None)
    if value is not None:
        inner[key] = value
    lines = text.splitlines()
    begin, end = _range(lines, table)
    if begin is None:
        lines += [*([""] if lines else []), f"[{table}]"]
        begin = end = len(lines)
    pattern = re.compile(rf"""\s*(?:{re.escape(key)}|"{re.escape(key)}"|'{re.escape(key)}')\s*=""")
    at = next((n for n in range(begin, end) if pattern.match(lines[n])), None)
    new = [] if value is None else [_line(key, value)]
    if at is not None:
        lines[at : at + 1] = new
    else:
        while end > begin and not lines[end - 1].strip():
            end -= 1
        lines[end:end] = new
    made = "\n".join(lines) + "\n"
    if tomllib.loads(made) != wanted:
        raise ValueError("it has this setting in another form")
    return made


def _range(lines: list[str], table: str) -> tuple[int | None, int]:
    """The lines of a table, without its head; those before the first table for an empty name."""
    heads = [n for n, line in enumerate(lines) if line.lstrip().startswith("[")]
    begin: int | None = 0
    if table:
        own = (n for n in heads if re.match(rf"\s*\[\s*{re.escape(table)}\s*\]", lines[n]))
        found = next(own, None)
        begin = None if found is None else found + 1
    end = next((n for n in heads if begin is not None and n >= begin), len(lines))
    return begin, end


def _name(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else f'"{key}"'


def _line(key: str, value: Value) -> str:
    if isinstance(value, bool):
        return f"{_name(key)} = {'true' if value else 'false'}"
    quoted = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'{_name(key)} = "{quoted}"'


def _replace(file: Path, text: str) -> None:
    """Write a file at once, so that no reader sees half of it; a link stays a link."""
    target = file.resolve()
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as opened:
            opened.write(text)
        if target.exists():
            os.chmod(name, target.stat().st_mode & 0o7777)
        os.replace(name, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise
