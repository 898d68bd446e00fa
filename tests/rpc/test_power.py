"""Power by IPMI, against ipmi_sim: who may do what, and BMCs that fail."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from haas_rpcd.bmc import BmcSettings
from haas_rpcd.config import Credential
from haas_rpcd.errors import HaasError
from tests.rpc.bmcs import PASSWORD, USER, IpmiSim, ipmi_sim, secrets_in
from tests.rpc.small_site import DATABASE, Prepared, SmallSite, small_site

pytestmark = pytest.mark.slow

QUICK = BmcSettings(answer_timeout=10.0, settle_timeout=2.0, off_time=0.1)


@pytest.fixture
async def bmc(tmp_path: Path) -> AsyncIterator[IpmiSim]:
    async with ipmi_sim(tmp_path / "bmc") as bmc:
        yield bmc


@pytest.fixture
async def powered(tmp_path: Path, prepared: Prepared, bmc: IpmiSim) -> AsyncIterator[SmallSite]:
    """Red holds node-1, whose BMC is registered; rob is a reader of red."""
    async with small_site(tmp_path, prepared, bmc=QUICK) as site:
        site.credentials["bmcs"] = Credential(username=USER, password=PASSWORD)
        await site.call("bmc.set", node="node-1", credential="bmcs", **bmc.params)
        await site.call("user.create", user="rob")
        await site.call("project.add_member", project="red", user="rob", role="reader")
        await site.hold_nodes("red", "node-1")
        yield site


async def refusal(site: SmallSite, user: str, **params: str) -> HaasError:
    with pytest.raises(HaasError) as caught:
        await site.tenant(user).call("node.power", **params)
    return caught.value


async def test_a_holder_switches_its_node_through_a_day(powered: SmallSite, bmc: IpmiSim) -> None:
    rita = powered.tenant("rita")
    before = await rita.call("node.show", node="node-1")
    assert (before["power"], before["power_changed"]) == (None, None)
    said = await rita.call("node.power", node="node-1", action="status")
    assert said["power"] == "off"

    on = await rita.call("node.power", node="node-1", action="on", boot="pxe")
    assert (on["power"], on["boot"]) == ("on", "pxe")
    assert (bmc.power, bmc.boot) == ("on", "pxe")
    shown = await rita.call("node.show", node="node-1")
    assert (shown["power"], shown["power_changed"]) == ("on", on["power_changed"])

    told = list(bmc.log)
    await rita.call("node.power", node="node-1", action="on")
    assert bmc.log == told, "a node that is on is not switched on again"

    # ipmi_sim calls the default hard drive that
    await rita.call("node.power", node="node-1", action="cycle", boot="disk")
    assert bmc.log[len(told) :] == ["boot default", "power 0", "power 1"]
    await rita.call("node.power", node="node-1", action="reset")
    assert bmc.log[-1] == "reset"
    off = await rita.call("node.power", node="node-1", action="off")
    assert (off["power"], bmc.power) == ("off", "off")
    assert "is off, so it can't be reset" in str(
        await refusal(powered, "rita", node="node-1", action="reset")
    )

    trail = await rita.call("audit.list", project="red")
    assert ("rita", "node.power", "done") in {
        (row["user"], row["method"], row["outcome"]) for row in trail["items"]
    }
    assert not [row for row in trail["items"] if row["params"].get("action") == "status"]


async def test_readers_ask_members_switch_and_nobody_else_learns_anything(
    powered: SmallSite, bmc: IpmiSim
) -> None:
    rob = powered.tenant("rob")
    assert (await rob.call("node.power", node="node-1", action="status"))["power"] == "off"
    denied = await refusal(powered, "rob", node="node-1", action="on")
    assert denied.kind == "denied"
    assert bmc.log == []

    foreign = await refusal(powered, "bob", node="node-1", action="status")
    missing = await refusal(powered, "bob", node="node-9", action="status")
    assert str(foreign).replace("node-1", "X") == str(missing).replace("node-9", "X")
    for action in ("status", "on"):
        free = await refusal(powered, "rita", node="node-2", action=action)
        assert free.kind == "denied"
        assert "only an admin may" in str(free)
    without = await refusal_of_admin(powered, node="node-2", action="status")
    assert "has no BMC that HaaS knows" in without
    hidden = await powered.tenant("bob").call("node.list")
    assert {node["power"] for node in hidden["items"]} == {None}
    for method in ("bmc.show", "bmc.delete"):
        with pytest.raises(HaasError, match="Only an admin"):
            await powered.tenant("rita").call(method, node="node-1")


async def refusal_of_admin(site: SmallSite, **params: str) -> str:
    return (await site.refused("node.power", **params)).message


async def test_the_next_holder_learns_nothing_of_the_last_one(powered: SmallSite) -> None:
    await powered.call("node.power", node="node-1", action="on")
    await powered.call("node.release", node="node-1")
    await powered.call("node.allocate", project="blue", node="node-1")
    shown = await powered.tenant("bob").call("node.show", node="node-1")
    assert (shown["power"], shown["power_changed"]) == ("on", None)


async def test_a_bmc_that_lies_is_found_out(powered: SmallSite, bmc: IpmiSim) -> None:
    bmc.lie()
    error = await refusal(powered, "rita", node="node-1", action="on")
    assert str(error) == ("node-1's BMC accepted power on, but the node is still off after 2 s.")
    assert error.data["reason"] == "mismatch"
    shown = await powered.call("node.show", node="node-1")
    assert shown["power"] == "off"


async def test_a_bmc_that_vanishes_leaves_the_power_unknown(
    tmp_path: Path, prepared: Prepared, bmc: IpmiSim
) -> None:
    settings = BmcSettings(answer_timeout=1.5, settle_timeout=60.0)
    async with small_site(tmp_path, prepared, bmc=settings) as site:
        site.credentials["node-1"] = Credential(username=USER, password=PASSWORD)
        await site.call("bmc.set", node="node-1", **bmc.params)
        await site.hold_nodes("red", "node-1")
        await site.call("node.power", node="node-1", action="status")
        bmc.lie()  # so that it is still looked at when it vanishes
        acting = asyncio.create_task(site.refused("node.power", node="node-1", action="on"))
        while "power 1" not in bmc.log:  # noqa: ASYNC110 - nothing signals it
            await asyncio.sleep(0.02)
        bmc.vanish()
        error = await acting
        assert "did not answer on 127.0.0.1" in error.message
        assert error.data["reason"] == "timeout"
        assert (await site.call("node.show", node="node-1"))["power"] is None

        told = await refusal(site, "rita", node="node-1", action="status")
        assert "127.0.0.1" not in str(told)
        assert str(bmc.port) not in str(told)
        assert "node-1's BMC" in str(told)
        bmc.come_back()
        assert (await site.call("node.power", node="node-1", action="status"))["power"] == "off"


async def test_a_wrong_password_is_named_and_never_shown(
    powered: SmallSite, bmc: IpmiSim, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    powered.credentials["bmcs"] = Credential(username=USER, password=PASSWORD + "x")
    error = await powered.refused("node.power", node="node-1", action="on")
    assert "refused the login" in error.message
    assert "[bmcs]" in error.message
    told = await refusal(powered, "rita", node="node-1", action="on")
    assert str(told) == "node-1's BMC cannot be logged in to; an admin sees why"
    del powered.credentials["bmcs"]
    missing = await powered.refused("node.power", node="node-1", action="on")
    assert missing.message.startswith("There are no credentials for node-1's BMC: add  [bmcs]  to")
    audit = await powered.call("audit.list")
    assert not secrets_in(error.message, str(told), missing.message, audit, caplog.text)
    assert not secrets_in(await powered.call("site.export"))
    assert PASSWORD.encode() not in (powered.folder / DATABASE).read_bytes()


async def test_a_dead_bmc_is_unreachable(powered: SmallSite, bmc: IpmiSim) -> None:
    bmc.end()
    error = await powered.refused("node.power", node="node-1", action="status")
    assert f"127.0.0.1 port {bmc.port}" in error.message
    assert error.data["reason"] in ("unreachable", "timeout")


async def test_while_the_bmc_is_on_a_tenant_s_network_power_is_the_tenant_s_own(
    powered: SmallSite, bmc: IpmiSim
) -> None:
    await powered.network("red", "net")
    await powered.connect("node-1", "net", nic="ipmi")
    await powered.call("node.power", node="node-1", action="status")  # staged only
    await powered.succeeds("red")
    for action in ("status", "on"):
        error = await refusal(powered, "rita", node="node-1", action=action)
        assert "The power of node node-1 is its holder's own affair now" in str(error)
        assert "its nic ipmi is on network net" in str(error)
        assert "127.0.0.1" not in str(error)
    assert "own affair" in await refusal_of_admin(powered, node="node-1", action="off")
    await powered.call("nic.disconnect", node="node-1", nic="ipmi")
    await powered.succeeds("red")
    assert (await powered.call("node.power", node="node-1", action="on"))["power"] == "on"


async def test_actions_on_one_bmc_take_turns(powered: SmallSite, bmc: IpmiSim) -> None:
    rita = powered.tenant("rita")
    wanted = ("cycle", "status", "cycle", "status")
    await asyncio.gather(
        *(rita.call("node.power", node="node-1", action=action) for action in wanted)
    )
    assert bmc.log == ["power 1", "power 0", "power 1"], "it was off before the first cycle"


async def test_how_a_bmc_is_registered(powered: SmallSite, bmc: IpmiSim) -> None:
    shown = await powered.call("bmc.show", node="node-1")
    assert shown == {
        "node": "node-1", "protocol": "ipmi", "host": "127.0.0.1", "port": bmc.port,
        "credential": "bmcs", "system": None, "fingerprint": None,
    }  # fmt: skip
    again = await powered.call("bmc.set", node="node-1", protocol="redfish", host="bmc-1.example")
    assert (again["port"], again["credential"]) == (443, None)
    assert (await powered.call("bmc.set", node="node-1", protocol="ipmi", host="::1"))[
        "port"
    ] == 623
    assert (
        "goes with redfish"
        in (
            await powered.refused("bmc.set", node="node-1", protocol="ipmi", host="x", system="1")
        ).message
    )
    boot = await powered.refused("node.power", node="node-1", action="off", boot="pxe")
    assert boot.kind == "invalid_params"
    assert (await powered.call("bmc.delete", node="node-1"))["deleted"]
    for method in ("bmc.show", "bmc.delete"):
        assert (await powered.refused(method, node="node-1")).kind == "not_found"


async def test_the_site_file_has_bmcs_and_no_password(powered: SmallSite, bmc: IpmiSim) -> None:
    text = (await powered.call("site.export"))["site"]
    assert not secrets_in(text)
    again = await powered.call("site.import", site=text)
    assert (again["created"], again["changed"]) == ([], [])
    await powered.call("bmc.delete", node="node-1")
    back = await powered.call("site.import", site=text)
    assert back["created"] == ["bmc node-1"]
    assert (await powered.call("bmc.show", node="node-1"))["port"] == bmc.port
    wrong = text.replace('protocol = "ipmi"', 'protocol = "ipmi"\nsystem = "1"')
    assert "goes with redfish" in (await powered.refused("site.import", site=wrong)).message
