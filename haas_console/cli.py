"""The program ``haas-console``: its arguments, and the front end that they choose."""

from __future__ import annotations

import argparse
import os
import sys
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from haas_console import __version__
from haas_console.arguments import make_parser, over_ssh, split_words
from haas_console.batch import shells
from haas_console.batch.exitcodes import ExitCode, code_of, report
from haas_console.batch.output import Output, OutputError
from haas_console.core import config, files, streams
from haas_console.core.collector import importing
from haas_console.core.config import Config, Endpoint
from haas_console.core.errors import ConsoleError
from haas_console.core.target import Target, find_daemon

if TYPE_CHECKING:
    from haas_console.core.columns import Column


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program and return its exit code."""
    streams.prepare()
    if files.is_forced(os.environ):
        files.forbid()
    output = Output()
    try:
        code = _run(argv, output)
        output.flush()
        return code
    except ConsoleError as error:
        output.error("", error)
        return code_of(error)
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except OutputError as error:
        if not error.reader_gone:
            output.error("", f"the output can't be written: {error}")
        streams.discard_stdout()
        return ExitCode.FAILED
    except OSError as error:  # no room for the demo daemon's folder, say
        output.error("", str(error))
        return ExitCode.FAILED


def _run(argv: Sequence[str] | None, output: Output) -> int:
    parser = make_parser(output)
    words = sys.argv[1:] if argv is None else argv
    if words[:1] == ["__complete"] and len(words) == 2:
        from haas_console.batch import completing

        output.lines(completing.candidates(words[1], parser))
        return ExitCode.DONE
    try:
        args = _parse(parser, words)
        if not (args.what or args.words or args.script or args.c):
            more, text = over_ssh(parser, os.environ)
            args = _parse(parser, [*words, *more]) if more else args
            args.c = [text] if text else args.c
        listing = serving = None
        if args.words[:1] == ["inventory"]:
            from haas_console.batch import inventory

            listing = inventory.parse(args.words[1:])
        if args.words[:1] == ["serve"]:
            from haas_console.web import arguments as web

            serving = web.parse(args.words[1:])
        if args.words and (args.script is not None or args.c is not None):
            parser.error("the words of a command exclude --script and -c")
        batch = bool(args.words) or args.script is not None or args.c is not None
        if args.site is not None and not args.demo:
            parser.error("--site wants --demo: a real daemon's site is read by  site import FILE")
        if (args.what == "completion") != (args.shell in shells.SHELLS):
            parser.error(f"completion wants one of {', '.join(shells.SHELLS)}")
        if args.what in ("login", "logout") and not args.shell:
            parser.error(f"{args.what} wants a URL, such as https://master:8443")
        if len(args.context or ()) > 1 and (not batch or listing or serving):
            parser.error(
                "only a command or a script can have several contexts; the full screen shows one,"
                " and its  :ctx NAME  changes to another"
            )
        if not batch and args.check:
            parser.error("--check wants a command, --script FILE or -c COMMAND")
    except SystemExit as done:  # wrong usage, --help or --version
        return done.code if isinstance(done.code, int) else ExitCode.USAGE
    if args.what == "completion":
        output.exact(shells.asking_script(args.shell, parser.prog) + "\n")
        return ExitCode.DONE
    output.as_json, output.quiet, output.echo = args.json, args.quiet, args.echo
    settings = config.load_config(args.config)
    if args.what == "info":
        return _info(args, settings, output)
    if args.what in ("login", "logout"):
        return _log_in_or_out(args, settings, output)
    if listing is not None:
        inventory.run(_target(args, settings, _context(args)), listing, output)
        return ExitCode.DONE
    if serving is not None:
        import asyncio

        from haas_console.web import server

        endpoint, context = web.check(_target(args, settings, _context(args)).endpoint, serving)
        asyncio.run(server.run(endpoint, serving.listen, context, output))
        return ExitCode.DONE
    if not batch:
        return _screen(args, settings, output)
    return _batch(args, settings, output)


def _parse(parser: argparse.ArgumentParser, words: Sequence[str]) -> argparse.Namespace:
    own, of_command = split_words(parser, words)
    args = parser.parse_args(own)
    args.words = of_command
    return args


def _info(args: argparse.Namespace, settings: Config, output: Output) -> int:
    if args.keys or args.themes:
        return _lists(args, output)
    endpoint = _endpoint(args, settings)
    file = args.config or config.config_path()
    rows = {
        "version": __version__,
        "config": f"{file}{'' if file.exists() else ' (not there)'}",
        "history": str(config.history_path()),
        "copies": str(config.clipboard_path()),
        "daemon": f"{endpoint} (from {endpoint.source})",
        "token": _token_place(endpoint),
    }
    from haas_console.tui import keymap  # Textual and every screen: 0.4 s

    keys = keymap.bindings()
    if output.as_json:
        output.document({**rows, "themes": keymap.themes(), "keys": msgspec.to_builtins(keys)})
        return ExitCode.DONE
    output.lines(f"{name:8} {value}" for name, value in rows.items())
    names = textwrap.wrap(", ".join(keymap.themes()), 70)
    output.lines(f"{'themes' if line is names[0] else '':8} {line}" for line in names)
    width = max(len(key.id) for key in keys)
    output.lines(["", "[keymap] ids, with the keys they have by default:"])
    output.lines(f"  {key.id:{width}}  {key.keys:16} {key.does}" for key in keys)
    return ExitCode.DONE


def _lists(args: argparse.Namespace, output: Output) -> int:
    """Print the ids of keys, or the names of themes."""
    from haas_console.tui import keymap

    keys, themes = keymap.bindings() if args.keys else [], keymap.themes() if args.themes else []
    if output.as_json:
        output.document({"keys": msgspec.to_builtins(keys), "themes": themes})
    else:
        output.lines(f"{key.id:26} {key.keys:20} {key.does}" for key in keys)
        output.lines(themes)
    return ExitCode.DONE


def _columns(settings: Config) -> dict[str, tuple[Column, ...]]:
    """Return the columns that the user chose for tables; few do, and the tables take 5 ms."""
    if not settings.columns:
        return {}
    from haas_console.core import columns, tables

    specs = settings.columns.items()
    return {name: columns.parse(chosen, tables.NAMES[name]) for name, chosen in specs}


def _screen(args: argparse.Namespace, settings: Config, output: Output) -> int:
    """Open the full-screen console. Textual is imported only here."""
    # Textual reads stdin and draws on stderr.
    if not (sys.stdin.isatty() and sys.stdout.isatty() and sys.stderr.isatty()):
        output.error(
            "", "the console wants a terminal; without one, use --script FILE, or -c 'COMMAND'"
        )
        return ExitCode.USAGE
    if files.without_shell(os.environ):
        files.forbid()
    if args.site is not None:
        from haas_console.core.demo import check_site

        check_site(args.site)  # before the screen opens, because it has no room for the error
    with importing():
        from haas_console.tui.app import Options, run

    options = Options(
        readonly=args.readonly,
        theme=settings.theme,
        keymap=settings.keymap,
        columns=_columns(settings),
        contexts=tuple(settings.contexts),
        details=settings.details,
        commands=settings.commands,
        settings=args.config or config.config_path(),
        history=config.history_path(),
        clipboard=config.clipboard_path(),
    )
    target = _target(args, settings, _context(args))
    while isinstance(ended := run(target, options), str):
        args.demo, args.socket, args.url = False, None, None
        target = _target(args, settings, ended)
    return ended


def _batch(args: argparse.Namespace, settings: Config, output: Output) -> int:
    from haas_console.batch import script

    try:
        if args.words:
            statements = script.one_command(args.words)
            output.as_json = output.as_json or script.wants_json(args.words)
        else:
            statements = script.read_words(args.c) if args.c else script.read_script(args.script)
    except ConsoleError as error:
        output.error("", error)
        return ExitCode.USAGE
    if args.check:
        from haas_console.core.api import packaged_api
        from haas_console.core.language import Language

        _, errors = script.parse(statements, Language(packaged_api()), readonly=args.readonly)
        return report(output, errors)
    if errors := script.quote_errors(statements):
        return report(output, errors)
    targets = {name or "": _target(args, settings, name) for name in args.context or [None]}
    # Imported here: --check and usage errors need neither asyncio nor aiohttp, which take 100 ms.
    with importing():
        from haas_console.batch import across, online

    options = online.Options(readonly=args.readonly, keep_going=args.keep_going)
    if len(targets) > 1:
        return across.run(targets, options, statements, output)
    return online.run(next(iter(targets.values())), options, statements, output)


def _target(args: argparse.Namespace, settings: Config, context: str | None) -> Target:
    if args.demo:
        return Target(None, timeout=settings.timeout, site=args.site)
    environ = dict(os.environ)
    if len(args.context or ()) > 1:
        environ.pop("HAAS_TOKEN", None)  # it is one daemon's, and not to be shown to the others
    endpoint, token = find_daemon(
        settings,
        socket=args.socket,
        url=args.url,
        context=context,
        ca_file=_ca_file(args),
        environ=environ,
    )
    return Target(endpoint, token, settings.timeout)


def _endpoint(args: argparse.Namespace, settings: Config) -> Endpoint:
    return config.choose_endpoint(
        settings,
        socket=args.socket,
        url=args.url,
        context=_context(args),
        ca_file=_ca_file(args),
    )


def _context(args: argparse.Namespace) -> str | None:
    return args.context[0] if args.context else None


def _ca_file(args: argparse.Namespace) -> str | None:
    return os.path.abspath(args.ca) if args.ca else None


def _token_place(endpoint: Endpoint) -> str:
    if os.environ.get("HAAS_TOKEN"):
        return "from HAAS_TOKEN"
    from haas_console.core import logins

    kept = logins.find(endpoint.url) if endpoint.url is not None else None
    return f"in {kept.where}" if kept is not None and kept.token else "none"


def _log_in_or_out(args: argparse.Namespace, settings: Config, output: Output) -> int:
    from haas_console.batch import login

    url = config.check_url(args.shell, args.what)
    if args.what == "logout":
        return login.log_out(url, output)
    endpoint = Endpoint(None, url, config.LOGIN, _ca_file(args) or settings.ca_file)
    return login.log_in(endpoint, settings.timeout, output)
