"""Checks of cabling, and proofs of a node's, for the screens that offer them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from haas_console.core.cablingtext import summary
from haas_console.core.commands import Call
from haas_console.tui.console import ScreenHost


async def check(host: ScreenHost, switch: str | None) -> Mapping[str, Any] | None:
    """Check the cabling of a switch, or of all; say the result, and return the report."""
    host.say(f"checking the cabling of {switch or 'all switches'} …")
    params = {"switch": switch} if switch is not None else {}
    outcome = await host.send([Call("cabling.check", params)])
    if not outcome.ok:
        return None
    report: Mapping[str, Any] = outcome.results[-1]
    if report["alarms"]:
        host.fail(f"Not cabled as registered: {summary(report)}.")
    else:
        host.say(f"cabling: {summary(report)}")
    return report


async def prove(host: ScreenHost, node: str) -> None:
    """Ask, then start the proof of a node's cabling, and show its job; call it in a turn."""
    question = f"prove the cabling of {node}? It is booted from the network; what runs on it ends."
    if not await host.confirm(question):
        return
    outcome = await host.send([Call("cabling.prove", {"node": node})], keep_keys=True)
    if outcome.job is not None:
        host.console.navigation.open_job(outcome.job)
