"""JSON-RPC beyond the specification's examples: bad messages, limits, and what must not leak."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from haas_rpcd.errors import ERRORS
from haas_rpcd.methods.call import TxCall
from haas_rpcd.methods.registry import METHODS, method
from haas_rpcd.rpc import dispatch
from tests.laws import law
from tests.rpc.small_site import RpcError, SmallSite, small_site

PING = {"jsonrpc": "2.0", "method": "system.info", "id": 1}


async def answer(site: SmallSite, body: Any) -> Any:
    """Send a body; return the answer, which must be valid JSON (RFC 8259)."""
    status, text = await site.post(body)
    assert status == 200, (status, text)

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    return json.loads(text, parse_constant=refuse)


async def code_of(site: SmallSite, body: Any) -> tuple[int, Any]:
    said = await answer(site, body)
    return said["error"]["code"], said["id"]


# --- bad messages ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe\x00",
        b'{"jsonrpc": "2.0", "method": "\xc3\x28", "id": 1}',
        '{"jsonrpc":"2.0","method":"system.info","id":1}'.encode("utf-16"),
        b'{"jsonrpc":"2.0","method":"job.wait","params":{"job":1,"timeout":NaN},"id":1}',
        b'{"jsonrpc":"2.0","method":"system.info","id":NaN}',
        b'{"jsonrpc":"2.0","method":"system.info","id":Infinity}',
        b'{"jsonrpc":"2.0","method":"system.info","id":1e999}',
        b'{"jsonrpc":"2.0","method":"system.info","id":"\\ud800"}',
        b'{"jsonrpc":"2.0","method":"node.show","params":{"\\uDfff":1},"id":1}',
        b"[" * 100_000,
        b'{"jsonrpc":"2.0","method":"system.info","id":' + b"9" * 5000 + b"}",
    ],
    ids=lambda body: repr(body[:50]),
)
async def test_invalid_json_is_a_parse_error(empty_site: SmallSite, body: bytes) -> None:
    assert await code_of(empty_site, body) == (-32700, None)


@pytest.mark.parametrize(
    "request_",
    [
        "a", 1, None, True, {}, [[]],
        {**PING, "jsonrpc": "1.0"},
        {**PING, "jsonrpc": 2.0},
        {"method": "system.info", "id": 1},
        {**PING, "method": None},
        {**PING, "params": "x"},
        {**PING, "params": None},
        {**PING, "id": {}},
        {**PING, "id": [1]},
        {**PING, "id": True},
        {**PING, "extra": 1},
    ],
    ids=str,
)  # fmt: skip
async def test_json_that_is_not_a_request_is_an_invalid_request(
    empty_site: SmallSite, request_: Any
) -> None:
    said = await answer(empty_site, json.dumps(request_))
    [said] = said if isinstance(said, list) else [said]
    assert (said["error"]["code"], said["id"]) == (-32600, None)
    assert said["error"]["message"].startswith("Invalid request: ")


@pytest.mark.parametrize("identity", ["", "a", "ä€𝄞", 0, -1, 1.5, 10**30, None])
async def test_the_answer_has_the_request_s_id(empty_site: SmallSite, identity: Any) -> None:
    said = await answer(empty_site, {**PING, "id": identity})
    assert said["id"] == identity
    assert "result" in said


async def test_params_are_passed_by_name_or_by_position(site: SmallSite) -> None:
    for params in ({"node": "node-1"}, ["node-1"]):
        said = await answer(site, {**PING, "method": "node.show", "params": params})
        assert said["result"]["node"] == "node-1"
    said = await answer(site, {**PING, "method": "node.show", "params": ["node-1", "more"]})
    assert said["error"]["code"] == -32602
    assert said["error"]["message"] == "node.show takes at most 1 params: node."


@pytest.mark.parametrize(
    ("name", "params", "message", "field"),
    [
        ("node.show", {}, "node.show needs the param node.", "node"),
        ("node.show", {"nodes": "n"}, "node.show has no param nodes; it takes node.", "nodes"),
        ("node.show", {"node": 1}, "node: Expected `str`, got `int`.", "node"),
        ("node.show", {"node": "A b"}, "node: does not fit: A name: 1 to 63 of", "node"),
        ("node.list", {"limit": 0}, "limit: Expected `int` >= 1.", "limit"),
        ("node.register", {"node": "n", "nics": [{}]}, "needs the param nics[0].nic",
         "nics[0].nic"),
        ("node.register", {"node": "n", "nics": [{"nic": "a", "mac": "x"}]},
         "nics[0].mac: does not fit: A MAC address", "nics[0].mac"),
        ("port.register", {"switch": "sw1", "ports": ["Gi 1; reload"]},
         "ports[0]: does not fit: A port's name as the switch writes it", "ports[0]"),
        ("node.register", {"node": "n", "nics": [{"nic": "a", "x": 1}]}, "no param nics[0].x",
         "nics[0].x"),
        ("nic.register", {"node": "n", "nic": "a", "mac": "02-00"}, "mac: does not fit: A MAC",
         "mac"),
        ("network.create", {"project": "p", "network": "n", "vlan": 1}, "vlan: Expected `int` >= 2",
         "vlan"),
    ],
)  # fmt: skip
async def test_an_error_names_the_wrong_param(
    site: SmallSite, name: str, params: Any, message: str, field: str
) -> None:
    error = await site.refused(name, **params)
    assert (error.code, error.kind) == (-32602, "invalid_params")
    assert message in error.message
    assert error.data["field"] == field


# --- limits ---------------------------------------------------------------------------------------


async def test_a_batch_that_is_too_long_is_refused(empty_site: SmallSite) -> None:
    full = [{**PING, "id": number} for number in range(dispatch.MAX_BATCH)]
    said = await answer(empty_site, full)
    assert [one["id"] for one in said] == list(range(dispatch.MAX_BATCH))
    said = await answer(empty_site, [*full, PING])
    assert said["error"]["data"]["kind"] == "too_large"
    assert "A batch may hold 1000 calls, not 1001" in said["error"]["message"]


async def test_a_bad_item_of_a_batch_does_not_affect_the_others(empty_site: SmallSite) -> None:
    said = await answer(empty_site, [PING, 1, {**PING, "id": 2, "method": "no.such"}, {**PING}])
    assert [list(one)[1] for one in said] == ["result", "error", "error", "result"]


async def test_the_calls_of_a_batch_run_in_order(empty_site: SmallSite) -> None:
    calls = [("project.create", {"project": "p"}), ("user.create", {"user": "u"}),
             ("project.add_member", {"project": "p", "user": "u"})]  # fmt: skip
    said = await answer(
        empty_site,
        [{"jsonrpc": "2.0", "method": m, "params": p, "id": n} for n, (m, p) in enumerate(calls)],
    )
    assert said[2]["result"]["members"] == ["u"]


async def test_a_later_call_of_a_batch_sees_what_an_earlier_one_did(site: SmallSite) -> None:
    def call(method: str, number: int, **params: Any) -> dict[str, Any]:
        return {"jsonrpc": "2.0", "method": method, "params": params, "id": number}

    batch = []
    for number in range(0, 10, 2):
        batch.append(call("network.create", number, project="red", network=f"n{number}"))
        batch.append(call("network.list", number + 1))
    said = await answer(site, batch)
    assert [len(each["result"]["items"]) for each in said[1::2]] == [1, 2, 3, 4, 5]


async def test_a_message_that_is_too_large_is_refused(empty_site: SmallSite) -> None:
    status, _ = await empty_site.post(b" " * (17 * 2**20))
    assert status == 413


# --- what must not leak ---------------------------------------------------------------------------


def broken(call: TxCall, secret: str) -> None:
    """Fail like a bug."""
    raise ValueError(f"the secret is {secret}")


def unwritable(call: TxCall) -> float:
    """Return something that JSON cannot express."""
    return float("nan")


@pytest.fixture
async def buggy(tmp_path: Path) -> AsyncIterator[SmallSite]:
    """A daemon with methods that fail unexpectedly."""
    before = dict(METHODS)
    method("test.broken", mutates=True)(broken)
    method("test.unwritable")(unwritable)
    try:
        async with small_site(tmp_path) as site:
            yield site
    finally:
        METHODS.clear()
        METHODS.update(before)


async def test_an_unexpected_failure_is_masked(buggy: SmallSite) -> None:
    status, text = await buggy.post(
        {**PING, "method": "test.broken", "params": {"secret": "hunter2"}}
    )
    assert status == 200
    assert json.loads(text)["error"] == {
        "code": -32603,
        "message": "The daemon failed; its log has the details.",
        "data": {"kind": "internal"},
    }
    assert "hunter2" not in text
    said = await answer(buggy, {**PING, "method": "test.unwritable"})
    assert (said["error"]["code"], said["id"]) == (-32603, 1)
    assert "result" in await answer(buggy, PING)  # the daemon still answers


def test_each_kind_of_error_has_its_own_code() -> None:
    assert len({error.code for error in ERRORS}) == len({error.kind for error in ERRORS})
    for error in ERRORS:
        assert error.code in (*range(-32603, -32599), -32700) or -32099 <= error.code <= -32000
        assert error.meaning.endswith(".")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
    | st.sampled_from([2**63, 2**70, -(2**70), "9" * 40, "\u0663", "\0", "a" * 300, 1e308]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=4,
)  # fmt: skip
SENSIBLE: dict[str, list[Any]] = {
    "admin": [True], "after": ["1", "node-1", "0"], "count": [1], "credential": ["lab"],
    "dialect": ["cisco_ios", "linux_bridge"], "dry_run": [True, False],
    "fingerprint": ["SHA256:" + "A" * 43], "force": [True, False],
    "free": [True], "headnode": ["head"], "host": ["::1"], "image": ["base-headnode"], "job": [1],
    "kind": ["bmc"], "limit": [5], "mac": ["02:00:00:00:00:01"], "network": ["net", "red/net"],
    "nic": ["eth0", "eth1"], "nics": [[], [{"nic": "a"}]], "node": ["node-1", "node-9"],
    "options": [{}, {"encapsulation": "dot1q"}], "port": [23, "Gi1/0/9", "Gi1/0/12"],
    "ports": [["Gi1/0/9"]], "project": ["red", "blue"], "role": ["trunk"],
    "since": ["2026-01-01"], "site": ["", "[users.eve]"], "state": ["failed"],
    "switch": ["sw1", "sw3"], "tag": ["gpu"], "tagged": [True], "tags": [["gpu"]],
    "timeout": [0], "transport": ["telnet", "ssh"], "user": ["rita", "eve"], "vlan": [100],
    "with": ["blue"],
}  # fmt: skip
"""Values that pass the validation of params."""

TAKES_LONG = {"switch.probe", "switch.trust", "job.wait"}


@given(data=st.data())
@law(250, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
async def test_no_params_make_the_daemon_fail(site: SmallSite, data: st.DataObject) -> None:
    """Every call gets a result, or an error that says what is wrong."""
    name = data.draw(st.sampled_from(sorted(METHODS.keys() - TAKES_LONG)))
    fields = METHODS[name].params.__struct_encode_fields__
    params = {}
    for field in data.draw(
        st.lists(st.sampled_from(fields), unique=True) if fields else st.just([])
    ):
        sensible = st.sampled_from(SENSIBLE.get(field, [None]))
        params[field] = data.draw(sensible | sensible | JSON, label=field)
    said = await answer(site, {**PING, "method": name, "params": params})
    if "error" in said:
        assert said["error"]["data"]["kind"] != "internal", (name, params)
        assert len(said["error"]["message"].split()) > 2, said


@pytest.mark.parametrize(
    ("name", "params", "kind"),
    [
        ("job.show", {"job": 2**63}, "invalid_params"),
        ("job.show", {"job": 2**70}, "invalid_params"),
        ("job.wait", {"job": 2**70}, "invalid_params"),
        ("job.cancel", {"job": 2**70}, "invalid_params"),
        ("job.show", {"job": 2**53 - 1}, "not_found"),
        ("job.list", {"after": "9" * 40}, "invalid_params"),
        ("network.list", {"after": "9" * 5000}, "invalid_params"),
        ("audit.list", {"since": "0001-01-01"}, "invalid_params"),
        ("site.import", {"site": "a = " + "[" * 5000}, "invalid_params"),
        ("site.import", {"site": {"users": {"x" * 99: {}}}}, "invalid_params"),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_extreme_values_are_answered(
    site: SmallSite, name: str, params: Any, kind: str
) -> None:
    assert (await site.refused(name, **params)).kind == kind


@pytest.mark.parametrize(
    "options",
    [{"encapsulation": None}, {"encapsulation": ["dot1q"]}, {"encapsulation": "dot1q\nno vlan 2"}],
)
async def test_options_must_be_plain_words(empty_site: SmallSite, options: Any) -> None:
    """They become part of lines that are sent, and of the site file, which has no null."""
    error = await empty_site.refused(
        "switch.register", switch="sw1", dialect="cisco_ios", host="h", options=options
    )
    assert error.kind == "invalid_params"
    assert error.data["field"] == "options"
    await empty_site.call("site.export")


async def test_an_unknown_method_is_reported_like_any_error(empty_site: SmallSite) -> None:
    with pytest.raises(RpcError, match=r"no method nope\.nope; rpc\.discover lists") as refused:
        await empty_site.call("nope.nope")
    assert refused.value.kind == "method_not_found"
