"""Parts of what ``show`` commands print."""

from __future__ import annotations

from collections.abc import Iterable

from haas_rpcd.sim import cli


def default_vlan_name(vlan: int) -> str:
    """The name that a VLAN has until it gets another: ``VLAN0100``."""
    return f"VLAN{vlan:04}"


def rows_of_ports(names: Iterable[str], width: int) -> list[str]:
    """Break a list of ports into rows of at most ``width`` characters: ``Gi1/0/1, Gi1/0/2``."""
    return [row.replace(",", ", ") for row in cli.wrap_list(",".join(names), width)]


def days_and_clock(seconds: float) -> tuple[int, int, int, int]:
    """Split seconds into days, hours, minutes and seconds."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    return days, hours, minutes, rest
