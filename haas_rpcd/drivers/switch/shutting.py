"""Runs a script in two parts: ports that it shuts must be shut before their VLANs change.

On most families a port that leaves its network falls back to the default VLAN. If the switch took
``shutdown`` without a word and did nothing, all such ports would be open in one VLAN, whoever holds
them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from haas_rpcd.drivers import Outcome
from haas_rpcd.drivers.switch.script import Line, shuts
from haas_rpcd.drivers.switch.session import ScriptResult
from haas_rpcd.drivers.switch.state import PortState
from haas_rpcd.errors import DeviceError
from haas_rpcd.model import SetPort, SwitchChange


@dataclass
class Ports:
    """The changes of a script, and what was seen of their ports before, if they were read."""

    changes: Sequence[SwitchChange]
    seen: Mapping[str, PortState]
    still_open: set[str] = field(default_factory=set)
    """The ports that were found open after the switch had accepted to shut them."""

    def to_check(self, change: int) -> str | None:
        """Return the port of a change, unless it was seen to be shut."""
        match self.changes[change]:
            case SetPort(port=port) if port not in self.seen or self.seen[port].open:
                return port
        return None

    def refuse_open(self, device: str, outcomes: list[Outcome]) -> list[Outcome]:
        """Return the outcomes of the changes; those of ports that are still open are refused."""
        return [
            _refused(device, change.port)
            if isinstance(change, SetPort) and change.port in self.still_open
            else outcome
            for change, outcome in zip(self.changes, outcomes, strict=True)
        ]


class Parts(NamedTuple):
    """A script in two parts, and the ports that must be shut before the second one."""

    first: Sequence[Line]
    second: Sequence[Line]
    shut: Sequence[str]


def split(lines: Sequence[Line], shut_line: str, ports: Ports) -> Parts:
    """Divide a script behind the lines that shut ports, if these may be open until then.

    ``shut_line``: see :class:`~haas_rpcd.drivers.switch.writer.Writer`.
    """
    shut: set[str] = set()
    for at, line in enumerate(lines):
        if line.barrier and shut:
            return Parts(lines[:at], lines[at:], sorted(shut))
        if shuts(line.text, shut_line):
            shut |= {port for each in line.changes if (port := ports.to_check(each)) is not None}
    return Parts(lines, (), ())


async def run_checked(
    parts: Parts,
    ports: Ports,
    run: Callable[[Sequence[Line]], Awaitable[ScriptResult]],
    read: Callable[[Sequence[str]], Awaitable[Mapping[str, PortState]]],
) -> ScriptResult:
    """Run the parts of a script; the second one only if the ports that were shut are shut.

    Otherwise the result has no error, and ``ports`` knows which of them are open.
    """
    ports.still_open.clear()
    first = await run(parts.first) if parts.first else ScriptResult(0, 0)
    if not parts.second or first.error is not None or first.answered < len(parts.first):
        return first
    try:
        found = await read(parts.shut)
    except DeviceError as error:
        return first._replace(error=error)
    ports.still_open.update(port for port, state in found.items() if state.open)
    if ports.still_open:
        return first
    second = await run(parts.second)
    silent = second.silent_from
    return ScriptResult(
        first.answered + second.answered,
        first.sent + second.sent,
        second.error,
        None if silent is None else first.sent + silent,
    )


def _refused(device: str, port: str) -> Outcome:
    error = DeviceError(
        f"{device} accepted that ports are shut, but {port} is still open, so its VLANs were not"
        " changed: shut it by hand, then apply again.",
        reason="refused",
        line=f"shut {port}",
    )
    return Outcome("refused", error)
