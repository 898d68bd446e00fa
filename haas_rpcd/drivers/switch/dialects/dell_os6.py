"""Dell EMC Networking OS6 on the N-series (N1500 to N4000), which is Broadcom's FASTPATH.

Sources: Dell's "N-Series User's Guide" ("Layer 2 Switching Commands") and "User's Configuration
Guide", published output of N2048, N3048, M6348 and 8024F, and HIL's driver, written for N3000s. How
a trunk's empty list is shown is unknown; all forms of IOS are accepted.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from haas_rpcd.drivers.switch.dell import DellLike, GeneralPort
from haas_rpcd.drivers.switch.dialect import Options
from haas_rpcd.model import PortConfig

_DOT1X = re.compile(
    r"\b(?<!no )(?:dot1x system-auth-control|authentication enable)[ \t]*$", re.M | re.I
)


class DellOs6(DellLike):
    """``dell_os6``. VLANs 1 to 4093; VLAN 1 is the default VLAN."""

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
    """The list has no ``none``, so all VLANs are removed from it."""

    no_voice_vlan = ("no voice vlan",)
    """(In the CLI reference of every FASTPATH: "disable the Voice VLAN capability".)"""

    def native_lines(self, config: PortConfig) -> list[str]:
        """Return none: the trunk must admit its native VLAN first. See :meth:`allowed_lines`."""
        return []

    def allowed_lines(self, config: PortConfig) -> list[str]:
        """Set the list, then the native VLAN, which must be on it.

        Without a native VLAN the default VLAN takes its place. It is not on the list, so untagged
        frames are dropped.
        """
        return [*super().allowed_lines(config), *super().native_lines(config)]

    def fresh_general_port(self, config: str) -> GeneralPort:
        """A telephone's VLAN is tagged beside the others."""
        return GeneralPort(takes_voice=True)

    def of_every_port(self, answers: Sequence[str], own: Sequence[str]) -> Sequence[str]:
        """Return the line that starts 802.1X, which then controls each port that it is not off for.

        (The default of ``dot1x port-control`` is ``auto``; a RADIUS server may assign a VLAN.)
        """
        started = _DOT1X.search(answers[0]) if answers else None
        off = any(re.search(r"port-control force-authorized$", line) for line in own)
        return [started[0].strip()] if started and not off else []

    def read_vlans(self, options: Options) -> list[str]:
        """Show the VLANs; the table has no shorter form."""
        return ["show vlan"]

    def saved(self, answer: str) -> bool:
        """OS6 asks for confirmation, then confirms in a sentence."""
        return "Configuration Saved!" in answer
