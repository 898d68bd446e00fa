"""Reads a switch's LLDP neighbours and MAC table, in the driver's session."""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from haas_rpcd.drivers.switch.answers import quote
from haas_rpcd.drivers.switch.cabling import Cabling, Learnt, Neighbour, Table, Unread
from haas_rpcd.drivers.switch.dialect import Dialect
from haas_rpcd.drivers.switch.shell import as_root
from haas_rpcd.drivers.switch.writer import Options
from haas_rpcd.errors import DeviceError

log = logging.getLogger(__name__)

T = TypeVar("T")
Row = TypeVar("Row", Neighbour, Learnt)

Show = Callable[[Sequence[str]], Awaitable[list[str]]]

_OFF = re.compile(r"\blldp\b[^\r\n]{0,60}\b(?:not|disabled?|off)\b", re.I)
"""The answer of a switch whose LLDP is off: ``% LLDP is not enabled``."""

_MOST_UNREAD = 20
"""How many of the lines that could not be read are quoted."""


class Parse(Protocol):
    """Parses the answers to lines, without log messages. Raises DeviceError ``unreadable``."""

    async def __call__(
        self, lines: Sequence[str], answers: Sequence[str], parse: Callable[[list[str]], T]
    ) -> T:
        """Return what ``parse`` returns."""
        ...


@dataclass(frozen=True)
class CablingSession:
    """Reads through ``show`` and ``parse``."""

    name: str
    dialect: Dialect
    options: Options
    show: Show
    parse: Parse

    async def read(self) -> Cabling:
        """Return all that the switch tells. Raises DeviceError.

        A switch that refuses to show neighbours has LLDP off, or lacks it; what it said is among
        what could not be read. One that refuses to show its MAC table is an error: an empty table
        would look as if nothing were plugged in.
        """
        reader = self.dialect.cabling
        neighbours: list[Neighbour] = []
        learnt: list[Learnt] = []
        unread: list[str] = []
        lldp = False
        if reader is not None and reader.neighbours is not None:
            try:
                neighbours, said = await self._rows(reader.neighbours, unread)
                lldp = bool(neighbours) or not _OFF.search(said)
            except DeviceError as error:
                if error.reason != "refused":
                    raise
                if not _OFF.search(error.message):
                    unread.append(error.message)
        if reader is not None and reader.learnt is not None:
            learnt, _ = await self._rows(reader.learnt, unread)
        if unread:
            # Not a warning: a proof reads every two seconds, and the answer has these lines too.
            log.info("%s: not read of its cabling: %s", self.name, "; ".join(unread[:3]))
        return Cabling(tuple(neighbours), tuple(learnt), lldp, tuple(unread[:_MOST_UNREAD]))

    async def _rows(self, table: Table[Row], unread: list[str]) -> tuple[list[Row], str]:
        """Return a table's rows by the ports' canonical names, and the beginning of what was said.

        Rows that name no port, such as the switch's own CPU, are left out.
        """
        lines, answers = await self._answers(table)

        def parsed(shown: list[str]) -> list[Row | Unread]:
            return list(dict.fromkeys(map(self._at_port, table.read(shown))))

        rows: list[Row] = []
        for row in await self.parse(lines, answers, parsed):
            if isinstance(row, Unread):
                unread.append(quote(row.line))
            elif self._is_port(row.port):
                rows.append(row)
        return rows, answers[0][:1000]

    async def _answers(self, table: Table[Row]) -> tuple[list[str], list[str]]:
        lines = self._lines(table.lines, table)
        try:
            return lines, await self.show(lines)
        except DeviceError as error:
            if error.reason != "refused" or not table.otherwise or _OFF.search(error.message):
                raise
        lines = self._lines(table.otherwise, table)
        return lines, await self.show(lines)

    def _lines(self, lines: Sequence[str], table: Table[Row]) -> list[str]:
        return [as_root(line, self.options) if table.as_root else line for line in lines]

    def _at_port(self, row: Row | Unread) -> Row | Unread:
        if isinstance(row, Unread) or self.dialect.cabling is None:
            return row
        shown = self.dialect.cabling.written_out(row.port)
        try:
            return replace(row, port=self.dialect.canonical_port(shown))
        except ValueError as error:
            return Unread(str(error))

    def _is_port(self, port: str) -> bool:
        names = self.dialect.port_names
        return names is None or names.pattern.fullmatch(port) is not None
