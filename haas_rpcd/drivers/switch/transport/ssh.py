"""SSH to a switch, by asyncssh: a shell on a terminal, and a host key that an admin has trusted.

asyncssh takes 0.3 s to be imported, so this module is imported when a switch first needs it.
"""

from __future__ import annotations

import asyncio
import re
import socket
import warnings
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncssh

from haas_rpcd.config import Credential, SwitchSettings
from haas_rpcd.drivers.switch.transport import COLUMNS, READ, ROWS
from haas_rpcd.drivers.switch.transport.keepalive import PROBES, keep_alive
from haas_rpcd.drivers.switch.transport.known_hosts import HostKey, KnownHosts, Verdict
from haas_rpcd.errors import DeviceError

# Old switches know nothing else, and it is tried after everything better.
warnings.filterwarnings("ignore", "Diffie-Hellman over finite fields", module=r"asyncssh\.crypto")

asyncssh.set_log_level("WARNING")  # below that it logs user names, and at its debug level packets

_KINDS: dict[str, tuple[str, ...]] = {
    "ssh-ed25519": ("ssh-ed25519",),
    "ecdsa-sha2-nistp256": ("ecdsa-sha2-nistp256",),
    "ecdsa-sha2-nistp384": ("ecdsa-sha2-nistp384",),
    "ecdsa-sha2-nistp521": ("ecdsa-sha2-nistp521",),
    "ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256", "ssh-rsa"),  # SHA-1 last: for older switches only
}
"""The types of host keys, the best first, and the signatures of each (RFC 8332)."""

_LEGACY: dict[str, str] = {
    "kex_algs": "+diffie-hellman-group-exchange-sha1,diffie-hellman-group1-sha1",
    "encryption_algs": "+aes256-cbc,aes192-cbc,aes128-cbc,3des-cbc",
    "mac_algs": "+hmac-sha1-96",
}
"""What IOS 12 and its contemporaries offer, after all that is better. Off unless a switch is
registered with the option ``ssh_legacy``: these can be broken. (diffie-hellman-group14-sha1 and
ssh-rsa are among asyncssh's defaults, at their ends.)"""

Connected = Callable[[socket.socket | None], None]
"""Is told the socket once TCP is through."""

_ASKS_PASSWORD = re.compile(r"pass(?:word|code|phrase)?\b", re.I)
_ASKS_USERNAME = re.compile(r"user ?name|login", re.I)


class SshTransport:
    """A command line over SSH (RFC 4254, section 6)."""

    def __init__(
        self, connection: asyncssh.SSHClientConnection, shell: asyncssh.SSHClientProcess[bytes]
    ) -> None:
        self._connection = connection
        self._shell = shell

    async def read(self) -> bytes:
        """Wait for some bytes; empty at the end of the connection."""
        try:
            return await self._shell.stdout.read(READ)
        except (asyncssh.Error, OSError):
            return b""

    def write(self, data: bytes) -> None:
        """Send some bytes. (After the far end closed this is silent; the next read tells.)"""
        try:
            self._shell.stdin.write(data.replace(b"\r\n", b"\r"))  # what the Enter key sends
        except OSError:
            return

    async def close(self) -> None:
        """Drop the connection."""
        self._connection.close()
        try:
            async with asyncio.timeout(1.0):
                await self._connection.wait_closed()
        except (TimeoutError, asyncssh.Error, OSError):
            self._connection.abort()


@dataclass(frozen=True)
class Shown:
    """What came of asking a switch for its host key."""

    key: HostKey
    verdict: Verdict
    known: Sequence[HostKey]
    """The keys that were trusted when it was asked."""
    stored: bool = False


@dataclass(frozen=True)
class SshAddress:
    """Where a switch's SSH is, and how far it can be trusted. ``legacy``: it knows old SSH only."""

    device: str
    host: str
    port: int
    known_hosts: KnownHosts
    settings: SwitchSettings
    legacy: bool = False

    async def connect(self, credential: Credential) -> SshTransport:
        """Connect, check the host key, log in and open a shell.

        Raises DeviceError: ``unreachable``, ``host_key``, ``login``, ``busy``.
        """
        if not credential.username:
            raise DeviceError(
                f"{self.device} is registered with SSH, which wants a user name: add  username = …"
                "  to its entry in the credentials file.",
                reason="login",
            )
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
        self, credential: Credential, connected: Connected
    ) -> asyncssh.SSHClientConnection:
        client = _Client(credential, self._verdict, connected)
        try:
            return await asyncssh.connect(
                self.host,
                self.port,
                config=None,
                client_factory=lambda: client,
                known_hosts=([], [], []),  # so that every key is put to the client
                username=credential.username,
                client_keys=None,
                agent_path=None,
                gss_host=None,
                preferred_auth="keyboard-interactive,password",
                server_host_key_algs=self._host_key_algs(),
                keepalive_interval=self.settings.keepalive,
                keepalive_count_max=PROBES,
                **self._algorithms(),
            )
        except asyncssh.HostKeyNotVerifiable as error:
            if client.shown is None:  # it could not even be read
                raise self._unreachable(f"its host key: {error.reason}") from None
            raise self._untrusted(client.shown, client.verdict) from None
        except asyncssh.PermissionDenied:
            raise self._refused(credential) from None
        except (asyncssh.DisconnectError, ConnectionError) as error:
            if client.waiting:  # some hang up on a wrong password
                raise self._refused(credential, getattr(error, "reason", "")) from None
            raise

    async def host_key(self, kinds: Sequence[str] = ()) -> HostKey:
        """Give the host key that the switch shows and proves to have; of these kinds, if it can.

        Nothing is sent but the key exchange. Raises DeviceError ``unreachable``, ``host_key``,
        ``busy``.
        """
        async with self._connecting() as connected:
            client = _Client(Credential(), self._verdict, connected)
            algs = self._host_key_algs(kinds)
            options = asyncssh.SSHClientConnectionOptions(
                config=None, client_factory=lambda: client, **self._algorithms()
            )
            key = await asyncssh.get_server_host_key(
                self.host, self.port, config=None, server_host_key_algs=algs, options=options
            )
        if key is None:
            raise self._unreachable("it shows no host key")
        return HostKey(key.public_data)

    async def trust(self, fingerprint: str | None) -> Shown:
        """Look at the switch's host key and, if its fingerprint is this one, trust it from now on.

        Raises DeviceError ``unreachable``, ``host_key``, ``busy``; UnavailableError.
        """
        key = await (self.host_key() if fingerprint is None else self._find(fingerprint))
        known = self.known_hosts.keys(self.host, self.port)
        verdict = self._verdict(key)
        if fingerprint is None or verdict == "known":
            return Shown(key, verdict, known)
        if verdict == "revoked":
            raise self._untrusted(key, verdict)
        await asyncio.to_thread(self.known_hosts.trust, self.host, self.port, key)
        return Shown(key, "known", known, stored=True)

    async def _find(self, fingerprint: str) -> HostKey:
        """Give the host key with this fingerprint, also if the switch prefers another it has.

        (What a switch's console says may be its RSA key's.)
        """
        shown = await self.host_key()
        if shown.fingerprint == fingerprint:
            return shown
        for kind in _KINDS:
            try:
                other = await self.host_key([kind])
            except DeviceError:
                continue  # it has none of that kind
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

    # --- what is offered --------------------------------------------------------------------------

    def _algorithms(self) -> dict[str, Any]:
        return dict(_LEGACY) if self.legacy else {}

    def _host_key_algs(self, kinds: Sequence[str] = ()) -> list[str]:
        """Give the signatures to offer: first those of the keys that are known, as ssh does."""
        known = {key.kind for key in self.known_hosts.keys(self.host, self.port)}
        wanted = list(kinds) or sorted(_KINDS, key=lambda kind: kind not in known)
        algs = [alg for kind in wanted for alg in _KINDS[kind]]
        return [*algs, "ssh-dss"] if self.legacy and not kinds else algs

    def _verdict(self, key: HostKey) -> Verdict:
        return self.known_hosts.verdict(self.host, self.port, key)

    # --- what goes wrong --------------------------------------------------------------------------

    @asynccontextmanager
    async def _connecting(self) -> AsyncIterator[Connected]:
        """Bound the time of the TCP connection, then of the rest, and tell what went wrong."""
        loop = asyncio.get_running_loop()
        patience = self.settings.connect_timeout
        answered = False

        def connected(sock: socket.socket | None) -> None:
            nonlocal answered, patience
            answered, patience = True, self.settings.login_timeout
            limit.reschedule(loop.time() + patience)
            if sock is not None:
                keep_alive(sock, self.settings.keepalive)

        try:
            async with asyncio.timeout(patience) as limit:
                yield connected
        except TimeoutError:
            if answered:
                raise self._unreachable(f"its SSH did not answer within {patience:g} s") from None
            raise DeviceError(
                f"{self.device} does not answer on {self.host} port {self.port} within"
                f" {patience:g} s: check its power, its cabling and the address it is registered"
                " with.",
                reason="unreachable",
            ) from None
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
        return DeviceError(
            f"{self.device} can't be reached on {self.host} port {self.port} ({why}): check its"
            " address and that its SSH is on.",
            reason="unreachable",
        )

    def _refused(self, credential: Credential, said: str = "") -> DeviceError:
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
            f"{self.device} shows the host key {shown}, {why}: see  switch trust {self.device}",
            reason="host_key",
            fingerprint=shown.fingerprint,
            trust=verdict,
        )

    def advice(self, shown: HostKey, verdict: Verdict) -> str | None:
        """Say what an admin who has looked at a key is to do about it, if anything."""
        if verdict == "known":
            return None
        if verdict == "revoked":
            return f"{self.known_hosts.path} marks this key as revoked: give the switch another."
        first = "if the switch was replaced or has a new key, " if verdict == "changed" else ""
        return (
            f"{first}compare the fingerprint with what the switch says of itself at its console;"
            f" if it is the same, switch trust {self.device} --fingerprint {shown.fingerprint}"
        )


class _Client(asyncssh.SSHClient):
    """Answers what comes up while a connection is made. The password is given away once at most."""

    def __init__(
        self,
        credential: Credential,
        judge: Callable[[HostKey], Verdict],
        connected: Connected,
    ) -> None:
        self._credential = credential
        self._judge = judge
        self._connected = connected
        self._asked = False
        self._questioned = False
        self.waiting = False
        """It has the password, and has not said yet what it thinks of it."""
        self.shown: HostKey | None = None
        self.verdict: Verdict = "unknown"

    def connection_made(self, conn: asyncssh.SSHClientConnection) -> None:
        """Take note that TCP is through."""
        self._connected(conn.get_extra_info("socket"))

    def validate_host_public_key(
        self, host: str, addr: str, port: int, key: asyncssh.SSHKey
    ) -> bool:
        """Go by the file of known hosts, and by nothing else."""
        self.shown = HostKey(key.public_data)
        self.verdict = self._judge(self.shown)
        return self.verdict == "known"

    def password_auth_requested(self) -> str | None:
        """Give the password, the first time: a wrong one sent twice may lock the account."""
        if self._asked:
            return None
        self._asked = self.waiting = True
        return self._credential.password

    def auth_completed(self) -> None:
        """Take note that it let us in."""
        self.waiting = False

    def kbdint_auth_requested(self) -> str | None:
        """Offer to answer questions, once, unless the password was refused already."""
        if self._asked or self._questioned:  # sshd without PAM refuses before it asks anything
            return None
        self._questioned = True
        return ""

    def kbdint_challenge_received(
        self, name: str, instructions: str, lang: str, prompts: Sequence[tuple[str, bool]]
    ) -> list[str] | None:
        """Answer what asks for the user name or the password; whatever else it is, give up."""
        answers = []
        for prompt, echo in prompts:
            if not echo and _ASKS_PASSWORD.search(prompt):
                password = self.password_auth_requested()
                if password is None:
                    return None
                answers.append(password)
            elif echo and _ASKS_USERNAME.search(prompt):
                answers.append(self._credential.username)
            else:
                return None
        return answers
