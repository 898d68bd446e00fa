"""Reads the MAC tables of switches: which addresses each port has learnt.

Only learnt addresses count, not the switch's own, static or multicast ones. A line with a MAC
address is a row that is understood, or it is reported as :class:`Unread`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from haas_rpcd.drivers.switch.cabling import MAC, Learnt, Unread, is_group, mac_or_text
from haas_rpcd.drivers.switch.jsonanswers import decoded
from haas_rpcd.drivers.switch.vlantables import rows

Found = Iterator[Learnt | Unread]

_HAS_MAC = re.compile(rf"(?<![\w.:-]){MAC}(?![\w:-])")
_LIKE_A_ROW = re.compile(r"[*+]? *\d+ .*\b(?:dynamic|learned)\b", re.I)
"""A row whose address cannot be read."""

_V, _M, _K = r"(?P<vlan>\S+)", rf"(?P<mac>{MAC})", r"(?P<kind>\S+)"
_PORT = r"(?P<port>\S+)"
_LAST = rf"(?:.* )?{_PORT} *"
"""The port at the end of a row, behind columns that differ from model to model."""


@dataclass(frozen=True)
class MacRows:
    """A table with one address a row.

    ``forms``: the rows of the models; the first that fits a row counts. Their groups are ``mac``,
    ``port`` and, if the table has them, ``vlan`` and ``kind``. ``learnt``: the kinds of addresses
    that count.
    """

    forms: tuple[re.Pattern[str], ...]
    learnt: re.Pattern[str]

    def __call__(self, answers: Sequence[str]) -> Found:
        """Yield the learnt addresses."""
        for line in rows(answers):
            if not _HAS_MAC.search(line) and not _LIKE_A_ROW.match(line):
                continue
            found = next((row for form in self.forms if (row := form.fullmatch(line))), None)
            if found is None:
                yield Unread(line.strip())
            elif self.learnt.fullmatch(found.groupdict().get("kind") or ""):
                yield from learnt(found["port"], found["mac"], found.groupdict().get("vlan"))


def learnt(port: str, mac: str, vlan: str | None) -> Iterator[Learnt]:
    """Yield an address, unless it is a multicast one."""
    address = mac_or_text(mac)
    if not is_group(address):
        number = int(vlan) if vlan is not None and vlan.isdecimal() else None
        yield Learnt(port, address, number)


def _table(*forms: str, learnt: str = "dynamic") -> MacRows:
    return MacRows(tuple(map(re.compile, forms)), re.compile(learnt, re.I))


ios = _table(
    rf" *(?:[*+A-Z#~]+ +)*{_V} +{_M} +{_K} +{_LAST}",
    rf" *{_M} +{_K} +{_V} +{_PORT} *",  # Catalysts before 12.2
    rf" *(?:\S+ +)?{_V} +{_M} +{_K} *",  # a static address without a port
)
"""IOS and NX-OS: the VLAN, the address, its kind, other columns, and at last the port."""

eos = _table(rf" *{_V} +{_M} +{_K} +{_PORT}(?: +\d.*| [\w/ ]+)? *")
"""EOS has the moves behind the port, and several ports of a multicast address."""

fastiron = _table(
    rf" *{_M} +{_PORT} +(?P<kind>[A-Za-z]\S*)(?: +\d+)? +(?P<vlan>\d+) *",
    rf" *{_M} +{_PORT} +\d+ +(?P<vlan>\d+)(?: +(?P<kind>\S+))? *",  # with the age, before 08.0
    learnt="dynamic|",
)
os6 = _table(rf" *{_V} +{_M} +{_K} +{_PORT} *")
os9 = _table(rf" *{_V} +{_M} +(?P<kind>\w+) +(?P<port>[A-Za-z]+ [\d/:]+) +\w+ *")
os10 = _table(rf" *{_V} +{_M} +{_K} +{_PORT} *")
ros = _table(rf" *{_V} +{_M} +{_PORT} +{_K} *")
"""Marvell's ROS, which PowerConnect 55xx run."""

comware = _table(rf" *{_M} +{_V} +(?P<kind>\S+(?: \S+)*?) +{_PORT} +\S+ *", learnt="learned")
procurve = _table(rf" *{_M} +{_PORT}(?: +{_V})? *", learnt="")
sonic = _table(rf" *\d+ +{_V} +{_M} +(?P<port>[A-Za-z][\w.-]*) +{_K} *")

_JUNOS = _table(rf" *{_V} +{_M} +{_K} +\S+ +{_PORT}(?: .*)?", learnt="D[A-Z,]*")
_JUNOS_VLAN = re.compile(r"\S+ {2,}(\S+) +(\d+) *")


def junos(answers: Sequence[str]) -> Found:
    """Read ``show ethernet-switching table`` and ``show vlans``, which has the VLANs' numbers."""
    numbers: dict[str, int | None] = {}
    for line in rows(answers[1:]):
        if row := _JUNOS_VLAN.fullmatch(line):
            # The same name in two routing instances says nothing.
            numbers[row[1]] = None if row[1] in numbers else int(row[2])
    for line in rows(answers[:1]):
        for found in _JUNOS([line]):
            if isinstance(found, Learnt):
                name = line.split()[0]
                found = Learnt(found.port, found.mac, numbers.get(name))
            yield found


# --- machines with a shell ------------------------------------------------------------------------


class _Entry(msgspec.Struct):
    mac: str = ""
    ifname: str = ""
    vlan: int | None = None
    master: str = ""
    state: str = ""
    dst: str = ""


_FIXED = frozenset({"permanent", "static", "noarp"})


def linux(answers: Sequence[str]) -> Found:
    """Read ``bridge -json fdb show``. Raises ValueError.

    Entries without a master are a nic's own filters; those with a ``dst`` are behind a tunnel.
    """
    for entry in decoded(answers[0], "[", list[_Entry]) if answers[0].strip() else ():
        if not entry.master or entry.dst or entry.state in _FIXED:
            continue
        if not re.fullmatch(MAC, entry.mac) or not entry.ifname:
            yield Unread(f"mac {entry.mac} ifname {entry.ifname}")
        else:
            vlan = None if entry.vlan is None else str(entry.vlan)
            yield from learnt(entry.ifname, entry.mac, vlan)


_OVS_PORT = re.compile(r" {4}(\S+) (\d+)/\S+: \(")
_OVS_BRIDGE = re.compile(r" {2}(\S+):\s*")
_OVS_ROW = re.compile(rf" *(?P<port>\d+|LOCAL) +(?P<vlan>\d+) +{_M} +(?P<age>\d+|static) *")
_OVS_TABLE = re.compile(r"bridge (\S+)\s*")


def openvswitch(answers: Sequence[str]) -> Found:
    """Read ``ovs-appctl dpif/show``, then ``fdb/show`` of each bridge behind ``bridge NAME``.

    The table names ports by their OpenFlow numbers, which each bridge gives by itself.
    """
    names: dict[tuple[str, str], str] = {}
    bridge = ""
    for line in rows(answers[:1]):
        if heading := _OVS_BRIDGE.fullmatch(line):
            bridge = heading[1]
        elif port := _OVS_PORT.match(line):
            names[bridge, port[2]] = port[1]
    for line in rows(answers[1:]):
        if heading := _OVS_TABLE.fullmatch(line):
            bridge = heading[1]
        elif _HAS_MAC.search(line):
            yield from _of_bridge(line, bridge, names)


def _of_bridge(line: str, bridge: str, names: Mapping[tuple[str, str], str]) -> Found:
    row = _OVS_ROW.fullmatch(line)
    if row is None:
        yield Unread(line.strip())
    elif row["age"] == "static" or row["port"] == "LOCAL":
        return
    elif (name := names.get((bridge, row["port"]))) is None:
        yield Unread(f"bridge {bridge} {line.strip()}")
    else:
        yield from learnt(name, row["mac"], row["vlan"] if row["vlan"] != "0" else None)
