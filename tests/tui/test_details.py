"""Enter opens what a line is about, and follows links from there; Esc goes back."""

from __future__ import annotations

from pathlib import Path

from haas_console.tui.screens.details import DetailsScreen
from tests.tui.apply_hands import staged_site
from tests.tui.console import Hands, console


def details(hands: Hands) -> DetailsScreen:
    screen = hands.app.screen
    assert isinstance(screen, DetailsScreen)
    return screen


def shown(hands: Hands) -> str:
    return "\n".join(hands.text(details(hands).lines))


async def follow(hands: Hands, text: str) -> None:
    """Put the cursor on the line with a text, and open it."""
    lines = details(hands).lines
    lines.move_to(next(n for n, fact in enumerate(lines.facts) if text in fact.text))
    await hands.press("enter")


async def test_a_nic_shows_its_evidence_and_leads_to_all_it_is_connected_to() -> None:
    async with staged_site() as site:
        job = (await site.call("apply.start", project="astro"))["job"]
        await site.ended(job)
        async with console(site.socket, project="astro") as hands:
            await hands.go("node-01", "primary-nic")
            await hands.press("enter")
            await hands.until(lambda: "said" in shown(hands), "the switch's words")
            assert "interface GigabitEthernet1/0/2" in shown(hands)
            assert f"{job}, started by" in shown(hands)
            assert "had staged it" in shown(hands)

            await follow(hands, "lab  VLAN")
            assert details(hands).visit.ref.title == "network astro/lab"
            await follow(hands, "node-01:primary-nic")
            await follow(hands, "node-01 ")
            assert "allocated" in shown(hands)
            await hands.press("left_square_bracket")
            assert details(hands).visit.ref.title == "nic node-01:primary-nic"
            await hands.press("right_square_bracket")
            assert details(hands).visit.ref.title == "node node-01"

            await hands.press("Y")
            await hands.until(lambda: hands.app.screen.query("#page"))
            assert '"node": "node-01",' in " ".join(hands.app.screen.query_one("#page").text)  # type: ignore[attr-defined]
            await hands.press(*["escape"] * 5)
            assert hands.app.front is hands.board
            assert hands.nodes.board.rows[hands.nodes.cursor][0].node == "node-01"


async def test_the_last_job_and_who_changed_it_are_one_key_away() -> None:
    async with staged_site() as site:
        await site.ended((await site.call("apply.start", project="astro"))["job"])
        async with console(site.socket, project="astro") as hands:
            await hands.press("M", "enter")
            assert details(hands).visit.ref.title == "project astro"
            await follow(hands, "succeeded")
            assert hands.app.front is not None
            assert hands.app.front.NAME == "job"
            await hands.press("escape")
            await hands.until(lambda: "project.create" in shown(hands) or "at 20" in shown(hands))


async def test_an_object_that_goes_while_it_is_shown_says_so(socket: Path) -> None:
    async with console(socket, project="astro") as hands:
        await hands.given("network create lab")
        await hands.press("tab", "enter")
        assert details(hands).visit.ref.title == "network astro/lab"
        await hands.given("network delete lab")
        await hands.until(lambda: "There is no network astro/lab any more" in shown(hands))
        await hands.press("escape")
        assert hands.app.front is hands.board
