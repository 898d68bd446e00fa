"""What every screen on which things are staged can do: undo, redo, discard."""

from __future__ import annotations

from textual import work

from haas_console.tui.screen import ConsoleScreen


class StagingScreen(ConsoleScreen):
    """A screen that stages; its bindings name these actions."""

    @work(group="send")
    async def action_undo(self) -> None:
        """Undo the last staged edit."""
        self.show_outcome(await self.session.undo())

    @work(group="send")
    async def action_redo(self) -> None:
        """Do again what was undone."""
        self.show_outcome(await self.session.redo())

    @work(group="ask", exclusive=True)
    async def action_discard(self) -> None:
        """Go back to what is applied, after a question."""
        if await self.confirm(f"discard all that is staged in {self.session.project}?"):
            self.show_outcome(await self.session.discard())
