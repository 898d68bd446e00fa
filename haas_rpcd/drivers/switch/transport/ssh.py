"""SSH to a switch, by asyncssh: a shell on a terminal, and a host key that an admin has trusted.

Importing asyncssh takes 0.3 s, so this module is imported only when a switch first needs it.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import warnings
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Literal, cast

import asyncssh

from haas_rpcd import patience
from haas_rpcd.config import Credential, SwitchSettings
from haas_rpcd.drivers.switch.transport import COLUMNS, READ, ROWS, no_answer, resolve, unreachable
from haas_rpcd.drivers.switch.transport.client_key import client_keys
from haas_rpcd.drivers.switch.transport.hostkeycheck import HostKeyCheck
from haas_rpcd.drivers.switch.transport.keepalive import PROBES, keep_alive, reset_on_close
from haas_rpcd.drivers.switch.transport.known_hosts import HostKey, KnownHosts, Verdict
from haas_rpcd.drivers.switch.transport.sshalgorithms import (
    CERTIFIED,
    KINDS,
    LEGACY,
    host_key_algorithms,
)
from haas_rpcd.drivers.switch.transport.sshclient import Connected, LoginClient
from haas_rpcd.errors import DeviceError
from haas_rpcd.tasks import ends_within

# Old switches know nothing else; it is offered after everything better.
warnings.filterwarnings("ignore", "Diffie-Hellman over finite fields", module=r"asyncssh\.crypto")

asyncssh.set_log_level("WARNING")  # lower levels log user names and packets


class SshTransport:
    """A command line over SSH (RFC 4254, section 6)."""

    def __init__(
        self, connection: asyncssh.SSHClientConnection, shell: asyncssh.SSHClientProcess[bytes]
    ) -> None:
        self._connection = connection
        self._shell = shell

    @property
    def socket(self) -> socket.socket:
        """The connection's socket."""
        return cast(socket.socket, self._connection.get_extra_info("socket"))

    async def read(self) -> bytes:
        """Wait for bytes; return b"" once the connection is closed."""
        try:
            return await self._shell.stdout.read(READ)
        except (asyncssh.Error, OSError):
            return b""

    def write(self, data: bytes) -> None:
        """Send bytes. If the switch has closed the connection, only the next read shows it."""
        try:
            self._shell.stdin.write(data.replace(b"\r\n", b"\r"))  # as the Enter key does
        except OSError:
            return

    async def close(self) -> None:
        """Close the connection."""
        self._connection.close()
        closed = False
        with contextlib.suppress(asyncssh.Error, OSError):
            closed = await ends_within(1.0, self._connection.wait_closed())
        if not closed:
            self._connection.abort()

    async def abort(self) -> None:
        """Reset the connection."""
        reset_on_close(self.socket)
        self._connection.abort()


@dataclass(frozen=True)
class SshAddress:
    """The SSH server of a device, and which keys are trusted. ``legacy``: it only knows old SSH.

    ``noun`` is what the device is registered as: a switch, or a hypervisor.
    """

    device: str
    host: str
    port: int
    known_hosts: KnownHosts
    settings: SwitchSettings
    legacy: bool = False
    noun: Literal["switch", "hypervisor"] = "switch"

    async def log_in(self, credential: Credential) -> asyncssh.SSHClientConnection:
        """Connect, check the host key and log in.

        Raises DeviceError: ``unreachable``, ``host_key``, ``login``, ``busy``.
        """
        self._check_user(credential)
        async with self._connecting() as connected:
            return await self._log_in(credential, connected)

    def _check_user(self, credential: Credential) -> None:
        if not credential.username:
            raise DeviceError(
                f"{self.device} is registered with SSH, which wants a user name: add  username = …"
                "  to its entry in the credentials file.",
                reason="login",
            )

    async def connect(self, credential: Credential) -> SshTransport:
        """Connect, check the host key, log in and open a shell.

        Raises DeviceError: ``unreachable``, ``host_key``, ``login``, ``busy``.
        """
        self._check_user(credential)
        async with self._connecting() as connected:
            connection = await self._log_in(credential, connected)
            try:
                shell = await connection.create_process(
                    term_type="dumb",
                    term_size=(COLUMNS, ROWS),
                    encoding=None,
                    stderr=asyncssh.STDOUT,
                )
            except asyncssh.ChannelOpenError as error:
                connection.abort()
                raise self._busy(error.reason) from None
            except BaseException:
                connection.abort()
                raise
        return SshTransport(connection, shell)

    async def _log_in(
        self, credential: Credential, connected: Connected, *, certified: bool = True
    ) -> asyncssh.SSHClientConnection:
        """Connect and log in. ``certified``: accept a host certificate of a trusted authority."""
        authorities = self.known_hosts.authorities(self.host, self.port) if certified else []
        client = LoginClient(credential, self._verdict, connected, authorities.__contains__)
        keys = await client_keys(self.device, credential.key_file)
        try:
            return await asyncssh.connect(
                self.host,
                self.port,
                config=None,
                client_factory=lambda: client,
                # it asks the client about every key, but not whether a certified one is revoked
                known_hosts=([], [], self._revoked() if authorities else []),
                username=credential.username,
                client_keys=keys or None,
                agent_path=None,
                gss_host=None,
                preferred_auth="publickey,keyboard-interactive,password",
                server_host_key_algs=[
                    *(CERTIFIED if authorities else ()),
                    *self._host_key_algs(),
                ],
                keepalive_interval=self.settings.keepalive,
                keepalive_count_max=PROBES,
                **self._algorithms(),
            )
        except asyncssh.HostKeyNotVerifiable as error:
            if client.authority is not None and not client.trusts_authority:
                return await self._log_in(credential, connected, certified=False)  # as ssh does
            if client.shown is not None:
                raise self._untrusted(client.shown, client.verdict) from None
            if client.authority is not None or "revoked" in error.reason:
                raise self._not_certified(error.reason) from None
            raise self._unreachable(f"its host key: {error.reason}") from None  # it is no key
        except asyncssh.PermissionDenied:
            raise self._refused(credential, expired=client.expired) from None
        except (asyncssh.DisconnectError, ConnectionError) as error:
            if client.waiting:  # some switches disconnect after a wrong password
                raise self._refused(credential, getattr(error, "reason", "")) from None
            raise

    async def host_key(self, kinds: Sequence[str] = ()) -> HostKey:
        """Return the host key that the switch shows and proves to have; if possible of these kinds.

        Only the key exchange takes place. Raises DeviceError: ``unreachable``, ``host_key``,
        ``busy``.
        """
        async with self._connecting() as connected:
            client = LoginClient(Credential(), self._verdict, connected)
            algs = self._host_key_algs(kinds)
            options = asyncssh.SSHClientConnectionOptions(
                config=None, client_factory=lambda: client, **self._algorithms()
            )
            key = await asyncssh.get_server_host_key(
                self.host,
                self.port,
                config=None,
                server_host_key_algs=algs,
                kex_algs=self._algorithms().get("kex_algs", ()),  # else those of options are lost
                options=options,
            )
        if key is None:
            raise self._unreachable("it shows no host key")
        return HostKey(key.public_data)

    async def trust(self, fingerprint: str | None) -> HostKeyCheck:
        """Read the switch's host key; trust it from now on if it has this fingerprint.

        Raises DeviceError: ``unreachable``, ``host_key``, ``busy``; UnavailableError.
        """
        key = await (self.host_key() if fingerprint is None else self._find(fingerprint))
        known = self.known_hosts.keys(self.host, self.port)
        verdict = self._verdict(key)
        untrusted = verdict in ("unknown", "changed")
        authority = await self._authority() if fingerprint is None and untrusted else None
        if authority is not None:
            return HostKeyCheck(key, "known", known, authority=authority)
        if fingerprint is None or verdict == "known":
            return HostKeyCheck(key, verdict, known)
        if verdict == "revoked":
            raise self._untrusted(key, verdict)
        await asyncio.to_thread(self.known_hosts.trust, self.host, self.port, key)
        return HostKeyCheck(key, "known", known, stored=True)

    async def _authority(self) -> HostKey | None:
        """Return the trusted authority that has signed the switch's host key; None if none has.

        The key is checked before the login, of which nothing is sent.
        """
        authorities = self.known_hosts.authorities(self.host, self.port)
        if not authorities:
            return None
        async with self._connecting() as connected:
            client = LoginClient(Credential(), self._verdict, connected, authorities.__contains__)
            try:
                connection = await asyncssh.connect(
                    self.host,
                    self.port,
                    config=None,
                    client_factory=lambda: client,
                    known_hosts=([], [], self._revoked()),
                    username="haas",
                    client_keys=None,
                    agent_path=None,
                    gss_host=None,
                    preferred_auth="hostbased",
                    server_host_key_algs=list(CERTIFIED),
                    **self._algorithms(),
                )
                connection.abort()
            except asyncssh.PermissionDenied:
                pass  # the key was accepted
            except (asyncssh.HostKeyNotVerifiable, asyncssh.KeyExchangeFailed):
                return None
        return client.authority if client.trusts_authority else None

    async def _find(self, fingerprint: str) -> HostKey:
        """Return the host key with this fingerprint, even if the switch prefers another one.

        (The switch's console may show the fingerprint of its RSA key.)
        """
        shown = await self.host_key()
        if shown.fingerprint == fingerprint:
            return shown
        for kind in KINDS:
            try:
                other = await self.host_key([kind])
            except DeviceError:
                continue  # the switch has no key of this kind
            if other.fingerprint == fingerprint:
                return other
        raise DeviceError(
            f"{self.device} shows the host key {shown}, and not {fingerprint}: compare the"
            " fingerprint with what the switch says of itself at its console. If that is another"
            " one than it shows, something else answers at this address.",
            reason="host_key",
            fingerprint=shown.fingerprint,
            expected=fingerprint,
        )

    # --- algorithms -------------------------------------------------------------------------------

    def _algorithms(self) -> dict[str, Any]:
        return dict(LEGACY) if self.legacy else {}

    def _host_key_algs(self, kinds: Sequence[str] = ()) -> list[str]:
        """Return the signature algorithms to offer: those of known keys first, as ssh does."""
        known = {key.kind for key in self.known_hosts.keys(self.host, self.port)}
        algs = host_key_algorithms(kinds or sorted(KINDS, key=lambda kind: kind not in known))
        return [*algs, "ssh-dss"] if self.legacy and not kinds else algs

    def _revoked(self) -> list[asyncssh.SSHKey]:
        keys = self.known_hosts.revoked(self.host, self.port)
        return [asyncssh.import_public_key(key.openssh) for key in keys]

    def _verdict(self, key: HostKey) -> Verdict:
        return self.known_hosts.verdict(self.host, self.port, key)

    # --- errors -----------------------------------------------------------------------------------

    @asynccontextmanager
    async def _connecting(self) -> AsyncIterator[Connected]:
        """Limit the time of the TCP connection, then of the rest; turn errors into DeviceError."""
        timeout = self.settings.connect_timeout
        answered = False

        def connected(sock: socket.socket | None) -> None:
            nonlocal answered, timeout
            answered, timeout = True, self.settings.login_timeout
            limit.restart(timeout)
            if sock is not None:
                keep_alive(sock, self.settings.keepalive)

        await resolve(self.device, self.host, timeout)
        try:
            async with patience.timeout(timeout) as limit:
                yield connected
        except TimeoutError:
            if answered:
                raise self._unreachable(f"its SSH did not answer within {timeout:g} s") from None
            raise no_answer(self.device, self.host, self.port, timeout) from None
        except asyncssh.KeyExchangeFailed as error:
            advice = (
                'register it with the option "ssh_legacy": true if it is an old switch'
                if not self.legacy
                else "see which algorithms its SSH can be set to"
            )
            raise DeviceError(
                f"{self.device} knows no SSH algorithms that HaaS will use ({error.reason}):"
                f" {advice}.",
                reason="unreachable",
            ) from None
        except (asyncssh.ProtocolError, asyncssh.ProtocolNotSupported) as error:
            raise self._unreachable(f"what answers does not speak SSH 2: {error.reason}") from None
        except asyncssh.DisconnectError as error:
            raise self._busy(error.reason or "it closed the connection") from None
        except OSError as error:
            if answered:
                raise self._busy(error.strerror or "it closed the connection") from None
            raise self._unreachable(str(error.strerror or error)) from None

    def _unreachable(self, why: str) -> DeviceError:
        return unreachable(self.device, self.host, self.port, why, "SSH")

    def _refused(self, credential: Credential, said: str = "", *, expired: str = "") -> DeviceError:
        if expired:
            return DeviceError(
                f"{self.device} wants a new password for {credential.username} ({expired}): change"
                " it on the switch, then in the credentials file.",
                reason="login",
            )
        why = f" ({said})" if said else ""
        return DeviceError(
            f"{self.device} refused the login of {credential.username}{why}: check its entry in the"
            " credentials file.",
            reason="login",
        )

    def _busy(self, said: str) -> DeviceError:
        return DeviceError(
            f"{self.device} has no SSH session free ({said}): close one that nobody needs, or wait"
            " if it is restarting, then apply again.",
            reason="busy",
        )

    def _not_certified(self, why: str) -> DeviceError:
        return DeviceError(
            f"{self.device} shows a host certificate that is not accepted ({why}): give it a valid"
            f" one, or see its @cert-authority line in {self.known_hosts.path}.",
            reason="host_key",
            trust="revoked" if "revoked" in why else "unknown",
        )

    def _untrusted(self, shown: HostKey, verdict: Verdict) -> DeviceError:
        why = "which nobody has trusted yet"
        if verdict == "revoked":
            why = f"which {self.known_hosts.path} marks as revoked"
        elif verdict == "changed":
            known = ", ".join(str(key) for key in self.known_hosts.keys(self.host, self.port))
            why = (
                f"and the one that is trusted is {known}: something else may answer at its address"
            )
        return DeviceError(
            f"{self.device} shows the host key {shown}, {why}: see  {self.noun} trust"
            f" {self.device}",
            reason="host_key",
            fingerprint=shown.fingerprint,
            trust=verdict,
        )
