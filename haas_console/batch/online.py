"""Batch mode with a daemon: connect, fetch its API, parse the whole script, and run it."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from haas_console.batch import script
from haas_console.batch.exitcodes import ExitCode, report
from haas_console.batch.output import Output
from haas_console.batch.runner import Runner
from haas_console.core.client import Client
from haas_console.core.config import Endpoint
from haas_console.core.demo import demo_daemon
from haas_console.core.language import Language


@dataclass(frozen=True)
class Session:
    """How to run; without an ``endpoint`` a demo daemon is started. ``timeout`` in seconds.

    ``site``: the site file that the demo daemon serves a copy of.
    """

    endpoint: Endpoint | None
    token: str | None
    timeout: float
    readonly: bool = False
    keep_going: bool = False
    site: Path | None = None

    async def connect(self) -> Client:
        """Connect to the daemon. A token is sent to a URL only: a socket knows its caller."""
        if self.endpoint is None:
            raise AssertionError("the demo daemon is not started")
        token = self.token if self.endpoint.url else None
        return await Client.connect(self.endpoint, token=token, timeout=self.timeout)


def run(session: Session, written: Sequence[script.Written], output: Output) -> ExitCode:
    """Run the script and return the exit code; raises ConsoleError if there is no daemon."""
    try:
        return asyncio.run(_run(session, written, output))
    except asyncio.CancelledError:
        return ExitCode.INTERRUPTED


async def _run(session: Session, written: Sequence[script.Written], output: Output) -> ExitCode:
    _cancel_on_signals()
    demo = session.endpoint is None
    async with AsyncExitStack() as stack:
        if demo:
            started = await stack.enter_async_context(demo_daemon(session.site))
            session = replace(session, endpoint=started)
        client = await session.connect()
        stack.push_async_callback(client.close)
        language = Language(await client.discover())
        planned, wrong = script.plan(written, language, readonly=session.readonly)
        if wrong:
            return report(output, wrong)
        runner = Runner(client, language, output, connect=session.connect, demo=demo)
        stack.push_async_callback(runner.close)
        return await runner.run(planned, keep_going=session.keep_going)


def _cancel_on_signals() -> None:
    """Cancel on Ctrl-C, SIGTERM and SIGHUP, so that a demo daemon is ended."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    if task is None:
        return
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup does
            loop.add_signal_handler(number, task.cancel)
