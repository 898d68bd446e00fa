"""The edits of a configuration: what may follow ``nv set`` and ``nv unset``."""

from __future__ import annotations

import re
from collections.abc import Iterator

from haas_rpcd.sim.cli import parse_list
from haas_rpcd.sim.nvue.state import BRIDGE, Config, Port


class InvalidError(Exception):
    """NVUE's schema does not know the object or the value."""


def apply_edit(config: Config, edit: list[str]) -> bool:
    """Make one edit; return False if it sets a port that does not exist.

    Raises `InvalidError`.
    """
    exists = True
    verb, *path = edit
    setting = verb == "set"
    match path:
        case ["interface", names, "bond", *rest]:
            for bond in _port_names(names):
                exists = _edit_bond(config, bond, rest, setting=setting) and exists
        case ["interface", names, *rest]:
            edit_port = _set_port if setting else _unset_port
            for name in _port_names(names):
                if _is_bond(name) and setting:
                    config.ports.setdefault(name, Port(mode="lacp"))
                if _is_bond(name) and not rest:
                    _remove_bond(config, name)
                elif name in config.ports:
                    edit_port(config.ports[name], rest)
                else:
                    exists = exists and not (setting and name.startswith("swp"))
                    edit_port(Port(), rest)  # check the settings all the same
        case ["bridge", "domain", bridge, "vlan", listed] if bridge == BRIDGE:
            for vlan in _vlans(listed):
                config.vlans[vlan] = ""
                if not setting:
                    del config.vlans[vlan]
        case ["bridge", "domain", bridge, "vlan"] if bridge == BRIDGE and not setting:
            config.vlans.clear()
        case ["bridge", "domain", bridge, "untagged", vlan] if bridge == BRIDGE and setting:
            [config.untagged] = _vlans(vlan)
        case ["system", "hostname", name] if setting:
            config.hostname = name
        case _:
            raise InvalidError
    return exists


def _is_bond(name: str) -> bool:
    """Return whether NVUE takes a name for a bond's by itself."""
    return name.startswith("bond")


def _edit_bond(config: Config, bond: str, path: list[str], *, setting: bool) -> bool:
    """Edit what only bonds have; return False if a member does not exist, or is another's."""
    if not _is_bond(bond):
        raise InvalidError
    if setting:
        config.ports.setdefault(bond, Port(mode="lacp")).configured = True
    match path:
        case ["mode", "lacp" | "static" as mode] if setting:
            config.ports[bond].mode = mode
        case ["member", listed]:
            names = list(_port_names(listed))
            for name in names:
                port = config.ports.get(name)
                if port is None or (port.channel not in (None, bond)):
                    return not setting
                port.channel = bond if setting else None
        case _:
            raise InvalidError
    return True


def _remove_bond(config: Config, bond: str) -> None:
    config.ports.pop(bond, None)
    for port in config.ports.values():
        if port.channel == bond:
            port.channel = None


def _port_names(text: str) -> Iterator[str]:
    """Expand ``swp1-3,swp6`` or ``swp1-3,6``."""
    prefix = ""
    for part in text.split(","):
        found = re.fullmatch(r"([a-z_]+)?(\d+)(?:-(\d+))?(s\d+)?|[a-z]\w*", part)
        if found is None or (found[2] is not None and not (found[1] or prefix)):
            raise InvalidError
        if found[2] is None:
            yield part
            continue
        prefix = found[1] or prefix
        for number in range(int(found[2]), int(found[3] or found[2]) + 1):
            yield f"{prefix}{number}{found[4] or ''}"


def _vlans(text: str) -> frozenset[int]:
    try:
        return parse_list(text)
    except ValueError:
        raise InvalidError from None


def _set_port(port: Port, path: list[str]) -> None:
    port.configured = True
    match path:
        case [] | ["type", "swp"]:
            return
        case ["link", "state", "up" | "down" as state]:
            port.state = state
            return
        case ["bridge", "domain", bridge] if bridge == BRIDGE:
            pass
        case ["bridge", "domain", bridge, "access", vlan] if bridge == BRIDGE:
            [port.access] = _vlans(vlan)
        case ["bridge", "domain", bridge, "untagged", "none"] if bridge == BRIDGE:
            port.untagged = "none"
        case ["bridge", "domain", bridge, "untagged", vlan] if bridge == BRIDGE:
            [port.untagged] = _vlans(vlan)
        case ["bridge", "domain", bridge, "vlan", listed] if bridge == BRIDGE:
            port.vlans = (port.vlans or frozenset()) | _vlans(listed)
        case _:
            raise InvalidError
    port.on_bridge = True


def _unset_port(port: Port, path: list[str]) -> None:
    """Remove settings; it is no error if there are none."""
    match path:
        case []:
            port.configured, port.state = False, None
        case ["link"] | ["link", "state"]:
            port.state = None
            return
        case ["bridge", "domain", bridge, "access"] if bridge == BRIDGE:
            port.access = None
            return
        case ["bridge", "domain", bridge, "untagged"] if bridge == BRIDGE:
            port.untagged = None
            return
        case ["bridge", "domain", bridge, "vlan"] if bridge == BRIDGE:
            port.vlans = None
            return
        case ["bridge", "domain", bridge, "vlan", listed] if bridge == BRIDGE:
            port.vlans = ((port.vlans or frozenset()) - _vlans(listed)) or None
            return
        case ["bridge"] | ["bridge", "domain"] | ["bridge", "domain", _]:
            pass
        case _:
            raise InvalidError
    port.on_bridge, port.access, port.untagged, port.vlans = False, None, None, None
