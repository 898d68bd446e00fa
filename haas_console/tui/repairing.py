"""Repair of what drifted, for the screens that offer it."""

from __future__ import annotations

from haas_console.core.commands import Call
from haas_console.tui.console import ScreenHost


async def repair(host: ScreenHost, switch: str | None) -> None:
    """Ask, then start a repair of a switch or of all devices, and show its job; call it in a turn.

    A repair restores what was applied.
    """
    known = host.session.inventory.drifted(switch)
    what = switch or "all devices"
    much = f"{known} drifted" if known else "none is known yet"
    if not await host.confirm(f"repair {what} ({much})? What is only staged stays staged."):
        return
    params = {} if switch is None else {"switch": switch}
    outcome = await host.send([Call("drift.repair", params)], keep_keys=True)
    if outcome.job is not None:
        host.console.navigation.open_job(outcome.job)
