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

_HOLDERS = """
SELECT switch.name AS switch, port.canonical AS port, port.role, allocation.project_id
FROM port JOIN switch ON switch.id = port.switch_id
LEFT JOIN nic ON nic.port_id = port.id LEFT JOIN allocation ON allocation.node_id = nic.node_id
"""

_CLAIMS = """
SELECT vlan_claim.vlan, vlan_claim.network_id IS NULL AS retiring,
    coalesce(network.project_id, vlan_claim.project_id) AS owner,
    (SELECT group_concat(project_id) FROM share WHERE share.network_id = network.id) AS guests
FROM vlan_claim LEFT JOIN network ON network.id = vlan_claim.network_id
"""


_Holders = dict[tuple[str, str], tuple[str | None, int | None]]
_Claims = list[tuple[int, int, int, str]]


class Watch:
    """Checks all ports of all switches whenever one of them changes what it carries.

    With ``every_line``, checks after each line, even if it changed nothing.

    What a port may carry is decided by the database at that moment: the VLANs of networks that the
    holder of its node may use, and of deleted networks that the port was on. A port that no project
    holds may carry nothing, a trunk may carry the pool, and a port with factory defaults may carry
    VLAN 1 until HaaS touches it. The same holds for what a port with a holder would carry after a
    power cut.
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
        self._db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        self._read: tuple[int, _Holders, _Claims] | None = None
        self._switches = switches
        self._pool = pool
        self._before: dict[tuple[str, str], Carried] = {}
        self._touched: set[tuple[str, str]] = set()
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

    def check(self, when: str) -> None:
        """Compare what every port carries with what it may carry now."""
        self.checks += 1
        holders, claims = self._rights()
        for (name, port), carried in self._carried():
            role, holder = holders.get((name, port), (None, None))
            before = self._before.get((name, port), NOTHING)
            self._before[name, port] = carried
            vlans = _vlans(carried)
            if role is None or (carried == FRESH and (name, port) not in self._touched):
                continue
            wrong = vlans - (self._pool if role == "trunk" else _may(holder, claims, before))
            if wrong:
                self.violations.append(f"{name} {port} carries {sorted(wrong)} {when}")
        for (name, port), saved in self._saved():
            role, holder = holders.get((name, port), (None, None))
            if role == "trunk" or holder is None:
                continue
            if wrong := _vlans(saved) - _may(holder, claims, saved):
                self.violations.append(f"{name} {port} has saved {sorted(wrong)} {when}")

    def _rights(self) -> tuple[_Holders, _Claims]:
        """Return who holds which port and which VLAN; query only if that may have changed."""
        [version] = self._db.execute("PRAGMA data_version").fetchone()
        if self._read is None or self._read[0] != version:
            holders = {(row[0], row[1]): (row[2], row[3]) for row in self._db.execute(_HOLDERS)}
            self._read = version, holders, self._db.execute(_CLAIMS).fetchall()
        return self._read[1:]

    def close(self) -> None:
        """Stop checking: the switches still answer while the daemon ends its sessions."""
        self.on = False
        self._db.close()

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
