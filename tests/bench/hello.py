"""The price of one call: ``system.info`` beside a bare aiohttp + jsonrpcserver hello."""

from __future__ import annotations

import json
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from tests.bench.table import Row
from tests.tui.harness.processes import Daemon

CALLS, ROUNDS = 1000, 7

HELLO = """
import sys
from aiohttp import web
from jsonrpcserver import Result, Success, async_dispatch, method

@method
async def hello() -> Result:
    return Success({"hello": "world"})

async def handle(request):
    text = await async_dispatch(await request.text())
    return web.Response(text=text, content_type="application/json")

app = web.Application()
app.router.add_post("/rpc", handle)
web.run_app(app, path=sys.argv[1], print=None, access_log=None)
"""


@contextmanager
def hello(folder: Path) -> Iterator[str]:
    """Run the bare server; return its socket's path."""
    path = folder / "hello.sock"
    process = subprocess.Popen([sys.executable, "-c", HELLO, str(path)])
    try:
        while not path.exists() and process.poll() is None:
            time.sleep(0.05)
        yield str(path)
    finally:
        process.terminate()
        process.wait(10)


def seconds(path: str, method: str, calls: int, **params: int | str) -> float:
    """Return the seconds that calls take, one after another on one connection."""
    question = {"jsonrpc": "2.0", "method": method, "params": params, "id": 1}
    body = json.dumps(question).encode()
    request = b"POST /rpc HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    with socket.socket(socket.AF_UNIX) as sock, sock.makefile("rb") as answers:
        sock.connect(path)
        begun = time.perf_counter()
        for _ in range(calls):
            sock.sendall(request)
            read_answer(answers)
        return time.perf_counter() - begun


def measure(daemon: Daemon, folder: Path) -> Iterator[Row]:
    """Measure both in turns, so that both share what else the machine does."""
    infos, lists, others = [], [], []
    with hello(folder) as path:
        for round_ in range(ROUNDS):
            bare = seconds(path, "hello", CALLS)
            ours = str(daemon.socket)
            infos.append(seconds(ours, "system.info", CALLS) / bare)
            lists.append(10 * seconds(ours, "node.list", CALLS // 10, limit=100) / bare)
            others.append(10 * _other_pages(ours, round_ * CALLS // 10, CALLS // 10) / bare)
    for what, ratios, least in (("system.info", infos, 0.6), ("node.list of 100", lists, 0.25)):
        yield Row(
            f"{what}, times a bare hello", statistics.median(ratios), "", 1 / least, asserted=False
        )
    yield Row(
        "node.list of 100, never asked for before, times a bare hello",
        statistics.median(others),
        "",
        asserted=False,
    )


def _other_pages(path: str, first: int, calls: int) -> float:
    """Return the seconds that as many different pages take, none of which the daemon has kept."""
    return sum(
        seconds(path, "node.list", 1, limit=100, after=f"node-{number:05}")
        for number in range(first, first + calls)
    )


def read_answer(answers: BinaryIO) -> bytes:
    """Read one HTTP response with a result; return its body."""
    length = 0
    while (line := answers.readline()) not in (b"\r\n", b""):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    body = answers.read(length)
    if b'"result"' not in body:
        raise AssertionError(body[:300])
    return body
