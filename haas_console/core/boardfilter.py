"""The board's filter: its fields, and where a plain word is searched for."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from haas_console.core import filters
from haas_schemas.node import Nic, Node

Row = tuple[Node, Nic | None]
"""A node and one of its nics; None for a node without nics."""

Test = Callable[[Row], bool]


def _networks(nic: Nic | None) -> list[str]:
    if nic is None:
        return []
    found = [link.network or "" for link in (*nic.networks, *(nic.applied or ()))]
    return found or (["parked"] if nic.port else [])


def _of_nic(value: Callable[[Nic], str | None]) -> Callable[[Row], Iterable[str]]:
    return lambda row: (value(row[1]) or "none",) if row[1] else ()


FIELDS: dict[str, Callable[[Row], Iterable[str]]] = {
    "node": lambda row: (row[0].node,),
    "nic": _of_nic(lambda nic: nic.nic),
    "state": lambda row: (row[0].state, row[1].state) if row[1] else (row[0].state,),
    "project": lambda row: (row[0].project or "none",),
    "tag": lambda row: row[0].tags,
    "network": lambda row: _networks(row[1]),
    "switch": _of_nic(lambda nic: nic.switch),
    "port": _of_nic(lambda nic: nic.port),
    "kind": _of_nic(lambda nic: nic.kind),
    "mac": _of_nic(lambda nic: nic.mac),
}


def parse_filter(text: str) -> Test | None:
    """Read a filter of rows; None if it tests nothing. Raises ValueError with a sentence."""
    return filters.parse_filter(text, FIELDS, _contains)


def _contains(row: Row, word: str) -> bool:
    node, nic = row
    if word in node.node.lower() or (node.project and word in node.project):
        return True
    if any(word in tag for tag in node.tags):
        return True
    if nic is None:
        return False
    names = (nic.nic, nic.switch or "", nic.port or "", nic.mac or "", *_networks(nic))
    return any(word in name.lower() for name in names)
