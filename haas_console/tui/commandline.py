"""The ``:`` line: the language of scripts, with completion and history, and the screens' names."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

from textual.app import SuspendNotSupported

from haas_console.core import devicetext, text, whytext
from haas_console.core.commands import (
    CONSOLES,
    Apply,
    ApplyFile,
    Call,
    Command,
    Find,
    Help,
    May,
    Use,
)
from haas_console.core.errors import CommandSyntaxError, ConsoleError
from haas_console.core.objects import beginning, named
from haas_console.core.recall import Recall
from haas_console.core.rights import may_text, method_refused
from haas_console.tui.console import Console, ScreenHost
from haas_console.tui.prompt import Question
from haas_console.tui.table import SCREENS, entry

ALIASES = {
    "networks": "board",
    "nodes": "board",
    "pulses": "pulse",
    "switches": "switch",
    "xray": "topology",
}
"""Words for screens: those of k9s, and the plurals of what a screen shows."""

QUIT = ("q", "quit", "exit", "wq", "q!")
OWN = (*(item.name for item in SCREENS), "board", "ctx", "discard", "quit")
"""Words that the console understands beyond those of scripts."""


class CommandLine:
    """Reads what is typed after ``:`` and does it."""

    def __init__(self, console: Console, recall: Recall) -> None:
        self.console = console
        self._recall = recall

    def open(self, beginning: str = "") -> None:
        """Show the line, with the beginning of a command in it."""
        front, session = self.console.front, self.console.session
        if front is None:
            return
        from haas_console.core.completion import Completer

        completer = Completer(
            session.sync.language,
            session.inventory,
            session.project,
            (*OWN, *self.console.own_commands),
            objects=True,
        )
        front.put(
            Question(
                ":",
                text=beginning,
                answer=self.do,
                complete=completer.complete,
                history=self._recall.lines,
                lines=self.paste,
            )
        )

    def paste(self, lines: list[str]) -> None:
        """Run several lines as a script, after a question."""
        front = self.console.front
        if front is None:
            return

        async def run() -> None:
            if await front.confirm(f"run these {len(lines)} lines as a script?"):
                for line in lines:
                    self._recall.add(line)
                await self._run_script(front, lines)

        front.take_turn(run)

    async def _run_own(self, front: ScreenHost, name: str) -> None:
        """Run a command of the user's own on what is under the cursor."""
        from haas_console.core import owncommands

        command, session = self.console.own_commands[name], self.console.session
        known = owncommands.things(session.inventory, front.under_cursor(), session.project)
        try:
            lines = owncommands.filled(name, command, known)
        except ConsoleError as error:
            front.fail(str(error))
            return
        more = f" (and {len(lines) - 1} more)" if len(lines) > 1 else ""
        if not command.ask or await front.confirm(f"run  {lines[0]}{more}?"):
            await self._run_script(front, lines)

    async def _run_script(self, front: ScreenHost, lines: list[str]) -> None:
        session = self.console.session
        project = session.project
        commands: list[Command] = []
        for number, line in enumerate(lines, 1):
            try:
                command = session.sync.language.parse_line(line, project)
            except ConsoleError as error:
                front.fail(f"line {number}: {error}  Nothing was done.")
                return
            if isinstance(command, Use):
                project = command.project
            if command is not None:
                commands.append(command)
        outcome = await front.send(commands)
        if not outcome.ok and len(outcome.results) < len(commands):
            line = session.line(commands[len(outcome.results)])
            front.fail(f"{line}: {outcome.error}  The lines before it were done.")

    def do(self, line: str) -> None:
        """Do what a line says."""
        front, session = self.console.front, self.console.session
        words = line.split()
        if front is None or not words:
            return
        self._recall.add(line)
        if words[0] == "ctx" and len(words) > 1:
            front.take_turn(lambda: self._change_context(front, words[1:]))
            return
        if len(words) == 1 and words[0] in self.console.own_commands:
            front.take_turn(lambda: self._run_own(front, words[0]))
            return
        if len(words) == 1 and self._do_own(words[0], front):
            return
        nouns = beginning(words[0], [*session.sync.language.api.nouns, "connect", "disconnect"])
        if len(nouns) == 1 and len(words) == 2 and self._open(nouns[0], words[1]):
            return
        if len(nouns) == 1 and words[0] not in session.sync.language.sugar_nouns:
            line = line.replace(words[0], nouns[0], 1)
        try:
            command = session.sync.language.parse_line(line, session.project)
        except CommandSyntaxError as error:
            usage = f"; usage: {error.usage}" if error.usage else ""
            front.fail(f"{error.message}{usage}")
        except ConsoleError as error:
            front.fail(str(error))
        else:
            if command is not None:
                self._run(front, command)

    def _open(self, noun: str, name: str) -> bool:
        """Open the object ``NOUN NAME``; False if there is none."""
        session = self.console.session
        if name.replace("-", "_") in session.sync.language.api.nouns.get(noun, {}):
            return False
        ref = named(session.inventory, session.project, noun, name)
        if ref is not None:
            self.console.navigation.open_details(ref)
        return ref is not None

    def _do_own(self, word: str, front: ScreenHost) -> bool:
        """Do a word that scripts do not have; False if it is none: quit, discard, a screen.

        The beginning of a word does if no other begins so.
        """
        if word not in QUIT and word not in self.console.session.sync.language.sugar_nouns:
            meant = beginning(word, OWN)
            if len(meant) > 1 and word not in self.console.session.sync.language.api.nouns:
                front.fail(f'"{word}" may be {", ".join(meant)}: type one letter more.')
                return True
            word = meant[0] if len(meant) == 1 else ALIASES.get(word, word)
        if word in QUIT:
            self.console.exit(0)
        elif word == "board":
            self.console.navigation.to_board()
        elif word == "ctx":
            front.take_turn(lambda: self._change_context(front, []))
        elif word == "discard":
            self.console.start(self._discard(front))
        elif entry(word) is not None and word != "apply":
            self.console.navigation.open(word)
        else:
            return False
        return True

    async def _change_context(self, front: ScreenHost, words: list[str]) -> None:
        """Open the console on another daemon: ``ctx NAME``, or ``ctx`` alone to choose."""
        known = self.console.contexts
        if not known:
            front.fail("console.toml names no other daemon: add a table such as [contexts.lab].")
            return
        name = " ".join(words) if words else await front.ask("context: ", choices=known)
        if name is None:
            return
        meant = beginning(name, known)
        if len(meant) != 1:
            front.fail(f'There is no context "{name}"; there are: {", ".join(known)}.')
        else:
            self.console.open_context(meant[0])

    async def _discard(self, front: ScreenHost) -> None:
        front.show_outcome(await self.console.session.discard())

    def _run(self, front: ScreenHost, command: Command) -> None:
        """Begin a command. What needs no daemon is done at once, before the next key."""
        session, navigation = self.console.session, self.console.navigation
        match command:
            case Help():
                from haas_console.core.help import help_text

                lines = help_text(session.sync.language, command).splitlines()
                navigation.read("Help", lines, indent=4)
            case May(method, project):
                asked = session.sync.language.api.methods[method]
                front.say(may_text(method_refused(asked, session.inventory.info, project)))
            case Find(text):
                self.console.open_palette(text)
            case Apply(project, None, None, target):  # look at the plan first
                navigation.open_plan(project, target)
            case Use(project):
                session.use(project)
                session.sync.log.command(session.line(command)).state = "done"
                session.sync.notify("command")
                if project and project not in session.inventory.projects:
                    # Not refused: the event of one that was just made may still be on its way.
                    unknown = f"There is no project {project}."
                    front.fail(unknown, lambda: project not in session.inventory.projects)
                else:
                    front.say(f"project {project}" if project else "all projects")
            case _:
                self.console.start(self._send(front, command))

    async def _send(self, front: ScreenHost, command: Command) -> None:
        session, navigation = self.console.session, self.console.navigation
        outcome = await front.send([command])
        if not outcome.ok:
            return
        result, front = outcome.results[-1], self.console.front or front
        if isinstance(command, Call) and command.method in CONSOLES:
            await self._attach_console(front, result)
        elif isinstance(command, Apply | ApplyFile):
            navigation.open_job(result["job"])
        elif isinstance(command, Call) and (
            command.method in devicetext.METHODS or not session.sync.language.mutates(command)
        ):
            navigation.read(session.line(command), answer_lines(command, result))
        elif result is not None:
            params = command.params if isinstance(command, Call) else {}
            facts = text.change_text(result, params)
            line = session.line(command)
            front.say(f"> {line}: {facts}" if facts else f"> {line}")

    async def _attach_console(self, front: ScreenHost, ticket: dict[str, Any]) -> None:
        """Give the terminal to the console of a machine until the user leaves that."""
        from haas_console.core.attach import attach

        client = self.console.session.sync.client
        if client is None:
            front.fail("The daemon is lost: try again when it is back.")
            return
        try:
            with self.console.suspend():
                await attach(client, ticket, _tell)
        except (ConsoleError, SuspendNotSupported) as error:
            front.fail(str(error) or "This terminal can't be lent: use haas-console in batch mode.")


def _tell(notice: str) -> None:
    """Show a notice on a raw terminal."""
    print(f"\r[{text.clean(notice)}]", end="\r\n", file=sys.__stderr__, flush=True)


def answer_lines(call: Call, result: Any) -> list[str]:
    """The answer to a command that only reads, as a script prints it."""
    if call.method in whytext.METHODS:
        return whytext.why_lines(result)
    if call.method == "plan.show":
        return text.plan_lines(result)
    if call.method in devicetext.METHODS:
        unread = devicetext.unreachable(result) if call.method == "drift.check" else []
        notes = [*unread, *devicetext.remarks(call.method, result)]
        return [*devicetext.answer_lines(call.method, result), *notes]
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
