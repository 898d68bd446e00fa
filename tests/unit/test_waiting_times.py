"""Sentences that say how long something was waited for: the figure is what was really waited.

What the daemon was too late to notice, because it was stopped or busy, counts nowhere: see also
``test_patience``.
"""

from __future__ import annotations

import asyncio
import re
import sys
import threading
import time

import pytest

from haas_rpcd.auth.attempts import LIMIT, WINDOW, Attempts
from haas_rpcd.auth.bearer import TooManyAttemptsError
from haas_rpcd.bmc import RegisteredBmc
from haas_rpcd.drivers.bmc.ipmi import IpmiSession
from haas_rpcd.drivers.hypervisor.worker import Worker
from haas_rpcd.drivers.switch.transport import resolve
from haas_rpcd.drivers.switch.transport.telnet import TelnetTransport
from haas_rpcd.engine import hook
from haas_rpcd.errors import DeviceError
from tests.unit.catalyst import catalyst
from tests.unit.dialects.harness import driving

SHORT, LIMITED, LONG = 0.1, 0.3, 0.6
"""Seconds: what is waited for takes; the time-out; for how long the daemon is held up."""


async def test_a_busy_switch_is_asked_until_the_time_that_is_stated() -> None:
    """The next attempt would be due after it: there is one more when it is over."""
    switch = catalyst(vtys=0)
    with pytest.raises(DeviceError) as caught:
        async with driving(switch, busy_timeout=LIMITED):
            pass
    waited = re.search(r"\(Waited (\d+\.?\d*) s\.\)", caught.value.message)
    assert waited is not None
    assert float(waited[1]) >= LIMITED
    assert switch.counters.refused == 2


async def test_a_switch_that_is_not_waited_for_was_not() -> None:
    with pytest.raises(DeviceError, match=r"\(Waited 0 s\.\)"):
        async with driving(catalyst(vtys=0), busy_timeout=0.0):
            pass


async def test_a_name_server_that_is_silent_is_not_taken_for_the_switch() -> None:
    """A switch of which nobody knows the address has not been tried."""
    answered = threading.Event()

    def silent(host: str) -> frozenset[str]:
        answered.wait(60)
        return frozenset()

    with pytest.raises(DeviceError) as caught:
        await resolve("sw1", "sw1.example.org", SHORT, silent)
    assert caught.value.message == (
        "sw1 can't be reached: no name server answered for sw1.example.org within 0.1 s."
        " Check the master's name servers, or register the switch with its IP address."
    )
    await resolve("sw1", "192.0.2.1", SHORT, silent)
    answered.set()


async def test_a_name_that_does_not_exist_is_reported_by_the_connection() -> None:
    with pytest.raises(DeviceError, match=r"can't be reached on no-such-host.invalid port 23 \("):
        await TelnetTransport.connect("sw1", "no-such-host.invalid", 23, 30.0)


async def test_a_bmc_that_is_silent_for_another_time_than_usual() -> None:
    """Logging out has less time than an answer, and the start of our own process has more."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "input()",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    bmc = RegisteredBmc(node="node-1", protocol="ipmi", host="192.0.2.1", port=623)
    session = IpmiSession(bmc, process, timeout=5.0)
    with pytest.raises(DeviceError, match=r"did not answer on 192\.0\.2\.1 port 623 within 0\.1 s"):
        await session.answer("to log out", SHORT)
    process.kill()
    await process.wait()


async def test_a_release_command_that_ended_while_the_daemon_was_held_up_has_ended() -> None:
    asyncio.get_running_loop().call_later(SHORT / 2, time.sleep, LONG)
    run = await hook.run(["sleep"], LIMITED, node=str(SHORT), project="red")
    assert run.outcome == hook.SUCCEEDED


async def test_libvirt_that_answered_while_the_daemon_was_held_up_has_answered() -> None:
    worker = Worker("test", "test:///default")
    asyncio.get_running_loop().call_soon(time.sleep, LONG)
    assert await worker.call(lambda task: time.sleep(SHORT) or "an answer", LIMITED) == "an answer"
    worker.end()


def test_who_is_told_to_try_again_in_some_seconds_is_heard_then() -> None:
    assert "try again in 1 s." in TooManyAttemptsError(0.2).message
    assert "try again in 43 s." in TooManyAttemptsError(42.01).message


def test_the_log_says_for_how_long_an_address_is_not_heard(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The window begins with the first bad token, and not with the last."""
    now = 1000.0
    attempts = Attempts(clock=lambda: now)
    for _ in range(LIMIT - 1):
        attempts.failed("192.0.2.7", "it is wrong")
    now += 20
    attempts.failed("192.0.2.7", "it is wrong")
    left = attempts.wait("192.0.2.7", None)
    assert left == WINDOW - 20
    assert f"192.0.2.7 is not heard for {left:.0f} s" in caplog.text
