"""From what was applied to what is desired: the steps of a plan, and their digest."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from haas_rpcd.devicenames import BMC, copy_device, libvirt_device
from haas_rpcd.model import (
    PARKED,
    Channel,
    CopyHeadnode,
    DefineHeadnode,
    DeleteHeadnode,
    HeadnodeSeen,
    Phase,
    Plan,
    PortConfig,
    PortRef,
    PrepareCopy,
    SaveConfig,
    SetBridge,
    SetHeadnodeNics,
    SetHeadnodePower,
    SetPort,
    SetVlan,
    Step,
)
from haas_rpcd.planner.spread import Spread
from haas_rpcd.planner.steps import step
from haas_rpcd.states import Applied, Desired, HeadnodeGoal, PortGoal


def plan(desired: Desired, applied: Applied) -> Plan:
    """Return the steps that bring the devices of a scope to the desired state, by phase.

    Once all steps are confirmed, the next plan is empty.
    """
    places = _places(desired, applied)
    spread = Spread(
        {name: traits.trunks for name, traits in applied.switches.items()}, applied.fabric
    )
    steps = [
        *_vlan_steps(desired, applied, places, spread),
        *_port_steps(desired, applied),
        *_headnode_steps(desired, applied),
        *_bridge_steps(desired, applied, places),
    ]
    steps += save_steps(steps, applied)
    steps += _power_steps(desired)
    steps.sort(key=lambda each: each.phase)  # stable: keeps the order within a phase
    severed = {
        vlan: why
        for vlan in sorted(desired.networks)
        if vlan not in desired.retired
        if (why := spread.severed(places.get(vlan, set()))) is not None
    }
    return Plan(steps=tuple(steps), digest=digest(steps), severed=severed)


def digest(steps: Iterable[Step]) -> str:
    """Return a digest of the steps: 16 hexadecimal digits of a SHA-256 over their JSON."""
    encoded = msgspec.json.encode([(each.device, each.change) for each in steps])
    return hashlib.sha256(encoded).hexdigest()[:16]


# --- ports ----------------------------------------------------------------------------------------


def _port_steps(desired: Desired, applied: Applied) -> Iterator[Step]:
    members = members_of((ref, goal.channel) for ref, goal in desired.ports.items())
    for ref, goal in sorted(desired.ports.items()):
        known = applied.ports[ref].config if ref in applied.ports else None
        if known != goal.config:
            yield from _one_port(ref, goal, known, members.get(ref, ()))


def members_of(
    ports: Iterable[tuple[PortRef, Channel | None]],
) -> dict[PortRef, tuple[str, ...]]:
    """Return the ports that HaaS makes members of each channel, by the channel."""
    found: dict[PortRef, list[str]] = {}
    for ref, channel in sorted(ports, key=lambda each: each[0]):
        if channel is not None and channel.name != ref.port:
            found.setdefault(PortRef(ref.switch, channel.name), []).append(ref.port)
    return {ref: tuple(names) for ref, names in found.items()}


def _one_port(
    ref: PortRef, goal: PortGoal, known: PortConfig | None, members: tuple[str, ...]
) -> Iterator[Step]:
    """Return the steps for a port. One whose state is not known is parked before it joins."""
    why = "" if known is not None else " (its state is not known)"
    if goal.channel is not None and goal.channel.name == ref.port:
        verb = "remove" if goal.config.parked else "make"
        carrying = "" if goal.config.parked else f" with {goal.config.describe()}"
        yield step(
            Phase.VLANS,
            ref.switch,
            SetPort(ref.port, goal.config, goal.channel, () if goal.config.parked else members),
            f"{verb} {ref.port} ({goal.behind}){carrying}{why}",
        )
        return
    if goal.config.parked or known is None:
        yield step(
            Phase.LEAVE,
            ref.switch,
            SetPort(ref.port, PARKED, goal.channel),
            f"park {ref.port} ({goal.behind}){why}",
        )
    if not goal.config.parked:
        yield step(
            Phase.JOIN,
            ref.switch,
            SetPort(ref.port, goal.config, goal.channel),
            f"set {ref.port} ({goal.behind}) to {goal.config.describe()}",
        )


# --- headnodes ------------------------------------------------------------------------------------


def _headnode_steps(desired: Desired, applied: Applied) -> Iterator[Step]:
    for name, goal in sorted(desired.headnodes.items()):
        ever_made = name in applied.headnodes
        seen = applied.headnodes.get(name)
        left = applied.copies.get(name, ())
        if not goal.present:
            if ever_made:
                yield step(
                    Phase.REMOVE_HEADNODES,
                    libvirt_device(goal.hypervisor),
                    DeleteHeadnode(name, goal.uuid),
                    f"delete headnode {name} and its disk",
                )
        elif goal.move_to is not None and ever_made:
            yield from _moving_steps(name, goal, goal.move_to, seen, left)
            left = tuple(place for place in left if place != goal.move_to)
        else:
            yield from present_headnode_steps(name, goal, seen, unknown=ever_made and seen is None)
        for place in left:
            yield _delete_rest(Phase.REMOVE_HEADNODES, name, goal, place)


def _moving_steps(
    name: str, goal: HeadnodeGoal, to: str, seen: HeadnodeSeen | None, left: tuple[str, ...]
) -> Iterator[Step]:
    """Return the steps that move a headnode to another hypervisor.

    It is off from before it is copied until it is started there, and removed where it was at last.
    """
    source = goal.hypervisor
    nics = {nic for nic in (seen.nics if seen is not None else ()) if nic.vlan} | set(goal.nics)
    yield step(
        Phase.BRIDGES,
        copy_device(to),
        PrepareCopy(name, goal.uuid, goal.image, source),
        f"see that headnode {name} can move from {source} to {to}",
    )
    if to in left:
        yield _delete_rest(Phase.STOPS, name, goal, to)
    if seen is None or not seen.off:
        yield step(
            Phase.STOPS,
            libvirt_device(source),
            SetHeadnodePower(name, goal.uuid, False),
            f"stop headnode {name}, to move it to {to}",
        )
    yield step(
        Phase.COPIES,
        copy_device(to),
        CopyHeadnode(name, goal.uuid, goal.image, source, goal.token, tuple(sorted(nics))),
        f"copy headnode {name} and its disk from {source} to {to}",
    )
    there = HeadnodeSeen(True, False, seen.nics if seen is not None else ())
    moved = msgspec.structs.replace(goal, hypervisor=to, move_to=None)
    yield from present_headnode_steps(name, moved, there)
    yield _delete_rest(Phase.REMOVE_HEADNODES, name, goal, source)


def _delete_rest(phase: Phase, name: str, goal: HeadnodeGoal, place: str) -> Step:
    """Return the step that deletes what is left of a headnode where it is not, or is to leave."""
    return step(
        phase,
        libvirt_device(place),
        DeleteHeadnode(name, goal.uuid),
        f"delete what is left of headnode {name} on {place}",
    )


def present_headnode_steps(
    name: str, goal: HeadnodeGoal, seen: HeadnodeSeen | None, *, unknown: bool = False
) -> Iterator[Step]:
    """Return the steps for a headnode. One whose state is ``unknown`` may even be running."""
    device = libvirt_device(goal.hypervisor)
    nics = tuple(sorted(goal.nics))
    running = seen is not None and seen.running
    asleep = seen is not None and not seen.running and not seen.off
    power = []
    if running != goal.running or asleep or unknown:
        verb = "start" if goal.running else "stop"
        power.append(
            step(
                Phase.HEADNODES,
                device,
                SetHeadnodePower(name, goal.uuid, goal.running),
                f"{verb} headnode {name}",
            )
        )
    added = seen.added if seen is not None else ()
    if added and not goal.running:
        yield from power  # first: what was added may not be given back while it runs
        power = []
    if seen is None or not seen.defined:
        yield step(
            Phase.HEADNODES,
            device,
            DefineHeadnode(name, goal.uuid, goal.image, nics),
            f"make headnode {name} from {goal.image}{_on(goal)}",
        )
    elif added or tuple(sorted(seen.nics)) != nics:
        without = f", and take {' and '.join(added)} from it" if added else ""
        yield step(
            Phase.HEADNODES,
            device,
            SetHeadnodeNics(name, goal.uuid, nics),
            f"connect headnode {name}{_on(goal) or ' to nothing'}{without}",
        )
    yield from power


def _on(goal: HeadnodeGoal) -> str:
    vlans = ", ".join(f"{nic.nic} on VLAN {nic.vlan}" for nic in sorted(goal.nics))
    return f" with {vlans}" if vlans else ""


# --- VLANs and bridges ----------------------------------------------------------------------------


def _places(desired: Desired, applied: Applied) -> dict[int, set[str]]:
    """Return the devices on which each VLAN is used, by this scope or outside it.

    What the scope has applied but no longer wants does not count: it will be gone when unused VLANs
    are removed.
    """
    places: dict[int, set[str]] = {}
    for ref, goal in desired.ports.items():
        for vlan in () if goal.trunk else goal.config.vlans:
            places.setdefault(vlan, set()).add(ref.switch)
    for headnode in desired.headnodes.values():
        if headnode.present:
            for nic in headnode.nics:
                places.setdefault(nic.vlan, set()).add(headnode.place)
    for vlan, devices in applied.elsewhere.items():
        if devices:
            places.setdefault(vlan, set()).update(devices)
    return places


def _vlan_steps(
    desired: Desired, applied: Applied, places: Mapping[int, set[str]], spread: Spread
) -> Iterator[Step]:
    declaring = {name for name, traits in applied.switches.items() if traits.declares_vlans}
    present: dict[int, dict[str, bool]] = {}
    for switch, known in applied.vlans.items():
        if switch in declaring:
            for vlan, confirmed in known.items():
                present.setdefault(vlan, {})[switch] = confirmed
    found: list[tuple[str, int, bool]] = []
    for vlan in desired.networks:
        there = present.get(vlan, {})
        needed = spread.switches(places.get(vlan, set()))
        if vlan not in desired.retired:
            made = {switch for switch, confirmed in there.items() if confirmed}
            found += [(switch, vlan, True) for switch in (needed & declaring) - made]
        found += [(switch, vlan, False) for switch in there.keys() - needed]
    for switch, vlan, make in sorted(found):
        name = desired.networks[vlan]
        phase, verb = (Phase.VLANS, "make") if make else (Phase.REMOVE, "remove")
        yield step(phase, switch, SetVlan(vlan, make), f"{verb} VLAN {vlan} ({name})")


def _bridge_steps(
    desired: Desired, applied: Applied, places: Mapping[int, set[str]]
) -> Iterator[Step]:
    for hypervisor in sorted(applied.hypervisors):
        present = applied.bridges.get(hypervisor, {})
        for vlan, name in sorted(desired.networks.items()):
            if vlan in desired.passing:
                continue
            if hypervisor in places.get(vlan, set()):
                if not present.get(vlan, False) and vlan not in desired.retired:
                    yield step(
                        Phase.BRIDGES,
                        hypervisor,
                        SetBridge(vlan, True),
                        f"make bridge br-vlan{vlan} ({name})",
                    )
            elif vlan in present:
                yield step(
                    Phase.REMOVE,
                    hypervisor,
                    SetBridge(vlan, False),
                    f"remove bridge br-vlan{vlan} ({name})",
                )


def _power_steps(desired: Desired) -> Iterator[Step]:
    """Return the steps of BMCs: last, so that a node that boots finds its network."""
    for change in sorted(desired.power, key=lambda each: each.node):
        boot = "" if change.boot is None else f", to boot from {change.boot}"
        yield step(
            Phase.POWER,
            f"{BMC}{change.node}",
            change,
            f"switch {change.node} {change.power}{boot}",
        )


def save_steps(steps: list[Step], applied: Applied) -> list[Step]:
    """Return one save for each switch that is changed, or that has unsaved changes."""
    touched = {each.device for each in steps} | applied.unsaved
    return [
        step(Phase.SAVE, switch, SaveConfig(), f"save {switch}'s configuration")
        for switch, traits in sorted(applied.switches.items())
        if traits.saves and switch in touched
    ]
