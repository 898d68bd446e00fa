"""All examples of the JSON-RPC 2.0 specification (section 7), over HTTP against the daemon.

The methods of the examples are declared for these tests and taken away again. Where the
specification shows the text of an error's message, ours says more; codes and ids are its own.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from haas_rpcd.methods.call import TxCall
from haas_rpcd.methods.registry import METHODS, method
from tests.rpc.small_site import SmallSite, small_site

UPDATES: list[Any] = []


def subtract(call: TxCall, minuend: int, subtrahend: int) -> int:
    """Subtract."""
    return minuend - subtrahend


def update(call: TxCall, a: int, b: int, c: int, d: int, e: int) -> None:
    """Record the call."""
    UPDATES.append((a, b, c, d, e))


def sum_(call: TxCall, a: int, b: int, c: int) -> int:
    """Add."""
    return a + b + c


def notify_hello(call: TxCall, a: int) -> None:
    """Record the call."""
    UPDATES.append(a)


def get_data(call: TxCall) -> list[Any]:
    """Return some data."""
    return ["hello", 5]


@pytest.fixture
async def example(tmp_path: Path) -> AsyncIterator[SmallSite]:
    """A daemon with the methods of the specification's examples."""
    before = dict(METHODS)
    UPDATES.clear()
    for function in (subtract, update, sum_, notify_hello, get_data):
        method(function.__name__.rstrip("_"))(function)
    try:
        async with small_site(tmp_path) as site:
            yield site
    finally:
        METHODS.clear()
        METHODS.update(before)


def error(code: int, identity: Any = None) -> dict[str, Any]:
    return {"error": code, "id": identity}


def result(value: Any, identity: Any) -> dict[str, Any]:
    return {"result": value, "id": identity}


EXAMPLES: list[tuple[str, str, Any]] = [
    ("positional parameters",
     '{"jsonrpc": "2.0", "method": "subtract", "params": [42, 23], "id": 1}',
     result(19, 1)),
    ("positional parameters, the other way round",
     '{"jsonrpc": "2.0", "method": "subtract", "params": [23, 42], "id": 2}',
     result(-19, 2)),
    ("named parameters",
     '{"jsonrpc": "2.0", "method": "subtract", "params": {"subtrahend": 23, "minuend": 42},'
     ' "id": 3}',
     result(19, 3)),
    ("named parameters, the other way round",
     '{"jsonrpc": "2.0", "method": "subtract", "params": {"minuend": 42, "subtrahend": 23},'
     ' "id": 4}',
     result(19, 4)),
    ("a notification",
     '{"jsonrpc": "2.0", "method": "update", "params": [1,2,3,4,5]}',
     None),
    ("a notification of a method that is not there",
     '{"jsonrpc": "2.0", "method": "foobar"}',
     None),
    ("non-existent method",
     '{"jsonrpc": "2.0", "method": "foobar", "id": "1"}',
     error(-32601, "1")),
    ("invalid JSON",
     '{"jsonrpc": "2.0", "method": "foobar, "params": "bar", "baz]',
     error(-32700)),
    ("invalid Request object",
     '{"jsonrpc": "2.0", "method": 1, "params": "bar"}',
     error(-32600)),
    ("batch, invalid JSON",
     '[{"jsonrpc": "2.0", "method": "sum", "params": [1,2,4], "id": "1"},'
     ' {"jsonrpc": "2.0", "method"]',
     error(-32700)),
    ("an empty array",
     "[]",
     error(-32600)),
    ("an invalid batch, but not empty",
     "[1]",
     [error(-32600)]),
    ("an invalid batch",
     "[1,2,3]",
     [error(-32600), error(-32600), error(-32600)]),
    ("a batch",
     '[{"jsonrpc": "2.0", "method": "sum", "params": [1,2,4], "id": "1"},'
     ' {"jsonrpc": "2.0", "method": "notify_hello", "params": [7]},'
     ' {"jsonrpc": "2.0", "method": "subtract", "params": [42,23], "id": "2"},'
     ' {"foo": "boo"},'
     ' {"jsonrpc": "2.0", "method": "foo.get", "params": {"name": "myself"}, "id": "5"},'
     ' {"jsonrpc": "2.0", "method": "get_data", "id": "9"}]',
     [result(7, "1"), result(19, "2"), error(-32600), error(-32601, "5"),
      result(["hello", 5], "9")]),
    ("a batch of notifications only",
     '[{"jsonrpc": "2.0", "method": "notify_hello", "params": [1]},'
     ' {"jsonrpc": "2.0", "method": "notify_hello", "params": [7]}]',
     None),
]  # fmt: skip


def plain(answer: Any) -> Any:
    """Return the parts of an answer that the specification defines."""
    if isinstance(answer, list):
        return [plain(one) for one in answer]
    assert answer.pop("jsonrpc") == "2.0"
    if "error" in answer:
        assert answer["error"].keys() <= {"code", "message", "data"}
        assert isinstance(answer["error"]["message"], str)
        return {**answer, "error": answer["error"]["code"]}
    return answer


def test_there_are_fifteen_examples() -> None:
    assert len(EXAMPLES) == 15


@pytest.mark.parametrize(("name", "body", "wanted"), EXAMPLES, ids=[e[0] for e in EXAMPLES])
async def test_example(example: SmallSite, name: str, body: str, wanted: Any) -> None:
    status, text = await example.post(body)
    if wanted is None:
        assert (status, text) == (204, "")
    else:
        assert status == 200
        assert plain(json.loads(text)) == wanted


async def test_the_notifications_of_the_examples_run(example: SmallSite) -> None:
    for _, body, wanted in EXAMPLES:
        if wanted is None:
            await example.post(body)
    assert UPDATES == [(1, 2, 3, 4, 5), 1, 7]
