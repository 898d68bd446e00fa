"""Ports with a *general* mode beside access and trunk, as Dell's N-Series and PowerConnect have."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from haas_rpcd.sim import cli


@dataclass(slots=True)
class GeneralPort(cli.Port):
    """A port. ``general``: the VLANs it is on in general mode, ``untagged`` those without a tag."""

    general: frozenset[int] = frozenset({1})
    untagged: frozenset[int] = frozenset({1})
    pvid: int = 1

    def carried(self, vlans: Iterable[int]) -> cli.Carried:
        """Say what it carries while ``vlans`` exist."""
        if self.shutdown or self.mode != "general":
            # Written out: super() does not find its way in dataclasses with slots.
            return cli.Port.carried(self, vlans)
        on = self.general & frozenset(vlans)
        return cli.Carried(self.pvid if self.pvid in on else None, on - {self.pvid})
