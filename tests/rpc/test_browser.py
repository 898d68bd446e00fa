"""The console in a real browser: log in, look at the board, drag a nic, and apply."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.rpc.browser import CHROMIUM, chromium
from tests.rpc.small_site import access
from tests.rpc.web import Web

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="wants chromium: apt-get install chromium"),
]


async def test_a_nic_is_dragged_onto_a_network_and_applied(web: Web, tmp_path: Path) -> None:
    await web.site.hold_nodes("red", "node-1", "node-2")
    await web.site.network("red", "blueprint")
    async with chromium(tmp_path) as tab:
        await tab.open(web.url)
        await tab.js("document.querySelector('#token').focus()")
        await tab.type(await web.token("rita") + "\r")
        await tab.until("node-1")
        await tab.until("blueprint")
        if folder := os.environ.get("HAAS_TEST_PICTURES"):
            await tab.picture(Path(folder) / "browser-board.png")
        await tab.drag(tab.place("eth0"), tab.place("blueprint"))
        await tab.until("connect node-1:eth0 blueprint")
        await tab.type("a")
        await tab.until("set Gi1/0/2")
        if folder:
            await tab.picture(Path(folder) / "browser-plan.png")
        await tab.type("y")
        await tab.until("succeeded")
        if folder:
            await tab.picture(Path(folder) / "browser-job.png")
    assert web.site.carried("node-1") == access(100)
    [job] = (await web.site.call("job.list", project="red"))["items"]
    assert (job["user"], job["state"]) == ("rita", "succeeded")
