"""Terminals of all sizes and colours: the board is readable, and staged changes stand out."""

from __future__ import annotations

import os
import select
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.tui.harness import Terminal, keys
from tests.tui.harness.processes import Daemon


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with Daemon(tmp_path_factory.mktemp("rpcd"), "--demo") as daemon:
        daemon.call("node.allocate", project="astro", node="node-01")
        daemon.call("network.create", project="astro", network="lab")
        daemon.call("nic.connect", node="node-01", nic="primary-nic", network="lab")
        yield daemon


def opened(daemon: Daemon, home: Path, **options: Any) -> Terminal:
    command = [sys.executable, "-m", "haas_console", "--socket", str(daemon.socket)]
    return Terminal(command, home=home, **options)


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)], ids=lambda size: f"{size[0]}")
def test_staged_changes_are_visible_at_every_size(
    daemon: Daemon, tmp_path: Path, size: tuple[int, int]
) -> None:
    with opened(daemon, tmp_path, size=size) as terminal:
        terminal.wait_for("1 staged in astro")
        terminal.settle()
        assert "parked → lab*" in terminal.text
        assert "■ lab" in terminal.text
        assert "+ node-01:primary-nic" in terminal.text
        assert terminal.screen.hidden() == ""


def test_sixteen_colours_are_enough(daemon: Daemon, tmp_path: Path) -> None:
    with opened(daemon, tmp_path, term="xterm", colorterm=None) as terminal:
        terminal.wait_for("parked → lab*")
        terminal.settle()
        written = terminal.output()
        assert b"38;2;" not in written and b"38;5;" not in written
        assert len(terminal.screen.colours()) > 2
        staged = terminal.screen.style(terminal.screen.find("parked → lab*"))
        plain = terminal.screen.style(terminal.screen.find("primary-nic"))
        assert staged[0] != plain[0]
        assert terminal.screen.hidden() == ""


def test_without_colours_signs_say_the_same(daemon: Daemon, tmp_path: Path) -> None:
    with opened(daemon, tmp_path, no_color=True) as terminal:
        terminal.wait_for("parked → lab*")
        terminal.settle()
        greys = {c for c in terminal.screen.colours() if c[:2] == c[2:4] == c[4:]}
        assert terminal.screen.colours() <= greys | {"default", "black", "white", "brightblack"}
        assert terminal.screen.hidden() == ""


def test_a_window_may_change_its_size_at_any_time(daemon: Daemon, tmp_path: Path) -> None:
    with opened(daemon, tmp_path, size=(120, 40)) as terminal:
        terminal.wait_for("parked → lab*")
        for size in ((80, 24), (200, 60), (100, 30)):
            terminal.resize(*size)
            terminal.feed(keys.DOWN)
            terminal.settle()
            assert "node-01" in terminal.text
            assert "■ lab" in terminal.text
            assert terminal.screen.lines[0].startswith(" HaaS"), size
            assert max(map(len, terminal.screen.lines)) <= size[0]
        terminal.feed(b"q")
        assert terminal.ended() == 0


def test_a_drag_that_arrives_in_one_burst_is_dropped(daemon: Daemon, tmp_path: Path) -> None:
    daemon.call("node.allocate", project="astro", node="node-02")
    with opened(daemon, tmp_path) as terminal:
        terminal.wait_for("+ node-01:primary-nic")
        terminal.settle()
        nic = terminal.screen.find("parked", after=terminal.screen.find("node-02 "))
        terminal.drag(nic, terminal.screen.find("■ lab"))
        terminal.wait_for("+ node-02:ipmi-nic", within=5)
    daemon.call("nic.disconnect", node="node-02", nic="ipmi-nic")  # as the other tests expect it


@pytest.mark.parametrize(
    "ends",
    [Terminal.close_window, lambda at: at.type("q"), lambda at: at.process.kill()],
    ids=["hang-up", "q", "kill -9"],
)
def test_the_demo_ends_its_daemon_however_the_console_ends(
    tmp_path: Path, ends: Callable[[Terminal], None]
) -> None:
    demo = [sys.executable, "-m", "haas_console", "--demo"]
    temporary = {"TMPDIR": str(tmp_path)}
    with Terminal(demo, home=tmp_path, environ=temporary) as terminal:
        terminal.wait_for("● live")
        assert list(tmp_path.glob("haas-demo-*"))
        [child] = terminal.children()
        daemon = os.pidfd_open(child)
        ends(terminal)
        terminal.ended()
        ended, _, _ = select.select([daemon], [], [], 5)
        if not ended:
            signal.pidfd_send_signal(daemon, signal.SIGKILL)
        os.close(daemon)
        assert ended, "the demo's daemon runs on"
    assert not list(tmp_path.glob("haas-demo-*"))


def test_without_a_terminal_the_console_says_what_to_use(daemon: Daemon, tmp_path: Path) -> None:
    program = f"{sys.executable} -m haas_console --socket {daemon.socket} | cat"
    with Terminal(["sh", "-c", program], home=tmp_path) as terminal:
        terminal.wait_for("--script FILE")
        assert "\x1b" not in terminal.output().decode()


def test_m_gives_the_mouse_to_the_terminal_and_takes_it_back(
    daemon: Daemon, tmp_path: Path
) -> None:
    with opened(daemon, tmp_path) as terminal:
        terminal.wait_for("parked → lab*")
        given = terminal.gesture(b"m").data
        assert b"\x1b[?1000l" in given and b"\x1b[?1000h" not in given
        assert "m takes it back" in terminal.text
        taken = terminal.gesture(b"m").data
        assert b"\x1b[?1000h" in taken and b"\x1b[?1000l" not in taken
        assert "the mouse is here again" in terminal.text
