"""VLANs that a job makes on some switches and removes from others: the new way comes first.

Where it is declared what trunk ports lead to, the VLAN of a network that is in use may move to
other switches. It is removed from a switch only once it exists on all that the job makes it on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

from haas_rpcd.engine.journal import Entry, Verdict
from haas_rpcd.model import SetVlan


class Detours:
    """Lets steps that remove VLANs wait for those that make the same VLANs on other switches."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._making = {
            entry.number: change.vlan
            for entry in entries
            if isinstance(change := entry.step.change, SetVlan) and change.present
        }
        self._failed: dict[int, str] = {}
        """Why VLANs are not made on all switches."""
        self._moved = asyncio.Condition()

    async def note(self, verdicts: Iterable[Verdict]) -> None:
        """Note verdicts on steps of any kind."""
        async with self._moved:
            for verdict in verdicts:
                vlan = self._making.pop(verdict.entry.number, None)
                if vlan is not None and verdict.state != "done":
                    why = f"{verdict.entry.step.device}: {verdict.message}"
                    self._failed.setdefault(vlan, why)
            self._moved.notify_all()

    async def leave(self, entries: Iterable[Entry]) -> None:
        """Note that no more of these steps are sent: what has no verdict was not made."""
        left = [entry for entry in entries if entry.number in self._making]
        await self.note(Verdict(entry, "cancelled", "it was not made there") for entry in left)

    async def hold(self, batch: Sequence[Entry]) -> list[Verdict]:
        """Wait until the VLANs that a batch removes exist on all switches where they are made.

        Returns verdicts on the steps that must not be sent, because one was not made.
        """
        removed = {
            entry.number: change.vlan
            for entry in batch
            if isinstance(change := entry.step.change, SetVlan) and not change.present
        }
        async with self._moved:
            await self._moved.wait_for(
                lambda: set(self._making.values()).isdisjoint(removed.values())
            )
        return [
            Verdict(entry, "skipped", f"not sent: {self._failed[vlan]}")
            for entry in batch
            if (vlan := removed.get(entry.number)) in self._failed and vlan is not None
        ]
