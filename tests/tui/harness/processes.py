"""Daemons as processes that a test starts, calls and ends."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).parents[3]
PATIENCE = 60.0


class Refused(Exception):
    """The daemon answered with an error."""


class Daemon:
    """``haas-rpcd`` as a process; ready when it says so (sd_notify), ended with the block."""

    def __init__(self, folder: Path, *args: str) -> None:
        self.folder = folder
        self.socket = folder / "rpcd.sock"
        self._args = args

    def __enter__(self) -> Self:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as text:
            address = self.folder / "notify.sock"
            address.unlink(missing_ok=True)
            text.bind(str(address))
            text.settimeout(0.2)
            with (self.folder / "rpcd.log").open("ab") as log:
                self.process = subprocess.Popen(
                    [sys.executable, "-m", "haas_rpcd", *self._args, "--socket", str(self.socket)],
                    cwd=ROOT,
                    env={**os.environ, "NOTIFY_SOCKET": str(address)},
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                )
            while self.process.poll() is None:
                with contextlib.suppress(TimeoutError):
                    if b"READY=1" in text.recv(4096):
                        return self
        raise AssertionError(f"the daemon ended: {(self.folder / 'rpcd.log').read_text()[-2000:]}")

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def kill(self) -> None:
        """Kill it."""
        self.process.kill()
        self.process.wait()

    def post(self, method: str, **params: Any) -> bytes:
        """Call a method and give the whole answer."""
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        with contextlib.closing(_UnixConnection(self.socket)) as connection:
            connection.request("POST", "/rpc", body)
            return connection.getresponse().read()

    def header(self, name: str, method: str, **params: Any) -> str | None:
        """Call a method and give a header of its answer, if it has that."""
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        with contextlib.closing(_UnixConnection(self.socket)) as connection:
            connection.request("POST", "/rpc", body)
            return connection.getresponse().getheader(name)

    def call(self, method: str, **params: Any) -> Any:
        """Call a method and give its result. Raises Refused."""
        answer = json.loads(self.post(method, **params))
        if "error" in answer:
            raise Refused(answer["error"]["message"])
        return answer["result"]

    def apply(self, project: str | None = None) -> dict[str, Any]:
        """Apply a project or the site, and wait for the end; give the job."""
        job = self.call("apply.start", project=project)["job"]
        result: dict[str, Any] = self.call("job.wait", job=job, timeout=PATIENCE)
        return result


class _UnixConnection(HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("haas", timeout=2 * PATIENCE)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def memory(pid: int) -> tuple[int, int]:
    """RSS and PSS of a process, in bytes (proc_pid_smaps(5))."""
    rows = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    sizes = {name: int(value.split()[0]) * 1024 for name, value in (r.split(":") for r in rows)}
    return sizes["Rss"], sizes["Pss"]
