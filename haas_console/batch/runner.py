"""Runs a parsed script, one command after the other."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any, NoReturn

from haas_console.batch.exitcodes import ExitCode, code_of
from haas_console.batch.output import Output
from haas_console.batch.progress import Progress, progress_for
from haas_console.batch.script import Parsed
from haas_console.core import devicetext, files, jobs, savedplan, sitefile
from haas_console.core.attach import attach
from haas_console.core.client import Client
from haas_console.core.commands import (
    CONSOLES,
    Apply,
    ApplyFile,
    Call,
    ExportSite,
    Find,
    Follow,
    Help,
    ImportSite,
    May,
    SavePlan,
    Use,
)
from haas_console.core.errors import ConsoleError, LostDaemonError, NoDaemonError, RpcError
from haas_console.core.fetch import Fetcher
from haas_console.core.help import help_text
from haas_console.core.inventory import Inventory, record
from haas_console.core.language import Language
from haas_console.core.leases import ending_soon
from haas_console.core.objects import find
from haas_console.core.paging import fetch
from haas_console.core.rights import may_text, method_refused
from haas_schemas.system import SystemInfo

_SEARCH = 30.0  # seconds that an apply waits for a daemon that restarts
_AGAIN = 0.25

Connect = Callable[[], Awaitable[Client]]


class Runner:
    """Runs commands on one daemon; ``connect`` opens a new connection to it."""

    def __init__(
        self,
        client: Client,
        language: Language,
        output: Output,
        *,
        connect: Connect,
        demo: bool = False,
    ) -> None:
        self.client = client
        self._language = language
        self._output = output
        self._connect = connect
        self._demo = demo

    async def close(self) -> None:
        """Close the current connection."""
        await self.client.close()

    async def run(self, script: Sequence[Parsed], *, keep_going: bool = False) -> ExitCode:
        """Run the script until its end or first error; return the exit code of the first error."""
        code = ExitCode.DONE
        for parsed in script:
            try:
                told = await self._run_one(parsed)
                code = code or told
            except ConsoleError as error:
                self._output.failure(error)
                self._output.error(parsed.place, error)
                code = code or code_of(error)
                if not keep_going or isinstance(error, NoDaemonError):
                    break
        return code

    async def _run_one(self, parsed: Parsed) -> ExitCode:
        """Run a command; return an exit code that reports a result, not an error."""
        self._output.command(parsed.line)
        match parsed.command:
            case Use(project):
                self._use(project)
            case Help() as topic:
                content = help_text(self._language, topic)
                if self._output.as_json:
                    self._output.document({"help": content})
                else:
                    self._output.exact(content)
            case Apply() | ApplyFile() as apply:
                await self._apply(apply, parsed)
            case SavePlan() as saving:
                return await self._save_plan(saving, parsed)
            case ImportSite() as command:
                await self._call(await sitefile.import_call(command, self.client.call), parsed)
            case ExportSite(file, params):
                files.check(file)
                export = Call("site.export", params)
                exported = await self._fetch(export)
                size = files.write_text(file, exported["site"])
                self._output.changed(parsed.line, export, {"bytes": size})
            case May() as asked:
                return await self._may(asked)
            case Find() as finding:
                self._output.result(Call("object.find"), await self.read(finding), parsed.view)
            case Follow(job):
                await (self._events(parsed) if job is None else self._follow(job, parsed))
            case Call(method="drift.repair") as call:
                with self._report_interrupt(parsed):
                    started = await self.client.call(call.method, call.params)
                await self._see_through(call, started, parsed)
            case Call(method=method) as call if method in CONSOLES and not self._output.as_json:
                await self._attach(call, parsed)
            case Call() as call:
                return await self._call(call, parsed)
        return ExitCode.DONE

    def _use(self, project: str | None) -> None:
        if self._output.as_json:
            self._output.document({"project": project})
        else:
            self._output.remark(f"using project {project}" if project else "using no project")

    async def _may(self, asked: May) -> ExitCode:
        """Say whether the user may; the exit code reports it as well."""
        info = record(SystemInfo, await self.client.call("system.info"))
        why = method_refused(self._language.api.methods[asked.method], info, asked.project)
        if self._output.as_json:
            self._output.document({"may": why is None, "why": why})
        else:
            self._output.lines([may_text(why)])
        return ExitCode.DONE if why is None else ExitCode.DENIED

    async def read(self, command: Call | Find) -> Any:
        """The answer of a command that only reads. Raises ConsoleError."""
        return await (self._find(command) if isinstance(command, Find) else self._fetch(command))

    async def _find(self, finding: Find) -> list[dict[str, str]]:
        inventory = Inventory()
        await Fetcher(inventory, self._quietly, self._language.api.methods).named()
        return [
            {"kind": ref.kind, "name": ref.name, "about": note}
            for ref, note in find(inventory, finding.text)
        ]

    async def _quietly(
        self, method: str, params: Mapping[str, Any] | None = None, *, quiet: bool = False
    ) -> Any:
        return await self.client.call(method, params)

    async def _fetch(self, call: Call) -> Any:
        method = self._language.api.methods[call.method]
        return await fetch(self.client.call, method, call.params, timeout=self.client.timeout)

    async def _call(self, call: Call, parsed: Parsed) -> ExitCode:
        view = parsed.view
        if view.watch is not None:
            await self._repeat(call, parsed, view.watch)
        with self._report_interrupt(parsed):
            result = await self._fetch(call)
        checks = call.method in ("cabling.check", "drift.check")
        if checks and not result["checked"] and result["unreachable"]:
            raise ConsoleError(" ".join(devicetext.unreachable(result)))
        if self._language.mutates(call):
            self._output.changed(parsed.line, call, result, view)
        else:
            self._output.result(call, result, view)
        for sentence in ending_soon(call.method, result):
            self._output.remark(sentence)
        return ExitCode.CHANGES if view.exit_code and not result["empty"] else ExitCode.DONE

    async def _attach(self, call: Call, parsed: Parsed) -> None:
        """Connect standard input and output with a console until the user leaves it."""
        with self._report_interrupt(parsed):
            ticket = await self.client.call(call.method, call.params)
        self._output.flush()
        await attach(self.client, ticket, self._output.notice)

    async def _repeat(self, call: Call, parsed: Parsed, seconds: float) -> NoReturn:
        """Show a command's data again and again, until interrupted."""
        while True:
            result = await self._fetch(call)
            self._output.again(parsed.line)
            self._output.result(call, result, parsed.view)
            await asyncio.sleep(seconds)

    @contextlib.contextmanager
    def _report_interrupt(self, parsed: Parsed) -> Iterator[None]:
        try:
            yield
        except asyncio.CancelledError:
            self._output.error(
                parsed.place, f"interrupted; {parsed.line} may have been carried out"
            )
            raise

    # --- following ---

    async def _events(self, parsed: Parsed) -> NoReturn:
        """Print the daemon's events until interrupted. Raises LostDaemonError."""
        with self.client.notifications() as inbox:
            await self.client.call("events.subscribe")
            while True:
                method, event = await inbox.get()
                if method == "inventory.event":
                    self._output.event(event, parsed.view)

    async def _follow(self, job: int, parsed: Parsed) -> None:
        """Show the progress of a job that anybody started. Raises JobFailedError."""
        progress = progress_for(self._output)
        try:
            record = jobs.outcome(await self._watch(job, progress))
        except asyncio.CancelledError:
            progress.finish()
            raise
        self._output.changed(parsed.line, Call("job.show", {"job": job}), _done(record))

    # --- plans in files ---

    async def _save_plan(self, saving: SavePlan, parsed: Parsed) -> ExitCode:
        plan, size = await savedplan.save(saving, self._fetch)
        if saving.file == files.STDIN:
            self._output.exact(savedplan.document(saving.params, plan))
        elif self._output.as_json:
            self._output.document({"bytes": size, "digest": plan["digest"]})
        else:
            self._output.result(Call("plan.show", saving.params), plan, parsed.view)
            again = self._language.format(ApplyFile(saving.file))
            self._output.remark(f"saved; it is applied as it is by  {again}")
        return ExitCode.CHANGES if parsed.view.exit_code and not plan["empty"] else ExitCode.DONE

    # --- apply ---

    async def _start(self, apply: Apply | ApplyFile) -> tuple[Call, Any]:
        """Start a job; return the call and its answer.

        A word that names no project may name a saved plan, as in  apply tonight.plan
        """
        if isinstance(apply, ApplyFile):
            return await savedplan.start(apply, self._fetch)
        call = apply.call()
        try:
            return call, await self.client.call(call.method, call.params)
        except RpcError as error:
            file = apply.project or ""
            only = apply == Apply(apply.project, confirm=apply.confirm)
            if error.kind != "not_found" or not only or not savedplan.exists(file):
                raise
            return await savedplan.start(ApplyFile(file, apply.confirm), self._fetch)

    async def _apply(self, apply: Apply | ApplyFile, parsed: Parsed) -> None:
        with self._report_interrupt(parsed):
            call, started = await self._start(apply)
        record = await self._see_through(call, started, parsed)
        confirm = record.get("confirm") or {}
        if confirm.get("state") == "waiting" and not self._output.as_json:
            self._output.remark(
                f"it goes back at {confirm['until']} unless confirmed: job confirm {started['job']}"
            )

    async def _see_through(self, call: Call, started: Any, parsed: Parsed) -> dict[str, Any]:
        """Show the progress of a job that was started here; return its record at its end.

        Raises JobFailedError.
        """
        job = int(started["job"])
        progress = progress_for(self._output)
        try:
            record = jobs.outcome(await self._watch(job, progress))
        except asyncio.CancelledError:
            progress.finish()
            self._output.error(parsed.place, self._goes_on(job))
            raise
        if self._output.as_json:
            self._output.document(record)
        else:
            self._output.changed(parsed.line, call, _done(record))
        return record

    def _goes_on(self, job: int) -> str:
        if self._demo:
            return f"interrupted; job {job} ends with the demo"
        return (
            f"interrupted, but job {job} goes on: `job show {job}` tells how far it is,"
            f" `job cancel {job}` stops it"
        )

    async def _watch(self, job: int, progress: Progress) -> jobs.JobView:
        """Show the job until its end, also across a restart of the daemon, which resumes it."""
        view = jobs.JobView(job)
        while True:
            try:
                async with contextlib.aclosing(jobs.follow(self.client, job)) as views:
                    async for view in views:
                        progress.update(view)
                break
            except LostDaemonError as error:
                progress.finish()
                self._output.remark(f"{error}; looking for it, as job {job} is its to finish")
                await self._find_again(job)
        progress.finish()
        return view

    async def _find_again(self, job: int) -> None:
        await self.client.close()
        try:
            async with asyncio.timeout(_SEARCH):
                while True:
                    try:
                        self.client = await self._connect()
                        return
                    except NoDaemonError:
                        await asyncio.sleep(_AGAIN)
        except TimeoutError as error:
            raise LostDaemonError(
                f"the daemon went away while job {job} was under way, and is not back after"
                f" {_SEARCH:g} s; once it runs again, `job show {job}` tells what became of it"
            ) from error


def _done(record: dict[str, Any]) -> dict[str, Any]:
    """The short confirmation of a job that has succeeded."""
    done, steps = record["done"], record["total"]
    outcome = f"{done} step{'s' if done != 1 else ''} done" if steps else "there was nothing to do"
    if steps > done:
        outcome += f", {steps - done} not needed any more"
    return {"job": record["job"], "note": outcome}
