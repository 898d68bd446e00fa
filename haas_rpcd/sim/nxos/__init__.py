"""A simulated Cisco Nexus with NX-OS 9.3: modes, refusals and tables.

Written from Cisco's Nexus 9000 configuration guides ("Fundamentals", "Interfaces", "Layer 2
Switching") and from published output of devices. NX-OS differs from IOS in these ways. A login
lands at ``#``. Exec commands are accepted in configuration modes. Whether a new port routes or
switches depends on a setting of the system. ``show running-config`` shows what differs from the
defaults, or everything with ``all``. Naming a VLAN on a port does not create the VLAN.
"""

from haas_rpcd.sim.nxos.switch import NxosSwitch

__all__ = ["NxosSwitch"]
