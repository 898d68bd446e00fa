"""What an apply goes back to that nobody confirmed in time."""

from __future__ import annotations

import msgspec

from haas_rpcd.model import PortConfig
from haas_rpcd.store.database import Tx
from haas_rpcd.store.rows import Json, Row

Networks = tuple[tuple[int, bool], ...]
"""The ids of the networks of a nic, each with whether it is tagged there."""


class Back(msgspec.Struct, frozen=True):
    """What to go back to, and what was applied instead.

    ``nics``: the networks that each nic which a job changes had, by ids. ``headnode_nics``: the
    network that each headnode's nic had, or None. ``wanted`` and ``headnodes_wanted``: what was
    staged on the same nics when the job began.
    """

    nics: dict[int, Networks]
    headnode_nics: dict[int, int | None]
    wanted: dict[int, Networks] = {}
    headnodes_wanted: dict[int, int | None] = {}


class _BackRow(Row, frozen=True):
    back: Json[Back | None]


class UsableRow(Row, frozen=True):
    """A network that a project may use, and its VLAN id."""

    network_id: int
    vlan: int


def of_revert(tx: Tx, job_id: int) -> Back:
    """Return what a job goes back to: it was made because another was not confirmed."""
    row = tx.one(_BackRow, "SELECT back FROM confirm WHERE reverted_by = ?", (job_id,))
    return row.back if row is not None and row.back is not None else Back({}, {})


def usable(tx: Tx, project_id: int | None) -> dict[int, int]:
    """Return the VLAN ids of the networks that a project may use, by the networks' ids."""
    rows = tx.query(
        UsableRow,
        "SELECT vlan_claim.network_id, vlan_claim.vlan FROM vlan_claim"
        " JOIN usable_network ON usable_network.network_id = vlan_claim.network_id"
        " WHERE usable_network.project_id = ?",
        (project_id,),
    )
    return {row.network_id: row.vlan for row in rows}


def config(networks: Networks, vlans: dict[int, int]) -> PortConfig:
    """Return what a nic's port carries on networks, without those that are not in ``vlans``."""
    untagged = [vlans[network] for network, tagged in networks if network in vlans and not tagged]
    return PortConfig(
        untagged=untagged[0] if untagged else None,
        tagged=tuple(sorted(vlans[one] for one, tagged in networks if one in vlans and tagged)),
    )
