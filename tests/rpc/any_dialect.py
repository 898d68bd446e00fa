"""What the tests of every dialect share: checks of an apply, of ports, and of repairs."""

from __future__ import annotations

import shlex
from typing import Any

import pytest

from haas_rpcd.model import PortConfig, SetPort, SetVlan
from haas_rpcd.sim.personalities import dialects
from tests.rpc.one_switch import (
    COUNT,
    OneSwitch,
    lines_of,
)
from tests.rpc.small_site import NOTHING, access, tagged

EVERY = pytest.mark.parametrize("dialect", dialects())

FOREIGN = 900
"""A VLAN of the site's own, outside the pool."""

IN_USE = {
    "node1_eth0": access(100), "node2_eth0": tagged(101, untagged=100),
    "node4_eth0": access(102),
}  # fmt: skip
"""What :func:`carries` should find with the fixture ``in_use``."""


async def applied(site: OneSwitch, project: str | None = None, *, blind: bool = False) -> list[str]:
    """Apply; check that the switch received the lines of the plan, and was saved once.

    Returns the lines. ``blind``: the plan cannot show them all, because the present configuration
    is unknown.
    """
    plan = await site.call("plan.show", project=project)
    since, before = len(site.device.lines), site.device.counters.saves
    past = len(site.device.history)
    await site.succeeds(project)
    sent = site.sent_lines(since)
    if site.dialect.writer.commit:  # no other line has an effect
        changing = {entry.line.text for entry in site.device.history[past:]}
        assert changing <= set(site.dialect.writer.commit)
    assert blind or sent == [plain(line) for line in lines_of(plan)]
    if sent and site.dialect.saves:
        assert site.device.counters.saves == before + 1
    assert not site.device.modified
    assert not (await site.call("switch.show", switch="sw1"))["unsaved"]
    return sent


def plain(line: str) -> str:
    """Return a line as the simulator records it, after the shell has parsed it."""
    return shlex.join(shlex.split(line.removeprefix("sudo -n "))) if "sudo" in line else line


async def use_foreign_vlan(site: OneSwitch) -> None:
    """Put a port of the site's own on VLAN 900, as it was before HaaS."""
    await site.by_hand(SetVlan(FOREIGN, present=True))
    await site.by_hand(SetPort(site.device.port_list[COUNT - 1], PortConfig(FOREIGN)))
    site.device.save()
    assert site.device.carried(site.device.port_list[COUNT - 1]) == access(FOREIGN)


async def carries(site: OneSwitch, **nics: Any) -> None:
    """Check what each nic's port carries, also as the API reports it; others carry nothing."""
    for number in range(1, 5):
        for nic in ("ipmi", "eth0"):
            wanted = nics.get(f"node{number}_{nic}", NOTHING)
            assert site.carried(f"node-{number}", nic) == wanted, (number, nic)
    report = await site.call("drift.check", switch="sw1")
    assert report["items"] == []


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


async def repairs(site: OneSwitch) -> int:
    """Return the number of repair jobs."""
    jobs = (await site.call("job.list"))["items"]
    return [job["kind"] for job in jobs].count("repair")
