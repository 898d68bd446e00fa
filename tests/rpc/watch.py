"""Watches isolation: checks after every line to any switch that each port may carry its VLANs."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from haas_rpcd.drivers.switch.dialects import DIALECTS
from haas_rpcd.sim.cli import Carried, Device, LineRecord

FRESH = Carried(untagged=1)
NOTHING = Carried()
DEFAULT = {1}
NOT_REGISTERED = (None, None, False, None)

_HOLDERS = """
SELECT switch.name AS switch, port.canonical AS port, port.role, allocation.project_id,
    EXISTS (SELECT 1 FROM port_may_change WHERE port_id = port.id) AS may_change, proving.vlan
FROM port JOIN switch ON switch.id = port.switch_id
LEFT JOIN proving ON proving.open_port_id = port.id
LEFT JOIN nic ON nic.id = port.nic_id LEFT JOIN allocation ON allocation.node_id = nic.node_id
WHERE switch.retired IS NULL
"""

_CLAIMS = """
SELECT vlan_claim.vlan, vlan_claim.network_id IS NULL AS retiring,
    coalesce(network.project_id, vlan_claim.project_id) AS owner,
    (SELECT group_concat(project_id) FROM share WHERE share.network_id = network.id) AS guests
FROM vlan_claim LEFT JOIN network ON network.id = vlan_claim.network_id
"""


_Holders = dict[tuple[str, str], tuple[str | None, int | None, bool, int | None]]
_Claims = list[tuple[int, int, int, str]]


class Watch:
    """Checks all ports of all switches whenever one of them changes what it carries.

    With ``every_line``, checks after each line, even if it changed nothing.

    What a port may carry is decided by the database at that moment: the VLANs of networks that the
    holder of its node may use, and of deleted networks that the port was on. A port that no project
    holds may carry nothing, a trunk may carry the pool, and a port with factory defaults may carry
    VLAN 1 until HaaS touches it. The same holds for what a port with a holder would carry after a
    power cut. The port that a proof of cabling has open may carry the VLAN of the proof, which is
    not saved. Telephones' VLANs count. What somebody adds by hand is not HaaS's fault, but must be
    gone when the port gets another holder. Nor is a line that comes late: it may open a parked port
    on the default VLAN, as long as HaaS knows that the port may change. Nothing
    is promised of a retired switch until it is taken back.
    """

    def __init__(
        self,
        path: Path,
        switches: Mapping[str, Device[Any]],
        pool: frozenset[int],
        *,
        every_line: bool = False,
    ) -> None:
        self.on = True
        self.violations: list[str] = []
        self.checks = 0
        self._path = path
        self._db: sqlite3.Connection | None = None
        self._read: tuple[int, _Holders, _Claims] | None = None
        self._switches = switches
        self._pool = pool
        self._before: dict[tuple[str, str], Carried] = {}
        self._touched: set[tuple[str, str]] = set()
        self._by_hand: dict[tuple[str, str], tuple[int | None, set[int]]] = {}
        self._names = {
            name: {port: DIALECTS[switch.dialect].canonical_port(port) for port in switch.port_list}
            for name, switch in switches.items()
        }
        for name, switch in switches.items():
            switch.on_change = partial(self._changed, name)
            if every_line:
                settled = partial(self._settled, name, switch, switch.settle)
                vars(switch)["settle"] = settled

    def _changed(self, name: str, switch: Device[Any], ports: frozenset[str]) -> None:
        line = switch.lines[-1].text if switch.lines else "a change by hand"
        self._touched |= {(name, self._names[name][port]) for port in ports}
        if self.on:
            self.check(f"after {name}: {line}")

    def _settled(
        self,
        name: str,
        switch: Device[Any],
        settle: Callable[[LineRecord | None], None],
        record: LineRecord | None = None,
    ) -> None:
        checks = self.checks
        settle(record)
        if self.on and self.checks == checks:
            self.check(f"after {name}: {record.text if record else 'a change by hand'}")

    def by_hand(self, name: str, port: str, vlan: int) -> None:
        """Tolerate a VLAN that is about to be added to a port by hand, for its present holder."""
        at = (name, self._names[name][port])
        _, holder, _, _ = self._rights()[0].get(at, NOT_REGISTERED)
        self._by_hand[at] = (holder, {vlan})

    def _tolerated(self, at: tuple[str, str], holder: int | None, may_change: bool) -> set[int]:
        added_for, vlans = self._by_hand.get(at, (None, set()))
        by_hand = vlans if holder is not None and holder == added_for else set()
        return by_hand | (DEFAULT if may_change else set())

    def check(self, when: str) -> None:
        """Compare what every port carries with what it may carry now."""
        self.checks += 1
        holders, claims = self._rights()
        for (name, port), carried in self._carried():
            role, holder, may_change, proof = holders.get((name, port), NOT_REGISTERED)
            before = self._before.get((name, port), NOTHING)
            self._before[name, port] = carried
            vlans = _vlans(carried)
            if role is None or (carried == FRESH and (name, port) not in self._touched):
                continue
            wrong = vlans - (self._pool if role == "trunk" else _may(holder, claims, before))
            wrong -= {proof}
            if wrong := wrong - self._tolerated((name, port), holder, may_change):
                self.violations.append(f"{name} {port} carries {sorted(wrong)} {when}")
        for (name, port), saved in self._saved():
            role, holder, may_change, _ = holders.get((name, port), NOT_REGISTERED)
            if role == "trunk" or holder is None:
                continue
            may = _may(holder, claims, saved) | self._tolerated((name, port), holder, may_change)
            if wrong := _vlans(saved) - may:
                self.violations.append(f"{name} {port} has saved {sorted(wrong)} {when}")

    def _rights(self) -> tuple[_Holders, _Claims]:
        """Return who holds which port and which VLAN; query only if that may have changed."""
        if self._db is None:
            self._db = sqlite3.connect(f"file:{self._path}?mode=ro", uri=True)
        [version] = self._db.execute("PRAGMA data_version").fetchone()
        if self._read is None or self._read[0] != version:
            rows = self._db.execute(_HOLDERS)
            holders = {(row[0], row[1]): (row[2], row[3], bool(row[4]), row[5]) for row in rows}
            self._read = version, holders, self._db.execute(_CLAIMS).fetchall()
        return self._read[1:]

    def close(self) -> None:
        """Stop checking: the switches still answer while the daemon ends its sessions."""
        self.on = False
        self.forget()

    def forget(self) -> None:
        """Close the database, as its daemon has died; it is opened again for the next check."""
        if self._db is not None:
            self._db.close()
        self._db = self._read = None

    def _carried(self) -> Iterator[tuple[tuple[str, str], Carried]]:
        for name, switch in self._switches.items():
            for port, canonical in self._names[name].items():
                yield (name, canonical), switch.carried(port)

    def _saved(self) -> Iterator[tuple[tuple[str, str], Carried]]:
        """Yield what each port would carry after a power cut."""
        for name, switch in self._switches.items():
            if switch.startup is not None:
                for port, canonical in self._names[name].items():
                    yield (name, canonical), switch.startup.carried(port)


def _may(holder: int | None, claims: _Claims, before: Carried) -> set[int]:
    if holder is None:
        return set()
    may = set()
    for vlan, retiring, owner, guests in claims:
        shared = str(holder) in (guests or "").split(",")
        if holder == owner or shared or (retiring and vlan in _vlans(before)):
            may.add(vlan)
    return may


def _vlans(carried: Carried) -> set[int]:
    untagged = set() if carried.untagged is None else {carried.untagged}
    return untagged | set(carried.tagged)
