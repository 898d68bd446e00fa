"""The rows of the board: a line a nic, filtered, sorted and marked. Pure: no screen, no daemon.

The filter's words must all hold for a line. A plain word is looked for in the line's names; a
``field=value`` compares one field (``*`` stands for anything); ``!`` before either inverts it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase

import msgspec

from haas_console.core.collector import gc_paused
from haas_console.core.gestures import NicRef
from haas_console.core.inventory import Inventory
from haas_schemas.node import Nic, NicNetwork, Node

Row = tuple[Node, Nic | None]
"""A node and one of its nics; None for a node that has none."""

Key = tuple[str, str]
"""What names a row across changes: the node's name and the nic's, or an empty one."""

SORTS = ("node", "project", "state", "network", "port")
_DIGIT = re.compile(r"[0-9]")
_NUMBER = re.compile(r"[0-9]+")
_SAMPLE = 2000  # rows that are measured for the columns' widths


def key_of(row: Row) -> Key:
    """What names a row."""
    return (row[0].node, row[1].nic if row[1] else "")


# --- what a nic is on, in words -------------------------------------------------------------------


def links_text(links: Iterable[NicNetwork]) -> str:
    """``lab``, ``lab +storage`` (tagged), or ``parked``."""
    words = [("+" if k.tagged else "") + (k.network or f"vlan {k.vlan}") for k in links]
    return " ".join(words) or "parked"


def network_text(nic: Nic, found: str | None = None) -> str:
    """What a nic is on, and what it will be after an apply: ``lab``, ``lab → storage*``.

    ``found`` is what its port has drifted to: ``≠ lab, now access 1``.
    """
    if found is not None:
        return f"≠ {network_text(nic)}, now {found}"
    if nic.port is None:
        return "no port"
    if nic.applied is None:
        return f"? → {links_text(nic.networks)}*" if nic.networks else "unconfirmed"
    if nic.state == "staged":
        return f"{links_text(nic.applied)} → {links_text(nic.networks)}*"
    return links_text(nic.networks)


# --- filtering ------------------------------------------------------------------------------------

Test = Callable[[Node, Nic | None], bool]


def _links(nic: Nic | None) -> list[str]:
    if nic is None:
        return []
    found = [k.network or "" for k in (*nic.networks, *(nic.applied or ()))]
    return found or (["parked"] if nic.port else [])


FIELDS: dict[str, Callable[[Node, Nic | None], Iterable[str]]] = {
    "node": lambda node, nic: (node.node,),
    "nic": lambda node, nic: (nic.nic,) if nic else (),
    "state": lambda node, nic: (node.state, nic.state) if nic else (node.state,),
    "project": lambda node, nic: (node.project or "none",),
    "tag": lambda node, nic: node.tags,
    "network": lambda node, nic: _links(nic),
    "switch": lambda node, nic: (nic.switch or "none",) if nic else (),
    "port": lambda node, nic: (nic.port or "none",) if nic else (),
    "kind": lambda node, nic: (nic.kind,) if nic else (),
    "mac": lambda node, nic: (nic.mac or "none",) if nic else (),
}


def parse_filter(text: str) -> Test | None:
    """Read a filter; None for one that says nothing. Raises ValueError with a sentence."""
    tests = [_test(word) for word in text.split()]
    if not tests:
        return None
    return lambda node, nic: all(test(node, nic) for test in tests)


def _test(word: str) -> Test:
    if word.startswith("!"):
        if len(word) == 1:
            return lambda node, nic: True  # still being typed
        inner = _test(word[1:])
        return lambda node, nic: not inner(node, nic)
    name, equals, value = word.partition("=")
    if not equals:
        return _contains(word.lower())
    field = FIELDS.get(name.lower())
    if field is None:
        raise ValueError(f'There is no field "{name}"; there are: {", ".join(FIELDS)}.')
    wanted = value.lower()
    if not wanted:
        return lambda node, nic: True
    if any(sign in wanted for sign in "*?["):
        return lambda node, nic: any(fnmatchcase(v.lower(), wanted) for v in field(node, nic))
    return lambda node, nic: any(v.lower() == wanted for v in field(node, nic))


def _contains(word: str) -> Test:
    def test(node: Node, nic: Nic | None) -> bool:
        if word in node.node.lower() or (node.project and word in node.project):
            return True
        if any(word in tag for tag in node.tags):
            return True
        if nic is None:
            return False
        names = (nic.nic, nic.switch or "", nic.port or "", nic.mac or "", *_links(nic))
        return any(word in name.lower() for name in names)

    return test


# --- sorting --------------------------------------------------------------------------------------


def natural(text: str) -> str:
    """A key that sorts ``node-2`` before ``node-10``."""
    head = text.rstrip("0123456789")
    if _DIGIT.search(head) is None:  # the usual name, and three times as fast
        return head + text[len(head) :].zfill(12)
    return _NUMBER.sub(lambda found: found[0].zfill(12), text)


def _sort_key(sort: str) -> Callable[[Row], object]:
    match sort:
        case "project":
            return lambda row: (row[0].project is None, row[0].project or "")
        case "state":
            return lambda row: row[0].state
        case "network":
            return lambda row: links_text(row[1].networks) if row[1] else ""
        case "port":
            return lambda row: (
                (row[1].switch or "~", natural(row[1].port or "")) if row[1] else ("~", "")
            )
        case _:
            raise ValueError(f"There is no order by {sort}; there are: {', '.join(SORTS)}.")


class Widths(msgspec.Struct, frozen=True):
    """The widest name of each kind, in characters; for the columns."""

    node: int = 4
    nic: int = 3
    project: int = 7
    port: int = 4


class Board:
    """The rows that are shown, and what is marked. Rebuilt when the inventory changes."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.marks: set[Key] = set()
        self.filter = ""
        self.sort = SORTS[0]
        self.widths = Widths()
        self.total = 0
        self._test: Test | None = None
        self._names: dict[str, str] = {}

    def set_filter(self, text: str) -> None:
        """Show only rows that fit; raises ValueError, and leaves the filter, if it is none."""
        self._test = parse_filter(text)
        self.filter = text.strip()

    def rebuild(self, inventory: Inventory) -> None:
        """Make the rows anew; marks of what is gone are dropped."""
        with gc_paused():
            self._rebuild(inventory)

    def _rebuild(self, inventory: Inventory) -> None:
        nodes = sorted(inventory.nodes.values(), key=self._name_key)
        rows: list[Row] = []
        for node in nodes:
            if node.nics:
                rows += [(node, nic) for nic in node.nics]
            else:
                rows.append((node, None))
        self.total = len(rows)
        self._measure(rows[:_SAMPLE])
        if self._test is not None:
            test = self._test
            rows = [row for row in rows if test(*row)]
        if self.sort != "node":
            rows.sort(key=_sort_key(self.sort))  # type: ignore[arg-type]
        self.rows = rows
        if self.marks:
            self.marks &= {(n.node, i.nic) for n in nodes for i in n.nics}

    def _name_key(self, node: Node) -> str:
        """The sort key of a node, made once: names never change."""
        key = self._names.get(node.node)
        if key is None:
            key = self._names[node.node] = natural(node.node)
        return key

    def _measure(self, rows: list[Row]) -> None:
        self.widths = Widths(
            node=max((len(node.node) for node, _ in rows), default=4),
            nic=max((len(nic.nic) for _, nic in rows if nic), default=3),
            project=max((len(node.project) for node, _ in rows if node.project), default=7),
            port=max((len(f"{i.switch} {i.port}") for _, i in rows if i and i.port), default=4),
        )

    def index_of(self, key: Key) -> int | None:
        """Where a row is now."""
        for index, row in enumerate(self.rows):
            if key_of(row) == key:
                return index
        return None

    # --- marks ---

    def toggle(self, index: int) -> None:
        """Mark a row, or take the mark off."""
        if 0 <= index < len(self.rows) and self.rows[index][1] is not None:
            self.marks ^= {key_of(self.rows[index])}

    def toggle_node(self, index: int) -> None:
        """Mark all shown nics of a row's node, or take their marks off."""
        name = self.rows[index][0].node
        keys = {key_of(row) for row in self.rows if row[0].node == name and row[1]}
        self.marks = self.marks - keys if keys <= self.marks else self.marks | keys

    def toggle_all(self) -> None:
        """Mark all rows that are shown, or take all marks off."""
        keys = {key_of(row) for row in self.rows if row[1]}
        self.marks = set() if keys <= self.marks else self.marks | keys

    def chosen(self, index: int) -> list[NicRef]:
        """The marked nics in the rows' order, else the one at ``index``."""
        marked = [
            NicRef(n.node, i.nic) for n, i in self.rows if i and (n.node, i.nic) in self.marks
        ]
        hidden = self.marks - {(ref.node, ref.nic) for ref in marked}
        marked += [NicRef(*key) for key in sorted(hidden)]
        if marked:
            return marked
        if 0 <= index < len(self.rows):
            node, nic = self.rows[index]
            return [NicRef(node.node, nic.nic)] if nic else []
        return []

    def chosen_nodes(self, index: int) -> list[str]:
        """The nodes of what is chosen, each once."""
        if not self.marks and 0 <= index < len(self.rows):
            return [self.rows[index][0].node]
        return list(dict.fromkeys(ref.node for ref in self.chosen(index)))
