"""What the shells' completion scripts ask: ``haas-console __complete SHELL LINE``.

LINE is the command line up to the cursor. Prints a candidate a line, each a whole word; ``:files``
alone where a file belongs. It never fails and prints no error: a shell that waits for its TAB has
no place for one. Without an answer of the daemon in time only the words are completed.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from haas_console.batch import views
from haas_console.core import config
from haas_console.core.api import Method, packaged_api
from haas_console.core.completion import Completer
from haas_console.core.inventory import Inventory
from haas_console.core.language import Language
from haas_console.core.target import find_daemon

if TYPE_CHECKING:
    from haas_console.core.fetch import Fetcher

FILES = ":files"
_PATIENCE = 1.5
"""Seconds in which the daemon has to answer."""

_FILE_METAVARS = ("FILE", "PATH", "FOLDER")
_VIEW_OPTIONS = ("-o", "--columns", "--watch")
_FILE_OPTIONS = ("--out",)
_KINDS: Mapping[str, tuple[str, ...]] = {
    "project": ("projects",),
    "with": ("projects",),
    "node": ("nodes",),
    "nic": ("nodes",),
    "tag": ("nodes",),
    "network": ("networks", "nodes"),
    "target": ("networks", "nodes"),
    "headnode": ("headnodes",),
    "switch": ("switches",),
    "port": ("switches",),
    "job": ("jobs",),
    "image": ("info",),
    "dialect": ("info",),
}
"""What has to be fetched to complete each param."""


def candidates(line: str, parser: argparse.ArgumentParser) -> list[str]:
    """Return the candidates for the last word of a command line; ``[FILES]`` for a file."""
    words, last = _split(line)
    with contextlib.suppress(Exception):
        return list(dict.fromkeys(_candidates(words[1:], last, parser)))
    return []


def _split(line: str) -> tuple[list[str], str]:
    """The complete words, and the one that is being typed."""
    try:
        words = shlex.split(line)
    except ValueError:  # an open quote
        words = line.split()
    last = "" if not line or line[-1].isspace() or not words else words.pop()
    return words, last


def _candidates(words: Sequence[str], last: str, parser: argparse.ArgumentParser) -> Iterator[str]:
    options = {name: action for action in parser._actions for name in action.option_strings}
    own = [str(word) for action in parser._actions for word in action.choices or ()]
    at, settings = 0, dict[str, str]()
    while at < len(words) and words[at].startswith("-"):
        action = options.get(words[at])
        if action is None or action.nargs == 0:
            at += 1
            continue
        if at + 1 == len(words):
            yield from _option_value(words[at], action, last)
            return
        settings[action.dest] = words[at + 1]
        at += 2
    command = list(words[at:])
    if not command and last.startswith("-"):
        yield from (name for name in options if name.startswith(last))
        return
    if command[:1] == ["completion"]:
        yield from (shell for shell in ("bash", "zsh", "fish") if shell.startswith(last))
        return
    if command[:1] == ["inventory"]:
        yield from (o for o in ("--list", "--host", "--project") if o.startswith(last))
        return
    if command[:1] == ["serve"]:
        if command[-1] in ("--tls-cert", "--tls-key"):
            yield FILES
        yield from (o for o in ("--listen", "--tls-cert", "--tls-key") if o.startswith(last))
        return
    if command and command[0] in own:
        return
    if not command:
        yield from (word for word in (*own, "inventory", "serve") if word.startswith(last))
    yield from _words(command, last, settings)


def _option_value(name: str, action: argparse.Action, last: str) -> Iterator[str]:
    if str(action.metavar) in _FILE_METAVARS:
        yield FILES
    elif name == "--context":
        yield from (each for each in config.load_config().contexts if each.startswith(last))


def _words(command: list[str], last: str, settings: Mapping[str, str]) -> Iterator[str]:
    before = command[-1] if command else ""
    if before in ("-o", "--output"):
        yield from (name for name in views.FORMATS if name.startswith(last))
        return
    if before in _FILE_OPTIONS or command[:2] in (["site", "import"], ["site", "export"]):
        yield FILES
        return
    language = Language(packaged_api())
    inventory = asyncio.run(_fetch(_needed(language, command), command, settings))
    yield from Completer(language, inventory, None).complete(" ".join([*command, last]))
    if last.startswith("-") and len(command) > 1:
        yield from (option for option in _VIEW_OPTIONS if option.startswith(last))
    if command == ["apply"] and last[:1] in (".", "/", "~"):
        yield FILES


def _needed(language: Language, command: Sequence[str]) -> set[str]:
    """The kinds of objects that may be candidates after these words."""
    if not command:
        return set()
    first = command[0]
    if first == "use":
        return {"projects"}
    if first in ("connect", "disconnect"):
        return {"nodes", "networks"}
    if first in ("plan", "apply"):
        return {"projects", "nodes", "networks"} if len(command) > 1 else {"projects"}
    if command[:2] == ["job", "follow"]:
        return {"jobs"}
    if len(command) < 2:
        return set()
    method: Method | None = language.api.nouns.get(first, {}).get(command[1].replace("-", "_"))
    params = method.params if method is not None else ()
    return {kind for param in params for kind in _KINDS.get(param.name, ())}


async def _fetch(kinds: set[str], command: Sequence[str], settings: Mapping[str, str]) -> Inventory:
    """Fetch what is needed, as far as the daemon answers in time."""
    inventory = Inventory()
    if not kinds:
        return inventory
    from haas_console.core.client import Client  # aiohttp: not for words alone
    from haas_console.core.fetch import Fetcher

    with contextlib.suppress(Exception):  # what has arrived by then is used
        async with asyncio.timeout(_PATIENCE):
            endpoint, token = find_daemon(
                config.load_config(),
                socket=settings.get("socket"),
                url=settings.get("url"),
                context=settings.get("context"),
                ca_file=settings.get("ca"),
            )
            client = await Client.connect(endpoint, token=token)
            try:

                async def call(
                    method: str, params: Mapping[str, Any] | None = None, *, quiet: bool = False
                ) -> Any:
                    return await client.call(method, params)

                fetcher = Fetcher(inventory, call, ())
                await asyncio.gather(*(_fetch_kind(fetcher, kind) for kind in sorted(kinds)))
                for word in command[2:]:
                    if word in inventory.switches:
                        await fetcher.ports(word)
            finally:
                await client.close()
    return inventory


async def _fetch_kind(fetcher: Fetcher, kind: str) -> None:
    match kind:
        case "nodes":
            async for _ in fetcher.nodes():
                pass
        case "projects":
            await fetcher.projects()
        case "networks":
            await fetcher.networks()
        case "headnodes":
            await fetcher.headnodes()
        case "switches":  # only an admin may list them
            await fetcher.info()
            await fetcher.switches()
        case "info":
            await fetcher.info()
        case "jobs":
            await fetcher.jobs()
