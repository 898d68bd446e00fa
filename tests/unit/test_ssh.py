"""SSH to a switch: host keys, logins, errors.

Host keys are tested with OpenSSH's sshd, ssh and ssh-keygen. A login by password needs an OS user
there, so logins are tested with a server of asyncssh.
"""

from __future__ import annotations

import asyncio
import base64
import logging
import socket
import stat
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from haas_rpcd.config import Credential, SwitchSettings
from haas_rpcd.drivers.switch.transport.keepalive import keep_alive
from haas_rpcd.drivers.switch.transport.known_hosts import HostKey, KnownHosts
from haas_rpcd.drivers.switch.transport.ssh import SshAddress, SshTransport
from haas_rpcd.drivers.switch.transport.telnet import TelnetTransport
from haas_rpcd.errors import DeviceError, UnavailableError
from tests.tui.harness.sshd import SSHD, Sshd, sshd
from tests.unit.ssh_server import PROMPT, Machine, machine

LOGIN = Credential(username="haas", password="s3cret")


def address(path: Path, port: int, *, legacy: bool = False, **settings: Any) -> SshAddress:
    wanted = {"connect_timeout": 5.0, "login_timeout": 5.0, "keepalive": 0.0, **settings}
    return SshAddress(
        "sw1", "127.0.0.1", port, KnownHosts(path), SwitchSettings(**wanted), legacy=legacy
    )


async def fails(doing: Awaitable[Any]) -> DeviceError:
    """Await a call that must fail with a DeviceError; return the error."""
    with pytest.raises(DeviceError) as caught:
        await doing
    return caught.value


# --- host keys, with OpenSSH ----------------------------------------------------------------------


@pytest.fixture
def openssh(tmp_path: Path) -> Iterator[Sshd]:
    """Start a real sshd. ``known_hosts`` in its folder is the file of ssh; it is still missing."""
    if SSHD is None:
        pytest.skip("there is no sshd")
    with sshd(tmp_path, "/bin/true", {"LANG": "C"}) as running:
        (tmp_path / "known_hosts").unlink()
        yield running


def keygen(*words: object) -> str:
    return subprocess.run(
        ["ssh-keygen", *map(str, words)], capture_output=True, text=True, check=True
    ).stdout


def fingerprint(folder: Path) -> str:
    """Return the fingerprint of sshd's key, by ssh-keygen."""
    return keygen("-l", "-f", folder / "host_key.pub").split()[1]


def other_key(folder: Path, name: str = "other") -> str:
    """Create a key other than sshd's; return it in the format of known_hosts."""
    keygen("-q", "-t", "ed25519", "-N", "", "-f", folder / name)
    return " ".join((folder / f"{name}.pub").read_text().split()[:2])


async def test_an_unknown_key_is_refused_and_nothing_is_stored(openssh: Sshd) -> None:
    file = openssh.folder / "known_hosts"
    error = await fails(address(file, openssh.port).connect(LOGIN))
    assert error.reason == "host_key"
    assert error.data["trust"] == "unknown"
    assert fingerprint(openssh.folder) in error.message
    assert "see  switch trust sw1" in error.message
    shown = await address(file, openssh.port).trust(None)
    assert (shown.verdict, shown.stored) == ("unknown", False)
    assert shown.key.kind == "ssh-ed25519"
    assert shown.key.fingerprint == fingerprint(openssh.folder)
    assert not file.exists()


async def test_a_key_is_trusted_by_its_fingerprint_and_ssh_trusts_it_too(openssh: Sshd) -> None:
    file = openssh.folder / "known_hosts"
    at = address(file, openssh.port)
    shown = await at.trust(fingerprint(openssh.folder))
    assert (shown.verdict, shown.stored, list(shown.known)) == ("known", True, [])
    assert stat.S_IMODE(file.stat().st_mode) == 0o644
    assert (await at.trust(None)).verdict == "known"
    assert not (await at.trust(fingerprint(openssh.folder))).stored  # it is stored already
    assert openssh.run("true").returncode == 0  # with StrictHostKeyChecking
    # Now sshd refuses the login, because it only accepts keys.
    error = await fails(at.connect(LOGIN))
    assert error.reason == "login"
    assert "refused the login of haas" in error.message


async def test_the_error_for_a_wrong_fingerprint_names_both(openssh: Sshd) -> None:
    file = openssh.folder / "known_hosts"
    wanted = "SHA256:" + "A" * 43
    error = await fails(address(file, openssh.port).trust(wanted))
    assert error.reason == "host_key"
    assert wanted in error.message
    assert fingerprint(openssh.folder) in error.message
    assert not file.exists()


async def test_a_changed_key_is_refused_until_it_replaces_the_trusted_one(openssh: Sshd) -> None:
    file = openssh.folder / "known_hosts"
    old, name = other_key(openssh.folder), f"[127.0.0.1]:{openssh.port}"
    kept = (
        f"# the rack\nsw2,{name.upper()},[::1]:2222 {old} a comment\n\n@revoked * {old}\nbroken\n"
    )
    file.write_text(f"{name} {old}\n{kept}")
    file.chmod(0o600)
    at = address(file, openssh.port)
    error = await fails(at.connect(LOGIN))
    assert (error.reason, error.data["trust"]) == ("host_key", "changed")
    assert HostKey(base64.b64decode(old.split()[1])).fingerprint in error.message
    assert fingerprint(openssh.folder) in error.message
    assert "see  switch trust sw1" in error.message
    shown = await at.trust(None)
    assert (shown.verdict, shown.stored) == ("changed", False)
    assert len(shown.known) == 2
    assert (await at.trust(fingerprint(openssh.folder))).stored
    new = " ".join((openssh.folder / "host_key.pub").read_text().split()[:2])
    assert file.read_text() == kept.replace(f",{name}", "") + f"{name} {new}\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert (await fails(at.connect(LOGIN))).reason == "login"


async def test_hashed_names_are_understood_and_replaced(openssh: Sshd) -> None:
    file = openssh.folder / "known_hosts"
    name = f"[127.0.0.1]:{openssh.port}"
    key = " ".join((openssh.folder / "host_key.pub").read_text().split()[:2])
    file.write_text(f"{name} {key}\nelsewhere {key}\n")
    keygen("-H", "-f", file)
    assert name not in file.read_text()
    at = address(file, openssh.port)
    assert (await at.trust(None)).verdict == "known"
    old = other_key(openssh.folder)
    file.write_text(f"{name} {old}\nelsewhere {old}\n")
    keygen("-H", "-f", file)
    assert (await at.trust(None)).verdict == "changed"
    assert (await at.trust(fingerprint(openssh.folder))).stored
    first, second = file.read_text().splitlines()
    assert first.startswith("|1|")
    assert second == f"{name} {key}"
    assert "elsewhere" in keygen("-F", "elsewhere", "-f", file)


async def test_a_revoked_key_is_refused_even_with_its_fingerprint(openssh: Sshd) -> None:
    file = openssh.folder / "known_hosts"
    key = " ".join((openssh.folder / "host_key.pub").read_text().split()[:2])
    file.write_text(f"[127.0.0.1]:{openssh.port} {key}\n@revoked * {key}\n")
    at = address(file, openssh.port)
    assert (await at.trust(None)).verdict == "revoked"
    for error in (
        await fails(at.connect(LOGIN)),
        await fails(at.trust(fingerprint(openssh.folder))),
    ):
        assert error.data["trust"] == "revoked"
        assert "marks as revoked" in error.message


async def test_a_switch_with_several_keys_is_trusted_by_any_of_them(tmp_path: Path) -> None:
    """Its console may show the fingerprint of its RSA key."""
    file = tmp_path / "known_hosts"
    async with machine(keys=("ssh-ed25519", "ssh-rsa")) as (it, keys):
        at = address(file, it.port)
        assert (await at.trust(None)).key.kind == "ssh-ed25519"
        wanted = HostKey(keys["ssh-rsa"].public_data).fingerprint
        assert (await at.trust(wanted)).key.kind == "ssh-rsa"
        assert (await at.trust(None)).verdict == "known"  # the known key is requested first
        await (await at.connect(LOGIN)).close()


# --- the file -------------------------------------------------------------------------------------


def a_key(text: str = "one") -> HostKey:
    return HostKey(b"\0\0\0\x0bssh-ed25519" + text.encode())


def line(names: str, key: HostKey, marker: str = "") -> str:
    return f"{marker}{names} {key.kind} {base64.b64encode(key.blob).decode()}\n"


ONE, TWO = a_key(), a_key("two")
FILES: list[tuple[str, str, int, str]] = [
    ("", "sw1", 22, "unknown"),
    (line("sw1", ONE), "sw1", 22, "known"),
    (line("sw1", ONE), "SW1", 22, "known"),
    (line("SW1,10.0.0.1", ONE), "sw1", 22, "known"),
    (line("sw1", ONE), "sw10", 22, "unknown"),
    (line("sw1", TWO), "sw1", 22, "changed"),
    (line("sw1", TWO) + line("sw1", ONE), "sw1", 22, "known"),
    (line("sw?", ONE), "sw1", 22, "known"),
    (line("*.lab,!sw1.lab", ONE), "sw2.lab", 22, "known"),
    (line("*.lab,!sw1.lab", ONE), "sw1.lab", 22, "unknown"),
    (line("*", ONE), "sw1", 2222, "known"),
    (line("sw[1]", ONE), "sw1", 22, "unknown"),
    (line("[sw1]:2222", ONE), "sw1", 2222, "known"),
    (line("[sw1]:2222", ONE), "sw1", 22, "unknown"),
    (line("sw1", ONE), "sw1", 2222, "known"),  # as ssh does
    (line("sw1", TWO), "sw1", 2222, "unknown"),
    (line("sw1", ONE) + line("[sw1]:2222", TWO), "sw1", 2222, "changed"),
    (line("2001:db8::1", ONE), "2001:DB8::1", 22, "known"),
    (line("sw1", ONE, "@cert-authority "), "sw1", 22, "unknown"),
    (line("sw1", ONE) + line("*", ONE, "@revoked "), "sw1", 22, "revoked"),
    (line("sw1", ONE) + line("sw2", ONE, "@revoked "), "sw1", 22, "known"),
    ("|1|damaged " + line("sw1", ONE), "sw1", 22, "unknown"),
    ("|1|a|b " + line("", ONE).strip() + "\n" + line("sw1", ONE), "sw1", 22, "known"),
    ("sw1 ssh-ed25519 !!!\n#" + line("sw1", ONE), "sw1", 22, "unknown"),
    ("\xff\n" + line("sw1", ONE), "sw1", 22, "known"),
]


@pytest.mark.parametrize(("text", "host", "port", "verdict"), FILES)
def test_the_file_has_the_same_meaning_as_for_ssh(
    tmp_path: Path, text: str, host: str, port: int, verdict: str
) -> None:
    (tmp_path / "file").write_bytes(text.encode("latin-1"))
    assert KnownHosts(tmp_path / "file").verdict(host, port, ONE) == verdict


def test_a_file_that_others_changed_is_read_again(tmp_path: Path) -> None:
    known = KnownHosts(tmp_path / "file")
    assert known.verdict("sw1", 22, ONE) == "unknown"
    known.path.write_text(line("sw1", ONE))
    assert known.verdict("sw1", 22, ONE) == "known"
    known.path.unlink()
    assert known.verdict("sw1", 22, ONE) == "unknown"


def test_trusting_completes_the_last_line_and_keeps_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").write_text(line("sw2", TWO).rstrip("\n"))
    (tmp_path / "file").symlink_to("real")
    KnownHosts(tmp_path / "file").trust("sw1", 22, ONE)
    assert (tmp_path / "file").is_symlink()
    assert (tmp_path / "real").read_text() == line("sw2", TWO) + line("sw1", ONE)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "real"]


def test_the_error_names_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match=r"can't be written .*set \[switches\] known_hosts"):
        KnownHosts(tmp_path / "none" / "file").trust("sw1", 22, ONE)


def test_no_key_is_trusted_if_the_file_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="can't be read") as caught:
        KnownHosts(tmp_path).verdict("sw1", 22, ONE)
    assert caught.value.reason == "host_key"


# --- logging in -----------------------------------------------------------------------------------


@asynccontextmanager
async def trusted(
    folder: Path, *, legacy: bool = False, keepalive: float = 0.0, **ways: Any
) -> AsyncIterator[tuple[Machine, SshAddress]]:
    """Start a machine whose host key is trusted."""
    async with machine(**ways) as (it, keys):
        at = address(folder / "known_hosts", it.port, legacy=legacy, keepalive=keepalive)
        at.known_hosts.trust("127.0.0.1", it.port, HostKey(next(iter(keys.values())).public_data))
        yield it, at


async def until(transport: SshTransport | TelnetTransport, end: bytes) -> bytes:
    """Read until the output ends with a text, or until the connection closes."""
    text = b""
    async with asyncio.timeout(10):
        while not text.endswith(end):
            data = await transport.read()
            if not data:
                return text
            text += data
    return text


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


# --- silence --------------------------------------------------------------------------------------


async def test_keepalive_notices_a_dead_connection(tmp_path: Path) -> None:
    """The cable is pulled: nothing arrives, and no side closes the connection."""
    async with trusted(tmp_path) as (it, at), cable(it.port) as (port, pull):
        far = address(at.known_hosts.path, port, keepalive=0.05)
        far.known_hosts.trust("127.0.0.1", port, await far.host_key())
        transport = await far.connect(LOGIN)
        await until(transport, PROMPT)
        pull()
        assert await until(transport, b"never") == b""
        await transport.close()


async def test_keepalive_keeps_a_silent_connection(tmp_path: Path) -> None:
    asked = asyncio.Event()
    left = 0

    def over(data: bytes) -> None:
        nonlocal left
        left -= 1
        if not left:
            asked.set()

    async with trusted(tmp_path) as (it, at), cable(it.port, over) as (port, _):
        far = address(at.known_hosts.path, port, keepalive=0.02)
        far.known_hosts.trust("127.0.0.1", port, await far.host_key())
        transport = await far.connect(LOGIN)
        await until(transport, PROMPT)
        left = 12  # probes and replies: more than may remain unanswered
        async with asyncio.timeout(10):
            await asked.wait()
        transport.write(b"still there\r\n")
        assert await until(transport, b"\r\n" + PROMPT) == b"still there\r\n" + PROMPT
        await transport.close()


@asynccontextmanager
async def cable(
    port: int, over: Callable[[bytes], None] = lambda data: None
) -> AsyncIterator[tuple[int, Callable[[], None]]]:
    """Relay connections to a port; give the relay's port and a function that cuts them."""
    pulled = False
    tasks: set[asyncio.Task[None]] = set()

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            if not pulled:
                over(data)
                writer.write(data)
        writer.close()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", port)
        for pair in ((reader, back), (there, writer)):
            task = asyncio.create_task(relay(*pair))
            tasks.add(task)

    def pull() -> None:
        nonlocal pulled
        pulled = True

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], pull
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def probing(sock: Any) -> tuple[int, int]:
    return (
        sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE),
        sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE),
    )


async def test_tcp_probes_silent_connections_of_both_transports(tmp_path: Path) -> None:
    async with trusted(tmp_path, keepalive=7.0) as (_, at):
        transport = await at.connect(LOGIN)
        assert probing(transport.socket) == (1, 7)
        await transport.close()
    server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    telnet = await TelnetTransport.connect("sw1", "127.0.0.1", port, 5.0, 9.0)
    assert probing(telnet.socket) == (1, 9)
    await telnet.close()
    server.close()


def test_a_keepalive_of_0_sends_no_probes() -> None:
    with socket.socket() as sock:
        keep_alive(sock, 0)
        assert probing(sock)[0] == 0
