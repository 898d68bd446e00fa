"""Lines with a style for each network, for the topology and face plates."""

from __future__ import annotations

from typing import ClassVar

from haas_console.core.portviews import COLOURS
from haas_console.tui.lines import Lines


class PictureLines(Lines):
    """Lines with the styles ``net0`` to ``net5``, and ``bad`` for what is wrong or unknown."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "lines--bad",
        "lines--spot",
        *(f"lines--net{number}" for number in range(COLOURS)),
    }
    DEFAULT_CSS = """
    PictureLines > .lines--bad { color: $error; text-style: bold; }
    PictureLines > .lines--net0 { color: ansi_bright_cyan; }
    PictureLines > .lines--net1 { color: ansi_bright_green; }
    PictureLines > .lines--net2 { color: ansi_bright_magenta; }
    PictureLines > .lines--net3 { color: ansi_bright_blue; }
    PictureLines > .lines--net4 { color: ansi_cyan; }
    PictureLines > .lines--net5 { color: ansi_green; }
    """
