"""The main screens look as in the pictures that README shows.

Compared is what stands where, not colours or fonts, which are Textual's matter and change with it.
"""

from __future__ import annotations

import html
import re
from pathlib import Path

from tests.bench import screenshots

MAIN = ("board", "drag", "apply", "topology", "switch", "drift", "drifted", "headnodes", "projects")


def rows(picture: Path) -> list[str]:
    """Read the lines of a screen out of its picture."""
    found: dict[float, list[tuple[float, str]]] = {}
    for x, y, text in re.findall(
        r'<text [^>]*?x="([\d.]+)" y="([\d.]+)"[^>]*>([^<]*)</text>', picture.read_text()
    ):
        found.setdefault(float(y), []).append((float(x), html.unescape(text)))
    return [
        " ".join("".join(text for _, text in sorted(line)).replace("\xa0", " ").split())
        for _, line in sorted(found.items())
    ]


async def test_the_main_screens_look_as_in_the_pictures(tmp_path: Path) -> None:
    await screenshots.draw(tmp_path)
    for name in MAIN:
        drawn, shown = rows(tmp_path / f"{name}.svg"), rows(screenshots.FOLDER / f"{name}.svg")
        assert len(drawn) > 5
        assert drawn == shown, f"{name} has changed: look at it, and run  make screenshots"
