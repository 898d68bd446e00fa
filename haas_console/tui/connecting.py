"""Connecting and disconnecting on the board, by a key or by a drop."""

from __future__ import annotations

from collections.abc import Sequence

from haas_console.core import gestures
from haas_console.core.gestures import PARKED, DragItem, DropTarget, Gesture, HeadnodeRef, Refusal
from haas_console.tui.areas import AreaList
from haas_console.tui.console import ScreenHost
from haas_console.tui.match import pick
from haas_console.tui.prompt import Question
from haas_console.tui.selection import Selection


class Connecting:
    """Connects what is chosen or dragged to a network, or parks it."""

    def __init__(self, host: ScreenHost, selection: Selection, areas: AreaList) -> None:
        self._host = host
        self._selection = selection
        self._areas = areas

    def drop(self, items: Sequence[DragItem], target: DropTarget, *, tagged: bool = False) -> None:
        """Drop items onto a target: what a drag, ``c`` and ``d`` all end in."""
        self._host.console.start(self._drop(items, target, tagged))

    async def _drop(self, items: Sequence[DragItem], target: DropTarget, tagged: bool) -> None:
        outcome = await self._host.send(lambda: self._plan(items, target, tagged))
        if outcome.ok:
            self._selection.clear()

    def _plan(
        self, items: Sequence[DragItem], target: DropTarget, tagged: bool
    ) -> Gesture | Refusal:
        session = self._host.session
        return gestures.plan_drop(
            session.inventory, items, target, session.write_access, tagged=tagged
        )

    async def choose_network(self, *, tagged: bool) -> None:
        """Ask for the network to which what is chosen is connected; call this in a turn."""
        items = self._selection.items()
        if not items:
            self._host.fail("Nothing is chosen: put the cursor on a nic, or mark some with space.")
            return
        targets = self._targets(items, tagged)
        if targets is None:
            return
        names = list(targets)
        how = "tagged to" if tagged else "to"
        what = str(items[0]) if len(items) == 1 else f"{len(items)} nics"

        def typed(_: str, found: str | None) -> None:
            self._light(items, targets.get(found or ""), tagged)

        def answer(name: str) -> None:
            self._areas.light(None)
            self.drop(items, targets[name], tagged=tagged)

        self._host.put(
            Question(
                f"connect {what} {how}: ",
                answer=answer,
                complete=lambda text: pick(names, text),
                choose=True,
                typed=typed,
                cancelled=lambda: self._areas.light(None),
            )
        )

    def _targets(self, items: Sequence[DragItem], tagged: bool) -> dict[str, DropTarget] | None:
        """The networks by name; None, with a message, if the items can go to none."""
        project = self._project_of(items[0])
        networks = self._host.session.inventory.networks_of(project)
        if not networks:
            inventory = self._host.session.inventory
            self._host.fail(
                "There is no network yet: n makes one.",
                lambda: not inventory.networks_of(project),
            )
            return None
        tried = self._plan(items[:1], DropTarget(networks[0].key), tagged)
        if isinstance(tried, Refusal) and "already" not in tried.reason:
            self._host.fail(tried.reason)
            return None
        found = {network.name_for(project): DropTarget(network.key) for network in networks}
        if not tagged:
            found.setdefault("parked", PARKED)
        return found

    def _light(self, items: Sequence[DragItem], target: DropTarget | None, tagged: bool) -> None:
        refused = target is not None and isinstance(self._plan(items, target, tagged), Refusal)
        self._areas.light(target, refused)

    def _project_of(self, item: DragItem) -> str | None:
        if isinstance(item, HeadnodeRef):
            return item.project
        node = self._host.session.inventory.nodes.get(item.node)
        return (node.project if node else None) or self._host.session.project
