"""``make screenshots``: pictures of the console's screens, drawn by the console itself.

One story in the demo gives a picture of the board, of a drag, and of every screen in the table of
screens. Values that differ from run to run (clocks, durations, port numbers) are replaced, so that
a picture changes only when the console does.
"""

from __future__ import annotations

import asyncio
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

from haas_console.tui.table import SCREENS
from haas_rpcd.auth import DAEMON
from haas_rpcd.daemon import Daemon
from haas_rpcd.demo.datacentre import DataCentre
from haas_rpcd.demo.embedded import demo
from haas_rpcd.methods.call import Call
from haas_rpcd.methods.invoke import invoke
from tests.tui.console import Hands, console

FOLDER = Path(__file__).parents[2] / "examples" / "screenshots"
SIZE = (110, 32)
STILL = 8  # so many pictures in a row must be equal


def _right(found: re.Match[str]) -> str:
    """Replace a number by 1.1, right-aligned in the same width."""
    return "&#160;" * (found[0].count("&#160;") + len(found[1]) - 3) + "1.1"


_VARIES = (
    (re.compile(r"terminal-\d+"), "terminal"),
    (re.compile(r"52:54:00(:[0-9a-f]{2}){3}"), "52:54:00:00:00:01"),
    (re.compile(r"(?<![\w:])\d\d:\d\d(:\d\d)?(?![\w:])"), lambda at: "12:00:00"[: len(at[0])]),
    (re.compile(r"\b20\d\d-\d\d-\d\d"), "2026-01-01"),
    (re.compile(r"(?:&#160;)*(\d+\.\d)(?=&#160;m?s\b)"), _right),
    (re.compile(r"(127\.0\.0\.1[: ]|127\.0\.0\.1&#160;)\d{5}"), r"\g<1>50023"),
)


async def story(daemon: Daemon) -> None:
    """Let two projects work: both apply changes, and one stages more."""
    call = Call(context=daemon.context, caller=DAEMON)

    async def do(method: str, **params: Any) -> Any:
        return await invoke(call, method, params)

    for project, network, nodes in (
        ("astro", "lab", ("node-01", "node-02", "node-07")),
        ("bio", "genomes", ("node-04", "node-10")),
    ):
        await do("network.create", project=project, network=network)
        for node in nodes:
            await do("node.allocate", project=project, node=node)
            await do("nic.connect", node=node, nic="primary-nic", network=network)
    await do("headnode.create", project="astro", headnode="login")
    await do("headnode.connect", project="astro", headnode="login", network="lab")
    for project in ("astro", "bio"):
        started = await do("apply.start", project=project)
        await do("job.wait", job=started["job"], timeout=60)
    await do("network.create", project="astro", network="storage")
    await do("node.allocate", project="astro", node="node-03")
    await do("nic.connect", node="node-02", nic="ipmi-nic", network="storage")


async def still(hands: Hands) -> None:
    """Wait until the picture no longer changes: nothing else shows that a screen is complete."""
    before, same = "", 0
    while same < STILL:
        await asyncio.sleep(0.02)
        now = drawn(hands)
        before, same = now, same + 1 if now == before else 0


def drawn(hands: Hands) -> str:
    """Draw the screen with the values replaced that vary."""
    picture = hands.app.export_screenshot(title="haas-console")
    for pattern, instead in _VARIES:
        picture = pattern.sub(instead, picture)
    return picture


async def drift(centre: DataCentre, hands: Hands) -> None:
    """Change two ports and a VLAN behind HaaS's back; wait until the drift check has found them."""
    switch = centre.switches["sw1"]
    for port, vlan in (("GigabitEthernet1/0/2", 1), ("GigabitEthernet1/0/10", 100)):
        setting = switch.running.ports[port]
        setting.shutdown, setting.mode, setting.access_vlan = False, "access", vlan
        switch.touch(port)
    switch.running.add_vlan(150)
    switch.settle()
    await hands.app.session.sync.call("drift.check")
    await hands.until(lambda: len(hands.app.session.inventory.drift) == 3, "the drift is reported")


async def tour(hands: Hands, folder: Path, centre: DataCentre) -> None:
    """Go through the console and take a picture of each screen."""

    async def take(name: str) -> None:
        await hands.pilot.pause()
        (folder / f"{name}.svg").write_text(drawn(hands))

    await hands.until(lambda: hands.app.session.inventory.jobs, "the inventory is loaded")
    await take("board")
    start, end = hands.nic_at("node-03", "primary-nic"), hands.area_at("storage")
    await hands.grip(start)
    await hands.pull((start[0] + 4, start[1]), end)
    await take("drag")
    await hands.let_go(end)
    await hands.until(lambda: "node-03:primary-nic" in "".join(hands.area("storage")), "dropped")
    for item in SCREENS:
        if item.name == "drift":
            await drift(centre, hands)
        hands.app.action_open(item.name)
        await hands.until(lambda item=item: item.name == hands.app.screen.NAME, item.name)
        await still(hands)
        await take(item.name)
        if item.name == "jobs":
            await hands.press("enter")
            await still(hands)
            await take("job")
        if item.name == "drift":
            await hands.press("enter")
            await still(hands)
            await take("drifted")
            started = await hands.app.session.sync.call("drift.repair")
            await hands.app.session.sync.call("job.wait", {"job": started["job"], "timeout": 60})
            await hands.until(lambda: not hands.app.session.inventory.drift, "it is repaired")
        while len(hands.app.screen_stack) > 1:
            hands.app.navigation.back()
            await hands.pilot.pause()


async def draw(folder: Path) -> None:
    """Draw all pictures in a folder."""
    with tempfile.TemporaryDirectory(prefix="haas-pictures-") as place:
        socket = f"{place}/s"
        async with demo(socket) as (daemon, centre):
            await story(daemon)
            async with console(socket, size=SIZE, project="astro") as hands:
                await tour(hands, folder, centre)


async def main() -> int:
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("*.svg"):
        old.unlink()
    await draw(FOLDER)
    print("\n".join(sorted(f"{FOLDER.name}/{picture.name}" for picture in FOLDER.iterdir())))
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
