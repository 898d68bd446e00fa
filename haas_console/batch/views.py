"""How one command's data is shown: the options that any reading command takes at its end.

They are part of the command, and not only of the program, so that they work in scripts and over
ssh's ForceCommand as well: ``ssh master node list -o json``.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from haas_console.core.api import near_miss
from haas_console.core.commands import CONSOLES
from haas_console.core.errors import CommandSyntaxError, ConsoleError
from haas_console.core.text import brief, is_table, table

FORMATS = ("table", "wide", "json", "yaml", "name", "csv")
WATCH = 2.0
"""Seconds between two reads of ``--watch``."""

_USAGE = f"COMMAND [-o {'|'.join(FORMATS)}] [--columns A,B] [--watch[=SECONDS]]"


class View(msgspec.Struct, frozen=True):
    """How to show the data of a command.

    ``columns`` are those of a table, in their order; empty for all. ``watch``: seconds after which
    the command is run again, for ever; None for once. ``exit_code``: a plan with something to do
    ends with the exit code 2.
    """

    format: str = "table"
    columns: tuple[str, ...] = ()
    watch: float | None = None
    exit_code: bool = False

    @property
    def is_plain(self) -> bool:
        """Nothing was asked for."""
        return self == View()


def take(words: Sequence[str]) -> tuple[list[str], View]:
    """Take the options of a view out of a command's words.

    Raises CommandSyntaxError for a value that there is not. Words after ``--`` stay as they are.
    """
    rest: list[str] = []
    found: dict[str, Any] = {}
    queue = list(words)
    while queue:
        word = queue.pop(0)
        name, given, value = word.partition("=")
        if word == "--":
            return [*rest, word, *queue], View(**found)
        if name in ("-o", "--output") or (word.startswith("-o") and word[2:] in FORMATS):
            chosen = word[2:] if word[2:] in FORMATS else _value(word, given, value, queue)
            if chosen not in FORMATS:
                raise CommandSyntaxError(
                    f'there is no format "{chosen}"{near_miss(chosen, FORMATS)};'
                    f" there are: {', '.join(FORMATS)}",
                    _USAGE,
                )
            found["format"] = chosen
        elif word == "--json":
            found["format"] = "json"
        elif name == "--columns":
            columns = _value(word, given, value, queue)
            found["columns"] = tuple(c.strip() for c in columns.split(",") if c.strip())
        elif name == "--watch" and ".".join(rest[:2]) not in CONSOLES:  # they have their own
            found["watch"] = _seconds(value) if given else WATCH
        elif word == "--exit-code" and rest[:1] == ["plan"]:
            found["exit_code"] = True
        else:
            rest.append(word)
    return rest, View(**found)


def _value(word: str, given: str, value: str, queue: list[str]) -> str:
    if given:
        return value
    if not queue:
        raise CommandSyntaxError(f"{word} wants a value", _USAGE)
    return queue.pop(0)


def _seconds(value: str) -> float:
    try:
        seconds = float(value)
    except ValueError:
        seconds = 0.0
    if not 0.1 <= seconds <= 86400:
        raise CommandSyntaxError(f'--watch wants seconds from 0.1, not "{value}"', _USAGE)
    return seconds


# --- data as text ---------------------------------------------------------------------------------


def rows_of(result: Any) -> list[Mapping[str, Any]]:
    """The records of an answer: those of a list, or the one that it is."""
    if isinstance(result, Mapping):
        items = result.get("steps") if "digest" in result else result.get("items")
        if is_table(items):
            return list(items)  # type: ignore[arg-type]  # is_table has looked
        return [] if items == [] else [result]
    return list(result) if is_table(result) else []


def lines(view: View, noun: str, result: Any, *, width: int | None, bold: bool) -> list[str]:
    """The data of an answer in the view's format. Raises ConsoleError for an unknown column."""
    match view.format:
        case "json":
            return [json.dumps(narrowed(view, result), ensure_ascii=False)]
        case "yaml":
            import yaml  # 15 ms, only if it is asked for

            text: str = yaml.safe_dump(
                narrowed(view, result),
                sort_keys=False,
                allow_unicode=True,
                default_flow_style=False,
            )
            return text.rstrip("\n").split("\n")
        case "name":
            return [name_of(noun, record) for record in rows_of(result)]
    records = [_chosen(view, record) for record in _with_columns(view, rows_of(result))]
    if view.format == "csv":
        return _csv(records)
    return (
        table(records, width=None if view.format == "wide" else width, bold=bold) if records else []
    )


def name_of(noun: str, record: Mapping[str, Any]) -> str:
    """What names a record in commands: ``node-1``, ``owner/network``, ``node-1:eth0``, ``7``."""
    if noun in ("nic", "network", "headnode") and noun in record:
        parent = record.get("node" if noun == "nic" else "project")
        if parent:
            return f"{parent}{':' if noun == 'nic' else '/'}{record[noun]}"
    if noun in record:
        return brief(record[noun])
    return brief(next(iter(record.values()), ""))


def narrowed(view: View, result: Any) -> Any:
    """The answer with the chosen columns only."""
    if not view.columns:
        return result
    records = [_chosen(view, record) for record in _with_columns(view, rows_of(result))]
    if isinstance(result, Mapping) and "items" in result:
        return {**result, "items": records}
    return records[0] if isinstance(result, Mapping) else records


def _with_columns(view: View, records: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    known = list(dict.fromkeys(key for record in records for key in record))
    for column in view.columns:
        if records and column not in known:
            raise ConsoleError(
                f'there is no column "{column}"{near_miss(column, known)};'
                f" there are: {', '.join(known)}"
            )
    return records


def _chosen(view: View, record: Mapping[str, Any]) -> Mapping[str, Any]:
    return {key: record.get(key) for key in view.columns} if view.columns else record


def _csv(records: Sequence[Mapping[str, Any]]) -> list[str]:
    """RFC 4180, with a head; what is nested is written as in tables, what is missing is empty."""
    keys = list(dict.fromkeys(key for record in records for key in record))
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    if keys:
        writer.writerow(keys)
    for record in records:
        cells = (record.get(key) for key in keys)
        writer.writerow(["" if cell in (None, [], {}) else brief(cell) for cell in cells])
    return stream.getvalue().rstrip("\n").split("\n") if keys else []
