"""A switch silently ignores a line: two tenants' open ports never share a VLAN for that.

The switch is watched (watch.py) after every line.
"""

from __future__ import annotations

import pytest

from haas_rpcd.sim.personalities import dialects
from tests.rpc.one_switch import OneSwitch
from tests.rpc.small_site import NOTHING, access, tagged

pytestmark = pytest.mark.slow

SHUT = (
    r"^shutdown$|^disable$|^interface \S+ disable$|^(?!(?:wildcard range )?delete).* disable$"
    r"|\bshutdown \S+$|\bdown\b"
)
"""The lines by which the families shut a port."""

JOIN = (
    r"^switchport (?:access|trunk)|^port (?:access|trunk)|^(?:vlan \d+ )?(?:un)?tagged"
    r"|vlan members|interface \S+ bridge domain \S+ (?:access|untagged|vlan)|vlan member add"
)
"""The lines by which they put a port on its VLANs."""


@pytest.mark.parametrize("dialect", dialects())
async def test_ports_that_do_not_shut_are_moved_into_no_common_vlan(in_use: OneSwitch) -> None:
    site = in_use
    site.device.faults.refuse = {SHUT: ""}
    for node in ("node-1", "node-4"):  # red's and blue's
        released = await site.call("node.release", node=node)
        job = await site.finished(released["job"])
        assert job["state"] == "failed", job
        assert "is still open" in job["error"] or site.dialect.name in LEFT_ON_NOTHING
    states = {}
    for node in ("node-1", "node-4"):
        states[node] = (await site.call("node.show", node=node))["state"]
    assert states == {"node-1": "releasing", "node-4": "releasing"}
    assert not site.watch.violations

    site.device.faults.refuse = {}
    for node in ("node-1", "node-4"):
        await site.finished((await site.call("node.release", node=node))["job"])
        assert (await site.call("node.show", node=node))["state"] == "free"


LEFT_ON_NOTHING = ("cumulus_nvue", "sonic")
"""Families whose open ports carry nothing once they have left their VLANs."""


@pytest.mark.parametrize("dialect", dialects())
async def test_ports_that_do_not_join_their_vlans_are_not_opened(parked: OneSwitch) -> None:
    """They would be open on whatever they are on, such as the default VLAN."""
    site = parked
    await site.hold_nodes("red", "node-1", "node-2")
    await site.hold_nodes("blue", "node-4")
    for project in ("red", "blue"):
        await site.network(project, "net")
    await site.connect("node-1", "net")
    await site.connect("node-2", "net", tagged=True)
    await site.connect("node-4", "net")
    site.device.faults.refuse = {JOIN: ""}
    for project, node in (("red", "node-1"), ("blue", "node-4")):
        job = await site.apply(project)
        assert job["state"] == "failed", job
        port = site.called[site.behind(node)]
        verb = "commit" if site.dialect.writer.candidate else "open"
        said = [step["message"] for step in job["steps"] if step["state"] == "failed"]
        accepted = f"sw1 accepted the VLANs of {port}, but HaaS did not {verb} it: {port} reads"
        [reason] = [message for message in said if accepted in message]
        assert "look for somebody else who configures the device" in reason
    assert [site.carried(f"node-{number}") for number in (1, 2, 4)] == [NOTHING] * 3

    site.device.faults.refuse = {}
    for project in ("red", "blue"):
        await site.succeeds(project)
    assert site.carried("node-1") == access(100)
    assert site.carried("node-2") == tagged(100)
    assert site.carried("node-4") == access(101)


@pytest.mark.parametrize("dialect", dialects())
async def test_a_port_that_does_not_move_stays_where_its_project_may_be(in_use: OneSwitch) -> None:
    """From one network to another, and from untagged to tagged, with its lines ignored."""
    site = in_use
    for tag in (False, True):
        await site.connect("node-1", "more", tagged=tag)
        site.device.faults.refuse = {JOIN: ""}
        job = await site.apply("red")
        assert job["state"] == "failed", job
        now = site.carried("node-1")
        assert {now.untagged, *now.tagged} <= {None, 100, 101}
        site.device.faults.refuse = {}
        await site.succeeds("red")
        await site.call("nic.disconnect", node="node-1", nic="eth0")
        await site.connect("node-1", "net")
        await site.succeeds("red")
        assert site.carried("node-1") == access(100)
