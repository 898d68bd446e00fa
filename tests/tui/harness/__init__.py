"""A terminal for tests: runs a program on a pty, plays its user, and counts what it writes.

    with Terminal([sys.executable, "-m", "haas_console", "--demo"], home=tmp_path) as terminal:
        terminal.wait_for("node-01")
        assert terminal.gesture(keys.DOWN).size <= 500
        terminal.drag(terminal.screen.find("primary-nic"), terminal.screen.find("lab"))

`terminal` is the pty and its user, `keys` what a keyboard and a mouse send, `screen` what the bytes
look like, `processes` the daemons, `tmux` a second and real terminal to try the same in.
"""

from tests.tui.harness.screen import Screen
from tests.tui.harness.terminal import Gesture, NotThere, Terminal

__all__ = ["Gesture", "NotThere", "Screen", "Terminal"]
