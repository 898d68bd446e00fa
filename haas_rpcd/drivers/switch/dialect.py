"""The base class of dialects: how one family of switches is configured. Declarative, without I/O.

A dialect is a small module in :mod:`haas_rpcd.drivers.switch.dialects`, or a file in the folder
``[switches] dialects`` of haas.toml. It describes the prompts, the lines that set a port
absolutely, the error messages, and how to read the configuration back.

One rule binds every dialect: after *each* line, a port carries no VLAN that is in neither its old
nor its new configuration. Lines are sent ahead of their answers, so the rule must also hold if a
line is refused and the next few are still carried out. Two means achieve this:

* :meth:`Dialect.port_stages` returns a port's lines in *stages*. A stage starts only after every
  line of the previous stage was accepted, for all ports that are set together. A line that opens
  a port, or that activates what earlier lines prepared, is in a stage of its own.
* Each context (``interface …``) is left before the next one is entered
  (:attr:`Dialect.leave_port`). If entering is refused, the lines meant for the context are refused
  too, instead of changing the port before.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from haas_rpcd.drivers.switch import patterns, portnames
from haas_rpcd.drivers.switch.harmless import IGNORE
from haas_rpcd.drivers.switch.patterns import at_end, at_start
from haas_rpcd.drivers.switch.script import Block, Line, Stage, script
from haas_rpcd.drivers.switch.sessionlist import SessionList
from haas_rpcd.drivers.switch.state import Identity, PortState
from haas_rpcd.model import PARKED, PortConfig, SetPort, SetVlan, Uptime

Options = Mapping[str, Any]

COMMON_OPTIONS = frozenset({"window", "ranges", IGNORE})
"""Options of every dialect. ``window``: number of lines sent ahead (1 if the switch loses input
that is typed ahead). ``ranges``: false for a model without ``interface range``. ``ignore``: lines
of a port's configuration that are harmless; see :mod:`haas_rpcd.drivers.switch.harmless`."""

_CLOCK = re.compile(r"\d{1,2}:\d\d(?::\d\d)?")


class Dialect:
    """The base of all dialects, with defaults that suit most families.

    To write one, define ``name``, ``title``, the texts that differ from the defaults, and the
    methods that raise NotImplementedError. See ``cisco_ios`` for a family with contexts and port
    ranges, ``linux_bridge`` for one whose lines each stand alone.
    """

    name: ClassVar[str]
    title: ClassVar[str] = ""
    """The family's name for people, e.g. ``Cisco IOS (Catalyst)``."""

    options: ClassVar[frozenset[str]] = frozenset()
    """Options that a switch of this dialect may be registered with, besides the common ones."""

    declares_vlans: ClassVar[bool] = True
    """True if a VLAN must be created before a port can carry it."""

    reserved_vlans: ClassVar[frozenset[int]] = frozenset()
    """VLANs that the switch uses itself and nobody can create."""

    trunks_need_vlans: ClassVar[bool] = False
    """True if a trunk port accepts only existing VLANs, and forgets a VLAN that is removed.

    The master's trunk carries the whole pool. On such a switch every VLAN of the pool must
    therefore exist for good: missing ones are created when a port needs them, none is removed."""

    saves: ClassVar[bool] = True
    """True if the running configuration must be saved to survive a restart."""

    window: ClassVar[int] = 16
    """Number of lines that may be sent ahead of their answers."""

    echoes: ClassVar[bool] = True
    """True if the switch echoes its input. An answer then starts after the line's echo, and a
    prompt counts only if the next line's echo follows it, or nothing."""

    # --- prompts ---

    host: ClassVar[str] = r"(?:\([^\s#>()\[\]]*\))?[^\s#>()\[\]]+"
    """Regular expression for the host name in a prompt. (A host name that ends in parentheses, as
    in ``27N2(2960_PoE)>``, looks like one with a mode, which does no harm.)"""

    prompt: ClassVar[str] = r"HOST(?:\([^()\r\n]*\)[^\s#>()\[\]]*)*[>#] ?"
    """Regular expression for the prompts of all modes; ``HOST`` stands for the host name."""

    host_chars: ClassVar[int] = 16
    """Characters of the host name that every prompt shows. Some families shorten the name to make
    room for the mode."""

    configuring: ClassVar[re.Pattern[str] | None] = re.compile(r"\(config[^()]*\)#")
    """Matches the prompts of configuration mode; None if there is no such mode."""

    # --- logging in ---
    username: re.Pattern[str] = patterns.USERNAME
    password: re.Pattern[str] = patterns.PASSWORD
    login_failed: re.Pattern[str] = patterns.LOGIN_FAILED
    """A refusal. It counts after a password was sent, unless a prompt follows: a message of the
    day may warn of ``Invalid login attempts``."""

    new_password: re.Pattern[str] = patterns.NEW_PASSWORD
    password_expired: re.Pattern[str] = patterns.PASSWORD_EXPIRED
    no_free_session: re.Pattern[str] = patterns.NO_FREE_SESSION
    """The message when all sessions are in use. It counts unless the switch asks for a login: a
    banner may mention ``too many sessions``."""

    press_key: re.Pattern[str] | None = patterns.PRESS_KEY
    enable: str | None = None
    enable_failed: re.Pattern[str] | None = None
    setup: tuple[str, ...] = ()
    """Lines sent after login: turn paging off, widen the terminal. A refusal is no error, because
    some models of a family lack the command; their pages are turned instead."""

    logout: tuple[str, ...] = ("exit",)

    # --- answers ---
    pager: re.Pattern[str] | None = patterns.PAGER
    question: re.Pattern[str] | None = patterns.QUESTION
    errors: ClassVar[tuple[str, ...]] = ()
    """Regular expressions for the start of error lines (case is ignored)."""

    benign: ClassVar[tuple[str, ...]] = ()
    """Regular expressions for the start of lines that match :attr:`errors` but are harmless."""

    optional_lines: ClassVar[frozenset[str]] = frozenset()
    """Lines that remove what only some models have. A model that does not know such a line has
    nothing to remove, so :attr:`unknown_command` is no error there."""

    unknown_command: ClassVar[re.Pattern[str]] = re.compile(
        r"%?\s*(?:invalid (?:input|command)|unrecognized command)", re.I
    )
    """The beginning of the error of a line that the model does not know."""

    busy: ClassVar[re.Pattern[str] | None] = None
    """Errors that go away by themselves: another session holds the configuration lock."""

    # --- configuring ---
    enter_config: tuple[str, ...] = ()
    leave_config: tuple[str, ...] = ()
    commit: tuple[str, ...] = ()
    """Lines that activate the typed configuration, in families that need a commit."""

    abort: tuple[str, ...] = ()
    """Lines that discard what was typed but not committed."""

    save: tuple[str, ...] = ()
    leave_port: ClassVar[str] = ""
    """The line that leaves a port's context."""

    max_ranges: ClassVar[int] = 0
    """Spans of ports that one ``interface range`` takes; 0: each port is entered by itself."""

    max_list_length: int = 180
    """Maximum characters of a VLAN list on one line."""

    needs_current_config: ClassVar[bool] = False
    """True if the commands depend on the port's current VLANs, which are removed by name."""

    parked_config: ClassVar[PortConfig] = PARKED
    """Configuration left on a parked (shut) port. Most families leave none; those that always keep
    one VLAN keep the default VLAN."""

    # --- reading ---
    harmless: ClassVar[tuple[str, ...]] = ()
    """Regular expressions for the beginnings of lines that change nothing of what a port carries;
    see :mod:`haas_rpcd.drivers.switch.harmless`."""

    show_version: tuple[str, ...] = ()
    """Lines that show model and version. A model that refuses one of them can be probed, too."""

    model: ClassVar[re.Pattern[str] | None] = None
    """Its first group is the model in the answer to :attr:`show_version`."""

    version: ClassVar[re.Pattern[str] | None] = None
    show_uptime: str = ""
    """The line whose answer contains the uptime; empty if the family does not show it."""

    sessions: ClassVar[SessionList | None] = None
    """How the switch lists its sessions; None if that is not known."""

    numbered_ports: ClassVar[bool] = True
    """False if ports may have any name, such as ``uplink``."""

    uptime: ClassVar[re.Pattern[str]] = patterns.UPTIME
    """Its first group is the uptime's text, as :func:`patterns.parse_duration` reads it."""

    # --- dialogue ---------------------------------------------------------------------------------

    def unprivileged(self, prompt: str) -> bool:
        """Return whether the prompt belongs to a mode in which nothing can be configured."""
        return prompt.endswith(">")

    @property
    def any_prompt(self) -> re.Pattern[str]:
        """The prompt of any switch of this family, at the end of the output."""
        return at_end(self.prompt.replace("HOST", self.host), ignore_case=False)

    def own_prompt(self, prompt: str) -> re.Pattern[str]:
        """Return a pattern for the prompts of the switch that shows this one, in all modes."""
        found = re.search(self.prompt.replace("HOST", f"(?P<host>{self.host})"), prompt)
        host = found["host"] if found else prompt.rstrip("#>$% ")
        fixed = _CLOCK.split(host)
        if len(fixed) > 1:  # a clock is part of the prompt (EOS: ``prompt %H.%D{%T}%v%P``)
            shown = r"[\d:]+".join(map(re.escape, fixed))
        else:
            shown = re.escape(host[: self.host_chars])
        more = r"[^\s#>()\[\]]*" if len(host) > self.host_chars else ""
        return at_start(self.prompt.replace("HOST", shown + more))

    def reply(self, question: str) -> str:
        """Return the input for a question that the switch asks in the middle of a command.

        By default: ``yes`` and Enter if it asks for a word, the key ``y`` if it asks for a key, and
        Enter alone for a file name or ``[confirm]``.
        """
        if re.search(r"yes/no", question, re.I):
            return "yes\r\n"
        return "y" if re.search(r"y/n", question, re.I) else "\r\n"

    def error_in(self, answer: str, prompt: re.Match[str]) -> str | None:
        """Return the error in an answer without echo and log messages, or None.

        It is the first line that starts like one of :attr:`errors` and none of :attr:`benign`.
        """
        if not self.errors:
            return None
        for match in _line_like(self.errors).finditer(answer):
            if not self.starts_like(self.benign, text := match[0].strip()):
                return text
        return None

    def is_error(self, line: str, error: str) -> bool:
        """Return whether an error that answers ``line`` is one; see :attr:`optional_lines`."""
        return line not in self.optional_lines or not self.unknown_command.match(error)

    @staticmethod
    def starts_like(expressions: tuple[str, ...], text: str) -> bool:
        """Return whether the text starts with a match of one of the expressions."""
        return bool(expressions and text) and _any_of(expressions).match(text) is not None

    def saved(self, answer: str) -> bool:
        """Return whether the answer to :attr:`save` confirms that the configuration was saved."""
        raise NotImplementedError

    # --- lines ------------------------------------------------------------------------------------

    def canonical_port(self, port: str) -> str:
        """Return the canonical name of a port that its switch accepts under several names.

        Two registered names with one canonical name are the same port, which must never have two
        nics behind it. Raises ValueError, with a sentence, for an ambiguous name.
        """
        return port

    def port_stages(self, config: PortConfig, options: Options) -> list[list[str]]:
        """Return the lines that make a port carry exactly this (parked: shut, and nothing).

        They are typed in the context of the port, or of several ports that get the same lines. A
        stage starts only after the previous one was accepted on every port.
        """
        raise NotImplementedError

    def port_stages_from(
        self, current: PortConfig | None, config: PortConfig, options: Options
    ) -> list[list[str]]:
        """Return the lines for a port whose configuration is ``current`` (None: unknown).

        Families with :attr:`needs_current_config` override this; by default it is ignored.
        """
        return self.port_stages(config, options)

    def enter_ports(
        self, ports: Sequence[str], options: Options
    ) -> Iterator[tuple[tuple[str, ...], str]]:
        """Yield groups of ports, each with the line that enters their common context.

        A group is as large as :attr:`max_ranges` allows.
        """
        if not self.max_ranges or options.get("ranges") is False:
            for port in ports:
                yield (port,), self.enter_port(port)
            return
        for spans in portnames.grouped(ports, self.max_ranges):
            named = tuple(name for span in spans for name in span.names)
            line = self.enter_port(named[0]) if len(named) == 1 else self.enter_range(spans)
            yield named, line

    def enter_port(self, port: str) -> str:
        """Return the line that enters the context of one port."""
        return f"interface {port}"

    def enter_range(self, spans: Sequence[portnames.Span]) -> str:
        """Return the line that enters the context of several ports."""
        return f"interface range {portnames.joined(spans)}"

    def split_list(self, listed: str) -> list[str]:
        """Split a comma-separated VLAN list into rows of :attr:`max_list_length` at most."""
        rows = [""]
        for part in listed.split(","):
            joined = f"{rows[-1]},{part}" if rows[-1] else part
            if len(joined) <= self.max_list_length:
                rows[-1] = joined
            else:
                rows.append(part)
        return rows

    def port_script(
        self, changes: Mapping[int, SetPort], options: Options, current: Mapping[str, PortConfig]
    ) -> list[Stage]:
        """Return the stages that set several ports; the keys of ``changes`` are their indexes.

        ``current`` has the ports' configurations if :attr:`needs_current_config` (for a preview:
        those last confirmed). Ports that get the same lines are set together.
        """
        stages: list[dict[tuple[str, ...], dict[str, int]]] = []
        for index, change in changes.items():
            wanted = self.port_stages_from(current.get(change.port), change.config, options)
            for at, lines in enumerate(wanted):
                if at == len(stages):
                    stages.append({})
                if lines:
                    stages[at].setdefault(tuple(lines), {})[change.port] = index
        return [self._port_blocks(stage, options) for stage in stages if stage]

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
        """Return the lines that create or remove a VLAN (none if VLANs need no creation).

        They start and end outside any context.
        """
        raise NotImplementedError

    def vlan_script(self, changes: Mapping[int, SetVlan], options: Options) -> list[Stage]:
        """Return the stages that create and remove VLANs; the keys are the changes' indexes."""
        blocks = [
            Block((index,), tuple(self.vlan_lines(change.vlan, change.present, options)))
            for index, change in changes.items()
        ]
        return [[block for block in blocks if block.lines]]

    def script(
        self,
        changes: Sequence[SetPort | SetVlan],
        options: Options,
        current: Mapping[str, PortConfig] | None = None,
    ) -> list[Line]:
        """Return the lines for several changes: first all VLANs, then all ports."""
        ports = {i: change for i, change in enumerate(changes) if isinstance(change, SetPort)}
        vlans = {i: change for i, change in enumerate(changes) if isinstance(change, SetVlan)}
        stages = self.vlan_script(vlans, options) if vlans else []
        stages += self.port_script(ports, options, current or {}) if ports else []
        if self.commit and any(stages):
            stages.append([Block(tuple(range(len(changes))), self.commit)])
        return script(stage for stage in stages if stage)

    # --- reading back -----------------------------------------------------------------------------

    def read_ports(self, ports: Sequence[str], options: Options) -> list[str]:
        """Return the lines that show the configuration of these ports, or of all if none is given.

        Several ports are read in one bulk read.
        """
        raise NotImplementedError

    def parse_ports(self, answers: Sequence[str], options: Options) -> dict[str, PortState]:
        """Return the state of every port in the answers, by canonical name."""
        raise NotImplementedError

    def read_vlans(self, options: Options) -> list[str]:
        """Return the lines that show which VLANs exist."""
        raise NotImplementedError

    def parse_vlans(self, answers: Sequence[str]) -> frozenset[int]:
        """Return the ids of the VLANs that exist."""
        raise NotImplementedError

    def identity_lines(self, options: Options) -> list[str]:
        """Return the lines whose answers tell model and version. The switch may refuse them."""
        return list(self.show_version)

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
        return patterns.parse_duration(found[1]) if found else None


@functools.cache
def _any_of(expressions: tuple[str, ...]) -> re.Pattern[str]:
    """Compile the expressions into one pattern: long answers are searched line by line."""
    return re.compile("|".join(f"(?:{expression})" for expression in expressions), re.I)


@functools.cache
def _line_like(expressions: tuple[str, ...]) -> re.Pattern[str]:
    """Compile the expressions into one pattern for whole lines: answers may have many."""
    return re.compile(rf"^[^\S\n]*(?:{_any_of(expressions).pattern})[^\n]*", re.I | re.M)
