"""SSH to a switch: logins, bytes, algorithms, errors.

A login by password needs an OS user with OpenSSH, so these use a server of asyncssh.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from haas_rpcd.config import Credential
from tests.unit.ssh_client import LOGIN, address, fails, trusted, until
from tests.unit.ssh_server import PROMPT

# --- logging in -----------------------------------------------------------------------------------


BOTH = ("keyboard-interactive", "password")
LOGINS: dict[str, dict[str, Any]] = {
    "a password": {"methods": ("password",)},
    "questions": {"methods": ("keyboard-interactive",)},
    "either": {"methods": BOTH},
    "a user name asked again": {
        "methods": ("keyboard-interactive",),
        "questions": (("User Name:", True), ("haas@sw1's password:", False)),
    },
    "nothing, as the switch asks in its shell": {"methods": ()},
}


@pytest.mark.parametrize("ways", LOGINS.values(), ids=LOGINS)
async def test_every_kind_of_login_succeeds(tmp_path: Path, ways: dict[str, Any]) -> None:
    async with trusted(tmp_path, **ways) as (it, at):
        transport = await at.connect(LOGIN)
        assert await until(transport, PROMPT) == PROMPT
        await transport.close()
    assert it.terminal == ("dumb", 510)


@pytest.mark.parametrize("methods", [("password",), ("keyboard-interactive",), BOTH])
async def test_a_wrong_password_is_sent_once(tmp_path: Path, methods: tuple[str, ...]) -> None:
    """Sending it by each method would lock the account sooner."""
    async with trusted(tmp_path, methods=methods) as (it, at):
        error = await fails(at.connect(Credential(username="haas", password="wr0ng-pass")))
    assert error.reason == "login"
    assert "refused the login of haas: check its entry in the credentials file" in error.message
    assert it.tried == ["wr0ng-pass"]


async def test_a_switch_may_disconnect_after_a_wrong_password(tmp_path: Path) -> None:
    async with trusted(tmp_path, hangs_up=True) as (_, at):
        error = await fails(at.connect(Credential(username="haas", password="wr0ng-pass")))
    assert error.reason == "login"
    assert "refused the login of haas" in error.message


async def test_an_unknown_question_gets_no_password(tmp_path: Path) -> None:
    questions = (("One-time code: ", False),)
    ways = {"methods": ("keyboard-interactive",), "questions": questions}
    async with trusted(tmp_path, **ways) as (it, at):
        assert (await fails(at.connect(LOGIN))).reason == "login"
    assert it.tried == []


async def test_ssh_needs_a_user_name(tmp_path: Path) -> None:
    error = await fails(address(tmp_path / "none", 1).connect(Credential(password="s3cret")))
    assert error.reason == "login"
    assert "add  username = …" in error.message


async def test_a_switch_without_a_free_shell_is_busy(tmp_path: Path) -> None:
    async with trusted(tmp_path, shells=False) as (_, at):
        error = await fails(at.connect(LOGIN))
    assert error.reason == "busy"
    assert "has no SSH session free" in error.message


async def test_no_log_contains_a_password_or_a_user_name(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    asyncssh.set_debug_level(3)
    try:
        async with trusted(tmp_path, methods=BOTH) as (_, at):
            await (await at.connect(LOGIN)).close()
            await fails(at.connect(Credential(username="haas", password="wr0ng-pass")))
    finally:
        asyncssh.set_debug_level(1)
    assert not [record for record in caplog.records if record.name.startswith("asyncssh")]


# --- bytes ----------------------------------------------------------------------------------------


async def test_lines_end_with_a_carriage_return_and_bytes_are_unchanged(tmp_path: Path) -> None:
    """A shell on a terminal would take CR LF as two lines."""
    async with trusted(tmp_path) as (it, at):
        transport = await at.connect(LOGIN)
        await until(transport, PROMPT)
        transport.write(b"show \xe4\x00\r\n")
        assert await until(transport, b"\r\n" + PROMPT) == b"show \xe4\x00\r\n" + PROMPT
        assert it.sent == b"show \xe4\x00\r"
        transport.write(b"x" * 1_000_000 + b"\r\n")
        assert len(await until(transport, b"\r\n" + PROMPT)) == 1_000_002 + len(PROMPT)
        await transport.close()


@pytest.mark.parametrize("how", ["close", "abort"])
async def test_reading_ends_with_the_connection(tmp_path: Path, how: str) -> None:
    async with trusted(tmp_path) as (it, at):
        transport = await at.connect(LOGIN)
        await until(transport, PROMPT)
        assert it.connection is not None
        getattr(it.connection, how)()
        assert await until(transport, b"never") == b""
        assert await transport.read() == b""
        transport.write(b"show version\r\n")  # no error
        await transport.close()
        await transport.close()


# --- algorithms -----------------------------------------------------------------------------------

OLD: dict[str, Any] = {
    "kex_algs": ["diffie-hellman-group1-sha1"],
    "encryption_algs": ["3des-cbc"],
    "mac_algs": ["hmac-sha1"],
    "signature_algs": ["ssh-rsa"],
}


async def test_broken_algorithms_are_only_used_with_the_option(tmp_path: Path) -> None:
    async with trusted(tmp_path, keys=("ssh-rsa",), algorithms=OLD) as (_, at):
        for doing in (at.connect(LOGIN), at.trust(None)):
            error = await fails(doing)
            assert error.reason == "unreachable"
            assert 'with the option "ssh_legacy": true' in error.message
    async with trusted(tmp_path, keys=("ssh-rsa",), algorithms=OLD, legacy=True) as (_, at):
        transport = await at.connect(LOGIN)
        assert await until(transport, PROMPT) == PROMPT
        await transport.close()


async def test_old_but_unbroken_algorithms_need_no_option(tmp_path: Path) -> None:
    algorithms = {
        "kex_algs": ["diffie-hellman-group14-sha1"],
        "encryption_algs": ["aes128-ctr"],
        "mac_algs": ["hmac-sha1"],
    }
    async with trusted(tmp_path, keys=("ssh-rsa",), algorithms=algorithms) as (_, at):
        await (await at.connect(LOGIN)).close()


async def test_with_the_option_better_algorithms_are_still_preferred(tmp_path: Path) -> None:
    everything = {
        "kex_algs": ["diffie-hellman-group1-sha1", "curve25519-sha256"],
        "encryption_algs": ["3des-cbc", "aes256-gcm@openssh.com"],
        "mac_algs": ["hmac-sha1-96", "hmac-sha2-256"],
    }
    async with trusted(tmp_path, algorithms=everything, legacy=True) as (it, at):
        transport = await at.connect(LOGIN)
        assert it.connection is not None
        assert it.connection.get_extra_info("send_cipher") == "aes256-gcm@openssh.com"
        await transport.close()


# --- what does not answer -------------------------------------------------------------------------


async def test_a_refused_connection_is_unreachable(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    error = await fails(address(tmp_path / "none", port).connect(LOGIN))
    assert error.reason == "unreachable"
    assert f"can't be reached on 127.0.0.1 port {port}" in error.message
    assert "that its SSH is on" in error.message


async def test_a_silent_server_is_unreachable(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        at = address(tmp_path / "none", silent.getsockname()[1], login_timeout=0.2)
        for doing in (at.connect(LOGIN), at.trust(None)):
            error = await fails(doing)
            assert error.reason == "unreachable"
            assert "its SSH did not answer within 0.2 s" in error.message


SAID: list[tuple[bytes, str, str]] = [
    (b"\xff\xfb\x01\xff\xfb\x03\r\nUser Access Verification\r\n\r\nUsername: ", "unreachable", ""),
    (b"SSH-1.5-Cisco-1.25\r\n", "unreachable", "does not speak SSH 2"),
    (b"HTTP/1.1 400 Bad Request\r\n\r\n", "", ""),
    (b"", "busy", "has no SSH session free"),
]


@pytest.mark.parametrize(("said", "reason", "words"), SAID, ids=["telnet", "1.5", "http", "shut"])
async def test_a_server_of_another_protocol_is_reported(
    tmp_path: Path, said: bytes, reason: str, words: str
) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(said)
        if not said.startswith(b"\xff"):
            writer.close()
        else:
            await reader.read()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        port = server.sockets[0].getsockname()[1]
        error = await fails(address(tmp_path / "none", port, login_timeout=0.5).connect(LOGIN))
        assert error.reason == (reason or error.reason)
        assert error.reason in ("unreachable", "busy")
        assert words in error.message
    finally:
        server.close()
