"""``make screenshots``: pictures of the console's screens, drawn by the console itself.

One story on a simulated site gives a picture of the board, of a drag, and of every screen in the
table of screens. Values that differ from run to run (clocks, durations, numbers) are replaced, so
that a picture changes only when the console does. ``make pictures`` draws them all in both themes
and three sizes, to be looked at; with Chromium there are PNG files too.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
import tempfile
from pathlib import Path
from typing import Any
from unittest import mock

from haas_console.tui.table import SCREENS
from haas_rpcd.auth import DAEMON
from haas_rpcd.config import Master, Settings, SiteSettings
from haas_rpcd.daemon import Daemon
from haas_rpcd.demo.rehearsal import rehearse
from haas_rpcd.demo.sitecopy import SiteCopy
from haas_rpcd.demo.sitefile import read
from haas_rpcd.methods.call import Call
from haas_rpcd.methods.invoke import invoke
from tests.rpc.browser import CHROMIUM, chromium
from tests.tui.console import Hands, console

FOLDER = Path(__file__).parents[2] / "examples" / "screenshots"
SITE = Path(__file__).with_name("pictures.toml")
SIZE = (120, 34)
SIZES = ((80, 24), (120, 40), (200, 60))
THEMES = ("haas-dark", "haas-light")
SHOWN = ("topology", "drag", "board", "apply", "job", "switch", "pulse", "drifted")
"""The pictures that are kept as PNG too."""

COLOURS = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
STILL = 8  # so many pictures in a row must be equal


def _right(found: re.Match[str]) -> str:
    """Replace a number by 1.1, right-aligned in the same width."""
    return "&#160;" * (found[0].count("&#160;") + len(found[1]) - 3) + "1.1"


_VARIES = (
    (re.compile(r"(?<![#\w.-])\d{6}(?![\w.])"), "104217"),  # a job
    (re.compile(r"terminal-\d+"), "terminal"),
    (re.compile(r"52:54:00(:[0-9a-f]{2}){3}"), "52:54:00:00:00:01"),
    (re.compile(r"(?<![\w:])\d\d:\d\d(:\d\d)?(?![\w:])"), lambda at: "12:00:00"[: len(at[0])]),
    (re.compile(r"\b20\d\d-\d\d-\d\d"), "2026-01-01"),
    (re.compile(r"(?:&#160;)*(\d+\.\d)(?=&#160;m?s\b)"), _right),
    (re.compile(r"(127\.0\.0\.1[: ]|127\.0\.0\.1&#160;)\d{5}"), r"\g<1>50023"),
)


async def story(daemon: Daemon) -> None:
    """Let three projects work: all apply changes, and one stages more."""
    call = Call(context=daemon.context, caller=DAEMON)

    async def do(method: str, **params: Any) -> Any:
        return await invoke(call, method, params)

    for project, networks in (
        ("astro", {"lab": ("r1-n1", "r1-n2", "r2-n1"), "storage": ("r3-n1", "r3-n2")}),
        ("bio", {"reads": ("r1-n4", "r2-n2", "r3-n3")}),
        ("chem", {"flow": ("r2-n4", "r4-n1", "r4-n2")}),
    ):
        for network, nodes in networks.items():
            await do("network.create", project=project, network=network)
            for node in nodes:
                await do("node.allocate", project=project, node=node)
                await do("nic.connect", node=node, nic="primary-nic", network=network)
    for project, name, network in (("astro", "login", "lab"), ("bio", "pipeline", "reads")):
        await do("headnode.create", project=project, headnode=name)
        await do("headnode.connect", project=project, headnode=name, network=network)
    for project in ("bio", "chem", "astro"):
        started = await do("apply.start", project=project)
        await do("job.wait", job=started["job"], timeout=60)
    await do("drift.check")
    await do("network.create", project="astro", network="ceph")
    await do("node.allocate", project="astro", node="r1-n3")
    await do("nic.connect", node="r2-n1", nic="ipmi-nic", network="ceph")
    await do("nic.connect", node="r1-n2", nic="primary-nic", network="storage", tagged=True)


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


async def drift(copy: SiteCopy, hands: Hands) -> None:
    """Change two ports and a VLAN behind HaaS's back; wait until the drift check has found them."""
    switch = copy.devices["r1"]
    for port, vlan in (("GigabitEthernet1/0/2", 1), ("GigabitEthernet1/0/10", 100)):
        setting = switch.running.ports[port]
        setting.shutdown, setting.mode, setting.access_vlan = False, "access", vlan
        switch.touch(port)
    switch.running.add_vlan(150)
    switch.settle()
    await hands.app.session.sync.call("drift.check")
    await hands.until(lambda: len(hands.app.session.inventory.drift) == 3, "the drift is reported")


async def tour(hands: Hands, folder: Path, copy: SiteCopy) -> None:
    """Go through the console and take a picture of each screen."""

    async def take(name: str) -> None:
        await hands.pilot.pause()
        (folder / f"{name}.svg").write_text(drawn(hands))

    await hands.until(lambda: hands.app.session.inventory.jobs, "the inventory is loaded")
    await take("board")
    start, end = hands.nic_at("r1-n3", "primary-nic"), hands.area_at("storage")
    await hands.grip(start)
    await hands.pull((start[0] + 4, start[1]), end)
    await take("drag")
    await hands.let_go(end)
    await hands.until(lambda: "r1-n3:primary-nic" in "".join(hands.area("storage")), "dropped")
    for item in SCREENS:
        if item.name == "drift":
            await drift(copy, hands)
        hands.app.session.use(None if item.name == "topology" else "astro")
        hands.app.action_open(item.name)
        await hands.until(lambda item=item: item.name == hands.app.screen.NAME, item.name)
        await still(hands)
        await take(item.name)
        if item.name == "jobs":
            await hands.press("enter")
            await still(hands)
            await take("job")
        if item.name == "drift":
            await hands.press("w")
            await still(hands)
            await take("drifted")
            started = await hands.app.session.sync.call("drift.repair")
            await hands.app.session.sync.call("job.wait", {"job": started["job"], "timeout": 60})
            await hands.until(lambda: not hands.app.session.inventory.drift, "it is repaired")
        while len(hands.app.screen_stack) > 1:
            hands.app.navigation.back()
            await hands.pilot.pause()


async def draw(folder: Path, size: tuple[int, int] = SIZE, theme: str | None = "haas-dark") -> None:
    """Draw all pictures in a folder."""
    given = Settings(
        master=Master(trunk_nic="eth0", libvirt_uri="demo"), site=SiteSettings("vienna")
    )
    with tempfile.TemporaryDirectory(prefix="haas-pictures-") as place:
        socket = f"{place}/s"
        async with rehearse(socket, read(SITE), given) as (daemon, copy):
            await story(daemon)
            with mock.patch.dict(os.environ, COLOURS):  # and not those of the terminal at hand
                os.environ.pop("NO_COLOR", None)
                async with console(socket, size=size, project="astro", theme=theme) as hands:
                    await tour(hands, folder, copy)


async def photograph(pictures: list[Path]) -> None:
    """Put a PNG file beside each SVG, if Chromium is installed."""
    if CHROMIUM is None:
        print("There is no Chromium, so no PNG is drawn:  apt-get install chromium")
        return
    with tempfile.TemporaryDirectory(prefix="haas-chromium-") as place:
        async with chromium(Path(place)) as tab:
            for picture in pictures:
                found = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', picture.read_text())
                assert found is not None
                width, height = (int(float(each)) + 1 for each in found.groups())
                await tab.call(
                    "Emulation.setDeviceMetricsOverride",
                    width=width, height=height, deviceScaleFactor=0.8, mobile=False,
                )  # fmt: skip
                await tab.open(picture.as_uri())
                await tab.picture(picture.with_suffix(".png"))


async def every(folder: Path) -> None:
    """Draw every screen in both themes and all sizes, each in a folder of its own."""
    for theme in THEMES:
        for size in SIZES:
            place = folder / f"{theme}-{size[0]}"
            place.mkdir(parents=True, exist_ok=True)
            await draw(place, size, theme)
            await photograph(sorted(place.glob("*.svg")))
            print(place)


async def main() -> int:
    if len(sys.argv) > 1:
        await every(Path(sys.argv[1]))
        return 0
    FOLDER.mkdir(exist_ok=True)
    for old in (*FOLDER.glob("*.svg"), *FOLDER.glob("*.png")):
        old.unlink()
    await draw(FOLDER)
    await photograph([FOLDER / f"{name}.svg" for name in SHOWN])
    print("\n".join(sorted(f"{FOLDER.name}/{picture.name}" for picture in FOLDER.iterdir())))
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
