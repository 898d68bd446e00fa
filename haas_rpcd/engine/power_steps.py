"""A node's BMC as a device of jobs: its steps are power actions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from haas_rpcd.drivers import Driver, Outcome, Progress, Report
from haas_rpcd.engine.power import Power
from haas_rpcd.errors import ConflictError, DeviceError, HaasError
from haas_rpcd.model import PortConfig, PowerSeen, Seen, SetNodePower
from haas_rpcd.store import bmcs
from haas_rpcd.store.database import Tx
from haas_schemas.bmc import PowerState


class BmcDriver(Driver):
    """Carries out the changes of one node's power. :class:`Power` opens and ends the sessions."""

    def __init__(self, node: str, power: Power) -> None:
        self._node = node
        self._power = power
        self._done: PowerState | None = None
        """What the node was seen to be after the last change; None if that was not carried out."""

    def preview(
        self,
        changes: Sequence[SetNodePower],
        current: Mapping[str, PortConfig] | None = None,
        existing: frozenset[int] = frozenset(),
    ) -> list[list[str]]:
        """Return what is done for each change."""
        return [
            [*([f"boot {change.boot} once"] if change.boot else []), f"power {change.power}"]
            for change in changes
        ]

    async def open(self, report: Report) -> None:
        """Do nothing: each change has a session of its own."""

    async def send(self, changes: Sequence[SetNodePower], progress: Progress) -> list[Outcome]:
        """Carry out one change, and wait until the BMC says that the node is as wanted."""
        [change] = changes
        self._done = None
        progress.line_sent(0, f"power {change.power}")

        def check(tx: Tx) -> None:
            if not bmcs.is_staged(tx, change):
                raise ConflictError(f"power {change.power} is staged for {change.node} no more")

        try:
            self._done = await self._power.act(self._node, change.power, change.boot, check=check)
        except DeviceError as error:
            return [Outcome("refused", error)]
        except HaasError as error:  # it has no BMC any more, or a tenant's network has it
            return [Outcome("refused", DeviceError(error.message, reason="refused"))]
        return [Outcome("sent")]

    async def observe(self, changes: Sequence[SetNodePower]) -> list[Seen | DeviceError]:
        """Return what was seen after the last change. An interrupted one is planned again."""
        return [PowerSeen(self._done) for _ in changes]

    async def close(self) -> None:
        """Do nothing."""
