"""The devices of one job go through its phases together; a dead device delays the others once."""

from __future__ import annotations

import asyncio

import pytest

from haas_rpcd.engine import gate as gate_module
from haas_rpcd.engine.gate import Gate
from haas_rpcd.model import Phase


async def walk(gate: Gate, device: str, phases: list[Phase], log: list[tuple[str, Phase]]) -> None:
    for phase in phases:
        await gate.reach(device, phase)
        log.append((device, phase))
    await gate.leave(device)


async def test_a_later_phase_starts_after_all_devices_finished_the_earlier_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gate_module, "PATIENCE", 60)  # a wrong order would time out
    log: list[tuple[str, Phase]] = []
    gate = Gate(["libvirt", "master", "sw1", "sw2"])
    async with asyncio.timeout(10):
        await asyncio.gather(
            walk(gate, "libvirt", [Phase.HEADNODES], log),
            walk(gate, "master", [Phase.BRIDGES, Phase.REMOVE], log),
            walk(gate, "sw1", [Phase.LEAVE, Phase.JOIN, Phase.SAVE], log),
            walk(gate, "sw2", [Phase.VLANS, Phase.JOIN, Phase.SAVE], log),
        )
    phases = [phase for _, phase in log]
    assert phases == sorted(phases)


async def test_many_devices_go_through_all_phases_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also those that say twice what they have finished."""
    monkeypatch.setattr(gate_module, "PATIENCE", 60)
    log: list[tuple[str, Phase]] = []
    names = [f"sw{number}" for number in range(100)]
    gate = Gate(names)
    async with asyncio.timeout(30):
        await asyncio.gather(*(walk(gate, name, [*Phase, max(Phase)], log) for name in names))
    phases = [phase for _, phase in log]
    assert phases == sorted(phases)
    assert len(log) == (len(Phase) + 1) * len(names)


async def test_a_failed_device_is_not_waited_for() -> None:
    gate = Gate(["sw1", "sw2"])
    await gate.leave("sw2")
    async with asyncio.timeout(10):
        await gate.reach("sw1", Phase.SAVE)


async def test_a_device_that_makes_no_progress_delays_the_others_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gate_module, "PATIENCE", 0.01)
    gate = Gate(["sw1", "dead"])
    await gate.reach("sw1", Phase.JOIN)
    monkeypatch.setattr(gate_module, "PATIENCE", 3600)
    async with asyncio.timeout(10):
        await gate.reach("sw1", Phase.SAVE)


async def test_devices_between_which_something_moves_wait_however_long_it_takes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gate_module, "PATIENCE", 0.01)
    moving = {"libvirt", "copy:hv2"}
    gate = Gate(["libvirt", "copy:hv2", "dead"], lambda one, other: {one, other} <= moving)
    deleting = asyncio.create_task(gate.reach("libvirt", Phase.REMOVE_HEADNODES))
    await gate.reach("copy:hv2", Phase.COPIES)
    assert not deleting.done(), "the copy is not done"
    await gate.leave("copy:hv2")
    async with asyncio.timeout(10):
        await deleting


async def test_once_a_device_is_late_nobody_waits_for_it_any_longer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A device that began to wait later does not have to lose its own patience."""
    gate = Gate(["sw1", "sw2", "dead"])
    monkeypatch.setattr(gate_module, "PATIENCE", 3600)
    waiting = asyncio.create_task(gate.reach("sw2", Phase.JOIN))
    await asyncio.sleep(0)  # let it wait
    monkeypatch.setattr(gate_module, "PATIENCE", 0.01)
    async with asyncio.timeout(10):
        await gate.reach("sw1", Phase.JOIN)
        await waiting
