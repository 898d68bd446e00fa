"""Sessions with real telnet servers, as they run on Linux switches: GNU's (Debian), busybox's."""

from __future__ import annotations

from pathlib import Path

import pytest

from haas_rpcd.config import Credential
from haas_rpcd.drivers.switch.dialects import DIALECTS
from haas_rpcd.drivers.switch.session import Session
from haas_rpcd.drivers.switch.transport.telnet import TelnetTransport
from haas_rpcd.errors import DeviceError
from tests.unit.telnetd import SERVERS, real_telnetd

pytestmark = pytest.mark.slow

LOGINS = 12


async def session(port: int) -> Session:
    transport = await TelnetTransport.connect("sw1", "127.0.0.1", port, 10.0)
    return Session(
        "sw1", DIALECTS["linux_bridge"].dialogue, transport, login_timeout=20.0, answer_timeout=20.0
    )


@pytest.mark.parametrize("server", SERVERS)
async def test_every_login_succeeds_and_each_line_is_one_line(server: str, tmp_path: Path) -> None:
    """In BINARY, which GNU telnetd asks for, each CR LF would be two lines.

    busybox telnetd misreads an escaped byte 255 in the window size, so that its login reads a
    control character before the user name.
    """
    async with real_telnetd(server, tmp_path) as port:
        for number in range(LOGINS):
            it = await session(port)
            try:
                await it.login(Credential(username="haas", password="s3cret"))
                answer = await it.command("stty size")
                assert answer.split() == ["24", "510"]
                assert (await it.command(f"echo {number}")).split() == [str(number)]
                assert (await it.command("cat <<END\nfirst\nsecond\nEND")).split()[-1] == "second"
            finally:
                await it.close()


@pytest.mark.parametrize("server", SERVERS)
async def test_a_wrong_password_is_refused(server: str, tmp_path: Path) -> None:
    async with real_telnetd(server, tmp_path) as port:
        it = await session(port)
        try:
            with pytest.raises(DeviceError, match=r"refused the login of haas \(Login incorrect\)"):
                await it.login(Credential(username="haas", password="wr0ng"))
        finally:
            await it.close()
