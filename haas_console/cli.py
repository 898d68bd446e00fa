"""The program ``haas-console``: its arguments, and which front end they ask for."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

from haas_console import __version__
from haas_console.batch import script
from haas_console.batch.exitcodes import ExitCode, code_of
from haas_console.batch.output import Output
from haas_console.core import config
from haas_console.core.api import packaged_api
from haas_console.core.commands import Language
from haas_console.core.config import Config, Endpoint
from haas_console.core.errors import ConsoleError

_EPILOG = """\
exit codes: 0 done, 1 a command failed, 2 usage or syntax, 3 no daemon, 4 denied,
5 apply failed, 130 interrupted

The daemon is --socket or --url, else HAAS_SOCKET or HAAS_URL, else what the config file says,
else /run/haas/rpcd.sock. A URL wants a token in HAAS_TOKEN.
`haas-console -c help` lists the commands.
"""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="haas-console",
        description="The console of HaaS (Hardware as a Service).",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("what", nargs="?", choices=["info"], help="info: print where settings and daemon are")
    add("--version", action="version", version=f"haas-console {__version__}")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--socket", metavar="PATH", help="the daemon's Unix socket")
    where.add_argument("--url", metavar="URL", help="the daemon's https:// address")
    where.add_argument("--demo", action="store_true", help="a demo data centre, while this runs")
    add("--config", metavar="FILE", type=Path, help="settings other than the usual file")
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--script", metavar="FILE", help="run the commands of a file; - is stdin")
    source.add_argument("-c", metavar="COMMAND", action="append", help="run a command; may repeat")
    add("--json", action="store_true", help="one JSON document a command on stdout")
    add("--check", action="store_true", help="parse and validate only; needs no daemon")
    add("--keep-going", action="store_true", help="go on after an error, and fail at the end")
    add("--quiet", action="store_true", help="no confirmations and no progress on stderr")
    add("--readonly", action="store_true", help="refuse commands that change anything")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program and give its exit code."""
    parser = _parser()
    args = parser.parse_args(argv)
    batch = args.script is not None or args.c is not None
    if not batch and args.check:
        parser.error("--check wants --script FILE or -c COMMAND")
    output = Output(as_json=args.json, quiet=args.quiet)
    try:
        settings = config.load_config(args.config)
        if args.what == "info":
            return _info(args, settings)
        if not batch:
            output.error(
                "",
                "the full-screen console is not part of this release: use"
                " haas-console --script FILE, or -c 'COMMAND' (-c help lists them)",
            )
            return ExitCode.USAGE
        return _batch(args, settings, output)
    except ConsoleError as error:
        output.error("", error)
        return code_of(error)
    except (KeyboardInterrupt, asyncio.CancelledError):
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has left; Python would complain once more while it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.FAILED


def _info(args: argparse.Namespace, settings: Config) -> int:
    endpoint = config.choose_endpoint(settings, socket=args.socket, url=args.url)
    file = args.config or config.config_path()
    rows = {
        "version": __version__,
        "config": f"{file}{'' if file.exists() else ' (not there)'}",
        "history": str(config.history_path()),
        "daemon": f"{endpoint} (from {endpoint.source})",
        "token": "from HAAS_TOKEN" if os.environ.get("HAAS_TOKEN") else "none",
    }
    sys.stdout.writelines(f"{name:8} {value}\n" for name, value in rows.items())
    return ExitCode.DONE


def _batch(args: argparse.Namespace, settings: Config, output: Output) -> int:
    try:
        written = script.read_words(args.c) if args.c else script.read_script(args.script)
    except ConsoleError as error:
        output.error("", error)
        return ExitCode.USAGE
    if args.check:
        _, wrong = script.plan(written, Language(packaged_api()), readonly=args.readonly)
        return _report(output, wrong)
    wrong = script.unclosed(written)
    if wrong:
        return _report(output, wrong)
    return asyncio.run(_run(args, settings, output, written))


def _report(output: Output, wrong: Sequence[tuple[script.Place, ConsoleError]]) -> int:
    """Say all that is wrong with a script; the first error's code is given."""
    for place, error in wrong:
        output.error(place, error)
    return code_of(wrong[0][1]) if wrong else ExitCode.DONE


async def _run(
    args: argparse.Namespace, settings: Config, output: Output, written: list[script.Written]
) -> int:
    # Imported here, because --check and usage errors need no aiohttp and its 100 ms.
    from haas_console.batch.runner import Runner
    from haas_console.core.client import Client
    from haas_console.core.demo import demo_daemon

    _cancel_on_signals()
    async with AsyncExitStack() as stack:
        if args.demo:
            endpoint: Endpoint = await stack.enter_async_context(demo_daemon())
        else:
            endpoint = config.choose_endpoint(settings, socket=args.socket, url=args.url)

        async def connect() -> Client:
            token = os.environ.get("HAAS_TOKEN") if endpoint.url else None
            return await Client.connect(endpoint, token=token, timeout=settings.timeout)

        client = await connect()
        runner = None
        try:
            language = Language(await client.discover())
            planned, wrong = script.plan(written, language, readonly=args.readonly)
            if wrong:
                return _report(output, wrong)
            runner = Runner(client, language, output, connect=connect, demo=args.demo)
            return await runner.run(planned, keep_going=args.keep_going)
        finally:
            await (runner.client if runner else client).close()


def _cancel_on_signals() -> None:
    """Let Ctrl-C, a lost terminal and a kill all unwind, so that a demo daemon is ended."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    if task is None:
        return
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup
            loop.add_signal_handler(number, task.cancel)
