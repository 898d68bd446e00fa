"""The errors of BMCs as sentences. They begin with the name of the node."""

from __future__ import annotations

import re

from haas_rpcd.bmc import RegisteredBmc
from haas_rpcd.errors import DeviceError

_LONGEST = 200
"""Characters that are quoted of what a BMC says."""


def unreachable(bmc: RegisteredBmc, why: str) -> DeviceError:
    """Return the error of a BMC that nobody answers for."""
    return DeviceError(
        f"{bmc.node}'s BMC can't be reached on {bmc.host} port {bmc.port} ({why}): check that it is"
        f" switched on and on the master's network, and its address with  {bmc.show_command}",
        reason="unreachable",
    )


def silent(bmc: RegisteredBmc, seconds: float) -> DeviceError:
    """Return the error of a BMC that did not answer in time."""
    return DeviceError(
        f"{bmc.node}'s BMC did not answer on {bmc.host} port {bmc.port} within {seconds:g} s.",
        reason="timeout",
    )


def login_refused(bmc: RegisteredBmc, words: str) -> DeviceError:
    """Return the error of a BMC that refused the credentials."""
    entry = bmc.credential or bmc.node
    return DeviceError(
        f"{bmc.node}'s BMC refused the login ({quoted(words)}): check  [{entry}]  in the"
        " credentials file.",
        reason="login",
    )


def refused(bmc: RegisteredBmc, what: str, words: str) -> DeviceError:
    """Return the error of a BMC that refused a request, such as ``to switch it on``."""
    return DeviceError(f"{bmc.node}'s BMC refused {what}: {quoted(words)}", reason="refused")


def unreadable(bmc: RegisteredBmc, what: str) -> DeviceError:
    """Return the error of an answer that makes no sense."""
    return DeviceError(
        f"{bmc.node}'s BMC answered what can't be understood: {quoted(what)}", reason="unreadable"
    )


def quoted(words: str) -> str:
    """Return what a BMC said on one line, without control characters, cut."""
    text = " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f]+", " ", words).split())
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
