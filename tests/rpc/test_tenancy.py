"""A tenant cannot tell what it may not see from what does not exist: same code, same text."""

from __future__ import annotations

import re
import sqlite3
from typing import Any

import pytest

from haas_rpcd.errors import HaasError
from haas_rpcd.methods.registry import METHODS
from haas_rpcd.store.database import Tx
from tests.rpc.small_site import SmallSite

OWN: dict[str, Any] = {
    "project": "red",
    "node": "node-1",
    "nic": "eth0",
    "network": "net",
    "headnode": "head",
    "with": "green",
    "label": "ci",
    "user": "rita",
    "until": "2100-01-01T00:00:00Z",
    "action": "status",
}
"""Things that rita may name, for the params that a test does not vary."""

STRANGE: dict[str, tuple[Any, Any]] = {
    "project": ("blue", "nowhere"),
    "node": ("node-3", "node-99"),
    "network": ("blue/own", "blue/none"),
    "headnode": ("bluehead", "none"),
    "with": ("blue", "nowhere"),
    "job": (0, 999),
    "switch": ("sw1", "nowhere"),
    "target": ("node-3", "node-99"),
}
"""Params that name things: something of blue's, and something that does not exist."""

NAMES_NOTHING = {
    "after", "confirm", "count", "digest", "expires", "force", "free", "image", "label", "limit",
    "action", "boot", "device", "hypervisor", "leave_on", "power", "tags", "take", "watch",
    "newest", "nic", "object", "readonly", "role", "since", "state", "tag", "tagged", "timeout",
    "token", "until", "user", "vlan",
}  # fmt: skip
"""Params that cannot name anything of another project (a nic is looked up in its node, the object
of audit records among those of one's own project, a device among the steps of one's own plan or
job; a hypervisor is refused before it is looked up)."""

MAKES = {
    ("network.create", "network"),
    ("headnode.create", "headnode"),
    ("network.share", "with"),
}
"""Methods in which the name is that of a thing to create. (An offer to nobody is made as well.)"""

TENANTS = sorted(name for name, declared in METHODS.items() if not declared.admin)
ADMINS = sorted(name for name, declared in METHODS.items() if declared.admin)


def params_of(name: str) -> tuple[str, ...]:
    return METHODS[name].params.__struct_encode_fields__


PROBES = [
    (name, param)
    for name in TENANTS
    for param in params_of(name)
    if param in STRANGE and (name, param) not in MAKES and not METHODS[name].streams
]


@pytest.fixture
async def two_tenants(site: SmallSite, monkeypatch: pytest.MonkeyPatch) -> SmallSite:
    """Rita is in red and green, bob in blue. Red and blue have things of every kind."""
    await site.call("project.create", project="green")
    await site.call("project.add_member", project="green", user="rita")
    for project, node, network, head in (
        ("red", "node-1", "net", "head"),
        ("blue", "node-3", "own", "bluehead"),
    ):
        await site.hold_nodes(project, node)
        await site.network(project, network)
        await site.connect(node, network)
        await site.call("headnode.create", project=project, headnode=head)
    job = (await site.succeeds("blue"))["job"]
    monkeypatch.setitem(STRANGE, "job", (job, 999))
    return site


async def refusal(site: SmallSite, user: str, method: str, /, **params: Any) -> HaasError:
    with pytest.raises(HaasError) as caught:
        await site.tenant(user).call(method, **params)
    return caught.value


def test_every_param_of_every_method_is_known_to_these_tests() -> None:
    """Add each new method and param to the tables above, so that it is tested."""
    used = {param for name in TENANTS for param in params_of(name)}
    assert used == (NAMES_NOTHING | STRANGE.keys())


@pytest.fixture
def queries(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the daemon asks its database from now on, without the values."""
    asked: list[str] = []
    begin = Tx.__init__

    def noted(sql: str) -> None:
        if sql.lstrip().startswith("SELECT") and "audit" not in sql:
            asked.append(re.sub(r"'[^']*'|-?\b\d+(\.\d+)?\b", "?", sql))

    def watched(self: Tx, connection: sqlite3.Connection) -> None:
        begin(self, connection)
        connection.set_trace_callback(noted)

    monkeypatch.setattr(Tx, "__init__", watched)
    return asked


async def test_foreign_things_seem_not_to_exist(two_tenants: SmallSite, queries: list[str]) -> None:
    """Every method, and every param that names things; the same questions are asked for both."""
    assert len(PROBES) > 30
    for method, param in PROBES:
        struct = METHODS[method].params
        required = struct.__struct_fields__[: -len(struct.__struct_defaults__) or None]
        needed = {field.rstrip("_") for field in required} - {param}
        if method == "headnode.disconnect":
            needed |= {"network"}
        if param == "target":
            needed |= {"project"}
        own = param == "network" and "owner/network" not in str(struct.__annotations__)
        answers = []
        for strange in STRANGE[param]:
            strange = strange.removeprefix("blue/") if own else strange
            given = {name: OWN[name] for name in needed} | {param: strange}
            queries.clear()
            error = await refusal(two_tenants, "rita", method, **given)
            said = error.message.replace(str(strange), "X")
            answers.append((error.code, error.data, said, list(queries)))
        foreign, nonexistent = answers
        assert foreign[:3] == nonexistent[:3], (method, param)
        assert foreign[3] == nonexistent[3], (method, param)
        assert foreign[1]["kind"] == "not_found", (method, param)


async def test_admins_methods_are_denied_before_anything_is_looked_up(
    two_tenants: SmallSite,
) -> None:
    """The answer depends neither on what a call names nor on whether its params are valid."""
    assert len(ADMINS) > 15
    thing = {"project": "blue", "switch": "sw1", "node": "node-3", "user": "bob"}
    for method in ADMINS:
        given = {name: thing[name] for name in params_of(method) if name in thing}
        for params in ({}, given, {"nonsense": 1}):
            error = await refusal(two_tenants, "rita", method, **params)
            assert (error.kind, error.message) == ("denied", f"Only an admin may call {method}.")


async def test_only_admins_see_and_apply_the_site(two_tenants: SmallSite) -> None:
    for method in ("plan.show", "apply.start"):
        error = await refusal(two_tenants, "rita", method)
        assert error.kind == "denied"
    assert (await refusal(two_tenants, "rita", "audit.list")).kind == "denied"
    [*_, of_site] = (await two_tenants.call("job.list"))["items"]
    assert of_site["project"] is None
    asked = await refusal(two_tenants, "rita", "job.show", job=of_site["job"])
    assert asked.kind == "not_found"


async def test_lists_contain_one_s_own_things_and_free_nodes(two_tenants: SmallSite) -> None:
    rita = two_tenants.tenant("rita")

    async def listed(method: str, key: str, **params: Any) -> list[Any]:
        return [item[key] for item in (await rita.call(method, **params))["items"]]

    assert await listed("project.list", "project") == ["green", "red"]
    assert await listed("node.list", "node") == ["node-1", "node-2", "node-4"]
    assert await listed("network.list", "network") == ["net"]
    assert await listed("headnode.list", "headnode") == ["head"]
    assert await listed("job.list", "project") == []
    assert (await rita.call("system.info"))["projects"] == ["green", "red"]
    assert (await rita.call("system.info"))["admin"] is False


async def test_an_owner_does_not_see_what_its_guest_has_on_a_shared_network(
    two_tenants: SmallSite,
) -> None:
    site = two_tenants
    await site.call("network.share", project="red", network="net", **{"with": "blue"})
    await site.connect("node-3", "red/net", nic="ipmi")
    await site.call("headnode.connect", project="blue", headnode="bluehead", network="red/net")
    await site.call("nic.disconnect", node="node-1", nic="eth0")
    rita, bob = site.tenant("rita"), site.tenant("bob")

    shown = await rita.call("network.show", project="red", network="net")
    assert (shown["nics"], shown["headnodes"]) == ([], [])
    assert "blue/" not in str(await rita.call("plan.show", project="red"))

    shown = await bob.call("network.show", project="blue", network="red/net")
    assert shown["nics"] == [{"node": "node-3", "nic": "ipmi", "tagged": False}]
    assert shown["shared_with"] == ["blue"]


async def test_a_guest_does_not_see_the_owner_s_other_guests(two_tenants: SmallSite) -> None:
    site = two_tenants
    for guest in ("blue", "green"):
        await site.call("network.share", project="red", network="net", **{"with": guest})
    [net] = [
        item
        for item in (await site.tenant("bob").call("network.list"))["items"]
        if item["project"] == "red"
    ]
    assert (net["shared_with"], net["nics"]) == (["blue"], 0)


async def test_a_removed_member_loses_access_at_once(two_tenants: SmallSite) -> None:
    rita = two_tenants.tenant("rita")
    await rita.call("project.show", project="red")
    await two_tenants.call("project.remove_member", project="red", user="rita")
    assert (await refusal(two_tenants, "rita", "project.show", project="red")).kind == "not_found"
    assert (await refusal(two_tenants, "rita", "nic.connect", **{
        key: OWN[key] for key in ("node", "nic", "network")
    })).message == "There is no node node-1."  # fmt: skip


async def test_a_tenant_cannot_choose_a_vlan_id(two_tenants: SmallSite) -> None:
    """So it cannot find out which are taken."""
    said = set()
    for vlan in (101, 109):
        error = await refusal(
            two_tenants, "rita", "network.create", project="red", network="n", vlan=vlan
        )
        said.add(error.message)
    assert len(said) == 1
    assert "only an admin" in said.pop()


# --- the audit trail ------------------------------------------------------------------------------


async def audited(site: SmallSite, user: str, /, **params: Any) -> list[dict[str, Any]]:
    records = await site.tenant(user).call("audit.list", **params)
    items: list[dict[str, Any]] = records["items"]
    return items


async def test_a_tenant_sees_the_audit_trail_of_its_own_projects(two_tenants: SmallSite) -> None:
    site = two_tenants
    rita = site.tenant("rita")
    await rita.call("nic.disconnect", node="node-1", nic="eth0")
    await refusal(site, "rita", "network.create", project="red", network="net")

    trail = await audited(site, "rita", project="red")

    assert {record["project"] for record in trail} == {"red"}
    mine = [(r["method"], r["outcome"]) for r in trail if r["user"] == "rita"]
    assert mine == [("nic.disconnect", "done"), ("network.create", "conflict")]
    assert trail[-1]["params"] == {"project": "red", "network": "net"}
    assert trail[-1]["message"] == "Project red has a network net already."


async def test_only_admins_see_a_stranger_s_attempts(two_tenants: SmallSite) -> None:
    """Bob cannot tell from blue's trail that rita exists."""
    site = two_tenants
    await refusal(site, "rita", "network.create", project="blue", network="n")
    await refusal(site, "rita", "user.create", user="eve")
    assert "rita" not in str(await audited(site, "bob", project="blue"))
    everything = (await site.call("audit.list"))["items"]
    assert [(r["method"], r["outcome"]) for r in everything if r["user"] == "rita"] == [
        ("network.create", "not_found"),
        ("user.create", "denied"),
    ]


async def test_a_new_project_of_an_old_name_does_not_inherit_its_trail(
    site: SmallSite,
) -> None:
    await site.tenant("rita").call("network.create", project="red", network="plans")
    await site.call("network.delete", project="red", network="plans")
    await site.call("project.delete", project="red")
    await site.call("project.create", project="red")
    await site.call("project.add_member", project="red", user="bob")
    assert "plans" not in str(await audited(site, "bob", project="red"))


async def test_the_trail_is_read_in_pages_and_by_time_and_user(two_tenants: SmallSite) -> None:
    whole = (await two_tenants.call("audit.list"))["items"]
    first = await two_tenants.call("audit.list", limit=3)
    rest = await two_tenants.call("audit.list", after=first["next"])
    last = await two_tenants.call("audit.list", newest=True, limit=3)
    before = await two_tenants.call("audit.list", newest=True, after=last["next"])
    assert last["items"] + before["items"] == whole[::-1]
    assert first["items"] + rest["items"] == whole
    since = await two_tenants.call("audit.list", since=whole[-1]["time"])
    assert whole[-1] in since["items"]
    assert (await two_tenants.call("audit.list", user="nobody-here"))["items"] == []
    for nonsense in ("yesterday", "0001-01-01", "9999-12-31T23:59:59-23:59"):
        answer = await two_tenants.post(
            {"jsonrpc": "2.0", "method": "audit.list", "params": {"since": nonsense}, "id": 1}
        )
        assert "log has the details" not in answer[1]


# --- what devices say -----------------------------------------------------------------------------


async def test_what_a_switch_says_is_for_admins(two_tenants: SmallSite) -> None:
    """In the job, in its events and in the list; a tenant learns that it failed, and where."""
    site = two_tenants
    await site.wires["sw1"].stop()
    job = await site.begin("red")
    finished = await site.finished(job)
    port = str(site.wires["sw1"].port)
    assert finished["state"] == "failed"
    assert "127.0.0.1" in finished["error"]
    assert port in finished["error"]
    rita = site.tenant("rita")
    for shown in (await rita.call("job.show", job=job), await rita.call("job.list")):
        assert "127.0.0.1" not in str(shown)
        assert port not in str(shown)
    shown = await rita.call("job.show", job=job)
    assert shown["error"] == "sw1 cannot be reached; an admin sees why"
    assert any(step["message"] for step in shown["steps"])
