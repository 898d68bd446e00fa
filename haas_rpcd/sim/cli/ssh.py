"""The switch's side of SSH: password and keyboard-interactive logins, and one shell.

The device makes a new host key at each start. The session gets input as it does over telnet, except
that the user has already logged in. Only devices that listen for SSH import this module, because
importing asyncssh takes a while.
"""

from __future__ import annotations

from collections.abc import Callable

import asyncssh

from haas_rpcd.sim.cli.wire import End, Host, Transit


async def listen(device: Host, host: str, port: int) -> tuple[asyncssh.SSHAcceptor, str]:
    """Listen. Return the listener and the host key in known_hosts format. Raises OSError."""
    key = asyncssh.generate_private_key("ssh-ed25519")
    acceptor = await asyncssh.listen(
        host,
        port,
        server_factory=lambda: _Server(device),
        server_host_keys=[key],
        encoding=None,
        line_editor=False,
        allow_scp=False,
        agent_forwarding=False,
    )
    return acceptor, key.export_public_key().decode().strip()


class _Server(asyncssh.SSHServer):
    """One connection and its login."""

    def __init__(self, device: Host) -> None:
        self._device = device
        self._connection: asyncssh.SSHServerConnection | None = None
        self._user = ""

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn
        if not self._device.has_room():
            self._device.counters.refused += 1
            conn.abort()

    def begin_auth(self, username: str) -> bool:
        self._user = username
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return self._device.allows(username, password)

    def kbdint_auth_supported(self) -> bool:
        return True

    def get_kbdint_challenge(
        self, username: str, lang: str, submethods: str
    ) -> tuple[str, str, str, list[tuple[str, bool]]]:
        return "", "", "", [("Password: ", False)]

    def validate_kbdint_response(self, username: str, responses: object) -> bool:
        answers = list(responses) if isinstance(responses, (list, tuple)) else []
        return self._device.allows(username, str(answers[0]) if answers else "")

    def session_requested(self) -> SshWire | bool:
        if self._connection is None:
            return False
        return SshWire(self._device, self._connection, self._user)


class SshWire(End, asyncssh.SSHServerSession[bytes]):
    """The shell of one SSH connection."""

    def __init__(self, device: Host, connection: asyncssh.SSHServerConnection, user: str) -> None:
        self.peer = str((connection.get_extra_info("peername") or ("",))[0])
        self._device = device
        self._connection = connection
        self._user = user
        self._channel: asyncssh.SSHServerChannel[bytes] | None = None
        half: Callable[[], float] = lambda: device.faults.round_trip / 2  # noqa: E731
        self._arriving, self._leaving = Transit(half), Transit(half)

    # --- the connection

    def connection_made(self, chan: asyncssh.SSHServerChannel[bytes]) -> None:
        """Remember the channel."""
        self._channel = chan

    def pty_requested(
        self,
        term_type: str,
        term_size: tuple[int, int, int, int],
        term_modes: object,
    ) -> bool:
        """Accept any terminal. Switches ignore its size."""
        return True

    def shell_requested(self) -> bool:
        """Accept a shell. Commands and subsystems are refused by default."""
        return True

    def session_started(self) -> None:
        """Get a VTY and begin."""
        session = self._device.make_session(self)
        if not self._device.admit(session):
            self.write(self._device.full_text.encode())
            self._close()
            return
        self._session = session
        session.begin(self._user)

    def data_received(self, data: bytes, datatype: int | None) -> None:
        """Pass data on after the line's delay."""
        self._arriving.send(lambda: self._arrived(data))

    def eof_received(self) -> bool:
        """Keep the connection open until the pending answers are sent."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Give the VTY back."""
        self._channel = None
        self._leaving.cancel()
        self._arriving.send(self._gone)

    def _arrived(self, data: bytes) -> None:
        self._device.counters.bytes_in += len(data)
        if self._session is not None:
            self._session.feed(data)

    # --- for the session

    def write(self, data: bytes) -> None:
        """Send text."""
        self._device.counters.bytes_out += len(data)
        self._leaving.send(lambda: self._write(data))

    def _write(self, data: bytes) -> None:
        if self._channel is not None and not self._channel.is_closing():
            self._channel.write(data)

    def close(self) -> None:
        """Close once everything is written."""
        self._leaving.send(self._close)

    def _close(self) -> None:
        if self._channel is not None:
            self._channel.exit(0)
        self._connection.close()

    def abort(self) -> None:
        """Reset the whole connection."""
        self._arriving.cancel()
        self._leaving.cancel()
        self._connection.abort()

    def pause_reading(self) -> None:
        """Stop reading from the client for now."""
        if self._channel is not None:
            self._channel.pause_reading()

    def resume_reading(self) -> None:
        """Read from the client again."""
        if self._channel is not None:
            self._channel.resume_reading()
