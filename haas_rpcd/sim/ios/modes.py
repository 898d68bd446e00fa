"""The modes of IOS's command line and their prompts."""

from __future__ import annotations

from enum import StrEnum

MAX_PROMPT = 30
"""Characters of a prompt in configuration modes; IOS cuts the mode's name to fit ("hostname" in
the IOS Configuration Fundamentals command reference)."""

MAX_HOSTNAME = 20
"""Characters of the hostname that prompts of configuration modes show."""


class Mode(StrEnum):
    """Where a session's next command line is read; the values are those of the records."""

    USER = "user"
    PRIVILEGED = "privileged"
    CONFIG = "config"
    INTERFACE = "config-if"
    RANGE = "config-if-range"
    VLAN = "config-vlan"

    @property
    def configures(self) -> bool:
        """Whether it is one of the configuration modes."""
        return self.value.startswith("config")


SUBMODES = frozenset({Mode.INTERFACE, Mode.RANGE, Mode.VLAN})


def prompt(mode: Mode, hostname: str) -> str:
    """``sw1>``, ``sw1#``, ``sw1(config-if)#``."""
    if mode is Mode.USER:
        return f"{hostname}>"
    if mode is Mode.PRIVILEGED:
        return f"{hostname}#"
    host = hostname[:MAX_HOSTNAME]
    room = MAX_PROMPT - len(host) - len("()#")
    return f"{host}({mode.value[:room]})#"
