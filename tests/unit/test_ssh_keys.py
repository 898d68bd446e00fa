"""Logins by SSH key, and hosts whose key an authority has signed: with OpenSSH's own sshd."""

from __future__ import annotations

import getpass
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from haas_rpcd.config import Credential
from haas_rpcd.drivers.switch.transport.known_hosts import HostKey
from tests.tui.harness.sshd import SSHD, Sshd, sshd
from tests.unit.ssh_client import address, fails, until
from tests.unit.ssh_server import machine
from tests.unit.test_ssh import OLD

pytestmark = pytest.mark.slow

SHELL = """#!/bin/sh
printf 'sw1#'
read -r line
"""


def keygen(*words: object) -> None:
    subprocess.run(["ssh-keygen", "-q", *map(str, words)], check=True)


def public(path: Path) -> str:
    """Return a public key in the format of known_hosts."""
    return " ".join(path.with_suffix(".pub").read_text().split()[:2])


@contextmanager
def openssh(folder: Path, certificate: Sequence[str] = ()) -> Iterator[Sshd]:
    """Start a real sshd that lets the user of the tests in by ``folder/key``."""
    if SSHD is None:
        pytest.skip("there is no sshd")
    shell = folder / "shell"
    shell.write_text(SHELL)
    shell.chmod(0o755)
    with sshd(folder, str(shell), {"LANG": "C"}, certificate=certificate) as running:
        yield running


def by_key(folder: Path, name: str = "key", **more: str) -> Credential:
    return Credential(username=getpass.getuser(), key_file=str(folder / name), **more)


async def login(server: Sshd, credential: Credential) -> bytes:
    """Log in; return what the shell says."""
    at = address(server.folder / "known_hosts", server.port)
    transport = await at.connect(credential)
    try:
        return await until(transport, b"sw1#")
    finally:
        await transport.close()


# --- logins by key --------------------------------------------------------------------------------


@pytest.mark.parametrize("password", ["", "s3cret"], ids=["alone", "with a password"])
async def test_a_login_by_key_succeeds(tmp_path: Path, password: str) -> None:
    with openssh(tmp_path) as server:
        assert await login(server, by_key(tmp_path, password=password)) == b"sw1#"


async def test_a_key_that_the_switch_does_not_know_is_refused(tmp_path: Path) -> None:
    keygen("-t", "ed25519", "-N", "", "-f", tmp_path / "other")
    with openssh(tmp_path) as server:
        error = await fails(login(server, by_key(tmp_path, "other")))
    assert error.reason == "login"
    assert f"sw1 refused the login of {getpass.getuser()}" in error.message


async def test_a_key_alone_sends_no_password(tmp_path: Path) -> None:
    keygen("-t", "ed25519", "-N", "", "-f", tmp_path / "key")
    async with machine(methods=("password", "keyboard-interactive")) as (it, keys):
        at = address(tmp_path / "known_hosts", it.port)
        at.known_hosts.trust("127.0.0.1", it.port, HostKey(keys["ssh-ed25519"].public_data))
        error = await fails(at.connect(by_key(tmp_path)))
    assert error.reason == "login"
    assert it.tried == []


async def test_a_password_serves_if_the_key_is_refused(tmp_path: Path) -> None:
    keygen("-t", "ed25519", "-N", "", "-f", tmp_path / "key")
    async with machine() as (it, keys):
        at = address(tmp_path / "known_hosts", it.port)
        at.known_hosts.trust("127.0.0.1", it.port, HostKey(keys["ssh-ed25519"].public_data))
        both = Credential(username="haas", password="s3cret", key_file=str(tmp_path / "key"))
        await (await at.connect(both)).close()
    assert it.tried == ["s3cret"]


async def test_a_key_that_others_can_read_is_not_used(tmp_path: Path) -> None:
    with openssh(tmp_path) as server:
        (tmp_path / "key").chmod(0o640)
        error = await fails(login(server, by_key(tmp_path)))
    assert error.reason == "login"
    assert f"(mode 0640); run  chmod 600 {tmp_path}/key" in error.message


async def test_a_key_with_a_passphrase_is_reported(tmp_path: Path) -> None:
    for name, options in {"new": (), "old": ("-m", "PEM")}.items():
        keygen(*options, "-t", "rsa", "-N", "s3same", "-f", tmp_path / name)
    with openssh(tmp_path) as server:
        for name in ("new", "old"):
            error = await fails(login(server, by_key(tmp_path, name)))
            assert error.reason == "login"
            assert (
                f"it has a passphrase, which nobody can type; run  ssh-keygen -p -f {tmp_path}"
                in (error.message)
            )


async def test_a_file_that_is_no_key_or_missing_is_reported(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("hello")
    (tmp_path / "text").chmod(0o600)
    with openssh(tmp_path) as server:
        error = await fails(login(server, by_key(tmp_path, "text")))
        assert "it is no private SSH key" in error.message
        assert "hello" not in error.message
        error = await fails(login(server, by_key(tmp_path, "none")))
        assert f"{tmp_path}/none: No such file or directory" in error.message


# --- authorities ----------------------------------------------------------------------------------


@contextmanager
def certified(
    folder: Path, *, principals: str = "127.0.0.1", valid: str = "-1d:+1d"
) -> Iterator[Sshd]:
    """Start an sshd whose host key ``folder/ca`` has signed; nothing is trusted yet."""
    keygen("-t", "ed25519", "-N", "", "-f", folder / "ca")
    options = ("-s", str(folder / "ca"), "-I", "sw1", "-h", "-n", principals, "-V", valid)
    with openssh(folder, options) as server:
        (folder / "known_hosts").unlink()
        yield server


def trust_authority(server: Sshd, names: str, more: str = "") -> None:
    line = f"@cert-authority {names} {public(server.folder / 'ca')}\n"
    (server.folder / "known_hosts").write_text(more + line)


@pytest.mark.parametrize("names", ["*", "127.0.0.*", "[127.0.0.1]:*"])
async def test_a_host_that_a_trusted_authority_signed_is_trusted(
    tmp_path: Path, names: str
) -> None:
    with certified(tmp_path) as server:
        trust_authority(server, names)
        assert await login(server, by_key(tmp_path)) == b"sw1#"
        assert server.run("true").stdout == "sw1#"  # ssh trusts it, too


async def test_a_key_that_a_trusted_authority_signed_needs_no_trust(tmp_path: Path) -> None:
    with certified(tmp_path) as server:
        at = address(tmp_path / "known_hosts", server.port)
        assert (await at.trust(None)).verdict == "unknown"
        trust_authority(server, "127.0.0.*")
        check = await at.trust(None)
        assert (check.verdict, check.stored) == ("known", False)
        assert "has signed this key: nothing to do" in (
            check.advice("sw1", at.known_hosts.path) or ""
        )
        trust_authority(server, "sw2")
        check = await at.trust(None)
        assert check.verdict == "unknown"
        assert "switch trust sw1 --fingerprint" in (check.advice("sw1", at.known_hosts.path) or "")


async def test_switch_trust_does_not_count_a_certificate_that_is_not_valid(tmp_path: Path) -> None:
    with certified(tmp_path, valid="-2d:-1d") as server:
        trust_authority(server, "*")
        at = address(tmp_path / "known_hosts", server.port)
        assert (await at.trust(None)).verdict == "unknown"


async def test_an_authority_is_trusted_only_for_its_hosts(tmp_path: Path) -> None:
    with certified(tmp_path) as server:
        trust_authority(server, "sw2,10.0.0.*")
        error = await fails(login(server, by_key(tmp_path)))
    assert (error.reason, error.data["trust"]) == ("host_key", "unknown")


async def test_without_the_authority_the_plain_key_counts(tmp_path: Path) -> None:
    """Also if another authority is trusted for the host."""
    with certified(tmp_path) as server:
        keygen("-t", "ed25519", "-N", "", "-f", tmp_path / "ca2")
        other = f"@cert-authority * {public(tmp_path / 'ca2')}\n"
        (tmp_path / "known_hosts").write_text(other)
        error = await fails(login(server, by_key(tmp_path)))
        assert (error.reason, error.data["trust"]) == ("host_key", "unknown")
        assert "see  switch trust sw1" in error.message
        plain = f"[127.0.0.1]:{server.port} {public(tmp_path / 'host_key')}\n"
        (tmp_path / "known_hosts").write_text(other + plain)
        assert await login(server, by_key(tmp_path)) == b"sw1#"


@pytest.mark.parametrize(
    ("options", "why"),
    [({"principals": "10.0.0.1"}, "principal"), ({"valid": "-2d:-1d"}, "expired")],
    ids=["another host's", "expired"],
)
async def test_a_certificate_that_is_not_valid_is_refused(
    tmp_path: Path, options: dict[str, str], why: str
) -> None:
    with certified(tmp_path, **options) as server:
        trust_authority(server, "*")
        error = await fails(login(server, by_key(tmp_path)))
    assert error.reason == "host_key"
    assert "sw1 shows a host certificate that is not accepted" in error.message
    assert why in error.message


@pytest.mark.parametrize("revoked", ["ca", "host_key"])
async def test_a_revoked_key_is_refused_although_it_is_certified(
    tmp_path: Path, revoked: str
) -> None:
    with certified(tmp_path) as server:
        trust_authority(server, "*", f"@revoked * {public(tmp_path / revoked)}\n")
        error = await fails(login(server, by_key(tmp_path)))
    assert error.reason == "host_key"
    if revoked == "host_key":
        assert error.data["trust"] == "revoked"


# --- old switches ---------------------------------------------------------------------------------


async def test_the_host_key_of_an_old_switch_can_be_trusted(tmp_path: Path) -> None:
    """``switch trust`` uses the algorithms of the option ``ssh_legacy``, as a login does."""
    async with machine(keys=("ssh-rsa",), algorithms=OLD) as (it, keys):
        key = HostKey(keys["ssh-rsa"].public_data)
        at = address(tmp_path / "known_hosts", it.port, legacy=True)
        assert (await at.trust(None)).key == key
        assert (await at.trust(key.fingerprint)).stored
        transport = await at.connect(Credential(username="haas", password="s3cret"))
        await transport.close()
