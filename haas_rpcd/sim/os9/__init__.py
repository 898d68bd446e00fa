"""A simulated Dell S4810 with OS9, formerly Force10's FTOS: modes, refusals and tables.

Written from Dell's configuration guides (Virtual LANs; Lock CONFIGURATION Mode), from published
sessions, and from the recorded output in ntc-templates. Some refusals imitate OS9's style because
no source has their exact words: those of ``tagged`` and ``untagged``, of logins, and of incomplete
and ambiguous lines. OS9 differs from IOS in these ways. A new port is shut and routes. In Layer-2
mode (``switchport``) it is untagged on VLAN 1 until a VLAN lists it. It is either untagged on one
VLAN or tagged on some. It can be both if it was made hybrid before it entered Layer-2 mode. It can
leave Layer-2 mode only while no VLAN except the default one lists it.
"""

from haas_rpcd.sim.os9.switch import Os9Switch

__all__ = ["Os9Switch"]
