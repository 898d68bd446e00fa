"""The modes of Junos's command line."""

from __future__ import annotations

from haas_rpcd.sim.cli import Mode

SHELL = Mode("shell", "{user}@{host}:RE:0% ")
OPERATIONAL = Mode("operational", "\n{{master:0}}\n{user}@{host}> ")
CONFIGURATION = Mode(
    "configuration", "\n{{master:0}}[edit]\n{user}@{host}# ", OPERATIONAL, configures=True
)
