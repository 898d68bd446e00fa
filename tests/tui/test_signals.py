"""A console whose terminal is closed, or that is terminated, ends its demo daemon too."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from tests.tui.harness import Terminal


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
def test_a_demo_ends_with_its_console(tmp_path: Path, number: signal.Signals) -> None:
    with Terminal([sys.executable, "-m", "haas_console", "--demo"], home=tmp_path) as terminal:
        terminal.wait_for("node-01")
        child = _daemon_of(terminal.process.pid)
        assert child is not None
        os.kill(terminal.process.pid, number)
        terminal.ended()
        deadline = time.monotonic() + 10
        while _runs(child):
            assert time.monotonic() < deadline, "the demo daemon outlived its console"
            time.sleep(0.01)


def _daemon_of(parent: int) -> int | None:
    """The process that a process started."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return int(children[0]) if children else None


def _runs(process: int) -> bool:
    """Whether a process is there and not a zombie."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
