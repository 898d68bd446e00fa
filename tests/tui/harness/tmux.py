"""tmux with a program in it, in the terminal of the test: what users of a master really have.

The mouse goes the real way: our terminal sends SGR events to tmux, which hands them on to the
program, because that asked for them; tmux's own ``mouse`` option is off. The server is the test's
own, on its own socket, with no configuration but what is here.
"""

from __future__ import annotations

import contextlib
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.tui.harness.terminal import Terminal

_CONFIG = """
set -g status off
set -g set-clipboard on
set -g default-terminal tmux-256color
set -sg escape-time 0
"""


class Tmux(Terminal):
    """A terminal on which tmux runs the program."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        home: Path,
        size: tuple[int, int] = (120, 40),
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self._server = ["tmux", "-S", str(home / "tmux.sock"), "-f", str(home / "tmux.conf")]
        (home / "tmux.conf").write_text(_CONFIG)
        outer = [*self._server, "new-session", shlex.join(command)]
        super().__init__(outer, home=home, size=size, colorterm=None, environ=environ)

    def __exit__(self, *what: object) -> None:
        with contextlib.suppress(subprocess.CalledProcessError):  # it has ended already
            self._tmux("kill-server")
        super().__exit__(*what)

    def _tmux(self, *args: str) -> str:
        return subprocess.run(
            [*self._server, *args], capture_output=True, text=True, check=True
        ).stdout

    def capture(self) -> str:
        """Give the pane as tmux itself sees it."""
        return self._tmux("capture-pane", "-p")

    def buffer(self) -> str:
        """Give what was copied last."""
        return self._tmux("show-buffer")
