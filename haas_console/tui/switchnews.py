"""Tells that a switch was restarted, and what came of it, wherever one is by then."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from haas_console.core.sync import Changes

if TYPE_CHECKING:
    from haas_console.tui.app import ConsoleApp


class SwitchNews:
    """Watches the news of switches; only admins get any."""

    def __init__(self, app: ConsoleApp) -> None:
        self.console = app
        self._told = time.time()
        app.session.sync.watch(self._hear)

    def _hear(self, changes: Changes) -> None:
        if "event" not in changes:
            return
        news = self.console.session.sync.log.events
        fresh = [each for each in news if each.noun == "switch" and each.at > self._told]
        here = self.console.here
        for each in fresh:
            self._told = each.at
            if here is None:
                continue
            if each.verb == "ports-closed":
                here.fail(f"{each.name} came back with ports open that were not to be: closed.")
            elif each.verb == "restarted":
                here.say(f"{each.name} was restarted: it is checked, and what it lost put back.")
