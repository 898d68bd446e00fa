"""Every dialect through the whole daemon, against its vendor's strict simulator.

From factory defaults through the allocations of its nodes. After every line that the switch
receives, the watch checks what each port carries.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from haas_rpcd.config import Credential
from haas_rpcd.drivers.switch.dialects import DIALECTS
from haas_rpcd.engine.restarts import TOLERANCE
from haas_rpcd.sim.personalities import dialects
from tests.rpc.any_dialect import (
    EVERY,
    FOREIGN,
    applied,
    carries,
    repairs,
    use_foreign_vlan,
)
from tests.rpc.listening import listening
from tests.rpc.one_switch import (
    COUNT,
    OneSwitch,
    Registered,
    one_switch,
    register,
)
from tests.rpc.small_site import NOTHING, access, tagged
from tests.rpc.test_secrets import free_of_secrets

pytestmark = pytest.mark.slow

SSH = ("cumulus_nvue", "dell_os10", "juniper_junos")
BY_TELNET_OR_SSH = pytest.mark.parametrize(
    ("dialect", "transport"),
    [(dialect, "telnet") for dialect in dialects()] + [(dialect, "ssh") for dialect in SSH],
)
SHELLS = ("cumulus_nvue", "sonic")
"""Their uptime is that of the machine that runs the simulator."""


@BY_TELNET_OR_SSH
async def test_from_factory_defaults_to_parked_ports(
    dialect: str, transport: str, tmp_path: Path
) -> None:
    async with one_switch(tmp_path, dialect, transport=transport) as site:
        device, known = site.device, site.dialect
        await use_foreign_vlan(site)
        spare = device.carried(device.port_list[COUNT - 2])
        counters = device.counters
        logins = counters.logins

        if transport == "telnet":
            seen = await site.call(
                "switch.probe", switch="sw1", dialect=dialect, host="127.0.0.1", port=site.port,
                credential="lab",
            )  # fmt: skip
            assert seen["model"]
            assert seen["version"]
            assert {port["port"] for port in seen["ports"]} == {
                known.canonical_port(name) for name in device.port_list
            }
            for port in seen["ports"]:
                [name] = [n for n in device.port_list if known.canonical_port(n) == port["port"]]
                assert port["carries"]["untagged"] == device.carried(name).untagged
            assert str(FOREIGN) in seen["vlans"].split(",")
            assert counters.logins == logins + 1
        await register(site)
        assert counters.logins == logins + (transport == "telnet")
        logins = counters.logins

        await applied(site, blind=known.writer.needs_current != "never")

        assert counters.logins == logins + 1
        carried = [device.carried(name) for name in device.port_list]
        assert carried[:9] == [NOTHING] * 9
        assert carried[9] == tagged(*(carried[9].tagged))
        assert carried[10:] == [spare, access(FOREIGN)]
        nodes = (await site.call("node.list"))["items"]
        assert {node["state"] for node in nodes} == {"free"}
        report = await site.call("drift.check")
        assert (report["checked"], report["items"]) == (["sw1"], [])
        for name in device.port_list[:9]:
            other = DIALECTS[dialect].canonical_port(name)
            again = await site.refused("port.register", switch="sw1", ports=[other])
            assert again.kind == "conflict"


@EVERY
async def test_what_ports_carry_as_their_nodes_change(parked: OneSwitch) -> None:
    site = parked
    await site.hold_nodes("red", "node-1", "node-2", "node-3")
    await site.hold_nodes("blue", "node-4")
    red, more = await site.network("red", "net"), await site.network("red", "more")
    blue = await site.network("blue", "net")

    await site.connect("node-1", "net")
    await site.connect("node-1", "more", nic="ipmi")
    await site.connect("node-2", "net")
    await site.connect("node-2", "more", tagged=True)
    await site.connect("node-3", "net", tagged=True)
    await site.connect("node-3", "more", tagged=True)
    logins = site.device.counters.logins
    await applied(site, "red")
    assert site.device.counters.logins == logins + 1
    there = {
        "node1_eth0": access(red), "node1_ipmi": access(more),
        "node2_eth0": tagged(more, untagged=red), "node3_eth0": tagged(red, more),
    }  # fmt: skip
    await carries(site, **there)
    await site.connect("node-4", "net")
    await applied(site, "blue")
    await carries(site, **there, node4_eth0=access(blue))

    # moved: from net to more, from untagged and tagged to tagged only, and vice versa
    for node, network in (("node-1", "net"), ("node-2", "net")):
        await site.call("nic.disconnect", node=node, nic="eth0", network=network)
    await site.connect("node-1", "more")
    await site.call("nic.disconnect", node="node-1", nic="ipmi")
    await site.call("nic.disconnect", node="node-3", nic="eth0", network="net")
    await site.connect("node-3", "net")
    await applied(site, "red")
    there = {
        "node1_eth0": access(more), "node2_eth0": tagged(more),
        "node3_eth0": tagged(more, untagged=red),
    }  # fmt: skip
    await carries(site, **there, node4_eth0=access(blue))
    await site.call("nic.disconnect", node="node-3", nic="eth0", network="more")
    await applied(site, "red")
    there["node3_eth0"] = access(red)
    await carries(site, **there, node4_eth0=access(blue))

    # released, so parked, and then allocated to blue
    released = await site.call("node.release", node="node-1")
    await site.finished(released["job"])
    assert site.carried("node-1") == NOTHING
    await site.hold_nodes("blue", "node-1")
    await site.connect("node-1", "net")
    await site.connect("node-1", "net", nic="ipmi", tagged=True)
    await applied(site, "blue")
    del there["node1_eth0"]
    await carries(
        site, **there, node1_eth0=access(blue), node1_ipmi=tagged(blue), node4_eth0=access(blue)
    )

    # deleted networks: the VLAN id becomes free only once the switch has removed it
    await site.call("nic.disconnect", node="node-2", nic="eth0")
    await site.call("network.delete", project="red", network="more")
    error = await site.refused("network.create", project="blue", network="new", vlan=more)
    assert error.kind == "conflict"
    assert site.carried("node-2") == tagged(more)
    await applied(site, "red")
    await carries(
        site, node1_eth0=access(blue), node1_ipmi=tagged(blue), node3_eth0=access(red),
        node4_eth0=access(blue),
    )  # fmt: skip
    await site.call("network.create", project="blue", network="new", vlan=more)

    # the configuration survives a power failure, and all was done in one session
    assert site.device.counters.logins == logins + 1
    before = [site.device.carried(name) for name in site.device.port_list]
    site.device.reload()
    assert [site.device.carried(name) for name in site.device.port_list] == before


@EVERY
async def test_no_password_leaves_the_daemon_with_this_dialect(
    in_use: OneSwitch, caplog: pytest.LogCaptureFixture
) -> None:
    """Whether the login succeeds or fails, at the first or the second password."""
    site = in_use
    caplog.set_level(logging.DEBUG)
    right = site.credentials["lab"]
    wrong = Credential(username="haas", password="wr0ng-pass", enable="wr0ng-en4")
    half = Credential(username="haas", password=right.password, enable="wr0ng-en4")
    async with listening(site) as client:
        await client.call("events.subscribe")
        for credential in (wrong, half, right):
            site.credentials["lab"] = credential
            for session in list(site.device.sessions):
                session.cut()
            await site.call("nic.disconnect", node="node-1", nic="eth0")
            job = await site.begin("red")
            site.daemon.events.subscribe_job(job, lambda event: free_of_secrets("an event", event))
            ended = await site.finished(job)
            if credential == wrong:
                assert ended["state"] == "failed"
                assert "credentials file" in ended["error"]
            free_of_secrets("a job", await site.call("job.show", job=job))
            await site.call("switch.probe", switch="sw1") if credential == right else None
        assert ended["state"] == "succeeded", ended["error"]
        free_of_secrets("a notification", client.received)
    free_of_secrets("a log", caplog.text)
    free_of_secrets("the switch's records", site.device.lines)
    await site.stop()
    with sqlite3.connect(site.settings.store.path) as db:
        free_of_secrets("the database", "\n".join(db.iterdump()))
    db.close()
    await site.start()


MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
UP = (
    0.4, 7, 59, MINUTE, 61, 12 * MINUTE + 5, 59 * MINUTE + 59, HOUR, HOUR + 70, 23 * HOUR + 59,
    DAY, DAY + 61, DAY + HOUR, 3 * DAY + 4 * HOUR + 5 * MINUTE + 6, 7 * DAY, 8 * DAY + MINUTE,
    29 * DAY, 45 * DAY, 100 * DAY + 2 * HOUR, 364 * DAY, 365 * DAY, 366 * DAY + 30 * MINUTE,
    500 * DAY + 13 * HOUR, 1200 * DAY + 1,
)  # fmt: skip


@pytest.mark.parametrize("dialect", [name for name in dialects() if name not in SHELLS])
async def test_any_uptime_is_read_correctly(parked: OneSwitch) -> None:
    """Otherwise a switch would count as restarted although it was not, or the other way round."""
    device, driver = parked.device, parked.driver()
    await driver.open(lambda line: None)
    for seconds in UP:
        device.booted += device.seconds_up() - seconds
        read = await driver.uptime()
        assert read is not None
        late = TOLERANCE / 2
        assert read.seconds - late <= seconds <= read.seconds + read.resolution + late, (
            f"{seconds:g} s as {read}"
        )
    await driver.close()


async def test_a_switch_that_reports_uptime_in_days_does_not_count_as_restarted(
    tmp_path: Path, registered: Callable[[str], Registered]
) -> None:
    """ProVision rounds down to days, so an hour later it appears to have booted an hour later."""
    async with one_switch(tmp_path, "hp_procurve", registered("hp_procurve")) as site:
        device = site.device
        device.booted -= 3 * DAY
        await site.call("switch.probe", switch="sw1")
        for up in (HOUR, 20 * HOUR, DAY, 4 * DAY):  # later by this much
            await site.sql("UPDATE switch SET uptime_read = uptime_read - ?", (up,))
            device.booted -= up
            for session in list(device.sessions):
                session.cut()
            await site.call("switch.probe", switch="sw1")
            assert await repairs(site) == 0
        device.reload()
        await site.call("switch.probe", switch="sw1")
        assert await repairs(site) == 1
