"""Saves the configuration of a switch, so that a power cut does not bring back an older one."""

from __future__ import annotations

from haas_rpcd.drivers import Report
from haas_rpcd.drivers.switch.dialogue import Dialogue
from haas_rpcd.drivers.switch.session import Session
from haas_rpcd.errors import DeviceError


async def save(
    name: str, session: Session, dialogue: Dialogue, timeout: float, report: Report
) -> None:
    """Save, outside configuration mode. Raises DeviceError if the switch does not say it did."""
    answer = ""
    for line in dialogue.save:
        report(line)
        answer += await session.command(line, timeout=timeout)
    if not dialogue.confirms_save(answer):
        raise DeviceError(
            f"{name} did not say that it saved its configuration (it said"
            f' "{" ".join(answer.split())[:200]}"): save it by hand, or apply again.',
            reason="refused",
        )
