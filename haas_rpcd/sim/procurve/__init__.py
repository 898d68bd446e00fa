"""A simulated ProVision switch (Aruba 2530), which speaks as ArubaOS-Switch does.

Written from the "Advanced Traffic Management Guide" (K/KA/KB.15.15), the recorded output in
ntc-templates, and published sessions and configurations. Three refusals imitate the vendor's style
because no source has their exact words: those of one VLAN too many, of taking a port off its last
VLAN, and of a login.

The switch positions questions and echoes with ANSI sequences, for a terminal of 24 rows.
"""

from haas_rpcd.sim.procurve.switch import ProcurveSwitch

__all__ = ["ProcurveSwitch"]
