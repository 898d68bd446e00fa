"""Two projects and an admin act at random and at the same time, while switches and daemons fail.

Nobody waits for anybody. No line may break isolation (watch.py), no call may fail unexpectedly, and
once the faults are gone, applying each project leaves nothing to do. ``HAAS_TEST_SEEDS`` is the
number of runs.
"""

from __future__ import annotations

import json
import logging
import os
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec
import pytest

from haas_rpcd.sim.ios import NVRAM_BUSY
from tests.rpc.small_site import RpcError, SmallSite, place

pytestmark = pytest.mark.slow

EXPECTED = {"conflict", "not_found", "exhausted", "device"}
DEFAULT_VLAN = 1
PHONES = 1900
"""A VLAN of the site's own, for telephones."""

BLIND = {"^show users": "% Authorization failed."}
"""The switch does not show its sessions, so an old one that hangs cannot be ended."""

OTHER = {"red": "blue", "blue": "red", "green": "red"}
"""The project that each one shares networks with, and passes nodes on to."""

NODES = tuple(f"node-{number}" for number in range(1, 5))
BONDED = "node-9"
"""A node whose only nic is a bond: two ports of sw1, of which the switch makes a channel."""

LEGS = ("Gi1/0/9", "Gi1/0/10")
BOND_TROUBLE = ("^channel-group", "^no channel-group", "^interface Port-channel", "^no interface")
TROUBLE = ("^interface", "^switchport", "^no shutdown", "^shutdown", "^vlan", "^no vlan", "^write")


class Campaign:
    """The possible actions with their weights, and those that were taken."""

    def __init__(self, site: SmallSite, dice: random.Random, *, bond: bool = False) -> None:
        self.site = site
        self.dice = dice
        self.nodes = (*NODES, *[BONDED] * 3) if bond else NODES
        self.trouble = (*TROUBLE, *BOND_TROUBLE) if bond else TROUBLE
        self.done: list[str] = []
        self.acts: list[tuple[int, Callable[[str], Awaitable[Any]]]] = [
            (4, self.allocate), (2, self.release), (3, self.make_network), (2, self.drop_network),
            (8, self.connect), (3, self.disconnect), (2, self.share), (1, self.unshare),
            (2, self.make_headnode), (1, self.drop_headnode), (2, self.connect_headnode),
            (7, self.apply), (1, self.apply_site), (1, self.cancel), (3, self.fail), (2, self.mend),
            (1, self.restart), (3, self.pause), (2, self.tamper),
            (3, self.hang), (3, self.finish), (3, self.pass_on),
            (1, self.check), (1, self.repair),
        ]  # fmt: skip
        self.blind: dict[str, str] = {}
        self.tampered: dict[tuple[str, str], Any] = {}
        """The ports that were changed by hand, and the members of which channels they were."""

    async def run(self, count: int) -> None:
        weights = [weight for weight, _ in self.acts]
        for _ in range(count):
            [(_, act)] = self.dice.choices(self.acts, weights)
            project = self.dice.choice(("red", "blue"))
            try:
                said = await act(project)
            except RpcError as error:
                assert error.kind in EXPECTED, (self.done, act.__name__, error.message)
                said = error.kind
            self.done.append(f"{project}: {act.__name__}: {said}")
            self.site.watch.check(f"after {self.done[-1]}")

    def net(self) -> str:
        return self.dice.choice(("a", "b"))

    async def call(self, method: str, **params: Any) -> Any:
        return await self.site.call(method, **params)

    async def allocate(self, project: str) -> Any:
        return await self.call("node.allocate", project=project, node=self.dice.choice(self.nodes))

    async def release(self, project: str) -> Any:
        held = await self.call("node.list", project=project)
        for node in held["items"][:1]:
            return (await self.call("node.release", node=node["node"]))["state"]

    async def make_network(self, project: str) -> Any:
        return (await self.call("network.create", project=project, network=self.net()))["vlan"]

    async def drop_network(self, project: str) -> Any:
        return await self.call("network.delete", project=project, network=self.net())

    async def connect(self, project: str) -> Any:
        held = (await self.call("node.list", project=project))["items"]
        if not held:
            return None
        other = OTHER[project]
        network = self.dice.choice([self.net(), self.net(), f"{other}/{self.net()}"])
        tag = self.dice.random() < 0.3
        nic, node = self.dice.choice(("eth0", "ipmi")), self.dice.choice(held)["node"]
        nic = nic_of(node, nic)
        await self.call("nic.connect", node=node, nic=nic, network=network, tagged=tag)
        return node, nic, network

    async def disconnect(self, project: str) -> Any:
        for node in (await self.call("node.list", project=project))["items"]:
            name = node["node"]
            await self.call("nic.disconnect", node=name, nic=nic_of(name, "eth0"))

    async def share(self, project: str) -> Any:
        guest = OTHER[project]
        await self.call("network.share", project=project, network=self.net(), **{"with": guest})

    async def unshare(self, project: str) -> Any:
        guest = OTHER[project]
        await self.call("network.unshare", project=project, network=self.net(), **{"with": guest})

    async def make_headnode(self, project: str) -> Any:
        await self.call("headnode.create", project=project, headnode="head")

    async def drop_headnode(self, project: str) -> Any:
        await self.call("headnode.delete", project=project, headnode="head")

    async def connect_headnode(self, project: str) -> Any:
        verb = self.dice.choice(("connect", "connect", "disconnect"))
        await self.call(f"headnode.{verb}", project=project, headnode="head", network=self.net())

    async def apply(self, project: str) -> Any:
        return await self.site.begin(project)

    async def apply_site(self, project: str) -> Any:
        return await self.site.begin()

    async def cancel(self, project: str) -> Any:
        for job in (await self.call("job.list", project=project, state="running"))["items"]:
            return (await self.call("job.cancel", job=job["job"]))["state"]

    async def pause(self, project: str) -> Any:
        """Wait until the last job has ended."""
        for job in (await self.call("job.list", limit=1))["items"]:
            return (await self.site.finished(job["job"]))["state"]

    async def fail(self, project: str) -> Any:
        name = self.dice.choice(sorted(self.site.switches))
        faults, line = self.site.switches[name].faults, self.dice.choice(self.trouble)
        match self.dice.randrange(7):
            case 0:
                faults.refuse = {line: "% Not now."} | self.blind
            case 1:
                faults.cut_at = line
            case 2:
                faults.cut_after = self.dice.randrange(12)
            case 3:
                faults.save_error = NVRAM_BUSY
            case 4:
                faults.refuse_connections = True
            case _:
                faults.line_delay = 0.002  # so that others act in the middle of a script
        return name, line

    async def mend(self, project: str) -> Any:
        for switch in self.site.switches.values():
            faults = switch.faults
            faults.refuse, faults.cut_at, faults.cut_after = dict(self.blind), None, None
            faults.save_error, faults.refuse_connections = None, False
            faults.line_delay, faults.hang_at = 0.0, None
        for (name, port), channel in self.tampered.items():
            switch = self.site.switches[name]
            setting = switch.running.ports[port]
            setting.channel, setting.switched = channel, True
            switch.touch(port)
            switch.settle()
        self.tampered.clear()

    async def tamper(self, project: str) -> Any:
        """Change the port of a held node by hand: a telephone, a route, a link aggregation."""
        held = (await self.call("node.list", project=project))["items"]
        if not held:
            return None
        name, port = place_of(self.dice.choice(held)["node"], self.dice.choice(("eth0", "ipmi")))
        port = port.replace("Gi", "GigabitEthernet")
        switch = self.site.switches[name]
        setting = switch.running.ports[port]
        was, kind = setting.channel, self.dice.choice(("telephone", "route", "channel"))
        match kind:
            case "telephone":
                self.site.watch.by_hand(name, port, PHONES)
                setting.voice_vlan = PHONES
            case "route":
                setting.switched = False
            case _:
                setting.channel = (1, "active")
        self.tampered.setdefault((name, port), was)
        switch.touch(port)
        switch.settle()
        return name, port, kind

    async def hang(self, project: str) -> Any:
        """Let the next session that puts a port on a network hang."""
        name = self.dice.choice(sorted(self.site.switches))
        line = self.dice.choice(("^switchport access", "^no shutdown"))
        self.site.switches[name].faults.hang_at = line
        return name, line

    async def pass_on(self, project: str) -> Any:
        """Release a node, and let the other project have it as soon as possible."""
        other = OTHER[project]
        for node in (await self.call("node.list", project=project))["items"][:1]:
            name = node["node"]
            released = await self.call("node.release", node=name)
            if released["job"] is not None:
                await self.site.finished(released["job"])
            await self.call("node.allocate", project=other, node=name)
            nic = nic_of(name, "eth0")
            await self.call("nic.connect", node=name, nic=nic, network=self.net())
            return (await self.site.apply(other))["state"]

    async def finish(self, project: str) -> Any:
        """Let the sessions that hang go on, whatever has been set anew meanwhile."""
        switches = self.site.switches.values()
        hung = sum(session.hung for switch in switches for session in switch.sessions)
        for switch in switches:
            switch.finish_hung()
        return hung

    async def check(self, project: str) -> Any:
        return len((await self.call("drift.check"))["items"])

    async def repair(self, project: str) -> Any:
        return (await self.call("drift.repair"))["job"]

    async def restart(self, project: str) -> Any:
        await self.site.restart()


def nic_of(node: str, nic: str) -> str:
    return "bond0" if node == BONDED else nic


def place_of(node: str, nic: str) -> tuple[str, str]:
    return ("sw1", LEGS[nic == "eth0"]) if node == BONDED else place(node, nic)


async def waits(site: SmallSite, **seconds: float) -> None:
    """Restart the daemon with other time-outs."""
    switches = msgspec.structs.replace(site.settings.switches, **seconds)
    site.settings = msgspec.structs.replace(site.settings, switches=switches)
    await site.restart()


async def repaired(site: SmallSite) -> None:
    """Repair what was changed by hand; check that nothing differs then."""
    job = await site.finished((await site.call("drift.repair"))["job"])
    assert job["state"] == "succeeded", job["error"]
    report = await site.call("drift.check")
    assert (report["items"], report["unreachable"]) == ([], [])


def _tolerate_late_lines(site: SmallSite) -> None:
    """Let the watch tolerate ports that a late line opened on the default VLAN just now.

    The next daemon is told not to wait for such lines, and has not read the ports yet.
    """
    for name, switch in site.switches.items():
        for port in switch.port_list:
            if switch.carried(port).untagged == DEFAULT_VLAN:
                site.watch.by_hand(name, port, DEFAULT_VLAN)


async def converges(campaign: Campaign, projects: Sequence[str]) -> None:
    """End all faults; check that applying then leaves nothing to do, and the truth is stored."""
    site = campaign.site
    campaign.blind = {}
    await campaign.mend("")
    for switch in site.switches.values():
        switch.save()  # what was changed by hand, and undone; not what comes late
    await campaign.finish("")
    _tolerate_late_lines(site)
    await waits(site, answer_timeout=30.0, settle_timeout=0.0)
    for job in (await site.call("job.list", limit=1000))["items"]:
        await site.finished(job["job"])
    for project in (*projects, *projects, None):  # twice: one may wait for the other
        job = await site.apply(project)
        assert job["state"] == "succeeded", (job["error"], campaign.done)
    await repaired(site)
    for project in (*projects, None):
        plan = await site.call("plan.show", project=project)
        assert plan["empty"], (plan, campaign.done)
    states = {node["state"] for node in (await site.call("node.list"))["items"]}
    assert states <= {"free", "allocated"}
    networks = {network["vlan"] for network in (await site.call("network.list"))["items"]}
    for switch in site.switches.values():
        assert {vlan for vlan in switch.running.vlans if 99 < vlan < 1002} <= networks
        assert not switch.modified
    assert site.host.bridges <= networks
    assert await site.rows("SELECT * FROM vlan_claim WHERE network_id IS NULL") == []


OPTIONS = ({}, {}, {"window": 1}, {"window": 3, "ranges": False})
"""How lines are sent: ahead of their answers, in groups, or one by one."""


SEEDS = range(int(os.environ.get("HAAS_TEST_SEEDS", "0"))) or (0, 1, 2, 3, 4, 5, 10, 23)
"""With the last two, a node would change hands while a line may come late, if HaaS let it."""


BONDS = [(seed, True) for seed in (100, 101, *(seed for seed in SEEDS if seed > 23))]


async def bonded(site: SmallSite) -> None:
    """Register a node with a bond, and park its ports."""
    await site.call("port.register", switch="sw1", ports=LEGS)
    places = [{"switch": "sw1", "port": port} for port in LEGS]
    nic = {"nic": "bond0", "bond": "lacp", "ports": places}
    await site.call("node.register", node=BONDED, nics=[nic])
    await site.succeeds()


@pytest.mark.parametrize(("seed", "bond"), [*((seed, False) for seed in SEEDS), *BONDS])
async def test_whatever_happens(
    site: SmallSite, seed: int, bond: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR, logger="haas_rpcd")
    options = json.dumps(OPTIONS[seed % len(OPTIONS)])
    await site.sql("UPDATE switch SET options = ?", (options,))
    for switch in site.switches.values():
        switch.running.add_vlan(PHONES)
        switch.save()
    if bond:
        await bonded(site)
    campaign = Campaign(site, random.Random(seed), bond=bond)
    campaign.blind = dict(BLIND) if seed % 2 else {}
    await waits(site, answer_timeout=0.5)
    await campaign.mend("")
    await campaign.run(120)

    await converges(campaign, ("red", "blue"))
    assert [record.getMessage() for record in caplog.records] == []  # nothing failed unexpectedly
