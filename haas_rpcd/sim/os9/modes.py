"""The modes of OS9's command line."""

from __future__ import annotations

from haas_rpcd.sim.cli import Mode

USER = Mode("user", "{host}>")
PRIVILEGED = Mode("privileged", "{host}#")
CONFIG = Mode("conf", "{host}(conf)#", PRIVILEGED, configures=True)
INTERFACE = Mode("conf-if", "{host}(conf-if-{label})#", CONFIG, configures=True, falls_to=CONFIG)
LACP = Mode(
    "conf-if-lacp", "{host}(conf-if-{label}-lacp)#", INTERFACE, configures=True, falls_to=CONFIG
)
VLAN = Mode("conf-if-vl", "{host}(conf-if-vl-{label})#", CONFIG, configures=True, falls_to=CONFIG)
