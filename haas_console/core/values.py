"""Converts words to JSON values, and back, by the JSON schema of a parameter.

Only the parts of JSON Schema that the API uses are supported; the daemon checks the rest.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

from haas_console.core.api import Api, Schema

_TYPES: dict[str, tuple[str, type | tuple[type, ...]]] = {
    "string": ("text", str),
    "integer": ("a whole number", int),
    "number": ("a number", (int, float)),
    "boolean": ("true or false", bool),
    "array": ("a list", list),
    "object": ("an object", dict),
    "null": ("null", type(None)),
}
_BOOLEANS = {"true": True, "yes": True, "false": False, "no": False}


def alternatives(api: Api, schema: Schema) -> tuple[Schema, ...]:
    """The alternatives of a schema, ``null`` included."""
    schema = api.resolve(schema)
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return tuple(alt for entry in schema[key] for alt in alternatives(api, entry))
    if isinstance(schema.get("type"), list):
        return tuple({**schema, "type": name} for name in schema["type"])
    return (schema,)


def _is_null(schema: Schema) -> bool:
    return schema.get("type") == "null" or ("const" in schema and schema["const"] is None)


def choices(api: Api, schema: Schema) -> tuple[Schema, ...]:
    """The alternatives without ``null``, which no word stands for."""
    return tuple(alt for alt in alternatives(api, schema) if not _is_null(alt))


def nullable(api: Api, schema: Schema) -> bool:
    """The schema allows ``null``."""
    return any(_is_null(alt) for alt in alternatives(api, schema))


def _only(api: Api, schema: Schema, kind: str) -> Schema | None:
    found = choices(api, schema)
    return found[0] if len(found) == 1 and found[0].get("type") == kind else None


def is_boolean(api: Api, schema: Schema) -> bool:
    """The value is a boolean, so its option takes no value."""
    return _only(api, schema, "boolean") is not None


def item_schema(api: Api, schema: Schema) -> Schema | None:
    """The schema of a list's items; None if it is no list."""
    found = _only(api, schema, "array")
    return None if found is None else found.get("items", {})


# --- words to values ------------------------------------------------------------------------------


def value_of(api: Api, schema: Schema, word: str) -> Any:
    """Convert one word; raises ValueError with a clause that says what is wrong."""
    found = choices(api, schema)
    if len(found) == 1:
        return _value_as(api, found[0], word)
    for choice in sorted(found, key=lambda choice: choice.get("type") == "string"):
        try:  # text comes last: it accepts any word
            return _value_as(api, choice, word)
        except ValueError:
            continue
    raise ValueError(f'"{word}" is not {describe(api, schema)}')


def _value_as(api: Api, schema: Schema, word: str) -> Any:
    kind = schema.get("type")
    value: Any = word
    if kind == "integer" and re.fullmatch(r"[+-]?[0-9]+", word):
        value = int(word)
    elif kind == "number":
        value = _number(word)
    elif kind == "boolean":
        value = _BOOLEANS.get(word.lower(), word)
    elif kind == "object" and not word.lstrip().startswith("{") and "properties" in schema:
        value = _pairs(api, schema, word)
    elif kind in ("object", "array"):
        value = _json(word)
    elif kind is None:
        value = _untyped(schema, word)
    check(api, schema, value)
    return value


def _number(word: str) -> Any:
    try:
        return int(word) if re.fullmatch(r"[+-]?[0-9]+", word) else float(word)
    except ValueError:
        return word


def _json(word: str) -> Any:
    try:
        return json.loads(word)
    except ValueError as error:
        raise ValueError(f'"{word}" is not JSON: {error}') from None


def _untyped(schema: Schema, word: str) -> Any:
    """Without a type: one of the enumerated values, else JSON, else the word itself."""
    for value in schema.get("enum", [schema["const"]] if "const" in schema else []):
        if word == (value if isinstance(value, str) else json.dumps(value)):
            return value
    try:
        return json.loads(word)
    except ValueError:
        return word


def _pairs(api: Api, schema: Schema, word: str) -> dict[str, Any]:
    """An object without JSON's quotes: ``nic=primary,switch=sw1``."""
    value: dict[str, Any] = {}
    for part in word.split(","):
        key, equals, text = part.partition("=")
        if not equals:
            raise ValueError(f'"{word}" is neither JSON nor KEY=VALUE,KEY=VALUE')
        try:
            value[key] = value_of(api, schema["properties"].get(key, {}), text)
        except ValueError as error:
            raise ValueError(f"{key}: {error}") from None
    return value


def values_of(api: Api, items: Schema, words: list[str]) -> list[Any]:
    """Convert the words of a list: one for each item, or one JSON array."""
    if len(words) == 1 and words[0].startswith("["):
        value = _json(words[0])
        check(api, {"type": "array", "items": items}, value)
        return list(value)
    return [value_of(api, items, word) for word in words]


# --- values to words ------------------------------------------------------------------------------


def word_of(api: Api, schema: Schema, value: Any) -> str:
    """Convert a value to a word that converts back; raises ValueError if there is none."""
    plain = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    for word in (plain, json.dumps(value, ensure_ascii=False)):
        try:
            back = value_of(api, schema, word)
        except ValueError:
            continue
        if type(back) is type(value) and back == value:
            return word
    raise ValueError(f"{value!r} cannot be written as one word")


def words_of(api: Api, items: Schema, values: list[Any]) -> list[str]:
    """Convert a list's items to words; raises ValueError like :func:`word_of`."""
    words = [word_of(api, items, value) for value in values]
    if not words or (len(words) == 1 and words[0].startswith("[")):
        return [json.dumps(values, ensure_ascii=False)]
    return words


# --- what fits, and what it is called -------------------------------------------------------------


def check(api: Api, schema: Schema, value: Any) -> None:
    """Raise ValueError, which names the inner field, if a value violates the schema."""
    found = alternatives(api, schema)
    if len(found) > 1:
        if not any(_fits(api, alt, value) for alt in found):
            raise ValueError(f"{json.dumps(value)} is not {describe(api, schema)}")
        return
    schema = found[0]
    kind = schema.get("type")
    if kind in _TYPES:
        name, types = _TYPES[kind]
        wrong_bool = isinstance(value, bool) and kind in ("integer", "number")
        if not isinstance(value, types) or wrong_bool:
            raise ValueError(f"{json.dumps(value, ensure_ascii=False)} is not {name}")
    allowed = schema.get("enum", [schema["const"]] if "const" in schema else None)
    if allowed is not None and value not in allowed:
        raise ValueError(f'"{value}" is not one of {", ".join(map(str, allowed))}')
    if isinstance(value, str):
        _check_text(schema, value)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        _check_number(schema, value)
    elif isinstance(value, list):
        _check_list(api, schema, value)
    elif isinstance(value, dict):
        _check_object(api, schema, value)


def _fits(api: Api, schema: Schema, value: Any) -> bool:
    try:
        check(api, schema, value)
    except ValueError:
        return False
    return True


def _check_text(schema: Schema, value: str) -> None:
    if len(value) < schema.get("minLength", 0):
        raise ValueError("it may not be empty" if not value else f'"{value}" is too short')
    if len(value) > schema.get("maxLength", math.inf):
        raise ValueError(f'"{value}" is longer than {schema["maxLength"]} characters')
    if "pattern" in schema and not re.search(schema["pattern"], value):
        rule = schema.get("description") or f"it must match {schema['pattern']}"
        raise ValueError(f'"{value}" does not fit: {rule.rstrip(".")}')


def _check_number(schema: Schema, value: float) -> None:
    if not math.isfinite(value):
        raise ValueError(f"{value} is not a number")
    low, high = schema.get("minimum", -math.inf), schema.get("maximum", math.inf)
    if not low <= value <= high:
        span = f"{low} to {high}" if math.isfinite(low + high) else f"at {_bound(low, high)}"
        raise ValueError(f"{value} is out of range ({span})")


def _bound(low: float, high: float) -> str:
    return f"least {low}" if math.isinf(high) else f"most {high}"


def _check_list(api: Api, schema: Schema, value: list[Any]) -> None:
    if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", math.inf):
        raise ValueError(f"{len(value)} items are too many or too few")
    for number, item in enumerate(value, 1):
        try:
            check(api, schema.get("items", {}), item)
        except ValueError as error:
            raise ValueError(f"item {number}: {error}") from None


def _check_object(api: Api, schema: Schema, value: dict[str, Any]) -> None:
    known = schema.get("properties", {})
    for key in schema.get("required", ()):
        if key not in value:
            raise ValueError(f"{key} is missing")
    extra = schema.get("additionalProperties", True)
    for key, item in value.items():
        if key not in known and extra is False:
            raise ValueError(f"there is no {key}; there are {', '.join(known)}")
        try:
            check(api, known.get(key, extra if isinstance(extra, dict) else {}), item)
        except ValueError as error:
            raise ValueError(f"{key}: {error}") from None


def describe(api: Api, schema: Schema) -> str:
    """The values that a schema accepts, in a few words."""
    found = []
    for choice in choices(api, schema):
        if "enum" in choice:
            found.append(" or ".join(map(str, choice["enum"])))
        elif choice.get("type") == "array":
            found.append(f"a list of {describe(api, choice.get('items', {}))}")
        elif choice.get("type") == "object" and choice.get("properties"):
            keys = choice["properties"]
            found.append("{" + ", ".join(key + _mark(choice, key) for key in keys) + "}")
        else:
            found.append(_TYPES.get(str(choice.get("type")), ("anything", object))[0])
    return " or ".join(found) or "anything"


def _mark(schema: Schema, key: str) -> str:
    return "" if key in schema.get("required", ()) else "?"
