"""Makes the driver of a registered switch: its dialect, its transport and its credentials."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from haas_rpcd.config import ConfigError, Credential, Settings
from haas_rpcd.drivers import Driver
from haas_rpcd.drivers.credentials import look_up
from haas_rpcd.drivers.switch.channels import CHANNELS, numbers
from haas_rpcd.drivers.switch.dialect import COMMON_OPTIONS, Dialect
from haas_rpcd.drivers.switch.dialects import DIALECTS, DialectError, load
from haas_rpcd.drivers.switch.discreet import DiscreetDriver
from haas_rpcd.drivers.switch.driver import SwitchDriver
from haas_rpcd.drivers.switch.secrets import Secrets
from haas_rpcd.drivers.switch.transport import OPTIONS, Transport
from haas_rpcd.drivers.switch.transport.known_hosts import KnownHosts
from haas_rpcd.drivers.switch.transport.telnet import TelnetTransport
from haas_rpcd.errors import DeviceError, UnavailableError
from haas_rpcd.registered import RegisteredSwitch
from haas_rpcd.states import SwitchTraits
from haas_schemas.switch import SwitchTrust

if TYPE_CHECKING:
    from haas_rpcd.drivers.switch.transport.ssh import SshAddress

LOGINS = 200
"""Logins that are under way at the same time: more only take each other's time."""

_SSH = "haas_rpcd.drivers.switch.transport.ssh"


Locate = Callable[[RegisteredSwitch], tuple[str, int]]
"""Returns the host and the TCP port to connect to. Raises DeviceError."""


def _as_registered(switch: RegisteredSwitch) -> tuple[str, int]:
    return switch.host, switch.port


class SwitchFactory:
    """Knows the dialects, the credentials and the trusted host keys; makes drivers from them.

    ``credentials`` is called at each login, so that a changed file takes effect without a restart.
    ``locate`` is called at each connection: a rehearsal leads all of them to simulated switches.
    """

    def __init__(
        self,
        settings: Settings,
        credentials: Callable[[], Mapping[str, Credential]],
        locate: Locate = _as_registered,
    ) -> None:
        """Load the site's own dialects. Raises ConfigError."""
        self.dialects = _dialects(Path(settings.switches.dialects))
        self._settings = settings.switches
        self._credentials = credentials
        self._locate = locate
        self._credentials_file = settings.credentials.file
        self._without_ranges: set[tuple[str, str, int]] = set()  # learnt since the start
        self._secrets: dict[str, Secrets] = {}
        self._known_hosts = KnownHosts(Path(settings.switches.known_hosts))
        self._logins = asyncio.Semaphore(LOGINS)

    # --- dialects ---------------------------------------------------------------------------------

    def options(self) -> dict[str, frozenset[str]]:
        """Return the options that a switch of each dialect may be registered with."""
        return {
            name: dialect.options
            | COMMON_OPTIONS
            | OPTIONS
            | ({CHANNELS} if dialect.channels else frozenset())
            for name, dialect in self.dialects.items()
        }

    def canonical_port(self, dialect: str, port: str) -> str:
        """Return the canonical name of a port.

        Raises ValueError for an ambiguous name, and for one that no port of the family has.
        """
        known = self.dialects[dialect]
        if known.numbered_ports and not any(char.isdigit() for char in port):
            raise ValueError(f"{port} is no port: {dialect} numbers its ports")
        canonical = known.canonical_port(port)
        names = known.port_names
        if names is not None and not names.pattern.fullmatch(canonical):
            raise ValueError(
                f"{port} is no port: {dialect} has ports such as {known.example_ports[0]}"
                f" ({names.described})"
            )
        return canonical

    def channel_modes(self) -> dict[str, tuple[str, ...]]:
        """Return how switches bundle ports, by the names of the dialects that make channels."""
        return {name: one.channels.modes for name, one in self.dialects.items() if one.channels}

    def channel_names(self, dialect: str, options: Mapping[str, Any]) -> list[tuple[int, str]]:
        """Return the numbers and names of channels that HaaS may make on a switch.

        Raises ValueError, with a sentence, if the switch's option is no range of numbers.
        """
        channels = self.dialects[dialect].channels
        if channels is None:
            return []
        return [(number, channels.name(number)) for number in numbers(channels, options)]

    def reserved_vlans(self, dialect: str) -> frozenset[int]:
        """Return the VLANs that nobody can create on switches of a dialect."""
        known = self.dialects.get(dialect)
        return known.reserved_vlans if known else frozenset()

    def traits(self, dialect: str, trunks: int) -> SwitchTraits:
        """Return the traits of a switch with this many trunk ports."""
        known = self.dialects.get(dialect)
        return SwitchTraits(
            declares_vlans=bool(known and known.declares_vlans and not known.trunks_need_vlans),
            saves=known.saves if known else False,
            trunks=trunks,
        )

    # --- drivers ----------------------------------------------------------------------------------

    def driver(self, switch: RegisteredSwitch) -> Driver:
        """Make the driver of a switch; no I/O. Raises UnavailableError for an unknown dialect."""
        dialect = self.dialects.get(switch.dialect)
        if dialect is None:
            raise UnavailableError(
                f"This haas-rpcd has no dialect {switch.dialect}, with which {switch.name} is"
                " registered."
            )
        options = {name: value for name, value in switch.options.items() if name not in OPTIONS}
        address = (switch.name, switch.host, switch.port)
        if address in self._without_ranges:
            options["ranges"] = False
        secrets = self._secrets.setdefault(switch.name, Secrets())
        driver = SwitchDriver(
            switch.name,
            dialect,
            connect=lambda: self._connect(switch),
            options=options,
            credential=lambda: secrets.note(self._credential(switch)),
            settings=self._settings,
            registered=switch,
            without_ranges=lambda: self._without_ranges.add(address),
            logins=self._logins,
        )
        return DiscreetDriver(driver, secrets)

    async def reach(self, switch: RegisteredSwitch) -> None:
        """Connect to a switch, and close the connection at once. Raises DeviceError."""
        host, port = self._locate(switch)
        connection = await TelnetTransport.connect(
            switch.name, host, port, self._settings.connect_timeout
        )
        await connection.close()

    async def trust(self, switch: RegisteredSwitch, fingerprint: str | None) -> SwitchTrust:
        """Read a switch's SSH host key, and trust it if it has this fingerprint.

        Raises DeviceError, UnavailableError.
        """
        address = await self._ssh(switch)
        shown = await address.trust(fingerprint and fingerprint.rstrip("="))
        return SwitchTrust(
            switch=switch.name,
            host=switch.host,
            port=switch.port,
            type=shown.key.kind,
            fingerprint=shown.key.fingerprint,
            state=shown.verdict,
            stored=shown.stored,
            trusted=tuple(str(key) for key in shown.known),
            note=shown.advice(switch.name, address.known_hosts.path),
        )

    async def _connect(self, switch: RegisteredSwitch) -> Transport:
        if switch.transport == "ssh":
            address = await self._ssh(switch)
            return await address.connect(self._credential(switch))
        credential = self._credential(switch)
        if credential.key_file and not credential.password:
            raise DeviceError(
                f"{switch.name} is registered with telnet, which takes no SSH key: add  password ="
                " …  to its entry in the credentials file, or register it with ssh.",
                reason="login",
            )
        host, port = self._locate(switch)
        return await TelnetTransport.connect(
            switch.name,
            host,
            port,
            self._settings.connect_timeout,
            self._settings.keepalive,
        )

    async def _ssh(self, switch: RegisteredSwitch) -> SshAddress:
        # Importing asyncssh takes 0.3 s, so a thread does it when a switch first needs it.
        await asyncio.to_thread(importlib.import_module, _SSH)
        from haas_rpcd.drivers.switch.transport.ssh import SshAddress

        host, port = self._locate(switch)
        return SshAddress(
            switch.name,
            host,
            port,
            known_hosts=self._known_hosts,
            settings=self._settings,
            legacy=switch.options.get("ssh_legacy") is True,
        )

    def _credential(self, switch: RegisteredSwitch) -> Credential:
        """Look up a switch's credentials. Raises DeviceError ``login``."""
        entry = switch.credential or switch.name
        return look_up(self._credentials, entry, switch.name, self._credentials_file)


def _dialects(folder: Path) -> dict[str, Dialect]:
    """Return the built-in dialects and the site's own. Raises ConfigError."""
    try:
        return DIALECTS | load(folder)
    except (DialectError, OSError) as error:
        raise ConfigError(f"[switches] dialects: {error}") from None
