"""A switch silently ignores what shuts a port: two tenants' open ports never share a VLAN for that.

The switch is watched (watch.py) after every line.
"""

from __future__ import annotations

import pytest

from haas_rpcd.sim.personalities import dialects
from tests.rpc.one_switch import OneSwitch

pytestmark = pytest.mark.slow

SHUT = r"^shutdown$|^disable$|^interface \S+ disable$| disable$|\bshutdown \S+$|\bdown\b"
"""The lines by which the families shut a port."""


@pytest.mark.parametrize("dialect", [name for name in dialects() if name != "juniper_junos"])
async def test_ports_that_do_not_shut_are_moved_into_no_common_vlan(in_use: OneSwitch) -> None:
    site = in_use
    site.device.faults.refuse = {SHUT: ""}
    for node in ("node-1", "node-4"):  # red's and blue's
        released = await site.call("node.release", node=node)
        job = await site.finished(released["job"])
        assert job["state"] == "failed", job
    states = {}
    for node in ("node-1", "node-4"):
        states[node] = (await site.call("node.show", node=node))["state"]
    assert states == {"node-1": "releasing", "node-4": "releasing"}
    assert not site.watch.violations

    site.device.faults.refuse = {}
    for node in ("node-1", "node-4"):
        await site.finished((await site.call("node.release", node=node))["job"])
        assert (await site.call("node.show", node=node))["state"] == "free"
