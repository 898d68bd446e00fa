"""Arista EOS.

Sources: Arista's user manual ("Virtual LANs (VLANs)", "Ethernet Ports", "Command-Line Interface"),
and open-source drivers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from haas_rpcd.drivers.switch import portnames
from haas_rpcd.drivers.switch.dialect import Options
from haas_rpcd.drivers.switch.ioslike import IosLike
from haas_rpcd.drivers.switch.switchport import (
    HARMLESS,
    HARMLESS_ROUTED,
    NO_SWITCHPORT,
    Switchport,
)
from haas_rpcd.model import PortConfig

HARMLESS_EOS = (
    *HARMLESS,
    NO_SWITCHPORT,
    "(?:no )?switchport mac address",
    "(?:no )?switchport (?:tap|tool)",
    "(?:no )?(?:error-correction|phy|transceiver|link-debounce|l1|l2 mtu|l2 mru|poe)",
    "(?:no )?(?:sflow|flow tracker|ptp|lanz|queue-monitor|snmp trap|dcbx|mac timestamp)",
    "(?:no )?(?:sync-e|link tracking group|comment)",
    "(?:no )?(?:qos|service-profile|service-policy type qos|priority-flow-control|shape)",
    "(?:no )?mac security",
    # Queues, and the lines below one
    "(?:no )?(?:tx-queue|uc-tx-queue|mc-tx-queue|bandwidth|priority|random-detect)",
    # A port-channel's links, and multihoming, which share its VLANs with another switch
    "(?:no )?(?:mlag|port-channel|evpn ethernet-segment|identifier|route-target|redundancy)",
    "(?:no )?designated-forwarder",
    # A VLAN may be restricted to the trunks of a group. That adds none to a trunk's list.
    "(?:no )?switchport trunk group",
    # "Switched ports ignore all IP-level configuration commands"
    *HARMLESS_ROUTED,
)
"""Arista's user manual ("Virtual LANs", "Ethernet Ports", "Quality of Service"), batfish's model of
trunk groups (``eos_trunk_group``), and configurations that Arista's AVD renders for its tests."""


class AristaEos(IosLike):
    """``arista_eos``. Ports are registered as ``Ethernet1``, ``Ethernet49/1`` or ``Et3/1``.

    A VLAN that a port names is not created; until it exists, the port carries nothing. On a routed
    port (``no switchport``) everything can be set too, and takes effect once the port switches. So
    ``switchport`` is sent after everything else.
    """

    name = "arista_eos"
    title = "Arista EOS"
    setup = ("terminal length 0", "terminal width 511")
    save = ("write memory",)
    model = re.compile(r"^Arista (\S+)", re.M)
    version = re.compile(r"^Software image version: (\S+)", re.M)
    max_ranges = 8
    types = ("Ethernet", "Port-Channel")
    harmless = HARMLESS_EOS
    no_voice_vlan = ("no switchport phone vlan",)
    """(``show running-config all`` has this line for each port; batfish's
    ``arista_interface_show_run_all_3``.)"""

    bulk_from = 1
    """Lines outside of a port's section decide about it: the default mode, monitor sessions."""

    def enter_ports(
        self, ports: Sequence[str], options: Options
    ) -> Iterator[tuple[tuple[str, ...], str]]:
        """Enter ports of one type together, because a list of ports names its type only once."""
        types: dict[str, list[str]] = {}
        for port in ports:
            types.setdefault(_type(port).lower(), []).append(port)
        for same in types.values():
            yield from super().enter_ports(same, options)

    def enter_range(self, spans: Sequence[portnames.Span]) -> str:
        """Write the type only once: ``interface Ethernet1-4,7,49/1-4``."""
        kind = _type(spans[0].prefix)
        line = super().enter_range(
            [span._replace(prefix=span.prefix[len(kind) :]) for span in spans]
        )
        return line.replace("interface range ", f"interface {kind}", 1)

    def port_stages(self, config: PortConfig, options: Options) -> list[list[str]]:
        """Send ``switchport`` after all settings: while the port is shut, or before it opens."""
        *others, last = super().port_stages(config, options)
        return [*others, [*last, "switchport"] if config.parked else ["switchport", *last]]

    def fresh_port(self, config: str) -> Switchport:
        """Ports switch, unless the default mode is another. Then only ``switchport`` is shown."""
        return Switchport("access", routed="switchport default mode routed" in config)

    def saved(self, answer: str) -> bool:
        """EOS prints a sentence of its own."""
        return "Copy completed successfully" in answer


def _type(port: str) -> str:
    """Return the letters (and the blank) at the start of a port's name."""
    found = re.match(r"[A-Za-z-]* ?", port)
    return found[0] if found else ""
