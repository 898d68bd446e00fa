"""Batch mode with a daemon: connect, fetch its API, parse the whole script, and run it."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any

from haas_console.batch import script
from haas_console.batch.exitcodes import ExitCode, report
from haas_console.batch.output import Output
from haas_console.batch.runner import Connect, Runner
from haas_console.core.client import Client
from haas_console.core.demo import demo_daemon
from haas_console.core.language import Language
from haas_console.core.target import Target


@dataclass(frozen=True)
class Options:
    """How to run a script: without changes, and past its errors."""

    readonly: bool = False
    keep_going: bool = False


def run(
    target: Target, options: Options, statements: Sequence[script.Placed], output: Output
) -> ExitCode:
    """Run the script and return the exit code; raises ConsoleError if there is no daemon."""
    return until_interrupted(_run(target, options, statements, output))


def until_interrupted(running: Coroutine[Any, Any, ExitCode]) -> ExitCode:
    """Run to the end, or until a signal ends it; return the exit code."""

    async def main() -> ExitCode:
        _cancel_on_signals()
        return await running

    try:
        return asyncio.run(main())
    except asyncio.CancelledError:
        return ExitCode.INTERRUPTED


@dataclass(frozen=True)
class Connection:
    """A daemon that answers: the client, its commands, and how to connect again."""

    client: Client
    language: Language
    again: Connect
    demo: bool

    def runner(self, output: Output) -> Runner:
        """What runs a script on it."""
        return Runner(self.client, self.language, output, connect=self.again, demo=self.demo)


async def connect(stack: AsyncExitStack, target: Target) -> Connection:
    """Connect with a daemon until the stack is closed. Raises ConsoleError."""
    endpoint = target.endpoint
    if endpoint is None:
        endpoint = await stack.enter_async_context(demo_daemon(target.site))
    again = partial(Client.connect, endpoint, token=target.token, timeout=target.timeout)
    client = await again()
    stack.push_async_callback(client.close)
    return Connection(client, Language(await client.discover()), again, target.endpoint is None)


async def _run(
    target: Target, options: Options, statements: Sequence[script.Placed], output: Output
) -> ExitCode:
    async with AsyncExitStack() as stack:
        connection = await connect(stack, target)
        parsed, errors = script.parse(statements, connection.language, readonly=options.readonly)
        if errors:
            return report(output, errors)
        runner = connection.runner(output)
        stack.push_async_callback(runner.close)
        return await runner.run(parsed, keep_going=options.keep_going)


def _cancel_on_signals() -> None:
    """Cancel on Ctrl-C, SIGTERM and SIGHUP, so that a demo daemon is ended."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    if task is None:
        return
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup does
            loop.add_signal_handler(number, task.cancel)
