"""On which switches a VLAN has to exist, given the places that use it."""

from __future__ import annotations

from collections.abc import Mapping, Set

from haas_rpcd.planner.paths import Paths, paths, without_retired
from haas_rpcd.states import Fabric


class Spread:
    """On which switches VLANs have to exist.

    ``trunks`` has the number of trunk ports of each switch in service. Without a ``fabric``,
    nothing is declared of any trunk port.
    """

    def __init__(self, trunks: Mapping[str, int], fabric: Fabric | None) -> None:
        self._everywhere = frozenset(name for name, count in trunks.items() if count > 1)
        self._fabric = fabric
        self._paths: Paths | None = None if fabric is None else paths(fabric)

    def switches(self, places: Set[str]) -> frozenset[str]:
        """Return the switches on which a VLAN used in ``places`` has to exist.

        They are those places that are switches, and the switches that frames between two places may
        pass. If nothing is declared, or too little to connect the places, a trunk may lead
        anywhere: then frames may pass every switch with two trunk ports. (Hypervisors among the
        places may be in the answer.)
        """
        found = None if self._paths is None else self._paths.between(places)
        if found is not None:
            return found
        return frozenset(places) | (self._everywhere if len(places) > 1 else frozenset())

    def severed(self, places: Set[str]) -> str | None:
        """Return why ``places`` may not reach each other, as far as is declared; None if they do.

        Where that is not certain, their VLAN exists on all switches between which it might pass.
        """
        if self._fabric is None or self._paths is None or len(places) < 2:
            return None
        found = self._paths.between(places)
        if found is None:
            apart = self._paths.apart(places)
            return (
                f"nothing that is declared connects {apart[0]} with {apart[1]}, so the VLAN is made"
                " on every switch with two trunk ports, as if nothing were declared: declare what"
                " is missing with  port set SWITCH PORT --peer switch=SWITCH,port=PORT"
            )
        dead = sorted(found & self._fabric.retired)
        if dead and (left := paths(without_retired(self._fabric))).between(places) is None:
            apart = left.apart(places)
            return (
                f"{apart[0]} and {apart[1]} are connected only through {', '.join(dead)}, which is"
                " out of service"
            )
        return None
