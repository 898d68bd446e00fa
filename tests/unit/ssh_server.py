"""A simulated machine with SSH, with a choice of algorithms, logins and shells."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import asyncssh

PROMPT = b"sw1#"


@dataclass
class Machine:
    """What the machine accepts, and what it received."""

    methods: tuple[str, ...] = ("password",)
    """Any of ``password`` and ``keyboard-interactive``; if empty, every login is accepted."""
    questions: tuple[tuple[str, bool], ...] = (("Password: ", False),)
    shells: bool = True
    hangs_up: bool = False
    """True if it disconnects after a wrong password."""
    port: int = 0
    tried: list[str] = field(default_factory=list)
    sent: bytes = b""
    terminal: tuple[str, int] = ("", 0)
    connection: asyncssh.SSHServerConnection | None = None
    heard: asyncio.Event = field(default_factory=asyncio.Event)
    """Set whenever input has arrived."""


class _Server(asyncssh.SSHServer):
    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._machine.connection = conn

    def begin_auth(self, username: str) -> bool:
        return bool(self._machine.methods)

    def password_auth_supported(self) -> bool:
        return "password" in self._machine.methods

    def kbdint_auth_supported(self) -> bool:
        return "keyboard-interactive" in self._machine.methods

    def validate_password(self, username: str, password: str) -> bool:
        self._machine.tried.append(password)
        if self._machine.hangs_up and self._machine.connection is not None:
            self._machine.connection.abort()
        return (username, password) == ("haas", "s3cret")

    def get_kbdint_challenge(
        self, username: str, lang: str, submethods: str
    ) -> tuple[str, str, str, list[tuple[str, bool]]]:
        return "", "", "", list(self._machine.questions)

    def validate_kbdint_response(self, username: str, responses: Any) -> bool:
        self._machine.tried.extend(responses)
        return bool(responses) and responses[-1] == "s3cret"

    def session_requested(self) -> Any:
        return _Shell(self._machine) if self._machine.shells else False


class _Shell(asyncssh.SSHServerSession[bytes]):
    """Echoes its input, and prints a prompt after each Enter."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def connection_made(self, chan: asyncssh.SSHServerChannel[bytes]) -> None:
        self._channel = chan

    def pty_requested(self, term_type: str, term_size: Any, term_modes: Any) -> bool:
        self._machine.terminal = (term_type, term_size[0])
        return True

    def shell_requested(self) -> bool:
        return True

    def session_started(self) -> None:
        self._channel.write(PROMPT)

    def data_received(self, data: bytes, datatype: Any) -> None:
        self._machine.sent += data
        self._machine.heard.set()
        self._channel.write(data.replace(b"\r", b"\r\n" + PROMPT))


@asynccontextmanager
async def machine(
    *,
    keys: tuple[str, ...] = ("ssh-ed25519",),
    algorithms: dict[str, Any] | None = None,
    **ways: Any,
) -> AsyncIterator[tuple[Machine, dict[str, asyncssh.SSHKey]]]:
    """Run a machine on loopback; give it and its host keys by type."""
    made = {kind: asyncssh.generate_private_key(kind) for kind in keys}
    it = Machine(**ways)
    acceptor = await asyncssh.listen(
        "127.0.0.1",
        0,
        server_factory=lambda: _Server(it),
        server_host_keys=list(made.values()),
        encoding=None,
        line_editor=False,
        **(algorithms or {}),
    )
    it.port = acceptor.get_port()
    try:
        yield it, made
    finally:
        acceptor.close()
        if it.connection is not None:
            it.connection.abort()
        await acceptor.wait_closed()
