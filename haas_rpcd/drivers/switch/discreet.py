"""A switch's driver that replaces secrets in errors, quoted lines and probes."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import msgspec

from haas_rpcd.drivers import Driver, Outcome, Progress, Report
from haas_rpcd.drivers.switch.cabling import Cabling
from haas_rpcd.drivers.switch.secrets import Secrets
from haas_rpcd.errors import DeviceError
from haas_rpcd.model import PortConfig, PortSeen, Seen, SwitchChange
from haas_rpcd.registered import Probed, SwitchMarks, Uptime

T = TypeVar("T")


class DiscreetDriver:
    """Passes everything on, and replaces secrets in what comes back."""

    def __init__(self, driver: Driver, secrets: Secrets) -> None:
        self._driver = driver
        self._secrets = secrets
        self.registered = driver.registered
        self.max_batch = driver.max_batch
        self.takes_slices = driver.takes_slices

    def preview(
        self,
        changes: Sequence[SwitchChange],
        current: Mapping[str, PortConfig] | None = None,
        existing: frozenset[int] = frozenset(),
    ) -> list[list[str]]:
        """Return the lines of changes."""
        return self._driver.preview(changes, current, existing)

    async def open(self, report: Report) -> None:
        """Connect and log in. Raises DeviceError."""
        await self._discreetly(self._driver.open(lambda line: report(self._secrets.mask(line))))

    async def usable(self) -> bool:
        """Return whether the open session still works."""
        return await self._discreetly(self._driver.usable())

    async def send(self, changes: Sequence[SwitchChange], progress: Progress) -> list[Outcome]:
        """Send changes and return the outcome of each. Raises DeviceError."""
        outcomes = await self._discreetly(self._driver.send(changes, progress))
        return [
            outcome
            if outcome.error is None
            else outcome._replace(error=self._secrets.mask_error(outcome.error))
            for outcome in outcomes
        ]

    async def observe(self, changes: Sequence[SwitchChange]) -> list[Seen | DeviceError]:
        """Read the state of the changes' targets. Raises DeviceError."""
        found = await self._discreetly(self._driver.observe(changes))
        return [
            self._secrets.mask_error(seen)
            if isinstance(seen, DeviceError)
            else self._port(seen)
            if isinstance(seen, PortSeen)
            else seen
            for seen in found
        ]

    async def cross_check(self, ports: Mapping[str, PortSeen]) -> Mapping[str, PortSeen]:
        """Compare what was seen of ports with operational membership. Raises DeviceError."""
        return await self._discreetly(self._driver.cross_check(ports))

    async def probe(self) -> Probed:
        """Read what the switch is and what its ports carry. Raises DeviceError."""
        found = await self._discreetly(self._driver.probe())
        mask = self._secrets.mask
        return msgspec.structs.replace(
            found,
            prompt=mask(found.prompt),
            model=mask(found.model),
            version=mask(found.version),
            said=[mask(line) for line in found.said],
            ports={name: self._port(seen) for name, seen in found.ports.items()},
        )

    async def read_cabling(self) -> Cabling:
        """Read LLDP neighbours and the MAC table. Raises DeviceError."""
        found = await self._discreetly(self._driver.read_cabling())
        return replace(found, unread=tuple(map(self._secrets.mask, found.unread)))

    async def uptime(self) -> Uptime | None:
        """Return the uptime. Raises DeviceError."""
        return await self._discreetly(self._driver.uptime())

    def marks_at_hand(self) -> SwitchMarks:
        """Return the switch's marks as far as they are known, without asking it."""
        return self._driver.marks_at_hand()

    def said_of_ports(self, ports: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
        """Return the lines about some ports in what was read last."""
        said = self._driver.said_of_ports(ports)
        mask = self._secrets.mask
        return {port: tuple(mask(line) for line in lines) for port, lines in said.items()}

    async def marks(self) -> SwitchMarks:
        """Read what distinguishes this switch from others. Raises DeviceError."""
        return await self._discreetly(self._driver.marks())

    async def end_other_sessions(self) -> bool:
        """End all other sessions of this login. Raises DeviceError."""
        return await self._discreetly(self._driver.end_other_sessions())

    def transcript(self) -> str:
        """Return what was sent and received since the last call."""
        return self._secrets.mask(self._driver.transcript())

    async def close(self) -> None:
        """End the session. Never raises."""
        await self._driver.close()

    def _port(self, seen: PortSeen) -> PortSeen:
        if seen.not_understood is None:
            return seen
        masked = self._secrets.mask(seen.not_understood)
        return msgspec.structs.replace(seen, not_understood=masked)

    async def _discreetly(self, work: Awaitable[T]) -> T:
        try:
            return await work
        except DeviceError as error:
            masked: Any = self._secrets.mask_error(error)
            if masked is error:
                raise
            raise masked from None
