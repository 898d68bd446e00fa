"""The objects that a command has changed: they are fetched before the next command is built."""

from __future__ import annotations

from typing import Any

import msgspec

from haas_console.core.commands import Apply, ApplyFile, Call, Command, ImportSite


class Affected(msgspec.Struct, frozen=True):
    """An object that a command has changed, named as in an ``inventory.event``."""

    noun: str
    name: str = ""
    project: str | None = None


def affected(command: Command, answer: Any) -> tuple[Affected, ...]:
    """The objects that a command has changed, without those whose records are in its answer."""
    match command:
        case Apply() | ApplyFile():
            return (Affected("job"),)
        case ImportSite(_, params):
            return () if params.get("dry_run") else (Affected("site"),)
        case Call():
            return _by_call(command, answer)
    return ()


def _by_call(call: Call, answer: Any) -> tuple[Affected, ...]:
    params = call.params
    noun, _, verb = call.method.partition(".")
    match noun, verb:
        case "node", "allocate":
            return tuple(Affected("node", name) for name in answer["nodes"])
        case ("node", _) | ("nic", "register" | "set" | "delete") | ("cabling", "prove"):
            return (Affected("node", params["node"]),)
        case "headnode", "delete" | "console" | "move":
            return (Affected("headnode", params["headnode"], params["project"]),)
        case "network", "create":
            return ()  # the answer is the record
        case "network", "accept":
            return (Affected("network", params["network"].rpartition("/")[2]),)
        case "network", _:
            return (Affected("network", params["network"]),)
        case "hypervisor", _:
            return ()  # the console keeps none
        case "switch" | "port", _:
            return (Affected("switch", params["switch"]),)
        case "project", _:
            return (Affected("project", params["project"]),)
        case ("job", "cancel" | "confirm") | ("drift", "repair"):
            return (Affected("job"),)
    return ()
