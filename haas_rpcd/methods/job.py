"""job.* and events.*: current and past jobs, and what happens."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from haas_rpcd.errors import ConflictError, DeniedError, InvalidParamsError, NotFoundError
from haas_rpcd.methods.access import (
    find_job,
    find_project,
    number_cursor,
    paged,
    visible,
)
from haas_rpcd.methods.call import Call, TxCall
from haas_rpcd.methods.registry import method
from haas_rpcd.methods.tenant_texts import for_tenant
from haas_rpcd.store import confirms, jobs, leases, transcripts
from haas_rpcd.store.database import Tx
from haas_rpcd.store.jobs import JobRow, StepRow
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
    Transcript,
)
from haas_schemas.names import JobId, Limit, Name

TranscriptLimit = Annotated[
    int, Meta(ge=1, le=50, description="At most so many parts, each of up to 200 KB.")
]
Timeout = Annotated[float, Meta(ge=0, le=3600, description="Seconds.")]


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
