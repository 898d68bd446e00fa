"""Reads LLDP neighbours from switches that show a block of lines for each.

Each neighbour is read, or else reported as :class:`Unread`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from haas_rpcd.drivers.switch.cabling import Neighbour, Unread, mac_or_text
from haas_rpcd.drivers.switch.vlantables import rows

Found = Iterator[Neighbour | Unread]

_NO_NAME = re.compile(r"|-|null|not[ -]advertised", re.I)
"""What is shown in place of a system name that was not advertised."""


def neighbour(found: Mapping[str, str]) -> Neighbour | Unread:
    """Make a neighbour from the fields that were found."""
    port, chassis, remote = (found.get(key, "") for key in ("port", "chassis", "remote_port"))
    if not (port and chassis and remote):
        missing = [
            what
            for what, text in (("port", port), ("chassis id", chassis), ("port id", remote))
            if not text
        ]
        said = ", ".join(f"{key} {text}" for key, text in found.items() if text)
        return Unread(f"a neighbour without {' and '.join(missing)} ({said})")
    name = found.get("name", "")
    return Neighbour(port, chassis, remote, None if _NO_NAME.fullmatch(name) else name)


@dataclass(frozen=True, kw_only=True)
class Blocks:
    """The form with a block of lines for each neighbour; the first group of a pattern is the value.

    ``begins``: a block's first line. ``heading``: the local port of all blocks that follow.
    ``port``: the local port, where each block has it. ``total``: how many there are. A neighbour's
    own texts may look like a block, but they do not change what the switch counts at last.
    """

    begins: re.Pattern[str]
    heading: re.Pattern[str] | None = None
    port: re.Pattern[str] | None = None
    chassis: re.Pattern[str]
    remote_port: re.Pattern[str]
    name: re.Pattern[str]
    total: re.Pattern[str] | None = None

    def __call__(self, answers: Sequence[str]) -> Found:
        """Yield the neighbours."""
        blocks = list(self.found(answers))
        yield from map(neighbour, blocks)
        yield from self.miscounted(len(blocks), answers)

    def miscounted(self, count: int, answers: Sequence[str]) -> Iterator[Unread]:
        """Yield a sentence if the switch counts another number of neighbours."""
        matches = [self.total.match(line) for line in rows(answers)] if self.total else []
        totals = [int(found[1]) for found in matches if found is not None]
        if totals and totals[-1] != count:
            yield Unread(f"{count} neighbours, of which the switch counts {totals[-1]}")

    def found(self, answers: Sequence[str]) -> Iterator[dict[str, str]]:
        """Yield what each block has. Of several lines with one key the first counts.

        What is under a heading and cannot be read is yielded as a block with the port alone.
        """
        fields = {"chassis": self.chassis, "remote_port": self.remote_port, "name": self.name}
        if self.port is not None:
            fields["port"] = self.port
        block: dict[str, str] = {}
        above: dict[str, str] = {}
        begun = expected = False
        for line in rows(answers):
            heading = self.heading.match(line) if self.heading is not None else None
            begins = self.begins.match(line)
            if (heading or (begins and begun)) and (block or expected):
                yield {**above, **block}
            if heading:
                above = {"port": heading[1].strip()}
            if heading or begins:
                block, begun, expected = {}, begins is not None, bool(above)
            for key, pattern in fields.items() if begun else ():
                if key not in block and (found := pattern.match(line)):
                    text = found[1].strip().strip('"').strip()
                    block[key] = text if key in ("port", "name") else mac_or_text(text)
        if block or expected:
            yield {**above, **block}


_TOTAL = re.compile(r"\s*Total entries displayed: *(\d+)")

_IOS = Blocks(
    begins=re.compile(r"-{20,}\s*$"),
    port=re.compile(r"Local Intf: *(\S+)"),
    chassis=re.compile(r"Chassis id: *(\S.*)"),
    remote_port=re.compile(r"Port id: *(\S.*)"),
    name=re.compile(r"System Name: *(\S.*)"),
    total=_TOTAL,
)
_IOS_ROW = re.compile(r"(\S+) +\d+ +(?:[A-Z](?:,[A-Z])* +)?(\S.*?)\s*$")
_IOS_NAME = 20
"""Characters of the column with the neighbours' names, which has no blank behind it."""


def ios(answers: Sequence[str]) -> Found:
    """Read ``show lldp neighbors detail`` and ``show lldp neighbors`` of IOS.

    Some releases leave the local port out of the details; the table has it. A neighbour is
    found there by its port id and the beginning of its name.
    """
    table: dict[tuple[str, str], set[str]] = {}
    for line in rows(answers[1:]):
        if row := _IOS_ROW.match(line[_IOS_NAME:]):
            key = (mac_or_text(row[2]), line[:_IOS_NAME].strip())
            table.setdefault(key, set()).add(row[1])
    blocks = list(_IOS.found(answers[:1]))
    for block in blocks:
        key = (block.get("remote_port", ""), block.get("name", "")[:_IOS_NAME].strip())
        if "port" not in block and len(ports := table.get(key, ())) == 1:
            block["port"] = next(iter(ports))
        yield neighbour(block)
    yield from _IOS.miscounted(len(blocks), answers[:1])


nxos = Blocks(
    begins=re.compile(r"\s*Chassis id: "),
    port=re.compile(r"\s*Local Port id: *(\S+)"),
    chassis=re.compile(r"\s*Chassis id: *(\S.*)"),
    remote_port=re.compile(r"\s*Port id: *(\S.*)"),
    name=re.compile(r"\s*System Name: *(\S.*)"),
    total=_TOTAL,
)
eos = Blocks(
    heading=re.compile(r"Interface (\S+) detected [1-9]\d* LLDP neighbors?"),
    begins=re.compile(r" *Neighbor "),
    chassis=re.compile(r" *Chassis ID +: *(\S.*)"),
    remote_port=re.compile(r" *Port ID +: *(\S.*)"),
    name=re.compile(r" *- System Name: *(\S.*)"),
)
fastiron = Blocks(
    heading=re.compile(r"Local port: *(\S+)"),
    begins=re.compile(r" *Neighbor: "),
    chassis=re.compile(r" *\+ Chassis ID \([^)]*\): *(\S.*)"),
    remote_port=re.compile(r" *\+ Port ID \([^)]*\): *(\S.*)"),
    name=re.compile(r" *\+ System name +: *(\S.*)"),
)
os9 = Blocks(
    heading=re.compile(r" *Local Interface (\S.*?) has [1-9]\d* neighbors?"),
    begins=re.compile(r" *Remote Chassis ID Subtype:"),
    chassis=re.compile(r" *Remote Chassis ID: *(\S.*)"),
    remote_port=re.compile(r" *Remote Port ID: *(\S.*)"),
    name=re.compile(r" *Remote System Name: *(\S.*)"),
)
comware = Blocks(
    heading=re.compile(r" *LLDP neighbor-information of port \d+ ?\[([^\]]+)\]"),
    begins=re.compile(r" *(?:LLDP n|N)eighbor index *:", re.I),
    chassis=re.compile(r" *Chassis ID *: *(\S.*)"),
    remote_port=re.compile(r" *Port ID *: *(\S.*)"),
    name=re.compile(r" *System name *: *(\S.*)"),
)
procurve = Blocks(
    begins=re.compile(r" *Local Port *: "),
    port=re.compile(r" *Local Port *: *(\S+)"),
    chassis=re.compile(r" *ChassisId *: *(\S.*)"),
    remote_port=re.compile(r" *PortId *: *(\S.*)"),
    name=re.compile(r" *SysName *: *(\S.*)"),
)
lldpctl = Blocks(
    heading=re.compile(r"\s*Interface: +([^\s,]+)"),
    begins=re.compile(r"\s*ChassisID: "),
    chassis=re.compile(r"\s*ChassisID: +\S+ (\S.*)"),
    remote_port=re.compile(r"\s*PortID: +\S+ (\S.*)"),
    name=re.compile(r"\s*SysName: +(\S.*)"),
)
"""lldpctl(8), which SONiC calls, and in whose form NVUE answers."""
