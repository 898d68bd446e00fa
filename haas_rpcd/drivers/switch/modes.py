"""Enters and leaves the configuration mode of a switch."""

from __future__ import annotations

from haas_rpcd.drivers import SESSION_LOST, Report
from haas_rpcd.drivers.switch.dialogue import Dialogue
from haas_rpcd.drivers.switch.session import Session
from haas_rpcd.errors import DeviceError


async def enter_config(session: Session, dialogue: Dialogue, report: Report) -> None:
    """Enter configuration mode, unless the session is in it. Raises DeviceError."""
    if session.configuring:
        return
    for text in dialogue.enter_config:
        report(text)
        await session.command(text)
    if dialogue.configuring is not None and not session.configuring:
        raise _wrong_mode(session, "enter", "see whether its login may configure it", "refused")


async def leave_config(session: Session, dialogue: Dialogue) -> None:
    """Leave configuration mode, if the session is in it.

    Raises DeviceError with a reason of ``SESSION_LOST``: the session must be closed, because the
    next line must not configure.
    """
    if not session.configuring:
        return
    try:
        for line in dialogue.leave_config:
            await session.command(line)
    except DeviceError as error:
        if error.reason in SESSION_LOST:
            raise
        raise DeviceError(error.message, reason="cut") from None
    if session.configuring or session.unprivileged:
        raise _wrong_mode(session, "leave", "it was logged out, apply again", "cut")


def _wrong_mode(session: Session, verb: str, advice: str, reason: str) -> DeviceError:
    return DeviceError(
        f'{session.device} did not {verb} configuration mode (its prompt is "{session.prompt}"):'
        f" {advice}.",
        reason=reason,
    )
