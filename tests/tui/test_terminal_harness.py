"""The harness itself, tried on a trivial Textual app."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tui.harness import NotThere, Screen, Terminal, keys, sample_app
from tests.tui.harness.tmux import Tmux

SAMPLE = [sys.executable, sample_app.__file__]


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    with Terminal(SAMPLE, home=tmp_path) as terminal:
        terminal.wait_for("hello")
        yield terminal


def test_keys_and_mouse_reach_what_they_are_aimed_at(terminal: Terminal) -> None:
    assert terminal.screen.find("hello") == (0, 0)
    for data, text in (
        (keys.DOWN, "key down"),
        (keys.ctrl("n"), "key ctrl+n"),
        (keys.press((7, 3)), "down 7,3"),
        (keys.drag((8, 3)), "drag 8,3 with 1"),
        (keys.release((9, 4)), "up 9,4"),
        (keys.wheel((9, 4)), "wheel down"),
    ):
        terminal.feed(data)
        terminal.wait_for(text)
    terminal.drag((1, 1), (6, 4))
    terminal.wait_for("up 6,4")


def test_an_idle_program_writes_nothing_and_a_key_writes_little(terminal: Terminal) -> None:
    assert terminal.idle(1.0).size == 0
    first, second = terminal.gesture(b"a"), terminal.gesture(b"b")
    assert b"key a" in first.data
    assert 0 < second.size < 300
    assert terminal.gesture(keys.move((50, 20))).size == 0


def test_a_copy_is_noticed(terminal: Terminal) -> None:
    terminal.feed(b"y")
    terminal.wait_until(lambda screen: bool(screen.clipboard), "a copy")
    assert terminal.screen.clipboard == ["yanked"]


def test_a_new_size_is_noticed(terminal: Terminal) -> None:
    terminal.resize(80, 24)
    terminal.wait_for("size 80x24")
    assert terminal.screen.size == (80, 24)


def test_waiting_for_a_program_that_has_ended_fails_at_once(terminal: Terminal) -> None:
    terminal.feed(keys.ctrl("q"))
    with pytest.raises(NotThere, match="ended with 0"):
        terminal.wait_for("never")
    assert terminal.ended() == 0


def test_colours_are_read_as_the_terminal_shows_them(tmp_path: Path) -> None:
    with Terminal(SAMPLE, home=tmp_path, no_color=True) as grey:
        grey.wait_for("hello")
        # Textual shows greys without colour: red, green and blue are the same
        assert all(c[:2] == c[2:4] == c[4:] for c in grey.screen.colours() if len(c) == 6)
    with Terminal(SAMPLE, home=tmp_path, term="xterm", colorterm=None) as few:
        few.wait_for("hello")
        assert b"38;2;" not in few.output()


def test_keys_mouse_and_copies_pass_through_tmux(tmp_path: Path) -> None:
    with Tmux(SAMPLE, home=tmp_path, size=(80, 24)) as terminal:
        terminal.wait_for("size 80x24")
        terminal.drag((1, 1), (6, 4))
        terminal.wait_for("up 6,4")
        assert terminal.capture().startswith("up 6,4\n")
        terminal.feed(b"y")
        terminal.wait_until(lambda screen: bool(screen.clipboard), "a copy")
        assert terminal.screen.clipboard == [terminal.buffer()] == ["yanked"]
        terminal.feed(keys.ctrl("q"))
        assert terminal.ended() == 0


def test_an_escape_sequence_may_arrive_in_pieces() -> None:
    data = "\x1b[>31u\x1b[?2026$p\x1bPtmux;\x1b\x1b]52;c;aGk=\x07\x1b\\\x1b[2;3Hné\x1b]22;x\x1b\\d"
    for cut in range(len(data.encode())):
        screen = Screen(20, 3)
        screen.feed(data.encode()[:cut])
        screen.feed(data.encode()[cut:])
        assert (screen.lines, screen.clipboard) == (["", "  néd", ""], ["hi"]), cut
