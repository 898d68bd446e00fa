"""10,000 nodes on the board: from the daemon's decoded answers to the painted screen.

This is a program of its own, so that nothing else is in memory. It prints the seconds of CPU time
of each part as JSON.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import time
from typing import Any

from textual.app import App, ComposeResult

from haas_console.core.board import Board
from haas_console.core.inventory import Inventory, records
from haas_console.tui.nodes import NodeTable
from haas_schemas.node import Node

NODES = 10_000
RUNS = 5
PAGE = 1000


def answers() -> list[list[dict[str, Any]]]:
    """Return the pages of ``node.list`` after JSON decoding."""
    nodes = [
        {
            "node": f"node-{number:05}",
            "state": "free",
            "project": None,
            "tags": ["gpu"] if number % 4 == 0 else [],
            "nics": [
                {
                    "nic": nic,
                    "kind": kind,
                    "mac": f"02:00:{number >> 8:02x}:{number & 255:02x}:00:{at:02x}",
                    "switch": f"sw{number // 24:03}",
                    "port": f"Gi1/0/{2 * (number % 24) + at}",
                    "state": "applied",
                    "networks": [],
                    "applied": [],
                }
                for at, nic, kind in ((1, "ipmi-nic", "bmc"), (2, "primary-nic", "data"))
            ],
        }
        for number in range(NODES)
    ]
    return [nodes[at : at + PAGE] for at in range(0, NODES, PAGE)]


class BoardApp(App[None]):
    """The board's table alone."""

    CSS = "NodeTable { height: 1fr; }"

    def __init__(self) -> None:
        super().__init__()
        self.board = Board()

    def compose(self) -> ComposeResult:
        yield NodeTable(self.board, id="nodes")


async def run(pages: list[list[dict[str, Any]]]) -> dict[str, float]:
    """Fill a new board once; return the seconds of each part."""
    app = BoardApp()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        table = app.query_one(NodeTable)
        inventory = Inventory()
        begun = time.process_time()
        for page in pages:
            inventory.nodes.update((node.node, node) for node in records(Node, page))
        read = time.process_time()
        app.board.rebuild(inventory)
        built = time.process_time()
        table.changed()
        painting = asyncio.Event()
        app.call_after_refresh(painting.set)
        await painting.wait()
        painted = time.process_time()
        assert len(app.board.rows) == 2 * NODES
    return {"read": read - begun, "build": built - read, "paint": painted - built}


async def main() -> None:
    """Run several times and print the median of each part."""
    pages = answers()
    runs = [await run(pages) for _ in range(RUNS)]
    json.dump({part: statistics.median(r[part] for r in runs) for part in runs[0]}, sys.stdout)


if __name__ == "__main__":
    asyncio.run(main())
