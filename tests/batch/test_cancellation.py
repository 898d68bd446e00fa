"""A cancellation of the caller is never lost, whatever it is waiting for.

The dangerous moment is the one loop tick between the end of an inner task that was cancelled and
the return of its caller. The tests put the caller's cancellation there, by a done callback of the
inner task, which runs before the caller resumes.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from haas_console.core.client import Client
from haas_console.core.config import Endpoint
from haas_console.core.sync import InventorySync
from haas_console.core.target import Target
from haas_console.core.tasks import cancel_and_wait

if TYPE_CHECKING:
    from tests.batch.conftest import Daemon


def _endpoint(daemon: Daemon) -> Endpoint:
    return Endpoint(str(daemon.socket), None, "the test")


def _cancel_after(inner: asyncio.Task[Any], caller: asyncio.Task[Any]) -> None:
    """Cancel the caller after the inner task has ended, but before the caller resumes."""
    inner.add_done_callback(lambda _: caller.cancel())


async def _endless() -> None:
    await asyncio.Event().wait()


async def _fails_when_cancelled() -> None:
    try:
        await _endless()
    except asyncio.CancelledError:
        raise OSError("the socket was gone already") from None


# --- the helper -----------------------------------------------------------------------------------


@pytest.mark.parametrize("inner", [_endless, _fails_when_cancelled])
async def test_a_task_is_cancelled_without_an_error(inner: Callable[[], Any]) -> None:
    task = asyncio.create_task(inner())
    await asyncio.sleep(0)
    await cancel_and_wait(task)
    assert task.done()


async def test_a_task_that_has_ended_keeps_its_result() -> None:
    task = asyncio.create_task(asyncio.sleep(0, "answer"))
    await task
    await cancel_and_wait(task)
    assert task.result() == "answer"


@pytest.mark.parametrize("inner", [_endless, _fails_when_cancelled])
async def test_the_caller_s_cancellation_just_after_the_inner_one_is_raised(
    inner: Callable[[], Any],
) -> None:
    task = asyncio.create_task(inner())
    await asyncio.sleep(0)
    caller = asyncio.create_task(cancel_and_wait(task))
    _cancel_after(task, caller)
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert task.done()


async def test_the_caller_s_cancellation_during_the_inner_one_is_raised() -> None:
    async def inner() -> None:
        try:
            await _endless()
        finally:
            caller.cancel()
            await asyncio.sleep(0)

    task = asyncio.create_task(inner())
    await asyncio.sleep(0)
    caller = asyncio.create_task(cancel_and_wait(task))
    with pytest.raises(asyncio.CancelledError):
        await caller
    await asyncio.wait({task})


# --- where it is used -----------------------------------------------------------------------------


@pytest.mark.slow
async def test_closing_a_connection_can_be_cancelled_at_every_step(demo_daemon: Daemon) -> None:
    for step in itertools.count(1):  # at 0 it would not have started
        client = await Client.connect(_endpoint(demo_daemon))
        closing = asyncio.create_task(client.close())
        for _ in range(step):
            await asyncio.sleep(0)
        if not closing.cancel():
            break
        with pytest.raises(asyncio.CancelledError):
            await closing
        assert asyncio.all_tasks() == {asyncio.current_task()}  # the reader has ended
    assert step > 2


@pytest.mark.slow
@pytest.mark.parametrize("ticks", range(10))
async def test_a_console_that_quits_while_its_screen_fails_ends(
    demo_daemon: Daemon, ticks: int
) -> None:
    sync = InventorySync(Target(_endpoint(demo_daemon)))
    is_live = asyncio.Event()
    sync.watch(lambda _: is_live.set() if sync.status.state == "live" else None)
    running = asyncio.create_task(sync.run())
    async with asyncio.timeout(60):
        await is_live.wait()

    def fail(_changes: frozenset[str]) -> None:
        stop()
        _cancel_in(ticks, running)
        raise RuntimeError("No screens on stack")

    stop = sync.watch(fail)
    other = await Client.connect(_endpoint(demo_daemon))
    await other.call("project.create", {"project": f"quits-{ticks}"})
    await other.close()
    done, _ = await asyncio.wait({running}, timeout=60)
    running.cancel()
    assert done, "it went on after it was cancelled"
    assert running.cancelled()


def _cancel_in(ticks: int, task: asyncio.Task[Any]) -> None:
    """Cancel a task after this many iterations of the loop."""
    if ticks:
        asyncio.get_running_loop().call_soon(_cancel_in, ticks - 1, task)
    else:
        task.cancel()
