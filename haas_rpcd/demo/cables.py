"""The cables of simulated machines: nics are plugged in where the site file has them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from haas_rpcd.sim.cli import Device, Plugged
from haas_rpcd.site import Site


class Cables:
    """The cables between the nodes of a site and simulated switches.

    A nic with a MAC address speaks while its node is on; a BMC's always does. A switch hears it
    while the port is open. ``canonical`` returns a port's canonical name, given a dialect.
    """

    def __init__(
        self,
        devices: Mapping[str, Device[Any]],
        site: Site,
        canonical: Callable[[str, str], str],
    ) -> None:
        self._ports: dict[str, list[tuple[Device[Any], str]]] = {}
        for node, registered in site.nodes.items():
            for nic in registered.nics.values():
                place = next(iter(nic.places), None)  # the active port of a bond
                device = devices.get(place.switch) if place is not None else None
                if place is None or device is None or nic.mac is None:
                    continue
                port = device.full_port(canonical(device.dialect, place.port))
                device.plug(port, Plugged(macs=(nic.mac.lower(),), on=nic.kind == "bmc"))
                if nic.kind != "bmc":
                    self._ports.setdefault(node, []).append((device, port))

    def power(self, node: str, on: bool) -> None:
        """Switch a node on or off."""
        for device, port in self._ports.get(node, ()):
            device.power(port, on)
