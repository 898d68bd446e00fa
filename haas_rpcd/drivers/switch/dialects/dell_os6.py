"""Dell EMC Networking OS6 on the N-series (N1500 to N4000), which is Broadcom's FASTPATH.

Facts from Dell's "N-Series User's Guide" ("Layer 2 Switching Commands") and "User's Configuration
Guide", from published output of N2048, N3048, M6348 and 8024F, from what HIL's driver found out of
N3000s, and from the notes on vendors' command lines. How an empty list of a trunk is shown is not
known; all of IOS's ways are read.
"""

from __future__ import annotations

import re

from haas_rpcd.drivers.switch.dell import DellLike
from haas_rpcd.drivers.switch.dialect import Options
from haas_rpcd.model import PortConfig


class DellOs6(DellLike):
    """``dell_os6``. VLANs 1 to 4093; VLAN 1 is the default one."""

    name = "dell_os6"
    title = "Dell N-Series (OS6)"
    save = ("copy running-config startup-config",)
    show_uptime = "show system"
    logout = ("quit",)
    model = re.compile(r"^System Model ID\.+ *(\S+)", re.M)
    version = re.compile(
        r"^(?:System Description\.+ [^\r\n,]+, *|[ ]*1[ ]+)(\d+(?:\.\d+){2,})\b", re.M
    )
    errors = (
        *DellLike.errors,
        r"vlan +[\d,-]+ +error:",
        r"vlans failed to be (?:configured|created|deleted)",
        r"vlan id not found",
        r"vlan range - separate",
        r"value is out of range",
        r"command not found",
        r"an invalid interface",
        r"interface (?:is )?not in",
        r"port is not",
        r"could not",
        r"unable to",
        r"failed to",
        r"configuration not saved",
        r"name must be",
    )
    types = (
        "gigabitethernet",
        "tengigabitethernet",
        "twentyfivegigabitethernet",
        "fortygigabitethernet",
        "hundredgigabitethernet",
        "port-channel",
    )

    no_allowed_vlan = "switchport trunk allowed vlan remove 1-4093"
    """The list has no ``none``; nothing is left of one that everything was removed from."""

    def native_lines(self, config: PortConfig) -> list[str]:
        """Give none: a native VLAN is refused while the trunk doesn't admit it. See below."""
        return []

    def allowed_lines(self, config: PortConfig) -> list[str]:
        """Write the list, then the native VLAN, which must be on it.

        Without one it is the default VLAN again, which the list leaves out, so frames without a tag
        are dropped.
        """
        return [*super().allowed_lines(config), *super().native_lines(config)]

    def read_vlans(self, options: Options) -> list[str]:
        """Show the VLANs: the table has no shorter form."""
        return ["show vlan"]

    def saved(self, answer: str) -> bool:
        """It asks whether it should, and says that it has."""
        return "Configuration Saved!" in answer
