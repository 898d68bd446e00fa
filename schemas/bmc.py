"""Baseboard management controllers (BMCs): what switches a node on and off."""

from __future__ import annotations

from typing import Literal

import msgspec

BmcProtocol = Literal["ipmi", "redfish"]
PowerState = Literal["on", "off"]
PowerAction = Literal["status", "on", "off", "cycle", "reset"]
BootDevice = Literal["disk", "pxe"]

DEFAULT_BMC_PORTS: dict[BmcProtocol, int] = {"ipmi": 623, "redfish": 443}
"""The UDP port of IPMI and the TCP port of Redfish, for BMCs registered without one."""


class Bmc(msgspec.Struct, frozen=True):
    """The BMC of a node, for admins. ``credential`` names an entry of the credentials file.

    ``system``: which of its computer systems is the node, if a Redfish service has several.
    ``fingerprint``: of the only certificate that is trusted; null: one that an authority signed.
    """

    node: str
    protocol: BmcProtocol
    host: str
    port: int
    credential: str | None
    system: str | None = None
    fingerprint: str | None = None


class NodePower(msgspec.Struct, frozen=True):
    """The power of a node, as its BMC says after the action. ``power_changed``: see Node.

    ``boot``: from what it boots next, if the call has set that.
    """

    node: str
    power: PowerState
    power_changed: str | None
    boot: BootDevice | None = None
