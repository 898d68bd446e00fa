"""Reads a switch's configuration and state, by lines that change nothing."""

from __future__ import annotations

import contextlib
import itertools
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeVar

import msgspec

from haas_rpcd.drivers import SESSION_LOST
from haas_rpcd.drivers.switch.answers import quote, without_logs
from haas_rpcd.drivers.switch.cabling import Cabling
from haas_rpcd.drivers.switch.cablingread import CablingSession
from haas_rpcd.drivers.switch.channels import understand
from haas_rpcd.drivers.switch.dialect import Dialect
from haas_rpcd.drivers.switch.excerpts import excerpts
from haas_rpcd.drivers.switch.longtexts import beside
from haas_rpcd.drivers.switch.state import Identity, PortState
from haas_rpcd.drivers.switch.writer import Options
from haas_rpcd.errors import DeviceError
from haas_rpcd.model import PARKED, Channel, PortSeen, SetPort, SwitchChange
from haas_rpcd.registered import Probed, SwitchMarks, Uptime

log = logging.getLogger(__name__)

T = TypeVar("T")

Show = Callable[[Sequence[str]], Awaitable[list[str]]]
"""Sends lines that only show something and returns their answers. Raises DeviceError."""

_MOST_QUOTED = 4096
"""Characters of an answer that cannot be parsed, of which the first words are quoted."""

_MANY_VLANS = 4000
"""A port with at least this many VLANs admits all of them."""


def _possible(state: PortState) -> PortState:
    """Return the state of a port, not understood if it has a VLAN that no frame can name.

    (Open vSwitch has 0 for untagged frames, and 4095 on parked ports.)
    """
    config = state.config
    ends = (config.untagged, *config.tagged[:1], *config.tagged[-1:])
    wrong = next((vlan for vlan in ends if vlan is not None and not 0 <= vlan <= 4095), None)
    if wrong is None or state.not_understood is not None:
        return state
    return state._replace(not_understood=f"VLAN {wrong}")


_MOST_SAID, _LONGEST_SAID = 200, 300
"""Lines, and characters of each, that a probe passes on of what a switch says of itself. One that
prints a megabyte must not keep others waiting for that."""


class SwitchReader:
    """Reads through ``show``. All methods raise DeviceError."""

    def __init__(self, name: str, dialect: Dialect, options: Options, show: Show) -> None:
        self._name = name
        self._dialect = dialect
        self._options = options
        self._show = show
        self._tables: dict[str, str] = {}  # of VLANs, by their lines
        self._answers: list[str] = []  # of the ports that were asked for last
        self._channels: dict[str, Channel] = {}  # that HaaS makes, by canonical names of ports
        self.marks_at_hand = SwitchMarks()
        """The switch's marks, if the answer to something else had them."""

    async def ports(self, ports: Sequence[str]) -> dict[str, PortState]:
        """Return the state of some ports, by the names asked for.

        If the switch refuses to show them together, each is read by itself: a port that does not
        exist must not hide the others. If it refuses to show a single one, all ports together tell
        whether it exists.
        """
        self._answers = []
        try:
            return await self._ports(ports)
        except DeviceError as error:
            if error.reason != "refused":
                raise
        if len(ports) == 1:
            return self._named(ports, await self._parsed_ports(()))
        found: dict[str, PortState] = {}
        for port in ports:
            try:
                found |= await self._ports([port])
            except DeviceError as error:
                if error.reason != "refused":
                    raise
        return found

    def note_channels(self, changes: Sequence[SwitchChange]) -> None:
        """Note which ports HaaS may have made members of channels: only those are understood."""
        for change in changes:
            if isinstance(change, SetPort) and self._dialect.channels is not None:
                port = self._dialect.canonical_port(change.port)
                if change.channel is None:
                    self._channels.pop(port, None)
                    continue
                joining = change.members if change.is_channel else (change.port,)
                if change.is_channel:
                    self._channels.pop(port, None)
                for member in map(self._dialect.canonical_port, joining):
                    self._channels[member] = change.channel

    async def before(self, changes: Sequence[SwitchChange]) -> dict[str, PortState]:
        """Return the state of ports that are to be set, if the lines depend on it.

        A channel that is to be removed is shut, and carries nothing, only if it does not exist.
        """
        needs = self._dialect.writer.needs_current
        ports = [
            change.port
            for change in changes
            if isinstance(change, SetPort)
            and (
                needs == "always"
                or change.is_channel
                or (needs == "joining" and not change.config.parked)
            )
        ]
        if self._dialect.channels is not None and self._dialect.channels.never_empty:
            channels = [one.channel for one in changes if isinstance(one, SetPort) and one.channel]
            ports = [*dict.fromkeys((*ports, *(channel.name for channel in channels)))]
        found = await self.ports(ports) if ports else {}
        for change in changes:
            if isinstance(change, SetPort) and change.is_channel and change.config.parked:
                there = found.get(change.port)
                found[change.port] = (
                    there._replace(open=True) if there else PortState(PARKED, open=False)
                )
        return found

    async def existing_vlans(self, changes: Sequence[SwitchChange]) -> frozenset[int]:
        """Return which VLANs exist, if some may have to be created for ports that are set."""
        joining = any(
            isinstance(change, SetPort) and not change.config.parked for change in changes
        )
        if not joining or not self._dialect.trunks_need_vlans:
            return frozenset()
        return await self.vlans()

    async def ports_in(
        self, ports: Sequence[str], lines: Sequence[str], answers: Sequence[str]
    ) -> dict[str, PortState]:
        """Return the state of some ports in the answers to other lines of the same form."""
        return self._named(ports, await self._read(lines, answers, self._port_states))

    async def _ports(self, ports: Sequence[str]) -> dict[str, PortState]:
        return self._named(ports, await self._parsed_ports(ports))

    def _named(self, ports: Sequence[str], found: Mapping[str, PortState]) -> dict[str, PortState]:
        named = {port: found.get(self._dialect.canonical_port(port)) for port in ports}
        return {port: state for port, state in named.items() if state is not None}

    def said_of(self, ports: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """Return the lines about some ports in what :meth:`ports` read last."""
        return excerpts(self._answers, ports, self._dialect.canonical_port)

    async def vlans(self) -> frozenset[int]:
        """Return the ids of the VLANs that exist."""
        lines = self._dialect.reader.read_vlans(self._options)
        answers = await self._show(lines)
        self._tables = dict(zip(lines, answers, strict=True))
        return await self._read(lines, answers, self._dialect.reader.parse_vlans)

    async def cross_check(self, ports: Mapping[str, PortSeen]) -> dict[str, PortSeen]:
        """Compare what was seen of ports with the VLANs on which the switch really has them.

        Only open ports whose configuration is understood. A switch that refuses to show the table
        is believed. A table that was read after the ports is not read again.
        """
        witness = self._dialect.reader.witness
        if witness is None:
            return {**ports}
        answer = self._tables.get(witness.line)
        if answer is None:
            answer = await self._show_if_known(witness.line)

        def read(shown: Sequence[str]) -> dict[str, set[int]]:
            members: dict[str, set[int]] = {}
            for vlan, port in witness.read(shown[0]):
                with contextlib.suppress(ValueError):  # an ambiguous type, so no registered port
                    canonical = self._dialect.canonical_port(witness.written_out(port))
                    members.setdefault(canonical, set()).add(vlan)
            return members

        members = await self._read([witness.line], [answer], read)
        checked: dict[str, PortSeen] = {}
        for port, seen in ports.items():
            compared = seen.believed is not None and seen.open
            if compared and not (witness.only_access_ports and seen.config.tagged):
                there = members.get(self._dialect.canonical_port(port), set())
                extra = tuple(sorted(there - seen.config.vlans))
                seen = msgspec.structs.replace(seen, unconfigured=extra)
            checked[port] = seen
        return checked

    async def _parsed_ports(self, ports: Sequence[str]) -> dict[str, PortState]:
        self._tables = {}  # they are older
        lines = self._dialect.reader.read_ports(self._with_channels(ports), self._options)

        def parse(answers: Sequence[str]) -> dict[str, PortState]:
            if ports:
                self._answers += answers
            return self._port_states(answers)

        return await self._parsed(lines, parse)

    def _with_channels(self, ports: Sequence[str]) -> Sequence[str]:
        """Return ports; with members, also the channels that tell what these carry."""
        if self._dialect.channels is None or not self._dialect.channels.follow:
            return ports
        names = [
            self._channels[canonical].name
            for canonical in map(self._dialect.canonical_port, ports)
            if canonical in self._channels
        ]
        return [*dict.fromkeys((*ports, *names))]

    def _port_states(self, answers: Sequence[str]) -> dict[str, PortState]:
        def parse(options: Options) -> dict[str, PortState]:
            return self._dialect.reader.parse_ports(answers, options)

        if self._dialect.channels is not None and self._channels:
            found = understand(self._dialect.channels, self._channels, self._options, parse)
        else:
            found = parse(self._options)
        return {port: _possible(state) for port, state in found.items()}

    async def _parsed(self, lines: Sequence[str], parse: Callable[[list[str]], T]) -> T:
        """Send lines and parse their answers, without log messages.

        Raises DeviceError, also if an answer cannot be parsed.
        """
        return await self._read(lines, await self._show(lines), parse)

    async def _read(
        self, lines: Sequence[str], answers: Sequence[str], parse: Callable[[list[str]], T]
    ) -> T:
        """Parse the answers to lines, without log messages. Raises DeviceError ``unreadable``."""

        def parsed() -> T:
            return parse([without_logs(answer) for answer in answers])

        try:
            return await beside(sum(map(len, answers)), parsed)
        except Exception as error:
            log.exception("%s: the answer to %s cannot be parsed", self._name, "; ".join(lines))
            said = quote(without_logs(" ".join(answers)[:_MOST_QUOTED]))
            raise DeviceError(
                f"{self._name} answered  {'; '.join(lines)}  in a form that HaaS cannot read"
                f' ("{said}"): check that its dialect and release are the'
                " right ones.",
                reason="unreadable",
            ) from error

    async def probe(self, prompt: str) -> Probed:
        """Return the switch's identity, and what all of its ports carry."""
        answers = [
            await self._show_if_known(line) for line in self._dialect.about.lines(self._options)
        ]

        def told() -> tuple[Identity, list[str]]:
            lines = (line.strip() for answer in answers for line in answer.splitlines())
            first = itertools.islice((line[:_LONGEST_SAID] for line in lines if line), _MOST_SAID)
            return self._dialect.about.identity(answers), list(first)

        identity, said = await beside(sum(map(len, answers)), told)
        elsewhere = self._dialect.about.show_serial
        marks = await self.marks() if elsewhere else await self._marks_in(answers)
        found = {name: state.seen for name, state in (await self._parsed_ports(())).items()}
        ports = await self.cross_check(found)
        # A trunk that admits all VLANs, as a fresh port may, does not show which are in use.
        telling = (
            seen.config.vlans for seen in ports.values() if len(seen.config.vlans) < _MANY_VLANS
        )
        return Probed(
            prompt=prompt,
            model=identity.model,
            version=identity.version,
            said=said,
            ports=ports,
            vlans=(await self.vlans()).union(*telling),
            marks=marks,
        )

    async def cabling(self) -> Cabling:
        """Return the switch's LLDP neighbours and MAC table."""
        session = CablingSession(self._name, self._dialect, self._options, self._show, self._read)
        return await session.read()

    async def uptime(self) -> Uptime | None:
        """Return the uptime; None if the switch does not show it."""
        line = self._dialect.about.show_uptime
        if not line:
            return None
        answer = await self._show_if_known(line)
        if [line] == self._dialect.about.serial_lines(self._options):
            self.marks_at_hand = await self._marks_in([answer])
        return self._dialect.about.uptime(answer)

    async def marks(self) -> SwitchMarks:
        """Return the switch's serial numbers, or its base MAC."""
        about = self._dialect.about
        if about.serial is None and about.base_mac is None:
            return SwitchMarks()
        lines = about.serial_lines(self._options)
        return await self._marks_in([await self._show_if_known(line) for line in lines])

    async def _marks_in(self, answers: Sequence[str]) -> SwitchMarks:
        if self._options.get("identity") is False:
            return SwitchMarks()
        return await beside(sum(map(len, answers)), lambda: self._dialect.about.marks(answers))

    async def _show_if_known(self, line: str) -> str:
        """Return the answer to a line; "" if this model lacks it or the login may not use it."""
        try:
            [answer] = await self._show([line])
        except DeviceError as error:
            if error.reason in SESSION_LOST:
                raise
            return ""
        return answer
