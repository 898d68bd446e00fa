"""Parts of the families whose command line is a POSIX shell: each command has an exit status."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from haas_rpcd.drivers.switch.dialect import About
from haas_rpcd.drivers.switch.dialogue import Dialogue
from haas_rpcd.drivers.switch.patterns import at_end
from haas_rpcd.drivers.switch.script import Block, Effect, Stage
from haas_rpcd.drivers.switch.state import PortState
from haas_rpcd.drivers.switch.writer import Current, Options, Ports, PortStages
from haas_rpcd.model import Channel, PortConfig, SetPort
from haas_rpcd.registered import Uptime

_UPTIME = re.compile(r"^\s*(\d+\.\d+) \d", re.M)


def exit_status(dialogue: Dialogue, answer: str, prompt: re.Match[str]) -> str | None:
    """Return what a command printed, if its exit status is not 0."""
    status = prompt.group(1)
    if status == "0":
        return None
    return answer.strip() or f"it exited with status {status}"


def _uptime(answer: str) -> Uptime | None:
    """Read proc(5)'s uptime, in seconds."""
    found = _UPTIME.search(answer)
    return Uptime(float(found[1]), resolution=0.01) if found else None


SHELL = Dialogue(
    echoes=False,
    prompt=r"haas-(\d+)# ",
    first_prompt=at_end(r"(?![^\r\n]*haas-\$)[^\r\n]*[#$%>] ?(?:\x1b\[[0-9;?]*[a-zA-Z])*"),
    configuring=None,
    setup=("PS1='haas-$?# ' PS2=", "stty -echo"),
    pager=None,
    question=None,
    find_error=exit_status,
)
"""The dialogue with a shell. Its prompt is set to contain the exit status of the last command
(POSIX shells expand parameters in PS1), so the status of every line is checked at no cost."""

SHELL_ABOUT = About(show_uptime="cat /proc/uptime", uptime=_uptime)


def as_root(line: str, options: Options) -> str:
    """Prefix a line with sudo(8) if the option ``sudo`` says so."""
    return f"sudo -n {line}" if options.get("sudo") else line


@dataclass(frozen=True)
class PortByPort:
    """A :data:`writer.PortScript`: each line names its port; there are no contexts.

    ``settings`` returns the stages of commands that make a port carry exactly this, and
    ``opening`` the command that opens it.
    """

    settings: Callable[[str, PortConfig, Options], list[list[str]]]
    opening: Callable[[str, Options], str]
    bonded: Callable[[SetPort, Channel, PortState | None, Options], PortStages] | None = None
    """Returns the commands for a channel, or for a port that may be a member of one."""

    def __call__(self, changes: Ports, options: Options, current: Current) -> list[Stage]:
        """Return the stages that set several ports, and one that opens those not parked."""
        shutting: Stage = []
        stages: list[Stage] = []
        opening: Stage = []
        for index, change in changes.items():
            commands = self._commands(change, current.get(change.port), options)
            if commands.shut:
                shutting.append(_block(index, commands.shut, options, "shuts"))
            for at, lines in enumerate(commands.settings):
                if at == len(stages):
                    stages.append([])
                if lines:
                    stages[at].append(_block(index, lines, options))
            if commands.open:
                opening.append(_block(index, commands.open, options, "opens"))
        return [stage for stage in (shutting, *stages, opening) if stage]

    def _commands(self, change: SetPort, state: PortState | None, options: Options) -> PortStages:
        if change.channel is not None and self.bonded is not None:
            return self.bonded(change, change.channel, state, options)
        opening = [] if change.config.parked else [self.opening(change.port, options)]
        return PortStages((), self.settings(change.port, change.config, options), opening)


def _block(index: int, lines: Sequence[str], options: Options, effect: Effect = "") -> Block:
    return Block((index,), tuple(as_root(line, options) for line in lines), effect=effect)
