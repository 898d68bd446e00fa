"""The modes of OS10's command line."""

from __future__ import annotations

from haas_rpcd.sim.cli import Mode

EXEC = Mode("exec", "{host}# ")
CONFIG = Mode("config", "{host}(config)# ", EXEC, configures=True)
PORT = Mode("conf-if", "{host}(conf-if-{label})# ", CONFIG, configures=True, falls_to=CONFIG)
PORTS = Mode("conf-range", "{host}(conf-range-{label})# ", CONFIG, configures=True, falls_to=CONFIG)
VLAN = Mode("conf-if-vl", "{host}(conf-if-vl-{label})# ", CONFIG, configures=True, falls_to=CONFIG)
