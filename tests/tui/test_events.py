"""The log: commands, the calls that they made, and what others did meanwhile."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from haas_console.tui.factlines import FactLines
from haas_console.tui.screens.details import DetailsScreen
from haas_console.tui.screens.events import EventLines, EventsScreen
from haas_console.tui.screens.facts import FactsScreen
from tests.tui.apply_hands import Site, staged_site
from tests.tui.console import Hands, console


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with staged_site() as site:
        yield site


async def events_are_shown(hands: Hands) -> EventLines:
    await hands.press("e")
    await hands.until(lambda: isinstance(hands.app.screen, EventsScreen))
    return hands.app.screen.query_one(EventLines)


def is_told(line: str, *words: str) -> bool:
    return all(word in line for word in words)


def about(lines: EventLines, beginning: str) -> list[str]:
    """The objects of the lines from top to bottom that begin so."""
    return [entry.object for entry in lines.items if entry.object.startswith(beginning)]


async def test_a_command_its_call_and_its_event_are_listed_in_order(site: Site) -> None:
    async with console(site.socket) as hands:
        await hands.command("network create store")
        lines = await events_are_shown(hands)
        await hands.until(lambda: any(ln.startswith(" * ") for ln in hands.text(lines)))
        text = hands.text(lines)
        (command,) = (n for n, ln in enumerate(text) if "network create" in ln)
        (call,) = (n for n, ln in enumerate(text) if "network.create {" in ln)
        assert command < call
        assert text[command].startswith(" > ")
        assert "network astro/store" in text[call] and "ok" in text[call]


async def test_what_somebody_else_does_appears_by_itself(site: Site) -> None:
    async with console(site.socket) as hands:
        lines = await events_are_shown(hands)
        await site.call("network.create", project="astro", network="theirs")
        await hands.until(
            lambda: any(is_told(ln, "created", "network astro/theirs") for ln in hands.text(lines))
        )
        await hands.press("v", "v", "v")
        assert "events only" in hands.bar("title")
        assert all(ln[:3] in (" * ", "▌* ") for ln in hands.text(lines))


async def test_a_column_sorts_events_and_the_cursor_stays_on_its_event(site: Site) -> None:
    async with console(site.socket, project="astro") as hands:
        lines = await events_are_shown(hands)
        for name in ("zoo", "ape"):
            await site.call("network.create", project="astro", network=name)
        await hands.until(lambda: len(about(lines, "network astro/")) >= 2)
        await hands.go_to(lines, "network astro/zoo")
        column = [name for name, _ in lines.shown].index("object") + 1
        await hands.press(str(column))
        assert "object▲" in hands.bar("title")
        found = about(lines, "network astro/")
        assert found.index("network astro/ape") < found.index("network astro/zoo")
        current = lines.current()
        assert current is not None
        assert current.object == "network astro/zoo"
        await hands.press(str(column))
        assert "object▼" in hands.bar("title")
        found = about(lines, "network astro/")
        assert found.index("network astro/zoo") < found.index("network astro/ape")


async def test_events_say_who_and_enter_jumps_to_the_object(site: Site) -> None:
    await site.call("user.create", user="rita")
    await site.call("project.add_member", project="astro", user="rita")
    async with console(site.socket, project="astro") as hands:
        lines = await events_are_shown(hands)
        await site.call("network.create", project="astro", network="theirs")
        who = hands.app.session.inventory.info.user  # type: ignore[union-attr]  # it is connected
        await hands.until(
            lambda: any(
                is_told(ln, who, "created", "network astro/theirs") for ln in hands.text(lines)
            )
        )
        await hands.go_to(lines, "network astro/theirs")
        await hands.press("enter")
        await hands.until(lambda: isinstance(hands.app.screen, DetailsScreen))
        assert hands.bar("title").strip() == "network astro/theirs"
        await hands.press("escape", "Y")
        await hands.until(lambda: isinstance(hands.app.screen, FactsScreen))
        facts = hands.app.screen.query_one(FactLines)
        assert any("network.create" in ln for ln in hands.text(facts))


async def test_a_filter_finds_what_was_changed_before_the_console_was_opened(site: Site) -> None:
    async with console(site.socket, project="astro") as hands:
        lines = await events_are_shown(hands)
        await hands.press("slash")
        await hands.type("node=node-01 since=1h")
        await hands.press("enter")
        await hands.until(lambda: any("nic connect" in ln for ln in hands.text(lines)))
        assert all("node-01" in line for line in hands.text(lines))
        await hands.press("slash")
        await hands.burst("\x15user=nobody-else\r")
        await hands.press("slash")
        await hands.type(" until=soon")
        await hands.press("enter")
        assert '"soon" is no time' in hands.bar("message")


async def test_a_refused_call_shows_its_error_and_can_be_filtered(site: Site) -> None:
    async with console(site.socket) as hands:
        await hands.command("network create lab")
        lines = await events_are_shown(hands)
        await hands.press("slash")
        await hands.type("network.create")
        await hands.press("enter")
        (entry,) = lines.items
        assert not entry.ok
        assert "lab" in entry.note
        await hands.press("enter")
        await hands.until(lambda: isinstance(hands.app.screen, FactsScreen))


@pytest.mark.slow
@pytest.mark.parametrize("width", [80, 120])
async def test_the_header_has_room_for_what_the_list_is_limited_to(site: Site, width: int) -> None:
    async with console(site.socket, (width, 40)) as hands:
        await hands.command(f"network create {'a' * 50}")
        lines = await events_are_shown(hands)
        await hands.press("v", "v")
        await hands.press("slash")
        await hands.type("aaa")
        await hands.press("enter")
        await hands.until(lambda: "calls only" in str(lines.header.content))
        header = str(lines.header.content)
        assert len(header) <= width
        assert header.endswith(f"   calls only   /aaa  {len(lines.items)}")
        assert header.split()[0] == "when"
        await hands.press("slash")
        await hands.type("bbb")
        assert "nothing fits" in str(lines.header.content)


async def test_a_command_is_copied_as_a_line_of_a_script(site: Site, tmp_path: Path) -> None:
    copies = tmp_path / "copies"
    async with console(site.socket, clipboard=copies) as hands:
        await hands.command("network create store")
        await events_are_shown(hands)
        await hands.press("v", "G", "c")
        line = hands.app.session.sync.log.commands[-1].line
        assert copies.read_text().strip() == line
