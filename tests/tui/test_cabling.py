"""Cabling in the console: checked and proved by keys; an alarm is shown wherever a nic is."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from haas_console.tui.screens.details import DetailsScreen
from haas_console.tui.screens.nodes_admin import InventoryScreen, ItemLines
from haas_console.tui.screens.switch import SwitchScreen
from haas_console.tui.screens.topology import TopologyScreen
from tests.tui.apply_hands import PORT_OF_NODE_01, Site, job_is_shown, shown, staged_site
from tests.tui.console import Hands, console

PORT_OF_NODE_02 = "GigabitEthernet1/0/4"


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    """astro's node-01 is on, and on lab as applied."""
    async with staged_site() as site:
        await site.call("node.power", node="node-01", action="on")
        started = await site.call("apply.start", project="astro")
        assert (await site.ended(started["job"]))["state"] == "succeeded"
        yield site


async def on(hands: Hands, key: str, kind: type) -> None:
    await hands.press(key)
    await hands.until(lambda: isinstance(hands.app.screen, kind))


async def test_an_alarm_is_shown_at_once_on_all_screens_that_show_the_nic(site: Site) -> None:
    async with console(site.socket, project="astro") as hands:
        await on(hands, "w", SwitchScreen)
        await hands.press("C")
        await hands.until(lambda: "1 right" in shown(hands) and "alarm" not in shown(hands))
        site.centre.switches["sw1"].swap(PORT_OF_NODE_01, PORT_OF_NODE_02)
        site.centre.switches["sw1"].power(PORT_OF_NODE_01, on=True)
        await hands.press("C")
        await hands.until(
            lambda: (
                "node-02:primary-nic seen on sw1 Gi1/0/2" in shown(hands)
                and "✗ 2 not cabled as registered" in shown(hands)
            )
        )
        await on(hands, "t", TopologyScreen)
        await hands.until(lambda: "✗] Gi1/0/2 " in shown(hands))
        await hands.until(lambda: "✗ 2 " in hands.bar("pulse"))


async def test_an_admin_proves_a_free_node_and_reads_the_evidence(site: Site) -> None:
    async with console(site.socket) as hands:
        await on(hands, "I", InventoryScreen)
        await hands.go_to(hands.app.screen.query_one(ItemLines), "node-05")
        await hands.press("p")
        await hands.type("y")
        await hands.press("enter")
        await job_is_shown(hands, "succeeded")
        await hands.press("escape")
        await hands.go_to(hands.app.screen.query_one(ItemLines), "node-05")
        await on(hands, "enter", DetailsScreen)
        await hands.until(lambda: "proven," in shown(hands) and "MAC table" in shown(hands))
