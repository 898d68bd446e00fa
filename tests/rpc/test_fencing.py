"""A hypervisor is retired only once it is certain that it is off: by its BMC, or by an admin."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from haas_rpcd.bmc import BmcSettings
from haas_rpcd.config import Credential
from tests.rpc.bmcs import PASSWORD, USER, IpmiSim, ipmi_sim, redfish_emulator, secrets_in
from tests.rpc.small_site import Prepared, SmallSite, small_site
from tests.rpc.test_hypervisors import HV2, headnode_on, state

QUICK = BmcSettings(answer_timeout=10.0, settle_timeout=2.0, off_time=0.1)
THERE = {"project": "red", "headnode": "there"}


@pytest.fixture
async def site(tmp_path: Path, prepared: Prepared) -> AsyncIterator[SmallSite]:
    """Red has a headnode on hv2, which answers nothing any more."""
    async with small_site(tmp_path, prepared, bmc=QUICK) as site:
        site.credentials["bmcs"] = Credential(username=USER, password=PASSWORD)
        await site.call("hypervisor.register", **HV2)
        await site.network("red", "net")
        await headnode_on(site, "hv2", "there")
        await site.succeeds("red")
        site.remotes.host("hv2").die()
        yield site


@pytest.fixture
async def bmc(tmp_path: Path, site: SmallSite) -> AsyncIterator[IpmiSim]:
    """The BMC of hv2, which is registered. The host is on."""
    async with ipmi_sim(tmp_path / "bmc") as bmc:
        bmc.power = "on"
        await site.call("hypervisor.set_bmc", hypervisor="hv2", credential="bmcs", **bmc.params)
        yield bmc


async def test_without_a_bmc_an_admin_must_say_that_it_is_off(site: SmallSite) -> None:
    refusal = await site.refused("hypervisor.retire", hypervisor="hv2")
    assert refusal.kind == "conflict"
    assert "switch it off by hand" in refusal.message
    assert "hypervisor retire hv2 --force" in refusal.message
    assert (await site.call("hypervisor.show", hypervisor="hv2"))["retired"] is None

    shown = await site.call("hypervisor.retire", hypervisor="hv2", force=True)
    assert shown["retired"]
    assert (shown["fenced"], shown["bmc"]) == ("admin", None)
    said = [
        (row["params"].get("force"), row["outcome"])
        for row in (await site.call("audit.list"))["items"]
        if row["method"] == "hypervisor.retire"
    ]
    assert sorted(said, key=str) == [(None, "conflict"), (True, "done")]
    again = await site.call("hypervisor.retire", hypervisor="hv2")
    assert again["fenced"] == "admin"


@pytest.mark.slow
async def test_its_bmc_switches_it_off_before_its_headnodes_start_elsewhere(
    site: SmallSite, bmc: IpmiSim
) -> None:
    listed = (await site.call("hypervisor.list"))["items"][1]
    assert listed["bmc"]["host"] == "127.0.0.1"
    assert listed["bmc"]["protocol"] == "ipmi"
    shown = await site.call("hypervisor.retire", hypervisor="hv2")
    assert shown["fenced"] == "bmc"
    assert (bmc.power, bmc.log) == ("off", ["power 0"])

    await site.call("headnode.move", **THERE, hypervisor="master")
    await site.succeeds("red")
    assert site.host.domain("red/there").running
    assert not secrets_in(await site.call("audit.list"), shown)


@pytest.mark.slow
async def test_a_host_that_is_off_already_is_told_nothing(site: SmallSite, bmc: IpmiSim) -> None:
    bmc.power = "off"
    assert (await site.call("hypervisor.retire", hypervisor="hv2"))["fenced"] == "bmc"
    assert bmc.log == []


@pytest.mark.slow
async def test_a_bmc_that_does_not_confirm_leaves_it_in_service(
    site: SmallSite, bmc: IpmiSim
) -> None:
    bmc.lie()
    refusal = await site.refused("hypervisor.retire", hypervisor="hv2")
    assert "is not retired, as it is not certain that it is off" in refusal.message
    assert "the hypervisor is still on" in refusal.message
    assert "hypervisor retire hv2 --force" in refusal.message

    await asyncio.to_thread(bmc.end)
    refusal = await site.refused("hypervisor.retire", hypervisor="hv2")
    assert "hv2's BMC can't be reached" in refusal.message
    assert "hypervisor show hv2" in refusal.message
    assert (await site.call("hypervisor.show", hypervisor="hv2"))["retired"] is None
    assert await state(site, "there") in ("running", "unknown")
    assert (await site.call("hypervisor.retire", hypervisor="hv2", force=True))["fenced"] == "admin"


@pytest.mark.slow
async def test_it_is_switched_off_by_redfish_as_well(site: SmallSite, tmp_path: Path) -> None:
    async with redfish_emulator(tmp_path / "redfish") as emulator:
        wrong = emulator.params | {"fingerprint": "SHA256:" + "A" * 43}
        await site.call("hypervisor.set_bmc", hypervisor="hv2", credential="bmcs", **wrong)
        refusal = await site.refused("hypervisor.retire", hypervisor="hv2")
        assert f"hypervisor set-bmc hv2 … --fingerprint {emulator.fingerprint}" in refusal.message
        right = emulator.params
        await site.call("hypervisor.set_bmc", hypervisor="hv2", credential="bmcs", **right)
        assert (await site.call("hypervisor.retire", hypervisor="hv2"))["fenced"] == "bmc"


async def test_a_bmc_is_forgotten_and_only_an_admin_knows_it(site: SmallSite) -> None:
    params = {"hypervisor": "hv2", "protocol": "redfish", "host": "192.0.2.9"}
    shown = await site.call("hypervisor.set_bmc", **params)
    assert shown["bmc"]["port"] == 443
    wrong = {**params, "protocol": "ipmi", "fingerprint": "SHA256:" + "A" * 43}
    assert (await site.refused("hypervisor.set_bmc", **wrong)).kind == "invalid_params"
    refusal = await site.refused("hypervisor.set_bmc", **params | {"hypervisor": "hv9"})
    assert refusal.kind == "not_found"
    inventory = (await site.call("site.export"))["site"]
    assert '[hypervisors.hv2.bmc]\nprotocol = "redfish"' in inventory
    assert (await site.call("hypervisor.delete_bmc", hypervisor="hv2"))["deleted"]
    assert (await site.refused("hypervisor.delete_bmc", hypervisor="hv2")).kind == "not_found"
    assert (await site.call("hypervisor.show", hypervisor="hv2"))["bmc"] is None
    imported = await site.call("site.import", site=inventory)
    assert imported["created"] == ["bmc hv2"]
    assert (await site.call("hypervisor.show", hypervisor="hv2"))["bmc"]["host"] == "192.0.2.9"
