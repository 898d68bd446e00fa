"""The modes of NX-OS's command line."""

from __future__ import annotations

from haas_rpcd.sim.cli import Mode

EXEC = Mode("exec", "{host}# ")
CONFIG = Mode("config", "{host}(config)# ", EXEC, configures=True)
PORT = Mode("config-if", "{host}(config-if)# ", CONFIG, configures=True, falls_to=CONFIG)
PORTS = Mode(
    "config-if-range", "{host}(config-if-range)# ", CONFIG, configures=True, falls_to=CONFIG
)
VLAN = Mode("config-vlan", "{host}(config-vlan)# ", CONFIG, configures=True, falls_to=CONFIG)
