"""project.set_quota, and the check of quotas: how much a project may hold."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from haas_rpcd.errors import ExhaustedError, LimitedError
from haas_rpcd.methods.access import find_project
from haas_rpcd.methods.call import TxCall
from haas_rpcd.methods.project import record
from haas_rpcd.methods.registry import method
from haas_rpcd.store import jobs, projects
from haas_rpcd.store.projects import ProjectRow
from haas_schemas.names import Name
from haas_schemas.project import Project

Noun = Literal["nodes", "networks", "headnodes"]
Most = Annotated[int, Meta(ge=-1, le=1_000_000, description="At most so many; -1: no limit.")]


@method("project.set_quota", mutates=True)
def set_quota(
    call: TxCall,
    project: Name,
    nodes: Most | None = None,
    networks: Most | None = None,
    headnodes: Most | None = None,
) -> Project:
    """Limit how much a project may hold; -1 lifts a limit, and what is left out stays as it is.

    A project that holds more already keeps it.
    """
    row = find_project(call.tx, call.caller, project)
    wanted: tuple[tuple[Noun, int | None], ...] = (
        ("nodes", nodes),
        ("networks", networks),
        ("headnodes", headnodes),
    )
    for noun, most in wanted:
        if most is not None:
            projects.set_quota(call.tx, row.id, noun, None if most < 0 else most)
    call.changed("project", "changed", project, project)
    return record(projects.detail(call.tx, row.id))


def check_quota(
    call: TxCall,
    project: ProjectRow,
    noun: Noun,
    held: int,
    more: int = 1,
) -> None:
    """Raise ExhaustedError if a project would hold more than it may."""
    most = getattr(projects.detail(call.tx, project.id), f"quota_{noun}")
    if most is not None and held + more > most:
        raise ExhaustedError(
            f"Project {project.name} may hold {most} {noun} and holds {held}: free some first, or"
            " ask an admin for more ( project set-quota ).",
            quota=most,
            held=held,
        )


MAX_WAITING = 100
"""Jobs of one project that wait for the one that runs."""


def check_queue(call: TxCall, project_id: int | None) -> None:
    """Raise LimitedError if too many jobs of a project wait already. Admins may add to them."""
    if call.caller.admin or project_id is None:
        return
    waiting = jobs.waiting_of(call.tx, project_id)
    if waiting >= MAX_WAITING:
        raise LimitedError(
            f"{waiting} jobs of this project wait already: wait until some have ended, or cancel"
            " some ( job list --state queued ,  job cancel JOB )."
        )
