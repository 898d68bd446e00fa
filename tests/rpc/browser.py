"""A headless Chromium, driven by the DevTools protocol over its WebSocket."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pyte

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


class Tab:
    """One page, and the terminal in it as what its WebSocket has drawn."""

    def __init__(self, ws: aiohttp.ClientWebSocketResponse, session: str) -> None:
        self._ws = ws
        self._session = session
        self._ids = itertools.count(1)
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._screen = pyte.Screen(80, 24)
        self._stream = pyte.ByteStream(self._screen)
        self._drawn = asyncio.Event()
        self.reader = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for message in self._ws:
            said = json.loads(message.data)
            if (answer := self._answers.pop(said.get("id"), None)) is not None:
                answer.set_result(said)
            elif said.get("method") == "Network.webSocketFrameReceived":
                frame = said["params"]["response"]
                if frame["opcode"] == 2:
                    self._stream.feed(base64.b64decode(frame["payloadData"]))
                    self._drawn.set()
            elif said.get("method") == "Network.webSocketFrameSent":
                sent = json.loads(said["params"]["response"]["payloadData"])
                if sent[0] == "resize":
                    self._screen.resize(sent[1]["height"], sent[1]["width"])

    async def call(self, method: str, **params: Any) -> Any:
        """Call a method of the DevTools protocol."""
        number = next(self._ids)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        call = {"id": number, "method": method, "params": params, "sessionId": self._session}
        await self._ws.send_json(call)
        said = await answer
        assert "error" not in said, said
        return said["result"]

    async def js(self, expression: str) -> Any:
        """Evaluate an expression in the page."""
        found = await self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        return found["result"].get("value")

    async def open(self, url: str) -> None:
        """Go to a page, and wait until it is there."""
        await self.call("Network.enable")
        await self.call("Page.navigate", url=url)
        await self.until_js("document.readyState == 'complete' && location.href != 'about:blank'")

    async def until_js(self, condition: str) -> None:
        """Wait until something is true in the page."""
        async with asyncio.timeout(60):
            while not await self.js(condition):
                await asyncio.wait({self.reader}, timeout=0.05)

    # --- the terminal ---

    @property
    def text(self) -> str:
        """The terminal's screen."""
        return "\n".join(self._screen.display)

    async def until(self, pattern: str) -> None:
        """Wait until the terminal shows something."""
        try:
            async with asyncio.timeout(20):
                while not re.search(pattern, self.text):
                    self._drawn.clear()
                    await self._drawn.wait()
        except TimeoutError:
            raise AssertionError(f"{pattern} did not appear in\n{self.text}") from None

    def place(self, pattern: str) -> tuple[int, int]:
        """The column and line of a text on the terminal."""
        for line, text in enumerate(self._screen.display):
            if (found := re.search(pattern, text)) is not None:
                return found.start(), line
        raise AssertionError(f"{pattern} is not on\n{self.text}")

    async def type(self, text: str) -> None:
        """Type into whatever has the focus."""
        for char in text:
            key = {"\r": "Enter", "\x1b": "Escape"}.get(char, char)
            code = {"\r": 13, "\x1b": 27}.get(char, 0)
            await self.call(
                "Input.dispatchKeyEvent",
                type="keyDown", key=key, text=char, windowsVirtualKeyCode=code,
            )  # fmt: skip
            await self.call("Input.dispatchKeyEvent", type="keyUp", key=key)

    async def drag(self, start: tuple[int, int], end: tuple[int, int]) -> None:
        """Drag with the mouse from a cell of the terminal to another."""
        await self._mouse("mousePressed", start, buttons=1)
        middle = ((start[0] + end[0]) // 2, (start[1] + end[1]) // 2)
        for cell in ((start[0] + 2, start[1]), middle, (end[0] - 1, end[1]), end):
            await self._mouse("mouseMoved", cell, buttons=1)
        await self._mouse("mouseReleased", end, buttons=0)

    async def _mouse(self, kind: str, cell: tuple[int, int], *, buttons: int) -> None:
        box = json.loads(
            await self.js(
                "JSON.stringify(document.querySelector('.xterm-screen').getBoundingClientRect())"
            )
        )
        await self.call(
            "Input.dispatchMouseEvent",
            type=kind,
            x=box["x"] + (cell[0] + 0.5) * box["width"] / self._screen.columns,
            y=box["y"] + (cell[1] + 0.5) * box["height"] / self._screen.lines,
            button="left",
            buttons=buttons,
            clickCount=1,
        )

    async def picture(self, file: Path) -> None:
        """Write what the browser shows to a PNG file."""
        shot = await self.call("Page.captureScreenshot", format="png")
        file.write_bytes(base64.b64decode(shot["data"]))


@asynccontextmanager
async def chromium(folder: Path) -> AsyncIterator[Tab]:
    """Run a browser with one empty page; certificates are not checked."""
    assert CHROMIUM is not None
    process = await asyncio.create_subprocess_exec(
        CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
        "--remote-debugging-port=0", f"--user-data-dir={folder}/chromium", "--no-first-run",
        "--ignore-certificate-errors", "--window-size=1280,800", "about:blank",
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stderr is not None
    try:
        url = ""
        while not url:
            line = (await process.stderr.readline()).decode()
            assert line, "Chromium ended"
            url = line.split()[-1] if line.startswith("DevTools listening on") else ""
        drained = asyncio.create_task(process.stderr.read())
        async with (
            aiohttp.ClientSession() as http,
            http.ws_connect(url, max_msg_size=1 << 26) as ws,
        ):
            await ws.send_json({"id": 0, "method": "Target.getTargets"})
            targets = json.loads((await ws.receive()).data)["result"]["targetInfos"]
            page = next(each["targetId"] for each in targets if each["type"] == "page")
            attach = {"targetId": page, "flatten": True}
            await ws.send_json({"id": 0, "method": "Target.attachToTarget", "params": attach})
            session = ""
            while not session:
                session = (
                    json.loads((await ws.receive()).data).get("result", {}).get("sessionId", "")
                )
            tab = Tab(ws, session)
            yield tab
            tab.reader.cancel()
    finally:
        process.terminate()
        await process.wait()
    await drained
