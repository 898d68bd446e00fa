"""Watches isolation: after every line that is sent to any switch, who carries what, and may it?"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path

from haas_rpcd.sim.ios import Carried, IosSwitch
from haas_rpcd.sim.ios.portname import short

FRESH = Carried(untagged=1)
NOTHING = Carried()

_HOLDERS = """
SELECT switch.name AS switch, port.name AS port, port.role, allocation.project_id
FROM port JOIN switch ON switch.id = port.switch_id
LEFT JOIN nic ON nic.port_id = port.id LEFT JOIN allocation ON allocation.node_id = nic.node_id
"""

_CLAIMS = """
SELECT vlan_claim.vlan, vlan_claim.network_id IS NULL AS retiring,
    coalesce(network.project_id, vlan_claim.project_id) AS owner,
    (SELECT group_concat(project_id) FROM share WHERE share.network_id = network.id) AS guests
FROM vlan_claim LEFT JOIN network ON network.id = vlan_claim.network_id
"""


class Watch:
    """Looks at all ports of all switches whenever one of them changes what it carries.

    What a port may carry it takes from the database as it is at that moment: the VLANs of the
    networks that the holder of its node may use, and of deleted networks that it has been on. A
    port that no project holds may carry nothing, a trunk the pool; a port as it comes out of the
    box carries VLAN 1 until HaaS touches it.
    """

    def __init__(self, path: Path, switches: Mapping[str, IosSwitch], pool: frozenset[int]) -> None:
        self.on = True
        self.violations: list[str] = []
        self.looks = 0
        self._path = path
        self._switches = switches
        self._pool = pool
        self._before: dict[tuple[str, str], Carried] = {}
        self._touched: set[tuple[str, str]] = set()
        for switch in switches.values():
            switch.on_change = self._changed

    def _changed(self, switch: IosSwitch, ports: frozenset[str]) -> None:
        line = switch.lines[-1].text if switch.lines else "a change by hand"
        self._touched |= {(switch.running.hostname, port) for port in ports}
        if self.on:
            self.look(f"after {switch.running.hostname}: {line}")

    def look(self, when: str) -> None:
        """Compare what every port carries with what it may carry now."""
        self.looks += 1
        with sqlite3.connect(f"file:{self._path}?mode=ro", uri=True) as db:
            holders = {(row[0], row[1]): (row[2], row[3]) for row in db.execute(_HOLDERS)}
            claims = db.execute(_CLAIMS).fetchall()
        db.close()
        for (name, port), carried in self._carried():
            role, holder = holders.get((name, short(port)), (None, None))
            before = self._before.get((name, port), NOTHING)
            self._before[name, port] = carried
            vlans = _vlans(carried)
            if role is None or (carried == FRESH and (name, port) not in self._touched):
                continue
            wrong = vlans - (self._pool if role == "trunk" else _may(holder, claims, before))
            if wrong:
                self.violations.append(f"{name} {port} carries {sorted(wrong)} {when}")

    def _carried(self) -> Iterator[tuple[tuple[str, str], Carried]]:
        for name, switch in self._switches.items():
            for port in switch.running.ports:
                yield (name, port), switch.carried(port)


def _may(holder: int | None, claims: list[tuple[int, int, int, str]], before: Carried) -> set[int]:
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
