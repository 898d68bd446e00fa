"""A simulated Dell PowerConnect 5548 with Marvell's ROS 4.1: modes, refusals and tables.

Written from published sessions and configurations of 3548, 5324, 5524, 5548 and R1-2210, and of
others with the same software. It differs from IOS in these ways. VLANs are created in ``vlan
database``. A port can be on no VLAN (``none``). VLANs are added to a trunk's list and removed from
it; the list is never written as a whole. A command that is refused on one port of a range is
executed on the others. The running configuration does not show ports with default settings. The
severity of a log message is a letter.
"""

from haas_rpcd.sim.powerconnect.switch import PowerConnectSwitch

__all__ = ["PowerConnectSwitch"]
