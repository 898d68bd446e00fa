"""Cables are read in a switch's one session, never among the lines of an apply."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from haas_rpcd.cabling import Cabling, Learnt
from haas_rpcd.engine.engine import Engine
from haas_rpcd.sim.cli import Plugged
from tests.rpc.one_switch import one_switch, register

pytestmark = pytest.mark.slow

HOST = "02:00:00:00:01:02"


async def seen(engine: Engine, switch: str) -> Cabling:
    """Return what a switch sees."""
    return (await engine.cabling.read([switch])).read[switch]


@pytest.mark.parametrize("dialect", ["cisco_ios", "juniper_junos"])
async def test_cables_are_read_between_batches_of_an_apply(tmp_path: Path, dialect: str) -> None:
    async with one_switch(tmp_path, dialect) as site:
        await register(site)
        await site.succeeds()
        device, engine = site.device, site.daemon.context.engine
        first = device.port_list[site.behind("node-1")]
        device.plug(first, Plugged(macs=(HOST,)))
        await site.call("network.create", project="red", network="lab", vlan=100)
        for number in range(1, 5):
            await site.call("node.allocate", project="red", node=f"node-{number}")
            await site.call("nic.connect", node=f"node-{number}", nic="eth0", network="lab")
        device.faults.line_delay = 0.005
        logins, since = device.counters.logins, len(device.lines)

        job = (await site.call("apply.start", project="red"))["job"]
        finished = asyncio.ensure_future(site.call("job.wait", job=job, timeout=30))
        reads = 0
        while not finished.done():
            await seen(engine, "sw1")
            reads += 1
        assert (await finished)["state"] == "succeeded"
        assert reads > 1
        [learnt] = (await seen(engine, "sw1")).learnt
        assert learnt == Learnt(site.dialect.canonical_port(first), HOST, 100)

        assert device.counters.logins == logins
        shown = {line.mode for line in site.records(since) if "lldp" in line.text}
        configured = {line.mode for line in site.records(since) if "100" in line.text}
        assert len(shown) == 1
        assert not shown & configured
