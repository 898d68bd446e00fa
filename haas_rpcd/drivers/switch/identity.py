"""What distinguishes a switch from all others: its serial numbers, or its base MAC."""

from __future__ import annotations

import re

from haas_rpcd.registered import SwitchMarks

_PLACEHOLDER = re.compile(
    r"[0x.\-]*|n/?a|null|none|empty|unknown|undefined|unspecified|invalid|"
    r"default.*|not.*|to.be.filled.*|0?123456789\w*",
    re.I,
)
"""What virtual switches and unprogrammed boards show in place of a serial number."""

_SHORTEST = 5
"""Characters of a serial number: shorter ones are placeholders too."""


def marks(
    text: str, serial: re.Pattern[str] | None, base_mac: re.Pattern[str] | None
) -> SwitchMarks:
    """Return the marks in a switch's answers. The first group of each pattern has the value.

    A stack shows the serial number of each member.
    """
    serials = {found.strip(" ,;").upper() for found in serial.findall(text)} if serial else set()
    macs = {_mac(found) for found in base_mac.findall(text)} if base_mac else set()
    return SwitchMarks(
        serials=tuple(sorted(filter(_is_serial, serials))), macs=tuple(sorted(filter(None, macs)))
    )


def _is_serial(text: str) -> bool:
    return len(text) >= _SHORTEST and not _PLACEHOLDER.fullmatch(text)


def _mac(text: str) -> str:
    """Return a MAC address that a vendor assigned to one device; "" for any other.

    A multicast address or a locally administered one (the lowest two bits of the first octet, IEEE
    802) belongs to no device for good.
    """
    digits = re.sub(r"[^0-9a-f]", "", text.lower())
    if len(digits) != 12 or int(digits[:2], 16) & 3 or not int(digits, 16):
        return ""
    return ":".join(digits[at : at + 2] for at in range(0, 12, 2))
