"""Validates the params of a call, and explains what is wrong with them."""

from __future__ import annotations

import re
from typing import Any, get_args, get_type_hints

import msgspec

from haas_rpcd.errors import InvalidParamsError
from haas_rpcd.methods.registry import Method
from haas_schemas.names import NAME_RULE

_MISSING = re.compile(r"Object missing required field `([^`]+)`(?: - at `\$(.*)`)?")
_UNKNOWN = re.compile(r"Object contains unknown field `([^`]+)`(?: - at `\$(.*)`)?")
_AT = re.compile(r"^(.*) - at `\$\.?(.*)`$")


def validate(declared: Method, raw: Any) -> msgspec.Struct:
    """Convert raw params to the method's struct. Raises InvalidParamsError naming the field."""
    fields = declared.params.__struct_encode_fields__
    if isinstance(raw, list):  # by position, which JSON-RPC allows
        if len(raw) > len(fields):
            raise InvalidParamsError(
                f"{declared.name} takes at most {len(fields)} params: {', '.join(fields)}."
            )
        raw = dict(zip(fields, raw, strict=False))
    try:
        return msgspec.convert(raw, declared.params)
    except msgspec.ValidationError as error:
        raise _explain(str(error), declared) from None


def _explain(text: str, declared: Method) -> InvalidParamsError:
    """Turn msgspec's message into a sentence that names the field and says what it takes."""
    takes = ", ".join(declared.params.__struct_encode_fields__) or "none"
    if found := _MISSING.match(text):
        field = _join(found[2], found[1])
        return InvalidParamsError(f"{declared.name} needs the param {field}.", field=field)
    if found := _UNKNOWN.match(text):
        field = _join(found[2], found[1])
        return InvalidParamsError(
            f"{declared.name} has no param {field}; it takes {takes}.", field=field
        )
    if found := _AT.match(text):
        reason, field = found[1], found[2]
        if "matching regex" in reason:
            reason = _pattern_rule(declared.params, field)
        return InvalidParamsError(f"{field}: {reason}.", field=field)
    return InvalidParamsError(f"{declared.name}: {text}.")


def _join(path: str | None, field: str) -> str:
    return f"{path.lstrip('.')}.{field}" if path else field


def _pattern_rule(params: type[msgspec.Struct], path: str) -> str:
    """Return what a string must look like, from the description beside its pattern."""
    hint: Any = params
    for name in re.findall(r"[A-Za-z_]\w*", path):
        structs = [part for part in _parts(hint) if hasattr(part, "__struct_fields__")]
        hint = get_type_hints(structs[0], include_extras=True).get(name) if structs else None
    for part in _parts(hint):
        if isinstance(part, msgspec.Meta) and part.pattern and part.description:
            return f"does not fit: {part.description.rstrip('.')}"
    return f"does not fit: a name is {NAME_RULE}"


def _parts(hint: Any) -> list[Any]:
    """Return a type hint, its metadata, and the same of everything it is composed of."""
    parts = [hint, *getattr(hint, "__metadata__", ())]
    for argument in get_args(hint):
        parts += _parts(argument)
    return parts
