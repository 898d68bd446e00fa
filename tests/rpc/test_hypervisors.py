"""Headnodes on more than one hypervisor: bridges where they are needed, and none waits for a dead
one.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from haas_rpcd.errors import HaasError
from haas_rpcd.hasettings import HaSettings
from haas_rpcd.sim.host import SimHost
from tests.rpc.small_site import Prepared, SmallSite, small_site, states
from tests.rpc.test_reboot import until

pytestmark = pytest.mark.slow

HV2 = {"hypervisor": "hv2", "uri": "qemu+ssh://haas@hv2.example/system", "trunk_nic": "enp1s0"}


@pytest.fixture
async def two(tmp_path: Path, prepared: Prepared) -> AsyncIterator[SmallSite]:
    """A site with the hypervisor hv2; red has a network, and a headnode on each hypervisor."""
    async with small_site(tmp_path, prepared) as site:
        await site.call("hypervisor.register", **HV2)
        await site.network("red", "net")
        for headnode, hypervisor in (("here", "master"), ("there", "hv2")):
            await headnode_on(site, hypervisor, headnode)
        yield site


async def headnode_on(
    site: SmallSite, hypervisor: str, headnode: str, project: str = "red", network: str = "net"
) -> None:
    name = {"project": project, "headnode": headnode}
    await site.call("headnode.create", **name, hypervisor=hypervisor)
    await site.call("headnode.connect", **name, network=network)


async def state(site: SmallSite, headnode: str, project: str = "red") -> str:
    shown = await site.call("headnode.show", project=project, headnode=headnode)
    return str(shown["state"])


async def becomes(site: SmallSite, headnode: str, wanted: str) -> None:
    async def it_is() -> bool:
        return await state(site, headnode) == wanted

    await until(it_is)


def hv2(site: SmallSite) -> SimHost:
    return site.remotes.host("hv2")


async def test_the_master_is_the_first_hypervisor_and_stays_one(site: SmallSite) -> None:
    assert (await site.call("hypervisor.register", **HV2))["hypervisor"] == "hv2"
    listed = (await site.call("hypervisor.list"))["items"]
    assert [(one["hypervisor"], one["trunk_nic"]) for one in listed] == [
        ("master", "eth0"),
        ("hv2", "enp1s0"),
    ]
    first = await site.call("hypervisor.list", limit=1)
    assert [one["hypervisor"] for one in first["items"]] == ["master"]
    rest = await site.call("hypervisor.list", limit=1, after=first["next"])
    assert [one["hypervisor"] for one in rest["items"]] == ["hv2"]
    assert (await site.call("hypervisor.show", hypervisor="master"))["libvirt"] is True
    for verb in ("delete", "retire"):
        refusal = await site.refused(f"hypervisor.{verb}", hypervisor="master")
        assert refusal.kind == "conflict"
    assert (await site.refused("hypervisor.register", **HV2 | {"hypervisor": "master"})).kind == (
        "invalid_params"
    )
    assert (await site.call("hypervisor.delete", hypervisor="hv2"))["deleted"]
    assert (await site.refused("hypervisor.show", hypervisor="hv2")).kind == "not_found"


async def test_of_two_masters_no_headnode_is_on_the_one_that_serves(
    tmp_path: Path, prepared: Prepared
) -> None:
    """After a takeover it would be missing, and might run on at the former master."""
    ha = HaSettings(etcd=("https://north:2379",))
    async with small_site(tmp_path, prepared, ha=ha) as site:
        name = {"project": "red", "headnode": "desk"}
        refusal = await site.refused("headnode.create", **name)
        assert (refusal.kind, "hypervisor register" in refusal.message) == ("unavailable", True)
        await site.call("hypervisor.register", **HV2)
        assert (await site.call("headnode.create", **name))["hypervisor"] == "hv2"
        for verb in ("create", "move"):
            refusal = await site.refused(f"headnode.{verb}", **name, hypervisor="master")
            assert refusal.kind == "conflict"
            assert "two masters" in refusal.message

        assert (await site.call("system.health"))["problems"] == []
        await site.sql("UPDATE headnode SET hypervisor = 'master'")  # of when it was alone
        [problem] = (await site.call("system.health"))["problems"]
        assert problem.startswith("The hypervisor master has headnodes (1)")
        moved = await site.call("headnode.move", **name, hypervisor="hv2")
        assert moved["hypervisor"] == "hv2"
        assert (await site.call("system.health"))["problems"] == []


async def test_a_switch_and_a_hypervisor_have_different_names(site: SmallSite) -> None:
    refusal = await site.refused("hypervisor.register", **HV2 | {"hypervisor": "sw1"})
    assert "There is a switch sw1 already" in refusal.message
    await site.call("hypervisor.register", **HV2)
    switch = {"dialect": "cisco_ios", "host": "192.0.2.7"}
    refusal = await site.refused("switch.register", switch="hv2", **switch)
    assert "There is a hypervisor hv2 already" in refusal.message
    imported = await site.refused("site.import", site={"switches": {"hv2": switch}})
    assert "There is a hypervisor hv2 already" in imported.message


@pytest.mark.parametrize(
    ("uri", "ssh", "sentence"),
    [
        ("qemu:///system", None, "name it, as in --ssh"),
        ("xen+ssh://hv2/system", None, "HaaS knows qemu+ssh://HOST/system"),
        ("qemu+ssh:///system", None, "wants a host"),
        ("qemu+ssh://haas:secret@hv2/system", None, "belongs in the credentials file"),
        ("qemu+ssh://hv2/system", "hv2 -o x", "is not [USER@]HOST[:PORT]"),
        ("qemu+ssh://hv2/system", "hv2:99999", "is not [USER@]HOST[:PORT]"),
    ],
)
async def test_a_place_that_cannot_be_is_refused(
    site: SmallSite, uri: str, ssh: str | None, sentence: str
) -> None:
    refusal = await site.refused("hypervisor.register", **HV2 | {"uri": uri}, ssh=ssh)
    assert refusal.kind == "invalid_params"
    assert sentence in refusal.message
    assert "secret" not in refusal.message


async def test_a_network_has_a_bridge_on_each_hypervisor_that_needs_it(two: SmallSite) -> None:
    plan = await two.call("plan.show", project="red")
    made = [(step["device"], step["kind"]) for step in plan["steps"]]
    assert ("master", "bridge.create") in made
    assert ("hv2", "bridge.create") in made
    assert ("libvirt", "headnode.define") in made
    assert ("libvirt:hv2", "headnode.define") in made
    [bridge] = [step for step in plan["steps"] if step["device"] == "hv2"]
    assert any("enp1s0" in line for line in bridge["lines"])

    await two.succeeds("red")

    assert two.host.bridges == hv2(two).bridges == {100}
    assert two.host.domain("red/here").running
    assert hv2(two).domain("red/there").running
    shown = await two.call("headnode.show", project="red", headnode="there")
    assert (shown["state"], shown["hypervisor"]) == ("running", "hv2")
    usage = await two.call("hypervisor.show", hypervisor="hv2")
    assert (usage["headnodes"], usage["bridges"]) == (1, 1)
    assert (await two.refused("hypervisor.delete", hypervisor="hv2")).kind == "conflict"

    await two.call("headnode.delete", project="red", headnode="there")
    await two.succeeds("red")
    assert (two.host.bridges, hv2(two).bridges) == ({100}, set())
    assert (await two.call("hypervisor.delete", hypervisor="hv2"))["deleted"]


async def test_a_dead_hypervisor_holds_up_only_its_own_headnodes(two: SmallSite) -> None:
    await two.succeeds("red")
    hv2(two).die()
    await becomes(two, "there", "unknown")
    assert await state(two, "here") == "running"
    health = await two.call("system.health")
    assert any("Hypervisor hv2 can't be reached" in problem for problem in health["problems"])
    assert [(one["hypervisor"], one["libvirt"]) for one in health["hypervisors"]] == [
        ("master", True),
        ("hv2", False),
    ]

    await two.network("blue", "lan")
    await headnode_on(two, "master", "desk", "blue", "lan")
    await two.succeeds("blue")
    await two.call("headnode.stop", project="red", headnode="here")
    await two.call("headnode.stop", project="red", headnode="there")
    job = await two.apply("red")
    assert states(job, "libvirt") == ["done"]
    assert states(job, "libvirt:hv2") == ["failed"]
    assert await state(two, "here") == "stopped"

    await two.restart()
    assert await state(two, "there") == "unknown"
    assert await state(two, "here") == "stopped"
    hv2(two).come_back()
    await becomes(two, "there", "running")


async def test_what_a_reboot_takes_from_a_hypervisor_is_restored(two: SmallSite) -> None:
    await two.succeeds("red")
    hv2(two).reboot()

    async def is_back() -> bool:
        return hv2(two).bridges == {100} and await state(two, "there") == "running"

    await until(is_back)
    assert two.host.domain("red/here").running


async def test_a_bridge_that_is_removed_by_hand_is_made_again_where_it_was(two: SmallSite) -> None:
    await two.succeeds("red")
    hv2(two).remove_bridge(100)

    async def is_back() -> bool:
        return hv2(two).bridges == {100}

    await until(is_back)
    jobs = (await two.call("job.list"))["items"]
    [repair] = [job["job"] for job in jobs if job["kind"] == "repair"]
    steps = (await two.call("job.show", job=repair))["steps"]
    assert [(step["device"], step["kind"]) for step in steps] == [("hv2", "bridge.create")]


async def test_nobody_waits_for_a_retired_hypervisor_and_nothing_of_it_is_believed(
    two: SmallSite,
) -> None:
    await two.succeeds("red")
    hv2(two).die()
    shown = await two.call("hypervisor.retire", hypervisor="hv2", force=True)
    assert shown["retired"]
    assert shown["fenced"] == "admin"
    assert await state(two, "there") == "unknown"
    plan = await two.call("plan.show", project="red")
    assert {step["device"] for step in plan["steps"]} == {"sw1"}, "VLAN 100 has one end less"
    assert (await two.call("drift.check"))["unreachable"] == []
    health = await two.call("system.health")
    assert not [problem for problem in health["problems"] if "hv2" in problem]
    refusal = await two.refused("headnode.create", project="red", headnode="more", hypervisor="hv2")
    assert "is retired" in refusal.message

    await two.call("headnode.delete", project="red", headnode="here")
    await two.call("headnode.delete", project="red", headnode="there")
    await two.call("network.delete", project="red", network="net")
    await two.succeeds("red")
    await two.succeeds()
    assert 100 in [vlan for (vlan,) in await two.rows("SELECT vlan FROM vlan_claim")], (
        "the dead hypervisor may carry it still"
    )
    assert (await two.refused("hypervisor.delete", hypervisor="hv2")).kind == "conflict"
    assert (await two.call("hypervisor.delete", hypervisor="hv2", force=True))["deleted"]
    assert await two.rows("SELECT vlan FROM vlan_claim") == []


async def test_a_tenant_may_not_choose_whose_neighbour_it_is(two: SmallSite) -> None:
    rita = two.tenant("rita")
    answers: list[Any] = []
    for hypervisor in ("master", "hv2", "hv9"):
        with pytest.raises(HaasError) as refusal:
            await rita.call(
                "headnode.create", project="red", headnode="more", hypervisor=hypervisor
            )
        answers.append((refusal.value.kind, refusal.value.message))
    assert len(set(answers)) == 1
    assert answers[0][0] == "denied"


async def known(site: SmallSite, *hypervisors: str) -> None:
    """Wait until it is known what hypervisors have room for."""

    async def are() -> bool:
        return all(site.daemon.engine.capacities.of(name) is not None for name in hypervisors)

    await until(are)


async def create(site: SmallSite, headnode: str) -> str:
    made = await site.tenant("rita").call("headnode.create", project="red", headnode=headnode)
    return str(made["hypervisor"])


async def test_headnodes_of_a_project_are_spread_over_the_hypervisors(two: SmallSite) -> None:
    await known(two, "master", "hv2")
    places = [await create(two, f"head-{n}") for n in range(4)]
    assert (places.count("master"), places.count("hv2")) == (2, 2)
    await two.succeeds("red")


async def shrink(site: SmallSite, name: str, host: SimHost) -> None:
    """Let a hypervisor have room for one headnode, and wait until that is known."""
    host.memory = 3 * 2**30
    host.report("libvirt")

    async def is_read() -> bool:
        capacity = site.daemon.engine.capacities.of(name)
        return capacity is not None and capacity.memory == host.memory

    await until(is_read)


async def test_a_hypervisor_that_is_full_gets_no_headnode(two: SmallSite) -> None:
    await known(two, "master", "hv2")
    await shrink(two, "hv2", hv2(two))
    assert await create(two, "head-0") == "master", "red/there is to be made on hv2"
    await shrink(two, "master", two.host)
    with pytest.raises(HaasError, match="No hypervisor has the image base-headnode and room"):
        await create(two, "head-1")


async def test_a_hypervisor_that_does_not_answer_gets_no_headnode(two: SmallSite) -> None:
    await known(two, "master", "hv2")
    hv2(two).die()

    async def is_seen() -> bool:
        return two.daemon.engine.sees("hv2") is False

    await until(is_seen)
    assert [await create(two, f"head-{n}") for n in range(3)] == ["master"] * 3


async def test_headnodes_of_a_dead_hypervisor_are_made_anew_elsewhere(two: SmallSite) -> None:
    await two.succeeds("red")
    there = {"project": "red", "headnode": "there"}
    before = await two.call("headnode.show", **there)
    hv2(two).die()
    await two.call("hypervisor.retire", hypervisor="hv2", force=True)

    moved = await two.call("headnode.move", **there, hypervisor="master")
    assert (moved["state"], moved["hypervisor"]) == ("staged", "master")
    await two.succeeds("red")

    after = await two.call("headnode.show", **there)
    assert after == before | {"hypervisor": "master"}
    assert two.host.domain("red/there").running
    assert 100 in [vlan for (vlan,) in await two.rows("SELECT vlan FROM bridge")]
    assert (await two.call("hypervisor.delete", hypervisor="hv2", force=True))["deleted"]
    await two.succeeds("red")


async def test_a_headnode_that_was_not_made_yet_is_put_elsewhere(two: SmallSite) -> None:
    here = {"project": "red", "headnode": "here"}
    assert (await two.call("headnode.move", **here, hypervisor="hv2"))["hypervisor"] == "hv2"
    assert (await two.refused("headnode.move", **here, hypervisor="hv9")).kind == "not_found"
    await two.succeeds("red")
    assert two.host.bridges == set()
    assert {domain.headnode for domain in hv2(two).domains.values()} == {"red/here", "red/there"}


async def test_a_site_file_has_the_hypervisors_and_where_headnodes_are(two: SmallSite) -> None:
    inventory = (await two.call("site.export"))["site"]
    held = (await two.call("site.export", tenants=True))["site"]
    assert '[hypervisors.hv2]\nuri = "qemu+ssh://haas@hv2.example/system"' in inventory
    for name in ("here", "there"):
        await two.call("headnode.delete", project="red", headnode=name)
    await two.call("hypervisor.delete", hypervisor="hv2")

    created = (await two.call("site.import", site=inventory))["created"]
    assert created == ["hypervisor hv2"]
    await two.call("site.import", site=held)

    shown = await two.call("headnode.show", project="red", headnode="there")
    assert shown["hypervisor"] == "hv2"
    other = inventory.replace("enp1s0", "enp2s0")
    assert (await two.refused("site.import", site=other)).kind == "conflict"
