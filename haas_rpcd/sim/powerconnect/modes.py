"""The modes of ROS's command line."""

from __future__ import annotations

from haas_rpcd.sim.cli import Mode

USER = Mode("user", "{host}>")
PRIVILEGED = Mode("privileged", "{host}#")
CONFIG = Mode("config", "{host}(config)#", PRIVILEGED, configures=True)
DATABASE = Mode("config-vlan", "{host}(config-vlan)#", CONFIG, configures=True)
INTERFACE = Mode("config-if", "{host}(config-if)#", CONFIG, configures=True, falls_to=CONFIG)
RANGE = Mode(
    "config-if-range", "{host}(config-if-range)#", CONFIG, configures=True, falls_to=CONFIG
)
VLAN_INTERFACE = Mode(
    "config-if-vlan", "{host}(config-if)#", CONFIG, configures=True, falls_to=CONFIG
)
