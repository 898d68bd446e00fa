"""What the daemon knows of BMCs: how one is registered, what a session can do, and ``[bmc]``.

A session only asks and requests. Whoever uses it reads back whether a node has become what was
asked for: a BMC answers that it will switch, not that it has.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Annotated, Protocol

import msgspec
from msgspec import Meta

from haas_rpcd.line import Line
from haas_schemas.bmc import BmcProtocol, BootDevice, PowerState


class RegisteredBmc(msgspec.Struct, frozen=True):
    """What the BMC of a node is registered with; see :class:`haas_schemas.bmc.Bmc`.

    ``credential`` names an entry of the credentials file; None means the node's own name.
    ``of_hypervisor``: ``node`` is the name of a hypervisor, which has this BMC.
    """

    node: str
    protocol: BmcProtocol
    host: str
    port: int
    credential: str | None = None
    system: str | None = None
    fingerprint: str | None = None
    of_hypervisor: bool = False

    @property
    def show_command(self) -> str:
        """The command that shows how it is registered."""
        return f"{'hypervisor' if self.of_hypervisor else 'bmc'} show {self.node}"

    @property
    def set_command(self) -> str:
        """The command that registers it, without what to register."""
        return f"{'hypervisor set-bmc' if self.of_hypervisor else 'bmc set'} {self.node}"


class BmcSession(Protocol):
    """An open session with a BMC. All methods raise DeviceError."""

    async def power(self) -> PowerState:
        """Ask whether the node is on."""
        ...

    async def switch(self, to: PowerState) -> None:
        """Request that the node is switched on, or off at once."""
        ...

    async def reset(self) -> None:
        """Request that the node, which is on, starts anew."""
        ...

    async def boot_from(self, device: BootDevice) -> None:
        """Set from what the node boots the next time, and only then."""
        ...


class BmcConnector(Protocol):
    """Opens sessions with BMCs: see :class:`~haas_rpcd.drivers.bmc.factory.BmcFactory`."""

    def open(self, bmc: RegisteredBmc) -> AbstractAsyncContextManager[BmcSession]:
        """Return a session, to be entered. Entering raises DeviceError, UnavailableError."""
        ...

    def console(self, bmc: RegisteredBmc) -> AbstractAsyncContextManager[Line]:
        """Return the node's serial line, to be entered, for a BMC with IPMI. Raises likewise."""
        ...


class BmcSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``[bmc]``: how long BMCs are waited for, and how many are talked to at a time."""

    answer_timeout: Annotated[
        float,
        Meta(description="Seconds for the login, and for each answer of a BMC.", gt=0, le=300),
    ] = 15.0
    settle_timeout: Annotated[
        float,
        Meta(
            description="Seconds after which a node must be on or off, as it was told to be.",
            gt=0,
            le=600,
        ),
    ] = 25.0
    off_time: Annotated[
        float,
        Meta(description="Seconds that a node stays off in a power cycle.", ge=0, le=60),
    ] = 5.0
    parallel: Annotated[
        int, Meta(description="How many BMCs are talked to at the same time.", ge=1, le=256)
    ] = 16
    interval: Annotated[
        float,
        Meta(
            description="Seconds between two looks at whether nodes are on; 0: none by itself.",
            ge=0,
        ),
    ] = 900.0
