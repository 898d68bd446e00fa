"""Two masters, three members of etcd, a place for copies, and the cables between them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from http.client import HTTPException
from pathlib import Path
from typing import Any, Self

import pytest

from tests.tui.harness.processes import Daemon, Refused

TTL = 10
"""Seconds, as by default: a busy machine may not let a master renew a shorter lease in time."""

PATIENCE = 60.0
CREDENTIAL = '[bench]\nusername = "haas"\npassword = "bench"\nenable = "bench-enable"\n'


def until(holds: Callable[[], bool], what: str) -> None:
    """Wait until something holds. Raises AssertionError."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def free_ports(count: int) -> list[int]:
    """TCP ports of the loopback interface that nobody listens on."""
    with contextlib.ExitStack() as stack:
        taken = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in taken:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in taken]


class Etcd:
    """Three members of etcd, as processes."""

    def __init__(self, folder: Path) -> None:
        program = shutil.which("etcd")
        assert program, "apt-get install etcd-server"
        ports = free_ports(6)
        self.clients, peers = ports[:3], ports[3:]
        cluster = ",".join(f"e{at}=http://127.0.0.1:{port}" for at, port in enumerate(peers))
        self.members = [
            subprocess.Popen(
                [
                    program, "--name", f"e{at}", "--data-dir", folder / f"e{at}",
                    "--listen-peer-urls", f"http://127.0.0.1:{peers[at]}",
                    "--initial-advertise-peer-urls", f"http://127.0.0.1:{peers[at]}",
                    "--listen-client-urls", f"http://127.0.0.1:{self.clients[at]}",
                    "--advertise-client-urls", f"http://127.0.0.1:{self.clients[at]}",
                    "--initial-cluster", cluster, "--initial-cluster-state", "new",
                ],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            for at in range(3)
        ]  # fmt: skip

    def __enter__(self) -> Self:
        until(self._healthy, "etcd has no leader")
        return self

    def __exit__(self, *_: object) -> None:
        for member in self.members:
            member.kill()
            member.wait()

    def _healthy(self) -> bool:
        with contextlib.suppress(OSError, ValueError):
            for port in self.clients:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2) as answer:
                    if json.load(answer)["health"] != "true":
                        return False
            return True
        return False


class Cables:
    """The way from one master to the members of etcd, which can be cut."""

    def __init__(self, ports: Sequence[int]) -> None:
        self._to = ports
        self._whole = True
        self._writers: set[asyncio.StreamWriter] = set()
        self.ports: list[int] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._run(self._start())

    def _run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE)

    async def _start(self) -> None:
        for port in self._to:

            async def carry(
                reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int = port
            ) -> None:
                if not self._whole:
                    writer.close()
                    return
                far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
                self._writers |= {writer, far_writer}
                await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))

            server = await asyncio.start_server(carry, "127.0.0.1", 0)
            self.ports.append(server.sockets[0].getsockname()[1])

    def cut(self) -> None:
        """Let nothing pass any more."""

        async def cut() -> None:
            self._whole = False
            for writer in self._writers:
                writer.transport.abort()
            self._writers.clear()

        self._run(cut())

    def mend(self) -> None:
        """Let everything pass again."""
        self._whole = True

    def close(self) -> None:
        """Cut for ever."""
        self.cut()

        async def end() -> None:
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            await asyncio.wait(others or {asyncio.ensure_future(asyncio.sleep(0))})

        self._run(end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


class Master:
    """One of the two: its folder, its daemon while that runs, and its cables to etcd."""

    def __init__(self, folder: Path, name: str, ha: str, cables: Cables | None = None) -> None:
        self.name = name
        self.folder = folder / name
        self.folder.mkdir()
        self.cables = cables or Cables([])
        credentials = self.folder / "credentials.toml"
        credentials.touch(mode=0o600)
        credentials.write_text(CREDENTIAL)
        self.config = self.folder / "haas.toml"
        self.config.write_text(
            f'[store]\npath = "{self.folder}/haas.db"\n'
            f'[credentials]\nfile = "{credentials}"\n'
            f"[switches]\nbusy_timeout = 0\n[server]\nshutdown_timeout = 1\n"
            f'socket = "{self.folder}/rpcd.sock"\n'
            f'[ha]\nname = "{name}"\n{ha}'
        )
        self.daemon = Daemon(self.folder, "--config", str(self.config))
        self._running = False

    def start(self) -> None:
        """Start the daemon; it serves, or stands by."""
        self.daemon.__enter__()
        self._running = True

    @contextlib.contextmanager
    def started_twice(self) -> Iterator[Path]:
        """Start the same once more by hand; give its log."""
        log = self.folder / "second.log"
        with log.open("wb") as file:
            command = [sys.executable, "-m", "haas_rpcd", "--config", str(self.config), "standby"]
            process = subprocess.Popen(command, stdout=file, stderr=file)
        try:
            yield log
        finally:
            process.kill()
            process.wait()

    def kill(self) -> None:
        """Kill it in the middle of whatever it does."""
        self.daemon.process.kill()
        self.daemon.process.wait()

    def stop(self) -> None:
        """End it by SIGTERM."""
        self.daemon.process.terminate()
        assert self.daemon.process.wait(PATIENCE) == 0, self.log()

    def freeze(self) -> None:
        """Stop the process without its knowledge, as a hypervisor does with a machine."""
        self.daemon.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> int:
        """Let it go on; give the exit code with which it ends."""
        self.daemon.process.send_signal(signal.SIGCONT)
        return self.daemon.process.wait(PATIENCE)

    def serves(self) -> bool:
        """Whether it answers as the master."""
        info = self._info()
        return info is not None and info["standby"] is None

    def stands_by(self) -> bool:
        """Whether it answers as the one that stands by."""
        info = self._info()
        return info is not None and info["standby"] is not None

    def _info(self) -> dict[str, Any] | None:
        with contextlib.suppress(OSError, ValueError, Refused, HTTPException):
            info: dict[str, Any] = self.daemon.call("system.info")
            return info
        return None

    def log(self) -> str:
        """What it said."""
        return (self.folder / "rpcd.log").read_text()

    def close(self) -> None:
        """End everything."""
        process = self.daemon.process if self._running else None
        if process is not None and process.poll() is None:
            process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait()
        self.cables.close()


class Pair:
    """The two masters of a site; ``site``: its name in etcd."""

    def __init__(self, folder: Path, etcd: Etcd, site: str = "bench") -> None:
        self.copies = folder / "copies"
        self.masters = [self._master(folder, name, etcd, site) for name in ("north", "south")]

    def _master(self, folder: Path, name: str, etcd: Etcd, site: str) -> Master:
        cables = Cables(etcd.clients)
        members = [f"http://127.0.0.1:{port}" for port in cables.ports]
        ha = (
            f'ttl = {TTL}\netcd = {json.dumps(members)}\nreplica = "file://{self.copies}"\n'
            f'site = "{site}"\nrefresh = 1\n'
        )
        return Master(folder, name, ha, cables)

    def unplug_copies(self) -> None:
        """Let nobody reach the place of the copies any more."""
        self.copies.rename(self.copies.with_name("unplugged"))
        self.copies.write_text("")

    def plug_copies_in(self) -> None:
        """Let everybody reach it again."""
        self.copies.unlink()
        self.copies.with_name("unplugged").rename(self.copies)

    def start(self) -> tuple[Master, Master]:
        """Start both; give the one that serves, and the one that stands by."""
        first, second = self.masters
        first.start()
        until(first.serves, "nobody serves")
        second.start()
        return first, second


def projects(master: Master) -> set[str]:
    """The projects that a master, or a standby, knows."""
    return {row["project"] for row in master.daemon.call("project.list")["items"]}


@pytest.fixture(scope="session")
def etcd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Etcd]:
    """Three members of etcd, for all tests: each has a site of its own."""
    with Etcd(tmp_path_factory.mktemp("etcd")) as etcd:
        yield etcd


@pytest.fixture
def pair(tmp_path: Path, etcd: Etcd, request: pytest.FixtureRequest) -> Iterator[Pair]:
    """Two masters of a site of their own."""
    pair = Pair(tmp_path, etcd, site=f"t{abs(hash(request.node.nodeid))}")
    yield pair
    for master in pair.masters:
        master.close()


@pytest.fixture
def lone(tmp_path: Path) -> Iterator[Master]:
    """A master without another one, whose database is copied."""
    master = Master(tmp_path, "lone", f'replica = "file://{tmp_path}/copies"\n')
    yield master
    master.close()
