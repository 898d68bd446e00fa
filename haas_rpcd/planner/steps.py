"""Steps: the names of changes in the API, and what a device lacks of a change."""

from __future__ import annotations

from haas_rpcd.model import (
    BridgeSeen,
    Change,
    CopyHeadnode,
    DefineHeadnode,
    DeleteHeadnode,
    HeadnodeSeen,
    Phase,
    PortSeen,
    PowerSeen,
    PrepareCopy,
    PresenceSeen,
    SaveConfig,
    Seen,
    SetBridge,
    SetHeadnodeNics,
    SetHeadnodePower,
    SetNodePower,
    SetPort,
    SetVlan,
    Step,
)


def step(phase: Phase, device: str, change: Change, summary: str) -> Step:
    """Make a step of a change; its kind and its target follow from the change."""
    kind, target = describe(change)
    return Step(
        phase=phase, device=device, kind=kind, target=target, summary=summary, change=change
    )


def describe(change: Change) -> tuple[str, str]:
    """Return the kind of a change, as the API names it, and its target."""
    match change:
        case SetPort(port=port, config=config) if change.is_channel:
            return ("channel.delete" if config.parked else "channel.set"), port
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
        case PrepareCopy(headnode=headnode):
            return "headnode.prepare", headnode
        case CopyHeadnode(headnode=headnode):
            return "headnode.copy", headnode
        case SaveConfig():
            return "config.save", ""
        case SetNodePower(node=node):
            return "node.power", node


def shortfall(change: Change, seen: Seen) -> str | None:
    """Return what a device lacks of a change, given what was read back; None if nothing.

    Raises TypeError if a driver answered about something else.
    """
    match change, seen:
        case SetPort(port=port, config=wanted), PortSeen():
            if seen.not_understood is not None:
                return (
                    f'the configuration of {port} has the line "{seen.not_understood}", which HaaS'
                    " does not understand: remove it on the switch or, if it changes nothing of"
                    " what the port carries, add it to the switch's option ignore"
                )
            if seen.believed != wanted:
                return f"{port} reads back as {seen.describe()} instead of {wanted.describe()}"
        case (
            SetVlan(present=wanted),
            PresenceSeen(present=found),
        ) | (SetBridge(present=wanted), BridgeSeen(present=found)):
            what = describe(change)[1]
            if found != wanted:
                return f"{what} is {'still there' if found else 'not there'} when read back"
            if wanted and isinstance(seen, BridgeSeen) and not seen.sound:
                return f"{what} is not as it was set when read back: {seen.describe()}"
        case SaveConfig(), PresenceSeen(present=saved):
            return None if saved else "the switch did not confirm that it saved its configuration"
        case (
            DefineHeadnode(headnode=name, nics=nics) | SetHeadnodeNics(headnode=name, nics=nics),
            HeadnodeSeen(),
        ):
            if isinstance(change, DefineHeadnode) and not seen.defined:
                return f"headnode {name} is not there when read back"
            if seen.nics != tuple(sorted(nics)):
                return f"headnode {name} has other nics than wanted when read back"
            if seen.added:
                what = " and ".join(seen.added)
                return f"headnode {name} still has {what}, until it is stopped and started"
        case SetHeadnodePower(headnode=name, running=running), HeadnodeSeen():
            if seen.running != running or not (running or seen.off):
                now = seen.condition or ("running" if seen.running else "not running")
                return f"headnode {name} is {now} still"
        case DeleteHeadnode(headnode=name), HeadnodeSeen():
            if seen.defined:
                return f"headnode {name} is still there when read back"
        case PrepareCopy(headnode=name), PresenceSeen(present=possible):
            return None if possible else f"headnode {name} can't be copied"
        case CopyHeadnode(headnode=name), HeadnodeSeen():
            if not seen.defined:
                return f"headnode {name} is not there, or not whole, when read back"
        case SetNodePower(node=node, power=wanted_power), PowerSeen(power=power):
            if power != wanted_power:
                return f"node {node} is not {wanted_power} when read back"
        case _:
            raise TypeError(f"{type(seen).__name__} does not answer {type(change).__name__}")
    return None
