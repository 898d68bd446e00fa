"""What lldpctl(8) prints of neighbours."""

from __future__ import annotations

from collections.abc import Iterator

from haas_rpcd.sim.cli import Announced

RULE = "-" * 79


def chassis(said: Announced) -> Iterator[str]:
    """Yield a neighbour's chassis and port."""
    yield "  Chassis:"
    yield f"    ChassisID:    {'mac' if said.has_mac else 'local'} {said.chassis}"
    yield from [f"    SysName:      {said.name}"] if said.name else []
    yield "    Capability:   Station, on"
    yield "  Port:"
    yield f"    PortID:       {'mac' if said.port.count(':') == 5 else 'ifname'} {said.port}"
    yield "    TTL:          120"
