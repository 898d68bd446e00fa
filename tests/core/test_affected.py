"""What commands change is read again at once, so that the next key acts on it."""

from __future__ import annotations

import pytest

from haas_console.core.affected import Affected, affected
from haas_console.core.api import packaged_api
from haas_console.core.commands import Apply, Call, ImportSite

API = packaged_api()
BY_ANSWER = frozenset(
    {"nic.connect", "nic.disconnect", "network.create"}
    | {f"headnode.{verb}" for verb in ("create", "connect", "disconnect", "start", "stop")}
)
"""Methods that answer with the record that they changed."""
NOT_IN_INVENTORY = frozenset({"user", "token", "bmc", "apply", "site", "hypervisor", "cabling"})
"""Nouns whose methods change nothing that gestures depend on, or have commands of their own."""


@pytest.mark.parametrize(
    "method",
    [
        name
        for name, method in API.methods.items()
        if method.mutates and method.noun not in NOT_IN_INVENTORY and name not in BY_ANSWER
    ],
)
def test_whatever_changes_the_inventory_says_what_to_read_again(method: str) -> None:
    params = {param.name: param.name for param in API.methods[method].params}
    assert affected(Call(method, params), {"nodes": ["node-01"]})


def test_allocated_nodes_are_named_by_the_answer() -> None:
    call = Call("node.allocate", {"project": "astro", "count": 2})
    found = affected(call, {"project": "astro", "nodes": ["node-01", "node-02"]})
    assert found == (Affected("node", "node-01"), Affected("node", "node-02"))


def test_a_dry_run_changes_nothing() -> None:
    assert affected(ImportSite("site.toml", {"dry_run": True}), {}) == ()
    assert affected(ImportSite("site.toml"), {}) == (Affected("site"),)


def test_an_apply_makes_a_job() -> None:
    assert affected(Apply("astro"), {"job": 1}) == (Affected("job"),)
