"""Two users at two consoles: each sees at once what the other does."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.tui.harness.processes import Daemon
from tests.tui.harness.terminal import Terminal

CONSOLE = [sys.executable, "-m", "haas_console", "--socket"]


def test_one_console_sees_what_the_other_stages_and_applies(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "there").mkdir()
    with (
        Daemon(tmp_path, "--demo") as daemon,
        Terminal([*CONSOLE, str(daemon.socket)], home=tmp_path / "here") as here,
        Terminal([*CONSOLE, str(daemon.socket)], home=tmp_path / "there") as there,
    ):
        for console in (here, there):
            console.wait_for("● live")
            console.wait_for("node-01")
            console.settle()
        here.feed(b"A")
        there.wait_for("node-01:ipmi-nic")  # among the parked, at the other console
        here.feed(b"n")
        here.wait_for("new network")
        here.feed(b"lab\r")
        there.wait_for("■ lab")
        here.feed(b"c")
        here.wait_for("network")
        here.feed(b"la\r")
        there.wait_for("parked → lab")

        there.feed(b"a")  # what one has staged, the other may apply
        there.wait_for("plan of astro")
        there.wait_for("switchport access vlan")
        there.feed(b"y")
        there.wait_for("succeeded")
        here.wait_for("nothing staged in astro")

        here.feed(b"q")
        assert here.ended() == 0
