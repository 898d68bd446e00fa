"""Batch mode with several daemons: ``--context a,b``.

One command that only reads asks all of them at the same time and shows one answer, in which each
row says where it is from. Anything else is run on one daemon after the other, because a change
should be seen to have worked before it is made elsewhere.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Any

import msgspec

from haas_console.batch import online, script, views
from haas_console.batch.exitcodes import ExitCode, code_of, report
from haas_console.batch.online import Connection, Options
from haas_console.batch.output import Output, failed
from haas_console.core.commands import CONSOLES, Call, Find
from haas_console.core.errors import ConsoleError
from haas_console.core.target import Target


def run(
    targets: Mapping[str, Target],
    options: Options,
    statements: Sequence[script.Placed],
    output: Output,
) -> ExitCode:
    """Run a script on the daemons of several contexts; return the exit code of the first error.

    A daemon that cannot be reached, or that refuses, does not keep the others from answering.
    """
    return online.until_interrupted(_run(targets, options, statements, output))


async def _run(
    targets: Mapping[str, Target],
    options: Options,
    statements: Sequence[script.Placed],
    output: Output,
) -> ExitCode:
    async with AsyncExitStack() as stack:
        found = await asyncio.gather(
            *(online.connect(stack, target) for target in targets.values()), return_exceptions=True
        )
        connections: dict[str, Connection] = {}
        code = ExitCode.DONE
        for name, each in zip(targets, found, strict=True):
            if isinstance(each, ConsoleError):
                output.error(f"context {name}", each)
                code = code or code_of(each)
            elif isinstance(each, BaseException):
                raise each
            else:
                connections[name] = each
        scripts: dict[str, list[script.Parsed]] = {}
        for name, each in connections.items():
            placed = [
                (msgspec.structs.replace(place, context=name), words) for place, words in statements
            ]
            parsed, errors = script.parse(placed, each.language, readonly=options.readonly)
            if errors:  # nothing is sent to any of them
                return report(output, errors)
            scripts[name] = parsed
        if not scripts:
            return code
        questions = _questions(connections, scripts)
        if questions:
            told = await _ask(connections, questions, next(iter(scripts.values()))[0], output)
            return code or told
        for name, parsed in scripts.items():
            output.remark(f"context {name}:")
            runner = connections[name].runner(output)
            stack.push_async_callback(runner.close)
            told = await runner.run(parsed, keep_going=options.keep_going)
            code = code or told
        return code


def _questions(
    connections: Mapping[str, Connection], scripts: Mapping[str, Sequence[script.Parsed]]
) -> dict[str, Call | Find]:
    """The one command that only reads, as each daemon takes it; empty if there is more to run."""
    return {
        name: parsed[0].command
        for name, parsed in scripts.items()
        if len(parsed) == 1
        and isinstance(parsed[0].command, Call | Find)
        and not (isinstance(parsed[0].command, Call) and parsed[0].command.method in CONSOLES)
        and not connections[name].language.mutates(parsed[0].command)
    }


async def _ask(
    connections: Mapping[str, Connection],
    questions: Mapping[str, Call | Find],
    parsed: script.Parsed,
    output: Output,
) -> ExitCode:
    output.command(parsed.line)
    runners = {name: connections[name].runner(output) for name in questions}
    while True:
        given = await asyncio.gather(
            *(runner.read(questions[name]) for name, runner in runners.items()),
            return_exceptions=True,
        )
        answers: dict[str, Any] = {}
        errors: dict[str, ConsoleError] = {}
        for name, each in zip(questions, given, strict=True):
            if isinstance(each, ConsoleError):
                errors[name] = each
            elif isinstance(each, BaseException):
                raise each
            else:
                answers[name] = each
        if parsed.view.watch is not None:
            output.again(parsed.line)
        command = next(iter(questions.values()))
        noun = command.method.partition(".")[0] if isinstance(command, Call) else "object"
        _show(noun, answers, errors, parsed.view, output)
        if parsed.view.watch is None:
            break
        await asyncio.sleep(parsed.view.watch)
    if errors:
        return code_of(next(iter(errors.values())))
    changes = parsed.view.exit_code and not all(each["empty"] for each in answers.values())
    return ExitCode.CHANGES if changes else ExitCode.DONE


def _show(
    noun: str,
    answers: Mapping[str, Any],
    errors: Mapping[str, ConsoleError],
    view: views.View,
    output: Output,
) -> None:
    """Print what the daemons answered, and then the errors."""
    rows = [
        {"context": name, **row}
        for name, answer in answers.items()
        for row in views.rows_of(answer)
    ]
    if output.as_json and view.format == "table":
        view = msgspec.structs.replace(view, format="json")
    if view.format in ("json", "yaml"):
        chosen = {name: views.narrowed(view, answer) for name, answer in answers.items()}
        chosen |= {name: failed(error) for name, error in errors.items()}
        output.rows(noun, chosen, msgspec.structs.replace(view, columns=()))
    elif view.format == "name":
        output.lines(f"{row['context']} {views.name_of(noun, row)}" for row in rows)
    elif rows:
        output.rows(noun, rows, view)
    elif answers:
        output.remark("none")
    for name, error in errors.items():
        output.error(f"context {name}", error)
