"""Every dialect: changes by hand, refused lines and restarts are detected and repaired."""

from __future__ import annotations

import pytest

from haas_rpcd.drivers.switch.dialects import DIALECTS
from haas_rpcd.model import PARKED, PortConfig, SetPort, SetVlan
from haas_rpcd.sim.personalities import dialects
from tests.rpc.any_dialect import (
    EVERY,
    FOREIGN,
    IN_USE,
    carries,
    nothing_to_apply,
    repaired,
    repairs,
    use_foreign_vlan,
)
from tests.rpc.listening import listening
from tests.rpc.one_switch import (
    COUNT,
    OneSwitch,
    Vendor,
    lines_of,
)
from tests.rpc.small_site import NOTHING, access, tagged

pytestmark = pytest.mark.slow

KEEPS_USED_VLANS = ("juniper_junos", "sonic")
"""They do not remove a VLAN while ports are in it."""


@EVERY
async def test_changes_by_hand_are_found_and_repaired(in_use: OneSwitch) -> None:
    site = in_use
    await use_foreign_vlan(site)
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
    await site.sql("UPDATE switch SET uptime = uptime + 3600")  # as if up for an hour
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


@pytest.mark.parametrize(
    "dialect", [name for name in dialects() if DIALECTS[name].reader.witness is not None]
)
async def test_a_vlan_that_no_configuration_has_is_found(in_use: OneSwitch) -> None:
    """A RADIUS server assigned it (802.1X, MAB). Ports without a link are no drift."""
    site = in_use
    site.watch.on = False
    names = site.device.port_list
    for name in names:
        site.device.plug(name, plugged=False)
    assert not (await site.call("drift.check", switch="sw1"))["items"]
    for name in names:
        site.device.plug(name)
    assert not (await site.call("drift.check", switch="sw1"))["items"]

    behind = site.behind("node-1")
    site.device.assigned[names[behind]] = 102
    [item] = (await site.call("drift.check", switch="sw1"))["items"]
    assert (item["target"], item["observed"]) == (
        site.called[behind],
        "access 100, but operationally on VLAN 102",
    )
    probe = await site.call("switch.probe", switch="sw1")
    found = {port["port"]: port["unconfigured"] for port in probe["ports"]}
    assert {port for port, vlans in found.items() if vlans} == {names[behind]}
    assert found[names[behind]] == "102"

    del site.device.assigned[names[behind]]
    assert not (await site.call("drift.check", switch="sw1"))["items"]
