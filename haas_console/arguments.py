"""The command line of ``haas-console``: its options, and what may come over SSH."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from haas_console import __version__
from haas_console.batch.output import Output

_EPILOG = """\
WORDS is one command, such as  node list --free ; `haas-console help` lists them. One that reads
takes -o table|wide|json|yaml|name|csv, --columns A,B and --watch[=SECONDS]; plan takes --exit-code.

exit codes: 0 done, 1 a command failed, 2 usage or syntax, 3 no daemon, 4 denied,
5 apply failed, 130 interrupted

The daemon is --socket, --url or --context, else HAAS_SOCKET or HAAS_URL, else what the config file
says, else /run/haas/rpcd.sock. A URL wants a token: of HAAS_TOKEN, or kept by `login URL`.
inventory --list is one for Ansible; serve --listen ADDR opens the console to browsers.
As a ForceCommand of sshd, `ssh HOST 'node list'` is -c 'node list'.
`haas-console -c help` lists the commands.
"""


class _Show(argparse.Action):
    """Prints a text and exits. argparse's own actions ignore errors of printing."""

    def __init__(
        self,
        option_strings: Sequence[str],
        dest: str,
        *,
        output: Output,
        text: Callable[[argparse.ArgumentParser], str],
        help: str,
    ) -> None:
        super().__init__(option_strings, argparse.SUPPRESS, nargs=0, help=help)
        self._output = output
        self._text = text

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        self._output.exact(self._text(parser))
        parser.exit()


def make_parser(output: Output | None = None) -> argparse.ArgumentParser:
    """Return the parser of the command line; ``output`` prints its help."""
    output = output or Output()
    parser = argparse.ArgumentParser(
        prog="haas-console",
        description="The console of HaaS (Hardware as a Service).\n\n"
        "With the WORDS of a command, such as `node list --free`, it runs that one command.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
        add_help=False,
    )
    add = parser.add_argument
    show: dict[str, Any] = {"action": _Show, "output": output}
    add(
        "what",
        nargs="?",
        choices=["info", "login", "logout", "completion"],
        help="info: print where settings and daemon are; login URL: keep a token for a daemon;"
        " logout URL: remove it; completion SHELL: print a script that completes this program's"
        " command line in bash, zsh or fish",
    )
    add("--keys", action="store_true", help="info: only the keys with their ids, for [keymap]")
    add("--themes", action="store_true", help="info: only the names of the themes")
    add("shell", nargs="?", metavar="SHELL", help=argparse.SUPPRESS)
    version_text = f"haas-console {__version__}\n"
    add(
        *("-h", "--help"),
        **show,
        text=lambda parser: parser.format_help(),
        help="show this help message and exit",
    )
    add(
        "--version",
        **show,
        text=lambda _: version_text,
        help="show program's version number and exit",
    )
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--socket", metavar="PATH", help="the daemon's Unix socket")
    where.add_argument("--url", metavar="URL", help="the daemon's https:// address")
    where.add_argument(
        "--context",
        metavar="NAME[,NAME...]",
        type=_contexts,
        help="a daemon of the config file; a command or script may name several",
    )
    where.add_argument("--demo", action="store_true", help="a demo data centre, while this runs")
    add(
        "--site",
        metavar="FILE",
        type=lambda file: Path(file).absolute(),
        help="with --demo: a simulated copy of this site file",
    )
    add("--ca", metavar="FILE", help="with a URL: the authority to trust, a PEM file")
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


def _contexts(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    twice = next((name for name in names if names.count(name) > 1), None)
    if not names or twice is not None:
        raise argparse.ArgumentTypeError(f"names {twice} twice" if twice else "names no context")
    return names


def split_words(
    parser: argparse.ArgumentParser, argv: Sequence[str]
) -> tuple[list[str], list[str]]:
    """Split a command line into the program's own arguments and the words of a command.

    The words begin at the first one that is neither an option, nor its value, nor one of the
    program's own words, such as ``info``: ``haas-console --demo node list --free``.
    """
    actions = {name: each for each in parser._actions for name in each.option_strings}
    own = {
        word for each in parser._actions for word in each.choices or () if not each.option_strings
    }
    at = 0
    view: list[str] = []
    while at < len(argv):
        word = argv[at]
        if word in ("-o", "--output", "--columns") and at + 1 < len(argv):
            view += argv[at : at + 2]  # of the command, though before it
            argv = [*argv[:at], *argv[at + 2 :]]
            continue
        if word == "--":
            return list(argv[:at]), list(argv[at + 1 :])
        if not word.startswith("-") or word == "-":
            break
        takes = actions.get(word)
        at += 2 if takes is not None and takes.nargs != 0 else 1
    if at >= len(argv) or argv[at] in own:
        return list(argv), []
    return list(argv[:at]), [*argv[at:], *view]


# --- over SSH -------------------------------------------------------------------------------------

_OVER_SSH = frozenset(
    {"-c", "-h", "--help", "--version", "--json", "--check", "--keep-going", "--quiet", "--echo"}
    | {"--readonly", "--script", "-o", "--output", "--columns"}
)
"""Options that whoever logs in may give. The others name daemons and files of the master."""


def over_ssh(
    parser: argparse.ArgumentParser, environ: Mapping[str, str]
) -> tuple[list[str], str | None]:
    """What was typed after ``ssh HOST``: further arguments, or else the text of commands.

    If ForceCommand runs this program, sshd passes the words in the environment, see sshd_config(5);
    no shell interprets them. They are arguments if they begin with an option, as in
    ``ssh HOST -- --json node list``, or with a word that is no command. Exits if an option may not
    be given.
    """
    text = environ.get("SSH_ORIGINAL_COMMAND", "").strip()
    if not (text.startswith("-") or text.partition(" ")[0] == "inventory"):
        return [], text or None
    try:
        words = shlex.split(text)
    except ValueError as error:
        parser.error(f"{text}: {error}")
    own, _ = split_words(parser, words)
    for at, word in enumerate(own):
        name, equals, value = word.partition("=")
        if not word.startswith("-") or (at and own[at - 1] in ("-c", "--script")):
            continue
        if name not in _OVER_SSH:
            parser.error(f"over SSH there is no {name}: the master says which daemon and files")
        if name == "--script" and (value if equals else "".join(own[at + 1 : at + 2])) != "-":
            parser.error("over SSH a script comes on stdin: --script -")
    return words, None
