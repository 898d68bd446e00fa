"""The board's filter: its fields, and where a plain word is searched for."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from haas_console.core import filters
from haas_console.core.nictext import network_text
from haas_schemas.node import Nic, NicPort, Node

Row = tuple[Node, Nic | None]
"""A node and one of its nics; None for a node without nics."""

Test = Callable[[Row], bool]


def _networks(nic: Nic | None) -> list[str]:
    if nic is None:
        return []
    found = [link.network or "" for link in (*nic.networks, *(nic.applied or ()))]
    return found or (["parked"] if nic.state != "unwired" else [])


def _of_nic(value: Callable[[Nic], str | None]) -> Callable[[Row], Iterable[str]]:
    return lambda row: (value(row[1]) or "none",) if row[1] else ()


def places_of(nic: Nic | None, value: Callable[[NicPort], str]) -> Iterable[str]:
    """Return something of each port that a nic is plugged into; ``none`` if there is none."""
    if nic is None:
        return ()
    return tuple(value(place) for place in nic.legs) or ("none",)


FIELDS: dict[str, Callable[[Row], Iterable[str]]] = {
    "node": lambda row: (row[0].node,),
    "nic": _of_nic(lambda nic: nic.nic),
    "state": lambda row: (row[0].state, row[1].state) if row[1] else (row[0].state,),
    "project": lambda row: (row[0].project or "none",),
    "tag": lambda row: row[0].tags,
    "tags": lambda row: row[0].tags,  # as the column is called
    "network": lambda row: _networks(row[1]),
    "switch": lambda row: places_of(row[1], lambda place: place.switch),
    "port": lambda row: places_of(row[1], lambda place: place.port),
    "bond": _of_nic(lambda nic: nic.bond),
    "kind": _of_nic(lambda nic: nic.kind),
    "mac": _of_nic(lambda nic: nic.mac),
}


def parse_filter(text: str) -> Test | None:
    """Read a filter of rows; None if it tests nothing. Raises ValueError with a sentence."""
    return filters.parse_filter(text, FIELDS, cells)


class RowTexts:
    """What is shown of each row as one text, kept while the row is the same: 20,000 are searched
    for each letter that is typed."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], tuple[Node, str]] = {}

    def fitting(self, rows: Iterable[Row], text: str) -> tuple[list[Row], bool]:
        """Return the rows that fit a filter, and whether only loosely. Raises ValueError."""
        return filters.fitting(rows, text, FIELDS, self._texts)

    def _texts(self, row: Row) -> tuple[str]:
        node, nic = row
        key = (node.node, nic.nic if nic is not None else "")
        known = self._known.get(key)
        if known is None or known[0] is not node:
            known = self._known[key] = (node, "\n".join(cells(row)).lower())
        return (known[1],)


def cells(row: Row) -> Iterable[str]:
    """All that the board shows of a row, and its tags and MAC address."""
    node, nic = row
    yield node.node
    yield node.state
    yield node.project or "-"
    yield from node.tags
    if nic is None:
        yield "no nics"
        return
    yield nic.nic
    yield nic.place or "-"
    if nic.mac:
        yield nic.mac
    yield from (link.network or "" for link in (*nic.networks, *(nic.applied or ())))
    if node.state == "allocated":
        yield network_text(nic)
        if nic.staged:
            yield "staged"
    yield nic.kind
