"""Runs a script in parts: before each, the state that it relies on is read back from the switch.

A switch may take a line without a word and not carry it out. Most lines are harmless then, as a
port carries what it carried before. Three kinds are not:

* On most families a port that leaves its network falls back to the default VLAN. If ``shutdown``
  was ignored, all such ports would be open in one VLAN, whoever holds them. So ports that were shut
  are read before their VLANs change.
* ``no shutdown`` opens a port on whatever it is on. If the line with its VLAN was ignored, that is
  the default VLAN, or a VLAN that somebody left there. So ports are read before they are opened.
* A commit does both at once. Where the candidate can be shown, it is read before the commit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from haas_rpcd.drivers import Outcome
from haas_rpcd.drivers.switch.refusals import no_port
from haas_rpcd.drivers.switch.script import Effect, Line
from haas_rpcd.drivers.switch.session import ScriptResult
from haas_rpcd.drivers.switch.state import PortState
from haas_rpcd.errors import DeviceError
from haas_rpcd.model import PortSeen, SetPort, SwitchChange
from haas_rpcd.planner import shortfall

States = Mapping[str, PortState]


class Runner(Protocol):
    """Runs the parts on the switch."""

    async def run(self, lines: Sequence[Line]) -> ScriptResult:
        """Send lines up to the first error."""
        ...

    async def read(self, ports: Sequence[str]) -> States:
        """Read ports. Raises DeviceError."""
        ...

    async def read_candidate(self, ports: Sequence[str]) -> States:
        """Read the state that ports would have after a commit. Raises DeviceError."""
        ...

    async def discard(self) -> None:
        """Discard the candidate."""
        ...


@dataclass
class Part:
    """Lines, and the ports that are read before them: see :data:`~.script.Effect`."""

    needs: Effect
    ports: Sequence[SetPort]
    lines: list[Line] = field(default_factory=list)


@dataclass
class Ports:
    """The changes of a script, and what was seen of their ports before, if they were read."""

    device: str
    changes: Sequence[SwitchChange]
    seen: States
    refused: dict[str, DeviceError] = field(default_factory=dict)
    """The ports that were not found as they should be, although the switch accepted that."""

    def set_by(self, lines: Iterable[Line]) -> list[SetPort]:
        """Return the changes of ports that lines serve."""
        served = sorted({change for line in lines for change in line.changes})
        changes = (self.changes[at] for at in served)
        return [change for change in changes if isinstance(change, SetPort)]

    def maybe_open(self, changes: Iterable[SetPort]) -> list[SetPort]:
        """Return the changes whose port was not read as shut."""
        return [one for one in changes if one.port not in self.seen or self.seen[one.port].open]

    def judge(self, part: Part, found: States) -> None:
        """Refuse the ports of a part that are not as it needs them."""
        for change in part.ports:
            error = self._fault(part.needs, change, found.get(change.port))
            if error is not None:
                self.refused[change.port] = error

    def _fault(self, needs: Effect, change: SetPort, state: PortState | None) -> DeviceError | None:
        removed = change.is_channel and change.config.parked
        if state is None:
            return None if removed else no_port(self.device, change.port)
        if removed and needs != "shuts":
            return _not_set(self.device, needs, change, state) if state.config.vlans else None
        if needs == "shuts" or change.config.parked:
            return _still_open(self.device, change.port) if state.open else None
        right = state.not_understood is None and state.config == change.config
        return None if right else _not_set(self.device, needs, change, state)

    def refuse(self, outcomes: Sequence[Outcome]) -> list[Outcome]:
        """Return the outcomes of the changes; those of refused ports are refused."""
        return [
            Outcome("refused", self.refused[change.port])
            if isinstance(change, SetPort) and change.port in self.refused
            else outcome
            for change, outcome in zip(self.changes, outcomes, strict=True)
        ]


def _split(lines: Sequence[Line], ports: Ports) -> list[Part]:
    """Divide a script where something must be read back."""
    parts = [Part("", ())]
    shut: list[SetPort] = []
    for stage in _stages(lines):
        effect: Effect = next((line.effect for line in stage if line.effect), "")
        served = ports.set_by(line for line in stage if line.effect)
        if shut:
            parts.append(Part("shuts", shut))
        if effect in ("opens", "commits") and served:
            parts.append(Part(effect, served))
        shut = ports.maybe_open(served) if effect == "shuts" else []
        parts[-1].lines += stage
    return [part for part in parts if part.lines or part.ports]


def _stages(lines: Sequence[Line]) -> Iterator[list[Line]]:
    """Yield the lines between barriers."""
    stage: list[Line] = []
    for line in lines:
        if line.barrier and stage:
            yield stage
            stage = []
        stage.append(line)
    if stage:
        yield stage


async def run_checked(lines: Sequence[Line], ports: Ports, runner: Runner) -> ScriptResult:
    """Run a script in parts, each only if its ports are as it needs them.

    Otherwise the result has no error, and ``ports`` knows which of them are refused.
    """
    ports.refused.clear()
    result = ScriptResult(0, 0)
    for part in _split(lines, ports):
        if part.needs:
            read = runner.read_candidate if part.needs == "commits" else runner.read
            try:
                ports.judge(part, await read([change.port for change in part.ports]))
            except DeviceError as error:
                result = result._replace(error=error)
            if (ports.refused or result.error is not None) and part.needs == "commits":
                await runner.discard()
            if ports.refused or result.error is not None:
                break
        ran = await runner.run(part.lines) if part.lines else ScriptResult(0, 0)
        silent = ran.silent_from
        result = ScriptResult(
            result.answered + ran.answered,
            result.sent + ran.sent,
            ran.error,
            None if silent is None else result.sent + silent,
        )
        if ran.error is not None or ran.answered < len(part.lines):
            if part.needs == "commits" and not ran.sent:  # it was cancelled
                await runner.discard()
            break
    return result


def _still_open(device: str, port: str) -> DeviceError:
    return DeviceError(
        f"{device} accepted that ports are shut, but {port} is still open, so its VLANs were not"
        " changed: shut it by hand, then apply again.",
        reason="refused",
        line=f"shut {port}",
    )


def _not_set(device: str, needs: Effect, change: SetPort, state: PortState) -> DeviceError:
    lack = shortfall(change, PortSeen(state.config, not_understood=state.not_understood))
    if state.not_understood is None:
        lack = (
            f"{lack}; apply again, and if it stays so look for somebody else who configures the"
            " device"
        )
    verb = "commit" if needs == "commits" else "open"
    return DeviceError(
        f"{device} accepted the VLANs of {change.port}, but HaaS did not {verb} it: {lack}",
        reason="refused",
        line=f"open {change.port}",
    )
