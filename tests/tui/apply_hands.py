"""What tests of applies and jobs share: a daemon with its data centre, and what is shown."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from haas_console.core.client import Client
from haas_console.core.config import Endpoint
from haas_console.tui.bars import Bar
from haas_console.tui.lines import Lines
from haas_console.tui.screens.apply import ApplyScreen
from haas_console.tui.screens.job import JobScreen
from haas_rpcd.daemon import Daemon
from haas_rpcd.demo.datacentre import DataCentre
from haas_rpcd.demo.embedded import demo
from haas_rpcd.store.database import Tx
from tests.tui.console import Hands

PORT_OF_NODE_01 = "GigabitEthernet1/0/2"


@dataclass
class Site:
    """The embedded data centre, and somebody else who uses its daemon."""

    socket: Path
    centre: DataCentre
    other: Client
    daemon: Daemon

    async def call(self, method: str, **params: Any) -> Any:
        return await self.other.call(method, params)

    async def ended(self, job: int) -> dict[str, Any]:
        record: dict[str, Any] = await self.call("job.wait", job=job, timeout=30)
        return record

    async def restarted(self, switch: str) -> None:
        """Power-cycle a switch that, as far as the daemon knows, has been up for an hour."""

        def earlier(tx: Tx) -> int:
            return tx.execute("UPDATE switch SET uptime = uptime + 3600 WHERE name = ?", (switch,))

        await self.daemon.store.write(earlier)
        self.centre.switches[switch].reload()

    def slow(self, seconds: float) -> None:
        """Make the switches take ``seconds`` for each line from now on."""
        for switch in self.centre.switches.values():
            switch.faults.line_delay = seconds

    async def stage(self) -> None:
        """Give astro node-01, connected to lab, and node-07; apply nothing."""
        await self.call("network.create", project="astro", network="lab")
        for node in ("node-01", "node-07"):
            await self.call("node.allocate", project="astro", node=node)
        await self.call("nic.connect", node="node-01", nic="primary-nic", network="lab")

    def vlan_of_node_01(self) -> int | None:
        """What node-01's port really carries."""
        return self.centre.switches["sw1"].carried(PORT_OF_NODE_01).untagged


@contextlib.asynccontextmanager
async def staged_site() -> AsyncIterator[Site]:
    with tempfile.TemporaryDirectory(prefix="haas-tui-") as folder:
        path = Path(folder) / "s"
        async with demo(str(path)) as (daemon, centre):
            other = await Client.connect(Endpoint(str(path), None, "the test"))
            site = Site(path, centre, other, daemon)
            try:
                await site.stage()
                yield site
            finally:
                await other.close()


def shown(hands: Hands) -> str:
    """The text of the screen in front: its bars and all lines, visible or not."""
    screen = hands.app.screen
    output = [str(bar.content) for bar in screen.query(Bar)]
    for lines in screen.query(Lines):
        output += hands.text(lines)
    return "\n".join(output)


async def plan_is_shown(hands: Hands) -> ApplyScreen:
    """Press ``a`` and wait for the plan."""
    await hands.press("a")
    await hands.until(
        lambda: isinstance(hands.app.screen, ApplyScreen) and hands.app.screen.plan is not None
    )
    screen = hands.app.screen
    assert isinstance(screen, ApplyScreen)
    return screen


async def job_is_shown(hands: Hands, state: str = "") -> JobScreen:
    """Wait until a job is on the screen and in a state."""

    def there() -> bool:
        screen = hands.app.screen
        if not isinstance(screen, JobScreen) or not screen.watch_job.known:
            return False
        return not state or screen.watch_job.view.state == state

    await hands.until(there, f"a job that is {state or 'known'}")
    screen = hands.app.screen
    assert isinstance(screen, JobScreen)
    return screen
