"""One user's session: the inventory, the project in use, and how commands are sent.

Keys, the mouse, forms, the palette and the ``:`` line all send their commands here. So each command
is logged as a line of a script, is refused for the same reasons, and can be undone if it has an
inverse.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from haas_console.core import files, savedplan, sitefile
from haas_console.core import history as past
from haas_console.core.affected import affected
from haas_console.core.answers import take_answer
from haas_console.core.commands import (
    Apply,
    ApplyFile,
    Call,
    Command,
    ExportSite,
    Follow,
    Help,
    ImportSite,
    May,
    SavePlan,
    Use,
)
from haas_console.core.errors import ConsoleError, ReadonlyError
from haas_console.core.failures import Failures
from haas_console.core.gestures import Gesture, Refusal, WriteAccess
from haas_console.core.history import Edit, History
from haas_console.core.inventory import Inventory
from haas_console.core.nodecounts import NodeTally
from haas_console.core.paging import fetch
from haas_console.core.rights import changes_refused, method_refused
from haas_console.core.sync import InventorySync
from haas_console.core.target import Target


class Outcome(msgspec.Struct):
    """The outcome of commands: the answers of those that were done, and the first error."""

    results: list[Any] = msgspec.field(default_factory=list)
    error: str | None = None
    cause: ConsoleError | None = None
    """The exception, which may hold more than its sentence: the wrong field."""

    @property
    def ok(self) -> bool:
        """All were done."""
        return self.error is None

    @property
    def job(self) -> int | None:
        """The job that was started, if any."""
        for result in self.results:
            if isinstance(result, dict) and isinstance(result.get("job"), int):
                return int(result["job"])
        return None


_SLOW = frozenset({"switch.probe", "switch.trust", "node.power"})
"""Methods that wait for a device, and that nothing staged depends on."""


class Session:
    """What every screen uses to read the inventory and to change it."""

    def __init__(
        self, target: Target, *, readonly: bool = False, project: str | None = None
    ) -> None:
        self.sync = InventorySync(target)
        self.readonly = readonly
        self.project = project
        self.history = History()
        self.failures = Failures()
        self.tally = NodeTally(self.sync.watch)
        self._turn = asyncio.Lock()
        self._chosen = project is not None
        self.sync.watch(self._choose_project)

    @property
    def inventory(self) -> Inventory:
        """The inventory of the data centre."""
        return self.sync.inventory

    @property
    def write_access(self) -> WriteAccess:
        """Whether anything can be changed now."""
        forbidden = changes_refused(self.inventory.info, self.project)
        return WriteAccess(self.readonly, self.sync.status.state == "live", forbidden)

    def refusal(self, method: str, project: str | None) -> str | None:
        """Why a method can't be called in a project now, as a sentence; None if it can."""
        if not method:
            return None
        refused = WriteAccess(self.readonly, self.sync.status.state == "live").refusal()
        if self.inventory.info is None:  # nothing is called before the first connection
            return None if refused is None else refused.reason
        found = self.sync.language.api.methods.get(method)
        if found is None:
            return None
        if found.mutates and refused is not None:
            return refused.reason
        why = method_refused(found, self.inventory.info, project)
        return None if why is None else f"You may not {found.noun} {found.verb}: {why}."

    def use(self, project: str | None) -> None:
        """Choose the current project; None: all projects."""
        self._chosen = True
        if project != self.project:
            self.project = project
            self.sync.notify("use")

    def _choose_project(self, changes: frozenset[str]) -> None:
        """Start with a project of the user: the only one, or the first by name."""
        if self._chosen or "info" not in changes or self.inventory.info is None:
            return
        mine = self.inventory.info.projects or sorted(self.inventory.projects)
        if mine:
            self.use(mine[0])

    # --- doing ---

    async def settled(self) -> None:
        """Wait until everything sent before is answered and in the inventory."""
        async with self._turn:
            pass

    async def do(self, plan: Callable[[], Gesture | Refusal]) -> Outcome:
        """Send the calls of a gesture, which are undone together; a refusal is an outcome too.

        ``plan`` is called when the results of everything sent before are in the inventory.
        """
        async with self._turn:
            gesture = plan()
            if isinstance(gesture, Refusal):
                return Outcome(error=gesture.reason)
            return await self._send_all(gesture.calls, gesture.label)

    async def perform(self, commands: Sequence[Command]) -> Outcome:
        """Send commands one by one until the first error, and remember how to undo them."""
        if not any(self._takes_a_turn(command) for command in commands):
            await self.settled()
            return await self._send_all(commands)
        async with self._turn:
            return await self._send_all(commands)

    def _takes_a_turn(self, command: Command) -> bool:
        """Later commands wait for this one; not for one that waits for a slow device."""
        if isinstance(command, Call) and command.method in _SLOW:
            return False
        return self.sync.language.mutates(command)

    async def undo(self) -> Outcome:
        """Undo the last staged edit."""
        async with self._turn:
            return await self._again(self.history.to_undo(), undone=True)

    async def redo(self) -> Outcome:
        """Redo the edit that was undone last."""
        async with self._turn:
            return await self._again(self.history.to_redo(), undone=False)

    async def discard(self) -> Outcome:
        """Reset everything staged in the current project to what is applied."""
        project = self.project
        if project is None:
            return Outcome(error="Discard what? p chooses a project.")
        async with self._turn:
            calls = past.discard(self.inventory, project)
            if not calls:
                return Outcome(error=f"Nothing is staged in {project}.")
            return await self._send_all(calls, f"discard all staged in {project}")

    # --- several commands, within a turn ---

    async def _send_all(self, commands: Sequence[Command], label: str = "") -> Outcome:
        forward: list[Call] = []
        backward: list[tuple[Call, ...]] = []
        outcome = Outcome()
        for command in commands:
            undo = past.inverse(self.inventory, command) if isinstance(command, Call) else None
            if not await self._send(command, outcome):
                break
            if isinstance(command, Call) and undo:
                forward.append(command)
                backward.append(undo)
        done = commands[: len(outcome.results)]
        for note in dict.fromkeys(past.irreversible(c) for c in done if isinstance(c, Call)):
            if note:
                self.history.add(Edit(note, (), (), note))
        if forward:
            reverse = tuple(call for calls in reversed(backward) for call in calls)
            self.history.add(Edit(label or self.line(forward[0]), tuple(forward), reverse))
        await self._read_affected(commands, outcome)
        return outcome

    async def _again(self, edit: Edit | None, *, undone: bool) -> Outcome:
        if edit is None:
            return Outcome(error=f"There is nothing to {'undo' if undone else 'do again'}.")
        if edit.note:
            self.history.moved(edit, undone=undone)
            more = " z once more undoes what came before." if self.history.done else ""
            return Outcome(error=f"{edit.note}{more}")
        outcome = Outcome()
        calls = edit.backward if undone else edit.forward
        for call in calls:
            if not await self._send(call, outcome):
                break
        if outcome.ok:
            self.history.moved(edit, undone=undone)
        await self._read_affected(calls, outcome)
        return outcome

    async def _read_affected(self, commands: Sequence[Command], outcome: Outcome) -> None:
        """Fetch what the commands that were done have changed."""
        done = zip(commands, outcome.results, strict=False)
        found = [
            each
            for command, answer in done
            if self.sync.language.mutates(command)
            for each in affected(command, answer)
        ]
        if found:
            # If this fails, the synchronization fetches it later.
            with contextlib.suppress(ConsoleError):
                await self.sync.read(found)

    # --- one command ---

    def line(self, command: Command) -> str:
        """The command as a line of a script."""
        try:
            return self.sync.language.format(command)
        except ValueError:
            return str(command)

    async def _send(self, command: Command, outcome: Outcome) -> bool:
        """Send one command and add its result to the outcome."""
        entry = self.sync.log.command(self.line(command))
        try:
            self._check(command)
            result = await self._carry_out(command)
        except ConsoleError as error:
            entry.state, entry.message = "failed", str(error)
            outcome.error, outcome.cause = str(error), error
        else:
            entry.state = "done"
            outcome.results.append(result)
        self.sync.notify("command")
        return outcome.ok

    def _check(self, command: Command) -> None:
        if self.sync.language.mutates(command):
            if self.readonly:
                raise ReadonlyError("This console only looks (--readonly).")
            if self.sync.status.state != "live":
                raise ConsoleError("The daemon is lost; nothing can be changed until it is back.")

    async def _carry_out(self, command: Command) -> Any:
        sync = self.sync
        match command:
            case Use(project):
                self.use(project)
                return None
            case Help() | May():
                return None
            case Follow():
                raise ConsoleError("A script follows; here the screens do: e, and J with Enter.")
            case Apply() as apply:
                return await self._call(apply.call())
            case ApplyFile() as saved:
                return (await savedplan.start(saved, self._call))[1]
            case SavePlan() as saving:
                if saving.file == files.STDIN:
                    raise ConsoleError("--out - is stdout, which this screen has: name a file")
                return {"bytes": (await savedplan.save(saving, self._call))[1]}
            case ImportSite() as site:
                return await self._call(await sitefile.import_call(site, sync.call))
            case ExportSite(file, params):
                files.check(file)
                exported = await sync.call("site.export", params)
                return {"bytes": files.write_text(file, exported["site"])}
            case Call() as call:
                return await self._call(call)

    async def _call(self, call: Call) -> Any:
        method = self.sync.language.api.methods[call.method]
        timeout = self.sync.target.timeout
        answer = await fetch(self.sync.call, method, call.params, timeout=timeout)
        self.sync.notify(*take_answer(self.inventory, call, answer))
        return answer
