"""From what was applied to what was observed: the differences, and the steps that undo them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from haas_rpcd.devicenames import MASTER, libvirt_device
from haas_rpcd.model import (
    PARKED,
    BridgeSeen,
    HeadnodeSeen,
    Phase,
    PortConfig,
    PortRef,
    PortSeen,
    SetBridge,
    SetPort,
    SetVlan,
    Step,
)
from haas_rpcd.planner.plans import members_of, present_headnode_steps, save_steps
from haas_rpcd.planner.steps import step
from haas_rpcd.states import Applied, Difference, HeadnodeGoal, Observed


def drift(applied: Applied, observed: Observed) -> list[Difference]:
    """Return the differences between what was applied and what was observed.

    Devices that were not read and ports that HaaS never set have no drift. Nor have ports whose
    applied state is not known, as the next plan parks them, unless what they carry now is not
    understood. An unconfirmed VLAN or bridge may exist or
    not, so it counts neither as lost nor as left over.
    """
    found: list[Difference] = []
    for ref, port in sorted(applied.ports.items()):
        now = observed.ports.get(ref)
        if ref.switch not in observed.devices:
            continue
        if port.config is None:
            if now is not None and now.not_understood is not None:
                found.append(Difference(ref.switch, "port", ref.port, None, now, port.channel))
        elif now is None or now.believed != port.config:
            found.append(Difference(ref.switch, "port", ref.port, port.config, now, port.channel))
    for switch, there in sorted(observed.vlans.items()):
        found += _vlans(switch, applied.vlans.get(switch, {}), there)
    for hypervisor, seen in sorted(observed.bridges.items()):
        found += _bridges(hypervisor, applied.bridges.get(hypervisor, {}), seen)
    for name, was in sorted(applied.headnodes.items()):
        device = libvirt_device(applied.placed.get(name, MASTER))
        is_now = observed.headnodes.get(name)
        if device not in observed.devices or was is None or is_now is None:
            continue
        if not _same(was, is_now):
            found.append(Difference(device, "headnode", name, was, is_now))
    return found


def _same(was: HeadnodeSeen, is_now: HeadnodeSeen) -> bool:
    """Return whether a headnode is as it was applied. One that is off may have crashed before."""
    if not was.running and is_now.off:
        is_now = msgspec.structs.replace(is_now, condition=was.condition)
    return is_now == was


def lost(differences: Iterable[Difference], *, with_headnodes: bool) -> list[Difference]:
    """Return the differences that the daemon undoes by itself: what a reboot takes away.

    These are bridges that are gone or not as they were made and, ``with_headnodes``, headnodes that
    ran and are otherwise as they were applied, or that somebody else started since. One that
    somebody changed is left to its owner.
    """
    return [one for one in differences if _is_lost(one, with_headnodes=with_headnodes)]


def _is_lost(difference: Difference, *, with_headnodes: bool) -> bool:
    match difference.applied, difference.observed:
        case True, _:
            return difference.kind == "bridge"
        case HeadnodeSeen() as was, HeadnodeSeen() as now:
            if not (with_headnodes and was.running and now.defined) or now.added:
                return False
            if now.running:
                return _off_network(was, now)
            return now.condition != "paused" and now.nics == was.nics
    return False


def _off_network(was: HeadnodeSeen, now: HeadnodeSeen) -> bool:
    """Return whether a headnode only lacks its networks, as one that the daemon did not start."""
    macs = {nic.mac for nic in was.nics}
    lacking = [nic for nic in now.nics if nic.vlan == 0 and nic.mac in macs]
    return bool(lacking) and set(now.nics) - set(lacking) == set(was.nics)


def _vlans(device: str, known: Mapping[int, bool], there: frozenset[int]) -> Iterator[Difference]:
    """Return the VLANs on a switch that are left over, then those that are lost."""
    for vlan in sorted(there - known.keys()):
        yield Difference(device, "vlan", str(vlan), applied=False, observed=True)
    for vlan, confirmed in sorted(known.items()):
        if confirmed and vlan not in there:
            yield Difference(device, "vlan", str(vlan), applied=True, observed=False)


def _bridges(
    device: str, known: Mapping[int, bool], seen: Mapping[int, BridgeSeen]
) -> Iterator[Difference]:
    """Return the bridges that are left over, then those that are lost or not as they were made."""
    for vlan, one in sorted(seen.items()):
        if vlan not in known and one.present:
            yield Difference(device, "bridge", f"br-vlan{vlan}", applied=False, observed=True)
    for vlan, confirmed in sorted(known.items()):
        is_now = seen.get(vlan, BridgeSeen(present=False))
        if confirmed and not is_now.sound:
            yield Difference(device, "bridge", f"br-vlan{vlan}", applied=True, observed=is_now)


def repair(
    differences: Iterable[Difference], goals: Mapping[str, HeadnodeGoal], applied: Applied
) -> list[Step]:
    """Return the steps that restore what was applied. Nothing that is only desired is applied.

    A port that is open is shut before its configuration is restored, but a channel is set as it is:
    what it carries is its members' affair. ``goals`` gives the UUID and the image of each headnode;
    one that is missing was deleted, and stays so.
    """
    steps: list[Step] = []
    differences = list(differences)
    members = members_of(
        (PortRef(one.device, one.target), one.channel) for one in differences if one.kind == "port"
    )
    for difference in differences:
        ref = PortRef(difference.device, difference.target)
        steps += _repair_steps(difference, goals, members.get(ref, ()))
    steps += save_steps(steps, msgspec.structs.replace(applied, unsaved=frozenset()))
    return sorted(steps, key=lambda each: each.phase)


def _repair_steps(
    difference: Difference, goals: Mapping[str, HeadnodeGoal], members: tuple[str, ...]
) -> Iterator[Step]:
    """Return the steps for one difference. ``members``: those of a channel that differ as well."""
    device, target = difference.device, difference.target
    match difference.applied:
        case PortConfig() | None:
            config = difference.applied or PARKED
            now = difference.observed
            if now is None:
                return  # the switch does not have the port
            wanted = SetPort(target, config, difference.channel)
            if wanted.is_channel:
                members = () if config.parked else members
                wanted = msgspec.structs.replace(wanted, members=members)
                yield step(
                    Phase.VLANS,
                    device,
                    wanted,
                    f"remove {target} again"
                    if config.parked
                    else f"set {target} back to {config.describe()}",
                )
                return
            if isinstance(now, PortSeen) and now.believed != PARKED:
                yield step(
                    Phase.LEAVE,
                    device,
                    SetPort(target, PARKED, difference.channel),
                    f"close {target}, which is {now.describe()}",
                )
            if not config.parked:
                yield step(
                    Phase.JOIN,
                    device,
                    wanted,
                    f"set {target} back to {config.describe()}",
                )
        case bool() as present if difference.kind == "vlan":
            phase = Phase.VLANS if present else Phase.REMOVE
            verb = "make" if present else "remove"
            yield step(phase, device, SetVlan(int(target), present), f"{verb} VLAN {target} again")
        case bool() as present:
            vlan = int(target.removeprefix("br-vlan"))
            phase = Phase.BRIDGES if present else Phase.REMOVE
            summary = f"{'make' if present else 'remove'} bridge {target} again"
            now = difference.observed
            if isinstance(now, BridgeSeen) and now.present:
                summary = f"put bridge {target} right: {now.describe()}"
            yield step(phase, device, SetBridge(vlan, present), summary)
        case HeadnodeSeen() as seen if target in goals:
            goal = msgspec.structs.replace(goals[target], running=seen.running, nics=seen.nics)
            now = difference.observed
            if seen.defined:
                yield from present_headnode_steps(
                    target, goal, now if isinstance(now, HeadnodeSeen) else None
                )
