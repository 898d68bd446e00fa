"""Checks switches that fell silent until no unanswered line can take effect any more."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine

from haas_rpcd.engine.drift import DriftWatch
from haas_rpcd.engine.late import LateChanges
from haas_rpcd.store import late
from haas_rpcd.store.database import Store
from haas_rpcd.tasks import log_failure

Start = Callable[[Coroutine[None, None, None], str], None]
"""Starts a task of this name, unless the daemon stops."""


class Settling:
    """Has one task for each switch that fell silent."""

    def __init__(
        self, store: Store, late_changes: LateChanges, drift: DriftWatch, start: Start
    ) -> None:
        self._store = store
        self._late = late_changes
        self._drift = drift
        self._start = start
        self._under_way: set[str] = set()

    async def settle_all(self) -> None:
        """Check the switches that fell silent until nothing can change late any more."""
        for switch in await self._store.read(late.switches):
            if switch not in self._under_way:
                self._under_way.add(switch)
                self._start(self._settle(switch), f"settle {switch}")

    async def _settle(self, switch: str) -> None:
        try:
            while (wait := await self._late.next_check(switch)) is not None:
                await self._drift.check(switch)
                await asyncio.sleep(wait)
        except Exception as error:  # noqa: BLE001 - the next job that ends tries again
            log_failure(f"{switch} could not be checked until it settled", error)
        finally:
            self._under_way.discard(switch)
