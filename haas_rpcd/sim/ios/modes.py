"""The modes of IOS's command line and their prompts."""

from __future__ import annotations

from haas_rpcd.sim.cli.texts import Mode

MAX_PROMPT = 30
"""Characters of a prompt in configuration modes. IOS shortens the mode's name to fit ("hostname"
in the IOS Configuration Fundamentals command reference)."""

MAX_HOSTNAME = 20
"""Characters of the hostname in prompts of configuration modes."""

USER = Mode("user", "{host}>")
PRIVILEGED = Mode("privileged", "{host}#")
CONFIG = Mode("config", "{host}({label})#", PRIVILEGED, configures=True)


def _submode(name: str) -> Mode:
    return Mode(name, CONFIG.prompt, CONFIG, configures=True, falls_to=CONFIG)


INTERFACE = _submode("config-if")
RANGE = _submode("config-if-range")
VLAN = _submode("config-vlan")


def prompt(mode: Mode, hostname: str) -> str:
    """``sw1>``, ``sw1#``, ``sw1(config-if)#``."""
    if not mode.configures:
        return mode.prompt.format(host=hostname)
    host = hostname[:MAX_HOSTNAME]
    room = MAX_PROMPT - len(host) - len("()#")
    return mode.prompt.format(host=host, label=mode.name[:room])
