"""The base of switches whose command line is a Unix shell: each command has an exit status."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from haas_rpcd.drivers.switch.dialect import Dialect, Options
from haas_rpcd.drivers.switch.patterns import at_end, at_start
from haas_rpcd.drivers.switch.script import Block, Stage
from haas_rpcd.model import PortConfig, SetPort, Uptime


class Shell(Dialect):
    """The base of the dialects that use a POSIX shell.

    The prompt is set to contain the exit status of the last command (POSIX shells expand parameters
    in PS1), so the status of every line is checked at no cost.
    """

    echoes = False
    numbered_ports = False
    prompt = r"haas-(\d+)# "
    configuring = None
    setup: tuple[str, ...] = ("PS1='haas-$?# ' PS2=", "stty -echo")
    pager = None
    question = None
    show_uptime = "cat /proc/uptime"
    uptime = re.compile(r"^\s*(\d+\.\d+) \d", re.M)

    @property
    def any_prompt(self) -> re.Pattern[str]:
        """The prompt of the login's shell, before :attr:`setup` replaces it."""
        return at_end(r"(?![^\r\n]*haas-\$)[^\r\n]*[#$%>] ?(?:\x1b\[[0-9;?]*[a-zA-Z])*")

    def own_prompt(self, prompt: str) -> re.Pattern[str]:
        """Return the pattern of the prompt that :attr:`setup` sets; its number is the status."""
        return at_start(self.prompt)

    def parse_uptime(self, answer: str) -> Uptime | None:
        """Read proc(5)'s uptime, in seconds."""
        found = self.uptime.search(answer)
        return Uptime(float(found[1]), resolution=0.01) if found else None

    def error_in(self, answer: str, prompt: re.Match[str]) -> str | None:
        """Return what a command printed, if its exit status is not 0."""
        status = prompt.group(1)
        if status == "0":
            return None
        return answer.strip() or f"it exited with status {status}"

    def port_lines(
        self, port: str, config: PortConfig, options: Options, current: PortConfig | None
    ) -> list[list[str]]:
        """Return the stages of commands that make a port carry exactly this.

        ``current`` is its configuration, if the dialect :attr:`needs_current_config`.
        """
        raise NotImplementedError

    def port_script(
        self, changes: Mapping[int, SetPort], options: Options, current: Mapping[str, PortConfig]
    ) -> list[Stage]:
        """Return the stages that set several ports. Each line names its port: no contexts."""
        stages: list[Stage] = []
        for index, change in changes.items():
            own = self.port_lines(change.port, change.config, options, current.get(change.port))
            for at, lines in enumerate(own):
                if at == len(stages):
                    stages.append([])
                if lines:
                    stages[at].append(Block((index,), tuple(lines)))
        return stages

    def vlan_lines(self, vlan: int, present: bool, options: Options) -> list[str]:
        """Return none: a VLAN exists as soon as a port carries it."""
        return []

    def read_vlans(self, options: Options) -> list[str]:
        """Return none: VLANs are not created."""
        return []

    def parse_vlans(self, answers: Sequence[str]) -> frozenset[int]:
        """Return none."""
        return frozenset()

    def as_root(self, line: str, options: Options) -> str:
        """Prefix a line with sudo(8) if the option says so."""
        return f"sudo -n {line}" if options.get("sudo") else line
