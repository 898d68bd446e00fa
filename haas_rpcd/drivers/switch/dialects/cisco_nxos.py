"""Cisco NX-OS on Nexus switches.

Sources: Cisco's "Nexus 9000 Series NX-OS Interfaces" and "Layer 2 Switching Configuration Guide",
and open-source drivers.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from haas_rpcd.drivers.switch import portnames
from haas_rpcd.drivers.switch.dialect import Options
from haas_rpcd.drivers.switch.ioslike import IosLike
from haas_rpcd.drivers.switch.state import PortState
from haas_rpcd.drivers.switch.switchport import HARMLESS
from haas_rpcd.model import PortConfig

_PORT_LINES = '| include "interface|shutdown|switchport"'


class CiscoNxos(IosLike):
    """``cisco_nxos``. Ports are registered as ``Ethernet1/1``, or ``Ethernet1/49/1`` if split.

    If a port's own configuration does not say whether it routes or switches, or whether it is shut,
    then ``system default switchport`` and the model decide. So the configuration is read with all
    defaults. A port that seems to carry nothing may be routed. It is shut before ``switchport``,
    because it would come up on VLAN 1.
    """

    name = "cisco_nxos"
    title = "Cisco NX-OS (Nexus)"
    needs_current_config = True
    parked_config = PortConfig(1)
    setup = ("terminal length 0", "terminal width 511")
    save = ("copy running-config startup-config",)
    model = re.compile(r"^\s*cisco (Nexus[^\r\n]*?)(?: \([^)\r\n]*\))* chassis", re.M | re.I)
    version = re.compile(r"^\s*(?:NXOS|system): +version (\S+)", re.M)
    max_ranges = 8
    types = ("Ethernet", "port-channel")
    harmless = (*HARMLESS, "no switchport monitor", "(?:no )?switchport dot1q ethertype")
    errors = (
        *IosLike.errors,
        r"invalid .* at '\^' marker",
        r"syntax error",
        r"permission denied",
        r"configuration update aborted",
        r"command failed",
        r"unable to perform the action\b",
        r"cannot (?:run|execute|create|delete) ",
    )
    benign = (*IosLike.benign, r"error (?:facility|description):")
    busy = re.compile(
        r"(?:configuration|database) (?:is )?(?:currently )?locked|"
        r"services in transient state|another (?:configuration )?session",
        re.I,
    )

    def enter_range(self, spans: Sequence[portnames.Span]) -> str:
        """Name several ports without the word ``range``: ``interface Ethernet1/1-4,Ethernet1/7``.

        Only releases since 7.0 know the word, and not on all models.
        """
        return super().enter_range(spans).replace("interface range ", "interface ", 1)

    def port_stages_from(
        self, current: PortConfig | None, config: PortConfig, options: Options
    ) -> list[list[str]]:
        """First shut a port that may be routed, and make it a switch port."""
        stages = self.port_stages(config, options)
        if current is not None and not current.parked:
            return stages
        if config.parked:
            shut, cleared = stages
            return [shut, ["switchport", *cleared]]
        prepared, *others = stages
        return [["shutdown"], ["switchport", *prepared], *others]

    def read_ports(self, ports: Sequence[str], options: Options) -> list[str]:
        """Show the ports' configuration with all defaults, reduced to the lines that matter."""
        if not ports or len(ports) >= self.bulk_from:
            return [f"show running-config interface all {_PORT_LINES}"]
        return [f"show running-config interface {port} all {_PORT_LINES}" for port in ports]

    def parse_ports(self, answers: Sequence[str], options: Options) -> dict[str, PortState]:
        """Leave out interfaces that are not switch ports: ``mgmt0``, ``Vlan100``."""
        found = super().parse_ports(answers, options)
        return {port: state for port, state in found.items() if port.startswith(self.types)}

    def saved(self, answer: str) -> bool:
        """NX-OS ends a successful save with ``Copy complete``; the rest of the line varies."""
        return re.search(r"^\s*Copy complete\b", answer, re.M) is not None
