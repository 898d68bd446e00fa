"""Headnodes that one job changes on several devices, because they move between hypervisors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from haas_rpcd.devicenames import COPY, is_libvirt, libvirt_device, same_hypervisor
from haas_rpcd.engine.journal import Entry, Verdict
from haas_rpcd.model import (
    CopyHeadnode,
    HeadnodeSeen,
    Phase,
    SetBridge,
    SetHeadnodePower,
    SetVlan,
    Step,
)
from haas_rpcd.planner.steps import step
from haas_schemas.job import StepState


@dataclass
class _Move:
    """Which devices take part in a move, and the VLANs that the headnode is on, or is to be."""

    devices: set[str]
    vlans: frozenset[int]


class Moves:
    """Keeps the steps of each headnode that moves in order, whichever devices they are on.

    A step is sent only once all those of earlier phases are done: so a headnode is started at its
    new place only if it is off at the old one, and removed there only after that. It is not even
    stopped unless its VLANs and bridges are there at the new place; nor are those of the old place
    removed unless it has moved.
    """

    def __init__(self, entries: Sequence[Entry]) -> None:
        devices: dict[str, set[str]] = {}
        vlans: dict[str, frozenset[int]] = {}
        for entry in entries:
            if _is_of_headnode(entry.step):
                devices.setdefault(entry.step.target, set()).add(entry.step.device)
            if isinstance(change := entry.step.change, CopyHeadnode):
                vlans[entry.step.target] = frozenset(nic.vlan for nic in change.nics)
        self._moves = {
            name: _Move(own, vlans.get(name, frozenset()))
            for name, own in devices.items()
            if len(own) > 1
        }
        self._entries = [entry for entry in entries if self._concerns(entry.step)]
        """The steps of moves, and of the VLANs of what moves."""
        for move in self._moves.values():
            move.devices.update(
                entry.step.device for entry in self._entries if _vlan_of(entry.step) in move.vlans
            )
        self._verdicts: dict[int, Verdict] = {}

    def linked(self, device: str, other: str) -> bool:
        """Return whether two devices wait for each other, however long it takes."""
        if same_hypervisor(device, other):
            return True
        of_headnodes = any(is_libvirt(one) or one.startswith(COPY) for one in (device, other))
        return of_headnodes and any(
            {device, other} <= move.devices for move in self._moves.values()
        )

    def note(self, verdicts: Sequence[Verdict]) -> None:
        """Note the verdicts on steps that were sent."""
        self._verdicts.update((verdict.entry.number, verdict) for verdict in verdicts)

    def held_back(self, batch: Sequence[Entry]) -> list[Verdict]:
        """Return verdicts on the steps that must not be sent, because earlier ones are not done."""
        return [
            Verdict(entry, "skipped", f"not sent: {why}")
            for entry in batch
            for why in [self._obstacle(entry.step)]
            if why is not None
        ]

    def _concerns(self, one: Step) -> bool:
        """Return whether a step is one of a move, or of a VLAN of what moves."""
        if _is_of_headnode(one):
            return one.target in self._moves
        vlan = _vlan_of(one)
        return vlan is not None and any(vlan in move.vlans for move in self._moves.values())

    def _obstacle(self, later: Step) -> str | None:
        """Return why a step must not be sent; None if it may be."""
        for entry in self._entries if self._concerns(later) else ():
            earlier, verdict = entry.step, self._verdicts.get(entry.number)
            done = verdict is not None and verdict.state == "done"
            if not done and earlier.phase < later.phase and self._needs(later, earlier):
                said = verdict.message if verdict is not None else None
                return said or f"not done: {earlier.summary}"
        return None

    def _needs(self, later: Step, earlier: Step) -> bool:
        """Return whether a step may only be sent once one of an earlier phase is done."""
        if _is_of_headnode(later):
            if _is_of_headnode(earlier):
                return earlier.target == later.target
            return _makes(earlier) and _vlan_of(earlier) in self._moves[later.target].vlans
        if not _is_of_headnode(earlier) or _makes(later):
            return False
        return _vlan_of(later) in self._moves[earlier.target].vlans

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
        """Return the verdict on a step; None if it was not sent."""
        verdict = self._verdicts.get(entry.number)
        return None if verdict is None else verdict.state

    def _is_there(self, entry: Entry) -> bool:
        """Return whether the copy was read as complete, whatever the verdict on its step."""
        verdict = self._verdicts.get(entry.number)
        seen = None if verdict is None else verdict.seen
        is_done = self._state(entry) == "done"
        return is_done or (isinstance(seen, HeadnodeSeen) and seen.defined)


def _is_of_headnode(one: Step) -> bool:
    return one.kind.startswith("headnode.")


def _vlan_of(one: Step) -> int | None:
    """Return the VLAN that a step makes or removes somewhere."""
    return one.change.vlan if isinstance(one.change, SetVlan | SetBridge) else None


def _makes(one: Step) -> bool:
    return isinstance(one.change, SetVlan | SetBridge) and one.change.present
