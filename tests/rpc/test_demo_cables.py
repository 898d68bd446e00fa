"""Nodes of a rehearsal are plugged in where the site file has them, and their switches see them."""

from __future__ import annotations

from pathlib import Path

import pytest

from haas_rpcd.cabling import Cabling, Learnt
from haas_rpcd.engine.engine import Engine
from haas_rpcd.sim.personalities import personality
from tests.rpc.test_rehearsal import rehearse

pytestmark = pytest.mark.slow

DIALECTS = ("cisco_ios", "dell_os10", "hpe_comware", "juniper_junos", "sonic")


def site() -> str:
    """Return a site with a switch of each dialect, reached by SSH, and a node behind each."""
    lines = ["[projects.red]"]
    for number, dialect in enumerate(DIALECTS):
        first, second = personality(dialect).port_names(2)
        lines += [
            f'[switches.sw{number}]\ndialect = "{dialect}"\nhost = "192.0.2.{number + 1}"',
            f'transport = "ssh"\naccess = ["{first}", "{second}"]',
            f'[nodes.n{number}.bmc]\nprotocol = "ipmi"\nhost = "bmc-{number}.example"',
            f"[nodes.n{number}.nics.host]\n"
            f'mac = "02:00:00:00:0{number}:02"\nswitch = "sw{number}"\nport = "{first}"',
            f'[nodes.n{number}.nics.ipmi]\nkind = "bmc"\n'
            f'mac = "02:00:00:00:0{number}:01"\nswitch = "sw{number}"\nport = "{second}"',
        ]
    return "\n".join(lines)


async def seen(engine: Engine, switch: str) -> Cabling:
    """Return what a switch sees."""
    return (await engine.cabling.read([switch])).read[switch]


async def test_a_switch_sees_a_node_that_is_on_and_whose_port_is_open(tmp_path: Path) -> None:
    async with rehearse(tmp_path, site()) as on:
        engine = on.daemon.context.engine
        for number in range(len(DIALECTS)):
            found = await seen(engine, f"sw{number}")
            assert (found.learnt, found.unread) == ((), ())

        await on.call("network.create", project="red", network="lab", vlan=150)
        for number in range(len(DIALECTS)):
            await on.call("node.allocate", project="red", node=f"n{number}")
            for nic in ("host", "ipmi"):
                await on.call("nic.connect", node=f"n{number}", nic=nic, network="lab")
        await on.applied(project="red")
        for number, dialect in enumerate(DIALECTS):
            first, second = personality(dialect).port_names(2)
            bmc = Learnt(second, f"02:00:00:00:0{number}:01", 150)
            assert (await seen(engine, f"sw{number}")).learnt == (bmc,)
            on.copy.power(f"n{number}", on=True)
            host = Learnt(first, f"02:00:00:00:0{number}:02", 150)
            assert (await seen(engine, f"sw{number}")).learnt == (host, bmc)
