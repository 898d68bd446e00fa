"""The lines of a batch of changes, and the outcome of each from the script's result. No I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from haas_rpcd.drivers import Outcome
from haas_rpcd.drivers.switch.dialect import Dialect
from haas_rpcd.drivers.switch.script import Line
from haas_rpcd.drivers.switch.session import ScriptResult
from haas_rpcd.drivers.switch.state import PortState
from haas_rpcd.drivers.switch.writer import Options
from haas_rpcd.model import PortConfig, SaveConfig, SetPort, SetVlan, SwitchChange


def lines_of(
    dialect: Dialect,
    options: Options,
    changes: Sequence[SwitchChange],
    current: Mapping[str, PortState] | None,
    existing: frozenset[int] = frozenset(),
) -> list[Line]:
    """Return the lines of changes. ``existing`` VLANs need not be created for ports."""
    own = [(i, change) for i, change in enumerate(changes) if not isinstance(change, SaveConfig)]
    at = [i for i, _ in own]
    return _vlans_for_ports(dialect, options, changes, existing) + [
        line._replace(changes=tuple(at[i] for i in line.changes), shown_at=at[line.shown_at])
        for line in dialect.writer.script([change for _, change in own], options, current)
    ]


def known_states(found: Mapping[str, PortState]) -> dict[str, PortState]:
    """Return the states of those of some ports that lines may depend on.

    One that is not understood counts as unknown: the port may be on VLANs that no line would
    remove, so it must not be opened.
    """
    return {
        port: state
        for port, state in found.items()
        if state.in_managed_form and state.not_understood is None
    }


def preview_of(
    dialect: Dialect,
    options: Options,
    changes: Sequence[SwitchChange],
    confirmed: Mapping[str, PortConfig],
    existing: frozenset[int],
) -> list[list[str]]:
    """Return the lines of each change; ``confirmed`` has what was last confirmed of ports."""
    lines: list[list[str]] = [[] for _ in changes]
    parked = dialect.writer.parked_config
    current = {
        port: PortState(parked if config.parked else config, open=not config.parked)
        for port, config in confirmed.items()
    }
    for line in lines_of(dialect, options, changes, current, existing):
        lines[line.shown_at].append(line.text)
    for index, change in enumerate(changes):
        if isinstance(change, SaveConfig):
            lines[index] += dialect.dialogue.save
    return lines


def _vlans_for_ports(
    dialect: Dialect, options: Options, changes: Sequence[SwitchChange], existing: frozenset[int]
) -> list[Line]:
    """Return the lines that create VLANs for ports: see `Dialect.trunks_need_vlans`.

    They come first, are listed under the first change, and serve all ports that need the VLAN.
    """
    if not dialect.trunks_need_vlans:
        return []
    users: dict[int, list[int]] = {}
    for index, change in enumerate(changes):
        if isinstance(change, SetPort):
            for vlan in change.config.vlans - existing:
                users.setdefault(vlan, []).append(index)
    if not users:
        return []
    vlans = sorted(users)
    return [
        line._replace(
            changes=tuple(sorted({index for i in line.changes for index in users[vlans[i]]})),
            shown_at=0,
        )
        for line in dialect.writer.script([SetVlan(vlan, present=True) for vlan in vlans], options)
    ]


def outcomes_of(lines: Sequence[Line], result: ScriptResult, count: int) -> list[Outcome]:
    """Return the outcome of each of ``count`` changes."""
    own: list[list[int]] = [[] for _ in range(count)]
    for at, line in enumerate(lines):
        for change in line.changes:
            own[change].append(at)
    return [_outcome(at, result) for at in own]


def _outcome(lines: Sequence[int], result: ScriptResult) -> Outcome:
    if not lines or lines[-1] < result.answered:
        return Outcome("sent")
    silent = range(result.sent if result.silent_from is None else result.silent_from, result.sent)
    late = any(line in silent for line in lines)
    if result.error is not None and result.answered in lines:
        return Outcome("refused", result.error, late)
    return Outcome("unfinished" if lines[0] < result.sent else "unsent", result.error, late)
