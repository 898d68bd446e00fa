"""What is sent to a terminal is short, and looks as what Textual wrote."""

from __future__ import annotations

import pyte
from hypothesis import given
from hypothesis import strategies as st

from haas_console.tui.sgr import squeeze
from tests.laws import law

_COLOURS = st.sampled_from(
    ["3{}1", "9{}4", "3{}8;5;17", "3{}8;2;28;28;28", "3{}8;2;255;215;95", "3{}8;2;1;2;3", "3{}9"]
)
_INKS = _COLOURS.map(lambda code: code.replace("{}", ""))
_PAPERS = st.sampled_from(["41", "104", "48;5;236", "48;2;38;38;38", "48;2;9;9;9", "49"])
_ATTRIBUTES = st.sampled_from(["1", "2", "3", "4", "7", "9", "1;7", "0", "22", "27"])
_STYLES = st.lists(st.one_of(_INKS, _PAPERS, _ATTRIBUTES), min_size=1, max_size=4).map(";".join)
_PIECES = st.tuples(
    st.sampled_from(["", "\x1b[3;2H", "\n\x1b[5;1H", "\x1b[?2026h"]),
    _STYLES,
    st.sampled_from(["", "text", "  ", "│ │", "a\x1b[1;1Hb"]),
).map(lambda piece: f"{piece[0]}\x1b[{piece[1]}m{piece[2]}\x1b[0m")


def cells(output: str) -> list[list[object]]:
    screen = pyte.Screen(20, 6)
    pyte.Stream(screen).feed(output)
    return [[seen(screen.buffer[y][x]) for x in range(20)] for y in range(6)]


def seen(cell: pyte.screens.Char) -> object:
    lined = (cell.underscore, cell.strikethrough, cell.reverse)
    return cell if cell.data != " " or any(lined) else (cell.bg, lined)


@law(60)
@given(st.lists(_PIECES, max_size=8))
def test_a_squeezed_output_draws_the_same_and_is_no_longer(pieces: list[str]) -> None:
    output = "".join(pieces)
    assert cells(squeeze(output)) == cells(output)
    assert len(squeeze(output)) <= len(output)


def test_a_style_that_is_in_force_is_not_sent_again() -> None:
    dark = "48;2;28;28;28"
    row = f"\x1b[38;2;218;218;218;{dark}mnode \x1b[0m\x1b[1;38;2;218;218;218;{dark}mlab\x1b[0m"
    assert squeeze(row) == "\x1b[38;5;253;48;5;234mnode \x1b[1mlab\x1b[m"


def test_colours_that_terminals_redefine_keep_their_long_form() -> None:
    assert squeeze("\x1b[38;2;0;0;95mx\x1b[0m") == "\x1b[38;2;0;0;95mx\x1b[m"
    assert squeeze("\x1b[38;2;95;95;95mx\x1b[0m") == "\x1b[38;5;59mx\x1b[m"


def test_what_ends_in_another_style_still_does() -> None:
    assert squeeze("\x1b[31m") == "\x1b[31m"
    assert squeeze("\x1b]52;c;eA==\x07") == "\x1b]52;c;eA==\x07"
