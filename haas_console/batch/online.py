"""Batch mode with a daemon: connect, fetch its API, parse the whole script, and run it."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial

from haas_console.batch import script
from haas_console.batch.exitcodes import ExitCode, report
from haas_console.batch.output import Output
from haas_console.batch.runner import Runner
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
    try:
        return asyncio.run(_run(target, options, statements, output))
    except asyncio.CancelledError:
        return ExitCode.INTERRUPTED


async def _run(
    target: Target, options: Options, statements: Sequence[script.Placed], output: Output
) -> ExitCode:
    _cancel_on_signals()
    async with AsyncExitStack() as stack:
        endpoint = target.endpoint
        if endpoint is None:
            endpoint = await stack.enter_async_context(demo_daemon(target.site))
        connect = partial(Client.connect, endpoint, token=target.token, timeout=target.timeout)
        client = await connect()
        stack.push_async_callback(client.close)
        language = Language(await client.discover())
        parsed, errors = script.parse(statements, language, readonly=options.readonly)
        if errors:
            return report(output, errors)
        demo = target.endpoint is None
        runner = Runner(client, language, output, connect=connect, demo=demo)
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
