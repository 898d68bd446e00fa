"""Applying: exactly the plan that was shown is sent."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from haas_console.tui.screens.apply import ApplyScreen
from haas_console.tui.screens.apply_plan import Choice
from tests.tui.apply_hands import Site, job_is_shown, plan_is_shown, shown, staged_site
from tests.tui.console import console


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with staged_site() as site:
        yield site


async def test_the_plan_shows_the_lines_that_will_be_sent_to_each_device(site: Site) -> None:
    plan = await site.call("plan.show", project="astro")
    async with console(site.socket) as hands:
        screen = await plan_is_shown(hands)
        lines = hands.text(screen.list)
        for step in plan["steps"]:
            assert any(step["summary"] in line for line in lines), step
            for sent in step["lines"]:
                assert any(line.endswith(f"> {sent}") for line in lines), sent
        count = sum(len(step["lines"]) for step in plan["steps"])
        assert f"{len(plan['steps'])} steps, {count} lines, 1 device" in shown(hands)
        assert any("+ joins" in line and "parked -> lab" in line for line in lines)
        assert any("+ made" in line and "VLAN" in line for line in lines)


async def test_enter_alone_cancels_and_sends_nothing(site: Site) -> None:
    async with console(site.socket) as hands:
        await plan_is_shown(hands)
        assert isinstance(hands.app.focused, Choice)
        await hands.press("enter")
        await hands.until(lambda: hands.app.screen is hands.board)
        jobs = await site.call("job.list", project="astro")
        assert jobs["items"] == []


async def test_a_confirmed_plan_is_sent_and_the_switch_carries_it(site: Site) -> None:
    async with console(site.socket) as hands:
        screen = await plan_is_shown(hands)
        assert screen.plan is not None
        await hands.press("tab", "enter")
        job = await job_is_shown(hands, "succeeded")
        await hands.until(lambda: "each confirmed by it" in shown(hands))
        assert f"job {job.watch_job.job}" in shown(hands)
        vlan = (await site.call("network.show", project="astro", network="lab"))["vlan"]
        assert site.vlan_of_node_01() == vlan
        line = hands.app.session.sync.log.commands[-1].line
        assert line == f"apply astro --digest={screen.plan.digest}"
        await hands.press("escape")
        await hands.until(lambda: "nothing staged in astro" in hands.bar("summary"))


async def test_a_changed_plan_is_not_sent_but_shown_again(site: Site) -> None:
    async with console(site.socket) as hands:
        screen = await plan_is_shown(hands)
        await site.call("nic.connect", node="node-07", nic="primary-nic", network="lab")
        await hands.until(lambda: "The plan has changed" in shown(hands))
        assert "new: sw2: make VLAN" in shown(hands)
        assert "node-07" not in "\n".join(hands.text(screen.list))  # the shown plan stays
        await hands.press("y")
        await hands.until(lambda: "Not applied" in hands.bar("message"))
        assert hands.app.screen is screen
        (new,) = (line for line in hands.text(screen.list) if "node-07" in line)
        assert "NEW" in new
        assert not screen.choice.on_apply
        assert site.vlan_of_node_01() is None
        await hands.press("y")
        await job_is_shown(hands, "succeeded")
        assert site.vlan_of_node_01() is not None


async def test_lines_fold_and_unfold(site: Site) -> None:
    async with console(site.socket) as hands:
        screen = await plan_is_shown(hands)
        whole = screen.list.count()
        await hands.press("l")
        steps = screen.list.count()
        assert steps < whole and not any("> vlan" in line for line in hands.text(screen.list))
        await hands.press("down", "space")
        assert steps < screen.list.count() < whole
        await hands.press("l", "l")
        await hands.press("f")
        assert screen.list.count() == 1


async def test_a_move_between_networks_names_both(site: Site) -> None:
    await site.ended((await site.call("apply.start", project="astro"))["job"])
    await site.call("network.create", project="astro", network="store")
    await site.call("nic.disconnect", node="node-01", nic="primary-nic", network="lab")
    await site.call("nic.connect", node="node-01", nic="primary-nic", network="store")
    async with console(site.socket, size=(80, 24)) as hands:
        screen = await plan_is_shown(hands)
        lines = "\n".join(hands.text(screen.list))
        assert "~ moves" in lines
        assert "lab -> store" in lines
        assert "- removed   remove VLAN" in lines


async def test_an_empty_plan_says_that_there_is_nothing_to_do(site: Site) -> None:
    await site.ended((await site.call("apply.start", project="astro"))["job"])
    async with console(site.socket) as hands:
        await plan_is_shown(hands)
        assert "nothing to do" in shown(hands)
        assert not hands.offers("Apply")
        await hands.press("y")
        assert "There is nothing to apply" in hands.bar("message")


async def test_an_admin_plans_the_site_from_the_command_line(site: Site) -> None:
    async with console(site.socket) as hands:
        await hands.press("colon")
        await hands.type("apply --site")
        await hands.press("enter")
        await hands.until(lambda: isinstance(hands.app.screen, ApplyScreen))
        await hands.until(lambda: "plan of the site" in shown(hands))
        await hands.press("S")
        await hands.until(lambda: "plan of astro" in shown(hands))


async def test_a_read_only_console_shows_the_plan_and_applies_nothing(site: Site) -> None:
    async with console(site.socket, readonly=True) as hands:
        await plan_is_shown(hands)
        await hands.press("tab", "enter")
        await hands.until(lambda: "only looks" in hands.bar("message"))
        assert (await site.call("job.list", project="astro"))["items"] == []


async def test_the_plan_is_requested_once(site: Site) -> None:
    async with console(site.socket) as hands:
        await plan_is_shown(hands)
        await hands.pilot.pause()
        calls = [call.method for call in hands.app.session.sync.log.calls]
        assert calls.count("plan.show") <= 2  # the second checks that it still holds


async def test_only_a_node_is_planned_and_applied_by_a_key_or_a_command(site: Site) -> None:
    await site.call("nic.connect", node="node-07", nic="primary-nic", network="lab")
    async with console(site.socket, project="astro") as hands:
        plan = await plan_is_shown(hands)
        await hands.until(lambda: "node-07" in shown(hands) and "node-01" in shown(hands))
        await hands.press("o")
        await hands.type("node-01")
        await hands.press("enter")
        await hands.until(lambda: "plan of node-01 of astro: " in shown(hands))
        await hands.until(lambda: "node-07" not in shown(hands))
        await hands.press("o", *"all", "enter")
        await hands.until(lambda: "plan of astro: " in shown(hands))
        assert plan.target is None

        await hands.burst(":apply astro --target node-01\r")
        await hands.until(lambda: "plan of node-01 of astro: " in shown(hands))
        await hands.press("y")
        await job_is_shown(hands, "succeeded")
        line = hands.app.session.sync.log.commands[-1].line
        assert line.startswith("apply astro --target node-01 --digest ") or "--target" in line
        assert site.vlan_of_node_01() is not None
        assert (await site.call("nic.show", node="node-07", nic="primary-nic"))["state"] == "staged"
