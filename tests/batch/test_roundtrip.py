"""Every command can be parsed from its canonical line, whatever its params."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haas_console.core import values
from haas_console.core.api import Api, Method, Schema
from haas_console.core.commands import Apply, Call, Command, ExportSite, ImportSite, Use
from haas_console.core.language import Language
from tests.laws import law

pytestmark = pytest.mark.slow

# Patterns are ignored: they do not affect how a value is written.
TEXT = st.text(st.characters(blacklist_characters="\n", blacklist_categories=["Cs"]), max_size=8)
ODD_TEXT = st.one_of(
    TEXT, st.sampled_from(["--", "--tagged", "-c", "#", "true", "[]", "[x", "{", "", "null", "7"])
)


def value_for(api: Api, schema: Schema) -> st.SearchStrategy[Any]:
    """Any value that the schema allows, except null."""
    options = []
    for choice in values.choices(api, schema):
        kind = choice.get("type")
        if "enum" in choice:
            options.append(st.sampled_from(choice["enum"]))
        elif kind == "string":
            low, high = choice.get("minLength", 0), choice.get("maxLength", 100)
            text = ODD_TEXT.map(lambda text, low=low, high=high: text.ljust(low, "-")[:high])
            options.append(st.from_regex(choice["pattern"]) if "pattern" in choice else text)
        elif kind == "integer":
            low, high = choice.get("minimum", -(10**9)), choice.get("maximum", 10**9)
            options.append(st.integers(low, high))
        elif kind == "number":
            low, high = choice.get("minimum", -1e9), choice.get("maximum", 1e9)
            options.append(st.floats(low, high) | st.integers(int(low), int(high)))
        elif kind == "boolean":
            options.append(st.booleans())
        elif kind == "array":
            items = value_for(api, choice.get("items", {}))
            options.append(st.lists(items, min_size=choice.get("minItems", 0), max_size=3))
        elif "properties" in choice:
            inner = {key: value_for(api, item) for key, item in choice["properties"].items()}
            required = {key: inner.pop(key) for key in choice.get("required", ())}
            options.append(st.fixed_dictionaries(required, optional=inner))
        else:
            options.append(st.dictionaries(ODD_TEXT, st.integers() | ODD_TEXT, max_size=3))
    return st.one_of(options)


def calls_of(api: Api, method: Method) -> st.SearchStrategy[Command]:
    """Calls with all required params and some of the others."""
    every = {param.name: value_for(api, param.schema) for param in method.params}
    required = {param.name: every.pop(param.name) for param in method.params if param.required}
    params = st.fixed_dictionaries(required, optional=every)
    return params.map(lambda given: Call(method.name, given))


def commands_of(language: Language) -> st.SearchStrategy[Command]:
    """Any command of the language."""
    name = st.from_regex(r"[a-z0-9][a-z0-9.-]{0,9}", fullmatch=True) | st.sampled_from(
        ["start", "show"]
    )
    digest = st.from_regex("[0-9a-f]{16}", fullmatch=True)
    file = TEXT.filter(lambda text: bool(text) and not text.startswith("--site"))
    return st.one_of(
        *(calls_of(language.api, method) for method in language.api.methods.values()),
        st.builds(Apply, st.none() | name, st.none() | digest),
        st.builds(Use, st.none() | name),
        st.builds(ImportSite, file, st.sampled_from([{}, {"dry_run": True}, {"dry_run": False}])),
        st.builds(ExportSite, file, st.sampled_from([{}, {"tenants": True}])),
    )


def holds(language: Language, command: Command, project: str | None) -> None:
    """Format and parse a command; the result must be the same."""
    try:
        line = language.format(command, project)
    except ValueError:
        # If a number or a text is allowed, the text "7" cannot be expressed; nor the text "{}" if
        # a text or an object is.
        assert isinstance(command, Call)
        method = language.api.methods[command.method]
        assert any(_kinds(method.by_name[name].schema) > {"string"} for name in command.params)
        return
    again = language.parse_line(line, project)
    assert _given(again) == _given(command), line
    assert language.format(again, project) == line


def _kinds(schema: Mapping[str, Any]) -> set[str]:
    """The JSON types that a schema allows, but for null."""
    found: set[str] = set()
    for each in schema.get("anyOf", [schema]):
        types = each.get("type", [])
        found.update([types] if isinstance(types, str) else types)
    return found - {"null"}


def _given(command: Command | None) -> Any:
    """A command without nulls, which are the same as missing params."""
    if isinstance(command, Call):
        return command.method, {k: v for k, v in command.params.items() if v is not None}
    return command


@law(100)
@given(st.data())
def test_every_command_can_be_parsed_from_its_line(language: Language, data: st.DataObject) -> None:
    holds(language, data.draw(commands_of(language)), None)


@law(100)
@given(st.data())
def test_every_command_can_be_parsed_while_a_project_is_in_use(
    language: Language, data: st.DataObject
) -> None:
    holds(language, data.draw(commands_of(language)), "alpha")


@law(100)
@given(st.data(), st.sampled_from([None, "alpha"]))
def test_every_command_of_the_released_api_can_be_parsed_from_its_line(
    released: Language, data: st.DataObject, project: str | None
) -> None:
    holds(released, data.draw(commands_of(released)), project)


def test_the_canonical_line_uses_the_short_form(language: Language) -> None:
    nic = {"node": "node-1", "nic": "primary-nic"}
    lines = [
        language.format(Call("nic.connect", {**nic, "network": "net", "tagged": True})),
        language.format(Call("nic.disconnect", nic)),
        language.format(Call("plan.show", {"project": "alpha"})),
        language.format(Call("network.create", {"project": "alpha", "network": "n", "vlan": 104})),
        language.format(
            Call("network.create", {"project": "alpha", "network": "n", "vlan": 104}), "alpha"
        ),
        language.format(Apply("alpha"), "alpha"),
        language.format(Call("project.add_member", {"project": "alpha", "user": "alice"})),
        language.format(ImportSite("my site.toml", {"dry_run": True})),
    ]
    assert lines == [
        "connect node-1:primary-nic net --tagged",
        "disconnect node-1:primary-nic",
        "plan alpha",
        "network create alpha n --vlan 104",
        "network create n --vlan 104",
        "apply",
        "project add_member alpha alice",
        "site import 'my site.toml' --dry_run",
    ]
