"""The VLANs that ports really are on, by a switch's tables, whatever put the ports there.

The configuration does not tell all: a RADIUS server assigns VLANs by 802.1X and MAB, and so do
features that nobody listed. The drift check and the probe therefore read operational membership as
a second witness, in the families that show it for all ports by one line. A port on a VLAN that its
configuration does not have is not believed. The reverse proves nothing: a port without a link, or
blocked by spanning tree, is on none of its VLANs in many tables.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from haas_rpcd.drivers.switch.portnames import numbers

_RULER = re.compile(r"\s*-{3,}(?: +-{3,})+\s*$")
_COLUMN = re.compile(r"-+")
_LINKS = re.compile(r"\([^)]*\)")
"""The links of a port-channel, behind its name: ``Po1(Te 0/0-1)``."""

_NAME = re.compile(r"([A-Za-z-]*) ?((?:\d+[/:])*)(\d+)(?:-(?:\d+[/:])*(\d+))?")
_CODED = re.compile(r"[*@A-Z]? {0,8}(\d{1,4}) +\S")
_CODE = re.compile(r"(?:^|\s)[A-Za-z] {1,2}(?P<ports>[A-Z][A-Za-z-]* ?\d[^ ]*)\s*$")
_FASTIRON_VLAN = re.compile(r"PORT-VLAN (\d+),")
_FASTIRON_PORTS = re.compile(r"\s*[\w-]+ Ports: *\((?:U(\d+)/M(\d+)|(LAG)|S(\d+))\)([ \d]+)")
_COMWARE_VLAN = re.compile(r" *VLAN ID: *(\d+)\s*")
_COMWARE_PORT = r"[A-Z][\w-]*\d(?:/\d+)*(?::\d+)?(?:\([UD]\))?"
_COMWARE_PORTS = re.compile(rf" {{2,}}{_COMWARE_PORT}(?: +{_COMWARE_PORT})*\s*")
_PROVISION_PORT = re.compile(r" *Status and Counters - VLAN Information - for ports (\S+)\s*")
_PROVISION_VLAN = re.compile(r" *(\d{1,4}) +\S.*")
_SONIC_MEMBER = re.compile(r"\bVLAN_MEMBER_TABLE\|Vlan(\d+)\|([\w.-]+)")
_JUNOS_VLAN = re.compile(r"\S+ {2,}\S+(?: +(\d+))? *")
_JUNOS_PORT = re.compile(r" +(\S+?)\*?\s*")


@dataclass(frozen=True, kw_only=True)
class Witness:
    """The table of one family."""

    line: str
    """The line that shows it, for all ports."""

    read: Callable[[str], Iterable[tuple[int, str]]]
    """Yields VLANs, each with a port on it by the name in the table."""

    written_out: Callable[[str], str] = str
    """Returns a port's name with short forms written out that only the switch itself uses."""

    only_access_ports: bool = False
    """True if a trunk without a link is shown on the VLAN that it would have as an access port."""


def named(listed: str) -> Iterator[str]:
    """Yield the ports of a list: ``Gi1/0/1-3, Te 0/1-4,9``, ``Eth1/1/1-1/1/3``, ``Po1(Te 0/1)``."""
    kind = slot = ""
    for part in _LINKS.sub("", listed).split(","):
        found = _NAME.fullmatch(part.strip())
        if found is None:
            continue
        if found[1]:
            kind, slot = found[1], found[2]
        elif found[2]:
            slot = found[2]
        for number in numbers(found[3], found[4] or found[3]):
            yield f"{kind}{slot}{number}"


def table(answer: str) -> Iterator[tuple[int, str]]:
    """Read a table with the columns ``VLAN`` and ``Ports``, in the columns of its ruler.

    IOS, NX-OS, EOS and OS6 print one, and Marvell's ROS. Rows without a number continue the VLAN
    before.
    """
    columns: list[int] = []
    at, vlan, before = 0, None, ""
    for row in answer.replace("\r", "").split("\n"):
        if _RULER.match(row):
            columns = [column.start() for column in _COLUMN.finditer(row)]
            titles = before.split()
            is_members = titles[:1] in (["VLAN"], ["Vlan"]) and "Ports" in titles
            at, vlan = (titles.index("Ports") if is_members else 0), None
        elif at and row.strip():
            first = row[: columns[1]].strip(" *")
            if first:
                vlan = int(first) if first.isdecimal() else None
            end = columns[at + 1] if at + 1 < len(columns) else len(row)
            if vlan is not None:
                yield from ((vlan, port) for port in named(row[columns[at] : end].strip(" ,")))
        before = row


def coded(answer: str) -> Iterator[tuple[int, str]]:
    """Read the tables of OS9 and OS10: ``100  Active  web  U Te 0/1-4``, and more rows below.

    The letter says how the ports are on the VLAN: ``U``, ``T``, ``A``, ``x`` (802.1X) and others.
    """
    vlan: int | None = None
    for row in answer.replace("\r", "").split("\n"):
        if begun := _CODED.match(row):
            vlan = int(begun[1])
        elif row[:1].strip():
            vlan = None
        listed = _CODE.search(_LINKS.sub("", row))
        if listed and vlan is not None:
            yield from ((vlan, port) for port in named(listed["ports"]))


def fastiron(answer: str) -> Iterator[tuple[int, str]]:
    """Read FastIron's ``show vlan``: rows of ports for each module, ``(U1/M1)   4   5``."""
    vlan: int | None = None
    for row in answer.replace("\r", "").split("\n"):
        if begun := _FASTIRON_VLAN.match(row):
            vlan = int(begun[1])
        if vlan is None or (found := _FASTIRON_PORTS.match(row)) is None:
            continue
        unit, module, lag, slot, numbers = found.groups()
        place = "lag " if lag else f"ethernet {slot}/" if slot else f"ethernet {unit}/{module}/"
        yield from ((vlan, f"{place}{number}") for number in numbers.split())


def junos(answer: str) -> Iterator[tuple[int, str]]:
    """Read ``show vlans`` of Junos with ELS: a row for each VLAN, then one for each member."""
    vlan: int | None = None
    for row in answer.replace("\r", "").split("\n"):
        if row[:1].strip():
            begun = _JUNOS_VLAN.fullmatch(row)
            vlan = int(begun[1]) if begun and begun[1] else None
        elif vlan is not None and (member := _JUNOS_PORT.fullmatch(row)):
            yield vlan, member[1]


def comware(answer: str) -> Iterator[tuple[int, str]]:
    """Read ``display vlan all``: of each VLAN its tagged and its untagged ports, in rows."""
    vlan: int | None = None
    for row in answer.replace("\r", "").split("\n"):
        if begun := _COMWARE_VLAN.fullmatch(row):
            vlan = int(begun[1])
        elif vlan is not None and _COMWARE_PORTS.fullmatch(row):
            yield from ((vlan, port.partition("(")[0]) for port in row.split())


def sonic(answer: str) -> Iterator[tuple[int, str]]:
    """Read keys of the state database: ``VLAN_MEMBER_TABLE|Vlan100|Ethernet0``.

    (vlanmgrd writes one for each member of the kernel's bridge, also for those that its access
    control assigned: sonic-swss, ``cfgmgr/vlanmgr.cpp``, ``doVlanPacVlanMemberTask``.)
    """
    return ((int(found[1]), found[2]) for found in _SONIC_MEMBER.finditer(answer))


def provision(answer: str) -> Iterator[tuple[int, str]]:
    """Read ProVision's table of each port: a row for each VLAN that it is on, tagged or not."""
    port = ""
    for row in answer.replace("\r", "").split("\n"):
        if begun := _PROVISION_PORT.fullmatch(row):
            port = begun[1]
        elif port and (member := _PROVISION_VLAN.fullmatch(row)):
            yield int(member[1]), port
