"""Whether devices answer, and which could therefore not be read. Pure."""

from __future__ import annotations

from haas_console.core.inventory import Inventory
from haas_console.core.natural import natural
from haas_console.core.times import moment
from haas_schemas.switch import Switch

SILENT, UNTRIED = "✗", "?"
"""The signs of a switch that does not answer, and of one not tried yet."""

_NAMED = 3
"""Devices that a sentence names; the others are only counted."""


def sign(switch: Switch | None) -> str:
    """The sign of a switch; empty if it answers, or is not expected to."""
    if switch is None or switch.retired or switch.reachable:
        return ""
    return SILENT if switch.reachable is False else UNTRIED


def last_contact(switch: Switch) -> str:
    """``last heard 12:40``, or ``never reached``."""
    if switch.last_contact is None:
        return "never reached"
    return f"last heard {moment(switch.last_contact, exact=False)}"


def contact_text(switch: Switch) -> str:
    """What is wrong with the contact to a switch; empty if nothing is."""
    match sign(switch):
        case "":
            return ""
        case "?":
            return "? never asked"
        case mark:
            return f"{mark} does not answer, {last_contact(switch)}"


def unread(inventory: Inventory) -> str:
    """Which devices may have drifted unseen, as the end of a sentence; empty if all were read."""
    switches = [one for one in inventory.switches.values() if not one.retired]
    silent = [one.switch for one in switches if one.reachable is False]
    never = [one.switch for one in switches if one.checked is None and one.reachable is not False]
    pulse = inventory.pulse
    if pulse is not None:
        silent += ["libvirt"] if pulse.libvirt is False else []
        silent += ["the master's network"] if pulse.trunk is False else []
    parts = [f"{_some(silent)} can't be reached"] if silent else []
    if never:
        parts.append(f"{_some(never)} {'was' if len(never) == 1 else 'were'} never checked")
    return ", and ".join(parts)


def _some(names: list[str]) -> str:
    """``sw1``; ``sw1, sw2, sw3 and 4 more``."""
    ordered = sorted(names, key=natural)
    if len(ordered) <= _NAMED + 1:
        return ", ".join(ordered)
    return f"{', '.join(ordered[:_NAMED])} and {len(ordered) - _NAMED} more"
