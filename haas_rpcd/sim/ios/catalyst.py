"""`Catalyst`: a switch with IOS as its commands see it: configuration, log and clock."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from haas_rpcd.sim.cli import CliSwitch
from haas_rpcd.sim.ios import configuration
from haas_rpcd.sim.ios.state import Chassis, Config
from haas_rpcd.sim.ios.vlanlist import format_list
from haas_rpcd.sim.ioslike.show import default_vlan_name

BOOT = datetime(1993, 3, 1)
"""The time at boot if the clock was never set."""


class Catalyst(CliSwitch[Config]):
    """A switch with IOS, as its commands see it."""

    chassis: Chassis

    def running_config(self) -> list[str]:
        """Return the lines of the running configuration."""
        header = [f"! Last configuration change at {self.now():%H:%M:%S} UTC {self.date()}", "!"]
        return configuration.running_config(self.running, self.chassis, header)

    def add_vlans(self, vlans: Mapping[int, str | None]) -> list[str]:
        """Create VLANs, with the given names (``""``: the default one); return what is printed.

        IOS commits config-vlan mode as a whole, so either all are created or none.
        """
        extended = [v for v in vlans if v > 1005 and v not in self.running.vlans]
        if extended and self.running.vtp_mode == "server":
            return [
                f"% Failed to create VLANs {format_list(extended)}",
                "Extended VLAN(s) not allowed in current VTP mode.",
                "%Failed to commit extended VLAN(s) changes.",
            ]
        for vlan, name in vlans.items():
            for other, taken in self.running.vlans.items():
                if name and name == taken and vlan != other:
                    return [f"VLAN #{vlan} and #{other} have an identical name: {name}"]
        for vlan, name in vlans.items():
            self.running.add_vlan(vlan)
            if name is not None:
                self.running.vlans[vlan] = name or default_vlan_name(vlan)
        self.touch(*self.names.all)
        return []

    def delete_vlans(self, vlans: Iterable[int]) -> None:
        """Delete VLANs. Their ports keep the setting and carry nothing."""
        for vlan in vlans:
            self.running.vlans.pop(vlan, None)
        self.touch(*self.names.all)

    def write_memory(self) -> list[str]:
        """Write the configuration to NVRAM; return what is printed."""
        if not self.save():
            return self.save_error
        return ["Building configuration...", "[OK]"]

    def log(self, text: str) -> None:
        """Send a system message to the sessions with ``terminal monitor``."""
        stamped = f"*{self.now():%b} {self.now().day:>2} {self.now():%H:%M:%S.%f}"[:-3]
        super().log(f"{stamped}: {text}")

    def now(self) -> datetime:
        """Return the switch's time. Its clock was never set, so it starts on 1 March 1993."""
        return BOOT + timedelta(seconds=time.monotonic() - self.booted)

    def date(self) -> str:
        """Return the day as IOS writes it: ``Mon Mar 1 1993``."""
        now = self.now()
        return f"{now:%a %b} {now.day} {now.year}"

    def uptime(self) -> str:
        """Return the uptime as in ``show version``: ``1 day, 2 hours, 3 minutes``."""
        minutes = int(time.monotonic() - self.booted) // 60
        parts = []
        for unit, size in (("week", 10080), ("day", 1440), ("hour", 60), ("minute", 1)):
            count, minutes = divmod(minutes, size)
            if count or unit == "minute":
                parts.append(f"{count} {unit}{'' if count == 1 else 's'}")
        return ", ".join(parts)
