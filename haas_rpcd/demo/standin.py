"""A stand-in for a switch that has no simulator. It has no command line and refuses nothing.

Plans and jobs show the lines of the switch's own dialect, but no parser reads them: the stand-in
carries out each change as a whole. So it can't show how the real switch would refuse a line.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from haas_rpcd.cabling import Cabling
from haas_rpcd.drivers import Driver, Outcome, Progress, Report
from haas_rpcd.errors import DeviceError
from haas_rpcd.model import (
    PARKED,
    PortConfig,
    PortSeen,
    PresenceSeen,
    Seen,
    SetPort,
    SetVlan,
    SwitchChange,
)
from haas_rpcd.registered import Probed, RegisteredSwitch


@dataclass
class StandIn:
    """The state of a stand-in. ``ports``: by canonical name; at first all of them are parked.

    ``makes_vlans``: the dialect's lines for a port create the VLANs that the port is to carry.
    """

    name: str
    ports: dict[str, PortConfig]
    makes_vlans: bool = False
    vlans: set[int] = field(default_factory=set)
    line_delay: float = 0.0
    """Seconds that each line takes."""


class StandInDriver(Driver):
    """The driver of a :class:`StandIn`. ``real`` returns the lines of the switch's dialect."""

    max_batch = 512
    takes_slices = True

    def __init__(
        self,
        standin: StandIn,
        real: Driver,
        registered: RegisteredSwitch,
        canonical: Callable[[str], str],
    ) -> None:
        self.registered: object = registered
        self._standin = standin
        self._real = real
        self._canonical = canonical

    def preview(
        self,
        changes: Sequence[Any],
        current: Mapping[str, PortConfig] | None = None,
        existing: frozenset[int] = frozenset(),
    ) -> list[list[str]]:
        """Return the lines that a real switch would be sent."""
        return self._real.preview(changes, current, existing)

    async def open(self, report: Report) -> None:
        """Nothing to open."""

    async def close(self) -> None:
        """Nothing to close."""

    async def send(self, changes: Sequence[SwitchChange], progress: Progress) -> list[Outcome]:
        """Report the lines of each change, and carry it out."""
        held = self._standin
        now = {port: held.ports.get(self._canonical(port), PARKED) for port in _ports(changes)}
        outcomes: list[Outcome] = []
        for index, lines in enumerate(self.preview(changes, now, frozenset(held.vlans))):
            if progress.cancelled():
                break
            for line in lines:
                progress.line_sent(index, line)
            await asyncio.sleep(held.line_delay * len(lines))
            error = self._carry_out(changes[index])
            outcomes.append(Outcome("refused", error) if error else Outcome("sent"))
        return outcomes + [Outcome("unsent")] * (len(changes) - len(outcomes))

    def _carry_out(self, change: SwitchChange) -> DeviceError | None:
        held = self._standin
        match change:
            case SetPort(port=port, config=config):
                name = self._canonical(port)
                if change.is_channel and config.parked:
                    held.ports.pop(name, None)
                    return None
                if name not in held.ports and not change.is_channel:
                    return self._missing(port)
                held.ports[name] = config
                if held.makes_vlans:
                    held.vlans |= config.vlans
            case SetVlan(vlan=vlan, present=True):
                held.vlans.add(vlan)
            case SetVlan(vlan=vlan):
                held.vlans.discard(vlan)
        return None

    def _missing(self, port: str) -> DeviceError:
        return DeviceError(
            f"The stand-in for {self._standin.name} has no port {port}: it has those of the site"
            " file with which the rehearsal was started.",
            reason="missing",
        )

    async def observe(self, changes: Sequence[SwitchChange]) -> list[Seen | DeviceError]:
        """Read the current state of each change's target."""
        return [self._observed(change) for change in changes]

    def _observed(self, change: SwitchChange) -> Seen | DeviceError:
        held = self._standin
        match change:
            case SetPort(port=port):
                name = self._canonical(port)
                if name not in held.ports and not change.is_channel:
                    return self._missing(port)
                return PortSeen(held.ports.get(name, PARKED))
            case SetVlan(vlan=vlan):
                return PresenceSeen(vlan in held.vlans)
        return PresenceSeen(True)  # always saved

    async def read_cabling(self) -> Cabling:
        """Report that nothing is known of its cables."""
        return Cabling((), (), lldp=False)

    async def probe(self) -> Probed:
        """Report what it is and what its ports carry."""
        held = self._standin
        carried = frozenset(vlan for config in held.ports.values() for vlan in config.vlans)
        return Probed(
            prompt=f"{held.name}#",
            model="stand-in",
            version="",
            said=["A stand-in of the rehearsal: it has no command line."],
            ports={name: PortSeen(config) for name, config in held.ports.items()},
            vlans=carried | held.vlans,
        )


def _ports(changes: Sequence[SwitchChange]) -> list[str]:
    return [change.port for change in changes if isinstance(change, SetPort)]
