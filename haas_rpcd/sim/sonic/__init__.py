"""A simulated SONiC switch: a shell with ``config``, ``show`` and ``sonic-cfggen``.

Written from the texts in sonic-utilities (releases from 201911 on) and the "SONiC Command Line
Interface Guide". A new port is up, has no address and is in no VLAN; a port without a VLAN carries
nothing. ``config`` needs root, changes the database at once and refuses what is done already.
"""

from haas_rpcd.sim.sonic.switch import SonicSwitch

__all__ = ["SonicSwitch"]
