"""Strangers and greedy tenants at the socket: what they take does not harm the others."""

from __future__ import annotations

import asyncio
import json
import os
import pwd
import socket
import zlib
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from haas_rpcd.config import Server
from haas_rpcd.rpc import connection, dispatch, gate, limits
from tests.rpc.os_users import MEMBER, OTHER, STRANGER, open_folder
from tests.rpc.small_site import Prepared, SmallSite, small_site

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.getuid() != 0, reason="wants root, to be other users"),
]

HEAD = b"POST /rpc HTTP/1.1\r\nHost: haas\r\n"
INFO = {"jsonrpc": "2.0", "method": "system.info", "id": 1}


@pytest.fixture
async def reachable(tmp_path: Path, prepared: Prepared) -> AsyncIterator[SmallSite]:
    """A site with a socket that all users can reach. User nobody is in red, daemon in blue."""
    with open_folder() as folder:
        server = Server(socket=str(folder / "rpcd.sock"))
        async with small_site(tmp_path, prepared, server=server) as site:
            for project, user in (("red", MEMBER), ("blue", OTHER)):
                await site.call("user.create", user=user)
                await site.call("project.add_member", project=project, user=user)
            yield site


class Raw:
    """A connection of an OS user, on which a test sends what it likes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def post(self, body: bytes, *headers: bytes) -> tuple[int, dict[str, Any] | list[Any]]:
        """Send a whole request; return the status and the answer."""
        length = b"Content-Length: %d" % len(body)
        self.writer.write(HEAD + b"\r\n".join((length, *headers)) + b"\r\n\r\n" + body)
        return await self.answer()

    async def answer(self) -> tuple[int, Any]:
        async with asyncio.timeout(20):
            head = await self.reader.readuntil(b"\r\n\r\n")
            lines = head.lower().split(b"\r\n")
            [size] = [int(line.split(b":")[1]) for line in lines if b"content-length" in line]
            return int(head.split()[1]), json.loads(await self.reader.readexactly(size))

    async def closed(self) -> bytes:
        """Wait until the daemon closes the connection; return what it sent until then."""
        async with asyncio.timeout(20):
            return await self.reader.read()


async def connect(site: SmallSite, user: str) -> Raw:
    sock = socket.socket(socket.AF_UNIX)
    os.seteuid(pwd.getpwnam(user).pw_uid)
    try:
        sock.connect(site.settings.server.socket)
    finally:
        os.seteuid(0)
    sock.setblocking(False)
    return Raw(*await asyncio.open_unix_connection(sock=sock, limit=2**25))


async def info(site: SmallSite, user: str) -> str:
    """Return whom system.info names, asked on a new connection; or the error."""
    raw = await connect(site, user)
    _, said = await raw.post(json.dumps(INFO).encode())
    raw.writer.close()
    assert isinstance(said, dict)
    return str(said["result"]["user"] if "result" in said else said["error"]["data"]["kind"])


# --- connections ----------------------------------------------------------------------------------


async def test_a_stranger_may_have_few_connections(reachable: SmallSite) -> None:
    """It is told so, and tenants and admins are served as before."""
    taken = [await connect(reachable, STRANGER) for _ in range(limits.STRANGER.connections)]
    for raw in taken:
        _, said = await raw.post(json.dumps(INFO).encode())
        assert said["error"]["data"]["kind"] == "denied"  # type: ignore[call-overload]
        raw.writer.write(HEAD)
    assert await info(reachable, STRANGER) == "limited"
    assert await info(reachable, MEMBER) == MEMBER
    assert await info(reachable, "root") == "root"
    for raw in taken:
        raw.writer.close()
    async with asyncio.timeout(20):
        while await info(reachable, STRANGER) != "denied":
            pass  # until the daemon has seen that they are gone


async def test_room_is_kept_for_admins(
    reachable: SmallSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "ADMIN_ROOM", reachable.daemon._server._admission.total - 3)
    taken = [await connect(reachable, MEMBER) for _ in range(2)]
    for raw in taken:
        await raw.post(json.dumps(INFO).encode())
    refused = await connect(reachable, OTHER)
    status, said = await refused.answer()
    assert (status, said["error"]["data"]["kind"]) == (503, "limited")
    assert await info(reachable, "root") == "root"


async def test_half_a_request_does_not_last(
    reachable: SmallSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "FIRST_REQUEST", 0.05)
    raw = await connect(reachable, MEMBER)
    raw.writer.write(HEAD)
    assert await raw.closed() == b""
    whole = await connect(reachable, MEMBER)
    assert (await whole.post(json.dumps(INFO).encode()))[0] == 200


# --- bodies ---------------------------------------------------------------------------------------


async def test_bodies_are_not_unpacked(reachable: SmallSite) -> None:
    bomb = zlib.compress(bytes(2**24), wbits=31)
    for user in (STRANGER, MEMBER, "root"):
        raw = await connect(reachable, user)
        status, said = await raw.post(bomb, b"Content-Encoding: gzip")
        assert (status, said["error"]["data"]["kind"]) == (415, "too_large")  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("user", "most"),
    [(STRANGER, limits.STRANGER), (MEMBER, limits.USER), ("root", limits.ADMIN)],
)
async def test_the_size_of_a_body_depends_on_the_caller(
    reachable: SmallSite, user: str, most: limits.Limits
) -> None:
    raw = await connect(reachable, user)
    body = json.dumps(INFO).encode()
    status, _ = await raw.post(body.ljust(most.message))
    assert status == 200
    raw.writer.write(HEAD + b"Content-Length: %d\r\n\r\n" % (most.message + 1))
    status, said = await raw.answer()  # without any of the body
    assert (status, said["error"]["data"]["kind"]) == (413, "too_large")
    raw = await connect(reachable, user)
    raw.writer.write(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
    for _ in range(most.message // 2**15 + 1):
        raw.writer.write(b"8000\r\n" + b" " * 2**15 + b"\r\n")
    assert (await raw.answer())[0] == 413


async def test_what_is_held_of_a_caller_is_limited(
    reachable: SmallSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bodies that do not end, on many connections, take no more than one caller may have."""
    few = replace(limits.USER, held=2**18)
    monkeypatch.setattr(limits, "USER", few)
    unfinished = [await connect(reachable, MEMBER) for _ in range(8)]
    for raw in unfinished:
        raw.writer.write(HEAD + b"Content-Length: 100000\r\n\r\n" + b" " * 65536)
    answered = [asyncio.create_task(raw.answer()) for raw in unfinished]
    async with asyncio.timeout(20):
        done, rest = await asyncio.wait(answered, return_when=asyncio.FIRST_COMPLETED)
    status, said = done.pop().result()
    assert (status, said["error"]["data"]["kind"]) == (503, "limited")
    assert await info(reachable, OTHER) == OTHER
    for task in rest:
        task.cancel()


async def test_a_body_that_does_not_end_is_given_up(
    reachable: SmallSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    hasty = replace(limits.STRANGER, body=0.05)
    monkeypatch.setattr(limits, "STRANGER", hasty)
    raw = await connect(reachable, STRANGER)
    raw.writer.write(HEAD + b"Content-Length: 100\r\n\r\n{")
    status, said = await raw.answer()
    assert (status, said["error"]["message"]) == (
        503, "The request did not arrive in time: send it again.",
    )  # fmt: skip


async def test_deeply_nested_messages_are_refused(reachable: SmallSite) -> None:
    raw = await connect(reachable, MEMBER)
    deep: Any = 1
    for _ in range(limits.MAX_DEPTH):
        deep = [deep]
    call = {**INFO, "method": "site.import", "params": {"site": {"users": deep}}}
    _, said = await raw.post(json.dumps(call).encode())
    assert said["error"]["data"]["kind"] == "too_large"  # type: ignore[call-overload]


async def test_calls_under_way_are_limited(
    reachable: SmallSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They wait for a job that does not end; another tenant may call as before."""
    monkeypatch.setattr(limits, "USER", replace(limits.USER, calls=3))
    await reachable.hold_nodes("red", "node-1")
    await reachable.network("red", "net")
    await reachable.connect("node-1", "net")
    held = reachable.wires["sw1"].hold("^vlan 100\r")
    job = await reachable.begin("red")
    await held.wait()
    wait = json.dumps({**INFO, "method": "job.wait", "params": {"job": job, "timeout": 60}})
    waiting = [await connect(reachable, MEMBER) for _ in range(3)]
    answers = {raw: asyncio.create_task(raw.post(wait.encode())) for raw in waiting}
    async with asyncio.timeout(20):
        while await info(reachable, MEMBER) != "limited":  # until all three have arrived
            for raw, answer in answers.items():
                if answer.done():  # that call was the third one, and this the fourth
                    answers[raw] = asyncio.create_task(raw.post(wait.encode()))
    assert await info(reachable, OTHER) == OTHER
    held.release()
    for status, said in await asyncio.gather(*answers.values()):
        assert (status, said["result"]["state"]) == (200, "succeeded")  # type: ignore[call-overload]
    assert await info(reachable, MEMBER) == MEMBER


# --- answers --------------------------------------------------------------------------------------


async def test_the_answers_to_a_batch_are_limited(
    reachable: SmallSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The calls beyond the limit are not run, and each of them says so."""
    monkeypatch.setattr(limits, "USER", replace(limits.USER, answer=300_000))
    batch: list[Any] = [{**INFO, "method": "rpc.discover", "id": n} for n in range(100)]
    batch.append(
        {**INFO, "method": "network.create", "params": {"project": "red", "network": "x"}, "id": 99}
    )
    raw = await connect(reachable, MEMBER)
    _, said = await raw.post(json.dumps(batch).encode())
    assert len(said) == len(batch)
    assert "result" in said[0]  # type: ignore[operator]
    assert len(json.dumps(said)) < 300_000 * (dispatch.CONCURRENCY + 1)
    assert "this call was not run" in said[-1]["error"]["message"]
    assert (await reachable.call("network.list"))["items"] == []


async def test_an_answer_that_is_too_large_says_how_to_get_less(
    reachable: SmallSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "ADMIN", replace(limits.ADMIN, answer=200))
    error = await reachable.refused("node.list")
    assert error.kind == "too_large"
    assert "a smaller limit" in error.message


async def test_errors_do_not_repeat_long_texts(reachable: SmallSite) -> None:
    long = "x" * 500_000
    raw = await connect(reachable, MEMBER)
    for call in (
        {**INFO, "method": long},
        {**INFO, long: 1},
        {**INFO, "params": {long: 1}},
        {**INFO, "method": "node.show", "params": {"node": long}},
    ):
        _, said = await raw.post(json.dumps(call).encode())
        assert "error" in said
        assert len(json.dumps(said)) < 20_000


async def test_a_client_that_does_not_read_may_not_ask_either(
    reachable: SmallSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its calls stay with the kernel; once it reads, each is answered."""
    monkeypatch.setattr(connection, "MAX_BACKLOG_BYTES", 100_000)
    raw = await connect(reachable, MEMBER)
    raw.writer.write(
        b"GET /rpc HTTP/1.1\r\nHost: haas\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    await raw.reader.readuntil(b"\r\n\r\n")
    raw.reader._transport.pause_reading()  # type: ignore[attr-defined]
    call = json.dumps({**INFO, "method": "rpc.discover"}).encode()
    for _ in range(10_000):
        raw.writer.write(bytes((0x81, 0x80 | len(call))) + bytes(4) + call)
    [account] = reachable.daemon._server._accounts._accounts.values()
    most = 0
    for _ in range(200):
        assert await info(reachable, OTHER) == OTHER
        most = max(most, account.held)
    answer = len(json.dumps(reachable.daemon.context.openrpc())) + 1_000
    assert 0 < most < 33 * answer + 200_000  # the calls that were under way
    assert raw.writer.transport.get_write_buffer_size() > 0
    raw.writer.close()
