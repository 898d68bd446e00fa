"""What is staged, what failed, and how the console says so until it is no longer true."""

from __future__ import annotations

from pathlib import Path

from textual import events
from textual.geometry import Offset

from haas_console.tui.bars import Bar
from tests.tui.apply_hands import staged_site
from tests.tui.console import Hands, console
from tests.tui.terminal_input import send

SCRIPT = "network create lab\n# a comment\nnetwork create storage\nconnect node-01:primary-nic lab"


async def click(hands: Hands, bar: str, text: str) -> None:
    """Click on a word of a bar, as a terminal reports it."""
    line = hands.app.screen.query_one(f"#{bar}", Bar)
    at = line.region.offset + Offset(str(line.content).index(text), 0)
    for kind in (events.MouseDown, events.MouseUp):
        await hands.mouse(kind, (at.x, at.y))
    await hands.pilot.pause()


async def test_undo_after_an_allocation_says_how_to_release_and_undoes_the_edit_next(
    socket: Path,
) -> None:
    async with console(socket, project="astro") as hands:
        await hands.given("node allocate --node node-01", "network create lab")
        await hands.command("connect node-01:primary-nic lab")
        await hands.go("node-02", "primary-nic")
        await hands.press("A")
        await hands.until(lambda: "allocated" in hands.row("node-02", "ipmi-nic"))
        await hands.press("z")
        await hands.until(lambda: "An allocation is not undone" in hands.bar("message"))
        assert "R (node release) gives node-02 back" in hands.bar("message")
        assert "lab*" in hands.row("node-01", "primary-nic")
        await hands.press("z")
        await hands.until(lambda: "lab" not in hands.row("node-01", "primary-nic"))


async def test_the_footer_offers_apply_while_anything_is_staged_and_its_keys_are_clicked(
    socket: Path,
) -> None:
    async with console(socket, project="astro") as hands:
        await hands.given("node allocate --node node-01", "network create lab")
        assert not hands.offers("Apply")
        await hands.command("connect node-01:primary-nic lab")
        await hands.until(lambda: hands.offers("Apply"))
        await click(hands, "hints", "n Network")
        await hands.until(lambda: hands.board.is_asking)
        await hands.press("escape")
        await click(hands, "hints", "a Apply")
        await hands.until(lambda: hands.app.front is not None and hands.app.front.NAME == "apply")


async def test_several_pasted_lines_are_a_script_after_one_question(socket: Path) -> None:
    async with console(socket, project="astro") as hands:
        await hands.given("node allocate --node node-01")
        await hands.press("colon")
        send(hands.app, events.Paste(SCRIPT))
        await hands.until(lambda: "run these 4 lines" in hands.asked)  # type: ignore[attr-defined]
        await hands.press("escape")
        assert not hands.app.session.inventory.networks
        await hands.press("colon")
        send(hands.app, events.Paste(SCRIPT))
        await hands.type("y\r")
        await hands.until(lambda: hands.area("lab"))
        assert {name for _, name in hands.app.session.inventory.networks} == {"lab", "storage"}
        await hands.press("colon")
        send(hands.app, events.Paste("network create more\nnetwrok create x"))
        await hands.type("y\r")
        await hands.until(lambda: "line 2" in hands.bar("message"))
        assert ("astro", "more") not in hands.app.session.inventory.networks


async def test_a_refusal_goes_away_when_its_reason_does(socket: Path) -> None:
    async with console(socket, project="astro") as hands:
        await hands.go("node-02", "primary-nic")
        await hands.press("d")
        await hands.until(lambda: "not allocated" in hands.bar("message"))
        await hands.app.session.sync.call("node.allocate", {"project": "astro", "node": "node-02"})
        await hands.until(lambda: "not allocated" not in hands.bar("message"))


async def test_a_failed_apply_is_said_until_it_is_looked_at() -> None:
    async with staged_site() as site, console(site.socket, project="astro") as hands:
        site.centre.switches["sw1"].faults.refuse = {"switchport access": "% Invalid input"}
        job = (await site.call("apply.start", project="astro"))["job"]
        await hands.until(lambda: f"✗ job {job} of astro failed" in hands.bar("summary"))
        await hands.press("j", "k")
        assert "failed" in hands.bar("summary")
        await hands.press("J", "enter", "escape", "escape")
        await hands.until(lambda: "failed" not in hands.bar("summary"))
        assert "staged in astro" in hands.bar("summary")


async def test_after_a_cancelled_job_the_board_shows_what_is_still_staged() -> None:
    async with staged_site() as site, console(site.socket, project="astro") as hands:
        site.slow(0.3)
        job = (await site.call("apply.start", project="astro"))["job"]
        await hands.until(lambda: f"job {job}" in hands.bar("top"), "it runs")
        await site.call("job.cancel", job=job)
        ended = await site.ended(job)
        assert ended["state"] == "cancelled"
        plan = await site.call("plan.show", project="astro")
        assert not plan["empty"]
        await hands.until(lambda: "staged in astro" in hands.bar("summary"))
        assert "lab*" in hands.row("node-01", "primary-nic")
