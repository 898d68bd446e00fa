"""A switch as the engine sees it: changes to lines, answers to what the switch has now."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from haas_rpcd.config import Credential, SwitchSettings
from haas_rpcd.drivers import Say
from haas_rpcd.drivers.switch.dialect import Dialect, Options
from haas_rpcd.drivers.switch.session import Session
from haas_rpcd.drivers.switch.transport import Transport
from haas_rpcd.errors import DeviceError
from haas_rpcd.model import (
    PortConfig,
    PortSeen,
    PresenceSeen,
    SaveConfig,
    Seen,
    SetPort,
    SetVlan,
    SwitchChange,
)

Lookup = Callable[[], Credential]
"""Gives the switch's credentials at the moment of login. Raises DeviceError ``login``."""

Connect = Callable[[], Awaitable[Transport]]
"""Opens a connection to the switch. Raises DeviceError."""


class SwitchDriver:
    """One switch, over one session. Stays in configuration mode between changes."""

    goes_on = False

    def __init__(
        self,
        name: str,
        dialect: Dialect,
        *,
        connect: Connect,
        options: Options,
        credential: Lookup,
        settings: SwitchSettings,
    ) -> None:
        self._name = name
        self._dialect = dialect
        self._connect = connect
        self._options = options
        self._credential = credential
        self._settings = settings
        self._session: Session | None = None
        self._configuring = False
        self._saved = False

    def preview(self, change: SwitchChange) -> list[str]:
        """Give the lines of a change, without those that only change modes."""
        match change:
            case SetPort(port=port, config=config):
                return self._dialect.set_port(port, config, self._options)
            case SetVlan(vlan=vlan, present=present):
                return self._dialect.set_vlan(vlan, present, self._options)
            case SaveConfig():
                return list(self._dialect.save)

    async def open(self) -> None:
        """Connect and log in. Raises DeviceError."""
        credential = self._credential()
        transport = await self._connect()
        session = Session(
            self._name,
            self._dialect,
            transport,
            login_timeout=self._settings.login_timeout,
            answer_timeout=self._settings.answer_timeout,
        )
        try:
            await session.login(credential)
        except BaseException:
            await session.close()
            raise
        self._session, self._configuring = session, False

    async def send(self, change: SwitchChange, say: Say) -> None:
        """Send a change's lines one by one, stopping at the first that is refused.

        Raises DeviceError. After a refusal configuration mode is left: on IOS a refused
        ``interface`` leaves the one before selected, and the next line would hit that.
        """
        if isinstance(change, SaveConfig):
            await self._save(say)
            return
        await self._configure(say)
        try:
            for line in self.preview(change):
                say(line)
                await self._live().command(line)
        except DeviceError as error:
            if error.reason == "refused":
                await self._leave(say)
            raise

    async def _save(self, say: Say) -> None:
        await self._leave(say)
        self._saved = False
        answer = ""
        for line in self._dialect.save:
            say(line)
            answer += await self._live().command(line, timeout=self._settings.answer_timeout * 4)
        if not self._dialect.saved(answer):
            raise DeviceError(
                f"{self._name} did not say that it saved its configuration (it said"
                f' "{" ".join(answer.split())[:200]}"): save it by hand, or apply again.',
                reason="refused",
            )
        self._saved = True

    async def observe(self, changes: Sequence[SwitchChange]) -> list[Seen]:
        """Read what the targets of some changes are now: one read of the ports, one of the VLANs.

        Raises DeviceError.
        """
        ports = [change.port for change in changes if isinstance(change, SetPort)]
        carried: dict[str, PortConfig] = {}
        if ports:
            answers = await self._show(self._dialect.read_ports(ports, self._options))
            carried = self._dialect.parse_ports(ports, answers)
        vlans: frozenset[int] = frozenset()
        if any(isinstance(change, SetVlan) for change in changes):
            vlans = self._dialect.parse_vlans(
                await self._show(self._dialect.read_vlans(self._options))
            )
        seen: list[Seen] = []
        for change in changes:
            match change:
                case SetPort(port=port):
                    if port not in carried:
                        raise DeviceError(
                            f"{self._name} does not show a port {port}: check its name in the"
                            " inventory (port list) against the switch.",
                            reason="missing",
                        )
                    seen.append(PortSeen(carried[port]))
                case SetVlan(vlan=vlan):
                    seen.append(PresenceSeen(vlan in vlans))
                case SaveConfig():
                    seen.append(PresenceSeen(self._saved))
        return seen

    async def probe(self) -> tuple[str, list[str]]:
        """Give the prompt, and what the switch says of its model and version."""
        answers = await self._show(list(self._dialect.version))
        lines = [line.strip() for answer in answers for line in answer.splitlines()]
        return self._live().prompt, [line for line in lines if line]

    async def close(self) -> None:
        """End the session. Never raises."""
        if self._session is not None:
            session, self._session = self._session, None
            await session.close()

    # --- modes ------------------------------------------------------------------------------------

    def _live(self) -> Session:
        if self._session is None:
            raise RuntimeError(f"no session is open to {self._name}")
        return self._session

    async def _show(self, lines: Sequence[str]) -> list[str]:
        await self._leave(_silent)
        return [await self._live().command(line) for line in lines]

    async def _configure(self, say: Say) -> None:
        if not self._configuring:
            self._configuring = True
            for line in self._dialect.enter_config:
                say(line)
                await self._live().command(line)

    async def _leave(self, say: Say) -> None:
        if self._configuring:
            self._configuring = False
            for line in self._dialect.leave_config:
                say(line)
                await self._live().command(line)


def _silent(line: str) -> None:
    """Take no notice of a line: reading back is no news."""
