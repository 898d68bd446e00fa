"""The lines that the console shows for what was done, run as a script, do the same."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path
from typing import Any

from haas_console.core.client import Client
from haas_console.core.config import Endpoint
from haas_rpcd.demo import demo
from tests.tui.console import Hands, console

ROOT = Path(__file__).parents[2]


async def state(socket: Path) -> dict[str, Any]:
    """All that the daemon reports."""
    client = await Client.connect(Endpoint(str(socket), None, "the test"))
    try:
        return {
            noun: await client.call(f"{noun}.list", {})
            for noun in ("project", "node", "network", "headnode")
        }
    finally:
        await client.close()


def _without_drawn(found: dict[str, Any]) -> dict[str, Any]:
    """Leave out what is random for each headnode."""
    for headnode in found["headnode"]["items"]:
        headnode.pop("uuid", None)
        for nic in headnode["nics"]:
            nic.pop("mac", None)
    return found


async def every_gesture(hands: Hands) -> None:
    """Keys, the mouse, the ``:`` line, undo and redo: each kind at least once."""
    await hands.go("node-01", "ipmi-nic")
    await hands.press("A")
    await hands.until(lambda: len(hands.area("parked")) == 2)
    for name in ("lab", "net2"):
        await hands.press("n")
        await hands.type(name)
        await hands.press("enter")
        await hands.until(lambda name=name: any(name in x for x in hands.text(hands.areas)))  # type: ignore[misc]
    await hands.press("h")
    await hands.type("login")
    await hands.press("enter")
    await hands.until(lambda: len(hands.area("parked")) == 3)
    await hands.drag(hands.nic_at("node-01", "primary-nic"), hands.area_at("lab"))
    await hands.until(lambda: len(hands.area("lab")) == 1)
    await hands.drag(hands.thing_at("parked", "headnode login"), hands.area_at("lab"))
    await hands.until(lambda: len(hands.area("lab")) == 2)
    await hands.go("node-01", "ipmi-nic")
    await hands.press("c", "n", "e", "enter")
    await hands.until(lambda: len(hands.area("net2")) == 1)
    await hands.press("C", "l", "a", "enter")
    await hands.until(lambda: len(hands.area("lab")) == 3)
    await hands.press("z")
    await hands.until(lambda: len(hands.area("lab")) == 2)
    await hands.press("Z")
    await hands.until(lambda: len(hands.area("lab")) == 3)
    await hands.go("node-01", "primary-nic")
    await hands.press("d")
    await hands.until(lambda: len(hands.area("lab")) == 2)
    await hands.command("project create third")


async def test_the_lines_that_were_shown_do_the_same_as_a_script(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="haas-tui-") as folder:
        by_hand, by_script = Path(folder) / "hand", Path(folder) / "script"
        async with demo(str(by_hand)):
            async with console(by_hand) as hands:
                await every_gesture(hands)
                lines = [entry.line for entry in hands.app.session.sync.log.commands]
            assert len(lines) >= 11
            wanted = _without_drawn(await state(by_hand))
        script = tmp_path / "shown.haas"
        script.write_text("".join(f"{line}\n" for line in lines))
        async with demo(str(by_script)):
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "haas_console", "--socket", str(by_script)),
                *("--script", str(script)),
                cwd=ROOT,
            )
            assert await process.wait() == 0
            assert _without_drawn(await state(by_script)) == wanted
