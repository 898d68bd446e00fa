"""The ``nv`` command.

Every user has a candidate. ``nv set`` and ``nv unset`` add edits to it; ``nv config apply`` applies
them all at once to the configuration as it is by then.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from haas_rpcd.sim.nvue import cabling, show
from haas_rpcd.sim.nvue.edits import InvalidError, apply_edit
from haas_rpcd.sim.nvue.state import Candidate, Config
from haas_rpcd.sim.shell import Call, ShellSwitch


class Nv:
    """``nv`` on one switch.

    ``auto_save``: an apply saves as well, as from release 5.9 on. ``reload_fails``: ifupdown2
    cannot bring up what is applied, so NVUE rolls back.
    """

    def __init__(self, switch: ShellSwitch[Config]) -> None:
        self.auto_save = False
        self.reload_fails = False
        self.candidates: dict[str, Candidate] = {}
        self._switch = switch
        self._revision = 1

    async def run(self, call: Call) -> int:
        """Carry out one ``nv`` command; return its exit status."""
        match call.words[1:]:
            case ["set" | "unset", *_] as edit:
                return self._edit(call, edit)
            case ["config", *words]:
                return await self._config(call, words)
            case ["show", *words]:
                return self._show(call, words)
        return self._invalid(call)

    @staticmethod
    def _invalid(call: Call) -> int:
        call.error("Error: Invalid parameter")
        return 1

    def _edit(self, call: Call, edit: list[str]) -> int:
        try:
            apply_edit(self._switch.running.copy(), edit)
        except InvalidError:
            return self._invalid(call)
        user = self._switch.user_of(call)
        if user not in self.candidates:
            self._revision += 1
            self.candidates[user] = Candidate(self._revision)
            call.print(f"created [rev_id: {self._revision}]")
        self.candidates[user].edits.append(edit)
        return 0

    async def _config(self, call: Call, words: Sequence[str]) -> int:
        switch, user = self._switch, self._switch.user_of(call)
        match words:
            case ["apply", *flags] if set(flags) <= {"--assume-yes", "-y", "--y"}:
                return await self._apply(call, user, bool(flags))
            case ["detach"]:
                self.candidates.pop(user, None)
            case ["diff"]:
                if user in self.candidates:
                    call.print(*show.diff(self.candidates[user].edits))
            case ["save"]:
                if not switch.save():
                    call.error(*switch.save_error)
                    return 1
                call.print("saved [rev_id: applied]")
            case ["show", "-o", "json"]:
                call.print(json.dumps(show.configuration(switch.running), indent=2))
            case _:
                return self._invalid(call)
        return 0

    async def _apply(self, call: Call, user: str, assume_yes: bool) -> int:
        switch, candidate = self._switch, self.candidates.get(user)
        if candidate is None:
            call.print("  config apply executed with no config diff")
            return 1
        revision, wanted = candidate.revision, switch.running.copy()
        missing = [edit for edit in candidate.edits if not apply_edit(wanted, edit)]
        if not missing and wanted == switch.running:
            call.print(f"Invalid config [rev_id: {revision}]")
            call.print("  config apply executed with no config diff")
            return 1
        if (why := wanted.invalid()) is not None:
            call.print(f"Invalid config [rev_id: {revision}]", f"  {why}")
            return 1
        if wanted.hostname != switch.running.hostname:
            call.print(
                f"Warning: current hostname `{switch.running.hostname}` will be replaced with"
                f" `{wanted.hostname}`",
                "",
            )
            answer = "y" if assume_yes else await call.ask("Are you sure? [y/N] ")
            if not answer.lower().startswith("y"):
                call.print(f"Declined apply after warnings [rev_id: {revision}]")
                return 1
        if self.reload_fails or missing:
            call.print(*show.IFRELOAD_FAILED.format(rev=revision).splitlines())
            return 0  # the real command returns 0 as well
        del self.candidates[user]
        switch.adopt(wanted)
        saved = self.auto_save and switch.save()
        call.print(f"applied{'_and_saved' if saved else ''} [rev_id: {revision}]")
        return 0

    def _show(self, call: Call, words: Sequence[str]) -> int:
        match words:
            case ["system"]:
                call.print(*show.system(self._switch.running.hostname))
                return 0
            case ["interface", "lldp-detail"]:
                call.print(*cabling.neighbors(self._switch))
                return 0
            case ["platform", "hardware"]:
                call.print(*show.PLATFORM.splitlines())
                return 0
        call.error("Error: The requested item does not exist.")
        return 1
