"""Changing from one site to another: ``:ctx``."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.tui.harness import keys
from tests.tui.harness.processes import Daemon
from tests.tui.harness.tmux import Tmux

pytestmark = pytest.mark.slow


def test_the_console_changes_to_another_site_and_back(tmp_path: Path) -> None:
    (folder := tmp_path / "second").mkdir()
    with Daemon(folder, "--demo") as second:
        second.call("project.create", project="only-there")
        settings = tmp_path / "console.toml"
        settings.write_text(
            f'[contexts.north]\nsocket = "{second.socket}"\n'
            f'[contexts.south]\nsocket = "{tmp_path}/nobody.sock"\n'
        )
        console = [sys.executable, "-m", "haas_console", "--config", str(settings), "--demo"]
        with Tmux(console, home=tmp_path) as terminal:
            terminal.wait_for("● live")
            terminal.type(":ctx west\r")
            terminal.wait_for('There is no context "west"; there are: north, south.')
            terminal.type(":ctx\r")
            terminal.wait_for("context:")
            terminal.type("nor\r")
            terminal.wait_for("HaaS north > Board")
            terminal.wait_for("● live")
            terminal.type(":find only-th\r")
            terminal.wait_for("project only-there")
            terminal.feed(keys.ESCAPE)
            terminal.type(":ctx south\r")
            terminal.wait_for("HaaS south > Board")
            terminal.wait_for("nobody.sock")
            terminal.feed(b"q")
            assert terminal.ended() == 0
