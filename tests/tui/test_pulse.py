"""The pulse: one line on every screen, and a screen of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from haas_console.tui.factlines import FactLines
from haas_console.tui.screens.details import DetailsScreen
from haas_console.tui.screens.drift import DriftScreen
from haas_console.tui.screens.pulse import PulseScreen
from haas_console.tui.screens.switch import SwitchScreen
from tests.tui.apply_hands import Site, staged_site
from tests.tui.console import Hands, console
from tests.tui.test_drift import face


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with staged_site() as site:
        yield site


async def pulse(hands: Hands) -> FactLines:
    await hands.press("P")
    await hands.until(lambda: isinstance(hands.app.screen, PulseScreen))
    return hands.app.screen.query_one(FactLines)


async def silenced(site: Site, switch: str) -> None:
    """Switch a switch off, and let the daemon notice."""
    await site.centre.switches[switch].stop()
    await site.daemon.engine.check_reachable()


async def test_every_screen_tells_at_once_that_a_switch_does_not_answer(site: Site) -> None:
    async with console(site.socket, project="astro") as hands:
        await site.daemon.engine.check_reachable()
        await hands.until(lambda: "2 of 2 switches answer" in hands.bar("pulse"))
        assert "99 VLANs" in hands.bar("pulse") or "99 of 100 VLANs free" in hands.bar("pulse")
        await silenced(site, "sw1")
        await hands.until(lambda: hands.bar("pulse").startswith(" ✗ 1 down (sw1 last heard "))
        for key in "JHtVIe":
            await hands.press(key)
            await hands.until(lambda: "✗ 1 down" in hands.bar("pulse"), key)


async def test_the_pulse_lists_what_is_counted_and_enter_opens_it(site: Site) -> None:
    async with console(site.socket, project="astro") as hands:
        await silenced(site, "sw2")
        lines = await pulse(hands)
        await hands.until(lambda: any("▶ sw2  last heard" in ln for ln in hands.text(lines)))
        await hands.until(lambda: any("libvirt ✓" in ln for ln in hands.text(lines)))
        await hands.press("enter")
        await hands.until(lambda: isinstance(hands.app.screen, DetailsScreen))
        assert hands.bar("title").strip() == "switch sw2"
        await hands.press("escape")
        await hands.until(lambda: isinstance(hands.app.screen, PulseScreen))


async def test_a_job_that_failed_is_in_the_line_until_it_is_looked_at(site: Site) -> None:
    await silenced(site, "sw1")
    job = (await site.call("apply.start", project="astro"))["job"]
    await site.ended(job)
    async with console(site.socket, project="astro") as hands:  # opened only after it failed
        await hands.until(lambda: "✗ 1 job failed" in hands.bar("pulse"))
        lines = await pulse(hands)
        await hands.until(lambda: any(f"▶ job {job} of astro" in ln for ln in hands.text(lines)))
        await hands.go_to(lines, f"job {job}")
        await hands.press("enter")
        await hands.until(lambda: hands.app.front and hands.app.front.NAME == "job")
        await hands.press("escape")
        await hands.until(lambda: "failed" not in hands.bar("pulse"))


async def test_at_80_columns_the_most_urgent_fits_and_nothing_is_cut_in_two(site: Site) -> None:
    async with console(site.socket, (80, 24), project="astro") as hands:
        await silenced(site, "sw1")
        await hands.until(lambda: hands.bar("pulse").startswith(" ✗ 1 down"))
        line = hands.bar("pulse").rstrip()
        assert len(line) <= 80
        assert line.endswith("…") or "VLANs" in line
    async with console(site.socket, (80, 12), project="astro") as hands:
        assert not hands.app.screen.query_one("#pulse").display


async def test_a_switch_that_does_not_answer_is_marked_wherever_it_is_shown(site: Site) -> None:
    await silenced(site, "sw1")
    async with console(site.socket, project="astro") as hands:
        await hands.press("w")
        await hands.until(lambda: isinstance(hands.app.screen, SwitchScreen))
        await hands.until(lambda: "✗ does not answer, last heard" in face(hands)[0])
        assert hands.text(hands.app.screen.query_one("#switches"))[0].startswith(" ✗ sw1")  # type: ignore[arg-type]
        await hands.press("t")
        await hands.until(lambda: hands.app.front and hands.app.front.NAME == "topology")
        picture = hands.app.screen.query_one("#picture")
        await hands.until(lambda: any("sw1 ✗" in ln for ln in hands.text(picture)))  # type: ignore[arg-type]
        await hands.press("I")
        await hands.until(lambda: hands.app.front and hands.app.front.NAME == "inventory")
        items = hands.app.screen.query_one("#items")
        assert any("✗ sw1" in ln and "does not answer" in ln for ln in hands.text(items))  # type: ignore[arg-type]


async def test_the_drift_screen_names_what_was_not_read_beside_what_drifted(site: Site) -> None:
    async with console(site.socket, (200, 40), project="astro") as hands:
        site.centre.switches["sw2"].running.add_vlan(150)
        await site.call("drift.check")
        await silenced(site, "sw1")
        await hands.press("V")
        await hands.until(lambda: isinstance(hands.app.screen, DriftScreen))
        await hands.until(lambda: "≠ 1 drifted on 1 device" in hands.bar("title"))
        await hands.until(lambda: hands.bar("title").endswith("but sw1 can't be reached"))
