"""plan.* and apply.*: what an apply would do, and doing it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping
from typing import Annotated

from msgspec import Meta

from haas_rpcd.errors import ConflictError, DeniedError, InvalidParamsError, NotFoundError
from haas_rpcd.methods.access import (
    find_network,
    find_project,
)
from haas_rpcd.methods.call import TxCall
from haas_rpcd.methods.quotas import check_queue
from haas_rpcd.methods.registry import method
from haas_rpcd.store import confirms, jobs, nodes, vlans
from haas_rpcd.store.database import Tx
from haas_rpcd.store.networks import NetworkRow
from haas_rpcd.store.projects import ProjectRow
from haas_rpcd.store.scope import Scope, Target
from haas_schemas.job import (
    MOST_STEPS,
    Plan,
    PlanStep,
    Started,
)
from haas_schemas.names import Name

TargetName = Annotated[
    str,
    Meta(
        pattern=r"^((node|network):)?([a-z0-9][a-z0-9.-]{0,62}/)?[a-z0-9][a-z0-9.-]{0,62}\Z",
        description="A node or a network of the project; node:NAME or network:NAME if both exist.",
    ),
]
Digest = Annotated[str, Meta(pattern=r"^[0-9a-f]{16}\Z", description="The digest of a shown plan.")]
ConfirmSeconds = Annotated[
    float, Meta(ge=1, le=86400, description="Seconds after the end of the job.")
]


def _scope(call: TxCall, project: str | None, target: str | None) -> Scope:
    """Return the scope of a plan: a project of the caller's or, for admins, the site."""
    if project is not None:
        found = find_project(call.tx, call.caller, project)
        part = _target(call.tx, found, target) if target is not None else None
        return Scope(project_id=found.id, target=part)
    if target is not None:
        raise InvalidParamsError(
            "target: only a project is applied in parts; name the one of the node or network.",
            field="target",
        )
    if not call.caller.admin:
        raise DeniedError("Only an admin may apply the site: name a project.")
    return Scope()


def _target(tx: Tx, project: ProjectRow, target: str) -> Target:
    """Return the node or the network of a project that a target names. Raises NotFoundError.

    A name that both have needs the kind before it, as ``node:NAME`` or ``network:NAME``.
    """
    kind, colon, rest = target.partition(":")
    name = rest if colon else target
    node = nodes.find(tx, name) if kind == "node" or not colon else None
    if node is not None and node.project_id != project.id:
        node = None
    network: NetworkRow | None = None
    if kind == "network" or not colon:
        with contextlib.suppress(NotFoundError):
            network = find_network(tx, project, name)
    if node is not None and network is not None:
        raise ConflictError(
            f"{name} is both a node and a network of project {project.name}:"
            f" say  node:{name}  or  network:{name}"
        )
    if node is None and network is None:
        what = kind if colon else "node and no network"
        raise NotFoundError(f"Project {project.name} has no {what} {name}.")
    return Target(
        node_id=node.id if node is not None else None,
        network_id=network.id if network is not None else None,
    )


@method("plan.show")
def plan_show(
    call: TxCall,
    project: Name | None = None,
    target: TargetName | None = None,
    device: Name | None = None,
) -> Plan:
    """Show what an apply would do now, with the exact lines that will be sent.

    Without a project (admins only): the site, that is trunk ports and ports of nodes that no
    project holds. With a ``target``: only what concerns that node or network of the project.

    Of more than 5,000 steps the first ones are shown; with a ``device``, those on that device. The
    digest is that of the whole plan.
    """
    planned, rendered, more = call.context.engine.show_plan(
        call.tx, _scope(call, project, target), MOST_STEPS, device
    )
    steps = [
        PlanStep(
            device=step.device,
            kind=step.kind,
            target=step.target,
            summary=step.summary,
            lines=tuple(lines),
        )
        for step, lines in rendered
    ]
    return Plan(
        digest=planned.digest,
        steps=tuple(steps),
        empty=planned.empty,
        more=more,
        warnings=tuple(_warnings(call, planned.severed)),
    )


def _warnings(call: TxCall, severed: Mapping[int, str]) -> Iterator[str]:
    """Yield a sentence on each network whose places may not reach each other.

    The places may be other projects', so only admins are told which.
    """
    labels = vlans.labels(call.tx, list(severed))
    for vlan, why in severed.items():
        told = why if call.caller.admin else "an admin sees why in the plan"
        yield f"Network {labels[vlan]} (VLAN {vlan}) may be in several parts: {told}."


def _check_plan(
    call: TxCall,
    project: str | None,
    digest: str | None,
    confirm: float | None,
    target: str | None,
) -> None:
    """Check that there is such a plan, and that it can be applied. Its job checks it once more."""
    scope = _scope(call, project, target)
    if confirm is not None and scope.project_id is None:
        raise InvalidParamsError(
            "confirm: only the apply of a project goes back by itself; name one.", field="confirm"
        )
    call.context.engine.check_plan(call.tx, scope, digest)


@method("apply.start", mutates=True, first=_check_plan)
def apply_start(
    call: TxCall,
    project: Name | None = None,
    digest: Digest | None = None,
    confirm: ConfirmSeconds | None = None,
    target: TargetName | None = None,
) -> Started:
    """Start an apply. It waits while another job of the project runs, and plans when it starts.

    With the ``digest`` of a plan that was shown, only that plan is applied: if it has changed, the
    call fails with an error that names the differences.

    With a ``target``, only that node of the project is applied, or only what is on that network or
    is to be; VLANs and bridges that this needs are made. All else stays staged.

    With ``confirm``, the project's nics go back to what they were, unless job.confirm is called
    within so many seconds after the end of the job.
    """
    scope = _scope(call, project, target)
    check_queue(call, scope.project_id)
    job = jobs.create(
        call.tx,
        kind="site" if scope.project_id is None else "apply",
        user=call.caller.user,
        now=time.time(),
        project_id=scope.project_id,
        digest=digest,
    )
    if scope.target is not None and target is not None:
        jobs.set_target(call.tx, job, target, scope.target.node_id, scope.target.network_id)
    if confirm is not None:
        confirms.request(call.tx, job, confirm)
    call.start_job(job, scope.project_id)
    call.changed("job", "queued", str(job), project, admins_only=project is None)
    return Started(job=job)
