"""After a switch refused a line, sends the other changes without it.

One port that the switch does not take, or does not have, must hold up no other.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence

from haas_rpcd.drivers import Outcome, Progress
from haas_rpcd.drivers.switch.dialect import Dialect
from haas_rpcd.drivers.switch.script import Line
from haas_rpcd.drivers.switch.session import ScriptResult
from haas_rpcd.errors import DeviceError
from haas_rpcd.model import SetPort, SwitchChange

_MOST, _MOST_AT_FIRST = 5, 3
"""Changes that a switch may refuse, at all and before it accepts one, until the rest of the batch
is held back: our picture of the switch is wrong then."""

SendOnce = Callable[[Sequence[SwitchChange], Progress], Awaitable[list[Outcome]]]
"""Sends changes up to the first refusal. Raises DeviceError if it cannot even read the switch."""


async def send_apart(
    dialect: Dialect, changes: Sequence[SwitchChange], progress: Progress, send_once: SendOnce
) -> list[Outcome]:
    """Send changes; after a refusal, send once more what was not refused. Raises nothing."""
    outcomes = [Outcome("unsent")] * len(changes)
    parts = [list(range(len(changes)))]
    refusals = 0
    while parts:
        part = parts.pop(0)
        error: DeviceError | None = None
        try:
            found = await send_once([changes[at] for at in part], _Part(progress, part))
        except DeviceError as unreadable:
            found, error = [Outcome("refused", unreadable)] * len(part), unreadable
            found[1:] = [Outcome("unsent", unreadable)] * (len(part) - 1)
        for at, outcome in zip(part, found, strict=True):
            outcomes[at] = outcome
        refused = [at for at in part if outcomes[at].state == "refused"]
        if not refused or progress.cancelled():
            continue
        error = error or _serious(outcomes[refused[0]].error, dialect)
        if error is None:
            again = _again(changes, part, refused, outcomes, dialect)
            refusals += len(again) < 2
            parts[:0] = [part for part in again if part]
            accepted = any(outcome.state == "sent" for outcome in outcomes)
            if refusals >= (_MOST if accepted else _MOST_AT_FIRST):
                error = outcomes[refused[0]].error
        if error is not None:
            for at in [at for part in parts for at in part]:
                outcomes[at] = Outcome("unsent", error)
            break
    return outcomes


def _serious(error: DeviceError | None, dialect: Dialect) -> DeviceError | None:
    """Return an error after which nothing else is worth trying; None if it is about some ports."""
    everything = (None, *dialect.dialogue.enter_config)
    if error is None or (error.reason == "refused" and error.data.get("line") not in everything):
        return None
    return error


def _again(
    changes: Sequence[SwitchChange],
    part: list[int],
    refused: list[int],
    outcomes: Sequence[Outcome],
    dialect: Dialect,
) -> list[list[int]]:
    """Return which changes to send once more, in parts, because only others were refused.

    If a line that serves all of them was refused, as a commit is, those go on that its error does
    not name; if it names none, one half is tried without the other.
    """
    if len(refused) < len(part) or len(part) == 1:
        return [[at for at in part if at not in refused]]
    error = outcomes[refused[0]].error
    said = error.message if error is not None else ""
    others = [at for at in part if not _names(said, changes[at], dialect)]
    if len(others) < len(part):
        return [others]
    half = len(part) // 2
    return [part[:half], part[half:]]


class _Part:
    """The progress of some changes of a batch, by their indexes there."""

    def __init__(self, progress: Progress, at: Sequence[int]) -> None:
        self._progress = progress
        self._at = at[:]

    def line_sent(self, change: int, line: str) -> None:
        """Pass on that a line is sent."""
        self._progress.line_sent(self._at[change], line)

    def cancelled(self) -> bool:
        """Return whether nothing more may be sent."""
        return self._progress.cancelled()


def refuses_several(lines: Sequence[Line], single: Sequence[Line], result: ScriptResult) -> bool:
    """Return whether the refused line serves several ports that could each be set by themselves.

    ``single``: the lines that do that. The reason may be one of the ports, or that the switch
    takes no ranges.
    """
    if result.error is None or result.error.reason != "refused" or result.answered >= len(lines):
        return False
    refused = lines[result.answered]
    alone = [line.changes for line in single if line.text == refused.text]
    return refused.changes not in alone


def _names(message: str, change: SwitchChange, dialect: Dialect) -> bool:
    """Return whether an error names a port."""
    if not isinstance(change, SetPort):
        return False
    port = re.escape(dialect.canonical_port(change.port))
    return re.search(rf"(?<![\w/-]){port}(?![\w/:])", message, re.I) is not None


def no_port(switch: str, port: str) -> DeviceError:
    """Return the error about a port that a switch does not show."""
    return DeviceError(
        f"{switch} does not show a port {port}: check its name in the inventory (port list)"
        f" against the switch. If it has none:  port delete {switch} {port} --force",
        reason="missing",
    )
