"""The ``:`` line: the language of scripts, with completion and history, and the screens' names."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from haas_console.core import devicetext, text
from haas_console.core.commands import Apply, Call, Command, Help, Use
from haas_console.core.errors import CommandSyntaxError, ConsoleError
from haas_console.core.recall import Recall
from haas_console.tui.prompt import Question
from haas_console.tui.screen import ConsoleScreen
from haas_console.tui.table import SCREENS, entry

if TYPE_CHECKING:
    from haas_console.tui.app import ConsoleApp

QUIT = ("q", "quit", "exit", "wq", "q!")


class CommandLine:
    """Reads what was typed after ``:`` and does it."""

    def __init__(self, app: ConsoleApp, recall: Recall) -> None:
        self.console = app
        self._recall = recall

    def open(self, beginning: str = "") -> None:
        """Show the line."""
        here, session = self.console.here, self.console.session
        if here is None:
            return
        from haas_console.core.completion import Completer

        completer = Completer(
            session.sync.language,
            session.inventory,
            session.project,
            [*(item.name for item in SCREENS), "board", "discard", "quit"],
        )
        here.put(
            Question(
                ":",
                text=beginning,
                answer=self.do,
                complete=completer.complete,
                history=self._recall.lines,
            )
        )

    def do(self, line: str) -> None:
        """Do what a line says."""
        here, session = self.console.here, self.console.session
        words = line.split()
        if here is None or not words:
            return
        self._recall.add(line)
        if len(words) == 1 and self._own(words[0], here):
            return
        try:
            command = session.sync.language.parse_line(line, session.project)
        except CommandSyntaxError as error:
            usage = f"   usage: {error.usage}" if error.usage else ""
            here.fail(f"{error.message}{usage}")
        except ConsoleError as error:
            here.fail(str(error))
        else:
            if command is not None:
                self.console.run_worker(self._run(here, command), group="send")

    def _own(self, word: str, here: ConsoleScreen) -> bool:
        """Words of the screen's own: to quit, to discard, and the names of screens."""
        if word in QUIT:
            self.console.exit(0)
        elif word == "board":
            self.console.to_board()
        elif word == "discard":
            self.console.run_worker(self._discard(here), group="send")
        elif (found := entry(word)) is not None and word not in ("apply",):
            self.console.open(found)
        else:
            return False
        return True

    async def _discard(self, here: ConsoleScreen) -> None:
        here.show_outcome(await self.console.session.discard())

    async def _run(self, here: ConsoleScreen, command: Command) -> None:
        from haas_console.core.help import help_text
        from haas_console.tui.textscreen import TextScreen

        session = self.console.session
        if isinstance(command, Help):
            lines = help_text(session.sync.language, command).splitlines()
            self.console.show(TextScreen(session, "Help", lines, indent=4))
            return
        if isinstance(command, Apply) and command.digest is None:  # look at the plan first
            from haas_console.tui.screens.apply import ApplyScreen

            site = command.project is None
            self.console.show(ApplyScreen(session, site=site, project=command.project))
            return
        outcome = await here.send([command])
        if not outcome.ok:
            return
        result = outcome.results[-1]
        if isinstance(command, Use):
            here.say(f"project {command.project}" if command.project else "all projects")
        elif isinstance(command, Apply):
            from haas_console.tui.screens.job import open_job

            open_job(self.console, result["job"])
        elif isinstance(command, Call) and (
            command.method in devicetext.READ or not session.sync.language.mutates(command)
        ):
            title = session.line(command)
            self.console.show(TextScreen(session, title, answer_lines(command, result)))
        elif isinstance(command, Call):
            said = text.facts(result, command.params)
            line = session.line(command)
            here.say(f"> {line}: {said}" if said else f"> {line}")


def answer_lines(call: Call, result: Any) -> list[str]:
    """What a command that only looks has found, as a script's output shows it."""
    if call.method == "plan.show":
        return text.plan_lines(result)
    if call.method in devicetext.READ:
        unread = devicetext.unread(result) if call.method == "drift.check" else []
        said = [*unread, *devicetext.talk(call.method, result)]
        return [*devicetext.answer_lines(call.method, result), *said]
    if call.method == "site.export":
        return str(result["site"]).splitlines()
    if call.method == "rpc.discover":
        return json.dumps(result, indent=1).splitlines()
    items = result.get("items") if isinstance(result, Mapping) and "next" in result else result
    if text.is_table(items):
        return text.table(list(items or ()))
    if isinstance(items, list):
        return [text.brief(item) for item in items] or ["none"]
    return text.record_lines(items) if isinstance(items, Mapping) else [text.brief(items)]
