"""Allocates and releases nodes; creates and deletes networks and headnodes."""

from __future__ import annotations

import asyncio

from haas_console.core import gestures
from haas_console.core.gestures import Gesture, HeadnodeRef, Refusal
from haas_console.tui.console import ScreenHost
from haas_console.tui.selection import Selection

ACTIONS = ("on", "off", "cycle", "reset", "status")
"""The actions of ``node.power``."""


class Holdings:
    """Changes what the current project holds. All but ``allocate`` ask, so call them in a turn."""

    def __init__(self, host: ScreenHost, selection: Selection) -> None:
        self._host = host
        self._selection = selection

    def allocate(self) -> None:
        """Allocate the chosen nodes to the current project."""
        session = self._host.session
        nodes, project = self._selection.nodes(), session.project

        def plan() -> Gesture | Refusal:
            return gestures.allocate(session.inventory, nodes, project, session.write_access)

        self._host.console.start(self._host.send(plan))

    async def release(self) -> None:
        """Release the chosen nodes, after a question."""
        session, nodes = self._host.session, self._selection.nodes()

        def plan() -> Gesture | Refusal:
            return gestures.release(session.inventory, nodes, session.write_access)

        gesture = plan()
        if isinstance(gesture, Refusal):
            self._host.fail(gesture.reason)
        elif await self._host.confirm(f"{gesture.label}? Its ports are parked at once."):
            await self._host.send(plan)

    async def power(self) -> None:
        """Ask what to do with the power of the chosen nodes, and do it to all of them at once."""
        nodes, session = self._selection.nodes(), self._host.session
        test = gestures.switch_nodes(nodes, "status", session.write_access)
        if isinstance(test, Refusal):
            self._host.fail(test.reason)
            return
        what = nodes[0] if len(nodes) == 1 else f"{len(nodes)} nodes"
        action = await self._host.ask(f"power of {what}: ", choices=ACTIONS)
        if action not in ACTIONS:
            return
        gesture = gestures.switch_nodes(nodes, action, session.write_access)
        if isinstance(gesture, Refusal):
            self._host.fail(gesture.reason)
        elif action == "status" or await self._host.confirm(f"{gesture.label}?"):
            self._host.console.start(self._switch(gesture))

    async def _switch(self, gesture: Gesture) -> None:
        """Send the calls side by side: each takes as long as its BMC. The daemon limits them."""
        session = self._host.session
        outcomes = await asyncio.gather(*(session.perform([call]) for call in gesture.calls))
        failed = [outcome.error for outcome in outcomes if outcome.error is not None]
        if failed:
            more = f" (and {len(failed) - 1} more failed)" if len(failed) > 1 else ""
            self._host.fail(f"{failed[0]}{more}")
        else:
            self._host.say(f"{gesture.label}: done")

    async def create(self, noun: str) -> None:
        """Make a network or a headnode in the current project."""
        session = self._host.session
        project = session.project

        def plan(name: str) -> Gesture | Refusal:
            return gestures.create(session.inventory, noun, name, project, session.write_access)

        test = plan("name")
        if isinstance(test, Refusal):
            self._host.fail(test.reason)
            return
        name = (await self._host.ask(f"new {noun} in {project}: ") or "").strip()
        if name:
            await self._host.send(lambda: plan(name))

    async def delete(self) -> None:
        """Delete the network or headnode under the cursor on the right, after a question."""
        session, line = self._host.session, self._selection.area_line()
        if line is not None and isinstance(line.item, HeadnodeRef):
            key = (line.item.project, line.item.headnode)
            headnode = session.inventory.headnodes.get(key)
            if headnode is not None:
                if await self._host.confirm(f"delete headnode {key[1]}, with its disk?"):
                    await self._host.send(lambda: gestures.delete(headnode, session.write_access))
                return
        elif line is not None and line.head and line.target.key is not None:
            network = session.inventory.networks.get(line.target.key)
            if network is not None and await self._host.confirm(
                f"delete network {network.network}?"
            ):
                await self._host.send(lambda: gestures.delete(network, session.write_access))
            return
        self._host.fail("Tab to the right, and put the cursor on a network or a headnode.")
