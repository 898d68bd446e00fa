"""``show lldp neighbors`` and ``show mac`` of SONiC.

Sources: sonic-utilities, doc/Command-Reference.md and tests/fdbshow_test.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from haas_rpcd.sim.cli.device import Device
from haas_rpcd.sim.shell.lldpctl import RULE, chassis


def neighbors(switch: Device[Any]) -> Iterator[str]:
    """Write ``show lldp neighbors``: lldpctl(8) of the ports."""
    yield from [RULE, "LLDP neighbors:", RULE]
    for number, (port, said) in enumerate(switch.neighbours(), 1):
        yield f"Interface:    {port}, via: LLDP, RID: {number}, Time: 0 day, 00:12:21"
        yield from chassis(said)
        yield RULE
    yield ""


def macs(switch: Device[Any]) -> Iterator[str]:
    """Write ``show mac``: a table of tabulate's with columns as wide as they must be."""
    heard = list(switch.heard())
    width = max((len(port) for port, _, _ in heard), default=4)
    yield f"  No.    Vlan  {'MacAddress':<17}  {'Port':<{width}}  Type"
    yield f"-----  ------  {'-' * 17}  {'-' * width}  -------"
    for number, (port, vlan, mac) in enumerate(heard, 1):
        yield f"{number:>5}  {vlan:>6}  {mac.upper()}  {port:<{width}}  Dynamic"
    yield f"Total number of entries {len(heard)}"
