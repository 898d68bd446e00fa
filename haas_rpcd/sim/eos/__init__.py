"""A simulated Arista switch with EOS 4.2x: modes, refusals and tables.

Written from Arista's user manual ("Virtual LANs", "Command-Line Interface") and from published
output of devices. EOS differs from IOS in these ways. A new port is an access port. VLANs exist as
soon as they are named. A port may name a VLAN that does not exist; that does not create the VLAN,
and the port carries nothing until somebody does. Ranges are part of the interface's name
(``Et1,3-5``).
"""

from haas_rpcd.sim.eos.switch import EosSwitch

__all__ = ["EosSwitch"]
