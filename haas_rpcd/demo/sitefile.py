"""Reads a site file for a rehearsal. Errors name the file and, if possible, the line."""

from __future__ import annotations

import os
import re
import stat
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from haas_rpcd.config import ConfigError
from haas_rpcd.errors import HaasError
from haas_rpcd.nicplug import NicPlug
from haas_rpcd.site import Site, SiteHypervisor, SiteNode, SiteProject, SiteSwitch, SiteUser

_LONGEST = 16 << 20
"""Bytes of a site file."""

_TABLES: dict[str, type[msgspec.Struct]] = {
    "users": SiteUser,
    "projects": SiteProject,
    "switches": SiteSwitch,
    "hypervisors": SiteHypervisor,
    "nodes": SiteNode,
}


@dataclass(frozen=True)
class SiteFile:
    """A site file: its text and its content."""

    path: Path
    text: str
    site: Site

    def error(self, error: HaasError) -> ConfigError:
        """Make an error with the file's name and the line from an error of site.import."""
        field = str(error.data.get("field", "")).removeprefix("site.")
        return _error(self.path, self.text, error.message, *_table_of(self.text, field))


def read(path: Path) -> SiteFile:
    """Read a site file. Raises ConfigError, which begins with ``FILE:LINE:``."""
    try:
        text = _read(path).decode("utf-8")
    except FileNotFoundError:
        raise ConfigError(
            f"There is no file {path}; name a site file, such as `site export` writes, with --site."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} can't be read: {error}.") from None
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        sentence, line = _without_line(str(error))
        raise ConfigError(f"{path}:{line or _last(text)}: not TOML: {sentence}.") from None
    except RecursionError:
        raise ConfigError(f"{path}: not TOML: it is nested too deeply.") from None
    try:
        return SiteFile(path, text, msgspec.convert(data, Site))
    except msgspec.ValidationError as error:
        table, key = _wrong_table(data)
        raise _error(path, text, f"{error}.", table, key) from None


def _read(path: Path) -> bytes:
    """Read a regular file up to a limit. Raises OSError, ConfigError."""
    number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # a pipe would wait
    with open(number, "rb") as file:
        if not stat.S_ISREG(os.fstat(number).st_mode):
            raise ConfigError(f"{path} is no regular file.")
        data = file.read(_LONGEST + 1)
    if len(data) > _LONGEST:
        raise ConfigError(f"{path} is longer than {_LONGEST >> 20} MiB.")
    return data


def _error(path: Path, text: str, sentence: str, table: str, key: str) -> ConfigError:
    line = _line(text, table, key) if table else None
    return ConfigError(f"{path}:{line}: {sentence}" if line else f"{path}: {sentence}")


def _without_line(sentence: str) -> tuple[str, int | None]:
    """Split ``(at line 3, column 5)`` off tomllib's message."""
    found = re.fullmatch(r"(.*) \(at line (\d+), column \d+\)", sentence, re.S)
    return (found[1], int(found[2])) if found else (sentence.split(" (at end")[0], None)


def _last(text: str) -> int:
    return max(1, len(text.splitlines()))


# --- where in the file ----------------------------------------------------------------------------


def _headers(text: str) -> Iterator[tuple[int, str]]:
    """Return the line numbers of tables such as ``[switches.rack1]``, with unquoted names."""
    for number, line in enumerate(text.splitlines(), start=1):
        if found := re.match(r"\s*\[([^\[\]]+)\]\s*(?:#.*)?$", line):
            yield number, re.sub(r"\s*\.\s*", ".", found[1].strip()).replace('"', "")


def _table_of(text: str, field: str) -> tuple[str, str]:
    """Split the path of a field into the longest matching table and a key."""
    tables = [
        table for _, table in _headers(text) if field == table or field.startswith(f"{table}.")
    ]
    if not tables:
        return "", ""
    table = max(tables, key=len)
    return table, re.split(r"[. ]", field[len(table) + 1 :])[0]


def _line(text: str, table: str, key: str) -> int | None:
    """Return the line of a key in a table, or of the table."""
    found = None
    for number, line in enumerate(text.splitlines(), start=1):
        if line.lstrip().startswith("["):
            if found is not None:
                break
            found = next(
                (at for at, name in _headers(text) if at == number and name == table), None
            )
        elif found is not None and key and re.match(rf'\s*"?{re.escape(key)}"?\s*=', line):
            return number
    return found


def _wrong_table(data: dict[str, Any]) -> tuple[str, str]:
    """Find the invalid table and its key. The errors of msgspec omit the names of tables."""
    for name, value, kind in _all_tables(data):
        try:
            msgspec.convert(value, kind)
        except msgspec.ValidationError as error:
            key = re.search(r"`\$\.(\w+)", str(error)) or re.search(r"field `(\w+)`$", str(error))
            return name, key[1] if key else ""
    return "", ""


def _all_tables(data: dict[str, Any]) -> Iterator[tuple[str, Any, type[msgspec.Struct]]]:
    for noun, kind in _TABLES.items():
        entries = data.get(noun)
        for name, value in entries.items() if isinstance(entries, dict) else ():
            nics = value.get("nics") if noun == "nodes" and isinstance(value, dict) else None
            for nic, wanted in nics.items() if isinstance(nics, dict) else ():
                yield f"nodes.{name}.nics.{nic}", wanted, NicPlug
            yield f"{noun}.{name}", value, kind
