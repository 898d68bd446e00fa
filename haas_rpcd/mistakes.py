"""Puts the errors of libraries about the configuration's files into sentences.

No value is ever quoted: it may be a password.
"""

from __future__ import annotations

import difflib
import re
import ssl
from collections.abc import Iterable
from typing import Any

import msgspec

_AT = re.compile(r"^(?P<reason>.*?)(?: - at `\$(?P<path>.*)`)?$")
_UNKNOWN = re.compile(r"Object contains unknown field `(.+)`")
_MISSING = re.compile(r"Object missing required field `(.+)`")
_KIND = re.compile(r"Expected `([^`]+)`, got `([^`]+)`")
_LENGTH = re.compile(r"Expected `(\w+)` of length (>=|<=) (\d+)")
_LIMIT = re.compile(r"Expected `\w+` (>=|<=|>|<) ([\d.]+)")

_KINDS = {
    "str": "a text in quotes",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list in brackets",
    "object": "a table",
    "date": "a date",
    "time": "a time",
    "datetime": "a time",
}
"""What TOML's values are called, by msgspec's words for them."""

_LIMITS = {">": "greater than", ">=": "at least", "<": "less than", "<=": "at most"}


def explain(error: msgspec.ValidationError, kind: Any, data: Any) -> str:
    """Return a sentence about what is wrong in a file, with its place.

    ``kind``: the struct of the whole file, or a dict of structs. ``data``: what the file has.
    """
    clause = _clause(error, kind, data)
    return clause if clause.endswith("?") else f"{clause}."


def _clause(error: msgspec.ValidationError, kind: Any, data: Any) -> str:
    found = _AT.match(str(error))
    reason, path = (found["reason"], found["path"] or "") if found else (str(error), "")
    table, setting = _place(path, kind, data)
    if unknown := _UNKNOWN.match(reason):
        return _unknown(table, unknown[1], kind)
    if missing := _MISSING.match(reason):
        return f"[{table}] lacks {missing[1]}, which has no default" if table else reason
    if not table:
        return reason
    if not setting:
        return f"{table} is not a table: write  [{table}]  on a line of its own"
    within = "an entry of " if path.endswith("]") else ""
    return f"[{table}] {within}{setting}: {_wrong(reason, table, setting, kind)}"


def _place(path: str, kind: Any, data: Any) -> tuple[str, str]:
    """Return the names of a path's table and setting; empty where it has none."""
    if path.startswith("[...]"):  # one of the tables of a dict
        return _first_wrong(kind, data), path.removeprefix("[...]").lstrip(".")
    table, _, setting = path.lstrip(".").partition(".")
    return table, setting.partition("[")[0]


def _first_wrong(kind: Any, data: Any) -> str:
    entry = kind.__args__[1]
    for name, value in data.items():
        try:
            msgspec.convert(value, entry)
        except msgspec.ValidationError:
            return str(name)
    return ""


def _unknown(table: str, name: str, kind: Any) -> str:
    if not table:
        return f"there is no table [{name}]{_instead(name, kind.__struct_fields__)}"
    fields = _struct_of(kind, table).__struct_fields__
    return f"[{table}] has no setting {name}{_instead(name, fields)}"


def _instead(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f": do you mean {close[0]}?" if close else f"; it may be {', '.join(sorted(known))}"


def _wrong(reason: str, table: str, setting: str, kind: Any) -> str:
    if wrong := _KIND.match(reason):
        wanted = " or ".join(_kind(one) for one in wrong[1].split(" | ") if one != "null")
        if wrong[1] == "int" and wrong[2] == "float":
            return "this must be a whole number"
        return f"this must be {wanted}, not {_kind(wrong[2])}"
    if length := _LENGTH.match(reason):
        if (length[2], length[3]) == (">=", "1"):
            return "this must not be empty"
        unit = "characters" if length[1] == "str" else "entries"
        return f"this must have {_LIMITS[length[2]]} {length[3]} {unit}"
    if limit := _LIMIT.match(reason):
        return f"this must be {_LIMITS[limit[1]]} {limit[2].removesuffix('.0')}"
    return f"this must be {_described(_struct_of(kind, table), setting)}"


def _kind(word: str) -> str:
    return _KINDS.get(word, word)


def _struct_of(kind: Any, table: str) -> Any:
    """Return the struct of one table."""
    if not hasattr(kind, "__struct_fields__"):
        return kind.__args__[1]
    (field,) = (one for one in msgspec.structs.fields(kind) if one.name == table)
    return next(
        (one for one in getattr(field.type, "__args__", ()) if hasattr(one, "__struct_fields__")),
        field.type,
    )


def _described(struct: Any, setting: str) -> str:
    """Return the values that a setting takes, or its description if these can't be listed."""
    schema = next(iter(msgspec.json.schema(struct)["$defs"].values()))
    shown = schema["properties"][setting.partition("[")[0]]
    values = shown.get("enum") or shown.get("additionalProperties", {}).get("enum")
    if values:
        return "one of " + ", ".join(f'"{value}"' for value in values)
    return f"as it is described: {str(shown.get('description', setting)).rstrip('.')}"


_TLS = {
    "KEY_VALUES_MISMATCH": "the key is another certificate's",
    "EE_KEY_TOO_SMALL": "the key is too short",
    "CA_KEY_TOO_SMALL": "the key of the authority is too short",
    "CA_MD_TOO_WEAK": "the signature is too weak",
    "NO_CERTIFICATE_OR_CRL_FOUND": "it has no certificate",
}
"""OpenSSL's reasons, as Python's ``ssl.SSLError.reason`` has them."""


def of_certificate(error: Exception) -> str:
    """Return why TLS's files can't be used, as a clause."""
    if isinstance(error, ssl.SSLError):
        return _TLS.get(error.reason or "", "not in the format PEM")
    return getattr(error, "strerror", None) or str(error)
