"""The console compared with a trivial Textual app: start, memory, 10,000 nodes, bytes written."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from haas_rpcd.sim.ios import IosSwitch
from tests.bench.table import Row
from tests.tui.harness import Screen, Terminal, keys, measures, sample_app
from tests.tui.harness.processes import Daemon, memory

ROOT = Path(__file__).parents[2]
RUNS = 5
MIB = 1024 * 1024
TRIVIAL = [sys.executable, sample_app.__file__]


def command(daemon: Daemon) -> list[str]:
    """Return the command that starts the console on a daemon."""
    return [sys.executable, "-m", "haas_console", "--socket", str(daemon.socket)]


def measure(daemon: Daemon, switch: IosSwitch, nodes: int, folder: Path) -> Iterator[Row]:
    """Measure the console on the daemon of a big site, with all nodes on the board."""
    yield from _first_paint(daemon, folder)
    yield from _into_the_board()
    _stage(daemon)
    with Terminal(TRIVIAL, home=folder) as trivial:
        trivial.wait_for("hello")
        trivial.settle()
        trivial_memory = memory(trivial.process.pid)
    with Terminal(command(daemon), home=folder) as board:
        board.wait_for("node-00007")
        board.settle(quiet=2.0)
        size = board.total
        board.feed(keys.END)
        board.wait_for(f"node-{nodes - 1:05}")  # all nodes are on the board
        board.feed(keys.HOME)
        board.wait_for("node-00007")
        rss, pss = (
            (ours - theirs) / MIB
            for ours, theirs in zip(memory(board.process.pid), trivial_memory, strict=True)
        )
        yield Row(f"memory over the trivial app's, {nodes:,} nodes", pss, "MiB", 60, note="PSS")
        yield Row("  the same as RSS", rss, "MiB", 60)
        yield Row("bytes: from the start to all nodes", size, "B")
        yield from _gestures(board, daemon, switch)


def _first_paint(daemon: Daemon, folder: Path) -> Iterator[Row]:
    """Measure both apps in turns, under the same load; the first round only fills the caches."""
    ours, theirs = [], []
    for _ in range(RUNS + 1):
        theirs.append(painted(TRIVIAL, folder))
        ours.append(painted(command(daemon), folder))
    console, trivial = statistics.median(ours[1:]), statistics.median(theirs[1:])
    yield Row("first paint, trivial app", trivial * 1000, "ms")
    yield Row("first paint, console", console * 1000, "ms", 450, asserted=False)
    yield Row("  beside the trivial app", console / trivial, "times", 1.5, asserted=False)


def painted(program: list[str], folder: Path) -> float:
    """Return the seconds from the process's start to the first letters on the screen."""
    with Terminal(program, home=folder) as terminal:
        terminal.wait_until(_words, "the first paint")
        return terminal.painted(_words)


def _words(screen: Screen) -> bool:
    return any(char.isalpha() for char in screen.text)


def _into_the_board() -> Iterator[Row]:
    script = Path(__file__).with_name("board.py")
    parts = json.loads(subprocess.check_output([sys.executable, script], cwd=ROOT))
    whole = sum(parts.values()) * 1000
    note = ", ".join(f"{part} {seconds * 1000:.0f}" for part, seconds in parts.items())
    yield Row("10,000 nodes into the board", whole, "ms", 100, asserted=False, note=note)


def _stage(daemon: Daemon) -> None:
    """Give the project astro nodes to drag and networks to drop them on."""
    for network in ("lab", "storage"):
        daemon.call("network.create", project="astro", network=network)
    for number in range(8, 16):
        daemon.call("node.allocate", project="astro", node=f"node-{number:05}")


def _gestures(board: Terminal, daemon: Daemon, switch: IosSwitch) -> Iterator[Row]:
    start, network = board.screen.find("node-00009 "), board.screen.find("■ storage")
    yield _row(measures.idle(board))
    yield _row(measures.mouse_moves(board, start, network))
    yield _row(measures.cursor_down(board))
    for cost in measures.drag_and_drop(board, board.screen.find("parked", after=start), network):
        yield _row(cost)
    nics = daemon.call("node.show", node="node-00009")["nics"]
    assert any(nic["networks"] for nic in nics), "the nic was dropped somewhere else"
    yield _row(measures.page_down(board))
    for number in range(8, 16):
        daemon.call("nic.connect", node=f"node-{number:05}", nic="primary-nic", network="lab")
    board.feed(keys.HOME)
    board.wait_for("9 staged in astro")
    switch.faults.line_delay = 0.05
    progress, end = measures.apply(board)
    yield _row(progress)
    yield Row("bytes: an apply's end", end.size, "B")
    board.gesture(keys.ESCAPE)
    for name, key in (("jobs", b"J"), ("topology", b"t"), ("switch", b"w"), ("events", b"e")):
        opened = board.gesture(key, quiet=measures.ANSWERED)
        yield Row(f"bytes: the screen {name} opens", opened.size, "B")
        if name == "topology":
            board.gesture(keys.PAGE_DOWN)
            paged = board.gesture(keys.PAGE_DOWN)
            yield Row(
                "bytes: page down in topology", paged.size, "B", measures.BUDGETS[measures.PAGE]
            )
        board.gesture(keys.ESCAPE, quiet=measures.ANSWERED)


def _row(cost: measures.Cost) -> Row:
    sizes = sorted((gesture.size for gesture in cost.gestures), reverse=True)
    note = f"the dearest of {len(sizes)}: {sizes[0]}" if len(sizes) > 1 else ""
    return Row(f"bytes: {cost.what}", cost.size, "B", cost.budget, note=note)
