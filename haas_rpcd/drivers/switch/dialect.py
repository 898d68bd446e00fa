"""What a dialect is: how one family of switches is talked to. Declarative, and without I/O.

A dialect is one small module in :mod:`haas_rpcd.drivers.switch.dialects`, or one file in the folder
``[switches] dialects`` of haas.toml. It says what prompts look like, which lines set a port
absolutely, what an error looks like, and how to read back what was set.

The one rule for its lines, from design.md section 5: after *each* line a port carries nothing that
neither its old nor its new configuration has. Lines are sent ahead of their answers, so the rule
must hold as well when a line is refused and the next few are carried out all the same. Two means:

* :meth:`Dialect.port_stages` gives a port's lines in *stages*. A stage is begun only once every
  line of the one before was accepted, on all ports that are set together. What opens a port, or
  makes it carry what earlier lines prepared, is a stage of its own.
* A block of lines in a context (``interface …``) is left again before the next is entered
  (:attr:`Dialect.leave_port`), so when entering is refused the lines meant for inside are refused
  as well, and don't fall on the port before.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

from haas_rpcd.drivers.switch import portnames
from haas_rpcd.drivers.switch.script import Block, Line, Stage, script
from haas_rpcd.model import PARKED, PortConfig, SetPort, SetVlan, Uptime

Options = Mapping[str, Any]

COMMON_OPTIONS = frozenset({"window", "ranges"})
"""Options of every dialect: ``window`` (lines sent ahead; 1 for a switch that loses what is typed
ahead) and ``ranges`` (false for a model without ``interface range``)."""


class PortState(NamedTuple):
    """What a switch says of a port: what it is set to carry, and whether it is open (not shut)."""

    config: PortConfig
    open: bool = True
    in_managed_form: bool = True
    """False if the port uses a mode that we never configure (hybrid, general, routed). The driver
    then treats its current configuration as unknown."""

    @property
    def carries(self) -> PortConfig:
        """What the port really carries: a shut port carries nothing."""
        return self.config if self.open else PARKED


class Identity(NamedTuple):
    """What a switch says it is; empty where it does not say."""

    model: str = ""
    version: str = ""


def at_end(pattern: str, *, ignore_case: bool = True) -> re.Pattern[str]:
    """Compile a pattern that must stand as a line of its own at the very end of what came in."""
    return re.compile(rf"(?:(?<=\n)|(?<=\r)|\A)(?:{pattern})\Z", re.I if ignore_case else 0)


def at_start(pattern: str) -> re.Pattern[str]:
    """Compile a pattern that must stand at the beginning of a line, or where a page was turned."""
    return re.compile(rf"(?:(?<=[\n\r\f\x08])|\A)(?:{pattern})")


class Dialect:
    """The base of all dialects, with what most of them have in common.

    To write one, give ``name``, ``title``, the texts that differ from those here, and the methods
    that raise NotImplementedError. ``cisco_ios`` is an example with contexts and ranges,
    ``linux_bridge`` one in which each line stands alone.
    """

    name: ClassVar[str]
    title: ClassVar[str] = ""
    """The family's name for people, e.g. ``Cisco IOS (Catalyst)``."""

    options: ClassVar[frozenset[str]] = frozenset()
    """The options that a switch of this dialect may be registered with, besides the common ones."""

    declares_vlans: ClassVar[bool] = True
    """Whether a VLAN has to be made before a port can carry it."""

    trunks_need_vlans: ClassVar[bool] = False
    """Whether a trunk port can be put only on VLANs that exist, and forgets one that is removed.

    The master's trunk carries the whole pool, so on such a switch all of it has to exist for good:
    VLANs that are not there are made when a port is to carry them, and none is removed."""

    saves: ClassVar[bool] = True
    """Whether the running configuration has to be saved to outlive a restart."""

    window: ClassVar[int] = 16
    """Lines that may be sent ahead of their answers."""

    echoes: ClassVar[bool] = True
    """Whether the switch writes back what is typed. An answer then begins behind its line's echo,
    and a prompt counts only with the next line's echo behind it, or nothing."""

    # --- prompts ---

    host: ClassVar[str] = r"[^\s#>()\[\]]+"
    """A regular expression for a host name in a prompt."""

    prompt: ClassVar[str] = r"HOST(?:\([^()\r\n]*\))?[>#] ?"
    """A regular expression for the prompts of all modes, with ``HOST`` for the host's name."""

    host_chars: ClassVar[int] = 16
    """Characters of the host's name that every prompt shows; some families shorten it in front of
    a mode's name."""

    configuring: ClassVar[re.Pattern[str] | None] = re.compile(r"\(config[^()]*\)#")
    """What is in the prompt while in configuration mode; None where there is no such mode."""

    # --- logging in ---
    username: re.Pattern[str] = at_end(
        r"(?![^\r\n]*last login)[^\r\n]*(?:username|login|user name|user): *"
    )
    password: re.Pattern[str] = at_end(r"[^\r\n]*password[^\r\n:]*: *")
    login_failed: re.Pattern[str] = re.compile(
        r"(?:% ?(?:login invalid|bad passwords?|authentication failed|access denied|"
        r"password required)|(?:login incorrect|authentication failed|invalid login|"
        r"login failed|user authentication failed)\b)[^\r\n]*(?=[\r\n])",
        re.I,
    )
    no_free_session: re.Pattern[str] = re.compile(
        r"[^\r\n]*(?:(?:all|no) [^\r\n]{0,40}(?:lines|ttys|vtys|sessions|connections) "
        r"[^\r\n]{0,20}(?:in use|busy|available|free|taken)|too many (?:users|sessions|connections|"
        r"logins)|(?:maximum|max)\.? (?:number|limit|no\.?)?[^\r\n]{0,30}"
        r"(?:sessions|users|connections)[^\r\n]{0,20}(?:reached|exceeded|logged))[^\r\n]*",
        re.I,
    )
    """The message when all sessions are in use; the switch then closes the connection."""

    press_key: re.Pattern[str] | None = at_end(r"[^\r\n]*press (?:any key|return|enter)[^\r\n]*")
    enable: str | None = None
    enable_failed: re.Pattern[str] | None = None
    setup: tuple[str, ...] = ()
    """Lines after the login: paging off, a wide terminal. One that is refused is no error: some
    models of a family lack it, and pages are turned for them."""

    logout: tuple[str, ...] = ("exit",)

    # --- answers ---
    pager: re.Pattern[str] | None = at_end(
        r"[\x08 ]*(?:<?-+ ?\(?more\)?[^\r\n]{0,80}|more: <space>[^\r\n]{0,60}|"
        r"press any key to continue[^\r\n]{0,40})[\x08 ]*"
    )
    question: re.Pattern[str] | None = at_end(
        r"[^\r\n]*(?:\[confirm\]|[\[(]y(?:es)?/no?[\])][^\r\n]{0,8}|filename \[[^\]]*\]\? ?)"
    )
    errors: ClassVar[tuple[str, ...]] = ()
    """Regular expressions for the beginning of lines that are errors (case is ignored)."""

    benign: ClassVar[tuple[str, ...]] = ()
    """Those for lines that look like an error and are none."""

    busy: ClassVar[re.Pattern[str] | None] = None
    """Errors that pass by themselves: somebody else holds the configuration."""

    # --- configuring ---
    enter_config: tuple[str, ...] = ()
    leave_config: tuple[str, ...] = ()
    commit: tuple[str, ...] = ()
    """Lines that make what was typed take effect, in families where lines alone do not."""

    abort: tuple[str, ...] = ()
    """Lines that drop what was typed and not committed."""

    save: tuple[str, ...] = ()
    leave_port: ClassVar[str] = ""
    """The line that leaves a port's context."""

    max_ranges: ClassVar[int] = 0
    """Runs of ports that one ``interface range`` takes; 0: each port is entered by itself."""

    max_list_length: int = 180
    """Characters of a VLAN list on one line."""

    needs_current_config: ClassVar[bool] = False
    """True if the commands depend on the port's current VLANs, which are removed by name."""

    parked_config: ClassVar[PortConfig] = PARKED
    """Configuration left on a parked (shut) port. Most families leave none; those that always keep
    one VLAN keep the default VLAN."""

    # --- reading ---
    show_version: tuple[str, ...] = ()
    model: ClassVar[re.Pattern[str] | None] = None
    """Finds the model in the answer to :attr:`show_version`: its first group."""

    version: ClassVar[re.Pattern[str] | None] = None
    show_uptime: str = ""
    """The line whose answer says how long the switch has been up; empty: it can't be asked."""

    uptime: ClassVar[re.Pattern[str]] = re.compile(r"up ?time(?: is|:)?\s*:? *([^\r\n]+)", re.I)
    """Finds the text of that time: its first group; see :func:`parse_duration`."""

    # --- dialogue ---------------------------------------------------------------------------------

    def unprivileged(self, prompt: str) -> bool:
        """Whether the prompt is that of a mode in which nothing can be configured."""
        return prompt.endswith(">")

    @property
    def any_prompt(self) -> re.Pattern[str]:
        """The prompt of any switch of this family, at the end of what came in."""
        return at_end(self.prompt.replace("HOST", self.host), ignore_case=False)

    def own_prompt(self, prompt: str) -> re.Pattern[str]:
        """Give the pattern of this very switch's prompts, in all modes, at the start of a line."""
        found = re.search(self.prompt.replace("HOST", f"(?P<host>{self.host})"), prompt)
        host = found["host"] if found else prompt.rstrip("#>$% ")
        shown = re.escape(host[: self.host_chars])
        more = r"[^\s#>()\[\]]*" if len(host) > self.host_chars else ""
        return at_start(self.prompt.replace("HOST", shown + more))

    def reply(self, question: str) -> str:
        """Give what is typed at a question that the switch asks in the middle of a command.

        By default the key ``y``; ``yes`` and Enter where words are asked for; or Enter alone, for
        a file name and for ``[confirm]``.
        """
        if re.search(r"yes/no", question, re.I):
            return "yes\r\n"
        return "y" if re.search(r"y/n", question, re.I) else "\r\n"

    def error_in(self, answer: str, prompt: re.Match[str]) -> str | None:
        """Give the error in an answer (echo and log messages are taken out already), or None.

        A line that :attr:`benign` knows is none; else one that begins as :attr:`errors` say is.
        """
        for line in answer.splitlines():
            text = line.strip()
            if text and self._is(text, self.errors) and not self._is(text, self.benign):
                return text
        return None

    @staticmethod
    def _is(text: str, patterns: tuple[str, ...]) -> bool:
        return bool(patterns) and _beginnings(patterns).match(text) is not None

    def saved(self, answer: str) -> bool:
        """Whether the switch said that it saved its configuration."""
        raise NotImplementedError

    # --- lines ------------------------------------------------------------------------------------

    def canonical_port(self, port: str) -> str:
        """Give the one name of a port that its switch may know by several.

        Two registered names with the same canonical name are the same port, which must never have
        two nics behind it. Raises ValueError, with a sentence, for a name that could be several.
        """
        return port

    def port_stages(self, config: PortConfig, options: Options) -> list[list[str]]:
        """Give the lines that make a port carry exactly this (parked: shut, and nothing).

        They are typed in the port's context, or in that of several ports that get the same. A stage
        is begun only once the one before was accepted on every port.
        """
        raise NotImplementedError

    def port_stages_from(
        self, now: PortConfig | None, config: PortConfig, options: Options
    ) -> list[list[str]]:
        """Give the lines for a port that is set to ``now`` (None: unknown).

        Families with :attr:`needs_current_config` override this; by default ``now`` is ignored.
        """
        return self.port_stages(config, options)

    def enter_ports(
        self, ports: Sequence[str], options: Options
    ) -> Iterator[tuple[tuple[str, ...], str]]:
        """Give the lines that enter the context of some ports, with the ports of each.

        As many ports at once as :attr:`max_ranges` has it; by :meth:`enter_range`.
        """
        if not self.max_ranges or options.get("ranges") is False:
            for port in ports:
                yield (port,), self.enter_port(port)
            return
        for runs in portnames.grouped(ports, self.max_ranges):
            named = tuple(name for run in runs for name in portnames.names(run))
            line = self.enter_port(named[0]) if len(named) == 1 else self.enter_range(runs)
            yield named, line

    def split_list(self, listed: str) -> list[str]:
        """Split a list of VLANs so that each row is no longer than :attr:`max_list_length`."""
        rows = [""]
        for part in listed.split(","):
            joined = f"{rows[-1]},{part}" if rows[-1] else part
            if len(joined) <= self.max_list_length:
                rows[-1] = joined
            else:
                rows.append(part)
        return rows

    def enter_port(self, port: str) -> str:
        """Give the line that enters the context of one port."""
        return f"interface {port}"

    def enter_range(self, runs: Sequence[portnames.Span]) -> str:
        """Give the line that enters the context of several ports."""
        parts = [
            f"{run.prefix}{run.first}-{run.last}"
            if run.last > run.first
            else portnames.names(run)[0]
            for run in runs
        ]
        return f"interface range {','.join(parts)}"

    def port_script(
        self, changes: Mapping[int, SetPort], options: Options, now: Mapping[str, PortConfig]
    ) -> list[Stage]:
        """Give the stages that set several ports; ``changes`` by their indexes.

        ``now`` is what the ports carry, where :attr:`needs_current_config` (and what they were last
        confirmed to carry, for a preview). Ports that get the same lines are set together.
        """
        stages: list[dict[tuple[str, ...], dict[str, int]]] = []
        for index, change in changes.items():
            wanted = self.port_stages_from(now.get(change.port), change.config, options)
            for at, lines in enumerate(wanted):
                if at == len(stages):
                    stages.append({})
                if lines:
                    stages[at].setdefault(tuple(lines), {})[change.port] = index
        return [
            self._port_blocks(stage, options) for stage in stages if stage
        ]  # a dict keeps the order in which its first key came

    def _port_blocks(
        self, stage: Mapping[tuple[str, ...], Mapping[str, int]], options: Options
    ) -> Stage:
        blocks = [
            Block(tuple(sorted(indexes[port] for port in ports)), lines, enter, self.leave_port)
            for lines, indexes in stage.items()
            for ports, enter in self.enter_ports(list(indexes), options)
        ]
        blocks.sort(key=lambda block: block.changes[-1])
        return blocks

    def vlan_lines(self, vlan: int, present: bool, options: Options) -> list[str]:
        """Give the lines that make or remove a VLAN (none if VLANs need no making).

        They begin and end outside any context.
        """
        raise NotImplementedError

    def vlan_script(self, changes: Mapping[int, SetVlan], options: Options) -> list[Stage]:
        """Give the stages that make and remove several VLANs; ``changes`` by their indexes."""
        blocks = [
            Block((index,), tuple(self.vlan_lines(change.vlan, change.present, options)))
            for index, change in changes.items()
        ]
        return [[block for block in blocks if block.lines]]

    def script(
        self,
        changes: Sequence[SetPort | SetVlan],
        options: Options,
        now: Mapping[str, PortConfig] | None = None,
    ) -> list[Line]:
        """Give the lines for several changes in their order, ports and VLANs each together."""
        ports = {i: change for i, change in enumerate(changes) if isinstance(change, SetPort)}
        vlans = {i: change for i, change in enumerate(changes) if isinstance(change, SetVlan)}
        stages = self.vlan_script(vlans, options) if vlans else []
        stages += self.port_script(ports, options, now or {}) if ports else []
        if self.commit and any(stages):
            stages.append([Block(tuple(range(len(changes))), self.commit)])
        return script(stage for stage in stages if stage)

    # --- reading back -----------------------------------------------------------------------------

    def read_ports(self, ports: Sequence[str], options: Options) -> list[str]:
        """Give the lines that show what these ports carry; of all ports, when ``ports`` is empty.

        One bulk read, where several ports are asked for.
        """
        raise NotImplementedError

    def parse_ports(self, answers: Sequence[str], options: Options) -> dict[str, PortState]:
        """Read what ports carry from the answers: all ports in them, by their canonical names."""
        raise NotImplementedError

    def read_vlans(self, options: Options) -> list[str]:
        """Give the lines that show which VLANs exist."""
        raise NotImplementedError

    def parse_vlans(self, answers: Sequence[str]) -> frozenset[int]:
        """Read which VLANs exist from the answers."""
        raise NotImplementedError

    def identity(self, answers: Sequence[str]) -> Identity:
        """Read model and version from the answers to :attr:`show_version`."""
        text = "\n".join(answers)
        found = [
            pattern.search(text) if pattern else None for pattern in (self.model, self.version)
        ]
        return Identity(*(match[1].strip() if match else "" for match in found))

    def parse_uptime(self, answer: str) -> Uptime | None:
        """Read the uptime; None if the answer has none."""
        found = self.uptime.search(answer)
        return parse_duration(found[1]) if found else None


@functools.cache
def _beginnings(patterns: tuple[str, ...]) -> re.Pattern[str]:
    """Compile alternatives into one: long answers are looked at line by line."""
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns), re.I)


_UNITS = {"y": 31_536_000, "w": 604_800, "d": 86_400, "h": 3600, "m": 60, "s": 1}


def parse_duration(text: str) -> Uptime | None:
    """Read a duration such as ``1 week, 2 days``, ``3d4h``, ``12:04:31`` or ``4 days, 3:04``.

    The resolution is the smallest unit in it. None if the text has no duration.
    """
    total, units = 0.0, set[int]()
    clock = re.search(r"\b(\d+):(\d\d)(?::(\d\d))?\b", text)
    if clock:
        hours, minutes, rest = clock.groups(default="0")
        total = int(hours) * 3600 + int(minutes) * 60 + int(rest)
        units.add(1 if clock[3] else 60)
    for match in re.finditer(
        r"(\d+(?:\.\d+)?) ?(year|y|week|wk|w|day|d|hour|hr|h|minute|min|m|second|sec|s)(?:s|\(s\))?"
        r"(?![a-z])",
        text,
        re.I,
    ):
        unit = _UNITS[match[2][0].lower()]
        total += float(match[1]) * unit
        units.add(unit)
    return Uptime(total, min(units)) if units else None
