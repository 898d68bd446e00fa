"""A daemon with an empty database: every screen says what to do next."""

from __future__ import annotations

from pathlib import Path

import pytest

from haas_rpcd.config import Server, Settings, StoreSettings
from haas_rpcd.daemon import real
from tests.tui.apply_hands import shown
from tests.tui.console import console


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["80", "120"])
async def test_each_screen_of_an_empty_site_says_what_to_do_next(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    settings = Settings(
        server=Server(socket=str(tmp_path / "s")), store=StoreSettings(path=":memory:")
    )
    daemon = real(settings)
    await daemon.start()
    try:
        async with console(tmp_path / "s", size=size) as hands:
            nodes = hands.nodes
            lines = [line.strip() for line in hands.text(nodes)]
            assert nodes.count() < nodes.size.height
            output = " ".join(lines)  # a long command is wrapped
            for words in (
                ":switch register sw1 cisco_ios HOST",
                ":node register node-01 '{",
                '"switch": "sw1", "port": "Gi1/0/1"}',
                ":site import FILE --dry_run",
            ):
                assert words in output
            assert ":project create NAME" in hands.bar("right-title")
            assert len(hands.bar("right-title")) <= hands.areas.size.width
            for key, words in (
                ("J", "no job yet"),
                ("t", "No switch yet: I opens"),
                ("w", "There is no switch yet: I opens"),
                ("V", "Nothing drifted: all is as it was applied."),
                ("H", "no [master] in its haas.toml"),
                ("M", "No project yet: n makes one."),
                ("I", "Nothing is registered: s registers a switch"),
                ("F", "i  imports one"),
                ("a", "Apply which project? p chooses one; S plans the site."),
            ):
                await hands.press(key)
                await hands.until(lambda words=words: words in shown(hands), words)
                content = next(line for line in shown(hands).splitlines() if words in line)
                assert len(content) <= size[0], content

            await hands.press("escape", "n")
            made_so = "There is none yet; :project create NAME makes one."
            assert made_so in hands.bar("message")
            await hands.command("switch register sw1 cisco_ios 127.0.0.1")
            await hands.until(lambda: ":switch register" not in shown(hands))
            await hands.command("project create astro")
            await hands.until(lambda: "First" not in hands.bar("right-title"))
    finally:
        await daemon.stop()
