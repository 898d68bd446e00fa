"""The daemon's API: an OpenRPC document, read into methods and params."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

import msgspec

from haas_console.core.errors import ConsoleError

Schema = Mapping[str, Any]


class Param(msgspec.Struct, frozen=True):
    """One parameter of a method; the top level of ``schema`` is no reference."""

    name: str
    required: bool
    schema: Schema
    description: str = ""

    @property
    def option(self) -> str:
        """The parameter as an option, e.g. ``--dry_run``."""
        return "--" + self.name


class Method(msgspec.Struct, frozen=True, dict=True):
    """One method of the API, and so one command of the language."""

    name: str
    params: tuple[Param, ...] = ()
    summary: str = ""
    description: str = ""
    mutates: bool = False
    role: str = "user"
    right: str = "user"
    result: Schema = msgspec.field(default_factory=dict)

    @property
    def noun(self) -> str:
        """The part before the dot."""
        return self.name.partition(".")[0]

    @property
    def verb(self) -> str:
        """The part after the dot, as on a command line: ``add_member``."""
        return self.name.partition(".")[2]

    @cached_property
    def by_name(self) -> dict[str, Param]:
        """The parameters by name."""
        return {param.name: param for param in self.params}


class Api:
    """All methods of one daemon, with the schemas they share."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        """Read an OpenRPC ``document``; raises ConsoleError if it is malformed."""
        self.version = str(document.get("info", {}).get("version", ""))
        self._schemas: Schema = document.get("components", {}).get("schemas", {})
        try:
            found = [self._method(entry) for entry in document["methods"]]
        except (KeyError, TypeError, AttributeError) as error:
            raise ConsoleError(f"the API description cannot be read: {error!r}") from error
        self.methods = {method.name: method for method in found}

    def _method(self, entry: Mapping[str, Any]) -> Method:
        return Method(
            name=entry["name"],
            params=tuple(
                Param(
                    name=param["name"],
                    required=bool(param.get("required", False)),
                    schema=self.resolve(param.get("schema", {})),
                    description=param.get("description", ""),
                )
                for param in entry.get("params", ())
            ),
            summary=entry.get("summary", ""),
            description=entry.get("description", ""),
            mutates=bool(entry.get("x-mutates", False)),
            role=entry.get("x-role", "user"),
            right=entry.get("x-right", "user"),
            result=self.resolve(entry.get("result", {}).get("schema", {})),
        )

    def resolve(self, schema: Schema) -> Schema:
        """Follow ``$ref`` into the components; keep its siblings, such as a default."""
        while "$ref" in schema:
            beside = {key: value for key, value in schema.items() if key != "$ref"}
            name = schema["$ref"].rpartition("/")[2]
            if name not in self._schemas:
                raise ConsoleError(f"the API description lacks the schema {schema['$ref']}")
            schema = {**self._schemas[name], **beside}
        return schema

    @cached_property
    def nouns(self) -> dict[str, dict[str, Method]]:
        """Noun -> verb -> method, in the order of the document."""
        nouns: dict[str, dict[str, Method]] = {}
        for method in self.methods.values():
            nouns.setdefault(method.noun, {})[method.verb] = method
        return nouns


def packaged_api() -> Api:
    """The API that this console was released with, for use without a daemon."""
    return Api(json.loads(_packaged_text("openrpc.json")))


def _packaged_text(name: str) -> str:
    from importlib.resources import files  # 10 ms, which a connected console saves

    try:
        return (files("haas_schemas") / name).read_text("utf-8")
    except OSError as error:
        raise ConsoleError(f"the packaged API description is missing: {error}") from error


def near_miss(word: str, known: Iterable[str]) -> str:
    """A question such as ``, did you mean "node"?``, or nothing if no word is close."""
    import difflib  # needed after a mistake only

    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f', did you mean "{close[0]}"?' if close else ""
