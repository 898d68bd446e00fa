"""Names of a Catalyst's interfaces."""

from __future__ import annotations

from haas_rpcd.sim.cli.portname import Naming

NAMING = Naming(
    {
        "FastEthernet": "Fa",
        "GigabitEthernet": "Gi",
        "TenGigabitEthernet": "Te",
        "TwentyFiveGigE": "Twe",
        "FortyGigabitEthernet": "Fo",
        "HundredGigE": "Hu",
        "Port-channel": "Po",
    },
    kind=r"[A-Za-z]+(?:-[A-Za-z]+)?",
    to=r"\s+-\s*",
    comma=r"\s+,\s*",
    max_parts=5,
)
"""Ranges need the manual's spacing, a blank before the hyphen and before the comma, and have at
most five parts (Catalyst 2960 command reference, "interface range")."""

short = NAMING.short


def gigabit(count: int, prefix: str = "1/0/") -> list[str]:
    """Return full names of ``count`` gigabit ports, numbered from 1 as on a 2960S."""
    return [f"GigabitEthernet{prefix}{i}" for i in range(1, count + 1)]
