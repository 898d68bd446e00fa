"""A simulated ICX switch with FastIron, of Brocade or Ruckus: modes, refusals and tables.

Written from published sessions on ICX and FLS switches, from the recorded output in ntc-templates
(08.0.30h, 08.0.90) and, for refusals, from recordings of NetIron, a related system. Some refusals
imitate that style because no source has their exact words: those of dual mode, of VLANs that do not
exist, and of logins. A port is on the default VLAN until it joins another one. If it is tagged on a
VLAN, the release decides what happens on the default VLAN:

* Before 08.0.80 the port leaves the default VLAN. ``dual-mode V`` on the port assigns frames
  without a tag to a VLAN on which the port is tagged. Dual mode must be off before the port leaves
  that VLAN.
* From 08.0.80 on the port stays, untagged, until it joins another VLAN untagged or is taken off the
  default VLAN by name. It comes back when it is tagged nowhere.
"""

from haas_rpcd.sim.fastiron.switch import FastIronSwitch

__all__ = ["FastIronSwitch"]
