"""A simulated Dell PowerSwitch with SmartFabric OS10: modes, refusals and tables.

Written from Dell's "SmartFabric OS10 User Guide" and from published output of devices. OS10 differs
from IOS in these ways. A login lands at ``#``. A refusal is one line without a marker. A VLAN is
created by its interface; when the interface is removed, the VLAN vanishes from all ports.
``switchport trunk allowed vlan`` adds to the list, which is empty on a new trunk. A trunk carries
the access VLAN untagged; that VLAN may not be on the list. ``no switchport`` deletes all of these
settings. Saving prints nothing.
"""

from haas_rpcd.sim.os10.switch import Os10Switch

__all__ = ["Os10Switch"]
