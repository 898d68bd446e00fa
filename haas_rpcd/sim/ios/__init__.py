"""A Catalyst switch with IOS 15 that really speaks telnet, and refuses what IOS refuses.

It is written from the vendor's behaviour, not from any driver, and imports nothing of ours outside
this package. `IosSwitch` is the way in::

    async with IosSwitch("sw1", ports=gigabit(24), username="u", password="p") as switch:
        reader, writer = await telnetlib3.open_connection("127.0.0.1", switch.port)

Its machinery is that of `haas_rpcd.sim.cli`. Here stand its tables of commands (`execute`,
`configure`, `interface`), `show` (what is printed) and `state` (what is set, and what ports carry).
"""

from haas_rpcd.sim.cli.records import Carried, Counters, Faults, HistoryEntry, LineRecord
from haas_rpcd.sim.ios.portname import gigabit
from haas_rpcd.sim.ios.state import Port
from haas_rpcd.sim.ios.switch import IosSwitch

NVRAM_BUSY = "startup-config file open failed (Device or resource busy)"
"""What IOS says when another session holds the NVRAM."""

__all__ = [
    "NVRAM_BUSY",
    "Carried",
    "Counters",
    "Faults",
    "HistoryEntry",
    "IosSwitch",
    "LineRecord",
    "Port",
    "gigabit",
]
