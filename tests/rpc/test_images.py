"""Base images that other hypervisors lack: copied from the master before headnodes are made."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from haas_rpcd.errors import HaasError
from haas_rpcd.sim.host import SimHost
from haas_schemas.event import JobEvent, StepUpdate
from tests.rpc.small_site import Prepared, SmallSite, small_site, states
from tests.rpc.test_hypervisors import HV2, create, headnode_on, hv2, known, state
from tests.rpc.test_reboot import until

pytestmark = pytest.mark.slow


@pytest.fixture
async def two(tmp_path: Path, prepared: Prepared) -> AsyncIterator[SmallSite]:
    """A site with the hypervisor hv2, which has no image; red has a headnode on each."""
    async with small_site(tmp_path, prepared) as site:
        await site.call("hypervisor.register", **HV2)
        hv2(site).images.clear()
        await site.network("red", "net")
        await headnode_on(site, "master", "here")
        await headnode_on(site, "hv2", "there")
        yield site


@pytest.fixture
def bare(two: SmallSite) -> SimHost:
    """The hypervisor without an image."""
    return hv2(two)


@pytest.fixture
def copied(two: SmallSite) -> list[StepUpdate]:
    """What is published of copies."""
    found: list[StepUpdate] = []

    def note(event: JobEvent) -> None:
        if event.step is not None and event.step.bytes is not None:
            found.append(event.step)

    two.daemon.events.subscribe_all_jobs(note)
    return found


async def test_a_hypervisor_gets_the_image_before_its_headnodes_are_made(
    two: SmallSite, bare: SimHost
) -> None:
    await headnode_on(two, "hv2", "second")
    await two.succeeds("red")
    assert bare.copied == ["base-headnode"], "once for both headnodes"
    assert bare.domain("red/there").running

    async def is_shown() -> bool:
        shown = await two.call("hypervisor.show", hypervisor="hv2")
        return bool(shown["images"] == ["base-headnode"])

    await until(is_shown)
    await headnode_on(two, "hv2", "third")
    await two.succeeds("red")
    assert bare.copied == ["base-headnode"]

    two.host.contents["base-headnode"] = "changed"
    await headnode_on(two, "hv2", "fourth")
    await two.succeeds("red")
    assert bare.copied == ["base-headnode"] * 2
    assert two.host.copied == [], "the master is where they are copied from"


async def test_the_progress_of_a_copy_is_that_of_the_headnodes_step(
    two: SmallSite, copied: list[StepUpdate]
) -> None:
    await two.succeeds("red")
    assert {(step.device, step.kind, step.state) for step in copied} == {
        ("libvirt:hv2", "headnode.define", "sending")
    }
    assert [step.bytes.done for step in copied if step.bytes] == [n * 2**28 for n in range(5)]
    assert {step.bytes.total for step in copied if step.bytes} == {2**30}
    assert copied[2].line == "copy base-headnode: 512 of 1024 MiB"


async def test_a_copy_holds_up_nothing_else_on_its_hypervisor(
    two: SmallSite, bare: SimHost, copied: list[StepUpdate]
) -> None:
    await two.succeeds("red")
    bare.images.clear()
    copied.clear()
    bare.copy_seconds = 3600.0
    await two.network("blue", "lan")
    await headnode_on(two, "hv2", "desk", "blue", "lan")
    job = await two.begin("blue")

    async def has_begun() -> bool:
        return bool(copied)

    await until(has_begun)
    [_, host] = (await two.call("system.health"))["hypervisors"]
    assert host["reachable"] is True
    assert [one["image"] for one in host["copying"]] == ["base-headnode"]
    assert host["memory"] == bare.memory
    await two.call("headnode.stop", project="red", headnode="there")
    await two.succeeds("red")
    assert await state(two, "there") == "stopped"
    await two.call("job.cancel", job=job, force=True)
    assert (await two.finished(job))["state"] == "cancelled"


async def test_a_hypervisor_that_dies_during_a_copy_fails_only_its_own_steps(
    two: SmallSite, bare: SimHost
) -> None:
    bare.copy_seconds = 0.2
    bare.libvirt_down = True
    job = await two.apply("red")
    assert states(job, "libvirt:hv2") == ["failed", "skipped"]
    assert states(job, "libvirt") == ["done", "done"]
    assert bare.images == set(), "what was interrupted is not used"

    bare.start_libvirt()
    bare.copy_seconds = 0.0
    await two.succeeds("red")


async def test_an_image_that_a_hypervisor_lacks_keeps_no_headnode_from_it(
    two: SmallSite, bare: SimHost
) -> None:
    await two.call("headnode.delete", project="red", headnode="there")
    await known(two, "master", "hv2")
    bare.report("libvirt")
    assert await create(two, "more") == "hv2", "the project has one on the master"
    two.host.images.clear()
    two.host.report("libvirt")

    async def is_read() -> bool:
        return not two.daemon.engine.capacities.image_sizes()

    await until(is_read)
    with pytest.raises(HaasError, match="No hypervisor has the image base-headnode"):
        await create(two, "another")
