"""The master's haas-rpcd: a real daemon with its own files, and the console that drives it.

Everything that is wanted of the daemon is said to it by ``haas-console --script``, as a user would.
Only questions are asked in JSON-RPC, straight from here: in the lab a Python takes long to start.
"""

from __future__ import annotations

import http.client
import json
import os
import select
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .credentials import PASSWORD, USER
from .face import ENABLE
from .topology import Lab

SECONDS = 120.0
"""How long the daemon may take to start, and a script to end. Nothing is measured by it."""


class ScriptFailed(Exception):
    """A script ended otherwise than it should have; the message has all that was said."""


@dataclass(frozen=True)
class Said:
    """What a run of the console came to."""

    code: int
    out: str
    err: str


class Running:
    """A console that is carrying out a script."""

    def __init__(self, script: Path, process: subprocess.Popen[str]) -> None:
        self._script = script
        self._process = process

    def ends(self, code: int = 0) -> Said:
        """Wait for its end; raise ScriptFailed when it ends with another exit code."""
        try:
            out, err = self._process.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            out, err = self._process.communicate()
            err += f"(killed: still not over after {SECONDS:.0f} s)\n"
        if self._process.returncode != code:
            ended = f"{self._script.name} ended with {self._process.returncode}, not {code}"
            raise ScriptFailed(f"{ended}:\n{out}{err}")
        return Said(code, out, err)


class Master:
    """haas-rpcd, its configuration and its state, in a folder of their own."""

    def __init__(self, folder: Path, lab: Lab) -> None:
        """Write the daemon's files for this lab; it is not started."""
        folder.mkdir()
        self.folder = folder
        self.socket = folder / "rpcd.sock"
        self._credentials = folder / "credentials.toml"
        self._config = folder / "haas.toml"
        self._config.write_text(
            f'[server]\nsocket = "{self.socket}"\n\n'
            f'[store]\npath = "{folder / "haas.db"}"\n\n'
            '[vlans]\npool = "100-109"\n\n'
            f'[master]\ntrunk_nic = "{lab.trunk_nic}"\nlibvirt_uri = "qemu:///system"\n\n'
            f'[credentials]\nfile = "{self._credentials}"\n'
        )
        self.know_password(PASSWORD)
        self._daemon: subprocess.Popen[bytes] | None = None

    def know_password(self, password: str) -> None:
        """Have the daemon log in to the switch with this password from now on."""
        self._credentials.touch(mode=0o600)
        self._credentials.write_text(
            f'[sw1]\nusername = "{USER}"\npassword = "{password}"\nenable = "{ENABLE}"\n'
        )

    # --- the daemon's life ---

    def start(self) -> None:
        """Start the daemon, and wait until it says that it is ready, as systemd would."""
        told = self.folder / "notify.sock"
        told.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.bind(str(told))
            with (self.folder / "rpcd.log").open("ab") as log:
                self._daemon = subprocess.Popen(
                    [sys.executable, "-m", "haas_rpcd", "--config", str(self._config)],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env={**os.environ, "NOTIFY_SOCKET": str(told)},
                )
            deadline = time.monotonic() + SECONDS
            while not select.select([notify], [], [], 0.5)[0]:
                if self._daemon.poll() is not None or time.monotonic() > deadline:
                    raise ScriptFailed(f"haas-rpcd did not start:\n{self.log()}")
            assert notify.recv(64) == b"READY=1"

    def kill(self) -> None:
        """End the daemon by SIGKILL: it gets to do nothing more."""
        assert self._daemon
        self._daemon.kill()
        self._daemon.wait()

    def stop(self) -> None:
        """Have the daemon end by itself."""
        if self._daemon is not None:
            self._daemon.terminate()
            self._daemon.wait(SECONDS)

    def log(self) -> str:
        """Return what the daemon logged."""
        return (self.folder / "rpcd.log").read_text()

    # --- talking to it ---

    def begin(self, script: Path) -> Running:
        """Start a console on a script."""
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "haas_console"),
                *("--socket", str(self.socket), "--script", str(script)),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        return Running(script, process)

    def ask(self, method: str, **params: Any) -> Any:
        """Ask the daemon something, in JSON-RPC."""
        connection = _UnixConnection(self.socket)
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        connection.request("POST", "/rpc", json.dumps(body))
        answer = json.loads(connection.getresponse().read())
        connection.close()
        return answer["result"]


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("haas", timeout=SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))
