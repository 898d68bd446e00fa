"""The text channel to a switch: lines go out, printed text comes in. Every wait has a time-out."""

from __future__ import annotations

import asyncio
from typing import Literal

from haas_rpcd import patience
from haas_rpcd.drivers.switch.answers import last_words
from haas_rpcd.drivers.switch.terminal import Terminal
from haas_rpcd.drivers.switch.transcript import Transcript
from haas_rpcd.drivers.switch.transport import READ, Transport
from haas_rpcd.errors import DeviceError

PROMPT_FALLBACK = 1.0
"""After this many seconds of silence, accept any prompt: the host may have been renamed, may not
echo input, or may echo lines as they arrive and not as it reads them."""

MAX_OUTPUT = 16 * 2**20
"""Characters of one answer, or of what a switch prints before it asks for a login. More than that
is no answer: the largest configurations have a few million."""

_MUCH = READ // 4
"""A read of at least this many bytes means that the switch prints a lot."""

_OTHERS_TURNS = 8
"""Turns of the event loop that others get after each of those. A call needs about that many, and
must not wait for as many pieces of a switch's output."""

Received = Literal["output", "timeout", "closed", "flood"]


class Channel:
    """One connection to a switch's command line, and the output that was not used yet."""

    def __init__(
        self, device: str, transport: Transport, transcript: Transcript | None = None
    ) -> None:
        self.device = device
        self.transcript = transcript or Transcript()
        self.buffer = ""
        self.ended = False
        """True once the switch closed the connection or did not answer: it can't be used again."""
        self._transport = transport
        self._terminal = Terminal()

    def send(self, *lines: str) -> None:
        """Send lines, each with its Enter."""
        self.write("".join(f"{line}\r\n" for line in lines))

    def write(self, text: str) -> None:
        """Send text as it is."""
        self.transcript.sent(text)
        self._transport.write(text.encode())

    async def receive(self, deadline: float) -> Received:
        """Wait for output until a time of :func:`patience.now`, and append it to the buffer.

        ``flood``: there is more than :data:`MAX_OUTPUT` of it.
        """
        if len(self.buffer) > MAX_OUTPUT:
            return "flood"
        try:
            async with patience.timeout(deadline - patience.now()):
                data = await self._transport.read()
        except TimeoutError:
            return "timeout"
        if not data:
            return "closed"
        text = self._terminal.text(data)
        self.transcript.received(text)
        self.buffer += text
        if len(data) >= _MUCH:
            for _ in range(_OTHERS_TURNS):  # reading does not wait while there is more
                await asyncio.sleep(0)
        return "output"

    async def close(self) -> None:
        """Close the connection. Never raises."""
        await self._transport.close()

    async def abort(self) -> None:
        """Reset the connection: what was sent and did not arrive is lost. Never raises."""
        await self._transport.abort()

    # --- errors -----------------------------------------------------------------------------------

    def timed_out(self, doing: str, timeout: float) -> DeviceError:
        """Mark the channel as ended; return the error. ``doing`` must not be a password."""
        self.ended = True
        return DeviceError(
            f"{self.device} did not answer ({doing}) within {timeout:g} s{self._last_words()}:"
            " look at the switch, then apply again.",
            reason="timeout",
        )

    def closed(self, doing: str) -> DeviceError:
        """Mark the channel as ended; return the error. ``doing`` must not be a password."""
        self.ended = True
        return DeviceError(
            f"{self.device} closed the connection ({doing}){self._last_words()}: see whether others"
            " use all its sessions or it has restarted, then apply again.",
            reason="cut",
        )

    def flooded(self, doing: str) -> DeviceError:
        """Mark the channel as ended; return the error. ``doing`` must not be a password."""
        self.ended = True
        return DeviceError(
            f"{self.device} printed more than {MAX_OUTPUT // 2**20} MB without an end ({doing})"
            f"{self._last_words()}: see what it is busy with, then apply again.",
            reason="timeout",
        )

    def error(self, received: Received, doing: str, timeout: float) -> DeviceError:
        """Mark the channel as ended; return the error for output that did not come."""
        if received == "timeout":
            return self.timed_out(doing, timeout)
        return self.flooded(doing) if received == "flood" else self.closed(doing)

    def _last_words(self) -> str:
        words = last_words(self.buffer)
        return f', its last words "{words}"' if words else ""
