"""The board with the mouse, against a real daemon: what is dragged where, and what comes of it."""

from __future__ import annotations

from pathlib import Path

from tests.tui.console import Hands, console


async def a_project_with_two_networks(hands: Hands) -> None:
    """Two nodes of astro's, the networks lab and storage, and a headnode."""
    for line in (
        "node allocate --node node-01",
        "node allocate --node node-02",
        "network create lab",
        "network create storage",
        "headnode create login",
    ):
        await hands.command(line)
    await hands.until(
        lambda: len(hands.area("parked")) == 5 and "■ lab" in " ".join(hands.text(hands.areas))
    )


async def test_a_nic_is_dragged_onto_a_network(socket: Path) -> None:
    async with console(socket) as hands:
        await a_project_with_two_networks(hands)
        await hands.drag(hands.nic_at("node-01", "primary-nic"), hands.area_at("lab"))
        await hands.until(lambda: hands.area("lab"))
        assert hands.area("lab") == ["+ node-01:primary-nic"]
        assert "parked → lab*" in hands.row("node-01", "primary-nic")
        assert "2 staged in astro" in hands.bar("summary")
        assert "connect node-01:primary-nic lab" in hands.bar("message")
