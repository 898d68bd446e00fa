"""Forms, generated from the params of a method: texts in, one command out. Pure.

A field's text is parsed like a word of the command language, so a form and a ``:`` line accept and
refuse the same values. Lists have a line for each item; objects are ``key=value,key=value``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from haas_console.core import values
from haas_console.core.api import Method, Param, Schema
from haas_console.core.commands import Call
from haas_console.core.errors import ConsoleError, RpcError
from haas_console.core.language import Language


@dataclass(frozen=True)
class FormField:
    """One field. ``kind`` is ``text``, ``choice`` (of the words in ``choices``) or ``lines``."""

    name: str
    kind: str
    required: bool
    hint: str
    choices: tuple[str, ...] = ()
    default: str = ""
    inner: tuple[str, ...] = ()
    """The keys of a list's items, if they are objects."""


def fields_of(language: Language, method: Method) -> list[FormField]:
    """The fields of a method's form, in the order of its params."""
    return [_field(language, param) for param in method.params]


def _field(language: Language, param: Param) -> FormField:
    api, schema = language.api, param.schema
    given = schema.get("default")
    default = "" if given is None else "yes" if given is True else "no"
    if given is not None and not isinstance(given, bool):
        default = str(given)
    hint = _hint(language, param)
    if values.is_boolean(api, schema):
        return FormField(param.name, "choice", param.required, hint, ("no", "yes"), default or "no")
    items = values.item_schema(api, schema)
    if items is not None:
        inner = _inner(language, items)
        return FormField(param.name, "lines", param.required, hint, (), "", inner)
    enums = [choice["enum"] for choice in values.choices(api, schema) if "enum" in choice]
    if enums:
        words = tuple(str(word) for word in enums[0])
        empty = () if param.required or default else ("",)
        return FormField(param.name, "choice", param.required, hint, (*empty, *words), default)
    return FormField(param.name, "text", param.required, hint, (), default)


def _inner(language: Language, items: Schema) -> tuple[str, ...]:
    found = values.choices(language.api, items)
    return tuple(found[0].get("properties", ())) if found else ()


def _hint(language: Language, param: Param) -> str:
    """The description of the param; for a list, how to write one line of it."""
    api = language.api
    items = values.item_schema(api, param.schema)
    if items is not None:
        inner = _inner(language, items)
        if inner:
            return "a line each: " + ",".join(f"{name}=…" for name in inner)
        item = _description(language, items) or values.describe(api, items)
        return f"a line each: {item}"
    described = param.description or _description(language, param.schema)
    return described or values.describe(api, param.schema)


def _description(language: Language, schema: Schema) -> str:
    texts = [str(choice.get("description", "")) for choice in values.choices(language.api, schema)]
    return next((text for text in texts if text), "")


@dataclass
class Form:
    """What is typed into a form, and its errors: by field, and in general."""

    language: Language
    method: Method
    texts: dict[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    error: str = ""

    def __post_init__(self) -> None:
        self.fields = fields_of(self.language, self.method)
        for known in self.fields:
            self.texts.setdefault(known.name, known.default)

    # --- texts to a command ---

    def check(self) -> dict[str, str]:
        """The errors that are found before anything is sent, by field."""
        wrong: dict[str, str] = {}
        for known in self.fields:
            try:
                value = self._value(known)
            except ValueError as error:
                wrong[known.name] = f"{error}."
                continue
            if value is None and known.required:
                wrong[known.name] = "This is needed."
        return wrong

    def call(self) -> Call | None:
        """The command; None if there are errors, which are then in :attr:`errors`."""
        self.errors, self.error = self.check(), ""
        if self.errors:
            return None
        params: dict[str, Any] = {}
        for known in self.fields:
            value = self._value(known)
            if value is not None and not (not known.required and self._is_default(known)):
                params[known.name] = value
        return Call(self.method.name, params)

    def _is_default(self, known: FormField) -> bool:
        return known.kind != "lines" and self.texts[known.name].strip() == known.default

    def _value(self, known: FormField) -> Any:
        """The value of a field, None if it is empty; raises ValueError."""
        api, param = self.language.api, self.method.by_name[known.name]
        text = self.texts[known.name]
        if known.kind == "lines":
            words = [line.strip() for line in text.splitlines() if line.strip()]
            if not words:
                # For a required list, empty is a value: a node without nics.
                return [] if known.required and not param.schema.get("minItems") else None
            items = values.item_schema(api, param.schema) or {}
            found = values.values_of(api, items, _split(words, known))
            values.check(api, param.schema, found)
            return found
        word = text.strip()
        if not word:
            return None
        return values.value_of(api, param.schema, word)

    def line(self) -> str:
        """The same command as a line of a script; an error instead while there is one."""
        wrong = self.check()
        before = (self.errors, self.error)
        call = None if wrong else self.call()
        self.errors, self.error = before
        if call is not None:
            return self.language.format(call)
        names = ", ".join(wrong)
        return f"{self.method.noun} {self.method.verb} …   (to be put right: {names})"

    # --- the daemon's answer ---

    def refuse(self, cause: ConsoleError) -> str | None:
        """Assign the daemon's refusal to its field; returns the field, or None."""
        sentence = str(cause)
        name = _base(cause.data.get("field")) if isinstance(cause, RpcError) else None
        names = {known.name for known in self.fields}
        if name is not None and name not in names:
            # It names a part of an item, such as a nic's port.
            owners = [known.name for known in self.fields if name in known.inner]
            name = owners[0] if owners else None
        if name is None or name not in names:
            self.error = sentence
            return None
        self.errors = {name: sentence.removeprefix(f"{name}: ")}
        return name


def _split(words: list[str], known: FormField) -> list[str]:
    """Simple items may share a line, separated by blanks or commas."""
    if known.inner:
        return words
    return [part for word in words for part in re.split(r"[\s,]+", word) if part]


def _base(name: Any) -> str | None:
    """The field of a path: ``nics`` for ``nics[0].mac``."""
    return re.split(r"[.\[]", name)[0] if isinstance(name, str) and name else None
