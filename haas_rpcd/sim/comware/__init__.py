"""A simulated Comware switch: an HPE 5130 with Comware 7, or an HP A5120 with Comware 5.20.

Written from HPE's and H3C's "Layer 2 LAN Switching" and "Fundamentals" guides (7500, 5700, 5830),
the recorded output in ntc-templates, and published sessions. Three kinds of message imitate
Comware's style because no source has their exact words: the refusal of a command for another link
type, the refusal of a VLAN that does not exist, and the refusal of a login.
"""

from haas_rpcd.sim.comware.switch import Comware5Switch, ComwareSwitch

__all__ = ["Comware5Switch", "ComwareSwitch"]
