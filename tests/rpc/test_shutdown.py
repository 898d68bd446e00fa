"""The daemon is stopped while jobs run: they end, or go on at the next start, within its limit."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from haas_rpcd.config import SwitchSettings
from tests.rpc.small_site import Prepared, SmallSite, access, small_site

pytestmark = pytest.mark.slow


async def stage(site: SmallSite) -> None:
    await site.hold_nodes("red", "node-1")
    await site.network("red", "net")
    await site.connect("node-1", "net")


async def state(site: SmallSite, job: int) -> str:
    [[found]] = await site.rows("SELECT state FROM job WHERE id = ?", (job,))
    return str(found)


async def test_a_job_ends_before_the_daemon_does_and_the_queued_one_at_the_next_start(
    site: SmallSite,
) -> None:
    await stage(site)
    held = site.wires["sw1"].hold("^switchport access vlan 100\r")
    running = await site.begin("red")
    await held.wait()
    queued = await site.begin("red")
    await site.http.close()
    stopping = asyncio.create_task(site.daemon.stop(within=60.0))
    held.release()
    await stopping
    assert await state(site, running) == "succeeded"
    assert await state(site, queued) == "queued"
    await site.start()
    assert (await site.finished(queued))["state"] == "succeeded"


async def test_a_switch_that_hangs_does_not_keep_the_daemon_from_ending(
    tmp_path: Path, prepared: Prepared
) -> None:
    """The job is planned again at the next start."""
    patient = SwitchSettings(answer_timeout=600.0, busy_timeout=0.0)
    async with small_site(tmp_path, prepared, switches=patient) as site:
        await stage(site)
        held = site.wires["sw1"].hold("^switchport access vlan 100\r")
        job = await site.begin("red")
        await held.wait()
        await site.http.close()
        async with asyncio.timeout(60):  # far less than the switch is given to answer
            await site.daemon.stop(within=0.5)
        assert await state(site, job) == "running"
        held.release()
        await site.start()
        assert (await site.finished(job))["state"] == "succeeded"
        assert site.carried("node-1") == access(100)
