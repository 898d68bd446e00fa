"""Headnodes that one job changes on several devices, because they move between hypervisors."""

from __future__ import annotations

from collections.abc import Sequence

from haas_rpcd.engine.journal import Entry, Verdict
from haas_rpcd.model import (
    CopyHeadnode,
    HeadnodeSeen,
    Phase,
    SetHeadnodePower,
    Step,
    hypervisor_of,
    libvirt_device,
    same_hypervisor,
)
from haas_rpcd.planner.steps import step
from haas_schemas.job import StepState


class Moves:
    """Keeps the steps of each headnode that moves in order, whichever devices they are on.

    A step is sent only once all those of earlier phases are done: so a headnode is started at its
    new place only if it is off at the old one, and removed there only after that.
    """

    def __init__(self, entries: Sequence[Entry]) -> None:
        devices: dict[str, set[str]] = {}
        for entry in entries:
            if entry.step.kind.startswith("headnode."):
                devices.setdefault(entry.step.target, set()).add(entry.step.device)
        self._devices = {name: own for name, own in devices.items() if len(own) > 1}
        for entry in entries:
            if isinstance(entry.step.change, CopyHeadnode):
                # the bridges at the new place come first
                self._devices[entry.step.target].add(hypervisor_of(entry.step.device))
        self._entries = list(entries) if self._devices else []
        self._verdicts: dict[int, Verdict] = {}

    def linked(self, device: str, other: str) -> bool:
        """Return whether two devices wait for each other, however long it takes."""
        return same_hypervisor(device, other) or any(
            device in own and other in own for own in self._devices.values()
        )

    def note(self, verdicts: Sequence[Verdict]) -> None:
        """Note what became of steps that were sent."""
        self._verdicts.update((verdict.entry.number, verdict) for verdict in verdicts)

    def held_back(self, batch: Sequence[Entry]) -> list[Verdict]:
        """Return verdicts on the steps that must not be sent, because earlier ones are not done."""
        return [
            Verdict(entry, "skipped", f"not sent: {why}")
            for entry in batch
            for why in [self._obstacle(entry.step)]
            if why is not None
        ]

    def _obstacle(self, later: Step) -> str | None:
        """Return why a step must not be sent; None if it may be."""
        own = self._devices.get(later.target)
        if own is None or not later.kind.startswith("headnode."):
            return None
        for entry in self._entries:
            earlier = entry.step
            needed = earlier.target == later.target or (
                earlier.kind == "bridge.create" and earlier.device in own
            )
            verdict = self._verdicts.get(entry.number)
            if earlier.phase < later.phase and needed and (not verdict or verdict.state != "done"):
                said = verdict.message if verdict is not None else None
                return said or f"not done: {earlier.summary}"
        return None

    def starts_again(self) -> list[Step]:
        """Return the steps that start headnodes again which are to run, and were not moved.

        Nothing was started at the new place, as that comes after the copy.
        """
        to_run = {
            entry.step.target
            for entry in self._entries
            if isinstance(entry.step.change, SetHeadnodePower) and entry.step.change.running
        }
        return [
            step(
                Phase.HEADNODES,
                libvirt_device(change.source),
                SetHeadnodePower(change.headnode, change.uuid, True),
                f"start headnode {change.headnode} again, as it was not moved",
            )
            for entry in self._entries
            for change in [entry.step.change]
            if isinstance(change, CopyHeadnode)
            and change.headnode in to_run
            and not self._is_there(entry)
            and self._may_be_off(entry)
        ]

    def _may_be_off(self, copy: Entry) -> bool:
        """Return whether a headnode was stopped for a copy, or an earlier job had done that."""
        stops = [
            entry
            for entry in self._entries
            if entry.step.phase is Phase.STOPS
            and isinstance(entry.step.change, SetHeadnodePower)
            and entry.step.target == copy.step.target
        ]
        if not stops:
            return copy.number in self._verdicts
        return any(self._state(entry) in ("done", "failed") for entry in stops)

    def _state(self, entry: Entry) -> StepState | None:
        """Return what became of a step; None if it was not sent."""
        verdict = self._verdicts.get(entry.number)
        return None if verdict is None else verdict.state

    def _is_there(self, entry: Entry) -> bool:
        """Return whether what a copy made was seen to be whole, whatever the verdict."""
        verdict = self._verdicts.get(entry.number)
        seen = None if verdict is None else verdict.seen
        is_done = self._state(entry) == "done"
        return is_done or (isinstance(seen, HeadnodeSeen) and seen.defined)
