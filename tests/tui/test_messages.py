"""A message goes away when its cause does."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from haas_console.tui import reading
from haas_console.tui.screens.forms import FormScreen
from tests.tui.apply_hands import Site, staged_site
from tests.tui.console import Hands, console
from tests.tui.gate import answers_to, gate


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


async def test_the_usage_is_told_apart_from_what_is_wrong(site: Site) -> None:
    async with console(site.socket, project="astro") as hands:
        await hands.burst(":network create lab blue\r")
        await hands.until(lambda: "✗" in hands.bar("message"))
        assert '"blue" is not a whole number; usage: network create' in hands.bar("message")


async def test_a_project_that_nobody_made_is_told_until_it_is_made(site: Site) -> None:
    async with console(site.socket) as hands:
        await hands.burst(":use chem\r")
        await hands.until(lambda: "✗ There is no project chem" in hands.bar("message"))
        await site.call("project.create", project="chem")
        await hands.until(lambda: hands.bar("message").strip() == "")
        await hands.burst(":use astro\r")
        await hands.until(lambda: hands.bar("message") == " project astro")


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


async def test_a_job_that_failed_before_it_was_seen_to_run_is_told(site: Site) -> None:
    async with gate(site.socket) as between, console(between.path, project="astro") as hands:
        await site.centre.switches["sw1"].stop()
        between.hold(answers_to("job.list"))
        job = (await site.call("apply.start", project="astro"))["job"]
        record = await site.ended(job)
        assert record["state"] == "failed"
        between.open()
        await hands.until(lambda: f"job {job} of astro failed" in hands.bar("message"))
        await hands.press("down")
        assert f"job {job} of astro failed" in hands.bar("message"), "nobody has looked at it yet"


async def test_a_job_that_failed_before_the_console_was_opened_is_no_news(site: Site) -> None:
    await site.centre.switches["sw1"].stop()
    await site.ended((await site.call("apply.start", project="astro"))["job"])
    async with console(site.socket, project="astro") as hands:
        await hands.until(lambda: hands.app.session.inventory.jobs)
        assert "failed" not in hands.bar("message")


@pytest.mark.parametrize(
    ("screen", "method"),
    [("tokens", "token.list"), ("projects", "user.list"), ("audit", "audit.list"),
     ("events", "audit.list"), ("switch", "port.list"), ("topology", "port.list")],
)  # fmt: skip
async def test_why_a_list_could_not_be_read_is_told_until_it_is_read(
    site: Site, screen: str, method: str
) -> None:
    error = {"code": -32002, "message": "The store is busy: try again.", "data": {"kind": "busy"}}
    async with gate(site.socket) as between, console(between.path, project="astro") as hands:
        between.refuse(answers_to(method), error)
        hands.app.navigation.open(screen)
        await hands.until(lambda: "The store is busy" in hands.bar("message"))
        await hands.press("down", "up")
        assert "The store is busy" in hands.bar("message"), "the cursor is not its cause"
        between.refuse(lambda message, asked: False, {})
        await read_again(hands)
        await hands.until(lambda: hands.bar("message").strip() == "")


async def read_again(hands: Hands) -> None:
    """Leave the screen for another, and come back: it reads all that it shows."""
    hands.app.navigation.read("A page", ["a line"])
    await hands.until(lambda: hands.app.front and hands.app.front.NAME == "text")
    await hands.press("escape")


async def test_what_could_not_be_read_is_read_again_by_itself(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "FIRST_WAIT", 0.01)
    error = {"code": -32002, "message": "The store is busy: try again.", "data": {"kind": "busy"}}
    async with gate(site.socket) as between, console(between.path, project="astro") as hands:
        between.refuse(answers_to("token.list"), error)
        hands.app.navigation.open("tokens")
        await hands.until(lambda: "The store is busy" in hands.bar("message"))
        between.refuse(lambda message, asked: False, {})
        await hands.until(lambda: hands.bar("message").strip() == "")


async def test_that_an_allocation_ends_soon_is_told_until_it_is_extended(site: Site) -> None:
    async with console(site.socket, project="astro") as hands:
        await site.call("node.extend", node="node-01", until="2099-01-01T00:00:00Z")
        await hands.until(lambda: hands.app.session.inventory.nodes["node-01"].until)
        site.daemon.events.publish_inventory("node", "expiring", "node-01", "astro")
        await hands.until(lambda: "The allocation of node-01 ends soon" in hands.bar("message"))
        await site.call("node.extend", node="node-01", until="2099-01-02T00:00:00Z")
        await hands.until(lambda: hands.bar("message").strip() == "")
