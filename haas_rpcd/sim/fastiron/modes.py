"""The modes of FastIron's command line."""

from __future__ import annotations

from haas_rpcd.sim.cli import Mode

USER = Mode("user", "{host}>")
PRIVILEGED = Mode("privileged", "{host}#")
CONFIG = Mode("config", "{host}(config)#", PRIVILEGED, configures=True)
INTERFACE = Mode("config-if", "{host}(config-{label})#", CONFIG, configures=True, falls_to=CONFIG)
LAG = Mode("config-lag", "{host}(config-lag-{label})#", CONFIG, configures=True, falls_to=CONFIG)
VLAN = Mode("config-vlan", "{host}(config-vlan-{label})#", CONFIG, configures=True, falls_to=CONFIG)
