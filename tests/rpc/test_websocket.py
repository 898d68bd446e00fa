"""The WebSocket: concurrent calls, notifications, and clients that do not keep up."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import pwd

import pytest
from aiohttp import ClientWSTimeout, WSCloseCode, WSMsgType

from haas_rpcd import looptime
from haas_rpcd.errors import StoreError
from haas_rpcd.rpc import connection, transport
from tests.rpc.listening import listening
from tests.rpc.small_site import SmallSite


@pytest.fixture
async def staged(site: SmallSite) -> SmallSite:
    """Red wants node-1 on its network, VLAN 100."""
    await site.hold_nodes("red", "node-1")
    await site.network("red", "net")
    await site.connect("node-1", "net")
    return site


async def test_calls_are_answered_concurrently(staged: SmallSite) -> None:
    """While one call waits for a job, later ones are answered."""
    held = staged.wires["sw1"].hold("^vlan 100\r")
    async with listening(staged) as client:
        job = (await client.call("apply.start", project="red"))["job"]
        waiting = await client.send("job.wait", job=job)
        await held.wait()
        assert (await client.call("job.show", job=job))["state"] == "running"
        assert (await client.call("system.info"))["user"]
        assert not waiting.done()
        held.release()
        assert (await waiting)["result"]["state"] == "succeeded"


async def test_a_subscriber_receives_the_events_of_a_job_until_it_ends(staged: SmallSite) -> None:
    planned = (await staged.call("plan.show", project="red"))["steps"]
    held = staged.wires["sw1"].hold("^vlan 100\r")
    async with listening(staged) as client:
        job = (await client.call("apply.start", project="red"))["job"]
        await held.wait()
        now = await client.call("job.subscribe", job=job)
        assert now["state"] == "running"
        assert await client.call("job.subscribe", job=job)  # subscribing twice has no effect
        held.release()
        last = await client.until(lambda _, event: event["state"] == "succeeded")

        assert {name for name, _ in client.received} == {"job.event"}
        assert last["done"] == last["total"] == 3
        numbers = [event["seq"] for _, event in client.received]
        assert numbers == sorted(set(numbers))
        done = [
            e["step"]["kind"] for _, e in client.received if e["step"] and not e["step"]["line"]
        ]
        assert done[-1] == "config.save"
        lines = [e["step"]["line"] for _, e in client.received if e["step"] and e["step"]["line"]]
        # the exact lines, as they are sent, except the first step's: they were sent before
        assert lines[0] == "configure terminal"  # and again after each time that ports are read
        lines = [line for line in lines if line != "configure terminal"]
        assert lines == [line for step in planned[1:] for line in step["lines"]]
        # no event follows the last one of a job
        before = len(client.received)
        await staged.call("nic.disconnect", node="node-1", nic="eth0")
        await staged.succeeds("red")
        await client.call("system.info")
        assert len(client.received) == before


async def test_a_subscription_to_a_finished_job_returns_its_state(
    staged: SmallSite,
) -> None:
    job = await staged.succeeds("red")
    async with listening(staged) as client:
        assert (await client.call("job.subscribe", job=job["job"]))["state"] == "succeeded"
        assert client.received == []


async def test_subscriptions_require_the_websocket(staged: SmallSite) -> None:
    for method, params in (("events.subscribe", {}), ("job.subscribe", {"job": 1})):
        error = await staged.refused(method, **params)
        assert "works over WebSocket only" in error.message


async def test_a_batch_and_bad_messages_over_the_websocket(staged: SmallSite) -> None:
    async with staged.http.ws_connect(
        "http://haas/rpc", timeout=ClientWSTimeout(ws_receive=20)
    ) as socket:
        call = {"jsonrpc": "2.0", "method": "system.info", "id": 7}
        await socket.send_str(json.dumps([call, {**call, "id": 8}]))
        assert [answer["id"] for answer in await socket.receive_json()] == [7, 8]
        await socket.send_str("{")
        assert (await socket.receive_json())["error"]["code"] == -32700
        await socket.send_str(json.dumps({**call, "id": "\ud800"}))
        assert (await socket.receive_json())["error"]["code"] == -32700
        await socket.send_str(json.dumps({**call, "id": "still here"}))
        assert (await socket.receive_json())["id"] == "still here"
        await socket.send_bytes(json.dumps({**call, "id": "bytes"}).encode())
        assert (await socket.receive_json())["id"] == "bytes"


async def test_a_client_that_does_not_read_is_disconnected(
    staged: SmallSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It gets no more events, rather than some of them, so it has to connect and fetch again."""
    monkeypatch.setattr(connection, "MAX_BACKLOG", 50)
    monkeypatch.setattr(connection, "CLOSE_GRACE", 0.05)
    reader, writer = await asyncio.open_unix_connection(staged.settings.server.socket)
    writer.write(
        b"GET /rpc HTTP/1.1\r\nHost: haas\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    await reader.readuntil(b"\r\n\r\n")
    writer.write(_frame(b'{"jsonrpc":"2.0","method":"events.subscribe","id":1}'))
    await reader.readuntil(b'"id":1}')
    reader._transport.pause_reading()  # type: ignore[attr-defined]
    events = staged.daemon.events
    assert len(events._inventory) == 1

    async with listening(staged) as other, asyncio.timeout(20):
        await other.call("events.subscribe")
        while len(events._inventory) == 2:
            events.publish_inventory("node", "changed", "n" * 4000)
            await asyncio.sleep(0)
            if len(other.received) % 25 == 0:
                await other.call("system.info")  # a client that reads is not affected

        reader._transport.resume_reading()  # type: ignore[attr-defined]
        try:
            received = await reader.read()  # to the end: the connection is closed
        except ConnectionError:
            received = b""
        assert received.count(b"nnnn") <= len(other.received) * 4000
        assert not other.closed.done()
    writer.close()


def _frame(payload: bytes) -> bytes:
    """Return a text frame, masked with zeros (RFC 6455, section 5.2)."""
    assert len(payload) < 126
    return bytes((0x81, 0x80 | len(payload))) + bytes(4) + payload


async def test_a_client_that_is_slow_but_reads_gets_the_close_reason(
    staged: SmallSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "MAX_BACKLOG", 5)
    monkeypatch.setattr(looptime, "PIECE", 60.0)
    async with staged.http.ws_connect("http://haas/rpc") as socket:
        await socket.send_str('{"jsonrpc":"2.0","method":"events.subscribe","id":1}')
        await socket.receive_json()
        for number in range(20):  # without an await, so that the sender cannot run in between
            staged.daemon.events.publish_inventory("node", "changed", f"node-{number}")
        async with asyncio.timeout(20):
            while (message := await socket.receive()).type is WSMsgType.TEXT:
                pass
        assert message.type is WSMsgType.CLOSE
        assert message.data == WSCloseCode.TRY_AGAIN_LATER
        assert "too slow" in message.extra


async def test_many_calls_sent_ahead_are_all_answered(
    staged: SmallSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client may send more than fits the backlog, as long as it reads the answers."""
    monkeypatch.setattr(connection, "MAX_BACKLOG", 100)
    async with listening(staged) as client:
        answers = [await client.send("system.info") for _ in range(500)]
        async with asyncio.timeout(60):
            results = await asyncio.gather(*answers)
        assert all("result" in result for result in results)


async def test_a_user_that_reduces_its_own_permissions_gets_the_answer_first(
    site: SmallSite,
) -> None:
    me = pwd.getpwuid(os.getuid()).pw_name
    await site.call("user.create", user=me, admin=True)
    async with listening(site) as client:
        assert (await client.call("user.delete", user=me)) == {"deleted": True, "note": None}
        assert await asyncio.wait_for(client.closed, 10) == 1008


async def test_a_member_receives_the_events_of_its_projects_in_order(site: SmallSite) -> None:
    token = (await site.call("token.create", label="of-rita", user="rita"))["token"]
    async with listening(site, token) as rita:
        await rita.call("events.subscribe")
        projects = ("red", None, "blue")  # rita is a member of red
        for number, project in zip(range(200), itertools.cycle(projects), strict=False):
            site.daemon.events.publish_inventory("node", "changed", f"{number}", project)
        await rita.until(lambda _, event: event["name"] == "199")
        names = [int(event["name"]) for _, event in rita.received]
        assert names == [number for number in range(200) if number % 3 != 2]
        numbers = [event["seq"] for _, event in rita.received]
        assert numbers == list(range(numbers[0], numbers[0] + len(names)))


async def test_a_member_whose_rights_cannot_be_read_has_to_fetch_again(
    site: SmallSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreadable(*_: object) -> None:
        raise StoreError("the disk is full")

    token = (await site.call("token.create", label="of-rita", user="rita"))["token"]
    async with listening(site, token) as rita:
        await rita.call("events.subscribe")
        monkeypatch.setattr(transport, "sees_project", unreadable)
        site.daemon.events.publish_inventory("node", "changed", "node-1", "red")
        assert await asyncio.wait_for(rita.closed, 20) == WSCloseCode.TRY_AGAIN_LATER
        assert rita.received == []
