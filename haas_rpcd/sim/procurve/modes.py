"""The contexts of ProVision's command line."""

from __future__ import annotations

from haas_rpcd.sim.cli import Mode

OPERATOR = Mode("operator", "{host}> ")
MANAGER = Mode("manager", "{host}# ", OPERATOR)
CONFIG = Mode("config", "{host}(config)# ", MANAGER, configures=True)
PORT = Mode("eth", "{host}(eth-{label})# ", CONFIG, configures=True, falls_to=CONFIG)
VLAN = Mode("vlan", "{host}(vlan-{label})# ", CONFIG, configures=True, falls_to=CONFIG)
