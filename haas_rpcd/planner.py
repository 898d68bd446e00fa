"""Turns states into steps, as pure functions: no I/O, no clock, no database.

- ``plan()`` returns the steps from what was applied to what is desired.
- ``drift()`` returns the differences between what was applied and what was observed; ``repair()``
  returns the steps that undo them.
- ``shortfall()`` says what a device lacks of a change when it is read back.

The same inputs always give the same plan, so a digest of the steps tells whether a plan that a user
saw still holds. Steps are absolute, so recovery from any interruption is to plan again.

The order of the phases keeps tenants isolated. A port whose state is not known is parked before it
joins; all ports leave before any port joins; a VLAN is created before a port carries it, and is
removed only when nothing that the planner knows of carries it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from haas_rpcd.model import (
    LIBVIRT,
    MASTER,
    PARKED,
    Applied,
    Change,
    DefineHeadnode,
    DeleteHeadnode,
    Desired,
    Difference,
    HeadnodeGoal,
    HeadnodeSeen,
    Observed,
    Phase,
    Plan,
    PortConfig,
    PortSeen,
    PresenceSeen,
    SaveConfig,
    Seen,
    SetBridge,
    SetHeadnodeNics,
    SetHeadnodePower,
    SetPort,
    SetVlan,
    Step,
)


def plan(desired: Desired, applied: Applied) -> Plan:
    """Return the steps that bring the devices of a scope to the desired state, by phase.

    Once all steps are confirmed, the next plan is empty.
    """
    steps = [
        *_port_steps(desired, applied),
        *_headnode_steps(desired, applied),
        *_vlan_steps(desired, applied),
        *_bridge_steps(desired, applied),
    ]
    steps += _save_steps(steps, applied)
    steps.sort(key=lambda step: step.phase)  # stable: keeps the order within a phase
    return Plan(steps=tuple(steps), digest=digest(steps))


def digest(steps: Iterable[Step]) -> str:
    """Return a digest of the steps: 16 hexadecimal digits of a SHA-256 over their JSON."""
    encoded = msgspec.json.encode([(step.device, step.change) for step in steps])
    return hashlib.sha256(encoded).hexdigest()[:16]


# --- ports ----------------------------------------------------------------------------------------


def _port_steps(desired: Desired, applied: Applied) -> Iterator[Step]:
    for ref, goal in sorted(desired.ports.items()):
        known = applied.ports[ref].config if ref in applied.ports else None
        if known == goal.config:
            continue
        # A port whose state is not known may carry anything, so it is parked before it joins.
        if goal.config.parked or known is None:
            why = "" if known is not None else " (its state is not known)"
            yield _step(
                Phase.LEAVE,
                ref.switch,
                SetPort(ref.port, PARKED),
                f"park {ref.port} ({goal.behind}){why}",
            )
        if not goal.config.parked:
            yield _step(
                Phase.JOIN,
                ref.switch,
                SetPort(ref.port, goal.config),
                f"set {ref.port} ({goal.behind}) to {goal.config.describe()}",
            )


# --- headnodes ------------------------------------------------------------------------------------


def _headnode_steps(desired: Desired, applied: Applied) -> Iterator[Step]:
    for name, goal in sorted(desired.headnodes.items()):
        ever_made = name in applied.headnodes
        seen = applied.headnodes.get(name)
        if not goal.present:
            if ever_made:
                yield _step(
                    Phase.REMOVE_HEADNODES,
                    LIBVIRT,
                    DeleteHeadnode(name, goal.uuid),
                    f"delete headnode {name} and its disk",
                )
            continue
        yield from _present_headnode(name, goal, seen, unknown=ever_made and seen is None)


def _present_headnode(
    name: str, goal: HeadnodeGoal, seen: HeadnodeSeen | None, *, unknown: bool = False
) -> Iterator[Step]:
    """Return the steps for a headnode. One whose state is ``unknown`` may even be running."""
    nics = tuple(sorted(goal.nics))
    made = seen is not None and seen.defined
    running = seen is not None and seen.running
    if not made:
        yield _step(
            Phase.HEADNODES,
            LIBVIRT,
            DefineHeadnode(name, goal.uuid, goal.image, nics),
            f"make headnode {name} from {goal.image}{_on(goal)}",
        )
    elif seen is not None and tuple(sorted(seen.nics)) != nics:
        yield _step(
            Phase.HEADNODES,
            LIBVIRT,
            SetHeadnodeNics(name, goal.uuid, nics),
            f"connect headnode {name}{_on(goal) or ' to nothing'}",
        )
    if running != goal.running or unknown:
        verb = "start" if goal.running else "stop"
        yield _step(
            Phase.HEADNODES,
            LIBVIRT,
            SetHeadnodePower(name, goal.uuid, goal.running),
            f"{verb} headnode {name}",
        )


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
                places.setdefault(nic.vlan, set()).add(MASTER)
    for vlan, devices in applied.elsewhere.items():
        if devices:
            places.setdefault(vlan, set()).update(devices)
    return places


def _vlan_steps(desired: Desired, applied: Applied) -> Iterator[Step]:
    places = _places(desired, applied)
    for switch, traits in sorted(applied.switches.items()):
        if not traits.declares_vlans:
            continue
        present = applied.vlans.get(switch, {})
        for vlan, name in sorted(desired.networks.items()):
            if _needed(switch, traits.trunks, places.get(vlan, set())):
                if not present.get(vlan, False):
                    yield _step(
                        Phase.VLANS, switch, SetVlan(vlan, True), f"make VLAN {vlan} ({name})"
                    )
            elif vlan in present:
                yield _step(
                    Phase.REMOVE, switch, SetVlan(vlan, False), f"remove VLAN {vlan} ({name})"
                )


def _needed(switch: str, trunks: int, places: set[str]) -> bool:
    """Return whether a VLAN used in ``places`` has to exist on ``switch``.

    It has to if a port of the switch carries it, or if it may have to pass through the switch: that
    takes two places and two trunk ports. The inventory does not say where a trunk leads, so every
    switch with two trunks counts as on the path.
    """
    return switch in places or (len(places) > 1 and trunks > 1)


def _bridge_steps(desired: Desired, applied: Applied) -> Iterator[Step]:
    places = _places(desired, applied)
    for vlan, name in sorted(desired.networks.items()):
        if MASTER in places.get(vlan, set()):
            if not applied.bridges.get(vlan, False):
                yield _step(
                    Phase.BRIDGES,
                    MASTER,
                    SetBridge(vlan, True),
                    f"make bridge br-vlan{vlan} ({name})",
                )
        elif vlan in applied.bridges:
            yield _step(
                Phase.REMOVE,
                MASTER,
                SetBridge(vlan, False),
                f"remove bridge br-vlan{vlan} ({name})",
            )


def _save_steps(steps: list[Step], applied: Applied) -> list[Step]:
    """Return one save for each switch that is changed, or that has unsaved changes."""
    touched = {step.device for step in steps} | applied.unsaved
    return [
        _step(Phase.SAVE, switch, SaveConfig(), f"save {switch}'s configuration")
        for switch, traits in sorted(applied.switches.items())
        if traits.saves and switch in touched
    ]


# --- drift ----------------------------------------------------------------------------------------


def drift(applied: Applied, observed: Observed) -> list[Difference]:
    """Return the differences between what was applied and what was observed.

    Devices that were not read, ports that HaaS never set, and ports whose applied state is not
    known have no drift; the next plan parks the latter. An unconfirmed VLAN or bridge may exist or
    not, so it counts neither as lost nor as left over.
    """
    found: list[Difference] = []
    for ref, port in sorted(applied.ports.items()):
        if ref.switch in observed.devices and port.config is not None:
            now = observed.ports.get(ref)
            if now != port.config:
                found.append(Difference(ref.switch, "port", ref.port, port.config, now))
    for switch, there in sorted(observed.vlans.items()):
        found += _presences(switch, "vlan", "", applied.vlans.get(switch, {}), there)
    if MASTER in observed.devices:
        found += _presences(MASTER, "bridge", "br-vlan", applied.bridges, observed.bridges)
    if LIBVIRT in observed.devices:
        for name, was in sorted(applied.headnodes.items()):
            is_now = observed.headnodes.get(name)
            if was is not None and is_now is not None and is_now != was:
                found.append(Difference(LIBVIRT, "headnode", name, was, is_now))
    return found


def _presences(
    device: str, kind: str, prefix: str, known: Mapping[int, bool], there: frozenset[int]
) -> Iterator[Difference]:
    """Return the VLANs or bridges on a device that are left over, then those that are lost."""
    for vlan in sorted(there - known.keys()):
        yield Difference(device, kind, f"{prefix}{vlan}", applied=False, observed=True)
    for vlan, confirmed in sorted(known.items()):
        if confirmed and vlan not in there:
            yield Difference(device, kind, f"{prefix}{vlan}", applied=True, observed=False)


def repair(
    differences: Iterable[Difference], goals: Mapping[str, HeadnodeGoal], applied: Applied
) -> list[Step]:
    """Return the steps that restore what was applied. Nothing that is only desired is applied.

    A port that is open is shut before its configuration is restored. ``goals`` gives the UUID and
    the image of each headnode; one that is missing was deleted, and stays so.
    """
    steps: list[Step] = []
    for difference in differences:
        steps += _repair_steps(difference, goals)
    steps += _save_steps(steps, msgspec.structs.replace(applied, unsaved=frozenset()))
    return sorted(steps, key=lambda step: step.phase)


def _repair_steps(difference: Difference, goals: Mapping[str, HeadnodeGoal]) -> Iterator[Step]:
    device, target = difference.device, difference.target
    match difference.applied:
        case PortConfig() as config:
            now = difference.observed
            if now is None:
                return  # the switch does not have the port
            if now != PARKED:
                was = now.describe() if isinstance(now, PortConfig) else "not known"
                yield _step(
                    Phase.LEAVE, device, SetPort(target, PARKED), f"close {target}, which is {was}"
                )
            if not config.parked:
                yield _step(
                    Phase.JOIN,
                    device,
                    SetPort(target, config),
                    f"set {target} back to {config.describe()}",
                )
        case bool() as present if difference.kind == "vlan":
            phase = Phase.VLANS if present else Phase.REMOVE
            verb = "make" if present else "remove"
            yield _step(phase, device, SetVlan(int(target), present), f"{verb} VLAN {target} again")
        case bool() as present:
            vlan = int(target.removeprefix("br-vlan"))
            phase = Phase.BRIDGES if present else Phase.REMOVE
            verb = "make" if present else "remove"
            yield _step(phase, device, SetBridge(vlan, present), f"{verb} bridge {target} again")
        case HeadnodeSeen() as seen if target in goals:
            goal = msgspec.structs.replace(
                goals[target], present=True, running=seen.running, nics=seen.nics
            )
            now = difference.observed
            if seen.defined:
                yield from _present_headnode(
                    target, goal, now if isinstance(now, HeadnodeSeen) else None
                )


# --- names of changes, and whether a device has them ----------------------------------------------


def _step(phase: Phase, device: str, change: Change, summary: str) -> Step:
    kind, target = describe(change)
    return Step(
        phase=phase, device=device, kind=kind, target=target, summary=summary, change=change
    )


def describe(change: Change) -> tuple[str, str]:
    """Return the kind of a change, as the API names it, and its target."""
    match change:
        case SetPort(port=port, config=config):
            return ("port.park" if config.parked else "port.set"), port
        case SetVlan(vlan=vlan, present=present):
            return ("vlan.create" if present else "vlan.delete"), str(vlan)
        case SetBridge(vlan=vlan, present=present):
            return ("bridge.create" if present else "bridge.delete"), f"br-vlan{vlan}"
        case DefineHeadnode(headnode=headnode):
            return "headnode.define", headnode
        case SetHeadnodeNics(headnode=headnode):
            return "headnode.connect", headnode
        case SetHeadnodePower(headnode=headnode, running=running):
            return ("headnode.start" if running else "headnode.stop"), headnode
        case DeleteHeadnode(headnode=headnode):
            return "headnode.delete", headnode
        case SaveConfig():
            return "config.save", ""


def shortfall(change: Change, seen: Seen) -> str | None:
    """Return what a device lacks of a change, given what was read back; None if nothing.

    Raises TypeError if a driver answered about something else.
    """
    match change, seen:
        case SetPort(port=port, config=wanted), PortSeen(config=found):
            if found != wanted:
                return f"{port} reads back as {found.describe()} instead of {wanted.describe()}"
        case ((SetVlan(present=wanted) | SetBridge(present=wanted)), PresenceSeen(present=found)):
            if found != wanted:
                what = describe(change)[1]
                return f"{what} is {'still there' if found else 'not there'} when read back"
        case SaveConfig(), PresenceSeen(present=saved):
            return None if saved else "the switch did not confirm that it saved its configuration"
        case DefineHeadnode(headnode=name, nics=nics), HeadnodeSeen():
            if not seen.defined:
                return f"headnode {name} is not there when read back"
            if seen.nics != tuple(sorted(nics)):
                return f"headnode {name} has other nics than wanted when read back"
        case SetHeadnodeNics(headnode=name, nics=nics), HeadnodeSeen():
            if seen.nics != tuple(sorted(nics)):
                return f"headnode {name} has other nics than wanted when read back"
        case SetHeadnodePower(headnode=name, running=running), HeadnodeSeen():
            if seen.running != running:
                return f"headnode {name} is {'running' if seen.running else 'not running'} still"
        case DeleteHeadnode(headnode=name), HeadnodeSeen():
            if seen.defined:
                return f"headnode {name} is still there when read back"
        case _:
            raise TypeError(f"{type(seen).__name__} does not answer {type(change).__name__}")
    return None
