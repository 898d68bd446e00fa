"""The garbage collector of a daemon at work: no full collections, and none forgotten."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Iterator

import pytest

from haas_rpcd import garbage
from haas_rpcd.tasks import cancel_and_wait


class Knot:
    """An object that only a collection frees, because it refers to itself."""

    def __init__(self) -> None:
        self.me = self


@pytest.fixture
def full_collections() -> Iterator[list[str]]:
    """Collect "full" for each full collection that begins."""
    begun: list[str] = []

    def note(phase: str, info: dict[str, int]) -> None:
        if phase == "start" and info["generation"] == 2:
            begun.append("full")

    gc.callbacks.append(note)
    yield begun
    gc.callbacks.remove(note)


def test_a_large_job_starts_no_full_collection(full_collections: list[str]) -> None:
    with garbage.no_full_collections():
        full_collections.clear()
        kept = [[number] for number in range(300_000)]
        assert not full_collections
        assert gc.get_stats()[0]["collections"], "young objects are collected as ever"
    assert len(kept) == 300_000


async def freed(knot: Knot) -> None:
    """Collect when it is cheap until a knot is freed that nothing else holds."""
    gc.collect(0)
    gc.collect(1)  # whatever survives this is examined by full collections only
    gone = asyncio.Event()
    weakref.finalize(knot, gone.set)
    del knot
    gc.collect(1)
    assert not gone.is_set()
    collecting = asyncio.create_task(garbage.collect_when_cheap(period=0.01))
    try:
        await asyncio.wait_for(gone.wait(), 30)
    finally:
        await cancel_and_wait(collecting)


async def test_cycles_that_grew_old_are_freed_soon() -> None:
    with garbage.no_full_collections():
        await freed(Knot())


async def test_cycles_are_freed_at_last_though_it_is_never_cheap(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A process that has grown, and stays large, collects though that takes long."""
    monkeypatch.setattr(garbage, "GROWTH", -1)
    with garbage.no_full_collections():
        kept = [[number] for number in range(300_000)]
        await freed(Knot())
        assert not garbage.is_cheap()
    assert len(kept) == 300_000


def test_what_a_large_job_holds_makes_a_full_collection_wait() -> None:
    with garbage.no_full_collections():
        assert garbage.is_cheap()
        kept = [[number] for number in range(300_000)]
        gc.collect(1)
        assert not garbage.is_cheap()
        kept.clear()
        assert garbage.is_cheap()


def test_it_ends_as_it_began() -> None:
    before = gc.get_threshold()
    with garbage.no_full_collections():
        assert gc.get_threshold() != before
    assert gc.get_threshold() == before
    assert not gc.get_freeze_count()
