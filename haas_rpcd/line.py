"""A serial line, whatever it is made of."""

from __future__ import annotations

from typing import Protocol


class Line(Protocol):
    """An open serial line."""

    async def read(self) -> bytes:
        """Wait for bytes; return b"" once the line is closed. Raises DeviceError."""
        ...

    async def write(self, data: bytes) -> None:
        """Send bytes, and wait until they are accepted. Raises DeviceError."""
        ...
