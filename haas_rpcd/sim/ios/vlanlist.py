"""VLAN lists as IOS reads and writes them: ``1,10-12,200``. Pure."""

from __future__ import annotations

from textwrap import fill

from haas_rpcd.sim.cli.vlans import ALL_VLANS, MAX_VLAN, MIN_VLAN, format_list, wrap_list

__all__ = [
    "ALL_VLANS", "DEFAULT_VLANS", "LEGACY_VLANS", "BadVlanListError",
    "format_list", "parse", "wrap_list",
]  # fmt: skip

LEGACY_VLANS: frozenset[int] = frozenset(range(1002, 1006))
"""The VLANs of FDDI and token ring. They always exist on a Catalyst and never carry Ethernet."""

DEFAULT_VLANS: frozenset[int] = LEGACY_VLANS | {1}
"""The VLANs that can't be created, deleted or renamed."""


class BadVlanListError(ValueError):
    """IOS rejects a list; ``str()`` is what it prints, including line breaks."""


def parse(text: str) -> frozenset[int]:
    """Read a list such as ``5,10-12``.

    Raises `BadVlanListError` in the words of IOS 15, which counts characters from 1 and names the
    delimiter after the error (``EOL`` at the end of the list).
    """
    vlans: set[int] = set()
    first: int | None = None  # the left end, while a range is being read
    number = ""
    for position, char in enumerate(f"{text}\0", start=1):
        if char.isdigit() and char.isascii():
            number += char
            continue
        delimiter = "EOL" if char == "\0" else f"'{char}'"
        if char not in ",-\0" or not number or (char == "-" and first is not None):
            if char == "\0":
                raise _rejected(f"character #{position} (EOL) does not follow a VLAN number.")
            raise _rejected(f"character #{position} is a non-numeric character ({delimiter}).")
        vlan = int(number)
        number = ""
        if not MIN_VLAN <= vlan <= MAX_VLAN:
            raise _rejected(
                f"character #{position} ({delimiter}) delimits a VLAN number "
                f"which is out of the range {MIN_VLAN}..{MAX_VLAN}."
            )
        if char == "-":
            first = vlan
        elif first is None:
            vlans.add(vlan)
        else:
            if vlan <= first:
                raise _rejected(
                    f"character #{position} ({delimiter}) delimits ending Vlan id ({vlan}) of "
                    f"vlan-range, which is not larger than the starting Vlan id({first})."
                )
            vlans.update(range(first, vlan + 1))
            first = None
    return frozenset(vlans)


def _rejected(reason: str) -> BadVlanListError:
    # IOS breaks this text at the same column, whatever the session's width is.
    return BadVlanListError(fill(f"Command rejected: Bad VLAN list - {reason}", 72))
