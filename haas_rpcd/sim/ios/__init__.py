"""A Catalyst switch with IOS 15 that really speaks telnet, and refuses what IOS refuses.

It is written from the vendor's behaviour, not from any driver, and imports nothing of ours outside
this package. `IosSwitch` is the way in::

    async with IosSwitch("sw1", ports=gigabit(24), username="u", password="p") as switch:
        reader, writer = await telnetlib3.open_connection("127.0.0.1", switch.port)

How it is built, from the wire inwards: `telnet` (options), `editor` (lines and echo), `session`
(dialogue, paging), `commands` (which line is which command: `grammar` and the tables in `execute`,
`configure` and `interface`), `show` (what is printed), `state` (what is set, and what ports carry).
"""

from haas_rpcd.sim.ios.portname import gigabit
from haas_rpcd.sim.ios.records import NVRAM_BUSY, Counters, Faults, HistoryEntry, LineRecord
from haas_rpcd.sim.ios.state import Carried, Port
from haas_rpcd.sim.ios.switch import IosSwitch

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
