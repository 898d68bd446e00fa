"""The proof of a node's cabling: its ports are opened one at a time, and parked whatever happens.

The watch of the site checks isolation after every line that a switch gets.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from haas_rpcd.bmc import BmcSettings
from haas_rpcd.config import CablingSettings, Credential, Policy
from haas_rpcd.sim.cli import Plugged
from tests.rpc.bmcs import PASSWORD, USER, ipmi_sim
from tests.rpc.small_site import NOTHING, Prepared, SmallSite, small_site

pytestmark = pytest.mark.slow

PLACES = {"eth0": ("sw1", "Gi1/0/6"), "eth1": ("sw2", "Gi1/0/6")}
MACS = {"eth0": "52:54:00:00:05:00", "eth1": "52:54:00:00:05:01"}
OTHER = "52:54:00:00:01:00"
"""The MAC address of node-1:eth0."""

FIRST = 100
"""The VLAN id that an admin gets first."""


def full(port: str) -> str:
    return port.replace("Gi", "GigabitEthernet")


def plug(site: SmallSite, nic: str, mac: str | None) -> None:
    """Plug what has this MAC address into the port of a nic of node-5; None: nothing."""
    switch, port = PLACES[nic]
    site.switches[switch].plug(full(port), Plugged(macs=() if mac is None else (mac,)))


@asynccontextmanager
async def five_nodes(
    folder: Path, prepared: Prepared, patience: float = 20.0, **settings: Any
) -> AsyncIterator[SmallSite]:
    """A site with a fifth node, which has two data nics on different switches, and no BMC."""
    listening = CablingSettings(listen_timeout=patience)
    async with small_site(folder, prepared, cabling=listening, **settings) as site:
        await site.call("nic.set", node="node-1", nic="eth0", mac=OTHER)
        nics = [
            {"nic": nic, "mac": MACS[nic], "switch": switch, "port": port}
            for nic, (switch, port) in PLACES.items()
        ]
        await site.call("node.register", node="node-5", nics=nics)
        for nic, mac in MACS.items():
            plug(site, nic, mac)
        yield site


@pytest.fixture
async def site(tmp_path: Path, prepared: Prepared) -> AsyncIterator[SmallSite]:
    async with five_nodes(tmp_path, prepared) as site:
        yield site


@pytest.fixture
async def hasty(tmp_path: Path, prepared: Prepared) -> AsyncIterator[SmallSite]:
    """A site where a proof does not wait for a nic that says nothing."""
    async with five_nodes(tmp_path, prepared, patience=0.2) as site:
        yield site


def carried(site: SmallSite, nic: str) -> Any:
    switch, port = PLACES[nic]
    return site.switches[switch].carried(full(port))


def open_ports(site: SmallSite) -> list[str]:
    return [nic for nic in PLACES if carried(site, nic) != NOTHING]


async def until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 - nothing signals what a switch is told
        await asyncio.sleep(0.01)


async def begin(site: SmallSite, node: str = "node-5") -> int:
    return int((await site.call("cabling.prove", node=node))["job"])


async def prove(site: SmallSite, node: str = "node-5") -> dict[str, Any]:
    """Prove a node's cabling; return the finished job."""
    return await site.finished(await begin(site, node))


async def proof_of(site: SmallSite, node: str = "node-5") -> dict[str, Any]:
    shown = await site.call("cabling.show", node=node)
    result: dict[str, Any] = shown["proof"]
    return result


async def check_given_back(site: SmallSite, node: str = "node-5") -> None:
    """Check that the node is free, its ports are parked and saved, and the VLAN is nobody's."""
    assert open_ports(site) == []
    assert (await site.call("node.show", node=node))["state"] == "free"
    assert (await site.rows("SELECT * FROM vlan_claim")) == []
    assert (await site.rows("SELECT * FROM proving")) == []
    for switch in site.switches.values():
        assert FIRST not in switch.running.vlans
        assert FIRST not in switch.startup.vlans  # type: ignore[union-attr]
    assert (await site.call("plan.show"))["empty"]


async def test_a_node_that_is_cabled_as_registered_is_proven_with_evidence(
    site: SmallSite,
) -> None:
    seen: list[list[str]] = []
    changed = [switch.on_change for switch in site.switches.values()]

    def note(each: Callable[..., None]) -> Callable[..., None]:
        def and_note(*args: Any) -> None:
            seen.append(open_ports(site))
            each(*args)

        return and_note

    for switch, each in zip(site.switches.values(), changed, strict=True):
        assert each is not None
        switch.on_change = note(each)
    job = await prove(site)
    assert (job["state"], job["kind"]) == ("succeeded", "prove"), job["error"]
    assert ["eth0"] in seen
    assert ["eth1"] in seen
    assert max(map(len, seen)) == 1, "two ports were open at once"
    assert {step["state"] for step in job["steps"]} == {"done"}
    await check_given_back(site)

    proof = await proof_of(site)
    assert (proof["proven"], proof["void"], proof["why"]) == (True, False, None)
    assert (proof["job"], proof["by"]) == (job["job"], job["user"])
    assert [nic["state"] for nic in proof["nics"]] == ["right", "right"]
    assert f"sw1 MAC table: {MACS['eth0']} at Gi1/0/6 on VLAN {FIRST}" in proof["nics"][0]["said"]
    assert "no BMC" in proof["notes"][0]
    assert (await site.call("node.show", node="node-5"))["proven"] == proof["at"]


async def test_nothing_is_saved_while_a_port_is_open(site: SmallSite) -> None:
    """A switch that loses its power then comes back with the port parked."""
    plug(site, "eth0", None)
    job = await begin(site)
    await until(lambda: open_ports(site) == ["eth0"])
    assert site.switches["sw1"].startup is not None
    assert site.switches["sw1"].startup.carried(full("Gi1/0/6")) == NOTHING
    await site.call("job.cancel", job=job)
    await site.finished(job)


async def test_a_nic_in_the_wrong_port_is_found_and_named(hasty: SmallSite) -> None:
    plug(hasty, "eth0", MACS["eth1"])
    plug(hasty, "eth1", OTHER)
    job = await prove(hasty)
    assert job["state"] == "failed"
    assert "node-5:eth1 was seen on its port sw1 Gi1/0/6" in job["error"]
    proof = await proof_of(hasty)
    assert proof["proven"] is False
    eth0, eth1 = proof["nics"]
    assert (eth0["state"], eth1["state"]) == ("swapped", "swapped")
    assert any(MACS["eth1"] in line for line in eth0["said"])
    assert (await hasty.call("system.health"))["swapped"] == 3  # node-1's nic is not where it was
    await check_given_back(hasty)


async def test_a_nic_that_says_nothing_is_not_proven_and_an_unknown_one_is_quoted(
    hasty: SmallSite,
) -> None:
    plug(hasty, "eth0", None)
    plug(hasty, "eth1", "52:54:00:00:00:99")
    job = await prove(hasty)
    assert job["state"] == "failed"
    eth0, eth1 = (await proof_of(hasty))["nics"]
    assert (eth0["state"], eth1["state"]) == ("not_seen", "unknown")
    assert "nothing was heard on its port" in eth0["why"]
    assert "52:54:00:00:00:99 was heard on its port, which nobody registered" in eth1["why"]
    await check_given_back(hasty)


async def test_a_cancelled_proof_parks_what_it_opened_and_proves_nothing(
    site: SmallSite,
) -> None:
    plug(site, "eth0", None)
    job = await begin(site)
    await until(lambda: open_ports(site) == ["eth0"])
    await site.call("job.cancel", job=job)
    ended = await site.finished(job)
    assert ended["state"] == "cancelled"
    assert await proof_of(site) is None
    await check_given_back(site)


async def test_a_proof_that_is_ended_by_force_is_followed_by_a_job_that_parks(
    site: SmallSite,
) -> None:
    plug(site, "eth0", None)
    job = await begin(site)
    await until(lambda: open_ports(site) == ["eth0"])
    await site.call("job.cancel", job=job, force=True)
    assert (await site.finished(job))["state"] == "cancelled"
    newest = (await site.call("job.list", limit=1))["items"][0]
    assert (await site.finished(newest["job"]))["state"] == "succeeded"
    await check_given_back(site)


async def test_after_a_restart_of_the_daemon_the_port_is_parked_and_the_proof_goes_on(
    site: SmallSite,
) -> None:
    plug(site, "eth0", None)
    job = await begin(site)
    await until(lambda: open_ports(site) == ["eth0"])
    plug(site, "eth0", MACS["eth0"])
    await site.restart()
    ended = await site.finished(job)
    assert ended["state"] == "succeeded", ended["error"]
    assert (await proof_of(site))["proven"]
    await check_given_back(site)


async def test_a_port_that_cannot_be_parked_keeps_the_node_and_the_vlan(
    site: SmallSite,
) -> None:
    plug(site, "eth0", None)
    job = await begin(site)
    await until(lambda: open_ports(site) == ["eth0"])
    await site.switches["sw1"].stop()
    await site.call("job.cancel", job=job)
    ended = await site.finished(job)
    assert ended["state"] == "failed"
    assert "sw1" in ended["error"]
    for listed in (await site.call("job.list"))["items"]:
        await site.finished(listed["job"])
    assert (await site.call("node.show", node="node-5"))["state"] == "unconfirmed"
    assert (await site.refused("node.allocate", project="red", node="node-5")).kind == "conflict"
    assert await site.network("red", "net") != FIRST
    await site.switches["sw1"].start()
    await site.call("network.delete", project="red", network="net")
    await site.sql("UPDATE switch SET port = ? WHERE name = 'sw1'", (site.switches["sw1"].port,))
    await site.succeeds()
    await check_given_back(site)


async def test_while_it_is_proved_a_node_is_nobodys_and_its_nics_are_fixed(
    site: SmallSite,
) -> None:
    plug(site, "eth0", None)
    job = await begin(site)
    await until(lambda: open_ports(site) == ["eth0"])
    shown = await site.tenant("rita").call("node.show", node="node-5")
    assert (shown["state"], shown["waiting"]) == ("unconfirmed", "its cabling is being proved")
    assert (await site.call("cabling.show", node="node-5"))["proving"] == job
    for method, params in {
        "node.allocate": {"project": "red"},
        "nic.set": {"nic": "eth0", "mac": "52:54:00:00:00:99"},
        "nic.register": {"nic": "eth2"},
        "nic.delete": {"nic": "eth1"},
        "node.delete": {},
        "cabling.prove": {},
    }.items():
        refused = await site.refused(method, node="node-5", **params)
        assert refused.kind == "conflict", method
        assert "proved" in refused.message, method
    await site.network("red", "net")
    [(vlan,)] = await site.rows("SELECT vlan FROM vlan_claim WHERE label = 'red/net'")
    assert vlan != FIRST
    plan = await site.call("plan.show")
    assert {step["kind"] for step in plan["steps"]} <= {"config.save"}, "the site leaves it alone"
    assert (await site.succeeds())["state"] == "succeeded"
    assert open_ports(site) == ["eth0"]
    await site.call("job.cancel", job=job)
    await site.finished(job)


async def test_only_free_nodes_with_a_port_are_proved(site: SmallSite) -> None:
    await site.hold_nodes("red", "node-1")
    held = await site.refused("cabling.prove", node="node-1")
    assert held.message == "Only the cabling of a free node can be proved, and node-1 is held by" \
        " project red."  # fmt: skip
    await site.call("node.register", node="node-6", nics=[{"nic": "eth0"}])
    assert "no data nic" in (await site.refused("cabling.prove", node="node-6")).message


@pytest.mark.parametrize("way", ["mac", "place", "new", "gone"])
async def test_with_require_proof_only_a_proof_that_still_holds_lets_a_node_be_allocated(
    tmp_path: Path, prepared: Prepared, way: str
) -> None:
    policy = Policy(require_proof=True)
    async with five_nodes(tmp_path, prepared, policy=policy) as site:
        rita = site.tenant("rita")
        refused = await site.refused("node.allocate", project="red", node="node-5")
        assert refused.message.endswith("proves it with  cabling prove node-5")
        none = await site.refused("node.allocate", project="red", count=1)
        assert "only 0 free nodes whose cabling is proven" in none.message
        assert (await prove(site))["state"] == "succeeded"
        assert (await rita.call("node.allocate", project="red", count=1))["nodes"] == ["node-5"]
        shown = await rita.call("cabling.show", node="node-5")
        assert shown["proof"]["proven"]
        await site.call("node.release", node="node-5")
        match way:
            case "mac":
                await site.call("nic.set", node="node-5", nic="eth0", mac="52:54:00:00:00:99")
            case "place":
                await site.call("nic.set", node="node-5", nic="eth0", switch="sw1", port="Gi1/0/8")
            case "new":
                await site.call("nic.register", node="node-5", nic="eth2")
            case "gone":
                await site.call("nic.delete", node="node-5", nic="eth1")
        again = await site.refused("node.allocate", project="red", node="node-5")
        assert again.message == refused.message
        assert (await proof_of(site))["void"] is True
        assert (await site.call("node.show", node="node-5"))["proven"] is None


async def test_a_nic_that_is_seen_elsewhere_after_the_proof_contradicts_it(
    site: SmallSite,
) -> None:
    assert (await prove(site))["state"] == "succeeded"
    await site.hold_nodes("red", "node-1")
    await site.network("red", "net")
    await site.connect("node-1", "net")
    await site.succeeds("red")
    site.switches["sw1"].plug("GigabitEthernet1/0/2", Plugged(macs=(MACS["eth0"],)))
    await site.call("cabling.check")
    proof = await proof_of(site)
    assert (proof["proven"], proof["void"]) == (False, False)


@pytest.mark.slow
async def test_the_node_is_booted_from_the_network_and_off_again_afterwards(
    tmp_path: Path, prepared: Prepared
) -> None:
    """Its nics speak only while it is on; then an admin takes its BMC away from HaaS."""
    quick = BmcSettings(answer_timeout=10.0, settle_timeout=5.0, off_time=0.0)
    async with (
        ipmi_sim(tmp_path / "bmc") as bmc,
        five_nodes(tmp_path, prepared, bmc=quick) as site,
    ):
        site.credentials["node-5"] = Credential(username=USER, password=PASSWORD)
        await site.call("bmc.set", node="node-5", **bmc.params)

        async def speak_while_on() -> None:
            while True:
                for switch, port in PLACES.values():
                    site.switches[switch].power(full(port), bmc.power == "on")
                await asyncio.sleep(0.02)

        machine = asyncio.create_task(speak_while_on())
        job = await prove(site)
        assert job["state"] == "succeeded", job["error"]
        assert (bmc.power, bmc.boot) == ("off", "pxe")
        assert bmc.log == ["boot pxe", "power 1", "power 0"]
        assert (await proof_of(site))["notes"] == []
        assert (await site.call("node.show", node="node-5"))["power"] == "off"

        bmc.power = "on"
        assert (await prove(site))["state"] == "succeeded"
        assert bmc.log[3:] == ["boot pxe", "power 0", "power 1"]
        assert bmc.power == "on"
        machine.cancel()


async def test_each_port_of_a_bond_is_opened_alone_and_shows_the_bonds_address(
    tmp_path: Path, prepared: Prepared
) -> None:
    async with five_nodes(tmp_path, prepared) as site:
        await site.call("nic.delete", node="node-5", nic="eth0")
        await site.call("nic.delete", node="node-5", nic="eth1")
        ports = [{"switch": switch, "port": port} for switch, port in PLACES.values()]
        await site.call(
            "nic.register", node="node-5", nic="bond0", mac=MACS["eth0"], ports=ports,
            bond="active-backup",
        )  # fmt: skip
        plug(site, "eth1", MACS["eth0"])
        job = await prove(site)
        assert job["state"] == "succeeded", job["error"]
        nics = (await proof_of(site))["nics"]
        assert [(nic["nic"], nic["switch"], nic["state"]) for nic in nics] == [
            ("bond0", "sw1", "right"),
            ("bond0", "sw2", "right"),
        ]
        await check_given_back(site)
        plug(site, "eth1", OTHER)
        job = await prove(site)
        assert job["state"] == "failed"
        assert "node-1:eth0 was seen on its port sw2 Gi1/0/6" in job["error"]
