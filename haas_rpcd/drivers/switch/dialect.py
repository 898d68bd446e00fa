"""A dialect: how one family of switches is spoken to. Declarative, without I/O.

A dialect is a small module in :mod:`haas_rpcd.drivers.switch.dialects`, or a file in the folder
``[switches] dialects`` of haas.toml. It composes a :class:`Dialect` from three parts: the
*dialogue* (prompts, login, pager, errors: data), the *writer* (from wanted changes to stages of
lines), and the *reader* (from answers to the state of ports and VLANs). See ``cisco_ios`` for a
family with contexts and port ranges, ``linux_bridge`` for one whose lines each stand alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from haas_rpcd.drivers.switch import identity, patterns
from haas_rpcd.drivers.switch.cabling import CablingReader
from haas_rpcd.drivers.switch.channels import Channels
from haas_rpcd.drivers.switch.dialogue import Dialogue
from haas_rpcd.drivers.switch.harmless import IGNORE
from haas_rpcd.drivers.switch.membership import Witness
from haas_rpcd.drivers.switch.portnames import PortNames
from haas_rpcd.drivers.switch.state import Identity, PortState
from haas_rpcd.drivers.switch.writer import Options, Writer
from haas_rpcd.registered import SwitchMarks, Uptime

COMMON_OPTIONS = frozenset({"window", "ranges", "identity", IGNORE})
"""Options of every dialect. ``window``: number of lines sent ahead (1 if the switch loses input
that is typed ahead). ``ranges``: false for a model without ``interface range``. ``identity``: false
if other switches show the same serial number. ``ignore``: lines of a
port's configuration that are harmless; see :mod:`haas_rpcd.drivers.switch.harmless`."""


@dataclass(frozen=True, kw_only=True)
class Reader:
    """How one family's configuration is read back.

    It is closed-world: a line of a port that is neither understood nor known to be harmless makes
    the port *not understood* (:attr:`PortState.not_understood`).
    """

    read_ports: Callable[[Sequence[str], Options], list[str]]
    """Returns the lines that show the configuration of these ports, or of all if none is given.
    Several ports are read in one bulk read."""

    parse_ports: Callable[[Sequence[str], Options], dict[str, PortState]]
    """Returns the state of every port in the answers, by canonical name."""

    read_vlans: Callable[[Options], list[str]] = field(default=lambda options: [])
    """Returns the lines that show which VLANs exist; none if VLANs are not created."""

    parse_vlans: Callable[[Sequence[str]], frozenset[int]] = field(
        default=lambda answers: frozenset()
    )
    """Returns the ids of the VLANs in the answers."""

    witness: Witness | None = None
    """How the switch shows on which VLANs ports really are; None if it does not, for all ports by
    one line."""


def uptime_after(pattern: re.Pattern[str]) -> Callable[[str], Uptime | None]:
    """Return a reader of the duration in the pattern's first group."""

    def read(answer: str) -> Uptime | None:
        found = pattern.search(answer)
        return patterns.parse_duration(found[1]) if found else None

    return read


@dataclass(frozen=True, kw_only=True)
class About:
    """How a switch reports what it is."""

    show_version: tuple[str, ...] = ()
    """Lines that show model and version. A model that refuses one of them can be probed, too."""

    model: re.Pattern[str] | None = None
    """Its first group is the model in the answer to ``show_version``."""

    version: re.Pattern[str] | None = None
    """Its first group is the software's version in the answer to ``show_version``."""

    show_serial: str = ""
    """The line that shows serial numbers, if ``show_version`` shows none."""

    serial: re.Pattern[str] | None = None
    """Its first group is a serial number in the answer. A stack shows several."""

    base_mac: re.Pattern[str] | None = None
    """Its first group is the switch's own MAC address in the answer."""

    as_root: bool = False
    """True if ``show_version`` needs root's PATH, with the option ``sudo`` through sudo(8)."""

    show_uptime: str = ""
    """The line whose answer contains the uptime; empty if the family does not show it."""

    uptime: Callable[[str], Uptime | None] = field(default=uptime_after(patterns.UPTIME))
    """Reads the uptime; None if the answer has none."""

    def lines(self, options: Options) -> list[str]:
        """Return the lines whose answers tell model and version. The switch may refuse them."""
        sudo = "sudo -n " if self.as_root and options.get("sudo") else ""
        return [f"{sudo}{line}" for line in self.show_version]

    def serial_lines(self, options: Options) -> list[str]:
        """Return the lines whose answers tell serial numbers or the base MAC."""
        return [self.show_serial] if self.show_serial else self.lines(options)

    def identity(self, answers: Sequence[str]) -> Identity:
        """Read model and version from the answers to :meth:`lines`."""
        text = "\n".join(answers)
        found = [
            pattern.search(text) if pattern else None for pattern in (self.model, self.version)
        ]
        return Identity(*(match[1].strip() if match else "" for match in found))

    def marks(self, answers: Sequence[str]) -> SwitchMarks:
        """Read the serial numbers or base MAC from the answers to :meth:`serial_lines`."""
        return identity.marks("\n".join(answers), self.serial, self.base_mac)


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """One family of switches."""

    name: str
    title: str = ""
    """The family's name for people, e.g. ``Cisco IOS (Catalyst)``."""

    dialogue: Dialogue
    writer: Writer
    reader: Reader
    about: About = About()
    cabling: CablingReader | None = None
    """How the switch shows its LLDP neighbours and its MAC table; None if neither is read."""

    canonical_port: Callable[[str], str]
    """Returns the canonical name of a port that its switch accepts under several names.

    Two registered names with one canonical name are the same port, which must never have two nics
    behind it. Raises ValueError, with a sentence, for an ambiguous name."""

    example_ports: tuple[str, ...] = ()
    """Two neighbouring ports, as an admin registers them. Those of the families in this package are
    in docs/command-lines.md."""

    numbered_ports: bool = True
    """False if ports may have any name, such as ``uplink``."""

    port_names: PortNames | None = None
    """The names that ports can have; None if that is not known. Others are not registered."""

    options: frozenset[str] = frozenset()
    """Options that a switch of this dialect may be registered with, besides the common ones."""

    declares_vlans: bool = True
    """True if a VLAN must be created before a port can carry it."""

    channels: Channels | None = None
    """How the switch bundles ports to channels; None if HaaS cannot make it do that."""

    reserved_vlans: frozenset[int] = frozenset()
    """VLANs that the switch uses itself and nobody can create."""

    trunks_need_vlans: bool = False
    """True if a trunk port accepts only existing VLANs, and forgets a VLAN that is removed.

    The master's trunk carries the whole pool. On such a switch every VLAN of the pool must
    therefore exist for good: missing ones are created when a port needs them, none is removed."""

    @property
    def saves(self) -> bool:
        """True if the running configuration must be saved to survive a restart."""
        return bool(self.dialogue.save)
