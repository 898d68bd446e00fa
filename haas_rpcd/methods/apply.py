"""plan.*, apply.* and job.*: what an apply would do, and current and past jobs."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping
from typing import Annotated

import msgspec
from msgspec import Meta

from haas_rpcd.errors import ConflictError, DeniedError, InvalidParamsError, NotFoundError
from haas_rpcd.methods.access import (
    find_job,
    find_network,
    find_project,
    number_cursor,
    paged,
    visible,
)
from haas_rpcd.methods.call import Call, TxCall
from haas_rpcd.methods.quotas import check_queue
from haas_rpcd.methods.registry import method
from haas_rpcd.methods.tenant_texts import for_tenant
from haas_rpcd.store import confirms, jobs, leases, nodes, transcripts, vlans
from haas_rpcd.store.database import Tx
from haas_rpcd.store.jobs import JobRow, StepRow
from haas_rpcd.store.networks import NetworkRow
from haas_rpcd.store.projects import ProjectRow
from haas_rpcd.store.scope import Scope, Target
from haas_schemas.common import Page, timestamp
from haas_schemas.event import Subscribed
from haas_schemas.job import (
    FINAL_JOB_STATES,
    MOST_STEPS,
    Confirmation,
    HookRun,
    Job,
    JobState,
    JobStep,
    Plan,
    PlanStep,
    Started,
    Transcript,
)
from haas_schemas.names import JobId, Limit, Name

TargetName = Annotated[
    str,
    Meta(
        pattern=r"^((node|network):)?([a-z0-9][a-z0-9.-]{0,62}/)?[a-z0-9][a-z0-9.-]{0,62}\Z",
        description="A node or a network of the project; node:NAME or network:NAME if both exist.",
    ),
]
Digest = Annotated[str, Meta(pattern=r"^[0-9a-f]{16}\Z", description="The digest of a shown plan.")]
TranscriptLimit = Annotated[
    int, Meta(ge=1, le=50, description="At most so many parts, each of up to 200 KB.")
]
ConfirmSeconds = Annotated[
    float, Meta(ge=1, le=86400, description="Seconds after the end of the job.")
]
Timeout = Annotated[float, Meta(ge=0, le=3600, description="Seconds.")]


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


# --- jobs -----------------------------------------------------------------------------------------


def record(
    tx: Tx, call: Call, row: JobRow, *, with_steps: bool = True, device: str | None = None
) -> Job:
    """Return the API's record of a job; with a ``device``, only with the steps on that."""
    row, caller = call.context.engine.jobs.now(row), call.caller
    steps = jobs.steps(tx, row.id, MOST_STEPS, device) if with_steps else []
    full = len(steps) == MOST_STEPS
    return Job(
        job=row.id,
        project=row.project,
        kind=row.shown_kind,
        state=row.state,
        user=row.user,
        done=row.done,
        total=row.total,
        created=timestamp(row.created) or "",
        started=timestamp(row.started),
        finished=timestamp(row.finished),
        error=row.error if caller.admin else for_tenant(row.error),
        steps=tuple(_step(each, caller.admin) for each in steps),
        hook=_hook(tx, row.id) if with_steps and caller.admin else None,
        confirm=_confirmation(tx, row.id) if with_steps else None,
        target=row.target or row.proves,
        more=jobs.count_steps(tx, row.id, device) - MOST_STEPS if full else 0,
    )


def _confirmation(tx: Tx, job: int) -> Confirmation | None:
    row = confirms.find(tx, job)
    if row is None:
        return None
    return Confirmation(
        seconds=row.seconds,
        state=row.state,
        until=timestamp(row.deadline),
        reverted_by=row.reverted_by,
    )


def _hook(tx: Tx, job: int) -> HookRun | None:
    run = leases.hook_run(tx, job)
    if run is None:
        return None
    return HookRun(
        node=run.node,
        outcome=run.outcome,
        output=run.output,
        started=timestamp(run.started) or "",
        finished=timestamp(run.finished) or "",
    )


def _step(row: StepRow, admin: bool) -> JobStep:
    return JobStep(
        step=row.step,
        device=row.device,
        kind=row.kind,
        target=row.target,
        summary=row.summary,
        lines=row.lines,
        state=row.state,
        message=row.message if admin else for_tenant(row.message),
        started=timestamp(row.started),
        finished=timestamp(row.finished),
    )


def _find(tx: Tx, call: Call, job: int) -> JobRow:
    """Return a job of the caller's projects; any, for an admin. Raises NotFoundError."""
    return find_job(tx, call.caller, job)


@method("job.show")
def job_show(call: TxCall, job: JobId, device: Name | None = None) -> Job:
    """Show a job with its steps: all of them, or those on one device.

    Of more than 5,000, those that failed are shown, and the first ones.
    """
    return record(call.tx, call, _find(call.tx, call, job), device=device)


@method("job.list")
def job_list(
    call: TxCall,
    project: Name | None = None,
    state: JobState | None = None,
    limit: Limit = 100,
    after: str | None = None,
) -> Page[Job]:
    """List jobs without their steps, newest first."""
    project_id = find_project(call.tx, call.caller, project).id if project else None
    rows = jobs.page(
        call.tx,
        limit,
        _place(call, after) if after else None,
        project_id=project_id,
        mine=visible(call.tx, call.caller),
        state=state,
    )
    items = [record(call.tx, call, row, with_steps=False) for row in rows]
    return paged(items, limit, rows[-1].id if rows else None)


def _place(call: TxCall, after: str) -> int:
    """Return the place of the job that a page follows; the caller must see it.

    Raises InvalidParamsError.
    """
    try:
        return find_job(call.tx, call.caller, number_cursor(after)).place
    except NotFoundError:
        raise InvalidParamsError(
            "after: must be the `next` of the page before this one.", field="after"
        ) from None


@method("job.transcript")
def job_transcript(
    call: TxCall,
    job: JobId,
    device: Name | None = None,
    limit: TranscriptLimit = 10,
    after: str | None = None,
) -> Page[Transcript]:
    """Show what switches were told in a job, and what they said. For admins."""
    row = _find(call.tx, call, job)
    rows = transcripts.page(call.tx, row.id, limit, number_cursor(after), device)
    items = [Transcript(each.device, timestamp(each.time) or "", each.plain) for each in rows]
    return paged(items, limit, rows[-1].id if rows else None)


async def _show(call: Call, job: int) -> Job:
    return await call.context.store.read(lambda tx: record(tx, call, _find(tx, call, job)))


@method("job.wait")
async def job_wait(call: Call, job: JobId, timeout: Timeout = 60.0) -> Job:
    """Wait until a job has ended, for at most ``timeout`` seconds, and show it."""
    found = await _show(call, job)
    if found.state in FINAL_JOB_STATES:
        return found
    await call.context.engine.jobs.wait(job, timeout)
    return await _show(call, job)


@method("job.cancel", mutates=True)
async def job_cancel(call: Call, job: JobId, force: bool = False) -> Job:
    """Stop a job before its next step. What was not sent stays staged.

    With ``force`` (admins only) it ends now, whatever it waits for; the state of what it was
    sending is not known then.
    """
    await _show(call, job)
    if force and not call.caller.admin:
        raise DeniedError("Only an admin may end a job by force: cancel it without  --force.")
    await call.context.engine.jobs.cancel(job, force=force)
    return await _show(call, job)


@method("job.confirm", mutates=True)
def job_confirm(call: TxCall, job: JobId) -> Job:
    """Keep what a job applied that would go back by itself; it can still be running."""
    row = _find(call.tx, call, job)
    if not confirms.confirm(call.tx, row.id):
        found = confirms.find(call.tx, row.id)
        if found is None:
            raise ConflictError(f"Job {job} does not wait to be confirmed: it stays as it is.")
        if found.state == "reverted":
            raise ConflictError(
                f"Job {job} was not confirmed in time and went back: apply again to have it."
            )
    call.changed("job", "confirmed", str(job), row.project, admins_only=row.project is None)
    return record(call.tx, call, row)


@method("job.subscribe", streams=True)
async def job_subscribe(call: Call, job: JobId) -> Job:
    """Over WebSocket: show the job, then send ``job.event`` until it has ended."""
    if call.subscriber is None:
        raise InvalidParamsError(
            "job.subscribe works over WebSocket only: connect with GET /rpc, or use job.wait."
        )
    await _show(call, job)  # raises if the caller may not see it
    # Before reading it, so that no event is missed:
    call.subscriber.subscribe_job(job, admin=call.caller.admin)
    seq = call.subscriber.seq  # events up to here are in the record: the store is written first
    return msgspec.structs.replace(await _show(call, job), seq=seq)


@method("events.subscribe", streams=True)
async def events_subscribe(call: Call) -> Subscribed:
    """Over WebSocket: send ``inventory.event`` for everything the caller may see."""
    if call.subscriber is None:
        raise InvalidParamsError(
            "events.subscribe works over WebSocket only: connect with GET /rpc."
        )
    call.subscriber.subscribe_inventory(call.caller)
    return Subscribed(subscribed=True)
