"""Attacks on the socket, measured: ``python -m tests.bench.strangers [ATTACK…]``, as root.

Each attack runs against a daemon of its own, whose address space is limited. The table shows the
daemon's peak memory (MB), the longest time that another tenant waited for ``system.info`` (s), and
the bytes of the log and of the database. ``nobody`` and ``daemon`` are tenants; ``bin`` is an OS
user that HaaS does not know.
"""

from __future__ import annotations

import json
import os
import pwd
import resource
import socket
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

ATTACKER, VICTIM, STRANGER = "nobody", "daemon", "bin"
MEMORY = 6 * 2**30
DESCRIPTORS = 1024, 4096


def connect(path: str, user: str, timeout: float = 60.0) -> socket.socket:
    """Connect as an OS user, as the kernel records it at connect(2)."""
    sock = socket.socket(socket.AF_UNIX)
    sock.settimeout(timeout)
    os.seteuid(pwd.getpwnam(user).pw_uid)
    try:
        sock.connect(path)
    finally:
        os.seteuid(0)
    return sock


def request(body: bytes, *headers: str) -> bytes:
    head = ["POST /rpc HTTP/1.1", "Host: haas", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def answer(sock: socket.socket, body: Any) -> bytes:
    """Send a call or a batch; return the body of the answer."""
    sock.sendall(request(json.dumps(body).encode()))
    return read_answer(sock)


def read_answer(sock: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        if not (more := sock.recv(65536)):
            raise ConnectionError("closed without an answer")
        data += more
    head, _, rest = data.partition(b"\r\n\r\n")
    chunks, got = [rest], len(rest)
    lengths = [line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")]
    want = int(lengths[0].split(b":")[1]) if lengths else 0
    while got < want and (more := sock.recv(1 << 20)):
        chunks.append(more)
        got += len(more)
    return b"".join(chunks)


def call(method: str, number: int = 1, /, **params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "method": method, "params": params, "id": number}


class Victim(threading.Thread):
    """Another tenant: asks for system.info every 20 ms on one connection of its own."""

    def __init__(self, path: str) -> None:
        super().__init__(daemon=True)
        self._sock = connect(path, VICTIM)
        self._ended = threading.Event()
        self.longest = 0.0
        self.refused = 0

    def run(self) -> None:
        while not self._ended.wait(0.02):
            begun = time.perf_counter()
            try:
                self.refused += b'"result"' not in answer(self._sock, call("system.info"))
            except OSError:
                self.refused += 1
                return
            finally:
                self.longest = max(self.longest, time.perf_counter() - begun)

    def stop(self) -> None:
        self._ended.set()
        self.join(90)


class Target:
    """A daemon under attack."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = str(folder / "rpcd.sock")
        self.database = folder / "haas.db"
        self.log = folder / "log"
        (folder / "haas.toml").write_text(
            f'[server]\nsocket = "{self.path}"\n[store]\npath = "{self.database}"\n'
            f'[vlans]\npool = "100-999"\n[master]\ntrunk_nic = "lo"\n'
            f'[credentials]\nfile = "{folder}/none.toml"\n'
            f'[switches]\nknown_hosts = "{folder}/known"\n[drift]\ninterval = 0\n'
        )
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "haas_rpcd", "--config", str(folder / "haas.toml")],
                stderr=log,
                preexec_fn=_limit,
            )
        for _ in range(600):
            if os.path.exists(self.path):
                break
            time.sleep(0.1)
        self.admin("user.create", user=ATTACKER)
        self.admin("user.create", user=VICTIM)
        self.admin("project.create", project="red")
        self.admin("project.add_member", project="red", user=ATTACKER)

    def admin(self, method: str, /, **params: Any) -> Any:
        sock = connect(self.path, "root")
        said = json.loads(answer(sock, call(method, **params)))
        sock.close()
        return said.get("result", said)

    def forget_peak(self) -> None:
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")

    @property
    def peak(self) -> float:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) / 1000

    @property
    def stored(self) -> int:
        return sum(each.stat().st_size for each in self.folder.glob("haas.db*"))


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_NOFILE, DESCRIPTORS)


@contextmanager
def target() -> Iterator[Target]:
    with tempfile.TemporaryDirectory(prefix="haas-strangers-") as name:
        os.chmod(name, 0o755)
        under_attack = Target(Path(name))
        try:
            yield under_attack
        finally:
            under_attack.process.terminate()
            with suppress(subprocess.TimeoutExpired):
                under_attack.process.wait(10)
            under_attack.process.kill()
            under_attack.process.wait()


# --- the attacks: each returns a note -------------------------------------------------------------


def half_open(at: Target) -> str:
    """A stranger opens 1,300 connections and sends half a request on each."""
    socks, refused = [], 0
    for _ in range(1300):
        try:
            sock = connect(at.path, STRANGER, 0.3)
            sock.sendall(b"POST /rpc HTTP/1.1\r\nHost: x\r\n")
            socks.append(sock)
        except OSError:
            refused += 1
            if refused > 20:
                break
    time.sleep(3)
    try:
        again = connect(at.path, VICTIM, 5)
        said = answer(again, call("system.info"))[:90].decode()
    except OSError as error:
        said = f"{type(error).__name__}"
    for sock in socks:
        sock.close()
    return f"{len(socks)} opened; a known user's next connection: {said}"


def gzip_bomb(at: Target) -> str:
    """A stranger sends 16 MB that unzip to 16 GB, as far as it is let."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    zeros = bytes(2**24)
    body = b"".join(packer.compress(zeros) for _ in range(200)) + packer.flush()
    sock = connect(at.path, STRANGER)
    with suppress(OSError):
        sock.sendall(request(body, "Content-Encoding: gzip"))
    return sock.recv(60).split(b"\r\n")[0].decode()


def bodies(at: Target) -> str:
    """A stranger sends sixty bodies of 16 MB but for the last byte."""
    socks = []
    chunk, sent = b"x" * 2**20, 0
    for _ in range(60):
        with suppress(OSError):
            sock = connect(at.path, STRANGER, 1)
            socks.append(sock)
            sock.sendall(b"POST /rpc HTTP/1.1\r\nHost: x\r\nContent-Length: 16777216\r\n\r\n")
            for _ in range(15):
                sock.sendall(chunk)
                sent += 1
    time.sleep(1)
    return f"{sent} MB were taken"


def discover(at: Target) -> str:
    """A tenant sends four batches of 1,000 rpc.discover at once."""
    sizes: list[int] = []

    def one() -> None:
        with suppress(OSError):
            sock = connect(at.path, ATTACKER, 120)
            sizes.append(len(answer(sock, [call("rpc.discover", n) for n in range(1000)])))

    threads = [threading.Thread(target=one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return f"answers of {', '.join(f'{size / 1e6:.1f}' for size in sizes)} MB"


def deaf(at: Target) -> str:
    """A tenant asks for rpc.discover 3,000 times on a WebSocket and reads nothing."""
    sock = connect(at.path, ATTACKER, 5)
    sock.sendall(
        b"GET /rpc HTTP/1.1\r\nHost: haas\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    sock.recv(1000)
    body = json.dumps(call("rpc.discover")).encode()
    sent = 0
    with suppress(OSError):
        for _ in range(3000):
            sock.sendall(bytes((0x81, 0x80 | len(body))) + bytes(4) + body)
            sent += 1
    time.sleep(2)
    return f"{sent} calls were taken"


def refusals(at: Target) -> str:
    """A tenant has 24 calls of 15 MB refused; then an admin reads the audit trail."""
    said = b""
    for number in range(24):
        sock = connect(at.path, ATTACKER)
        with suppress(OSError):
            said = answer(
                sock, call("network.create", number, project="x", network="y" * 15_000_000)
            )
        sock.close()
    kept = at.stored
    at.admin("audit.list")
    return f"{kept / 1e6:.1f} MB stored; {said[:60]!r}"


def many_refusals(at: Target) -> str:
    """A tenant has 20,000 small calls refused."""
    sock = connect(at.path, ATTACKER)
    for _ in range(20):
        answer(sock, [call("user.create", n, user="mallory") for n in range(1000)])
    return f"{at.stored / 1e6:.1f} MB stored"


def plans(at: Target) -> str:
    """A tenant with 4,000 headnodes asks for fifty plans in a batch."""
    sock = connect(at.path, "root", 300)
    for begin in range(0, 4000, 500):
        answer(
            sock,
            [
                call("headnode.create", n, project="red", headnode=f"h{n}")
                for n in range(begin, begin + 500)
            ],
        )
    at.forget_peak()
    victim = Victim(at.path)
    victim.start()
    begun = time.perf_counter()
    mine = connect(at.path, ATTACKER, 300)
    size = len(answer(mine, [call("plan.show", n, project="red") for n in range(50)]))
    took = time.perf_counter() - begun
    victim.stop()
    return f"{size / 1e6:.1f} MB in {took:.1f} s; another tenant waited {victim.longest:.2f} s"


_UPGRADE = (
    b"GET /rpc HTTP/1.1\r\nHost: haas\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


def frames(at: Target) -> str:
    """A tenant begins messages of 1 MB on as many WebSockets as it gets, and ends none."""
    socks, refused = [], 0
    for _ in range(200):
        try:
            sock = connect(at.path, ATTACKER, 2)
            sock.sendall(_UPGRADE)
            refused += b" 101 " not in sock.recv(1000)
            socks.append(sock)
            size = 2**20 - 1
            sock.sendall(bytes((0x81, 0xFF)) + size.to_bytes(8) + bytes(4) + b"x" * (size - 1))
        except OSError:
            refused += 1
    time.sleep(1)
    return f"{len(socks)} connected, {refused} of them refused"


def pipelined(at: Target) -> str:
    """A tenant sends 5,000 rpc.discover on one connection, and reads no answer."""
    sock = connect(at.path, ATTACKER, 3)
    one, sent = request(json.dumps(call("rpc.discover")).encode()), 0
    with suppress(OSError):
        for _ in range(5000):
            sock.sendall(one)
            sent += 1
    time.sleep(1)
    return f"{sent} requests were taken"


def knocks(at: Target) -> str:
    """A stranger connects and hangs up 20,000 times."""
    for _ in range(20_000):
        with suppress(OSError):
            connect(at.path, STRANGER, 1).close()
    return ""


ATTACKS: dict[str, Callable[[Target], str]] = {
    attack.__name__: attack
    for attack in (
        half_open,
        gzip_bomb,
        bodies,
        discover,
        deaf,
        refusals,
        many_refusals,
        plans,
        frames,
        pipelined,
        knocks,
    )
}


def main(wanted: list[str]) -> None:
    print(f"{'attack':14} {'peak MB':>8} {'delay s':>8} {'log kB':>8} {'store MB':>9}  note")
    for name in wanted or ATTACKS:
        with target() as under_attack:
            victim = Victim(under_attack.path)
            under_attack.forget_peak()
            before = under_attack.log.stat().st_size
            victim.start()
            try:
                note = ATTACKS[name](under_attack)
            except (OSError, ValueError) as error:
                note = f"{type(error).__name__}: {error}"
            victim.stop()
            grown = (under_attack.log.stat().st_size - before) / 1000
            failed = f" ({victim.refused} refused)" if victim.refused else ""
            dead = "; the daemon died" if under_attack.process.poll() is not None else ""
            peak = 0.0 if dead else under_attack.peak
            print(
                f"{name:14} {peak:8.0f} {victim.longest:8.2f} {grown:8.0f}"
                f" {under_attack.stored / 1e6:9.1f}  {note}{failed}{dead}",
                flush=True,
            )


if __name__ == "__main__":
    main(sys.argv[1:])
