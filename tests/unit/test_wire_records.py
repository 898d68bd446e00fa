"""The records that both programs share: immutable, tolerant of new fields, and free of cycles."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
import pytest

import haas_schemas
from haas_schemas.node import Node

RECORDS: list[type[msgspec.Struct]] = sorted(
    (
        value
        for module in pkgutil.iter_modules(haas_schemas.__path__, "haas_schemas.")
        for value in vars(importlib.import_module(module.name)).values()
        if isinstance(value, type) and issubclass(value, msgspec.Struct)
        if value.__module__ == module.name
    ),
    key=lambda record: record.__name__,
)


@pytest.mark.parametrize("record", RECORDS)
def test_a_record_is_immutable_and_ignores_unknown_fields(record: type[msgspec.Struct]) -> None:
    config = record.__struct_config__
    assert config.frozen
    assert not config.forbid_unknown_fields


@pytest.mark.parametrize("record", [r for r in RECORDS if not r.__struct_config__.gc])
def test_a_record_outside_garbage_collection_cannot_be_part_of_a_cycle(
    record: type[msgspec.Struct],
) -> None:
    hints = get_type_hints(record)
    assert [name for name, hint in hints.items() if not _acyclic(hint)] == []


def _acyclic(hint: Any) -> bool:
    """Return True if values of a type hold only scalars, tuples, and records like these."""
    if hint in (str, int, float, bool, NoneType, Ellipsis):
        return True
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return not hint.__struct_config__.gc
    origin = get_origin(hint)
    if origin is Literal:
        return True
    return origin in (tuple, Union, UnionType) and all(map(_acyclic, get_args(hint)))


def test_a_console_reads_a_node_of_a_newer_daemon() -> None:
    nic = {
        "nic": "eth0", "kind": "data", "mac": None, "switch": "sw1", "port": "Gi1/0/1",
        "state": "staged", "networks": [{"network": "lab", "vlan": 104, "mtu": 9000}],
        "applied": [], "speed": 25,
    }  # fmt: skip
    answer = {
        "node": "node-1", "state": "allocated", "project": "astro", "tags": [], "nics": [nic],
        "until": "2030-01-01T00:00:00.000Z",
    }  # fmt: skip
    node = msgspec.convert(answer, Node)
    found = node.nic("eth0")
    assert found is not None
    assert found.staged
    assert [network.network for network in found.networks] == ["lab"]


def test_importing_a_record_loads_neither_program() -> None:
    program = "import haas_schemas.node, sys; print(*(m.partition('.')[0] for m in sys.modules))"
    loaded = subprocess.check_output([sys.executable, "-c", program], text=True).split()
    assert "haas_schemas" in loaded
    assert {"haas_rpcd", "haas_console", "aiohttp", "textual"}.isdisjoint(loaded)
