"""Consoles that are logged while nobody watches them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from haas_rpcd.bmc import BmcSettings
from haas_rpcd.config import ConsoleSettings, Credential
from tests.rpc.bmcs import PASSWORD, USER, SerialLine, ipmi_sim
from tests.rpc.small_site import Prepared, SmallSite, small_site
from tests.rpc.test_consoles import attached, logs

pytestmark = pytest.mark.slow


@pytest.fixture
async def serial() -> AsyncIterator[SerialLine]:
    async with SerialLine() as serial:
        yield serial


@pytest.fixture
async def site(tmp_path: Path, prepared: Prepared, serial: SerialLine) -> AsyncIterator[SmallSite]:
    """Red holds node-1, whose BMC has a serial line. All lines are logged."""
    settings = ConsoleSettings(always_log=("headnodes", "nodes"))
    quick = BmcSettings(answer_timeout=10.0, settle_timeout=2.0)
    async with (
        ipmi_sim(tmp_path / "bmc", sol=serial.port) as bmc,
        small_site(tmp_path, prepared, bmc=quick, consoles=settings) as site,
    ):
        site.credentials["node-1"] = Credential(username=USER, password=PASSWORD)
        await site.call("bmc.set", node="node-1", **bmc.params)
        await site.hold_nodes("red", "node-1")
        yield site


async def logged(site: SmallSite, text: bytes) -> str:
    """Wait until a text is in a log; return the name of that."""
    while True:
        for name, said in logs(site).items():
            if text in said:
                return name
        await asyncio.sleep(0.02)


async def test_a_node_s_line_is_logged_for_its_holder_and_for_nobody_else(
    site: SmallSite, serial: SerialLine
) -> None:
    async with attached(site.tenant("rita")) as rita:
        await rita.until_notice("connected")
        await site.daemon.consoles.check()
    serial.say(b"panic at night")  # nobody watches any more
    of_red = await logged(site, b"panic at night")
    async with attached(site.tenant("rita")) as rita:
        await rita.until(b"panic at night")
        await rita.until_notice("connected")

    await site.call("node.release", node="node-1")
    await site.call("node.allocate", project="blue", node="node-1")
    await site.daemon.consoles.check()
    assert of_red not in logs(site)
    async with attached(site.tenant("bob")) as bob:
        await bob.until_notice("connected")
        serial.say(b"blue's own")
        await bob.until(b"blue's own")
        assert bob.said == b"blue's own"
    assert await logged(site, b"blue's own") != of_red


async def test_a_line_is_let_go_while_a_tenant_s_network_has_its_bmc(
    site: SmallSite, serial: SerialLine
) -> None:
    async with attached(site.tenant("rita")) as rita:
        await rita.until_notice("connected")
        await site.daemon.consoles.check()
        await site.network("red", "net")
        await site.connect("node-1", "net", nic="ipmi")
        await site.succeeds("red")
        await site.daemon.consoles.check()
        assert "holder's own affair" in await rita.until_cut()


async def test_a_headnode_s_line_is_logged_from_its_start_to_its_end(site: SmallSite) -> None:
    """Its line is simulated; tests/lab has a real one."""
    rita, where = site.tenant("rita"), {"project": "red", "headnode": "head"}
    await rita.call("headnode.create", **where)
    await site.succeeds("red")
    await site.daemon.consoles.check()
    name = await logged(site, b"console of headnode red/head")
    async with attached(rita, "headnode.console", **where) as console:
        await console.until(b"console of headnode red/head")
        assert "what it said before:" in console.notices

    await site.call("headnode.delete", **where)
    await site.daemon.consoles.check()
    assert name not in logs(site)
