"""The modes of OS6's command line."""

from __future__ import annotations

from haas_rpcd.sim.cli import Mode

USER = Mode("user", "{host}>")
PRIVILEGED = Mode("privileged", "{host}#", USER)
CONFIG = Mode("config", "{host}(config)#", PRIVILEGED, configures=True)
INTERFACE = Mode("config-if", "{host}(config-if-{label})#", CONFIG, configures=True)
RANGE = Mode("config-if-range", "{host}(config-if)#", CONFIG, configures=True)
VLAN = Mode("config-vlan", "{host}(config-vlan{label})#", CONFIG, configures=True)
