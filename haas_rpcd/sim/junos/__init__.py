"""A simulated Juniper EX4300 with Junos 18.4: changes go into a candidate and need a commit.

Written from Juniper's "Junos CLI User Guide" and "Ethernet Switching User Guide", and from
published transcripts of EX and QFX switches with Enhanced Layer 2 Software (ELS). A commit refuses
what these switches refuse. The guides leave one point open; here, a single VLAN id among a port's
members must be that of a VLAN, while the ids of a range need not be.

A port that the configuration does not mention carries nothing. An access port without members is in
the VLAN ``default``; a trunk carries its members only.
"""

from haas_rpcd.sim.junos.switch import JunosSwitch

__all__ = ["JunosSwitch"]
