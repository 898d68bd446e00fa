"""Every dialect through the whole daemon, against its vendor's strict simulator.

From the box to a node that is handed on, with drift, a power cut, and trouble of all kinds. After
every line that the switch is sent, the watch looks who carries what.
"""

from __future__ import annotations

import logging
import shlex
import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from haas_rpcd.config import Credential
from haas_rpcd.drivers.switch.dialects import DIALECTS
from haas_rpcd.engine.drift import TOLERANCE
from haas_rpcd.model import PARKED, PortConfig, SetPort, SetVlan
from haas_rpcd.sim.personalities import dialects
from tests.rpc.listening import listening
from tests.rpc.one_switch import (
    COUNT,
    OneSwitch,
    Registered,
    Vendor,
    lines_of,
    one_switch,
    register,
)
from tests.rpc.small_site import NOTHING, access, tagged
from tests.rpc.test_secrets import free_of_secrets

EVERY = pytest.mark.parametrize("dialect", dialects())
SSH = ("cumulus_nvue", "dell_os10", "juniper_junos")
BY_TELNET_OR_SSH = pytest.mark.parametrize(
    ("dialect", "transport"),
    [(dialect, "telnet") for dialect in dialects()] + [(dialect, "ssh") for dialect in SSH],
)
SHELLS = ("cumulus_nvue", "sonic")
"""Their uptime is that of the machine that runs the simulator."""

KEEPS_USED_VLANS = ("juniper_junos", "sonic")
"""They do not remove a VLAN while ports are in it."""

FOREIGN = 900
"""A VLAN of the site's own, outside the pool."""


@pytest.fixture
async def parked(
    dialect: str, tmp_path: Path, registered: Callable[[str], Registered]
) -> AsyncIterator[OneSwitch]:
    """A site whose switch is registered and parked. Projects red and blue hold nothing."""
    async with one_switch(tmp_path, dialect, registered(dialect)) as site:
        yield site


async def applied(site: OneSwitch, project: str | None = None, *, blind: bool = False) -> list[str]:
    """Apply; see that the switch was sent what the plan had shown, and saved it once.

    Gives the lines. ``blind``: the plan could not say them all, as it is not known what is there.
    """
    plan = await site.call("plan.show", project=project)
    since, before = len(site.device.lines), site.device.counters.saves
    past = len(site.device.history)
    await site.succeeds(project)
    sent = site.sent_lines(since)
    if site.dialect.commit:  # no other line has an effect
        changing = {entry.line.text for entry in site.device.history[past:]}
        assert changing <= set(site.dialect.commit)
    assert blind or sent == [plain(line) for line in lines_of(plan)]
    if sent and site.dialect.saves:
        assert site.device.counters.saves == before + 1
    assert not site.device.modified
    return sent


def plain(line: str) -> str:
    """Return a line as the simulator records it, after the shell has parsed it."""
    return shlex.join(shlex.split(line.removeprefix("sudo -n "))) if "sudo" in line else line


async def own(site: OneSwitch) -> None:
    """Put a port of the site's own on VLAN 900, as it was before HaaS."""
    await site.by_hand(SetVlan(FOREIGN, present=True))
    await site.by_hand(SetPort(site.device.port_list[COUNT - 1], PortConfig(FOREIGN)))
    site.device.save()
    assert site.device.carried(site.device.port_list[COUNT - 1]) == access(FOREIGN)


@BY_TELNET_OR_SSH
async def test_from_factory_defaults_to_parked_ports(
    dialect: str, transport: str, tmp_path: Path
) -> None:
    async with one_switch(tmp_path, dialect, transport=transport) as site:
        device, known = site.device, site.dialect
        await own(site)
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

        await applied(site, blind=known.needs_current_config)

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


async def carries(site: OneSwitch, **nics: Any) -> None:
    """Check what each nic's port carries, also as the API reports it; others carry nothing."""
    for number in range(1, 5):
        for nic in ("ipmi", "eth0"):
            wanted = nics.get(f"node{number}_{nic}", NOTHING)
            assert site.carried(f"node-{number}", nic) == wanted, (number, nic)
    report = await site.call("drift.check", switch="sw1")
    assert report["items"] == []


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


# --- drift ----------------------------------------------------------------------------------------


@pytest.fixture
async def in_use(parked: OneSwitch) -> OneSwitch:
    """Red's node-1 is on VLAN 100, node-2 on 100 and tagged on 101; blue's node-4 on 102."""
    site = parked
    await site.hold_nodes("red", "node-1", "node-2")
    await site.hold_nodes("blue", "node-4")
    assert await site.network("red", "net") == 100
    assert await site.network("red", "more") == 101
    assert await site.network("blue", "net") == 102
    await site.connect("node-1", "net")
    await site.connect("node-2", "net")
    await site.connect("node-2", "more", tagged=True)
    await site.connect("node-4", "net")
    await site.succeeds("red")
    await site.succeeds("blue")
    return site


IN_USE = {
    "node1_eth0": access(100), "node2_eth0": tagged(101, untagged=100),
    "node4_eth0": access(102),
}  # fmt: skip


async def repaired(site: OneSwitch) -> None:
    """Repair; check that it succeeds and is saved."""
    started = await site.call("drift.repair", switch="sw1")
    job = await site.finished(started["job"])
    assert job["state"] == "succeeded", job["error"]
    assert not site.device.modified


async def nothing_to_apply(site: OneSwitch) -> None:
    for project in ("red", "blue", None):
        plan = await site.call("plan.show", project=project)
        assert plan["empty"], plan


@EVERY
async def test_changes_by_hand_are_found_and_repaired(in_use: OneSwitch) -> None:
    site = in_use
    await own(site)
    names = site.device.port_list
    places = {node: site.behind(node) for node in ("node-1", "node-2", "node-3", "node-4")}
    site.watch.on = False  # the changes below are not made by HaaS
    await site.by_hand(
        SetPort(names[places["node-1"]], PortConfig(102)),  # red's nic on blue's network
        SetPort(names[places["node-2"]], PortConfig(None, (102,))),
        SetPort(names[places["node-3"]], PortConfig(100)),  # a free node
        SetPort(names[places["node-4"]], PARKED),
    )
    logins, since = site.device.counters.logins, len(site.device.history)

    report = await site.call("drift.check", switch="sw1")

    assert {(item["target"], item["observed"]) for item in report["items"]} == {
        (site.called[places["node-1"]], "access 102"),
        (site.called[places["node-2"]], "tagged 102"),
        (site.called[places["node-3"]], "access 100"),
        (site.called[places["node-4"]], "parked"),
    }
    await repaired(site)
    await carries(site, **IN_USE)
    assert site.device.counters.logins == logins  # no new session was opened
    assert site.device.carried(names[COUNT - 1]) == access(FOREIGN)
    for node in ("node-1", "node-2", "node-3"):  # shut before they carry what they should
        name = names[places[node]]
        history = [
            each.changed[name] for each in site.device.history[since:] if name in each.changed
        ]
        assert history[0] == NOTHING
    await nothing_to_apply(site)


@pytest.mark.parametrize("dialect", [name for name in dialects() if name not in KEEPS_USED_VLANS])
async def test_a_vlan_removed_by_hand_is_created_again(in_use: OneSwitch) -> None:
    """So is whatever its ports have lost with it."""
    site = in_use
    site.watch.on = False
    await site.by_hand(SetVlan(100, present=False))
    assert (await site.call("drift.check"))["items"]
    since = len(site.device.history)
    await repaired(site)
    await carries(site, **IN_USE)
    for entry in site.device.history[since:]:
        for node in ("node-3", "node-4"):
            now = entry.changed.get(site.device.port_list[site.behind(node)], NOTHING)
            assert now in (NOTHING, IN_USE.get(f"node{node[-1]}_eth0")), entry
    await nothing_to_apply(site)


@EVERY
async def test_refused_lines_leave_a_usable_session_for_the_next_apply(
    in_use: OneSwitch,
) -> None:
    """Lines that enter a mode were refused, so the lines sent ahead to leave it left the parent."""
    site = in_use
    await site.hold_nodes("red", "node-3")
    await site.connect("node-1", "net", nic="ipmi")  # three ports, configured one by one
    await site.connect("node-2", "more", nic="ipmi")
    await site.connect("node-3", "net", nic="ipmi", tagged=True)
    plan = await site.call("plan.show", project="red")
    word = lines_of(plan)[0].removeprefix("sudo -n ").split()[0]
    site.device.faults.refuse = {f"^{word} ": Vendor(site.dialect.name).errors[0]}
    job = await site.apply("red")
    assert job["state"] == "failed"
    assert "refused" in job["error"]
    site.device.faults.refuse = {}
    await site.succeeds("red")
    there = {**IN_USE, "node1_ipmi": access(100), "node2_ipmi": access(101)}
    await carries(site, **there, node3_ipmi=tagged(100))


@EVERY
async def test_a_port_changed_by_hand_carries_no_third_vlan_while_it_is_set(
    in_use: OneSwitch,
) -> None:
    """Drift was not checked, so the port is not in the state that was applied."""
    site, device = in_use, in_use.device
    one, two = (device.port_list[site.behind(node)] for node in ("node-1", "node-2"))
    site.watch.on = False  # the changes below are not made by HaaS
    await site.by_hand(
        SetPort(one, PortConfig(None, (102,))), SetPort(two, PortConfig(102)),
    )  # fmt: skip
    await site.call("nic.disconnect", node="node-1", nic="eth0")
    await site.connect("node-1", "more")
    await site.call("nic.disconnect", node="node-2", nic="eth0", network="more")
    await site.connect("node-2", "more", nic="ipmi")
    since = len(device.history)

    await site.succeeds("red")

    assert site.carried("node-1") == access(101)
    assert site.carried("node-2") == access(100)
    for name, allowed in ((one, {101, 102}), (two, {100, 102})):
        for entry in device.history[since:]:
            now = entry.changed.get(name, NOTHING)
            assert {now.untagged, *now.tagged} <= allowed | {None}, entry
    await nothing_to_apply(site)
    assert (await site.call("drift.check"))["items"] == []


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


@EVERY
async def test_a_restart_with_an_older_configuration_leaves_no_wrong_port_open(
    in_use: OneSwitch,
) -> None:
    """Saved when blue held node-3, node-4 was parked, and node-1 was on another network."""
    site, device = in_use, in_use.device
    names = device.port_list
    now = device.running.copy()
    site.watch.on = False
    await site.by_hand(
        SetPort(names[site.behind("node-1")], PortConfig(102)),
        SetPort(names[site.behind("node-3")], PortConfig(102, (101,))),
        SetPort(names[site.behind("node-4")], PARKED),
    )
    older = device.running.copy()
    device.adopt(now)
    device.settle()
    await carries(site, **IN_USE)
    device.startup = older
    await site.sql("UPDATE switch SET booted = booted - 3600")  # as if up for an hour
    device.reload()
    assert site.carried("node-3") == tagged(101, untagged=102)
    since, logins = len(device.history), device.counters.logins

    async with listening(site) as client:
        await client.call("events.subscribe")
        await site.call("switch.probe", switch="sw1")

        open_still = {names[site.behind("node-1")], names[site.behind("node-3")]}
        for entry in device.history[since:]:
            opened = [name for name, carried in entry.changed.items() if carried != NOTHING]
            assert not (opened and open_still), entry
            open_still -= entry.changed.keys()
        assert not open_still  # at the latest when the probe has returned
        await client.until(lambda _, event: event.get("verb") == "restarted")
        await client.until(
            lambda _, event: event.get("noun") == "job" and event["verb"] == "succeeded"
        )
    site.watch.on = True
    await carries(site, **IN_USE)
    assert device.counters.logins == logins + 1
    assert not device.modified
    await nothing_to_apply(site)

    await site.restart()
    await site.call("switch.probe", switch="sw1")  # does not count as another restart
    assert await repairs(site) == 1


async def repairs(site: OneSwitch) -> int:
    """Return the number of repair jobs."""
    jobs = (await site.call("job.list"))["items"]
    return [job["kind"] for job in jobs].count("repair")


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
            await site.sql("UPDATE switch SET booted = booted - ?", (up,))
            device.booted -= up
            for session in list(device.sessions):
                session.cut()
            await site.call("switch.probe", switch="sw1")
            assert await repairs(site) == 0
        device.reload()
        await site.call("switch.probe", switch="sw1")
        assert await repairs(site) == 1
