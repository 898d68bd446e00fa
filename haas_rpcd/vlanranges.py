"""VLAN ids as text: ``100-104,110``. No I/O."""

from __future__ import annotations


def vlan_ranges(vlans: tuple[int, ...] | frozenset[int] | set[int] | list[int]) -> str:
    """Format VLAN ids as switches do: ``100-104,110``. No ids give the empty string."""
    spans: list[tuple[int, int]] = []
    for vlan in sorted(vlans):
        if spans and vlan == spans[-1][1] + 1:
            spans[-1] = (spans[-1][0], vlan)
        else:
            spans.append((vlan, vlan))
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in spans)


def parse_vlan_ranges(text: str) -> tuple[int, ...]:
    """Parse ``100-104,110`` into sorted VLAN ids.

    Raises ValueError, with a sentence, if the text is not such a list or an id is not in 1..4094
    (IEEE 802.1Q reserves 0 and 4095).
    """
    vlans: set[int] = set()
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not first.isdecimal() or (dash and not last.strip().isdecimal()):
            raise ValueError(f'"{part.strip()}" is not a VLAN id or a range such as 100-199')
        low, high = int(first), int(last or first)
        if not 1 <= low <= high <= 4094:
            raise ValueError(f'"{part.strip()}" is not a range of VLAN ids within 1-4094')
        vlans.update(range(low, high + 1))
    return tuple(sorted(vlans))
