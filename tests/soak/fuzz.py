"""Random calls of every method in the OpenRPC document, and random bytes below them.

Every call must get a result, or an error that is not ``internal``. The same seed sends the same.
"""

from __future__ import annotations

import json
import os
import pwd
import random
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
STEPS = 20
"""How often the memory is measured."""

HOSTILE: list[Any] = [
    "", " ", "\0", "\n", "\x1b[2J\x1b]0;x\x07", "[red]x[/red]", "[@click=app.quit]x[/]", "{{7*7}}",
    "n\u043ede-1", "\uff4eode-1", "node\u20101", "node-1\u200b", "\u202enode-1",
    "../../etc/passwd", "-x", "--help",
    "'; DROP TABLE node; --", "%s%n", "$(reboot)", "a" * 64, "a" * 5000, "A", "é", "\ud83d\ude00",
    -1, 0, 1, 2**31, 2**63, 2**64, -(2**63), 10**40, 1.5, -0.0, 1e308, True, False, None, [], {},
    [[]], {"": ""}, ["a"] * 300, {"a": {"b": {"c": {"d": []}}}}, [None], {"node": "node-1"},
]  # fmt: skip

SENSIBLE: dict[str, list[Any]] = {
    "action": ["on", "off"], "after": ["1", "node-1", "0"], "count": [1], "credential": ["lab"],
    "dialect": ["cisco_ios", "linux_bridge"], "digest": ["0" * 16],
    "fingerprint": ["SHA256:" + "A" * 43],
    "headnode": ["head", "h2"], "host": ["127.0.0.1", "127.0.0.2"], "image": ["base-headnode"],
    "job": [1, 2, 3], "kind": ["bmc", "data"], "label": ["ci"], "limit": [5, 1000],
    "mac": ["02:00:00:00:00:01"], "network": ["net", "red/net", "own"], "nic": ["eth0", "eth1"],
    "nics": [[], [{"nic": "eth0"}]], "node": ["node-1", "node-2", "node-9"],
    "object": ["node node-1"],
    "options": [{}], "port": [9, "Gi1/0/9", "Gi1/0/12"], "ports": [["Gi1/0/9"], ["a"]],
    "project": ["red", "blue", "green"], "role": ["trunk", "member", "reader"],
    "since": ["2026-01-01", 5], "site": ["", "[users.eve]", {"users": {"eve": {}}}],
    "state": ["failed"], "switch": ["sw1", "sw3"], "tag": ["gpu"], "tags": [["gpu"]],
    "timeout": [0],
    "token": ["ci", 1], "transport": ["telnet", "ssh"], "until": ["2099-01-01"],
    "user": ["rita", "eve", "nobody"], "vlan": [100, 150], "with": ["blue"],
}  # fmt: skip

ALWAYS = {"timeout": 0, "host": "127.0.0.1", "port": 9}
"""Params without which a call would take long, or ask a name server."""

USERS = ("root", "nobody", "daemon", "bin")
"""An admin, two tenants, and a stranger; only root can be all of them."""


class Connection:
    """A keep-alive HTTP connection of one OS user; opened again when the daemon closes it."""

    def __init__(self, path: str, user: str) -> None:
        self._path = path
        self._uid = pwd.getpwnam(user).pw_uid if os.getuid() == 0 else None
        self._sock: socket.socket | None = None

    def post(self, body: bytes) -> tuple[int, bytes]:
        """Send a body; return the status and the answer."""
        head = f"POST /rpc HTTP/1.1\r\nHost: haas\r\nContent-Length: {len(body)}\r\n\r\n"
        return self._exchange(head.encode() + body)

    def raw(self, data: bytes) -> None:
        """Send bytes on a connection of their own, and read what comes."""
        sock = self._connect()
        sock.settimeout(0.05)
        with suppress(OSError):
            sock.sendall(data)
            while sock.recv(65536):
                pass
        sock.close()

    def close(self) -> None:
        if self._sock is not None:
            self._sock.close()
            self._sock = None

    def _connect(self) -> socket.socket:
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(60)
        if self._uid is not None:
            os.seteuid(self._uid)
        try:
            sock.connect(self._path)
        finally:
            if self._uid is not None:
                os.seteuid(0)
        return sock

    def _exchange(self, data: bytes) -> tuple[int, bytes]:
        for again in (False, True):
            fresh = self._sock is None
            self._sock = self._sock or self._connect()
            try:
                with suppress(BrokenPipeError):  # it may refuse before it has read all
                    self._sock.sendall(data)
                status, body, closing = _answer(self._sock)
            except ConnectionError:
                self.close()
                if fresh or again:
                    raise
                continue  # the daemon had closed a connection that was kept
            if closing:
                self.close()
            return status, body
        raise AssertionError


def _answer(sock: socket.socket) -> tuple[int, bytes, bool]:
    data = b""
    while b"\r\n\r\n" not in data:
        if not (more := sock.recv(65536)):
            raise ConnectionError("closed without an answer")
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    lower = head.lower()
    size = int(lower.split(b"content-length:")[1].split()[0]) if b"content-length" in lower else 0
    while len(body) < size and (more := sock.recv(1 << 20)):
        body += more
    return int(head.split()[1]), body, b"connection: close" in lower


class Fuzzer:
    """Makes calls from the OpenRPC document."""

    def __init__(self, document: dict[str, Any], seed: int) -> None:
        self.random = random.Random(seed)
        self._methods = [
            (
                method["name"],
                [param["name"] for param in method["params"]],
                [param["name"] for param in method["params"] if param["required"]],
            )
            for method in document["methods"]
        ]

    def call(self) -> dict[str, Any]:
        name, known, required = self.random.choice(self._methods)
        names = set(self.random.sample(known, self.random.randint(0, len(known))))
        if self.random.random() < 0.9:  # most calls come past the validation
            names |= set(required)
        strange = self.random.random() < 0.4
        params: Any = {param: self._value(param, strange) for param in known if param in names}
        params |= {key: value for key, value in ALWAYS.items() if key in known and key in params}
        if name == "job.wait":
            params["timeout"] = 0
        if self.random.random() < 0.03:
            params[self.random.choice(["", "x", "__class__", "self", "call", "tx"])] = 1
        if self.random.random() < 0.03:
            params = list(params.values())
        return {"jsonrpc": "2.0", "method": name, "params": params, "id": self.random.randrange(99)}

    def _value(self, param: str, strange: bool) -> Any:
        if param in SENSIBLE and not (strange and self.random.random() < 0.4):
            return self.random.choice(SENSIBLE[param])
        value = self.random.choice(HOSTILE)
        return value * 2000 if isinstance(value, str) and self.random.random() < 0.002 else value

    def body(self) -> tuple[bytes, int]:
        """Return a body, and how many calls it has."""
        chance = self.random.random()
        if chance < 0.04:
            batch: list[Any] = [self.call() for _ in range(self.random.randint(0, 20))]
            batch += self.random.sample([1, None, "x", [], {}, {"jsonrpc": "2.0"}], 2)
            return json.dumps(batch).encode(), len(batch)
        call = self.call()
        if chance < 0.08:
            call[self.random.choice(["jsonrpc", "method", "params", "id", "x"])] = (
                self.random.choice(HOSTILE)
            )
        body = bytearray(json.dumps(call).encode())
        if chance > 0.93:  # change, lose or repeat some bytes
            for _ in range(self.random.randint(1, 5)):
                at = self.random.randrange(len(body))
                body[at : at + self.random.randint(0, 3)] = self.random.randbytes(
                    self.random.randint(0, 3)
                )
        return bytes(body), 1

    def request(self) -> bytes:
        """Return the bytes of a request that is wrong below JSON."""
        post = b"POST /rpc HTTP/1.1\r\nHost: x\r\n"
        chunked = post + b"Transfer-Encoding: chunked\r\n"
        heads = [
            b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"POST /rpc HTTP/9.9\r\n\r\n", b"\n" * 50,
            b"\x16\x03\x01\x02\0", b"PUT /rpc HTTP/1.1\r\nHost: x\r\n\r\n",
            b"POST /" + b"a" * 70000, post + b"X: y\r\n" * 500 + b"\r\n",
            post + b"Content-Length: -1\r\n\r\n", post + b"Content-Length: 99999999999\r\n\r\n{}",
            post + b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\nab",
            chunked + b"\r\nzz\r\n", chunked + b"Content-Length: 3\r\n\r\n0\r\n\r\n",
            b"GET /rpc HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
            + self.random.randbytes(40),
        ]  # fmt: skip
        return self.random.choice(heads) + self.random.randbytes(self.random.randint(0, 20))


class Wrong(AssertionError):
    """The daemon crashed, or answered what it must not."""


def check(status: int, answer: bytes, body: bytes) -> Iterator[str]:
    """Yield the kinds of the answers. Raises Wrong."""
    if status not in (200, 204, 413, 415, 503):
        raise Wrong(f"HTTP {status} to {body[:500]!r}: {answer[:200]!r}")
    if status == 204:
        return
    try:
        said = json.loads(answer)
    except ValueError:
        raise Wrong(f"no JSON to {body[:500]!r}: {answer[:200]!r}") from None
    for one in said if isinstance(said, list) else [said]:
        kind = one["error"]["data"]["kind"] if "error" in one else "result"
        if kind == "internal":
            raise Wrong(f"an internal error to {body[:2000]!r}")
        yield kind


@contextmanager
def target(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run the daemon with a few things in it."""
    os.chmod(folder, 0o755)
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.soak.target", str(folder)],
        cwd=ROOT,
        stderr=(folder / "log").open("wb"),
    )
    path = str(folder / "rpcd.sock")
    try:
        while not os.path.exists(path) and process.poll() is None:
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.05)
        admin = Connection(path, "root")
        for method, params in _SITE:
            call = {"jsonrpc": "2.0", "method": method, "params": params, "id": 1}
            status, said = admin.post(json.dumps(call).encode())
            assert status == 200 and b'"result"' in said, (method, said)
        admin.close()
        yield process
    finally:
        process.terminate()
        process.wait(30)


_SITE: list[tuple[str, dict[str, Any]]] = [
    *(("user.create", {"user": user}) for user in ("rita", "nobody", "daemon")),
    *(("project.create", {"project": project}) for project in ("red", "blue")),
    ("project.add_member", {"project": "red", "user": "nobody"}),
    ("project.add_member", {"project": "blue", "user": "daemon"}),
    ("switch.register", {"switch": "sw1", "dialect": "cisco_ios", "host": "127.0.0.1", "port": 9}),
    ("port.register", {"switch": "sw1", "ports": ["Gi1/0/1", "Gi1/0/2"]}),
    ("node.register", {"node": "node-1", "nics": [{"nic": "eth0"}]}),
    ("node.register", {"node": "node-2", "nics": [{"nic": "eth0"}]}),
    ("node.allocate", {"project": "red", "node": "node-1"}),
    ("network.create", {"project": "red", "network": "net"}),
    ("network.create", {"project": "blue", "network": "own"}),
]


def memory(process: subprocess.Popen[bytes]) -> int:
    """Return the resident bytes of a process."""
    pages = int(Path(f"/proc/{process.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def fuzz(folder: Path, calls: int, seed: int) -> tuple[Counter[str], list[int]]:
    """Send so many calls; return the kinds of the answers, and the daemon's memory over time.

    Raises Wrong.
    """
    kinds: Counter[str] = Counter()
    resident: list[int] = []
    with target(folder) as process:
        path = str(folder / "rpcd.sock")
        connections = [Connection(path, user) for user in USERS]
        _, document = connections[0].post(b'{"jsonrpc":"2.0","method":"rpc.discover","id":1}')
        fuzzer = Fuzzer(json.loads(document)["result"], seed)
        sent = 0
        while sent < calls:
            connection = fuzzer.random.choices(connections, (6, 5, 5, 1))[0]
            if fuzzer.random.random() < 0.003:
                connection.raw(fuzzer.request())
                kinds["bytes"] += 1
            body, count = fuzzer.body()
            status, answer = connection.post(body)
            kinds.update(check(status, answer, body))
            if process.poll() is not None:
                raise Wrong(f"the daemon died of {body[:500]!r}")
            if sent * STEPS // calls != (sent + count) * STEPS // calls:
                resident.append(memory(process))
            sent += count
        for connection in connections:
            connection.close()
    log = (folder / "log").read_text(errors="replace")
    if "Traceback" in log:
        raise Wrong(f"the log has a traceback: {log[:3000]}")
    return kinds, resident
