"""Looking regularly at whether nodes are on, against ipmi_sim."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from haas_rpcd.bmc import BmcSettings
from haas_rpcd.config import Credential, MetricsSettings
from tests.rpc.bmcs import PASSWORD, USER, IpmiSim, ipmi_sim
from tests.rpc.small_site import Prepared, SmallSite, small_site
from tests.rpc.test_metrics import scraped

pytestmark = pytest.mark.slow

BMC = BmcSettings(answer_timeout=2.0, settle_timeout=2.0, off_time=0.1)


@pytest.fixture
async def bmc(tmp_path: Path) -> AsyncIterator[IpmiSim]:
    async with ipmi_sim(tmp_path / "bmc") as bmc:
        yield bmc


@pytest.fixture
async def site(tmp_path: Path, prepared: Prepared, bmc: IpmiSim) -> AsyncIterator[SmallSite]:
    """Red holds node-1, whose BMC is registered."""
    metrics = MetricsSettings(listen="127.0.0.1:0")
    async with small_site(tmp_path, prepared, bmc=BMC, metrics=metrics) as site:
        site.credentials["bmcs"] = Credential(username=USER, password=PASSWORD)
        await site.call("bmc.set", node="node-1", credential="bmcs", **bmc.params)
        await site.hold_nodes("red", "node-1")
        yield site


async def shown(site: SmallSite) -> tuple[str | None, str | None]:
    """Return the power of node-1, and when it last changed."""
    node = await site.call("node.show", node="node-1")
    return node["power"], node["power_changed"]


async def health(site: SmallSite) -> tuple[dict[str, Any], list[str]]:
    said = await site.call("system.health")
    return said["power"], said["problems"]


async def test_a_node_that_somebody_switched_by_hand_is_seen(site: SmallSite, bmc: IpmiSim) -> None:
    power = site.daemon.power
    assert await shown(site) == (None, None)
    await power.read_all()
    assert await shown(site) == ("off", None), "when that was last different nobody saw"

    bmc.power = "on"  # somebody pressed the button
    await power.read_all()
    state, changed = await shown(site)
    assert (state, changed is not None) == ("on", True)
    await power.read_all()
    assert await shown(site) == ("on", changed)
    assert (await scraped(site))["haas_node_power", "on"] == 1


async def test_a_bmc_that_does_not_answer_is_named_until_it_does(
    site: SmallSite, bmc: IpmiSim
) -> None:
    power = site.daemon.power
    await power.read_all()
    bmc.power = "on"
    await power.read_all()
    before = (await shown(site))[1]

    bmc.vanish()
    look = asyncio.create_task(power.read_all())
    await asyncio.sleep(0)
    assert not power.busy("node-1"), "a look keeps nobody from being given the node"
    await look
    assert await shown(site) == (None, before)
    silent = {"on": 0, "off": 0, "unknown": 1, "silent": ["node-1"]}
    why = "The BMC of node-1 can't be asked:  node power node-1 status  says why."
    assert await health(site) == (silent, [why])
    assert (await scraped(site))["haas_bmcs_silent",] == 1

    bmc.come_back()
    bmc.power = "off"
    await power.read_all()
    assert await shown(site) == ("off", None), "it may have been switched at any time since"
    assert await health(site) == ({"on": 0, "off": 1, "unknown": 0, "silent": []}, [])


async def test_a_bmc_on_a_tenants_network_is_left_alone(site: SmallSite, bmc: IpmiSim) -> None:
    power = site.daemon.power
    await power.read_all()
    await site.network("red", "net")
    await site.connect("node-1", "net", nic="ipmi")
    await site.succeeds("red")

    bmc.end()  # it would be missed if anybody asked it
    await power.read_all()

    assert await shown(site) == (None, None)
    assert await health(site) == ({"on": 0, "off": 0, "unknown": 1, "silent": []}, [])
