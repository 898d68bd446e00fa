"""Power on the board: one key for all marked nodes, after a question."""

from __future__ import annotations

from pathlib import Path

from tests.tui.console import console


async def test_marked_nodes_are_switched_together_after_a_question(socket: Path) -> None:
    async with console(socket, project="astro") as hands:
        await hands.given("node allocate --node node-01")
        await hands.given("node allocate --node node-02")
        for node in ("node-01", "node-02"):
            await hands.until(lambda node=node: "allocated" in hands.row(node, "ipmi-nic"))
            await hands.go(node, "ipmi-nic")
            await hands.press("space")
        await hands.press("O")
        await hands.type("on")
        await hands.press("enter", "enter")  # Enter alone means no
        assert "↑" not in hands.row("node-01", "ipmi-nic")
        await hands.press("O")
        await hands.type("on")
        await hands.press("enter", "y", "enter")
        for node in ("node-01", "node-02"):
            await hands.until(lambda node=node: "allocated ↑" in hands.row(node, "ipmi-nic"))
        assert "power on of 2 nodes: done" in hands.bar("message")
