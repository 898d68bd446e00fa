"""The program ``haas-console``: its arguments, and which front end they ask for."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from haas_console import __version__
from haas_console.batch.exitcodes import ExitCode, code_of, report
from haas_console.batch.output import Output
from haas_console.core import config
from haas_console.core.collector import gc_paused
from haas_console.core.config import Config
from haas_console.core.errors import ConsoleError

_EPILOG = """\
exit codes: 0 done, 1 a command failed, 2 usage or syntax, 3 no daemon, 4 denied,
5 apply failed, 130 interrupted

The daemon is --socket or --url, else HAAS_SOCKET or HAAS_URL, else what the config file says,
else /run/haas/rpcd.sock. A URL wants a token in HAAS_TOKEN.
As a ForceCommand of sshd, `ssh HOST 'node list'` is -c 'node list'.
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
    add(
        "--site",
        metavar="FILE",
        type=lambda file: Path(file).absolute(),
        help="with --demo: a simulated copy of this site file",
    )
    add("--config", metavar="FILE", type=Path, help="settings other than the usual file")
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--script", metavar="FILE", help="run the commands of a file; - is stdin")
    source.add_argument("-c", metavar="COMMAND", action="append", help="run a command; may repeat")
    add("--json", action="store_true", help="one JSON document a command on stdout")
    add("--check", action="store_true", help="parse and validate only; needs no daemon")
    add("--keep-going", action="store_true", help="go on after an error, and fail at the end")
    add("--quiet", action="store_true", help="no confirmations and no progress on stderr")
    add("--echo", action="store_true", help="show each command before it is run")
    add("--readonly", action="store_true", help="refuse commands that change anything")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program and give its exit code."""
    parser = _parser()
    args = parser.parse_args(argv)
    if args.what is None and args.script is None and args.c is None:
        args.c = _words_over_ssh(os.environ)
    batch = args.script is not None or args.c is not None
    if args.site is not None and not args.demo:
        parser.error("--site wants --demo: a real daemon's site is read by  site import FILE")
    if not batch and args.check:
        parser.error("--check wants --script FILE or -c COMMAND")
    output = Output(as_json=args.json, quiet=args.quiet, echo=args.echo)
    try:
        settings = config.load_config(args.config)
        if args.what == "info":
            return _info(args, settings)
        if not batch:
            return _screen(args, settings, output)
        return _batch(args, settings, output)
    except ConsoleError as error:
        output.error("", error)
        return code_of(error)
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has left; Python would complain once more while it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.FAILED
    except OSError as error:
        output.error("", f"the output can't be written: {error.strerror}")
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.FAILED


def _words_over_ssh(environ: Mapping[str, str]) -> list[str] | None:
    """What ``ssh host WORDS`` asked for, as one ``-c``; None for a session without words.

    sshd puts the words there when ForceCommand runs something else, as they came: sshd_config(5).
    No shell sees them. What the forced command names itself (--script, -c, info) goes before them.
    """
    words = environ.get("SSH_ORIGINAL_COMMAND", "").strip()
    return [words] if words else None


def _info(args: argparse.Namespace, settings: Config) -> int:
    endpoint = config.choose_endpoint(settings, socket=args.socket, url=args.url)
    file = args.config or config.config_path()
    rows = {
        "version": __version__,
        "config": f"{file}{'' if file.exists() else ' (not there)'}",
        "history": str(config.history_path()),
        "copies": str(config.clipboard_path()),
        "daemon": f"{endpoint} (from {endpoint.source})",
        "token": "from HAAS_TOKEN" if os.environ.get("HAAS_TOKEN") else "none",
    }
    sys.stdout.writelines(f"{name:8} {value}\n" for name, value in rows.items())
    return ExitCode.DONE


def _screen(args: argparse.Namespace, settings: Config, output: Output) -> int:
    """Open the full-screen console; only here is Textual imported."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        output.error(
            "", "the console wants a terminal; without one, use --script FILE, or -c 'COMMAND'"
        )
        return ExitCode.USAGE
    from haas_console.core.sync import Target

    target = Target(
        endpoint=None
        if args.demo
        else config.choose_endpoint(settings, socket=args.socket, url=args.url),
        token=os.environ.get("HAAS_TOKEN"),
        timeout=settings.timeout,
        site=args.site,
    )
    with gc_paused():
        from haas_console.tui.app import Options, run

    return run(
        target,
        Options(
            readonly=args.readonly,
            theme=settings.theme,
            keymap=settings.keymap,
            history=config.history_path(),
            clipboard=config.clipboard_path(),
        ),
    )


def _batch(args: argparse.Namespace, settings: Config, output: Output) -> int:
    from haas_console.batch import script

    try:
        written = script.read_words(args.c) if args.c else script.read_script(args.script)
    except ConsoleError as error:
        output.error("", error)
        return ExitCode.USAGE
    if args.check:
        from haas_console.core.api import packaged_api
        from haas_console.core.language import Language

        _, wrong = script.plan(written, Language(packaged_api()), readonly=args.readonly)
        return report(output, wrong)
    if wrong := script.unclosed(written):
        return report(output, wrong)
    # Imported here, because --check and usage errors need no asyncio, no aiohttp and their 100 ms.
    with gc_paused():
        from haas_console.batch.online import Session, run

    session = Session(
        endpoint=None
        if args.demo
        else config.choose_endpoint(settings, socket=args.socket, url=args.url),
        token=os.environ.get("HAAS_TOKEN"),
        timeout=settings.timeout,
        readonly=args.readonly,
        keep_going=args.keep_going,
        site=args.site,
    )
    return run(session, written, output)
