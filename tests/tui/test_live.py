"""What others do appears by itself, and the console reconnects to a lost daemon."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any

import msgspec

from haas_console.core.client import Client
from haas_console.core.config import Endpoint
from haas_console.tui.bars import top_text
from haas_rpcd.demo import demo
from haas_schemas.system import Standby
from tests.tui.console import console
from tests.tui.gate import gate
from tests.tui.test_board_mouse import a_project_at_work


async def elsewhere(socket: Path, method: str, **params: Any) -> Any:
    """Somebody else does something."""
    client = await Client.connect(Endpoint(str(socket), None, "another"))
    try:
        return await client.call(method, params)
    finally:
        await client.close()


async def test_what_others_do_appears_by_itself(socket: Path) -> None:
    async with console(socket) as hands:
        await elsewhere(socket, "network.create", project="astro", network="theirs")
        await hands.until(lambda: any("theirs" in line for line in hands.text(hands.areas)))
        await elsewhere(socket, "node.allocate", project="astro", node="node-03")
        await hands.until(lambda: "allocated" in hands.row("node-03", "ipmi-nic"))
        await elsewhere(socket, "nic.connect", node="node-03", nic="primary-nic", network="theirs")
        await hands.until(lambda: hands.area("theirs") == ["+ node-03:primary-nic"])
        assert "1 staged in astro" in hands.bar("summary")


async def test_a_job_that_somebody_else_started_appears_with_what_it_applied(socket: Path) -> None:
    async with console(socket) as hands:
        await hands.given("node allocate --node node-03", "network create lab")
        await hands.given("connect node-03:primary-nic lab")
        badges: set[str] = set()
        session = hands.app.session
        session.sync.watch(
            lambda _: badges.add(top_text(session, ["Board"], 120).plain.rpartition("  ")[0])
        )
        await elsewhere(socket, "apply.start", project="astro")
        await hands.until(lambda: hands.area("lab") == ["node-03:primary-nic"], "it is applied")
        await hands.until(lambda: "job" not in hands.bar("top"))
        assert any("job " in badge for badge in badges)
        assert "nothing staged" in hands.bar("summary")


async def test_a_daemon_that_stands_by_says_so_on_top(socket: Path) -> None:
    async with console(socket) as hands:
        session = hands.app.session
        assert session.inventory.info is not None
        session.inventory.info = msgspec.structs.replace(
            session.inventory.info, standby=Standby("north", None, 1.0)
        )
        assert "standby of north" in top_text(session, ["Board"], 120).plain
        await hands.press("A")
        await hands.until(lambda: "north is the master" in hands.bar("message"), "why it is grey")


async def test_the_inventory_stays_readable_until_a_lost_daemon_is_back() -> None:
    with tempfile.TemporaryDirectory(prefix="haas-tui-") as folder:
        socket = Path(folder) / "s"
        async with demo(str(socket)):
            opened = console(socket)
            hands = await opened.__aenter__()
            await a_project_at_work(hands)
        try:
            await hands.until(lambda: "stale since" in hands.bar("top"), "the badge")
            assert "allocated" in hands.row("node-01", "ipmi-nic")  # still readable
            await hands.go("node-01", "primary-nic")
            before = len(hands.app.session.sync.log.calls)
            await hands.command("network create more")
            assert "daemon is lost" in hands.bar("message")
            assert len(hands.app.session.sync.log.calls) == before  # nothing was sent
            async with demo(str(socket)):
                await hands.until(lambda: "live" in hands.bar("top"), "it is back")
                # the new daemon has an empty memory: what the old one knew vanishes from the board
                await hands.until(lambda: "free" in hands.row("node-01", "ipmi-nic"))
                await hands.given("network create again")
                await hands.until(lambda: any("again" in x for x in hands.text(hands.areas)))
        finally:
            await opened.__aexit__(None, None, None)


async def test_a_console_that_opens_without_a_daemon_connects_later() -> None:
    with tempfile.TemporaryDirectory(prefix="haas-tui-") as folder:
        socket = Path(folder) / "s"
        from haas_console.core.target import Target
        from haas_console.tui.app import ConsoleApp, Options
        from tests.tui.console import Hands

        app = ConsoleApp(Target(Endpoint(str(socket), None, "the test")), Options())
        async with app.run_test(size=(100, 30)) as pilot:
            hands = Hands(app, pilot)
            await hands.until(lambda: "connecting" in hands.bar("top"))
            await hands.until(lambda: str(socket) in hands.bar("summary"), "why there is none")
            async with demo(str(socket)):
                await hands.until(lambda: "live" in hands.bar("top"))
                await hands.until(lambda: "free" in hands.row("node-12", "ipmi-nic"))
                await asyncio.sleep(0)


async def test_a_line_that_was_too_slow_is_read_again_without_a_word(socket: Path) -> None:
    async with gate(socket) as between, console(between.path, project="astro") as hands:
        sync, states = hands.app.session.sync, set[str]()
        sync.watch(lambda changes: states.add(sync.status.state))
        before = sync.client
        await between.call_it_too_slow()
        await hands.until(lambda: sync.client is not before, "the connection is gone")
        await hands.command("network create lab")
        await hands.until(lambda: ("astro", "lab") in hands.app.session.inventory.networks)
        assert states == {"live"}
        assert "lab" in hands.bar("message")
