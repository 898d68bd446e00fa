"""The store's threads: those who wait take turns."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from haas_rpcd.store.turns import FairThreads, in_bulk, on_behalf_of


@pytest.fixture
def thread() -> Iterator[FairThreads]:
    thread = FairThreads(1, "test")
    yield thread
    thread.shutdown(wait=True)


def test_a_greedy_caller_delays_another_by_one_function(thread: FairThreads) -> None:
    go_on = threading.Event()
    ran: list[str] = []
    thread.submit(go_on.wait, 10)
    for party, count in (("greedy", 5), ("modest", 2), ("", 1)):
        with on_behalf_of(party):
            for number in range(count):
                last = thread.submit(ran.append, f"{party}{number}")
    go_on.set()
    with on_behalf_of("greedy"):
        last = thread.submit(ran.append, "end")
    last.result(10)
    assert ran == [
        "greedy0", "modest0", "0", "greedy1", "modest1", "greedy2", "greedy3", "greedy4", "end",
    ]  # fmt: skip


async def test_an_error_reaches_the_one_who_waits(thread: FairThreads) -> None:
    with pytest.raises(ZeroDivisionError):
        await thread.run(lambda: 1 / 0)
    assert await thread.run(lambda: 7) == 7


def test_a_greedy_caller_leaves_a_thread_to_others() -> None:
    threads = FairThreads(3, "test")
    go_on = threading.Event()
    with on_behalf_of("greedy"):
        slow = [threads.submit(go_on.wait, 10) for _ in range(5)]
    with on_behalf_of("modest"):
        assert threads.submit(lambda: 7).result(10) == 7
    assert not any(future.done() for future in slow)
    go_on.set()
    assert all(future.result(10) for future in slow)
    threads.shutdown(wait=True)


def test_lists_hold_up_neither_other_calls_of_their_callers_nor_all_threads() -> None:
    threads = FairThreads(4, "test")
    go_on = threading.Event()
    begun = threading.Semaphore(0)

    def listing() -> bool:
        begun.release()
        return go_on.wait(10)

    lists = []
    for party in ("one", "another", "a third"):
        with on_behalf_of(party), in_bulk():
            lists += [threads.submit(listing) for _ in range(8)]
    assert begun.acquire(timeout=10)
    with on_behalf_of("one"):
        assert threads.submit(lambda: 7).result(10) == 7
    assert not begun.acquire(blocking=False)
    go_on.set()
    assert all(future.result(10) for future in lists)
    threads.shutdown(wait=True)
