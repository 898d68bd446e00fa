"""A plan that is saved on the command line of the screen, and applied from there."""

from __future__ import annotations

from pathlib import Path

from tests.tui.apply_hands import job_is_shown, staged_site
from tests.tui.console import console


async def test_a_plan_is_saved_and_applied_from_its_file(tmp_path: Path) -> None:
    file = tmp_path / "tonight.json"
    async with staged_site() as site, console(site.socket) as hands:
        project = hands.app.session.project
        await hands.burst(f":plan {project} --out {file}\r")
        await hands.until(lambda: "bytes" in hands.bar("hints") + hands.bar("message"))
        assert '"haas_plan": 1' in file.read_text()
        await hands.burst(f":apply {file}\r")
        await job_is_shown(hands, "succeeded")
