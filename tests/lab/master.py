"""The master's haas-rpcd: a real daemon with its own files, and the console that drives it.

Commands reach the daemon through ``haas-console --script``, as those of a user do. Only queries go
to its JSON-RPC socket directly.
"""

from __future__ import annotations

import http.client
import itertools
import json
import select
import socket
import time
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from .credentials import PASSWORD, USER
from .face import ENABLE
from .forked import start
from .topology import Lab

SECONDS = 300.0
"""Time-out for the daemon's start and for the end of a script. No result depends on it."""


class ScriptFailed(Exception):
    """A script ended with the wrong exit code; the message contains its output."""


@dataclass(frozen=True)
class ConsoleResult:
    """The exit code and output of a console."""

    code: int
    out: str
    err: str


class RunningConsole:
    """A console that is running a script."""

    def __init__(self, script: Path, process: BaseProcess, output: Path, errors: Path) -> None:
        self._script = script
        self._process = process
        self._output = output
        self._errors = errors

    def wait(self, code: int = 0) -> ConsoleResult:
        """Wait until it ends; raise ScriptFailed if it ends with another exit code."""
        self._process.join(SECONDS)
        killed = ""
        if self._process.exitcode is None:
            self._process.kill()
            self._process.join()
            killed = f"(killed: still not over after {SECONDS:.0f} s)\n"
        out, err = self._output.read_text(), self._errors.read_text() + killed
        if self._process.exitcode != code:
            ended = f"{self._script.name} ended with {self._process.exitcode}, not {code}"
            raise ScriptFailed(f"{ended}:\n{out}{err}")
        return ConsoleResult(code, out, err)


class Master:
    """haas-rpcd with its configuration and state in a folder of its own."""

    def __init__(self, folder: Path, lab: Lab) -> None:
        """Write the daemon's files for this lab, but do not start it."""
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
            f'[switches]\nknown_hosts = "{folder / "known_hosts"}"\n\n'
            f'[credentials]\nfile = "{self._credentials}"\n'
        )
        self.set_password(PASSWORD)
        self._daemon: BaseProcess | None = None
        self._numbers = itertools.count(1)

    def set_password(self, password: str) -> None:
        """Set the password with which the daemon logs in to the switch."""
        self._credentials.touch(mode=0o600)
        self._credentials.write_text(
            f'[sw1]\nusername = "{USER}"\npassword = "{password}"\nenable = "{ENABLE}"\n'
        )

    # --- the daemon's life ---

    def start(self) -> None:
        """Start the daemon and wait until it reports that it is ready, as systemd does."""
        notifications = self.folder / "notify.sock"
        notifications.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.bind(str(notifications))
            log = self.folder / "rpcd.log"
            arguments = ["--config", str(self._config)]
            environment = {"NOTIFY_SOCKET": str(notifications)}
            self._daemon = start("haas_rpcd.__main__", arguments, log, log, environment)
            deadline = time.monotonic() + SECONDS
            while not select.select([notify], [], [], 0.5)[0]:
                if not self._daemon.is_alive() or time.monotonic() > deadline:
                    raise ScriptFailed(f"haas-rpcd did not start:\n{self.log()}")
            assert notify.recv(64) == b"READY=1"

    def kill(self) -> None:
        """Kill the daemon with SIGKILL."""
        assert self._daemon
        self._daemon.kill()
        self._daemon.join()

    def stop(self) -> None:
        """Stop the daemon with SIGTERM; it must exit with 0 and have met nothing unexpected."""
        if self._daemon is not None:
            self._daemon.terminate()
            self._daemon.join(SECONDS)
            assert self._daemon.exitcode == 0, self.log()
            assert "unexpected" not in self.log(), self.log()

    def log(self) -> str:
        """Return the daemon's log."""
        return (self.folder / "rpcd.log").read_text()

    def log_since(self, length: int) -> str:
        """Return what was added to the log when it was this long."""
        return self.log()[length:]

    # --- talking to it ---

    def start_console(self, script: Path) -> RunningConsole:
        """Start a console that runs a script."""
        place = self.folder / f"console-{next(self._numbers)}-{script.stem}"
        output, errors = place.with_suffix(".out"), place.with_suffix(".err")
        arguments = ["--socket", str(self.socket), "--script", str(script)]
        process = start("haas_console.cli", arguments, output, errors)
        return RunningConsole(script, process, output, errors)

    def run(self, name: str, lines: str) -> ConsoleResult:
        """Run these lines with a console, to their end; ``name`` is the name of the script."""
        script = self.folder / f"{name}.haas"
        script.write_text(lines)
        return self.start_console(script).wait()

    def call(self, method: str, **params: Any) -> Any:
        """Call a JSON-RPC method of the daemon; return the result. Raises ScriptFailed."""
        connection = _UnixConnection(self.socket)
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        connection.request("POST", "/rpc", json.dumps(body))
        answer = json.loads(connection.getresponse().read())
        connection.close()
        if "error" in answer:
            raise ScriptFailed(f"{method}: {answer['error']['message']}")
        return answer["result"]


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("haas", timeout=SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))
