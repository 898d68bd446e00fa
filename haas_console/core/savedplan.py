"""Saved plans: a plan in a file, to be read, passed on, and applied exactly or not at all.

The file is JSON. ``plan PROJECT --out FILE`` writes it, ``apply FILE`` applies it while the daemon
still makes the same plan; the plan's digest tells.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from haas_console.core import files
from haas_console.core.commands import ApplyFile, Call, SavePlan
from haas_console.core.errors import ConsoleError, RpcError

Fetch = Callable[[Call], Awaitable[Any]]
"""Makes a call and returns its result."""

_OVER_SSH = (
    "over SSH no file of the master is opened: take the plan from stdout, with"
    "  plan --out -  > FILE, and send it on stdin, with  apply -  < FILE"
)


class SavedPlan(msgspec.Struct, frozen=True):
    """The content of the file. ``made``: when, in UTC; ``steps`` are those of ``plan.show``.

    ``haas_plan`` is the version of this format.
    """

    haas_plan: int
    made: str
    project: str | None
    target: str | None
    digest: str
    steps: list[dict[str, Any]]

    @property
    def command(self) -> str:
        """The command that shows this plan anew."""
        words = ["plan", self.project or "--site"]
        return " ".join([*words, "--target", self.target] if self.target else words)


async def save(command: SavePlan, fetch: Fetch) -> tuple[Any, int]:
    """Fetch a plan and write it to the file; return it, and how many bytes were written.

    ``-`` writes nothing: stdout belongs to the caller, who prints :func:`document`. Raises
    ConsoleError.
    """
    files.check(command.file, _OVER_SSH)
    plan = await fetch(Call("plan.show", command.params))
    if command.file == files.STDIN:
        return plan, 0
    return plan, files.write_text(command.file, document(command.params, plan))


def document(params: Mapping[str, Any], plan: Mapping[str, Any]) -> str:
    """The text of the file for a plan that ``plan.show`` returned for these params."""
    saved = SavedPlan(
        haas_plan=1,
        made=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        project=params.get("project"),
        target=params.get("target"),
        digest=plan["digest"],
        steps=list(plan["steps"]),
    )
    return msgspec.json.format(msgspec.json.encode(saved), indent=1).decode() + "\n"


def exists(file: str) -> bool:
    """Whether a file of this name is there and may be read; it may hold anything."""
    return files.allowed() and Path(file).is_file()


def read(file: str) -> SavedPlan:
    """Read a saved plan. Raises ConsoleError if the file is none."""
    files.check(file, _OVER_SSH)
    if file != files.STDIN and "/" not in file and not Path(file).exists():
        raise ConsoleError(f"there is neither a project nor a file {file}")
    text = files.read_text(file)
    try:
        saved = msgspec.json.decode(text, type=SavedPlan)
    except msgspec.MsgspecError as error:
        raise ConsoleError(
            f"{file} is no saved plan ({error}); one is made by  plan PROJECT --out FILE"
        ) from error
    if saved.haas_plan != 1:
        raise ConsoleError(f"{file} is of a newer haas-console: apply it with that, or plan again")
    return saved


async def start(command: ApplyFile, fetch: Fetch) -> tuple[Call, Any]:
    """Start the apply of a saved plan; return the call and its answer.

    Raises RpcError of the kind ``stale_plan`` if the daemon's plan is another by now; its data name
    the steps that are gone and those that are new.
    """
    saved = read(command.file)
    given = {
        "project": saved.project,
        "target": saved.target,
        "digest": saved.digest,
        "confirm": command.confirm,
    }
    call = Call("apply.start", {key: value for key, value in given.items() if value is not None})
    try:
        return call, await fetch(call)
    except RpcError as error:
        if error.kind != "stale_plan":
            raise
        scope = {key: call.params[key] for key in ("project", "target") if key in call.params}
        now = await fetch(Call("plan.show", scope))
        raise _stale(command.file, saved, error, now) from error


def _stale(file: str, saved: SavedPlan, error: RpcError, now: Mapping[str, Any]) -> RpcError:
    before, after = _sentences(saved.steps), _sentences(now["steps"])
    what = "this" if file == files.STDIN else file
    return RpcError(
        error.code,
        f"{what} is stale, so nothing was applied: what is staged or applied has changed since the"
        f" plan was saved at {saved.made}; look at the new one with  {saved.command}",
        {
            **error.data,
            "removed": [sentence for sentence in before if sentence not in after],
            "added": [sentence for sentence in after if sentence not in before],
        },
    )


def _sentences(steps: list[dict[str, Any]]) -> list[str]:
    return [f"{step.get('device')}: {step.get('summary')}" for step in steps]
