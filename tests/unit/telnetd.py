"""Real telnet servers on loopback, with login(1) or a small program in its place."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

_SBIN = "/usr/sbin:/usr/local/sbin:/usr/bin:/bin"

LOGIN = """#!/bin/sh
while :; do
    printf 'sw1 login: '
    IFS= read -r name || exit 1
    stty -echo
    printf 'Password: '
    IFS= read -r word || exit 1
    stty echo
    echo
    [ "$name/$word" = haas/s3cret ] && break
    echo 'Login incorrect'
done
PS1='$ '
export PS1
exec /bin/sh -i
"""

SERVERS: dict[str, Callable[[str], list[str]]] = {
    "GNU telnetd": lambda login: ["telnetd", f"--exec-login={login}"],
    "GNU telnetd in line mode": lambda login: [
        "telnetd", "--linemode=always", f"--exec-login={login}",
    ],
    "busybox telnetd": lambda login: ["busybox", "telnetd", "-i", "-l", login],
}  # fmt: skip
"""The command of each server, as inetd(8) starts it: its standard input is the connection."""


@asynccontextmanager
async def real_telnetd(name: str, folder: Path, login: Path | None = None) -> AsyncIterator[int]:
    """Start a server for each connection, as inetd does; give the port. They end with the block.

    ``login``: the program that asks for the password, by default one that knows one user.
    """
    if login is None:
        login = folder / "login"
        login.write_text(LOGIN)
        login.chmod(0o755)
    program, *arguments = SERVERS[name](str(login))
    found = shutil.which(program, path=_SBIN)
    if os.geteuid() != 0:
        pytest.skip(f"{name} is NOT TESTED: a telnet server needs root.")
    if found is None:
        pytest.skip(f"{name} is NOT TESTED: there is no {program}. Run make setup as root.")
    loop = asyncio.get_running_loop()
    started: list[subprocess.Popen[bytes]] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)

        async def serve() -> None:
            while True:
                accepted, _ = await loop.sock_accept(listening)
                with accepted:
                    accepted.setblocking(True)
                    started.append(_start([found, *arguments], accepted))

        serving = asyncio.create_task(serve())
        try:
            yield listening.getsockname()[1]
        finally:
            serving.cancel()
            for server in started:
                server.kill()
                server.wait()


def _start(command: list[str], connection: socket.socket) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, stdin=connection, stdout=connection)
