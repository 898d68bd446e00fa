"""The ways between screens: what lies over what, and where Esc goes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from haas_console.tui.bars import Bar
from haas_console.tui.screen import ConsoleScreen
from haas_console.tui.screens.job import JobScreen
from haas_console.tui.table import SCREENS
from haas_console.tui.textscreen import Page
from tests.tui.apply_hands import Site, job_is_shown, plan_is_shown, shown, staged_site
from tests.tui.console import Hands, console


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with staged_site() as site:
        yield site


async def at(hands: Hands, *crumbs: str) -> None:
    await hands.until(lambda: hands.app.breadcrumbs() == list(crumbs), " > ".join(crumbs))


async def test_help_lies_over_the_screen_it_was_opened_on(site: Site) -> None:
    site.slow(0.1)
    async with console(site.socket) as hands:
        await plan_is_shown(hands)
        await hands.press("question_mark")
        await at(hands, "Board", "Apply", "Help")
        await hands.press("escape")
        await at(hands, "Board", "Apply")

        await hands.press("y")
        screen = await job_is_shown(hands, "running")
        job = f"Job {screen.watch_job.job}"
        await hands.press("question_mark")
        await at(hands, "Board", job, "Help")
        site.slow(0)
        await hands.press("escape")
        await at(hands, "Board", job)
        assert hands.app.screen is screen
        await job_is_shown(hands, "succeeded")

        # A page with an answer lies over it as well; another screen replaces both.
        await hands.command("job list")
        await hands.until(lambda: hands.app.breadcrumbs()[2:] != [], "an answer to read")
        assert hands.app.breadcrumbs()[:2] == ["Board", job]
        await hands.press("question_mark")
        await at(hands, "Board", job, "Help")
        await hands.press("J")
        await at(hands, "Board", "Jobs")
        await hands.press("question_mark", "J")
        await at(hands, "Board", "Jobs")

        await hands.press("enter")
        await hands.until(lambda: isinstance(hands.app.screen, JobScreen))
        await hands.burst(":board\r")
        await at(hands, "Board")


async def test_apply_with_a_project_replaces_the_plan_that_is_shown(site: Site) -> None:
    async with console(site.socket) as hands:
        screen = await plan_is_shown(hands)
        await hands.burst(":apply --site\r")
        await hands.until(lambda: hands.app.screen is not screen)
        await at(hands, "Board", "Apply")
        await hands.until(lambda: "plan of the site" in shown(hands))


async def test_help_is_readable_in_a_small_window(site: Site) -> None:
    async with console(site.socket, size=(80, 24)) as hands:
        await jobs_opened(hands)
        await hands.press("question_mark")
        await at(hands, "Board", "Jobs", "Help")
        page = hands.app.screen.query_one(Page)
        await hands.until(lambda: any("leaves with it" in line for line in hands.text(page)))
        assert not [line for line in hands.text(page) if len(line.rstrip(" ▐")) > 79]
        output = " ".join(" ".join(hands.text(page)).replace("▐", "").split())
        assert "nothing is sent to a switch until you apply (a shows the plan first)." in output
        assert "Show only jobs that fit, while it is typed: words, field=value, ! inverts" in output


async def jobs_opened(hands: Hands) -> None:
    await hands.press("J")
    await at(hands, "Board", "Jobs")


async def test_a_long_error_takes_two_lines_until_the_next_key(site: Site) -> None:
    async with console(site.socket, size=(80, 24)) as hands:
        keys = hands.bar("hints")
        await hands.burst(":project create Bad_Name\r")
        await hands.until(lambda: "usage" in hands.bar("message"))
        below = str(hands.app.screen.query_one("#message", Bar).content)
        output = f"{hands.bar('hints')} {below}"
        assert 'project: "Bad_Name" does not fit: A name: 1 to 63 of' in output
        assert "usage: project create PROJECT" in " ".join(output.split())
        assert len(hands.bar("hints")) <= 80 and len(below) <= 80
        await hands.press("down")
        assert hands.bar("hints") == keys
        await hands.burst(":nonsense\r")
        await hands.until(lambda: "no such command" in hands.bar("hints"))
        await hands.given("network create more")
        await hands.press("y")
        assert hands.bar("hints") == keys


@pytest.mark.slow
async def test_the_keys_of_a_screen_can_be_asked_for_before_it_is_drawn(socket: Path) -> None:
    async with console(socket, project="astro") as hands:
        for screen in SCREENS:
            hands.app.navigation.open(screen.name)
            hands.board.show_bars()  # asks the screen in front about Textual's own keys
            front = hands.app.screen
            assert isinstance(front, ConsoleScreen)
            assert front is not hands.board
            assert not front.is_mounted
            assert [a.binding.key for a in front.active_bindings.values()]
            assert not any(map(front.refusal, front.METHODS))
            await hands.until(lambda front=front: front.painted, screen.title)
