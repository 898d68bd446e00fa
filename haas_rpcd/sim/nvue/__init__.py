"""A simulated Cumulus Linux 5 switch with NVUE: a shell, ``nv``, and the kernel's bridge behind it.

Written from NVIDIA's "Cumulus Linux User Guide" and "NVUE Reference", from ifupdown2's add-on for
bridges, and from published transcripts.
"""

from haas_rpcd.sim.nvue.switch import NvueSwitch

__all__ = ["NvueSwitch"]
