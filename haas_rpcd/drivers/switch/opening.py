"""Opens sessions on a switch: connects, logs in, and waits for a switch that has none free."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from haas_rpcd import patience
from haas_rpcd.config import Credential, SwitchSettings
from haas_rpcd.drivers import Report
from haas_rpcd.drivers.switch.dialogue import Dialogue
from haas_rpcd.drivers.switch.session import Session
from haas_rpcd.drivers.switch.transcript import Transcript
from haas_rpcd.drivers.switch.transport import Transport
from haas_rpcd.drivers.switch.waiting import delays
from haas_rpcd.errors import DeviceError

CredentialLookup = Callable[[], Credential]
"""Returns the switch's credentials at the moment of login. Raises DeviceError ``login``."""

Connect = Callable[[], Awaitable[Transport]]
"""Opens a connection to the switch. Raises DeviceError."""


@dataclass(frozen=True)
class Opening:
    """How sessions are opened on one switch.

    ``logins`` is entered during each login: it bounds how many switches are logged in to at the
    same time.
    """

    name: str
    dialogue: Dialogue
    connect: Connect
    credential: CredentialLookup
    settings: SwitchSettings
    logins: AbstractAsyncContextManager[object]
    transcript: Transcript
    """Records the session after the login."""

    async def session(self, report: Report) -> Session:
        """Connect and log in; wait up to ``busy_timeout`` for a session. Raises DeviceError."""
        credential = self.credential()
        with patience.counting():
            refused: float | None = None
            waits = delays()
            while True:
                try:
                    return await self._login(credential)
                except DeviceError as error:
                    if error.reason != "busy":
                        raise
                    refused = patience.now() if refused is None else refused
                    waited = patience.now() - refused
                    left = self.settings.busy_timeout - waited
                    if left <= 0:
                        raise DeviceError(
                            f"{error.message} (Waited {round(waited, 1):g} s.)", reason="busy"
                        ) from None
                    report(f"# {error.message.partition(':')[0]}: waiting for one")
                # do not hammer a switch without a free session, but ask once more at the end
                await asyncio.sleep(min(next(waits), left))

    async def _login(self, credential: Credential) -> Session:
        session = Session(
            self.name,
            self.dialogue,
            await self.connect(),  # outside the bound: a dead switch must not keep others waiting
            login_timeout=self.settings.login_timeout,
            answer_timeout=self.settings.answer_timeout,
            transcript=self.transcript,
        )
        self.transcript.on = False  # until the login is over
        try:
            async with self.logins:
                await session.login(credential)
        except BaseException:
            await session.close()
            raise
        return session
