"""Undo, redo and discard: a part of each screen that stages changes."""

from __future__ import annotations

from haas_console.tui.console import ScreenHost


class Staging:
    """The session's staged edits, as keys change them."""

    def __init__(self, host: ScreenHost) -> None:
        self._host = host

    async def undo(self) -> None:
        """Undo the last staged edit."""
        self._host.show_outcome(await self._host.session.undo())

    async def redo(self) -> None:
        """Redo the edit that was undone last."""
        self._host.show_outcome(await self._host.session.redo())

    async def discard(self) -> None:
        """Go back to what is applied, after a question; call this in a turn."""
        session = self._host.session
        if await self._host.confirm(f"discard all that is staged in {session.project}?"):
            self._host.show_outcome(await session.discard())
