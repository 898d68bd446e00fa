"""The views of Comware's command line."""

from __future__ import annotations

from haas_rpcd.sim.cli import Mode

USER = Mode("user", "<{host}>")
SYSTEM = Mode("system", "[{host}]", USER, configures=True)
INTERFACE = Mode("interface", "[{host}-{label}]", SYSTEM, configures=True, falls_to=SYSTEM)
RANGE = Mode("if-range", "[{host}-if-range]", SYSTEM, configures=True, falls_to=SYSTEM)
VLAN = Mode("vlan", "[{host}-vlan{label}]", SYSTEM, configures=True, falls_to=SYSTEM)
