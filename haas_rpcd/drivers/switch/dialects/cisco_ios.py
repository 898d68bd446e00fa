"""Cisco IOS on Catalyst switches.

Sources: Cisco's "Catalyst 2960 Switch Command Reference" (Release 15), and open-source drivers.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar

from haas_rpcd.drivers.switch import portnames
from haas_rpcd.drivers.switch.dialect import Options
from haas_rpcd.drivers.switch.ioslike import IosLike, range_with_blanks
from haas_rpcd.drivers.switch.sessionlist import SessionList
from haas_rpcd.drivers.switch.switchport import TAG_NATIVE, Switchport, tags_native

_GLOBAL_LINES = (
    "show running-config | include "
    rf"^monitor session|^ destination interface|^vlan {TAG_NATIVE}"
)


class CiscoIos(IosLike):
    """``cisco_ios``. Option ``encapsulation``: "dot1q", for models that also know ISL (3560, 3750).

    These models refuse ``switchport mode trunk`` until the encapsulation is set. The others lack
    the command.
    """

    name = "cisco_ios"
    title = "Cisco IOS and IOS XE (Catalyst)"
    options = frozenset({"encapsulation"})
    setup = ("terminal length 0", "terminal width 511")
    save = ("write memory",)
    errors = (
        *IosLike.errors,
        r"vtp vlan configuration not allowed",
        r"command authorization failed",
        r"configuration mode (?:is )?locked",
    )
    benign = (*IosLike.benign, r"%\s?portfast will be configured")
    busy = re.compile(r"configuration mode (?:is )?locked", re.I)
    model = re.compile(r"^(?:Model number\s*: *|cisco (?=\S+ \())(\S+)", re.M | re.I)
    version = re.compile(r"Version ([^,\s]+)")
    sessions = SessionList("show users", end="clear line {line}")
    max_ranges = 5
    types = (
        "Ethernet",
        "FastEthernet",
        "GigabitEthernet",
        "TwoGigabitEthernet",
        "FiveGigabitEthernet",
        "TenGigabitEthernet",
        "TwentyFiveGigE",
        "FortyGigabitEthernet",
        "FiftyGigE",
        "HundredGigE",
        "TwoHundredGigE",
        "FourHundredGigE",
        "AppGigabitEthernet",
        "Port-channel",
    )
    short_forms: ClassVar[dict[str, str]] = {
        "tw": "TwoGigabitEthernet",
        "fi": "FiveGigabitEthernet",
        "fo": "FortyGigabitEthernet",
    }
    trunk_mode = ("switchport mode trunk", "switchport nonegotiate")
    no_voice_vlan = ("no switchport voice vlan",)

    def enter_range(self, spans: Sequence[portnames.Span]) -> str:
        """Write blanks around dash and comma; older IOS refuses ranges without them."""
        return f"interface range {range_with_blanks(spans)}"

    def before_trunk(self, options: Options) -> list[str]:
        """Set the encapsulation on models that have a choice."""
        encapsulation = options.get("encapsulation")
        return [f"switchport trunk encapsulation {encapsulation}"] if encapsulation else []

    def read_ports(self, ports: Sequence[str], options: Options) -> list[str]:
        """Show also the lines outside of a port's section that decide about it."""
        lines = super().read_ports(ports, options)
        return lines if lines == ["show running-config"] else [*lines, _GLOBAL_LINES]

    def fresh_port(self, config: str) -> Switchport:
        """Ports negotiate: one becomes a trunk as soon as its node asks for that.

        So the VLANs of that trunk count as carried.
        """
        tagged = tags_native(config)
        return Switchport(
            "dynamic", native_tagged=tagged, may_tag_native=tagged, address_routes=True
        )

    def saved(self, answer: str) -> bool:
        """IOS ends a successful save with ``[OK]``."""
        return "[OK]" in answer
