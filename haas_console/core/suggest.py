"""Guesses which command a wrong line means, by the words of similar programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from haas_console.core.api import Api

_WHOLE: Mapping[str, str] = {
    "alloc": "node allocate",
    "allocate": "node allocate",
    "commit": "apply",
    "cordon": "node allocate",
    "deploy": "apply",
    "diff": "plan",
    "exec": "node console",
    "explain": "help",
    "free": "node list --free",
    "health": "system health",
    "log": "events",
    "logs": "events",
    "ls": "node list",
    "ps": "job list",
    "release": "node release",
    "run": "apply",
    "share": "network share",
    "status": "system health",
    "sync": "apply",
    "top": "system pulse",
    "version": "system info",
    "wait": "job wait",
    "watch": "events",
    "who": "system info",
    "whoami": "system info",
}
"""Words that mean one command."""

_VERBS: Mapping[str, tuple[str, ...]] = {
    "add": ("create", "register", "add_member"),
    "attach": ("connect",),
    "boot": ("start", "power"),
    "claim": ("allocate",),
    "del": ("delete", "retire"),
    "describe": ("show",),
    "destroy": ("delete", "release"),
    "detach": ("disconnect",),
    "discover": ("probe",),
    "drop": ("delete", "release"),
    "edit": ("set", "set_quota"),
    "free": ("release",),
    "get": ("show", "list"),
    "give": ("allocate", "add_member"),
    "halt": ("stop",),
    "info": ("show",),
    "inspect": ("show", "probe"),
    "invite": ("add_member",),
    "join": ("connect",),
    "kill": ("cancel", "stop"),
    "leave": ("disconnect",),
    "list": ("list",),
    "log": ("transcript",),
    "logs": ("transcript",),
    "ls": ("list",),
    "make": ("create", "register"),
    "new": ("create", "register"),
    "off": ("power", "stop"),
    "on": ("power", "start"),
    "read": ("show",),
    "reboot": ("power",),
    "remove": ("delete", "remove_member", "release"),
    "reserve": ("allocate",),
    "reset": ("power",),
    "rm": ("delete", "release"),
    "status": ("show", "list"),
    "tail": ("follow",),
    "test": ("check", "probe"),
    "unregister": ("delete",),
    "view": ("show",),
    "watch": ("follow",),
}
"""Verbs of other programs, with those here that may be meant."""

_NOUNS: Mapping[str, str] = {
    "group": "project",
    "host": "node",
    "interface": "nic",
    "machine": "node",
    "net": "network",
    "ns": "project",
    "server": "node",
    "task": "job",
    "tenant": "project",
    "vlan": "network",
    "vm": "headnode",
}


def command_for(words: Sequence[str], api: Api) -> str:
    """Return the command that ``words`` may mean, with their further words; "" without a guess."""
    first, *rest = words
    if first.removesuffix("s") == "member" and rest:
        guess = {"add": "add_member", "remove": "remove_member"}.get(rest[0], "show")
        return " ".join(["project", guess, *rest[1:]])
    if first in ("auth", "can", "can-i"):  # kubectl's: auth can-i create networks
        asked = [word for word in rest if word != "can-i"]
        return f"may {command_for(asked, api) if asked else ''}".strip()
    noun = _noun(first, api)
    if noun is not None:
        return _with_noun(noun, rest, api, bare=first != noun)
    if first in _WHOLE and (first == "explain" or not rest or _noun(rest[0], api) is None):
        guess = _WHOLE[first]
        own = ("events", "apply", "plan", "help")
        known = guess.split()[0] in api.nouns or guess.split()[0] in own
        return " ".join([guess, *rest]) if known else ""
    if rest and (noun := _noun(rest[0], api)) is not None:  # kubectl's order: get nodes
        verb = _verb(first, noun, api, has_name=len(rest) > 1)
        return " ".join([noun, verb, *rest[1:]]) if verb else ""
    return ""


def _with_noun(noun: str, rest: Sequence[str], api: Api, *, bare: bool) -> str:
    if not rest:
        return f"{noun} list" if bare and "list" in api.nouns[noun] else ""
    verb = _verb(rest[0], noun, api, has_name=len(rest) > 1)
    return " ".join([noun, verb, *rest[1:]]) if verb else ""


def _noun(word: str, api: Api) -> str | None:
    """The noun that a word means: itself, its plural, or another program's name for it."""
    word = word.lower()
    for candidate in (word, word.removesuffix("s"), word.removesuffix("es")):
        found = _NOUNS.get(candidate, candidate)
        if found in api.nouns and found not in ("plan", "apply"):
            return found
    return None


def _verb(word: str, noun: str, api: Api, *, has_name: bool) -> str:
    verbs = {*api.nouns[noun], *(("follow",) if noun == "job" else ())}
    word = word.replace("-", "_").lower()
    if word in verbs:
        return word
    for candidate in _VERBS.get(word, ()):
        if candidate in verbs and (candidate != "show" or has_name):
            return candidate
    return ""
