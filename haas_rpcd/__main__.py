"""The command line of ``haas-rpcd``."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import shutil
import signal
import sqlite3
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec

import haas_rpcd
from haas_rpcd import backups, config, configfiles, linkfiles, logs, restoring, streams
from haas_rpcd.backups import refuse_folder
from haas_rpcd.config import ConfigError, LogSettings, Settings, StoreSettings
from haas_rpcd.doctor import World
from haas_rpcd.doctor import program as doctor

log = logging.getLogger("haas_rpcd")


def main(argv: list[str] | None = None) -> int:
    """Run the daemon and return the exit code; an error is a sentence on stderr."""
    streams.open_closed()
    try:
        code = _run(_usable(argv))
    except SystemExit as done:  # --help, --version or wrong usage
        code = done.code if isinstance(done.code, int) else 2
    except (ConfigError, OSError, sqlite3.Error) as error:
        streams.say(str(error))
        code = 1
    return streams.finish(code)


def _usable(argv: list[str] | None) -> argparse.Namespace:
    """Return the arguments; exit with 2 if they are wrong, also where nobody can read why.

    argparse before Python 3.11.5 raises what writing to stderr raises.
    """
    try:
        return _arguments(argv)
    except OSError:
        raise SystemExit(2) from None


def _run(arguments: argparse.Namespace) -> int:
    logs.configure(LogSettings(), verbose=arguments.verbose)
    os.umask(0o077)  # nobody else may read the database; the socket sets its own mode
    if arguments.demo:
        return _serve(arguments, None)
    if arguments.command == "doctor":
        return doctor.main(arguments)
    if arguments.command == "link-files":
        return linkfiles.main(arguments)
    settings = _settings(arguments)
    if arguments.command == "backup":
        return backups.main(settings, arguments)
    if arguments.command == "restore":
        return restoring.main(settings, arguments)
    if arguments.check_config:
        return _check_config(settings, arguments.config)
    if arguments.command == "standby" and not settings.ha.on:
        raise ConfigError(
            f"{arguments.config}: [ha] etcd: nobody is there to stand by for; see"
            " docs/two-masters.md."
        )
    return _serve(arguments, settings)


def _serve(arguments: argparse.Namespace, settings: Settings | None) -> int:
    """Serve until the end; a demo if there are no ``settings``."""
    from haas_rpcd.rpc.socketlock import SocketError

    # A call takes some thirty turns of the event loop, and at each may wait this long for a thread
    # that takes a long answer apart. Python's 5 ms would add up to 150.
    sys.setswitchinterval(0.001)
    try:
        if settings is None:
            _serve_demo(arguments)
            return 0
        logs.configure(settings.log, verbose=arguments.verbose)
        if missing := _missing_credentials(settings):
            log.warning("%s", missing)
        from haas_rpcd import serving
        from haas_rpcd.ha.waking import WakingLoop

        with asyncio.Runner(loop_factory=WakingLoop if settings.ha.on else None) as runner:
            runner.run(serving.run(settings, reload=lambda: _reload(arguments)))
    except SocketError as error:
        streams.say(str(error))
        return 1
    return 0


def _serve_demo(arguments: argparse.Namespace) -> None:
    if arguments.until_eof:
        threading.Thread(target=_end_with_stdin, daemon=True).start()
    try:
        asyncio.run(_demo(arguments))
    finally:
        if arguments.remove is not None:
            shutil.rmtree(arguments.remove, ignore_errors=True)


async def _demo(arguments: argparse.Namespace) -> None:
    """Serve the embedded data centre, or a copy of a site; or only check the site file."""
    from haas_rpcd.demo import check_site, run_demo, run_rehearsal

    if arguments.site is None:
        with _demo_socket(arguments.socket) as socket:
            await run_demo(socket)
        return
    site = Path(arguments.site)
    given = configfiles.load(Path(arguments.config)) if arguments.config else None
    if arguments.check_config:
        await check_site(site, given)
        print(f"{site} is right.")  # noqa: T201
        return
    with _demo_socket(arguments.socket) as socket:
        await run_rehearsal(socket, site, given)


def _reload(arguments: argparse.Namespace) -> Settings:
    """Read the configuration again, and log as it says. Raises ConfigError."""
    settings = _settings(arguments)
    configfiles.load_credentials(Path(settings.credentials.file))
    logs.configure(settings.log, verbose=arguments.verbose)
    return settings


def _settings(arguments: argparse.Namespace) -> Settings:
    settings = configfiles.load(Path(arguments.config))
    if arguments.socket:
        server = msgspec.structs.replace(settings.server, socket=arguments.socket)
        settings = msgspec.structs.replace(settings, server=server)
    return settings


def _check_config(settings: Settings, path: str) -> int:
    """Run the checks of the doctor that need neither a network nor a master."""
    from haas_rpcd.doctor.checks import examine

    if settings.server.tls_cert is not None:
        from haas_rpcd.rpc.tls import Certificate

        Certificate(settings.server)  # raises ConfigError
    found = asyncio.run(examine(World(settings, Path(path)), offline=True))
    refuse_folder(settings.backup)
    folder = Path(settings.store.path).parent
    # The default folder is made by systemd when it starts the daemon.
    if settings.store != StoreSettings() and not folder.is_dir():
        raise ConfigError(
            f"[store] path: there is no folder {folder}: create it, for haas-rpcd's user."
        )
    if faults := [one for one in found if one.level == "fault"]:
        for one in faults:
            streams.say(f"{one.text}\n  -> {one.mend}")
        return 1
    for one in found:
        if one.level == "warning" and one.check not in ("configuration", "credentials"):
            streams.say(f"{one.text}\n  -> {one.mend}")
    missing = _missing_credentials(settings)
    print(f"{path} is right{f', but {missing}' if missing else '.'}")  # noqa: T201
    return 0


def _missing_credentials(settings: Settings) -> str | None:
    path = settings.credentials.file
    if Path(path).exists():
        return None
    return (
        f"there is no file {path} ([credentials] file): no switch can be logged in to without it."
    )


def _end_with_stdin() -> None:
    """Stop when stdin ends, as it does when the program at its other end dies, even by kill -9."""
    while os.read(sys.stdin.fileno(), 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


@contextlib.contextmanager
def _demo_socket(given: str | None) -> Iterator[str]:
    """Return the path of the demo's socket: as given, or in a new directory of our own.

    A name in /tmp that others can guess may be theirs already, or a link to what is not.
    """
    if given is not None:
        yield given
        return
    base = os.environ.get("XDG_RUNTIME_DIR") or None
    with tempfile.TemporaryDirectory(prefix="haas-demo-", dir=base) as folder:
        yield str(Path(folder) / "rpcd.sock")


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = make_parser()
    arguments = parser.parse_args(argv)
    if arguments.command and (arguments.demo or arguments.check_config or arguments.socket):
        parser.error(f"{arguments.command} takes no --demo, --check-config or --socket")
    if arguments.site is not None and not arguments.demo:
        parser.error("--site is for --demo only: a real daemon's inventory is in its database")
    configured = arguments.config is not None or arguments.check_config
    if arguments.demo and configured and arguments.site is None:
        parser.error("--demo has a configuration of its own: leave --config and --check-config out")
    if (arguments.until_eof or arguments.remove is not None) and not arguments.demo:
        parser.error("--until-eof and --remove are for --demo only")
    if not arguments.demo:
        arguments.config = arguments.config or config.DEFAULT_PATH
    return arguments


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line, which the man page is made from as well."""
    parser = argparse.ArgumentParser(
        prog="haas-rpcd", description="The HaaS daemon: JSON-RPC 2.0 on a Unix socket."
    )
    parser.add_argument(
        "--config",
        metavar="FILE",
        help=f"default: {config.DEFAULT_PATH}; with --demo --site: where the VLAN pool, the"
        " master's images and the policy are taken from",
    )
    parser.add_argument(
        "--check-config", action="store_true", help="say what is wrong with the configuration"
    )
    parser.add_argument("--socket", metavar="PATH", help="listen here instead")
    parser.add_argument(
        "--demo",
        action="store_true",
        help="serve an embedded data centre: no root, no libvirt, no switch, nothing kept",
    )
    parser.add_argument(
        "--site",
        metavar="FILE",
        help="with --demo: serve a simulated copy of this site file instead, for rehearsals;"
        " nothing real is connected to",
    )
    parser.add_argument(
        "--until-eof",
        action="store_true",
        help="with --demo: stop when stdin ends, as when the program at its other end dies",
    )
    parser.add_argument(
        "--remove",
        metavar="FOLDER",
        help="with --demo: delete this folder at the end; it was created for the socket",
    )
    parser.add_argument("--verbose", action="store_true", help="log more")
    parser.add_argument("--version", action="version", version=f"haas-rpcd {haas_rpcd.__version__}")
    commands = parser.add_subparsers(dest="command", title="subcommands", metavar="")
    doctor.add_arguments(
        commands.add_parser(
            "doctor",
            help="check this master, and say how to mend what is wrong",
            description=doctor.DESCRIPTION,
            epilog=doctor.EPILOG,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
    )
    backups.add_arguments(
        commands.add_parser(
            "backup",
            help="copy the database to a file, also while the daemon runs",
            description=backups.DESCRIPTION,
        )
    )
    restoring.add_arguments(
        commands.add_parser(
            "restore",
            help="put a backup in the place of the database, and read all devices",
            description=restoring.DESCRIPTION,
        )
    )
    commands.add_parser(
        "standby",
        help="serve reads, and take over when the other master is gone, as  haas-rpcd  itself does"
        " with [ha]",
        description="Serve reads of what the other master has, and once that is gone, everything:"
        " [ha] of haas.toml says where both find each other. Without [ha] this is refused, and"
        "  haas-rpcd  alone serves at once.",
    )
    linkfiles.add_arguments(
        commands.add_parser(
            "link-files",
            help="keep systemd-networkd and NetworkManager off the links of HaaS",
            description=linkfiles.DESCRIPTION,
        )
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
