"""Jobs on the screen: running, ended, cancelled, failed, and those of others."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from haas_console.tui.bars import Bar
from haas_console.tui.screens.job import JobScreen
from haas_console.tui.screens.jobs import JobList, JobsScreen
from tests.tui.apply_hands import Site, job_is_shown, plan_is_shown, shown, staged_site
from tests.tui.console import Hands, console


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with staged_site() as site:
        yield site


async def jobs_are_shown(hands: Hands) -> JobList:
    """Press J and wait for the list."""
    await hands.press("J")
    await hands.until(lambda: isinstance(hands.app.screen, JobsScreen))
    return hands.app.screen.query_one(JobList)


async def test_a_job_goes_on_when_its_screen_is_left_and_can_be_reopened(site: Site) -> None:
    site.slow(0.4)
    async with console(site.socket) as hands:
        await plan_is_shown(hands)
        await hands.press("y")
        screen = await job_is_shown(hands, "running")
        await hands.until(lambda: any("configure terminal" in ln or "vlan 100" in ln
                                      for ln in hands.text(screen.steps)))  # fmt: skip
        assert "running" in shown(hands)
        await hands.press("escape")
        await hands.until(lambda: hands.app.screen is hands.board)
        await hands.until(lambda: f"job {screen.watch_job.job} running" in hands.bar("top"))
        jobs = await jobs_are_shown(hands)
        assert "running" in hands.text(jobs)[0]
        await hands.press("enter")
        back = await job_is_shown(hands)
        assert back is not screen
        site.slow(0)
        await job_is_shown(hands, "succeeded")
        assert site.vlan_of_node_01() is not None
        await hands.press("escape")
        await hands.until(lambda: isinstance(hands.app.screen, JobsScreen))
        await hands.until(lambda: "succeeded" in hands.text(jobs)[0])


async def test_a_job_that_somebody_else_started_can_be_followed(site: Site) -> None:
    async with console(site.socket) as hands:
        jobs = await jobs_are_shown(hands)
        site.slow(0.4)
        job = (await site.call("apply.start", project="astro"))["job"]
        await hands.until(lambda: any(f" {job} " in line for line in hands.text(jobs)))
        await hands.press("g", "enter")
        screen = await job_is_shown(hands)
        assert screen.watch_job.job == job
        await hands.until(lambda: screen.watch_job.view.done > 0)
        site.slow(0)
        await job_is_shown(hands, "succeeded")


async def test_cancelling_a_job_asks_first(site: Site) -> None:
    site.slow(0.4)
    async with console(site.socket) as hands:
        await plan_is_shown(hands)
        await hands.press("y")
        screen = await job_is_shown(hands, "running")
        await hands.press("x", "enter")  # Enter alone means no
        record = await site.call("job.show", job=screen.watch_job.job)
        assert record["state"] == "running"
        await hands.press("x", "y", "enter")
        await hands.until(lambda: "job cancel" in hands.bar("message"))
        site.slow(0)
        await job_is_shown(hands, "cancelled")
        await hands.until(lambda: "still staged" in shown(hands))
        assert site.vlan_of_node_01() is None


async def test_a_failed_job_says_where_it_failed_and_plans_again(site: Site) -> None:
    switch = site.centre.switches["sw1"]
    switch.faults.refuse = {"switchport access vlan": "% Invalid input detected"}
    async with console(site.socket) as hands:
        await plan_is_shown(hands)
        await hands.press("y")
        screen = await job_is_shown(hands, "failed")
        await hands.until(lambda: "r plans again" in shown(hands))
        lines = hands.text(screen.steps)
        at = next(n for n, line in enumerate(lines) if "failed" in line and "set Gi1/0/2" in line)
        assert "% Invalid input detected" in " ".join(lines[at + 1 : at + 3])
        await hands.press("f")  # folded to the devices, the error is still shown
        assert any("% Invalid input detected" in line for line in hands.text(screen.steps))
        switch.faults.refuse = {}
        await hands.press("r")
        await hands.until(lambda: "plan of astro" in shown(hands))
        await hands.press("y")
        await job_is_shown(hands, "succeeded")
        assert site.vlan_of_node_01() is not None


async def test_past_jobs_open_with_their_steps_and_lines(site: Site) -> None:
    first = await site.ended((await site.call("apply.start", project="astro"))["job"])
    await site.call("nic.connect", node="node-07", nic="primary-nic", network="lab")
    second = await site.ended((await site.call("apply.start", project="astro"))["job"])
    async with console(site.socket, size=(80, 24)) as hands:
        jobs = await jobs_are_shown(hands)
        numbers = [int(line.split()[1]) for line in hands.text(jobs)]
        assert numbers.index(second["job"]) < numbers.index(first["job"])
        await hands.press("down", "enter")
        screen = await job_is_shown(hands, "succeeded")
        assert screen.watch_job.job == first["job"]
        await hands.press("l")
        lines = hands.text(screen.steps)
        for step in first["steps"]:
            assert any(step["summary"] in line for line in lines)
            assert all(any(sent in line for line in lines) for sent in step["lines"])


async def test_the_list_is_filtered(site: Site) -> None:
    await site.ended((await site.call("apply.start", project="astro"))["job"])
    async with console(site.socket) as hands:
        jobs = await jobs_are_shown(hands)
        assert jobs.count() == 2  # that of the site as well
        await hands.press("slash")
        await hands.type("project=astro")
        assert jobs.count() == 1
        await hands.press("enter", "slash")
        await hands.press("home")
        await hands.type("!")
        await hands.press("enter")
        assert "the site" in hands.text(jobs)[0] and jobs.count() == 1
        await hands.press("slash")
        await hands.type(" zzz")
        assert jobs.count() == 0
        assert "no job fits" in str(jobs.header.content)


async def test_a_job_waits_for_its_turn_and_says_so(site: Site) -> None:
    site.slow(0.4)
    async with console(site.socket) as hands:
        await site.call("apply.start", project="astro")
        await plan_is_shown(hands)
        await hands.until(lambda: "this one will wait" in shown(hands))
        job = (await site.call("apply.start", project="astro"))["job"]
        jobs = await jobs_are_shown(hands)
        await hands.until(lambda: any(f" {job} " in line for line in hands.text(jobs)))
        await hands.press("g", "enter")
        await job_is_shown(hands, "queued")
        await hands.until(lambda: "waits for its turn" in shown(hands))
        site.slow(0)
        await job_is_shown(hands, "succeeded")


async def test_a_click_on_the_top_bar_opens_the_running_job(site: Site) -> None:
    site.slow(0.4)
    async with console(site.socket) as hands:
        job = (await site.call("apply.start", project="astro"))["job"]
        await hands.until(lambda: f"job {job} running" in hands.bar("top"))
        await hands.pilot.click("#top", offset=(100, 0))
        screen = await job_is_shown(hands)
        assert screen.watch_job.job == job
        site.slow(0)
        await job_is_shown(hands, "succeeded")


async def test_the_end_of_a_job_is_announced_on_any_screen(site: Site) -> None:
    site.slow(0.05)
    site.centre.switches["sw1"].faults.refuse = {"switchport access vlan": "% Invalid input"}
    async with console(site.socket) as hands:
        job = (await site.call("apply.start", project="astro"))["job"]
        await hands.until(lambda: f"job {job} running" in hands.bar("top"))
        site.slow(0)
        await hands.until(lambda: f"job {job} of astro failed" in hands.bar("message"))
        assert "% Invalid input" in hands.bar("message")


async def test_a_job_that_does_not_exist_is_reported(site: Site) -> None:
    async with console(site.socket) as hands:
        hands.app.push_screen(JobScreen(hands.app.session, 999))
        await hands.until(lambda: "There is no job 999" in shown(hands))


async def test_leaving_a_job_stops_following_it(site: Site) -> None:
    site.slow(0.4)
    async with console(site.socket) as hands:
        await plan_is_shown(hands)
        await hands.press("y")
        await job_is_shown(hands, "running")
        await hands.press("escape")
        await hands.until(lambda: not [w for w in hands.app.workers if w.group == "watch"])
        site.slow(0)


async def test_the_job_of_a_release_appears_at_once(site: Site) -> None:
    await site.ended((await site.call("apply.start", project="astro"))["job"])
    async with console(site.socket) as hands:
        jobs = await jobs_are_shown(hands)
        site.slow(0.4)
        job = (await site.call("node.release", node="node-01"))["job"]
        await hands.until(lambda: any(f" {job} " in line for line in hands.text(jobs)))
        assert "release" in hands.text(jobs)[0] and "running" in hands.text(jobs)[0]
        site.slow(0)
        await site.ended(job)


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)], ids=["80", "120", "200"])
async def test_plan_job_and_list_fit_every_size(site: Site, size: tuple[int, int]) -> None:
    await site.call("headnode.create", project="astro", headnode="login")
    async with console(site.socket, size=size) as hands:
        plan = await plan_is_shown(hands)
        if plan.list.count() < 10:  # what does not fit is folded
            await hands.press("l")
        output = shown(hands)
        assert "set Gi1/0/2 (node-01:primary-nic)" in output and "switchport access vlan" in output
        assert plan.list.count() <= plan.list.size.height or size[1] == 24  # else it scrolls
        await hands.press("y")
        job = await job_is_shown(hands, "succeeded")
        assert hands.text(job.steps)[0].rstrip().endswith("s"), "each device's seconds are seen"
        jobs = await jobs_are_shown(hands)
        await hands.until(lambda: jobs.count() == 2)
        title = str(hands.app.screen.query_one("#jobs-title", Bar).content)
        mine, sites = hands.text(jobs)
        assert mine.index("apply") == sites.index("site ", 15) == title.index("kind")
        assert mine.index("succeeded") == title.index("state")
        if size[0] > 80:
            assert "haas-rpcd" in sites  # the user, in full where there is room
            assert mine.index("5/5") + 3 < title.index("started") == sites.index(":") - 2
        assert max(map(len, [title, mine, sites])) <= size[0] + 2


async def test_a_job_that_goes_back_by_itself_says_so_and_is_kept_by_a_key(site: Site) -> None:
    async with console(site.socket) as hands:
        await hands.command("apply astro --confirm 600")
        await job_is_shown(hands, "succeeded")
        await hands.until(lambda: "unless it is confirmed: K keeps it" in shown(hands))
        await hands.press("K")
        await hands.until(lambda: "K keeps it" not in shown(hands))
        [job] = (await site.call("job.list", project="astro"))["items"][:1]
        kept = await site.call("job.show", job=job["job"])
        assert kept["confirm"]["state"] == "confirmed"
