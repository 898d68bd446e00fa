"""The audit trail: who changed which object, how they came in, and that nobody rewrites it."""

from __future__ import annotations

import os
import sqlite3
from typing import Any

import pytest

from haas_rpcd.config import AuditSettings
from haas_rpcd.errors import HaasError
from haas_rpcd.methods import audit as audit_methods
from haas_rpcd.methods import audited
from haas_rpcd.methods.audited import RefusalMeter
from haas_rpcd.store import audit
from haas_rpcd.store.retention import prune_once
from tests.rpc.small_site import DATABASE, RpcError, SmallSite


async def records(site: SmallSite, **params: Any) -> list[dict[str, Any]]:
    return list((await site.call("audit.list", **params))["items"])


async def trail(site: SmallSite, **params: Any) -> list[str]:
    return [record["method"] for record in await records(site, **params)]


# --- who, what, on which objects ------------------------------------------------------------------


async def test_a_change_says_who_made_it_and_of_what_and_its_job(site: SmallSite) -> None:
    await site.hold_nodes("red", "node-1")
    await site.network("red", "net")
    await site.connect("node-1", "net")
    job = await site.succeeds("red")
    [allocated, network, connected, applied] = (await records(site))[-4:]
    assert allocated["via"] == f"socket, uid {os.getuid()}"
    assert set(allocated["objects"]) == {"project red", "node node-1"}
    assert set(network["objects"]) == {"project red", "network red/net"}
    assert set(connected["objects"]) == {
        "project red", "node node-1", "nic node-1:eth0", "network red/net",
    }  # fmt: skip
    assert (applied["method"], applied["outcome"]) == ("apply.start", "done")
    assert applied["job"] == job["job"]


async def test_nodes_that_haas_chose_are_named(site: SmallSite) -> None:
    await site.call("node.allocate", project="red", count=2)
    [record] = (await records(site))[-1:]
    assert {"node node-1", "node node-2"} <= set(record["objects"])


async def test_the_trail_of_one_object(site: SmallSite) -> None:
    await site.hold_nodes("red", "node-1", "node-2")
    await site.network("red", "net")
    await site.connect("node-1", "net")
    of_node = ["node.register", "node.allocate", "nic.connect"]
    assert await trail(site, object="node-1") == of_node
    assert await trail(site, object="node node-1") == of_node
    assert await trail(site, object="nic node-1:eth0") == ["nic.connect"]
    assert await trail(site, object="network red/net") == ["network.create", "nic.connect"]
    assert await trail(site, object="port sw1 Gi1/0/3") == ["port.register"]
    assert await trail(site, object="network node-1") == []
    newest = await records(site, object="node-1", newest=True, limit=1)
    assert [record["method"] for record in newest] == ["nic.connect"]
    assert await trail(site, object="node-1", until=newest[0]["time"]) == of_node[:-1]
    with pytest.raises(RpcError, match="There is no project green"):
        await records(site, object="node-1", project="green")
    [mine] = (
        await site.tenant("rita").call("audit.list", project="red", object="network red/net")
    )["items"][:1]
    assert mine["method"] == "network.create"


async def test_a_tenant_cannot_count_what_others_do(site: SmallSite) -> None:
    """Its records are numbered within its project."""
    await site.network("red", "one")
    for number in range(5):
        await site.network("blue", f"net-{number}")
    await site.network("red", "two")
    rita = site.tenant("rita")
    page = await rita.call("audit.list", project="red")
    numbers = [record["id"] for record in page["items"]]
    assert numbers == list(range(1, len(numbers) + 1))
    first = await rita.call("audit.list", project="red", limit=1)
    rest = await rita.call("audit.list", project="red", after=first["next"])
    assert [*first["items"], *rest["items"]] == page["items"]


async def test_what_is_refused_is_recorded_reads_too(site: SmallSite) -> None:
    rita = site.tenant("rita")
    for method, params in (
        ("switch.list", {}),
        ("network.create", {"project": "blue", "network": "x"}),
    ):
        with pytest.raises(HaasError):
            await rita.call(method, **params)
    denied, foreign = (await records(site))[-2:]
    assert (denied["user"], denied["method"], denied["outcome"]) == (
        "rita",
        "switch.list",
        "denied",
    )
    assert (foreign["outcome"], foreign["project"]) == ("not_found", "blue")


# --- no more than fits ----------------------------------------------------------------------------


async def test_a_refused_call_takes_little_room(site: SmallSite) -> None:
    for _ in range(5):
        await site.refused("network.create", project="red", network="y" * 500_000)
        await site.refused("node.register", node="n", nics=[{"nic": "a", "x": "z" * 50}] * 5000)
        await site.refused("site.import", site={"users": {"x" * 100_000: {}}})
        await site.refused("project.add_member", project={"a": ["b"] * 1000}, user="x" * 100_000)
    for method, params in await site.rows("SELECT method, params FROM audit"):
        assert len(params) < 5000, method
    [cut] = [record for record in await records(site) if record["method"] == "network.create"][:1]
    assert cut["params"]["network"].startswith("yyy")
    assert cut["params"]["network"].endswith("… (500,000 characters)")


async def test_a_page_is_limited_in_bytes(site: SmallSite, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = await records(site)
    monkeypatch.setattr(audit_methods, "_PAGE_BYTES", 1000)
    pages = [await site.call("audit.list")]
    while pages[-1]["next"]:
        pages.append(await site.call("audit.list", after=pages[-1]["next"]))
    assert len(pages) > 3
    assert [record for page in pages for record in page["items"]] == whole


async def test_refusals_are_limited_and_counted(
    site: SmallSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RefusalMeter, "BURST", 10)
    now = [0.0]
    object.__setattr__(site.daemon.context, "refusals", RefusalMeter(lambda: now[0]))
    before = len(await records(site))
    for _ in range(50):
        await site.refused("project.create", project="red")
    assert len(await records(site)) == before + 10
    now[0] = 60.0  # ten more may be recorded
    await site.refused("project.create", project="red")
    [last] = await records(site, newest=True, limit=1)
    assert last["message"].endswith("(40 refusals before it were not recorded)")
    with pytest.raises(HaasError, match="Only an admin"):
        await site.tenant("rita").call("switch.list")  # each caller has its own
    assert (await records(site, newest=True, limit=1))[0]["user"] == "rita"


def test_params_are_cut_to_what_fits() -> None:
    deep: Any = "x"
    for _ in range(20):
        deep = {"a": [deep] * 3}
    assert len(str(audited.bounded({"deep": deep, "n": 2**70}, 500))) < 600
    assert audited.bounded({"ports": ["a"] * 100}, 4000)["ports"][-1] == "… (36 more)"
    assert audited.bounded({"node": "n", "nic": None}, 500) == {"node": "n", "nic": None}


# --- the chain ------------------------------------------------------------------------------------


async def test_the_trail_is_as_it_was_written(site: SmallSite) -> None:
    await site.network("red", "net")
    verdict = await site.call("audit.verify")
    assert (verdict["ok"], verdict["broken"]) == (True, None)
    assert verdict["records"] == len(await records(site))
    await site.network("red", "more")
    assert (await site.call("audit.verify"))["head"] != verdict["head"]
    with pytest.raises(HaasError, match="Only an admin"):
        await site.tenant("rita").call("audit.verify")


@pytest.mark.parametrize(
    ("forgery", "where"),
    [
        ("UPDATE audit SET user = 'bob' WHERE id = 5", 5),
        ("UPDATE audit SET params = '{}' WHERE id = 5", 5),
        ("DELETE FROM audit WHERE id = 5", 6),
        ("DELETE FROM audit WHERE id >= (SELECT max(id) FROM audit)", None),
        ("UPDATE audit SET time = time + 1 WHERE id = 1", 1),
    ],
)
async def test_a_forgery_is_found(site: SmallSite, forgery: str, where: int | None) -> None:
    last = (await site.call("audit.verify"))["last"]
    with sqlite3.connect(site.folder / DATABASE) as db:
        with pytest.raises(sqlite3.IntegrityError, match="the audit trail"):
            db.execute(forgery)
        db.execute("DROP TRIGGER audit_records_do_not_change")
        db.execute("DROP TRIGGER audit_records_are_pruned_from_the_start")
        db.execute(forgery)
    db.close()
    verdict = await site.call("audit.verify")
    assert (verdict["ok"], verdict["broken"]) == (False, where or last)
    assert "was changed" in verdict["message"]


async def test_old_records_go_and_the_chain_holds(site: SmallSite) -> None:
    for number in range(6):
        await site.network("red", f"net-{number}")
    count = len(await records(site))
    assert await prune_once(site.daemon.store, AuditSettings()) == 0
    assert await prune_once(site.daemon.store, AuditSettings(keep_records=1000)) == 0
    few = AuditSettings(keep_days=0, keep_records=4)
    assert await prune_once(site.daemon.store, few) == count - 4
    left = await records(site)
    assert [record["params"]["network"] for record in left] == [f"net-{n}" for n in range(2, 6)]
    assert (await site.call("audit.verify"))["ok"]
    assert await trail(site, object="node-1") == []
    assert await prune_once(site.daemon.store, AuditSettings(keep_days=1e-9)) == 4
    await site.network("red", "after")
    verdict = await site.call("audit.verify")
    assert (verdict["ok"], verdict["records"]) == (True, 1)
    assert verdict["first"] == left[-1]["id"] + 1


async def test_a_clock_that_was_set_back_prunes_nothing_that_is_young(site: SmallSite) -> None:
    await site.network("red", "net")
    young = await records(site)
    old = audit.Entry(
        time=1.0, user="u", via="", admin=True, method="m", project=None, params={}, outcome="done"
    )
    await site.daemon.store.write(audit.record, old)
    assert await prune_once(site.daemon.store, AuditSettings(keep_days=1)) == 0
    assert (await records(site))[: len(young)] == young
