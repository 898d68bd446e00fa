"""The commands that put ports on VLANs, and the argument that lists ports."""

from __future__ import annotations

import re
from collections.abc import Sequence

from haas_rpcd.sim import cli
from haas_rpcd.sim.cli import Args, CliSwitch, Line, Lines, RejectedError, Session
from haas_rpcd.sim.cli.portname import PortNames
from haas_rpcd.sim.fastiron.state import DEFAULT_VLAN, Config, Vlan, listed
from haas_rpcd.sim.ioslike.byvlan import full_names

Switch = CliSwitch[Config]


class PortList:
    """A list of ports: ``ethernet 1/1/1 to 1/1/4 ethe 1/1/7``."""

    help = "ethernet stack-unit/slotnum/portnum"

    def take(self, line: Line, index: int, names: PortNames) -> tuple[object, int]:
        """Read the rest of the line."""
        start = line.column(index)
        text = line.text[start:].strip()
        ports: dict[str, None] = {}
        if not re.fullmatch(r"(?:e[a-z]* ?[\d/]+(?: to [\d/]+)?\s*)+", text):
            raise cli.InvalidError(start, index)
        for match in re.finditer(r"e[a-z]* ?([\d/]+)(?: to ([\d/]+))?", text):
            slot, _, first = match[1].rpartition("/")
            other, _, last = (match[2] or match[1]).rpartition("/")
            if other != slot or int(last) < int(first):
                raise cli.InvalidError(start + match.start(1), index)
            spelled = [f"ethernet {slot}/{at}" for at in range(int(first), int(last) + 1)]
            try:
                ports.update(full_names(names, spelled))
            except ValueError:
                raise cli.InvalidError(start + match.start(1), index) from None
        return tuple(ports), len(line.words)


def members(switch: Switch, session: Session, args: Args) -> Lines:
    """``[no] tagged|untagged …``, for all of the ports or for none."""
    how, number, ports = args.word("how"), session.editing, args.ports("list")
    vlan = switch.running.vlans.setdefault(number, Vlan())
    if args.no:
        _check_leaving(switch, vlan, number, how, ports)
        for name in ports:
            _leave(switch.running, vlan, number, how, name)
    else:
        if set(ports) <= vlan.members(how):
            return [f"Port(s) {listed(ports)} are already a member of VLAN {number}"]
        _check_joining(switch, vlan, number, how, ports)
        vlan.add(how, *ports)
    switch.touch(*ports)
    done, way = ("Removed", "from") if args.no else ("Added", "to")
    return [f"{done} {how} port(s) {listed(ports)} {way} port-vlan {number}."]


def _check_leaving(switch: Switch, vlan: Vlan, number: int, how: str, ports: Sequence[str]) -> None:
    config = switch.running
    for name in ports:
        there = name in vlan.members(how)
        if number == DEFAULT_VLAN and how == "untagged" and config.implicit:
            there = config.untagged_on(name) == DEFAULT_VLAN and bool(config.tagged_on(name))
        if not there:
            raise RejectedError(
                f"Error: ports {listed([name])} are not {how} members of vlan {number}"
            )
        if how == "tagged" and config.ports[name].dual == number:
            raise RejectedError(
                f"Please disable dual mode for port {listed([name])} before removing the ports"
                " from the VLAN."
            )


def _leave(config: Config, vlan: Vlan, number: int, how: str, name: str) -> None:
    if how == "tagged":
        vlan.tagged -= {name}
        config.came_home(name)
        if not config.tagged_on(name):
            config.ports[name].dual = None
    elif number == DEFAULT_VLAN:
        vlan.taken_off |= {name}
    else:
        vlan.untagged -= {name}


def _check_joining(switch: Switch, vlan: Vlan, number: int, how: str, ports: Sequence[str]) -> None:
    config = switch.running
    away: list[str] = []
    for name in ports:
        own, tagged = config.untagged_on(name), config.tagged_on(name)
        home = own == DEFAULT_VLAN
        if not config.implicit:
            home = home and not (tagged and how == "untagged")
            home = home or (how == "tagged" and bool(tagged))
        elif how == "tagged":
            home = name not in vlan.untagged
        else:
            home = home and number not in tagged
        away += [] if home or number == DEFAULT_VLAN else [name]
    if away:
        raise RejectedError(f"error - port {listed(away)} are not member of default vlan")
