"""The console over TLS: logging in, which daemon it uses, and where the token is."""

from __future__ import annotations

import asyncio
import os
import shutil
import stat
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from haas_console.client import AsyncClient, DeniedError, NoDaemonError
from haas_rpcd.config import Server
from tests.rpc import certificates
from tests.rpc.certificates import Certificate
from tests.rpc.small_site import Prepared, SmallSite, small_site

ROOT = Path(__file__).parents[2]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("openssl"), reason="wants openssl"),
]


@dataclass
class Home:
    """A user's home, from which the console is run; the daemon and its certificate."""

    folder: Path
    site: SmallSite
    certificate: Certificate
    url: str

    @property
    def tokens(self) -> Path:
        return self.folder / "haas" / "tokens.json"

    async def run(self, *args: str, stdin: str = "", **environ: str) -> tuple[int | None, str, str]:
        kept = {"PATH": os.environ["PATH"], "HOME": str(self.folder)}
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "haas_console", *args),
            cwd=ROOT,
            env={**kept, "XDG_CONFIG_HOME": str(self.folder), **environ},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, error = await process.communicate(stdin.encode())
        return process.returncode, out.decode(), error.decode()

    async def log_in(self) -> str:
        token = str((await self.site.tenant("rita").call("token.create", label="me"))["token"])
        ca = str(self.certificate.cert)
        code, out, error = await self.run("login", self.url, "--ca", ca, stdin=token + "\n")
        assert code == 0, error
        assert "You are rita, a tenant" in out
        assert token not in out + error
        return token


@pytest.fixture
async def home(tmp_path: Path, prepared: Prepared) -> AsyncIterator[Home]:
    certificate = certificates.make(tmp_path)
    server = Server(
        socket=str(tmp_path / "rpcd.sock"), listen="127.0.0.1:0",
        tls_cert=str(certificate.cert), tls_key=str(certificate.key),
    )  # fmt: skip
    folder = tmp_path / "home"
    folder.mkdir()
    async with small_site(tmp_path, prepared, server=server) as site:
        [(_, port)] = site.daemon.tcp_addresses
        yield Home(folder, site, certificate, f"https://127.0.0.1:{port}")


async def test_login_keeps_a_token_that_works(home: Home) -> None:
    """In a file that is the user's alone; later commands need neither the token nor --ca."""
    token = await home.log_in()
    assert stat.S_IMODE(home.tokens.stat().st_mode) == 0o600
    assert token in home.tokens.read_text()
    for args, environ in ((("--url", home.url), {}), ((), {"HAAS_URL": home.url})):
        code, out, error = await home.run(*args, "-c", "project list", **environ)
        assert code == 0, error
        assert "red" in out
        assert "blue" not in out
    code, out, _ = await home.run("--url", home.url, "info")
    assert str(home.tokens) in out
    assert token not in out


KEYRING = """
import json, os, types
FILE = os.path.join(os.environ["HOME"], "keyring.json")
errors = types.SimpleNamespace(KeyringError=type("KeyringError", (Exception,), {}))

def get_keyring():
    return types.SimpleNamespace(priority=5)

def _kept():
    return json.load(open(FILE)) if os.path.exists(FILE) else {}

def set_password(service, name, secret):
    json.dump({**_kept(), service + " " + name: secret}, open(FILE, "w"))

def get_password(service, name):
    return _kept().get(service + " " + name)

def delete_password(service, name):
    kept = _kept()
    if kept.pop(service + " " + name, None) is None:
        raise errors.KeyringError(name)
    json.dump(kept, open(FILE, "w"))
"""
"""What the console uses of the package ``keyring`` (its README, "API"), which wants a desktop."""


async def test_a_system_with_a_keyring_has_the_token_there(home: Home) -> None:
    (home.folder / "keyring.py").write_text(KEYRING)
    path = {"PYTHONPATH": str(home.folder)}
    ca = str(home.certificate.cert)
    token = str((await home.site.tenant("rita").call("token.create", label="me"))["token"])
    _, out, error = await home.run("login", home.url, "--ca", ca, stdin=token, **path)
    assert "The token is in the keyring" in out, error
    assert token not in home.tokens.read_text()
    assert (await home.run("--url", home.url, "-c", "project list", **path))[0] == 0
    assert (await home.run("logout", home.url, **path))[0] == 0
    assert token not in (home.folder / "keyring.json").read_text()


async def test_logout_removes_it(home: Home) -> None:
    await home.log_in()
    assert (await home.run("logout", home.url))[0] == 0
    ca = str(home.certificate.cert)
    code, _, error = await home.run("--url", home.url, "--ca", ca, "-c", "project list")
    assert code == 4
    assert "haas-console login" in error


async def test_a_wrong_token_is_not_kept(home: Home) -> None:
    ca = str(home.certificate.cert)
    code, _, error = await home.run("login", home.url, "--ca", ca, stdin="haas_" + "x" * 43)
    assert code == 4, error
    assert "does not accept this token: it is wrong, was revoked, or has expired" in error
    assert "haas-console login" not in error  # that is what was just done
    assert not home.tokens.exists()


async def test_tokens_that_others_can_read_are_refused(home: Home) -> None:
    await home.log_in()
    home.tokens.chmod(0o644)
    code, _, error = await home.run("--url", home.url, "-c", "project list")
    assert code == 2
    assert "chmod 600" in error


async def test_a_context_names_a_daemon(home: Home) -> None:
    token = await home.log_in()
    settings = home.folder / "haas" / "console.toml"
    settings.write_text(
        f'context = "lab"\n[contexts.lab]\nurl = "{home.url}"\n'
        f'ca_file = "{home.certificate.cert}"\n'
        '[contexts.gone]\nsocket = "/nowhere/rpcd.sock"\n'
    )
    home.tokens.unlink()
    for args in (("--context", "lab"), ()):
        code, out, error = await home.run(*args, "-c", "project list", HAAS_TOKEN=token)
        assert (code, "red" in out) == (0, True), error
    assert (await home.run("--context", "gone", "-c", "project list"))[0] == 3
    code, _, error = await home.run("--context", "labb", "-c", "project list")
    assert (code, "there is no context labb" in error) == (2, True)


async def test_without_the_authority_nothing_is_sent(home: Home) -> None:
    token = (await home.site.tenant("rita").call("token.create", label="me"))["token"]
    code, _, error = await home.run("--url", home.url, "-c", "node list", HAAS_TOKEN=token)
    assert code == 3
    assert "has a certificate nobody here trusts (self" in error
    assert "_ssl.c" not in error
    [listed] = (await home.site.tenant("rita").call("token.list"))["items"]
    assert listed["last_used"] is None


async def test_the_python_client_sends_the_token_that_it_is_given(home: Home) -> None:
    token = str((await home.site.tenant("rita").call("token.create", label="me"))["token"])
    ca = str(home.certificate.cert)
    async with await AsyncClient.connect(url=home.url, ca_file=ca, token=token) as haas:
        assert (await haas.call("system.info"))["user"] == "rita"
    with pytest.raises(DeniedError, match="does not let you in"):
        await AsyncClient.connect(url=home.url, ca_file=ca, token="haas_wrong")
    with pytest.raises(NoDaemonError, match="a certificate nobody here trusts"):
        await AsyncClient.connect(url=home.url, token=token)
