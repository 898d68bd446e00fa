"""An apply that goes back by itself unless it is confirmed in time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from haas_rpcd.boottime import Moment
from haas_rpcd.clock import Clock
from tests.rpc.small_site import NOTHING, SmallSite, access

pytestmark = pytest.mark.slow


class Hands(Clock):
    """Clocks that a test sets."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def wall(self) -> float:
        return super().wall() + self.seconds

    def now(self) -> Moment:
        moment = super().now()
        return Moment(moment.boot, moment.seconds + self.seconds)


@pytest.fixture
async def before(site: SmallSite) -> AsyncIterator[SmallSite]:
    """Red has node-1 on the network old, with the headnode head, and has applied that."""
    site.clock = Hands()
    await site.restart()
    await site.hold_nodes("red", "node-1", "node-2")
    await site.network("red", "old")
    await site.network("red", "new")
    await site.connect("node-1", "old")
    await site.call("headnode.create", project="red", headnode="head")
    await site.call("headnode.connect", project="red", headnode="head", network="old", nic="eth0")
    await site.succeeds("red")
    yield site


async def change(site: SmallSite, **params: Any) -> int:
    """Move node-1 and the headnode to the network new, connect node-2, and apply that."""
    await site.connect("node-1", "new")
    await site.connect("node-2", "old")
    await site.call("headnode.connect", project="red", headnode="head", network="new", nic="eth0")
    job = await site.apply("red", **params)
    assert job["state"] == "succeeded", job["error"]
    assert (site.carried("node-1"), site.carried("node-2")) == (access(101), access(100))
    return int(job["job"])


async def let_pass(site: SmallSite, seconds: float) -> None:
    assert isinstance(site.clock, Hands)
    site.clock.seconds += seconds
    await site.daemon.engine.take_back_unconfirmed()


async def gone_back(site: SmallSite, job: int) -> None:
    """Wait for the job that takes another back; check that all is as it was."""
    shown = await site.call("job.show", job=job)
    assert shown["confirm"]["state"] == "reverted"
    back = await site.finished(shown["confirm"]["reverted_by"])
    assert (back["state"], back["user"]) == ("succeeded", "haas-rpcd")
    assert (site.carried("node-1"), site.carried("node-2")) == (access(100), NOTHING)
    head = await site.call("headnode.show", project="red", headnode="head")
    assert [nic["network"] for nic in head["nics"]] == ["old"]
    assert (await site.call("plan.show", project="red"))["empty"]


async def test_what_is_not_confirmed_goes_back_on_switches_bridges_and_headnodes(
    before: SmallSite,
) -> None:
    job = await change(before, confirm=120)
    shown = await before.call("job.show", job=job)
    assert (shown["confirm"]["seconds"], shown["confirm"]["state"]) == (120, "waiting")
    assert shown["confirm"]["until"] > shown["finished"]

    await let_pass(before, 119)
    assert before.carried("node-1") == access(101)
    await let_pass(before, 2)
    await gone_back(before, job)
    late = await before.refused("job.confirm", job=job)
    assert late.message == (
        f"Job {job} was not confirmed in time and went back: apply again to have it."
    )


async def test_what_is_confirmed_stays(before: SmallSite) -> None:
    job = await change(before, confirm=120)
    confirmed = await before.call("job.confirm", job=job)
    assert confirmed["confirm"]["state"] == "confirmed"
    await before.call("job.confirm", job=job)  # once more does no harm
    await let_pass(before, 1000)
    assert before.carried("node-1") == access(101)


async def test_it_goes_back_after_a_restart_too(before: SmallSite) -> None:
    job = await change(before, confirm=120)
    assert isinstance(before.clock, Hands)
    await before.stop()
    before.clock.seconds += 121
    await before.start()
    await let_pass(before, 0)
    await gone_back(before, job)


async def test_a_daemon_that_died_between_the_end_and_the_deadline_begins_it_anew(
    before: SmallSite,
) -> None:
    job = await change(before, confirm=120)
    await before.sql("UPDATE confirm SET boot = NULL, boot_deadline = NULL, deadline = NULL")
    await before.restart()
    await let_pass(before, 0)
    await let_pass(before, 121)
    await gone_back(before, job)


async def test_a_node_that_is_released_meanwhile_is_left_alone(before: SmallSite) -> None:
    job = await change(before, confirm=120)
    await before.call("node.release", node="node-1")
    await before.succeeds("red")
    await let_pass(before, 121)
    shown = await before.call("job.show", job=job)
    assert (await before.finished(shown["confirm"]["reverted_by"]))["state"] == "succeeded"
    assert (before.carried("node-1"), before.carried("node-2")) == (NOTHING, NOTHING)


async def test_what_is_staged_since_is_neither_applied_nor_lost(before: SmallSite) -> None:
    """On nics that the job left alone, on those that it changed, and on headnodes."""
    await before.hold_nodes("red", "node-3")
    job = await change(before, confirm=120)
    await before.network("red", "newest")
    await before.connect("node-1", "newest")
    await before.connect("node-3", "newest")
    await before.call("headnode.create", project="red", headnode="next")
    await before.call(
        "headnode.connect", project="red", headnode="next", network="newest", nic="eth0"
    )
    domains = set(before.host.domains)
    await let_pass(before, 121)
    shown = await before.call("job.show", job=job)
    back = await before.finished(shown["confirm"]["reverted_by"])
    assert back["state"] == "succeeded", back["error"]
    assert (before.carried("node-1"), before.carried("node-2")) == (access(100), NOTHING)
    assert before.carried("node-3") == NOTHING
    assert set(before.host.domains) == domains
    head = await before.call("headnode.show", project="red", headnode="head")
    assert [nic["network"] for nic in head["nics"]] == ["old"]

    await before.succeeds("red")
    assert (before.carried("node-1"), before.carried("node-3")) == (access(102), access(102))
    assert before.carried("node-2") == NOTHING


async def test_only_what_a_project_applies_can_go_back(before: SmallSite) -> None:
    site = await before.refused("apply.start", confirm=60)
    assert site.message.startswith("confirm: only the apply of a project goes back by itself")
    job = await change(before)
    refused = await before.refused("job.confirm", job=job)
    assert refused.message == f"Job {job} does not wait to be confirmed: it stays as it is."
    assert (await before.refused("apply.start", project="red", confirm=0)).kind == "invalid_params"
