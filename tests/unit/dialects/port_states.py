"""Puts ports of simulated switches into random states, as somebody may have left them."""

from __future__ import annotations

import random
from typing import Any

from haas_rpcd.sim import junos, nvue, sonic
from haas_rpcd.sim.cli import ALL_VLANS
from haas_rpcd.sim.ioslike.ports import RoutedPort
from haas_rpcd.sim.os10.state import Port as Os10Port
from tests.unit.dialects.harness import FOREIGN, LIVE, POOL

Dice = random.Random


def some(dice: Dice, vlans: tuple[int, ...] = LIVE) -> frozenset[int]:
    return frozenset(dice.sample(vlans, dice.randint(0, len(vlans))))


def randomize_ios(dice: Dice, switch: Any, name: str) -> None:
    port = switch.running.ports[name]
    port.mode = dice.choice(["access", "trunk", "dynamic auto", "dynamic desirable"])
    port.nonegotiate = port.mode in ("access", "trunk") and dice.random() < 0.5
    port.access_vlan, port.native_vlan = dice.choice(LIVE), dice.choice(LIVE)
    port.allowed = dice.choice([frozenset(), ALL_VLANS, some(dice)])
    port.shutdown = dice.random() < 0.3
    port.voice_vlan = dice.choice([None, dice.choice(LIVE)])


def randomize_routing(dice: Dice, switch: Any, name: str) -> None:
    """Put a port into a random state, on a switch whose ports may route."""
    switch.running.ports[name] = RoutedPort(
        mode=dice.choice(["access", "trunk"]),
        access_vlan=dice.choice(LIVE),
        native_vlan=dice.choice(LIVE),
        allowed=dice.choice([frozenset(), ALL_VLANS, some(dice)]),
        shutdown=dice.random() < 0.3,
        switched=dice.random() < 0.8,
        voice_vlan=dice.choice([None, *LIVE]),
    )


def randomize_os10(dice: Dice, switch: Any, name: str) -> None:
    shut, trunk = dice.random() < 0.3, dice.random() < 0.5
    if dice.random() < 0.2:
        switch.running.ports[name] = Os10Port(switched=False, access_vlan=None, shutdown=shut)
        return
    access = dice.choice([*LIVE, None] if trunk else LIVE)
    tagged = some(dice) - {access} if trunk else frozenset[int]()
    mode = "trunk" if trunk else "access"
    switch.running.ports[name] = Os10Port("", True, mode, access, tagged, shut)


def randomize_dell(dice: Dice, switch: Any, name: str) -> None:
    port = switch.running.ports[name]
    nowhere = [None] if switch.dialect == "dell_powerconnect" else []
    port.mode = dice.choice(["access", "trunk", "general"])
    port.access_vlan = dice.choice([*LIVE, *nowhere])
    port.native_vlan = dice.choice([*LIVE, *nowhere])
    port.allowed = dice.choice([frozenset(), type(port)().allowed, some(dice)])
    port.general, port.pvid = some(dice), dice.choice(LIVE)
    port.untagged = port.general & {1, FOREIGN, port.pvid}
    if switch.dialect == "dell_os6":
        port.voice_vlan = dice.choice([None, *LIVE])
    else:
        switch.running.voice_vlan, port.voice = POOL[0], dice.random() < 0.5
    port.shutdown = dice.random() < 0.3


def off_all(switch: Any, name: str) -> None:
    """Remove a port from every VLAN that lists it."""
    for vlan in switch.running.vlans.values():
        vlan.tagged, vlan.untagged = vlan.tagged - {name}, vlan.untagged - {name}


def randomize_os9(dice: Dice, switch: Any, name: str) -> None:
    port, there = switch.running.ports[name], switch.running.vlans
    off_all(switch, name)
    port.shutdown, port.switched = dice.random() < 0.3, dice.random() < 0.8
    port.hybrid = dice.random() < 0.5
    if not port.switched:
        return
    on = dice.sample([FOREIGN, *POOL], dice.choice([0, 1, 1, 2, 3]))
    how = dice.choice(["tagged", "untagged", "both" if port.hybrid else "tagged"])
    if how != "tagged" and on:
        there[on.pop()].untagged |= {name}
    for vlan in on if how != "untagged" else ():
        there[vlan].tagged |= {name}


def randomize_fastiron(dice: Dice, switch: Any, name: str) -> None:
    config = switch.running
    port, home = config.ports[name], config.vlans[1]
    off_all(switch, name)
    home.taken_off -= {name}
    port.disabled, port.dual = dice.random() < 0.3, None
    on = dice.sample([FOREIGN, *POOL], dice.choice([0, 1, 1, 2, 3]))
    if on and dice.random() < 0.4:
        config.vlans[on.pop()].untagged |= {name}
        on = on if config.implicit else []
    for vlan in on:
        config.vlans[vlan].tagged |= {name}
    port.voice = dice.choice([None, *on])
    if on and not config.implicit:
        port.dual = dice.choice([None, 1, on[0]])
    elif on and dice.random() < 0.5:
        home.taken_off |= {name}


def randomize_procurve(dice: Dice, switch: Any, name: str) -> None:
    there = switch.running.vlans
    off_all(switch, name)
    switch.running.ports[name].shutdown = dice.random() < 0.3
    on = dice.sample(LIVE, dice.choice([1, 1, 2, 3, 4]))
    if dice.random() < 0.6:
        there[on.pop()].untagged |= {name}
    for vlan in on:
        there[vlan].tagged |= {name}


def randomize_comware(dice: Dice, switch: Any, name: str) -> None:
    port = switch.running.ports[name]
    port.become(dice.choice(["access", "trunk", "hybrid"]))
    port.shutdown = dice.random() < 0.3
    port.voice_vlan = dice.choice(LIVE) if dice.random() < 0.2 else None
    on = some(dice)
    if port.link_type == "access":
        port.access_vlan = dice.choice(LIVE)
        return
    port.pvid = dice.choice(LIVE)
    if port.link_type == "trunk":
        port.permitted = dice.choice([on, on, ALL_VLANS])
    else:
        port.untagged = frozenset(vlan for vlan in on if dice.random() < 0.5)
        port.tagged = on - port.untagged


def randomize_junos(dice: Dice, switch: Any, name: str) -> None:
    randomize_junos_without_voice(dice, switch, name)
    if name in switch.running.ports:
        switch.running.ports[name].voice = dice.choice([None, "office", "haas-101", "102"])


def randomize_junos_without_voice(dice: Dice, switch: Any, name: str) -> None:
    port = junos.state.Port(
        disabled=dice.random() < 0.3,
        unit_disabled=dice.random() < 0.2,
        native=dice.choice([None, FOREIGN, *POOL]),
        switching=dice.random() < 0.8,
    )
    if port.switching:
        port.mode = dice.choice(["", "access", "trunk"])
        if port.mode == "trunk":
            on = tuple(map(str, some(dice, (FOREIGN, *POOL))))
            port.members = dice.choice([("all",), ("office", "100-102"), on])
        else:
            port.members = dice.choice([(), ("7",), ("office",), ("haas-101",), ("102",)])
    switch.running.ports[name] = port
    if dice.random() < 0.1:
        del switch.running.ports[name]


def randomize_nvue(dice: Dice, switch: Any, name: str) -> None:
    switch.running.ports[name] = nvue.state.Port(
        configured=dice.random() < 0.9,
        state=dice.choice([None, "up", "up", "down"]),
        on_bridge=dice.random() < 0.8,
        access=dice.choice([None, FOREIGN, 101]),
        untagged=dice.choice([None, "none", 102]),
        vlans=dice.choice([None, some(dice, (FOREIGN, *POOL))]),
    )


def randomize_sonic(dice: Dice, switch: Any, name: str) -> None:
    up, mode = dice.random() < 0.7, dice.choice([None, "trunk"])
    switch.running.ports[name] = sonic.state.Port(up=up, mode=mode)
    members = switch.running.members
    for place in [place for place in members if place[1] == name]:
        del members[place]
    members.update({(vlan, name): True for vlan in some(dice, (FOREIGN, *POOL))})
    own = dice.choice([None, FOREIGN, *POOL])
    if own is not None:
        members[own, name] = False
