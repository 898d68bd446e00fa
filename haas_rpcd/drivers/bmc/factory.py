"""Opens sessions with BMCs: chooses the protocol, and looks up the credentials at each login."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager

from haas_rpcd.bmc import BmcSession, BmcSettings, RegisteredBmc
from haas_rpcd.config import Credential
from haas_rpcd.drivers.bmc import ipmi, redfish
from haas_rpcd.drivers.credentials import look_up
from haas_rpcd.drivers.switch.secrets import Secrets
from haas_rpcd.errors import DeviceError
from haas_rpcd.line import Line


class BmcFactory:
    """Opens sessions. ``credentials`` is called at each login: a change needs no restart."""

    def __init__(
        self,
        settings: BmcSettings,
        credentials: Callable[[], Mapping[str, Credential]],
        credentials_file: str,
    ) -> None:
        self._settings = settings
        self._credentials = credentials
        self._credentials_file = credentials_file
        self._starting = asyncio.Lock()

    @asynccontextmanager
    async def open(self, bmc: RegisteredBmc) -> AsyncIterator[BmcSession]:
        """Log in, and log out at the end. Raises DeviceError, UnavailableError.

        Errors hold no secret, whatever the BMC says.
        """
        credential, timeout = self.credential(bmc), self._settings.answer_timeout
        with _discreetly(credential):
            if bmc.protocol == "ipmi":
                async with ipmi.session(bmc, credential, timeout, self._starting) as by_ipmi:
                    yield by_ipmi
            else:
                async with redfish.session(bmc, credential, timeout) as by_redfish:
                    yield by_redfish

    @asynccontextmanager
    async def console(self, bmc: RegisteredBmc) -> AsyncIterator[Line]:
        """Attach to the node's serial line, by IPMI. Raises DeviceError, UnavailableError."""
        credential, timeout = self.credential(bmc), self._settings.answer_timeout
        with _discreetly(credential):
            async with ipmi.console(bmc, credential, timeout, self._starting) as line:
                yield line

    def credential(self, bmc: RegisteredBmc) -> Credential:
        """Look up the credentials of a BMC. Raises DeviceError ``login``."""
        entry = bmc.credential or bmc.node
        return look_up(self._credentials, entry, f"{bmc.node}'s BMC", self._credentials_file)


@contextmanager
def _discreetly(credential: Credential) -> Iterator[None]:
    """Replace secrets in errors."""
    secrets = Secrets()
    secrets.note(credential)
    try:
        yield
    except DeviceError as error:
        raise secrets.mask_error(error) from None
