"""A WebSocket client: concurrent calls, and the notifications it receives."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from tests.rpc.small_site import RpcError, SmallSite


class Client:
    """Sends calls, and keeps the notifications in order of arrival."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.received: list[tuple[str, dict[str, Any]]] = []
        self.closed: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._arrived = asyncio.Condition()

    async def call(self, method: str, **params: Any) -> Any:
        answer = await (await self.send(method, **params))
        if "error" in answer:
            raise RpcError(answer["error"])
        return answer["result"]

    async def send(self, method: str, **params: Any) -> asyncio.Future[dict[str, Any]]:
        """Send a call; return the future answer."""
        number = next(self._numbers)
        future: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._answers[number] = future
        await self.socket.send_json(
            {"jsonrpc": "2.0", "method": method, "params": params, "id": number}
        )
        return future

    async def until(self, seen: Callable[[str, dict[str, Any]], Any]) -> dict[str, Any]:
        """Wait for a notification that ``seen`` accepts; return the first, even an earlier one."""

        def found() -> list[dict[str, Any]]:
            return [params for name, params in self.received if seen(name, params)]

        async with asyncio.timeout(20), self._arrived:
            await self._arrived.wait_for(found)
        return found()[0]

    async def step(self, device: str, kind: str, state: str) -> dict[str, Any]:
        """Wait for the event that a step has reached a state."""
        return await self.until(
            lambda _, event: (
                (step := event.get("step"))
                and (step["device"], step["kind"], step["state"]) == (device, kind, state)
            )
        )

    async def listen(self) -> None:
        async for message in self.socket:
            if message.type is not aiohttp.WSMsgType.TEXT:
                continue
            data = json.loads(message.data)
            if "method" in data:
                assert data["jsonrpc"] == "2.0"
                assert "id" not in data
                async with self._arrived:
                    self.received.append((data["method"], data["params"]))
                    self._arrived.notify_all()
            else:
                self._answers.pop(data["id"]).set_result(data)
        self.closed.set_result(self.socket.close_code)


@asynccontextmanager
async def listening(site: SmallSite, token: str | None = None) -> AsyncIterator[Client]:
    """Connect a client: as who has the token, else as an admin."""
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    async with site.http.ws_connect("http://haas/rpc", headers=headers) as socket:
        client = Client(socket)
        task = asyncio.create_task(client.listen())
        try:
            yield client
        finally:
            await socket.close()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
