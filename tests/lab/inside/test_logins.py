"""Logins at real servers that ask for the password of a real account, twelve times each.

GNU's and busybox's telnetd start login(1). OpenSSH's sshd is set to the algorithms of old switches,
and dropbear is the server of small ones.
"""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from haas_rpcd.config import Credential
from haas_rpcd.drivers.switch.dialects import DIALECTS
from haas_rpcd.drivers.switch.session import Session
from haas_rpcd.drivers.switch.transport import Transport
from haas_rpcd.drivers.switch.transport.telnet import TelnetTransport
from haas_rpcd.errors import DeviceError
from tests.unit.ssh_client import address
from tests.unit.telnetd import SERVERS, real_telnetd

from ..credentials import PASSWORD, USER

pytestmark = pytest.mark.second_kernel

LOGINS = 12
SECRET = Credential(username=USER, password=PASSWORD)
LOGIN = Path("/bin/login")
PORT = 2222
SSH_SERVERS = ("OpenSSH with old algorithms", "dropbear")

OLD_SSHD = f"""\
Port {PORT}
ListenAddress 127.0.0.1
HostKey {{key}}
UsePAM no
PermitRootLogin yes
PasswordAuthentication yes
KexAlgorithms diffie-hellman-group1-sha1
Ciphers 3des-cbc
MACs hmac-sha1
HostKeyAlgorithms ssh-rsa
StrictModes no
PidFile none
"""


async def works(transport: Transport) -> None:
    """Log in and run lines, one of which is a document of several lines."""
    session = Session(
        "sw1", DIALECTS["linux_bridge"].dialogue, transport, login_timeout=30.0, answer_timeout=30.0
    )
    try:
        await session.login(SECRET)
        assert (await session.command("stty size")).split() == ["24", "510"]
        assert (await session.command("echo a b")).split() == ["a", "b"]
        assert (await session.command("cat <<END\nfirst\nsecond\nEND")).split()[-1] == "second"
    finally:
        await session.close()


@pytest.mark.parametrize("server", SERVERS)
async def test_every_login_by_telnet_succeeds(server: str, tmp_path: Path) -> None:
    async with real_telnetd(server, tmp_path, LOGIN) as port:
        for _ in range(LOGINS):
            await works(await TelnetTransport.connect("sw1", "127.0.0.1", port, 10.0))


@pytest.mark.parametrize("server", SERVERS)
async def test_login_refuses_a_wrong_password(server: str, tmp_path: Path) -> None:
    async with real_telnetd(server, tmp_path, LOGIN) as port:
        transport = await TelnetTransport.connect("sw1", "127.0.0.1", port, 10.0)
        session = Session(
            "sw1", DIALECTS["linux_bridge"].dialogue, transport, login_timeout=30.0,
            answer_timeout=30.0,
        )  # fmt: skip
        with pytest.raises(DeviceError, match=r"refused the login of haas \(Login incorrect\)"):
            await session.login(Credential(username=USER, password="wr0ng"))
        await session.close()


@contextmanager
def ssh_server(name: str, folder: Path) -> Iterator[None]:
    """Run an SSH server with an RSA host key on loopback."""
    key = folder / "host_key"
    if name == "dropbear":
        subprocess.run(["dropbearkey", "-t", "rsa", "-f", key], check=True, capture_output=True)
        command = ["dropbear", "-F", "-E", "-r", str(key), "-p", f"127.0.0.1:{PORT}"]
    else:
        subprocess.run(["ssh-keygen", "-q", "-t", "rsa", "-N", "", "-f", key], check=True)
        (folder / "sshd_config").write_text(OLD_SSHD.format(key=key))
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        command = [shutil.which("sshd") or "/usr/sbin/sshd", "-D", "-e"]
        command += ["-f", str(folder / "sshd_config")]
    server = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    try:
        yield
    finally:
        server.kill()
        server.wait()


@pytest.mark.parametrize("server", SSH_SERVERS)
async def test_every_login_by_ssh_succeeds(server: str, tmp_path: Path) -> None:
    legacy = server != "dropbear"
    at = address(
        tmp_path / "known_hosts", PORT, legacy=legacy, connect_timeout=30.0, login_timeout=60.0
    )
    with ssh_server(server, tmp_path):
        for _ in range(100):
            try:
                shown = (await at.trust(None)).key
                break
            except DeviceError:  # it has not started yet
                await asyncio.sleep(0.1)
        assert (await at.trust(shown.fingerprint)).stored
        for _ in range(LOGINS):
            await works(await at.connect(SECRET))
