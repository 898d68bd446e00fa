"""Begins the release of a node, for a caller or at the end of a lease."""

from __future__ import annotations

import msgspec

from haas_rpcd.store import bmcs, evidence, jobs, leases, nodes
from haas_rpcd.store.database import Tx


class Begun(msgspec.Struct, frozen=True):
    """A release. ``job`` parks the ports; None if the node is free already."""

    job: int | None


def begin(
    tx: Tx, node: nodes.NodeRow, *, user: str, now: float, hook: bool, switch_off: bool = False
) -> Begun:
    """Disconnect a node that a project holds, and add the job that parks its ports.

    ``hook``: a release command has to succeed before the node is free. ``switch_off``: the node,
    if it has a BMC, must be off before that.
    """
    if hook and not node.releasing:
        leases.await_hook(tx, node.id)
    if node.project_id is not None:
        evidence.stage_all(tx, node.id, user, node.project_id, now)
    nodes.begin_release(tx, node.id)
    if switch_off and bmcs.find(tx, node.id) is not None:
        bmcs.stage(tx, node.id, "off", None)
    if node.name in nodes.finish_releases(tx):  # its ports are parked already
        return Begun(None)
    job = jobs.create(
        tx, kind="release", user=user, now=now, project_id=node.project_id, node_id=node.id
    )
    return Begun(job)
