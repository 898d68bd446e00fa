"""Dell OS9, formerly Force10's FTOS (S, Z, C and MXL series).

Sources: Dell's configuration guides for OS9 and FTOS (Virtual LANs; Lock CONFIGURATION Mode),
published sessions, and ntc-templates' recorded output. How a save is confirmed is from Dell's
Puppet module and from memory.

A port is in Layer-2 mode (``switchport``) or carries no VLAN at all. In Layer-2 mode it is untagged
on the default VLAN until it joins another. With ``portmode hybrid``, which must be set first, it
also stays untagged on one VLAN while it is tagged on others. So a tagged-only port must not be
hybrid, and a parked port is not in Layer-2 mode. ``no switchport`` is refused while a port is on
any VLAN except the default one; if it is accepted, no VLAN was left behind.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence

from haas_rpcd.drivers.switch import portnames
from haas_rpcd.drivers.switch.byvlan import ByVlan
from haas_rpcd.drivers.switch.dialect import Options
from haas_rpcd.drivers.switch.harmless import harmless_lines
from haas_rpcd.drivers.switch.ioslike import IosLike
from haas_rpcd.drivers.switch.os9config import HARMLESS, OS9Config
from haas_rpcd.drivers.switch.patterns import at_end, on_own_line
from haas_rpcd.drivers.switch.state import PortState
from haas_rpcd.model import PortConfig


class DellOs9(ByVlan, IosLike):
    """``dell_os9``. Option ``default_vlan``: the value of ``default vlan-id``, if it is not 1."""

    name = "dell_os9"
    title = "Dell OS9 (Force10 FTOS)"
    trunks_need_vlans = True
    options = frozenset({"default_vlan"})
    configuring = re.compile(r"\(conf[^()]*\)#")
    login_failed = on_own_line(
        r"(?:error: ?)?(?:login invalid|authentication failed|access denied|bad passwords?)"
    )
    enable_failed = re.compile(
        r"% ?(?:error: ?)?(?:access denied|authentication failed|bad passwords?|"
        r"no password set|enable password)[^\r\n]*(?=[\r\n])",
        re.I,
    )
    question = at_end(r"[^\r\n]*(?:\[confirm(?: yes/no)?\]|[\[(]y(?:es)?/no?[\])]) ?:? ?")
    benign = (*IosLike.benign, r"%\s?info\b", r"%\s?note\b")
    busy = re.compile(
        r"is in exclusive configuration mode|can't lock configuration mode exclusively", re.I
    )
    harmless = HARMLESS
    save = ("copy running-config startup-config",)
    model = re.compile(r"^System Type: *(\S+)", re.M)
    version = re.compile(r"Application Software Version: *(\S+)")
    max_ranges = 5
    leave_all_first = True
    types = (
        "FastEthernet",
        "GigabitEthernet",
        "TenGigabitEthernet",
        "twentyFiveGigE",
        "fortyGigE",
        "fiftyGigE",
        "hundredGigE",
        "ManagementEthernet",
        "Port-channel",
    )

    def reply(self, question: str) -> str:
        """Answer ``[confirm yes/no]`` with the whole word."""
        return "yes\r\n" if "yes/no" in question else super().reply(question)

    def saved(self, answer: str) -> bool:
        """OS9 ends a copy with ``8380 bytes successfully copied``."""
        return "successfully copied" in answer

    # --- lines ------------------------------------------------------------------------------------

    def canonical_port(self, port: str) -> str:
        """Write the type in full, with one blank: ``te0/1`` is ``TenGigabitEthernet 0/1``."""
        return re.sub(r"(?<=[A-Za-z])(?=\d)", " ", super().canonical_port(port))

    def enter_vlan(self, vlan: int) -> str:
        """A VLAN is an interface, too."""
        return f"interface vlan {vlan}"

    def name_ports(
        self, ports: Collection[str], options: Options
    ) -> Iterator[tuple[tuple[str, ...], str]]:
        """Name the ports of one slot in a line, as the switch's configuration does."""
        slots: dict[str, list[str]] = {}
        for port in ports:
            slots.setdefault(port.rpartition("/")[0], []).append(port)
        for own in slots.values():
            yield from super().name_ports(own, options)

    def port_list(self, spans: Sequence[portnames.Span]) -> str:
        """Write ``TenGigabitEthernet 0/1-4,9``."""
        first = spans[0]
        if first.first < 0:
            return first.prefix
        return first.prefix + ",".join(span.numbers for span in spans)

    def clear_lines(self, config: PortConfig, options: Options) -> list[str]:
        """Leave Layer-2 mode. The switch refuses this for a port that is on a VLAN."""
        return ["no switchport"]

    def before_joining(self, config: PortConfig, options: Options) -> list[str]:
        """Choose the mode while the port is on no VLAN; a parked port gets none."""
        hybrid = config.untagged is not None and bool(config.tagged)
        mode = ["portmode hybrid" if hybrid else "no portmode hybrid", "switchport"]
        return ["no switchport", *([] if config.parked else mode)]

    def vlan_lines(self, vlan: int, present: bool, options: Options) -> list[str]:
        """Create and name a VLAN, or remove it; created first, so that removing it can't fail."""
        if present:
            return [self.enter_vlan(vlan), f"name haas-{vlan}", "exit"]
        return [self.enter_vlan(vlan), "exit", f"no {self.enter_vlan(vlan)}"]

    # --- reading back -----------------------------------------------------------------------------

    def read_ports(self, ports: Sequence[str], options: Options) -> list[str]:
        """Show everything: ports, and the VLANs that list them, are in different sections."""
        return ["show running-config"]

    def parse_ports(self, answers: Sequence[str], options: Options) -> dict[str, PortState]:
        """Read the whole configuration."""
        harmless = harmless_lines(self.harmless, options)
        return OS9Config(self.canonical_port, harmless).read("\n".join(answers))

    def read_vlans(self, options: Options) -> list[str]:
        """Show the VLANs."""
        return ["show vlan"]

    def parse_vlans(self, answers: Sequence[str]) -> frozenset[int]:
        """Read the table's first column, after its codes (``*``, ``G``).

        ntc-templates is no help here: its template drops rows with any code except ``*``.
        """
        found = re.finditer(
            r"^[*A-Z]{0,3}[ \t]*(\d{1,4})[ \t]+(?:In)?active\b", "\n".join(answers), re.M | re.I
        )
        return frozenset(int(match[1]) for match in found)
