"""A simulated Dell N2048 with OS6 (Broadcom's FASTPATH): modes, refusals and tables.

Written from Dell's "N-Series User's Guide" and "User's Configuration Guide", and from published
output of N2048, M6348 and 8024F. It differs from IOS in these ways. VLAN ids end at 4093. An access
port can't be put on a VLAN that does not exist. The native VLAN must be on the trunk's list, which
has no ``none``. If its VLAN is removed, an access port falls back to VLAN 1. The running
configuration does not show ports with default settings. Most answers begin with an empty line.
Saving asks for confirmation.
"""

from haas_rpcd.sim.os6.switch import Os6Switch

__all__ = ["Os6Switch"]
