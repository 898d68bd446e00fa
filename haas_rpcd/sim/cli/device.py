"""`Device`: what all simulated devices have, with a command line or a shell."""

from __future__ import annotations

import asyncio
import re
import time
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any, ClassVar, Generic, Self, TypeVar, Unpack

from haas_rpcd.sim.cli.config import Config
from haas_rpcd.sim.cli.options import Access, Options
from haas_rpcd.sim.cli.plugging import Announced, Heard, Plugged
from haas_rpcd.sim.cli.records import Carried, Counters, Faults, HistoryEntry, LineRecord
from haas_rpcd.sim.cli.telnet import GREETING, TelnetWire
from haas_rpcd.sim.cli.wire import Conversation, Wire

C = TypeVar("C", bound=Config)


class Device(ABC, Generic[C]):
    """A simulated device: it listens for connections, keeps records, and its ports carry VLANs.

    ``ports``: the full names of its ports, such as `port_names` makes. The rest: `Options`.
    ``running`` and ``startup`` are its configurations; ``faults`` can be changed at any time.
    Use it as an async context manager, or call `start` and `stop`.
    """

    dialect: ClassVar[str] = ""
    """The name of HaaS's dialect for such a device."""

    telnet_greeting: ClassVar[bytes] = GREETING
    full_text: ClassVar[str] = ""
    """Sent when all VTYs are taken, line ends included; "": the connection is reset."""

    max_vtys: ClassVar[int] = 16

    def __init__(self, hostname: str, *, ports: Sequence[str], **options: Unpack[Options]) -> None:
        if unknown := options.keys() - Options.__annotations__.keys():
            raise TypeError(f"no such option: {', '.join(sorted(unknown))}")
        self.access = Access.of(options)
        self.port_list = tuple(ports)
        self.motd = options.get("motd", "")
        self.faults = Faults(
            line_delay=options.get("line_delay", 0.0), round_trip=options.get("round_trip", 0.0)
        )
        self.counters = Counters()
        self.lines: list[LineRecord] = []
        self.keeps_history = options.get("history", False)
        self.history: list[HistoryEntry] = []
        self.on_change = options.get("on_change")
        self.sessions: list[Conversation] = []  # the open ones, oldest first
        self.unplugged: set[str] = set()  # ports without a link
        self.plugged: dict[str, Plugged] = {}
        """What is plugged into ports. In the others is a cable behind which nobody speaks."""

        self.lldp = True
        """Whether LLDP runs; no command changes that here."""

        self.assigned: dict[str, int] = {}
        """VLANs that a RADIUS server assigned to ports; no configuration shows them."""
        self.port = 0  # its telnet port; 0 before `start`
        self.ssh_port = 0  # its SSH port
        self.host_key = ""  # its SSH host key in known_hosts format, set by `start`
        self._vtys = options.get("vtys", self.max_vtys)
        self._keep_lines = options.get("keep_lines")
        self._reload_time = options.get("reload_time", 0.0)
        self._listens = (options.get("telnet", True), options.get("ssh", False))
        self._down_until = -float("inf")
        self.booted = time.monotonic()
        self.serial = f"{zlib.crc32(hostname.encode()):08X}"
        """Eight hexadecimal digits of which its serial number and its MAC address are made."""
        self._touched: set[str] = set()
        self._servers: list[Any] = []
        self._open = False
        self.running: C = self.factory(hostname)
        self.startup: C | None = self.running.copy()
        self._seen = {name: (Carried(), False) for name in ports}
        self.touch(*ports)
        self._compare()

    # --- for vendors to override

    @classmethod
    @abstractmethod
    def port_names(cls, count: int) -> list[str]:
        """Return full names of ``count`` ports, as the vendor numbers them."""

    @classmethod
    def full_port(cls, typed: str) -> str:
        """Return the full form of a port's name. Raises ValueError if it can't be one."""
        return typed

    @abstractmethod
    def factory(self, hostname: str) -> C:
        """Return the factory configuration; also used by a reload without a saved one."""

    @abstractmethod
    def make_session(self, wire: Wire) -> Conversation:
        """Make the session of a new connection."""

    def restored(self, saved: C) -> C:
        """Return what runs after a reload, given a copy of the startup configuration."""
        return saved

    # --- its life

    @property
    def is_up(self) -> bool:
        """Whether it answers at all."""
        down = time.monotonic() < self._down_until
        return self._open and not down and not self.faults.refuse_connections

    async def start(self, host: str = "127.0.0.1", port: int = 0, ssh_port: int = 0) -> int:
        """Listen; return the port (telnet's if it has both). Raises OSError if it is taken."""
        self._open = True  # before listening, because a client may connect at once
        telnet, ssh = self._listens
        if ssh:
            from haas_rpcd.sim.cli.ssh import listen  # imported late because it takes a while

            acceptor, self.host_key = await listen(self, host, ssh_port)
            self._servers.append(acceptor)
            self.ssh_port = int(acceptor.get_port())
        if telnet:
            loop = asyncio.get_running_loop()
            server = await loop.create_server(lambda: TelnetWire(self), host, port, backlog=128)
            self._servers.append(server)
            self.port = int(server.sockets[0].getsockname()[1])
        return self.port or self.ssh_port

    async def stop(self) -> None:
        """Stop listening, cut all sessions and wait for their end. May be called twice."""
        self._open = False
        servers, self._servers = self._servers, []
        for server in servers:
            server.close()
        waiting = [session.closed for session in self.sessions]
        for session in list(self.sessions):
            session.cut()
        for closed in waiting:
            await closed
        for server in servers:
            await server.wait_closed()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    # --- for tests, benchmarks and the lab

    def carried(self, port: str) -> Carried:
        """Return what a port carries now, given its full name. Raises KeyError."""
        if port in self.assigned and not self.is_shut(port):
            return Carried(self.assigned[port])
        return self.running.carried(port)

    def is_on(self, port: str, vlan: int, configured: bool) -> bool:
        """Return whether a port is on a VLAN, if its configuration puts it there or not."""
        return self.assigned[port] == vlan if port in self.assigned else configured

    def is_shut(self, port: str) -> bool:
        """Return whether a port is shut down by configuration. Raises KeyError."""
        return self.running.is_shut(port)

    def plug(self, port: str, plugged: bool | Plugged = True) -> None:
        """Plug something into a port, or unplug it: tables then show that it has no link.

        This does not change what the port carries. A new switch has cables in all ports. Raises
        KeyError for an unknown port.
        """
        self.running.ports[port]
        (self.unplugged.discard if plugged else self.unplugged.add)(port)
        self.plugged.pop(port, None)
        if isinstance(plugged, Plugged):
            self.plugged[port] = plugged

    def swap(self, one: str, other: str) -> None:
        """Exchange the cables of two ports. Raises KeyError if there is nothing in one of them."""
        first, second = self.plugged[one], self.plugged[other]
        self.plug(one, second)
        self.plug(other, first)

    def power(self, port: str, on: bool) -> None:
        """Switch what is plugged into a port on or off. Raises KeyError."""
        self.plugged[port] = replace(self.plugged[port], on=on)

    def heard(self) -> Iterator[Heard]:
        """Yield the dynamic lines of the MAC table: only of ports that are open, on their VLANs."""
        for port, plugged in self._speaking():
            carried = self.carried(port)
            for mac in plugged.macs if carried.untagged is not None else ():
                yield Heard(port, carried.untagged or 0, mac)
            for vlan, mac in plugged.tagged:
                if vlan in carried.tagged:
                    yield Heard(port, vlan, mac)

    def neighbours(self) -> Iterator[tuple[str, Announced]]:
        """Yield what is announced on open ports; nothing while LLDP does not run."""
        for port, plugged in self._speaking() if self.lldp else ():
            yield from ((port, announced) for announced in plugged.lldp)

    def _speaking(self) -> Iterator[tuple[str, Plugged]]:
        for port in self.port_list:
            plugged = self.plugged.get(port)
            if plugged is not None and plugged.on and not self.is_shut(port):
                yield port, plugged

    def announce(self, text: str) -> None:
        """Write a text into every open session at once, whatever it is doing."""
        for session in list(self.sessions):
            session.log(text)

    def finish_hung(self) -> None:
        """Let the sessions that hang go on: see `Faults.hang_at`."""
        for session in list(self.sessions):
            if session.hung:
                session.finish()

    @property
    def modified(self) -> bool:
        """Whether the running configuration differs from the saved one."""
        return self.running != self.startup

    def reload(self) -> None:
        """Restart from the saved configuration, as after a power cut. Cuts all sessions."""
        saved = self.startup.copy() if self.startup is not None else self.factory("")
        self.counters.reloads += 1
        self.booted = time.monotonic()
        self._down_until = self.booted + self._reload_time
        for session in list(self.sessions):
            session.clear()
        self.adopt(self.restored(saved))
        self.settle()

    # --- for vendors

    def adopt(self, config: C) -> None:
        """Replace the running configuration, as a reload or a commit does."""
        self.running = config
        self.touch(*self.port_list)

    def save(self) -> bool:
        """Copy the running configuration over the startup one; False if a fault prevents it.

        The device then prints `save_error`.
        """
        if self.faults.save_error is not None:
            self.counters.failed_saves += 1
            return False
        self.startup = self.running.copy()
        self.counters.saves += 1
        return True

    @property
    def save_error(self) -> list[str]:
        """The lines that it prints if saving failed."""
        return (self.faults.save_error or "").splitlines()

    def seconds_up(self) -> float:
        """Return for how many seconds it has been up."""
        return time.monotonic() - self.booted

    def allows(self, user: str, password: str) -> bool:
        """Check a login, and count it if it is wrong."""
        access = self.access
        good = (access.username is None or user == access.username) and (
            access.password is None or password == access.password
        )
        if not good:
            self.counters.failed_logins += 1
        return good

    # --- for sessions

    def has_room(self) -> bool:
        """Return whether it would accept a new connection."""
        return self.is_up and len(self.sessions) < self._vtys

    def admit(self, session: Conversation) -> bool:
        """Give a new session a VTY; False if the session must be refused."""
        taken = {other.line for other in self.sessions}
        free = next((line for line in range(self._vtys) if line not in taken), None)
        if free is None or not self.is_up:
            self.counters.refused += 1
            return False
        self.counters.connections += 1
        session.line, session.number = free, self.counters.connections
        self.sessions.append(session)
        return True

    def forget(self, session: Conversation) -> None:
        """Take a session's VTY back, unless it hangs."""
        if session in self.sessions and not session.hung:
            self.sessions.remove(session)

    def record(self, record: LineRecord) -> LineRecord:
        """Record a line that was received."""
        self.counters.lines += 1
        self.lines.append(record)
        if self._keep_lines is not None and len(self.lines) > 2 * self._keep_lines:
            del self.lines[: len(self.lines) - self._keep_lines]
        return record

    def strikes(self, pattern: str | None, record: LineRecord) -> bool:
        """Return whether the pattern of a fault matches a line. Passwords match none."""
        hidden = record.mode in ("password", "enable")
        return bool(pattern and not hidden and re.search(pattern, record.text, re.IGNORECASE))

    def refusal(self, record: LineRecord) -> str | None:
        """Return the text of `Faults.refuse` for a line, or None."""
        refuse = self.faults.refuse.items()
        return next((text for pattern, text in refuse if self.strikes(pattern, record)), None)

    def seconds_for(self, record: LineRecord) -> float:
        """Return how many seconds a line takes."""
        slow = (
            seconds
            for pattern, seconds in self.faults.slow.items()
            if self.strikes(pattern, record)
        )
        return self.faults.line_delay + sum(slow)

    def touch(self, *ports: str) -> None:
        """Mark ports (none: all) whose VLANs may have changed; `settle` compares them.

        A channel stands for all ports, as it may have any members.
        """
        known = set(ports) <= self._seen.keys()
        self._touched.update(ports if ports and known else self.port_list)

    def settle(self, record: LineRecord | None = None) -> None:
        """After a line: record what changed on marked ports, and call `on_change`."""
        if not self._touched:
            return
        changed, carried = self._compare()
        if changed and self.on_change is not None:
            self.on_change(self, frozenset(changed))
        if carried and self.keeps_history and record is not None:
            self.history.append(HistoryEntry(record, carried))

    def _compare(self) -> tuple[set[str], dict[str, Carried]]:
        changed: set[str] = set()
        carried: dict[str, Carried] = {}
        for name in self._touched:
            before, now = self._seen[name], (self.carried(name), self.is_shut(name))
            if before != now:
                self._seen[name] = now
                changed.add(name)
            if before[0] != now[0]:
                carried[name] = now[0]
        self._touched.clear()
        return changed, carried
