"""Reads LLDP neighbours from switches that show a table, or JSON.

Each neighbour is read, or else reported as :class:`Unread`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from haas_rpcd.drivers.switch import lldpblocks
from haas_rpcd.drivers.switch.cabling import MAC, Unread, mac_or_text
from haas_rpcd.drivers.switch.jsonanswers import decoded
from haas_rpcd.drivers.switch.lldpblocks import Found, neighbour
from haas_rpcd.drivers.switch.vlantables import rows

_TITLE = re.compile(r"\S+(?: \S+)*")
_RULER = re.compile(r" *-{3,}(?: +-{2,})+\s*$")
_NO_ROW = re.compile(r"[- ]{10,}\s*|\{[\w:-]+\}\s*")
"""A rule, or Junos's banner before its prompt: ``{master:0}``."""

_HAS_MAC = re.compile(MAC)
_PORT = re.compile(r"[\w./:-]*\d[\w./:-]*(?: [\d/:]+)?")


@dataclass(frozen=True, kw_only=True)
class Columns:
    """The form with a row for each neighbour; the fields are the titles of the columns.

    ``continued``: long texts go on in the rows below, whose first cell is empty. ``early``: a cell
    may begin that many characters before its title.
    """

    port: str
    chassis: str
    remote_port: str
    name: str
    continued: bool = False
    early: int = 0

    def __call__(self, answers: Sequence[str]) -> Found:
        """Yield the neighbours."""
        cells: dict[str, str] | None = None
        for found in self._rows(answers):
            if isinstance(found, Unread):
                yield found
                continue
            if found["port"] and cells is not None:
                yield from self._of_row(cells)
            if found["port"]:
                cells = found
            elif cells is not None and self.continued:
                cells = {key: text + found[key] for key, text in cells.items()}
            else:
                yield Unread(" ".join(filter(None, found.values())))
        if cells is not None:
            yield from self._of_row(cells)

    def _rows(self, answers: Sequence[str]) -> Iterator[dict[str, str] | Unread]:
        columns: list[tuple[str, int]] = []
        header = ""
        for line in rows(answers):
            if all(title in line for title in (self.port, self.chassis, self.name)):
                header = line
                columns = self._titled(
                    [(found[0], found.start()) for found in _TITLE.finditer(line)]
                )
            elif header and _RULER.match(line):
                at = [dashes.start() for dashes in re.finditer("-+", line)]
                columns = self._titled([(header[a:b].strip(), a) for a, b in _spans(at)])
            elif line.strip() and not _NO_ROW.fullmatch(line):
                if columns:
                    yield self._cells(line, columns)
                elif _HAS_MAC.search(line):  # its header was not read
                    yield Unread(line.strip())

    def _titled(self, columns: list[tuple[str, int]]) -> list[tuple[str, int]]:
        """Return the columns, or none if it is another table."""
        wanted = {self.port, self.chassis, self.remote_port, self.name}
        return columns if wanted <= {title for title, _ in columns} else []

    def _cells(self, line: str, columns: list[tuple[str, int]]) -> dict[str, str] | Unread:
        starts = [self._start(line, at) for _, at in columns]
        cut = [line[a:b].strip() for a, b in _spans(starts)]
        if any(line[at - 1 : at].strip() and line[at : at + 1].strip() for at in starts[1:]):
            cut = re.split(r" {2,}", line.strip())  # a text is longer than its column
            if len(cut) != len(columns):
                return Unread(line.strip())
        by_title = dict(zip((title for title, _ in columns), cut, strict=True))
        found = {
            "port": by_title[self.port],
            "chassis": by_title[self.chassis],
            "remote_port": by_title[self.remote_port],
            "name": by_title[self.name],
        }
        is_row = _PORT.fullmatch(found["port"]) or (self.continued and not found["port"])
        return found if is_row else Unread(line.strip())

    def _of_row(self, cells: dict[str, str]) -> Found:
        """Yield the neighbour of a row. A port by itself has none, in families that show such."""
        if cells["chassis"] or cells["remote_port"] or self.continued:
            ids = {key: mac_or_text(cells[key]) for key in ("chassis", "remote_port")}
            yield neighbour({**cells, **ids})

    def _start(self, line: str, at: int) -> int:
        """Return where a cell begins."""
        for start in range(at, max(at - self.early - 1, 0), -1):
            if not line[start - 1 : start].strip():
                return start
        return at


def _spans(starts: list[int]) -> Iterator[tuple[int, int | None]]:
    return zip(starts, [*starts[1:], None], strict=True)


os6 = Columns(port="Interface", chassis="Chassis ID", remote_port="Port ID", name="System Name")
os10 = Columns(
    port="Loc PortID",
    chassis="Rem Chassis Id",
    remote_port="Rem Port Id",
    name="Rem Host Name",
    early=1,
)
ros = Columns(
    port="Port",
    chassis="Device ID",
    remote_port="Port ID",
    name="System Name",
    continued=True,
)
"""Marvell's ROS, which PowerConnect 55xx run."""

junos = Columns(
    port="Local Interface",
    chassis="Chassis Id",
    remote_port="Port info",
    name="System Name",
)

_PROCURVE = Columns(port="LocalPort", chassis="ChassisId", remote_port="PortId", name="SysName")
_IS_TABLE = re.compile(r"\bLocalPort\b")
_BARS = str.maketrans("|+", "  ")


def procurve(answers: Sequence[str]) -> Found:
    """Read ``show lldp info remote-device detail``, or the table of models without details."""
    if _IS_TABLE.search(answers[0]):
        return _PROCURVE([answer.translate(_BARS) for answer in answers])
    return lldpblocks.procurve(answers)


# --- lldpd's JSON ---------------------------------------------------------------------------------


class _Value(msgspec.Struct):
    value: Any = ""


class _Side(msgspec.Struct):
    id: list[_Value] = []
    name: list[_Value] = []


class _Interface(msgspec.Struct):
    name: str
    via: str = "LLDP"
    chassis: list[_Side] = []
    port: list[_Side] = []


class _Lldp(msgspec.Struct):
    interface: list[_Interface] = []


class _Neighbours(msgspec.Struct):
    lldp: list[_Lldp] = []


def lldpd(answers: Sequence[str]) -> Found:
    """Read ``lldpcli -f json0 show neighbors``, in which everything is a list. Raises ValueError.

    lldpd also hears protocols such as CDP, which are left out.
    """
    shown = decoded(answers[0], "{", _Neighbours)
    for heard in (each for part in shown.lldp for each in part.interface):
        if heard.via.upper() != "LLDP":
            continue
        found = {
            "port": heard.name,
            "chassis": mac_or_text(_first([each for side in heard.chassis for each in side.id])),
            "remote_port": mac_or_text(_first([each for side in heard.port for each in side.id])),
            "name": _first([each for side in heard.chassis for each in side.name]),
        }
        yield neighbour(found)


def _first(values: list[_Value]) -> str:
    return str(values[0].value) if values else ""
