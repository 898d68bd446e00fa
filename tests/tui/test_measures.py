"""The console's budgets in bytes, on a real pty of 120x40; `make bench` measures times."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from haas_rpcd.sim.ios import IosSwitch
from tests.bench import startup
from tests.bench.big_site import big_site
from tests.tui.harness import Terminal, measures
from tests.tui.harness.processes import Daemon

NODES = 60  # more than fit the screen; how many more does not matter
NETWORKS = ("lab", "storage")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Daemon, IosSwitch]]:
    with big_site(tmp_path_factory.mktemp("site") / "big", NODES) as (daemon, switch):
        for network in NETWORKS:
            daemon.call("network.create", project="astro", network=network)
        for number in range(8):
            daemon.call("node.allocate", project="astro", node=f"node-{number:05}")
        yield daemon, switch


@pytest.fixture
def daemon(site: tuple[Daemon, IosSwitch]) -> Daemon:
    return site[0]


@pytest.fixture
def board(tmp_path: Path, daemon: Daemon) -> Iterator[Terminal]:
    """The idle console, with everything on its board."""
    command = [sys.executable, "-m", "haas_console", "--socket", str(daemon.socket)]
    with Terminal(command, home=tmp_path) as terminal:
        terminal.wait_for("node-00007")
        terminal.settle()
        yield terminal


def test_an_idle_console_writes_nothing(board: Terminal) -> None:
    cost = measures.idle(board)
    assert not cost.over, str(cost)


def test_moving_the_mouse_costs_next_to_nothing(board: Terminal) -> None:
    start = board.screen.find("node-00001 ")
    cost = measures.mouse_moves(board, start, board.screen.find("■ storage"))
    assert not cost.over, str(cost)


def test_the_cursor_costs_two_lines(board: Terminal) -> None:
    cost = measures.cursor_down(board)
    assert not cost.over, str(cost)


def test_a_page_costs_a_page(board: Terminal) -> None:
    cost = measures.page_down(board)
    assert not cost.over, str(cost)


def test_a_drag_costs_its_ghost_and_a_drop_what_it_changes(board: Terminal, daemon: Daemon) -> None:
    nic = board.screen.find("parked", after=board.screen.find("node-00002 "))
    drag, drop = measures.drag_and_drop(board, nic, board.screen.find("storage"))
    dropped = daemon.call("node.show", node="node-00002")["nics"][0]["networks"]
    assert [network["network"] for network in dropped] == ["storage"]
    assert not drag.over, str(drag)
    assert not drop.over, str(drop)


def test_following_an_apply_costs_few_bytes(
    board: Terminal, site: tuple[Daemon, IosSwitch]
) -> None:
    daemon, switch = site
    for number in range(8):
        daemon.call("nic.connect", node=f"node-{number:05}", nic="primary-nic", network="lab")
    board.wait_until(lambda screen: len([*screen.places("→ lab*")]) == 8, "eight staged nics")
    switch.faults.line_delay = 0.08
    cost, _ = measures.apply(board)
    assert cost.gestures[0].size  # something was shown between its beginning and its end
    assert not cost.over, str(cost)


def test_batch_mode_loads_no_textual() -> None:
    assert startup.batch_imports()[1] == []
