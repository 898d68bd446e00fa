"""An apply whose daemon is lost meanwhile: what was known stays, and the end is shown."""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.rpc.small_site import Prepared, SmallSite, access, prepare, small_site
from tests.tui.apply_hands import job_is_shown, plan_is_shown, shown
from tests.tui.console import console


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    with ThreadPoolExecutor(1) as thread:  # an event loop of its own
        return thread.submit(prepare, tmp_path_factory.mktemp("site")).result()


@pytest.fixture
async def staged(prepared: Prepared) -> AsyncIterator[SmallSite]:
    """Red wants node-1 on its network; the daemon keeps its state in a file."""
    with tempfile.TemporaryDirectory(prefix="haas-tui-") as folder:
        async with small_site(Path(folder), prepared) as site:
            await site.hold_nodes("red", "node-1")
            await site.network("red", "net")
            await site.connect("node-1", "net")
            yield site


async def test_a_job_goes_on_after_the_daemon_was_lost_and_found(staged: SmallSite) -> None:
    async with console(staged.settings.server.socket, project="red") as hands:
        held = staged.wires["sw1"].hold("^switchport access vlan 100\r")
        await plan_is_shown(hands)
        await hands.press("y")
        screen = await job_is_shown(hands, "running")
        async with asyncio.timeout(10):
            await held.wait()
        await hands.until(
            lambda: re.search(r"> .*switchport", shown(hands))
        )  # the newest line sent

        await staged.stop()
        await hands.until(lambda: "The daemon is lost" in shown(hands))
        assert "make VLAN 100" in shown(hands)  # what was known stays readable
        assert hands.app.screen is screen

        await staged.start()
        again = await job_is_shown(hands, "succeeded")
        assert again is screen
        assert staged.carried("node-1") == access(100)
        assert "The daemon is lost" not in shown(hands)
        await hands.until(lambda: "each confirmed by it" in shown(hands))
