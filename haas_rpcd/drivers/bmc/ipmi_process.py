"""The process of one IPMI session: requests as lines of JSON come in, an answer goes out for each.

The first line is the address and the credentials. Its answer says whether the login succeeded.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from typing import Any

_POWER = {"off": 0, "on": 1, "reset": 3}
"""Chassis Control (IPMI 2.0, 28.3)."""

_BOOT = {"pxe": 1, "disk": 2}
"""Boot device selectors of the boot flags (IPMI 2.0, 28.13), in bits 5:2 of their second byte."""

_VALID = 0x80
"""The boot flags are valid, for the next boot only."""

_GONE = ("timeout", "no longer connected", "unreachable", "not known", "unable to connect")
"""Parts of what pyghmi says where the BMC is not there (pyghmi.ipmi.private.session)."""


class Failed(Exception):
    """A request failed: ``kind`` is login, unreachable or refused."""

    def __init__(self, kind: str, words: str) -> None:
        super().__init__(words)
        self.kind = kind


def main() -> None:
    """Serve one session until the standard input ends."""
    os.nice(10)  # many of these may start at once, and must not hold up the daemon
    from pyghmi.ipmi.command import Command

    address = json.loads(sys.stdin.readline())
    _answer({})  # started: the time for the login begins
    if sys.argv[1:] == ["console"]:
        _attach(address)
        return
    try:
        bmc = _log_in(Command, address)
    except Failed as failed:
        _answer({"failed": failed.kind, "words": str(failed)})
        return
    _answer({})
    for request in _requests():
        try:
            _answer(_serve(bmc, request))
        except Failed as failed:
            _answer({"failed": failed.kind, "words": str(failed)})
        if request["do"] == "logout":
            return


def _attach(address: dict[str, Any]) -> None:
    from haas_rpcd.drivers.bmc.ipmi_console import attach

    def failed(words: str) -> None:
        why = failure(Exception(words), logging_in=True)
        _answer({"failed": why.kind, "words": str(why)})

    try:
        attach(address, lambda: _answer({}), failed)
    except Exception as error:  # noqa: BLE001 - pyghmi raises whatever it meets
        failed(str(error))


def _requests() -> Iterator[dict[str, str]]:
    while line := sys.stdin.readline():
        yield json.loads(line)


def _answer(answer: dict[str, str]) -> None:
    os.write(sys.__stdout__.fileno(), json.dumps(answer).encode() + b"\n")  # type: ignore[union-attr]


def _log_in(command: Any, address: dict[str, Any]) -> Any:
    try:
        return command(
            bmc=address["host"],
            userid=address["username"],
            password=address["password"],
            port=address["port"],
        )
    except Exception as error:  # noqa: BLE001 - pyghmi raises whatever it meets
        raise failure(error, logging_in=True) from None


def failure(error: Exception, *, logging_in: bool = False) -> Failed:
    """Return what an exception of pyghmi's means."""
    text = "" if error.args in ((), (None,)) else str(error)
    if not text or isinstance(error, OSError) or any(gone in text.lower() for gone in _GONE):
        return Failed("unreachable", text or "no answer")
    return Failed("login" if logging_in else "refused", text)


def _serve(bmc: Any, request: dict[str, str]) -> dict[str, str]:
    try:
        match request["do"]:
            case "power":
                state = _raw(bmc, 1)["data"][0]
                return {"power": "on" if state & 1 else "off"}
            case "boot":
                _raw(bmc, 8, 3, 8)  # the flags stay valid however long the node takes to be on
                _raw(bmc, 8, 5, _VALID, _BOOT[request["device"]] << 2, 0, 0, 0)
            case "logout":
                bmc.ipmi_session.logout()
            case action:
                _raw(bmc, 2, _POWER[action])
    except Failed:
        raise
    except Exception as error:  # noqa: BLE001 - pyghmi raises whatever it meets
        raise failure(error) from None
    return {}


def _raw(bmc: Any, command: int, *data: int) -> Any:
    """Send a command of the chassis. pyghmi's own calls ask for much of the vendor first."""
    answer = bmc.raw_command(netfn=0, command=command, data=data)
    if "error" in answer:
        raise failure(Exception(str(answer["error"])))
    return answer


if __name__ == "__main__":
    main()
