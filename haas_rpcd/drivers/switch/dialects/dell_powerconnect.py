"""Dell PowerConnect 55xx (5524, 5548), and related switches with Marvell's ROS (35xx, R1-2210).

Sources: published sessions and configurations of 3548, 5324, 5524, 5548 and R1-2210, and what the
drivers of HIL and networking-generic-switch send to such switches and expect. Dell's CLI reference
was not available. Two things are inferred: how a 5548 shows a trunk's list (as VLANs added, or
removed), and that VLANs that are not on the list can be removed from it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from haas_rpcd.drivers.switch.dell import DellLike, GeneralPort
from haas_rpcd.drivers.switch.dialect import Options
from haas_rpcd.drivers.switch.patterns import at_end
from haas_rpcd.drivers.switch.script import Block, Stage
from haas_rpcd.drivers.switch.switchport import ALL_VLANS
from haas_rpcd.model import PortConfig, SetVlan, Uptime, vlan_ranges

_VOICE_VLAN = re.compile(r"^ *voice vlan id (\d+)[ \t\r]*$", re.M | re.I)


class DellPowerConnect(DellLike):
    """``dell_powerconnect``. Option ``access_none``: false for models without ``access vlan none``.

    On those models a parked port returns to the default VLAN, as in other families.
    """

    name = "dell_powerconnect"
    title = "Dell PowerConnect 55xx"
    trunks_need_vlans = True
    options = frozenset({"access_none"})

    window = 1
    """The switch reads from one small buffer and loses input that arrives while it works on a line,
    as everyone knows who pastes into it. Waiting for each answer costs a round trip, which is short
    compared to the time that a line takes."""

    setup = ("terminal datadump",)
    save = ("copy running-config startup-config",)
    show_version = ("show version", "show system")
    show_uptime = "show system"
    logout = ("exit",)
    question = at_end(
        r"[^\r\n]*(?:\[confirm\]|[\[(]y(?:es)?/no?[\])][^\r\n]{0,8}|"
        r"\[yes/press any key for no\]\.*) ?"
    )
    errors = (
        *DellLike.errors,
        r"vlan (?:\d+ )?was not created by user",
        r"configuration database locked",
        r"(?:port|interface)(?: \S+)? is not",
        r"copy failed",
        r"operation failed",
        r"authentication failed",
    )
    benign = (*DellLike.benign, r"%\s?overwrite file")
    busy = re.compile(r"configuration database locked by another application", re.I)
    model = re.compile(r"(PowerConnect [A-Z]?\d{4}\w*)")
    version = re.compile(r"^(?:SW version|[ ]*1)[ ]+(\d+(?:\.\d+){2,})\b", re.M | re.I)
    uptime = re.compile(r"(?<![\d,])(\d+),(\d\d):(\d\d):(\d\d)\b")
    no_voice_vlan = ("no voice vlan enable",)
    """("The device supports a single voice VLAN", and adds ports to it by itself: Dell's
    "PowerConnect 55xx Systems User Guide", "Voice VLAN". Older models lack the command.)"""

    optional_lines = frozenset(no_voice_vlan)
    types = ("gigabitethernet", "tengigabitethernet", "fastethernet", "port-channel")

    # --- dialogue ---------------------------------------------------------------------------------

    def reply(self, question: str) -> str:
        """Send the key and Enter: some firmware reads the one, some the other."""
        return "Y\r\n"

    def error_in(self, answer: str, prompt: re.Match[str]) -> str | None:
        """Find the error. A missing VLAN is no error in the context where VLANs are removed."""
        error = super().error_in(answer, prompt)
        if error and "(config-vlan)" in prompt.group() and "not created by user" in error:
            return None
        return error

    def saved(self, answer: str) -> bool:
        """Older firmware confirms only by a log message, newer firmware also in the answer."""
        return re.search(r"copy succeeded|copy operation was completed", answer, re.I) is not None

    def parse_uptime(self, answer: str) -> Uptime | None:
        """Read ``days,hours:minutes:seconds``, which is shown for each unit of a stack."""
        found = self.uptime.search(answer)
        if found is None:
            return None
        days, hours, minutes, seconds = map(int, found.groups())
        return Uptime(((days * 24 + hours) * 60 + minutes) * 60 + seconds, resolution=1)

    # --- lines ------------------------------------------------------------------------------------

    def port_stages(self, config: PortConfig, options: Options) -> list[list[str]]:
        """Return the lines for a port. A parked port has no access VLAN, so opening it is harmless.

        A list of VLANs can't be set as a whole, only added to and removed from. So all wanted VLANs
        are added, and all others removed.
        """
        if config.parked:
            nothing = "switchport access vlan none"
            if options.get("access_none") is False:
                nothing = self.no_access_vlan
            rest = (self.no_allowed_vlan, *self.no_voice_vlan)
            return [["shutdown"], ["switchport mode access", nothing, *rest]]
        if not config.tagged:
            return super().port_stages(config, options)
        native = "none" if config.untagged is None else str(config.untagged)
        others = sorted(set(ALL_VLANS) - config.vlans)
        allowed = "switchport trunk allowed vlan"
        return [
            [
                *(f"{allowed} add {row}" for row in self.split_list(vlan_ranges(config.vlans))),
                # In between: the native VLAN must be on the list, and can't be removed from it.
                f"switchport trunk native vlan {native}",
                *(f"{allowed} remove {row}" for row in self.split_list(vlan_ranges(others))),
                *self.no_voice_vlan,
            ],
            list(self.trunk_mode),
            ["no shutdown"],
        ]

    def vlan_script(self, changes: Mapping[int, SetVlan], options: Options) -> list[Stage]:
        """Create and remove VLANs in one visit to the VLAN database; then name the new ones."""
        made = {index: change.vlan for index, change in changes.items() if change.present}
        stages: list[Stage] = [
            [
                Block(
                    (index,),
                    (f"vlan {change.vlan}" if change.present else f"no vlan {change.vlan}",),
                    "vlan database",
                    "exit",
                )
                for index, change in changes.items()
            ],
            [
                Block((index,), (f"name haas-{vlan}",), f"interface vlan {vlan}", "exit")
                for index, vlan in made.items()
            ],
        ]
        return [stage for stage in stages if stage]

    # --- reading back -----------------------------------------------------------------------------

    def fresh_general_port(self, config: str) -> GeneralPort:
        """A port on which the voice VLAN is enabled joins it once it hears a telephone."""
        found = _VOICE_VLAN.search(config)
        return GeneralPort(switch_voice=int(found[1]) if found else None)

    def read_vlans(self, options: Options) -> list[str]:
        """Show the VLANs with all their ports; there is no shorter table."""
        return ["show vlan"]
