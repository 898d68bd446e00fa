"""A simulated Cisco Catalyst with IOS 15: modes, refusals and tables.

Written from Cisco's configuration guides and command references for the Catalyst 2960 and from
published output of devices::

    async with IosSwitch("sw1", ports=gigabit(24), username="u", password="p") as switch:
        reader, writer = await telnetlib3.open_connection("127.0.0.1", switch.port)
"""

from haas_rpcd.sim.ios.portname import gigabit
from haas_rpcd.sim.ios.switch import IosSwitch

NVRAM_BUSY = "startup-config file open failed (Device or resource busy)"
"""What IOS prints while another session uses the NVRAM."""

__all__ = ["NVRAM_BUSY", "IosSwitch", "gigabit"]
