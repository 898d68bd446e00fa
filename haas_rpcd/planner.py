"""``plan()``: from what is wanted and what was confirmed to the steps between them. Pure.

``drift()``: from what was confirmed and what is there to the differences; ``repair()`` to steps.

No I/O, no clock, no database: the same two values always give the same plan, so a digest of the
steps is enough to know whether a plan that a user saw still holds. Steps are absolute, so planning
again after any interruption is the whole of recovery.

What makes the order safe (design.md, section 5): a port whose state is not known is parked before
it joins; ports leave before anything joins; a VLAN is made before it is carried, and removed only
when nothing that the planner knows of carries it.
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
    """Give the steps that make the scope's devices what ``desired`` says, in the order of phases.

    After the steps have been confirmed, planning again is empty.
    """
    steps = [
        *_port_steps(desired, applied),
        *_headnode_steps(desired, applied),
        *_vlan_steps(desired, applied),
        *_bridge_steps(desired, applied),
    ]
    steps += _save_steps(steps, applied)
    steps.sort(key=lambda step: step.phase)  # stable: within a phase, as emitted
    return Plan(steps=tuple(steps), digest=digest(steps))


def digest(steps: Iterable[Step]) -> str:
    """Name exactly these steps: 16 hexadecimal digits of a SHA-256 over their canonical JSON."""
    encoded = msgspec.json.encode([(step.device, step.change) for step in steps])
    return hashlib.sha256(encoded).hexdigest()[:16]


# --- ports ----------------------------------------------------------------------------------------


def _port_steps(desired: Desired, applied: Applied) -> Iterator[Step]:
    for ref, goal in sorted(desired.ports.items()):
        known = applied.ports[ref].config if ref in applied.ports else None
        if known == goal.config:
            continue
        # A port whose state is not known may carry anything: it is parked before it joins.
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
    """Give the steps for a headnode; one whose state is ``unknown`` may even be running."""
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
    """For each VLAN that is used: the devices on which something of this scope or another uses it.

    What the scope has applied but no longer wants does not count: it is gone by the time that
    unused VLANs are removed.
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
    """Whether a VLAN used in ``places`` has to exist on ``switch``.

    It has to where a port of the switch carries it, and where it may have to pass through: between
    two places, by a switch that has two trunk ports or more. The inventory does not say which
    trunk leads where, and need not: a switch with one trunk port is never on the way.
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
    """One save at the end for each switch that is changed, or that holds what was never saved."""
    touched = {step.device for step in steps} | applied.unsaved
    return [
        _step(Phase.SAVE, switch, SaveConfig(), f"save {switch}'s configuration")
        for switch, traits in sorted(applied.switches.items())
        if traits.saves and switch in touched
    ]


# --- drift ----------------------------------------------------------------------------------------


def drift(applied: Applied, observed: Observed) -> list[Difference]:
    """Give what differs between what was confirmed and what the devices say now.

    Only of devices that were read, and only of what is known: a port whose applied state is not
    known is the next plan's matter. ``applied.vlans`` and ``applied.bridges`` that are not
    confirmed are not missed, but not taken for left over either.
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
    """Give what is left over, and what is lost, of the VLANs or bridges on a device."""
    for vlan in sorted(there - known.keys()):
        yield Difference(device, kind, f"{prefix}{vlan}", applied=False, observed=True)
    for vlan, confirmed in sorted(known.items()):
        if confirmed and vlan not in there:
            yield Difference(device, kind, f"{prefix}{vlan}", applied=True, observed=False)


def repair(
    differences: Iterable[Difference], goals: Mapping[str, HeadnodeGoal], applied: Applied
) -> list[Step]:
    """Give the steps that make what drifted what it was when it was applied, and nothing else.

    A port that is open is closed before it gets back what it had. ``goals`` has the headnodes'
    identities and images.
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
                return  # the port is not there: nothing can be sent to it
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


# --- what a change is called, and whether a device has it -----------------------------------------


def _step(phase: Phase, device: str, change: Change, summary: str) -> Step:
    kind, target = describe(change)
    return Step(
        phase=phase, device=device, kind=kind, target=target, summary=summary, change=change
    )


def describe(change: Change) -> tuple[str, str]:
    """Give the kind (a word of the API) and the target of a change."""
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
    """Say what a device lacks of ``change``, by what was read back; None when nothing."""
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
        case _:  # a driver that answers about something else is a bug in the driver
            raise TypeError(f"{type(seen).__name__} does not answer {type(change).__name__}")
    return None
