"""A subscriber that raises harms neither jobs nor other subscribers."""

from __future__ import annotations

from typing import Any, NoReturn

from tests.rpc.small_site import SmallSite


def broken(*_event: Any) -> NoReturn:
    raise LookupError("this subscriber is broken")


async def test_a_release_starts_and_ends_though_a_subscriber_raises(site: SmallSite) -> None:
    """node.release publishes ``releasing`` before it starts the job that parks the ports."""
    await site.network("red", "net")
    await site.hold_nodes("red", "node-1")
    await site.connect("node-1", "net")
    await site.succeeds("red")

    site.daemon.events.subscribe_inventory(broken)
    released = await site.call("node.release", node="node-1")

    job = await site.finished(released["job"])
    assert job["state"] == "succeeded"
    assert (await site.call("node.show", node="node-1"))["state"] == "free"


async def test_an_apply_succeeds_though_a_subscriber_to_its_job_raises(site: SmallSite) -> None:
    await site.network("red", "net")
    await site.hold_nodes("red", "node-1")
    await site.connect("node-1", "net")

    site.daemon.events.subscribe_job(1 + await last_job(site), broken)
    await site.succeeds("red")


async def last_job(site: SmallSite) -> int:
    jobs = await site.call("job.list", limit=1)
    return int(jobs["items"][0]["job"])


async def test_a_subscriber_that_raises_keeps_no_event_from_the_others(site: SmallSite) -> None:
    events = site.daemon.events
    received: list[str] = []
    # Subscribers are called in no particular order, so one of these comes before `received`.
    for _ in range(8):
        events.subscribe_inventory(lambda event, admins_only: broken())
    events.subscribe_inventory(lambda event, admins_only: received.append(event.name))

    await site.network("red", "net")

    assert received == ["net"]
