"""The commands of IOS, mode by mode, from the modules beside this one."""

from __future__ import annotations

from collections.abc import Mapping

from haas_rpcd.sim.cli.arguments import ARGUMENTS, Argument, Number, Text
from haas_rpcd.sim.cli.switch import Commands
from haas_rpcd.sim.cli.texts import Mode
from haas_rpcd.sim.ios import configure, execute, interface, modes
from haas_rpcd.sim.ioslike.execute import LEAVING

IOS_ARGUMENTS: dict[str, Argument] = {
    **ARGUMENTS,
    "number": Number(0, 512),
    "vlans": Text(),  # IOS explains what is wrong with a list
    "vlan-name": Text(longest=32),
}


def tables(encapsulation: bool) -> Mapping[Mode, Commands]:
    """Return the commands of a model with or without trunk encapsulations."""
    ports = [*LEAVING, *interface.COMMANDS]
    if encapsulation:
        ports += interface.ENCAPSULATION
    return {
        modes.USER: execute.ANY_LEVEL,
        modes.PRIVILEGED: [*execute.ANY_LEVEL, *execute.PRIVILEGED],
        modes.CONFIG: [*LEAVING, *configure.GLOBAL],
        modes.INTERFACE: ports,
        modes.RANGE: ports,
        modes.VLAN: [*LEAVING, *configure.VLAN],
    }


_RESERVED_USER = {key: words for key, words in execute.RESERVED_USER.items() if key}

RESERVED: Mapping[Mode, Mapping[str, str]] = {
    modes.USER: execute.RESERVED_USER,
    modes.PRIVILEGED: _RESERVED_USER
    | {"": f"{execute.RESERVED_USER['']} {execute.RESERVED_PRIVILEGED}"},
    modes.CONFIG: configure.RESERVED,
    modes.INTERFACE: interface.RESERVED,
    modes.RANGE: interface.RESERVED,
    modes.VLAN: configure.RESERVED_VLAN,
}
