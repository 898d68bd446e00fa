"""What a daemon needs to know of the parts that it is put together from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from haas_rpcd.drivers import Driver
from haas_rpcd.registered import RegisteredSwitch
from haas_rpcd.states import SwitchTraits
from haas_schemas.switch import SwitchTrust
from haas_schemas.system import HaHealth, Standby


class Switches(Protocol):
    """What a daemon needs to know of switches: see :class:`SwitchFactory`."""

    def options(self) -> dict[str, frozenset[str]]:
        """Return the options that a switch of each dialect may be registered with."""
        ...

    def canonical_port(self, dialect: str, port: str) -> str:
        """Return the canonical name of a port. Raises ValueError for an ambiguous name."""
        ...

    def channel_modes(self) -> Mapping[str, tuple[str, ...]]:
        """Return how switches bundle ports, by the names of the dialects that make channels."""
        ...

    def channel_names(self, dialect: str, options: Mapping[str, Any]) -> list[tuple[int, str]]:
        """Return the numbers and names of channels that HaaS may make. Raises ValueError."""
        ...

    def reserved_vlans(self, dialect: str) -> frozenset[int]:
        """Return the VLANs that nobody can create on switches of a dialect."""
        ...

    def traits(self, dialect: str, trunks: int) -> SwitchTraits:
        """Return the traits of a switch with this many trunk ports."""
        ...

    def driver(self, switch: RegisteredSwitch) -> Driver:
        """Make the driver of a switch; no I/O. Raises UnavailableError."""
        ...

    async def reach(self, switch: RegisteredSwitch) -> None:
        """Connect to a switch without logging in. Raises DeviceError."""
        ...

    async def trust(self, switch: RegisteredSwitch, fingerprint: str | None) -> SwitchTrust:
        """Read a switch's SSH host key, and trust it if it has this fingerprint."""
        ...


class Held(Protocol):
    """What one of two masters holds: see :class:`haas_rpcd.ha.holding.Holding`."""

    async def durable(self, generation: int) -> None:
        """Return once the commits up to a generation of the database can't be lost."""
        ...

    async def settle(self, within: float) -> None:
        """Give the commits that somebody waits for so many seconds to become durable."""
        ...

    def health(self) -> HaHealth:
        """Return which of the two masters this is, and how its copies are."""
        ...


class Followed(Protocol):
    """What a standby serves: see :class:`haas_rpcd.ha.following.Following`."""

    def standby(self) -> Standby:
        """Return who is master, and how old the data is."""
        ...

    def health(self) -> HaHealth:
        """Return how old the data is, and why it is not newer."""
        ...
