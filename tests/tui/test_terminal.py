"""A new user's first job on the demo data centre, in tmux, by mouse and keys."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.tui.harness import Terminal, keys
from tests.tui.harness.tmux import Tmux

DEMO = [sys.executable, "-m", "haas_console", "--demo"]


@pytest.mark.parametrize("size", [(120, 40), (80, 24)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_a_nic_is_dragged_onto_a_network_and_applied(tmp_path: Path, size: tuple[int, int]) -> None:
    with Tmux(DEMO, home=tmp_path, size=size) as terminal:
        terminal.wait_for("● live")
        terminal.settle()
        node = terminal.screen.find("node-01 ")
        assert "node-01" in terminal.capture()

        terminal.feed(keys.click(node))
        terminal.type("A")
        terminal.wait_for("node-01:primary-nic")  # among the parked
        terminal.type("n")
        terminal.wait_for("new network")
        terminal.type("lab\r")
        terminal.wait_for("■ lab")

        nic = terminal.screen.find("primary-nic")
        terminal.drag(nic, terminal.screen.find("■ lab"))
        terminal.wait_for("1 staged in astro")
        assert "parked → lab" in terminal.capture()

        terminal.type("a")
        terminal.wait_for("plan of astro")
        if size == (80, 24):
            terminal.type("l")  # the plan is folded to its steps, as its lines do not fit
        terminal.wait_for("switchport access vlan")
        terminal.type("c")
        terminal.wait_until(lambda screen: bool(screen.clipboard), "a copy of the plan")
        assert "switchport access vlan" in terminal.screen.clipboard[0]
        assert terminal.buffer() == terminal.screen.clipboard[0]
        terminal.type("y")
        terminal.wait_for("succeeded")
        terminal.feed(keys.ESCAPE)
        terminal.wait_for("nothing staged in astro")
        assert "■ lab" in terminal.capture()
        assert "→" not in terminal.capture()

        terminal.feed(b"q")
        assert terminal.ended() == 0


def test_the_screen_is_back_once_a_console_is_left(tmp_path: Path) -> None:
    with Terminal(DEMO, home=tmp_path) as terminal:
        terminal.wait_for("● live")
        terminal.type(":node console node-01\r")
        terminal.wait_for("simulated console of node node-01")
        assert "● live" not in terminal.screen.text
        terminal.type("whoami")
        terminal.wait_for("> whoami")
        terminal.feed(b"\x1d")
        terminal.wait_for("● live")
        terminal.wait_for("node-12")
        assert "whoami" not in terminal.screen.text
        terminal.feed(b"q")
        assert terminal.ended() == 0
