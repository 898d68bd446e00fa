"""What a dialect is: how one family of switches is talked to. Declarative, and without I/O.

A dialect is one small module in :mod:`haas_rpcd.drivers.switch.dialects`. It says what prompts look
like, which lines set a port absolutely, and how to read back what was set. The one rule for its
lines, from design.md section 5: after *each* line the port carries nothing that neither its old nor
its new configuration has.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from haas_rpcd.model import PortConfig

Options = Mapping[str, Any]


def at_end(pattern: str, *, ignore_case: bool = True) -> re.Pattern[str]:
    """Compile a pattern that must stand as a line of its own at the very end of what came in."""
    return re.compile(rf"(?:(?<=\n)|(?<=\r)|\A)(?:{pattern})\Z", re.I if ignore_case else 0)


class Dialect:
    """The base of all dialects, with what most have in common."""

    name: ClassVar[str]
    options: ClassVar[frozenset[str]] = frozenset()
    """The options that a switch of this dialect may be registered with."""

    declares_vlans: ClassVar[bool] = True
    """Whether a VLAN has to be made before a port can carry it."""

    saves: ClassVar[bool] = True
    """Whether the running configuration has to be saved to outlive a restart."""

    # --- logging in ---
    username: re.Pattern[str] = at_end(r"[^\r\n]*(?:username|login|user name): *")
    password: re.Pattern[str] = at_end(r"[^\r\n]*password[^\r\n:]*: *")
    login_failed: re.Pattern[str] = re.compile(
        r"(?:% ?(?:login invalid|bad passwords?|authentication failed|access denied|"
        r"password required)|login incorrect|authentication failed)[^\r\n]*(?=[\r\n])",
        re.I,
    )
    press_key: re.Pattern[str] | None = at_end(r"[^\r\n]*press (?:any key|return|enter)[^\r\n]*")
    any_prompt: re.Pattern[str]
    enable: str | None = None
    enable_failed: re.Pattern[str] | None = None
    setup: tuple[str, ...] = ()
    goodbye: tuple[str, ...] = ()

    # --- answers ---
    pager: re.Pattern[str] | None = None
    question: re.Pattern[str] | None = None

    # --- configuring ---
    enter_config: tuple[str, ...] = ()
    leave_config: tuple[str, ...] = ()
    save: tuple[str, ...] = ()
    version: tuple[str, ...] = ()

    def unprivileged(self, prompt: str) -> bool:
        """Whether the prompt is that of a mode in which nothing can be configured."""
        return prompt.endswith(">")

    def own_prompt(self, prompt: str) -> re.Pattern[str]:
        """Give the pattern of this very switch's prompts, in all modes."""
        raise NotImplementedError

    def answer(self, question: str) -> str:
        """Give what is typed at a question that the switch asks in the middle of a command."""
        raise NotImplementedError

    def error_in(self, answer: str, prompt: re.Match[str]) -> str | None:
        """Give the error in an answer (log messages are taken out already), or None."""
        raise NotImplementedError

    def canonical_port(self, port: str) -> str:
        """Give the one name of a port that its switch may know by several.

        Two registered names with the same canonical name are the same port, which must never have
        two nics behind it. Raises ValueError, with a sentence, for a name that could be several.
        """
        return port

    def set_port(self, port: str, config: PortConfig, options: Options) -> list[str]:
        """Give the lines that make a port carry exactly this; parked: shut, and nothing."""
        raise NotImplementedError

    def set_vlan(self, vlan: int, present: bool, options: Options) -> list[str]:
        """Give the lines that make or remove a VLAN (none if VLANs need no making)."""
        raise NotImplementedError

    def saved(self, answer: str) -> bool:
        """Whether the switch said that it saved its configuration."""
        raise NotImplementedError

    # --- reading back ---

    def read_ports(self, ports: Sequence[str], options: Options) -> list[str]:
        """Give the lines that show what these ports carry."""
        raise NotImplementedError

    def parse_ports(self, ports: Sequence[str], answers: Sequence[str]) -> dict[str, PortConfig]:
        """Read what the ports carry from the answers; a port that is not in them is left out."""
        raise NotImplementedError

    def read_vlans(self, options: Options) -> list[str]:
        """Give the lines that show which VLANs exist."""
        raise NotImplementedError

    def parse_vlans(self, answers: Sequence[str]) -> frozenset[int]:
        """Read which VLANs exist from the answers."""
        raise NotImplementedError
