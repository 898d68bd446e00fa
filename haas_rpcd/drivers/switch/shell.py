"""Switches whose command line is a Unix shell: each line is a command with an exit status."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from haas_rpcd.drivers.switch.dialect import Dialect, Options, at_end, at_start
from haas_rpcd.drivers.switch.script import Block, Stage
from haas_rpcd.model import PortConfig, SetPort, Uptime


class Shell(Dialect):
    """The base of the dialects that are spoken to a POSIX shell.

    The shell's prompt is set to hold the exit status of the last command (POSIX shells expand
    parameters in PS1), so every single line's status is checked at no cost.
    """

    echoes = False
    prompt = r"haas-(\d+)# "
    configuring = None
    setup: tuple[str, ...] = ("PS1='haas-$?# ' PS2=", "stty -echo")
    pager = None
    question = None
    show_uptime = "cat /proc/uptime"
    uptime = re.compile(r"^\s*(\d+\.\d+) \d", re.M)

    @property
    def any_prompt(self) -> re.Pattern[str]:
        """The prompt of whatever shell the login starts, before :attr:`setup` gave it ours."""
        return at_end(r"(?![^\r\n]*haas-\$)[^\r\n]*[#$%>] ?(?:\x1b\[[0-9;?]*[a-zA-Z])*")

    def own_prompt(self, prompt: str) -> re.Pattern[str]:
        """Match the prompt that :attr:`setup` sets; its number is the exit status."""
        return at_start(self.prompt)

    def parse_uptime(self, answer: str) -> Uptime | None:
        """Read proc(5)'s uptime, in seconds."""
        found = self.uptime.search(answer)
        return Uptime(float(found[1]), resolution=0.01) if found else None

    def error_in(self, answer: str, prompt: re.Match[str]) -> str | None:
        """A command that did not exit with 0 failed; what it printed says why."""
        status = prompt.group(1)
        if status == "0":
            return None
        return answer.strip() or f"it exited with status {status}"

    def port_lines(
        self, port: str, config: PortConfig, options: Options, now: PortConfig | None
    ) -> list[list[str]]:
        """Give the stages of whole commands that make a port carry exactly this.

        ``now`` is what it carries, where the dialect :attr:`needs_current_config`.
        """
        raise NotImplementedError

    def port_script(
        self, changes: Mapping[int, SetPort], options: Options, now: Mapping[str, PortConfig]
    ) -> list[Stage]:
        """Give the stages that set several ports: each line names its port, so none is entered."""
        stages: list[Stage] = []
        for index, change in changes.items():
            own = self.port_lines(change.port, change.config, options, now.get(change.port))
            for at, lines in enumerate(own):
                if at == len(stages):
                    stages.append([])
                if lines:
                    stages[at].append(Block((index,), tuple(lines)))
        return stages

    def vlan_lines(self, vlan: int, present: bool, options: Options) -> list[str]:
        """Do nothing: a VLAN is there where a port carries it."""
        return []

    def read_vlans(self, options: Options) -> list[str]:
        """Ask nothing: no VLAN is made."""
        return []

    def parse_vlans(self, answers: Sequence[str]) -> frozenset[int]:
        """Give none."""
        return frozenset()

    def as_root(self, line: str, options: Options) -> str:
        """Put sudo(8) before a line where the option says so."""
        return f"sudo -n {line}" if options.get("sudo") else line
