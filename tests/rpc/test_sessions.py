"""A switch's session is kept for the next job, replaced when it is lost, and waited for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from haas_rpcd.config import Credential, SwitchSettings
from haas_rpcd.drivers.switch import driver
from haas_rpcd.sim.ios import IosSwitch
from tests.rpc.listening import listening
from tests.rpc.small_site import NOTHING, Prepared, SmallSite, access, small_site

pytestmark = pytest.mark.slow


@pytest.fixture
async def staged(site: SmallSite) -> SmallSite:
    """Red wants node-1 on its network, VLAN 100."""
    await site.hold_nodes("red", "node-1")
    await site.network("red", "net")
    await site.connect("node-1", "net")
    return site


async def moved(site: SmallSite) -> None:
    """Another job for the same switch."""
    await site.call("nic.disconnect", node="node-1", nic="eth0")
    await site.succeeds("red")
    assert site.carried("node-1") == NOTHING


async def test_the_next_job_uses_the_open_session(staged: SmallSite) -> None:
    counters = staged.switches["sw1"].counters
    await staged.succeeds("red")
    logins = counters.logins
    await moved(staged)
    await staged.call("switch.probe", switch="sw1")
    assert counters.logins == logins
    assert [session.line for session in staged.switches["sw1"].sessions] == [0]  # one VTY is used


async def test_a_session_is_closed_at_once_if_keep_session_is_zero(
    tmp_path: Path, prepared: Prepared
) -> None:
    async with small_site(tmp_path, prepared, switches=SwitchSettings(keep_session=0)) as site:
        await site.hold_nodes("red", "node-1")
        await site.network("red", "net")
        await site.connect("node-1", "net")
        await site.succeeds("red")
        logins = site.switches["sw1"].counters.logins
        await moved(site)
        assert site.switches["sw1"].counters.logins == logins + 1


Ends = Callable[[IosSwitch], None]


def reset(switch: IosSwitch) -> None:
    """The switch restarted, and its connections were lost silently."""
    for session in list(switch.sessions):
        session.cut()


def timed_out(switch: IosSwitch) -> None:
    """The switch closes idle sessions."""
    for session in list(switch.sessions):
        session.hang_up()
        session.resume()


ENDS = pytest.mark.parametrize("ends", [reset, timed_out])
IDLE = pytest.mark.parametrize("idle", [0.0, 3600.0])
"""Seconds after which the session is checked before it is used. It ends before or after this."""


async def probed(site: SmallSite) -> None:
    assert (await site.call("switch.probe", switch="sw1"))["prompt"] == "sw1#"


@ENDS
@IDLE
@pytest.mark.parametrize("use", [moved, probed], ids=["a job", "a look"])
async def test_a_session_that_the_switch_closed_is_replaced(
    staged: SmallSite,
    monkeypatch: pytest.MonkeyPatch,
    ends: Ends,
    idle: float,
    use: Callable[[SmallSite], Awaitable[object]],
) -> None:
    monkeypatch.setattr(driver, "CHECK_AFTER_IDLE", idle)
    await staged.succeeds("red")
    counters = staged.switches["sw1"].counters
    logins = counters.logins
    ends(staged.switches["sw1"])
    await use(staged)
    assert counters.logins == logins + 1


async def test_a_session_to_an_old_address_is_not_used(
    staged: SmallSite,
) -> None:
    await staged.succeeds("red")
    before = staged.switches["sw1"].counters.connections
    await staged.sql(
        "UPDATE switch SET port = ? WHERE name = 'sw1'", (staged.switches["sw1"].port,)
    )
    await moved(staged)
    assert staged.switches["sw1"].counters.connections == before + 1
    assert len(staged.switches["sw1"].sessions) == 1  # the one before was closed


async def test_a_session_with_an_old_credential_is_not_used(staged: SmallSite) -> None:
    await staged.succeeds("red")
    staged.credentials["other"] = Credential("nobody", "wr0ng")
    await staged.sql("UPDATE switch SET credential = 'other' WHERE name = 'sw1'")
    await staged.call("nic.disconnect", node="node-1", nic="eth0")
    job = await staged.apply("red")
    assert "sw1 refused the login of nobody" in job["error"]
    await staged.sql("UPDATE switch SET credential = 'lab' WHERE name = 'sw1'")
    await staged.succeeds("red")


# --- a full switch --------------------------------------------------------------------------------


async def fill(switch: IosSwitch) -> list[asyncio.StreamWriter]:
    """Occupy all sessions of the switch."""
    taken = []
    while switch.has_room():
        reader, writer = await asyncio.open_connection("127.0.0.1", switch.port)
        async with asyncio.timeout(20):
            await reader.readuntil(b"Username: ")
        taken.append(writer)
    return taken


async def test_a_job_waits_for_a_free_session_and_says_so(
    tmp_path: Path, prepared: Prepared
) -> None:
    async with small_site(tmp_path, prepared, switches=SwitchSettings(busy_timeout=600)) as site:
        await site.hold_nodes("red", "node-1")
        await site.network("red", "net")
        await site.connect("node-1", "net")
        taken = await fill(site.switches["sw1"])
        async with listening(site) as client:
            job_id = await site.begin("red")
            await client.call("job.subscribe", job=job_id)

            event = await client.until(
                lambda _, event: (
                    event["step"] and "waiting for one" in (event["step"]["line"] or "")
                )
            )

            assert event["step"]["line"] == "# sw1 has no session free: waiting for one"
            assert (await client.call("job.show", job=job_id))["state"] == "running"
        for writer in taken:
            writer.close()
        job = await site.finished(job_id)
        assert job["state"] == "succeeded", job["error"]
        assert site.carried("node-1") == access(100)


async def test_a_job_does_not_wait_for_a_free_session_for_ever(staged: SmallSite) -> None:
    taken = await fill(staged.switches["sw1"])

    job = await staged.apply("red")

    assert job["state"] == "failed"
    assert "sw1 has no session free" in job["error"]
    assert "close one that nobody needs, then apply again" in job["error"]
    for writer in taken:
        writer.close()
    await staged.succeeds("red")
