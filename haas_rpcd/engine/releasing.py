"""Begins the release of a node, for a caller or at the end of a lease."""

from __future__ import annotations

import msgspec

from haas_rpcd.store import evidence, jobs, leases, nodes
from haas_rpcd.store.database import Tx


class Begun(msgspec.Struct, frozen=True):
    """A release. ``job`` parks the ports; None if the node is free already."""

    job: int | None


def begin(tx: Tx, node: nodes.NodeRow, *, user: str, now: float, hook: bool) -> Begun:
    """Disconnect a node that a project holds, and add the job that parks its ports.

    ``hook``: a release command has to succeed before the node is free.
    """
    if hook and not node.releasing:
        leases.await_hook(tx, node.id)
    if node.project_id is not None:
        evidence.stage_all(tx, node.id, user, node.project_id, now)
    nodes.begin_release(tx, node.id)
    if node.name in nodes.finish_releases(tx):  # its ports are parked already
        return Begun(None)
    job = jobs.create(
        tx, kind="release", user=user, now=now, project_id=node.project_id, node_id=node.id
    )
    return Begun(job)
