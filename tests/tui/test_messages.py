"""A message goes away when its cause does."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from haas_console.tui.screens.forms import FormScreen
from tests.tui.apply_hands import Site, staged_site
from tests.tui.console import console


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with staged_site() as site:
        yield site


async def test_an_error_about_a_line_goes_when_another_is_chosen(site: Site) -> None:
    async with console(site.socket, project="astro") as hands:
        await hands.press("J")
        await hands.until(lambda: hands.app.front and hands.app.front.NAME == "jobs")
        await site.ended((await site.call("apply.start", project="astro"))["job"])
        await hands.until(lambda: len(hands.app.session.inventory.jobs) == 2)
        await hands.until(lambda: "succeeded" in hands.bar("message"))
        await hands.press("x")
        assert "Only a job that is queued or running" in hands.bar("message")
        await hands.until(lambda: not hands.app.typeahead.busy)
        assert "Only a job" in hands.bar("message"), "it stays while the cursor does"
        await hands.press("up")
        await hands.until(lambda: hands.bar("message").strip() == "")


async def test_a_form_s_error_goes_when_what_is_wrong_is_put_right(site: Site) -> None:
    async with console(site.socket) as hands:
        hands.app.navigation.open_form("node.register")
        await hands.until(lambda: isinstance(hands.app.screen, FormScreen))
        await hands.press("ctrl+s")
        await hands.until(lambda: "Not sent: to be put right are node" in hands.bar("message"))
        await hands.type("node-99")
        await hands.until(lambda: hands.bar("message").strip() == "")


async def test_a_job_that_failed_is_told_until_it_is_looked_at(site: Site) -> None:
    async with console(site.socket, project="astro") as hands:
        site.slow(0.4)
        job = (await site.call("apply.start", project="astro"))["job"]
        await hands.until(lambda: f"job {job} running" in hands.bar("top"))
        await site.centre.switches["sw1"].stop()
        await hands.until(lambda: f"job {job} of astro failed" in hands.bar("message"))
        await hands.press("down")
        assert f"job {job} of astro failed" in hands.bar("message")
        hands.app.navigation.open_job(job)
        await hands.until(lambda: hands.app.front and hands.app.front.NAME == "job")
        await hands.press("escape")
        await hands.until(lambda: hands.app.front is hands.board)
        await hands.until(lambda: hands.bar("message").strip() == "")


async def test_that_an_allocation_ends_soon_is_told_until_it_is_extended(site: Site) -> None:
    async with console(site.socket, project="astro") as hands:
        await site.call("node.extend", node="node-01", until="2099-01-01T00:00:00Z")
        await hands.until(lambda: hands.app.session.inventory.nodes["node-01"].until)
        site.daemon.events.publish_inventory("node", "expiring", "node-01", "astro")
        await hands.until(lambda: "The allocation of node-01 ends soon" in hands.bar("message"))
        await site.call("node.extend", node="node-01", until="2099-01-02T00:00:00Z")
        await hands.until(lambda: hands.bar("message").strip() == "")
