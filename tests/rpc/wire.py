"""The cable between the daemon and a switch, with a hand on it."""

from __future__ import annotations

import asyncio
import re

from haas_rpcd.sim.ios import IosSwitch


class Wire:
    """A TCP relay before a switch that can hold a line back: what a slow switch looks like.

    The daemon talks to the real simulated switch through it. :meth:`hold` waits for a line; while
    it is held, the daemon's answer is outstanding, so a test can act in the middle of a job without
    any sleeping.
    """

    def __init__(self, switch: IosSwitch) -> None:
        self.switch = switch
        self.port = 0
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._hold: Hold | None = None

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def hold(self, line: str) -> Hold:
        """Hold back the next line that matches ``line`` (a regular expression)."""
        self._hold = Hold(re.compile(line.encode()))
        return self._hold

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            there, switch = await asyncio.open_connection("127.0.0.1", self.switch.port)
        except OSError:
            writer.transport.abort()
            return
        back = asyncio.create_task(_pump(there, writer))
        try:
            while data := await reader.read(65536):
                if self._hold is not None and self._hold.pattern.search(data):
                    held, self._hold = self._hold, None
                    held.reached.set()
                    await held.released.wait()
                switch.write(data)
        except ConnectionError:
            pass
        finally:
            switch.close()
            await asyncio.gather(back, return_exceptions=True)
            writer.close()


class Hold:
    """One line that is held back."""

    def __init__(self, pattern: re.Pattern[bytes]) -> None:
        self.pattern = pattern
        self.reached = asyncio.Event()
        self.released = asyncio.Event()

    async def wait(self) -> None:
        """Return once the line is there and held."""
        async with asyncio.timeout(20):
            await self.reached.wait()

    def release(self) -> None:
        """Let the line through."""
        self.released.set()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
    except ConnectionError:
        pass
    finally:
        writer.transport.abort() if reader.exception() else writer.close()
