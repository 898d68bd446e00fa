"""The audit trail on the screen: who changed what, and who changed this object."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from haas_console.tui.factlines import FactLines
from haas_console.tui.screens.audit import AuditLines, AuditScreen
from haas_console.tui.screens.details import DetailsScreen
from haas_console.tui.screens.facts import FactsScreen
from tests.tui.apply_hands import Site, staged_site
from tests.tui.console import Hands, console


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with staged_site() as site:
        yield site


async def trail(hands: Hands) -> AuditLines:
    """Wait for the screen and its records."""
    await hands.until(lambda: isinstance(hands.app.screen, AuditScreen))
    lines = hands.app.screen.query_one(AuditLines)
    await hands.until(lambda: lines.records)
    return lines


async def test_the_newest_changes_come_first(site: Site) -> None:
    await site.call("user.create", user="last")
    async with console(site.socket) as hands:
        await hands.press("U")
        lines = await trail(hands)
        assert "user create admin=no user=last" in hands.text(lines)[0]
        assert "done" in hands.text(lines)[0]
        await hands.press("slash")
        await hands.type("object=last")
        await hands.press("enter")
        await hands.until(lambda: len(lines.records) == 1)
        await hands.press("enter")
        await hands.until(lambda: "Record" in str(hands.app.screen.TITLE))
        await hands.press("escape")
        await hands.until(lambda: isinstance(hands.app.screen, AuditScreen))
        await hands.press("slash")
        await hands.type(" colour=red")
        await hands.press("enter")
        await hands.until(lambda: "There is no field" in hands.bar("message"))


async def test_who_changed_the_node_under_the_cursor(site: Site) -> None:
    async with console(site.socket) as hands:
        await hands.go("node-01", "primary-nic")
        await hands.press("W")
        lines = await trail(hands)
        shown = hands.text(lines)
        assert any("node allocate" in line for line in shown)
        assert all("node node-01" in record.objects for record in lines.records)


async def test_the_same_filter_as_of_events_and_the_links_of_a_record(site: Site) -> None:
    async with console(site.socket, project="astro") as hands:
        await hands.press("U")
        lines = await trail(hands)
        await hands.press("slash")
        await hands.type("node=node-01 since=1h !connect !bmc")
        await hands.press("enter")
        await hands.until(lambda: [r.method for r in lines.records] == ["node.allocate"])
        assert "/node=node-01 since=1h !connect !bmc  1/3" in hands.bar("title")
        await hands.press("enter")
        await hands.until(lambda: isinstance(hands.app.screen, FactsScreen))
        facts = hands.app.screen.query_one(FactLines)
        assert any("▶ node node-01" in line for line in hands.text(facts))
        await hands.go_to(facts, "node node-01")
        await hands.press("enter")
        await hands.until(lambda: isinstance(hands.app.screen, DetailsScreen))
        assert hands.bar("title").strip() == "node node-01"
        await hands.press("escape", "escape")
        await hands.until(lambda: isinstance(hands.app.screen, AuditScreen))


async def test_what_strangers_wrote_is_shown_as_it_is(site: Site) -> None:
    """Markup and control characters in a refused call change nothing on the screen."""
    hostile = "[red]x[/red]\x1b]0;pwned\x07\u202e"
    with pytest.raises(Exception, match="does not fit"):
        await site.call("project.create", project=hostile)
    async with console(site.socket) as hands:
        await hands.press("U")
        lines = await trail(hands)
        shown = hands.text(lines)[0]
        assert "[red]x[/red]\\x1b]0;pwned" in shown
        assert shown.isprintable()


async def test_the_transcript_of_a_job_can_be_read(site: Site) -> None:
    job = (await site.call("apply.start", project="astro"))["job"]
    await site.call("job.wait", job=job, timeout=30)
    async with console(site.socket) as hands:
        hands.app.navigation.open_job(job)
        await hands.until(lambda: hands.app.front and hands.app.front.NAME == "job")
        await hands.press("t")
        await hands.until(lambda: "Transcript" in str(hands.app.screen.TITLE))
        await hands.until(lambda: "> write memory" in str(hands.app.screen._lines))
