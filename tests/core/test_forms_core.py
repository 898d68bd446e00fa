"""Forms without a screen: fields are made from the API, and their texts become one command."""

from __future__ import annotations

import pytest

from haas_console.core.api import packaged_api
from haas_console.core.errors import RpcError
from haas_console.core.forms import Form
from haas_console.core.language import Language

LANGUAGE = Language(packaged_api())
FORMS = [
    name
    for name, method in LANGUAGE.api.methods.items()
    if method.params and method.verb in ("register", "create")
]


def form(method: str, **texts: str) -> Form:
    return Form(LANGUAGE, LANGUAGE.api.methods[method], texts)


@pytest.mark.parametrize("method", FORMS)
def test_each_method_that_creates_something_has_a_form(method: str) -> None:
    made = form(method)
    assert [field.name for field in made.fields] == [
        param.name for param in LANGUAGE.api.methods[method].params
    ]
    assert all(field.hint for field in made.fields)
    assert set(made.check()) <= {f.name for f in made.fields if f.required}


def test_kinds_of_fields_come_from_the_schema() -> None:
    kinds = {f.name: (f.kind, f.choices, f.default) for f in form("switch.register").fields}
    assert kinds["switch"] == ("text", (), "")
    assert kinds["port"] == ("text", (), "")
    assert kinds["transport"] == ("choice", ("ssh", "telnet"), "telnet")
    assert {f.name: f.kind for f in form("node.register").fields}["nics"] == "lines"
    assert {f.name: f.choices for f in form("user.create").fields}["admin"] == ("no", "yes")
    assert {f.name: f.choices for f in form("nic.register").fields}["kind"] == ("bmc", "data")


def test_a_node_with_its_nics_is_one_command() -> None:
    filled = form(
        "node.register",
        node="node-77",
        nics="nic=eth0,switch=sw1,port=Gi1/0/13\n\nnic=bmc,kind=bmc",
        tags="gpu, big",
    )
    call = filled.call()
    assert call is not None and call.params == {
        "node": "node-77",
        "nics": [
            {"nic": "eth0", "switch": "sw1", "port": "Gi1/0/13"},
            {"nic": "bmc", "kind": "bmc"},
        ],
        "tags": ["gpu", "big"],
    }
    assert LANGUAGE.parse_line(filled.line()) == call


def test_several_ports_can_be_typed_on_one_line() -> None:
    call = form("port.register", switch="sw1", ports="Gi1/0/1 Gi1/0/2\nGi1/0/3").call()
    assert call is not None and call.params["ports"] == ["Gi1/0/1", "Gi1/0/2", "Gi1/0/3"]


def test_default_values_are_left_out() -> None:
    given = {"switch": "sw9", "dialect": "cisco_ios", "host": "h"}
    call = form("switch.register", **given, transport="telnet").call()
    assert call is not None
    assert call.params == given


def test_each_field_shows_its_error_and_keeps_its_text() -> None:
    filled = form("node.register", node="Node", nics="nic=eth0,mac=12")
    assert filled.call() is None
    assert set(filled.errors) == {"node", "nics"}
    assert "mac" in filled.errors["nics"]
    assert filled.texts["node"] == "Node"
    assert "to be put right: node, nics" in filled.line()


def test_a_malformed_number_is_reported_at_its_field() -> None:
    filled = form("switch.register", switch="s", dialect="d", host="h", port="ninety")
    assert filled.call() is None and "whole number" in filled.errors["port"]


@pytest.mark.parametrize(
    ("named", "field"),
    [
        ("node", "node"),
        ("nics[0].mac", "nics"),
        ("port", "nics"),
        ("elsewhere", None),
        (None, None),
    ],
)
def test_the_daemons_refusal_is_reported_at_its_field(named: str | None, field: str | None) -> None:
    filled = form("node.register", node="n", nics="nic=eth0")
    data = {"kind": "invalid_params"} | ({"field": named} if named else {})
    assert filled.refuse(RpcError(-32602, "It is taken.", data)) == field
    assert (filled.errors.get(field) if field else filled.error) == "It is taken."
