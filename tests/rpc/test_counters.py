"""What a tenant sees does not count what its neighbours do."""

from __future__ import annotations

from typing import Any

import pytest

from haas_rpcd.errors import HaasError
from tests.rpc.listening import listening
from tests.rpc.small_site import SmallSite


async def neighbours_work(site: SmallSite, name: str) -> None:
    """Let blue make a network and apply it."""
    await site.network("blue", name)
    await site.succeeds("blue")


async def test_job_numbers_tell_nothing(site: SmallSite) -> None:
    """They are drawn at random; the list has the newest first all the same."""
    numbers = []
    for each in range(6):
        await neighbours_work(site, f"net-{each}")
        numbers.append(await site.begin("red"))
        await site.finished(numbers[-1])
    assert numbers not in (sorted(numbers), sorted(numbers, reverse=True))
    assert min(numbers) >= 100_000
    listed = (await site.tenant("rita").call("job.list"))["items"]
    assert [job["job"] for job in listed] == numbers[::-1]


async def test_page_cursors_tell_nothing_and_cannot_be_made_up(site: SmallSite) -> None:
    rita = site.tenant("rita")
    for each in ("a", "b"):
        await neighbours_work(site, each)
        await site.network("red", each)
        await site.call("headnode.create", project="red", headnode=each)
        await site.succeeds("red")
    for method, key in (("job.list", "job"), ("network.list", "network"),
                        ("headnode.list", "headnode")):  # fmt: skip
        whole = (await rita.call(method))["items"]
        assert len(whole) == 2
        pages: list[Any] = []
        after = None
        while True:
            page = await rita.call(method, limit=1, after=after)
            pages += page["items"]
            if (after := page["next"]) is None:
                break
            if method != "job.list":  # its cursors are the jobs' numbers
                assert len(after) == 27
                assert not after.isdecimal()
        assert [item[key] for item in pages] == [item[key] for item in whole]
        for forged in ("1", "2", "AAAA", "A" * 27, "é"):
            with pytest.raises(HaasError) as refused:
                await rita.call(method, limit=1, after=forged)
            assert refused.value.data["field"] == "after"


async def test_event_numbers_are_those_of_one_connection(site: SmallSite) -> None:
    async with listening(site) as busy, listening(site) as quiet:
        await busy.call("events.subscribe")
        await neighbours_work(site, "net")
        job = await site.begin("red")
        await site.finished(job)
        assert (await quiet.call("job.subscribe", job=job))["seq"] == 0
        await quiet.call("events.subscribe")
        await site.network("red", "mine")
        event = await quiet.until(lambda _, seen: seen.get("name") == "mine")
        assert event["seq"] == 1


async def test_vlan_ids_tell_nothing(site: SmallSite) -> None:
    """A tenant gets any that is free; with the lowest it could count its neighbours' networks."""
    drawn = set()
    for _ in range(30):
        made = await site.tenant("rita").call("network.create", project="red", network="net")
        drawn.add(made["vlan"])
        await site.call("network.delete", project="red", network="net")
    assert len(drawn) > 3
    assert drawn <= set(range(100, 110))
    assert await site.network("red", "net") == 100  # for an admin they are predictable
