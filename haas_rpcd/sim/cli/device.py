"""What every simulated device has, whatever is typed at it: life, records, faults, VTYs, ports."""

from __future__ import annotations

import asyncio
import re
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any, ClassVar, Generic, Self, TypedDict, TypeVar, Unpack

from haas_rpcd.sim.cli.records import NOTHING, Carried, Counters, Faults, HistoryEntry, LineRecord
from haas_rpcd.sim.cli.telnet import GREETING, TelnetWire
from haas_rpcd.sim.cli.vlans import ALL_VLANS
from haas_rpcd.sim.cli.wire import Conversation, Wire

OnChange = Callable[[Any, frozenset[str]], None]


class Options(TypedDict, total=False):
    """What every device can be made with, by keyword."""

    username: str | None  # None: only a password is asked for
    password: str | None  # None: only a username is asked for
    enable: str | None  # None: there is no enable password
    privileged: bool | None  # where a login lands; None: where there is no enable password, at "#"
    motd: str  # printed before the login
    vtys: int  # sessions at once
    line_delay: float  # see `Faults`
    round_trip: float  # see `Faults`
    reload_time: float  # seconds for which a reload takes it away
    keep_lines: int | None  # the records keep at least so many of the last lines, or all
    history: bool  # see `HistoryEntry`
    on_change: OnChange | None  # called with the ports whose VLANs or admin state changed
    telnet: bool  # listen for telnet (the default)
    ssh: bool  # listen for SSH (not by default)


@dataclass(frozen=True)
class Access:
    """Credentials of one device; see `Options`."""

    username: str | None
    password: str | None
    enable: str | None
    privileged: bool


@dataclass(slots=True)
class Port:
    """The configuration of a port of a switch that thinks as Cisco's do.

    The fields' values are immutable, so that a shallow copy is a copy.
    """

    description: str = ""
    mode: str = "access"  # or "trunk"
    access_vlan: int | None = 1
    native_vlan: int | None = 1
    allowed: frozenset[int] = ALL_VLANS
    shutdown: bool = False

    def carried(self, vlans: Iterable[int]) -> Carried:
        """Say what it carries while ``vlans`` exist."""
        live = frozenset(vlans)
        if self.shutdown:
            return NOTHING
        if self.mode != "trunk":
            return Carried(self.access_vlan) if self.access_vlan in live else NOTHING
        passing = self.allowed & live
        native = self.native_vlan if self.native_vlan in passing else None
        return Carried(native, passing - {self.native_vlan})


@dataclass(slots=True)
class Config:
    """One whole configuration; the running one is edited in place, the startup one is a copy.

    Vendors whose VLANs hold the ports, or who have more to set, derive from it: `carried` and, for
    fields that are neither immutable nor handled here, `copy`.
    """

    hostname: str
    ports: dict[str, Any]
    vlans: dict[int, Any] = field(default_factory=lambda: {1: "default"})

    def copy(self) -> Self:
        """An independent copy: dataclasses in ``ports`` and ``vlans`` are copied one level deep."""
        return replace(
            self,
            ports={name: _copied(port) for name, port in self.ports.items()},
            vlans={vlan: _copied(value) for vlan, value in self.vlans.items()},
        )

    def carried(self, port: str) -> Carried:
        """What a port carries under this configuration."""
        carried: Carried = self.ports[port].carried(self.vlans)
        return carried

    def is_shut(self, port: str) -> bool:
        """Whether a port is shut administratively."""
        return bool(self.ports[port].shutdown)


def _copied(value: Any) -> Any:
    return replace(value) if hasattr(value, "__dataclass_fields__") else value


C = TypeVar("C", bound=Config)


class Device(ABC, Generic[C]):
    """A simulated device: it listens, keeps records, and its ports carry VLANs.

    ``ports``: the device's own full names, such as `port_names` makes. The rest: `Options`.
    ``running`` and ``startup`` are its configurations, ``faults`` may be set at any time.
    Use it as an async context manager, or `start` and `stop` it.
    """

    dialect: ClassVar[str] = ""
    """By which name HaaS knows how to talk to such a device."""

    telnet_greeting: ClassVar[bytes] = GREETING
    full_text: ClassVar[str] = ""
    """What a client hears when all VTYs are taken, line ends included; "" is a reset."""

    max_vtys: ClassVar[int] = 16

    def __init__(self, hostname: str, *, ports: Sequence[str], **options: Unpack[Options]) -> None:
        if unknown := options.keys() - Options.__annotations__.keys():
            raise TypeError(f"no such option: {', '.join(sorted(unknown))}")
        enable, privileged = options.get("enable"), options.get("privileged")
        if privileged is None:
            privileged = enable is None
        self.access = Access(options.get("username"), options.get("password"), enable, privileged)
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
        self.sessions: list[Conversation] = []  # open ones, in the order of their coming
        self.unplugged: set[str] = set()  # ports without a link
        self.port = 0  # where it listens for telnet; 0 before `start`
        self.ssh_port = 0  # where it listens for SSH
        self.host_key = ""  # its SSH host key, as known_hosts has it, from `start` on
        self._vtys = options.get("vtys", self.max_vtys)
        self._keep_lines = options.get("keep_lines")
        self._reload_time = options.get("reload_time", 0.0)
        self._listens = (options.get("telnet", True), options.get("ssh", False))
        self._down_until = -float("inf")
        self.booted = time.monotonic()
        self._touched: set[str] = set()
        self._servers: list[Any] = []
        self._open = False
        self.running: C = self.factory(hostname)
        self.startup: C | None = self.running.copy()
        self._seen = {name: (Carried(), False) for name in ports}
        self.touch(*ports)
        self._compare()

    # --- what a vendor says

    @classmethod
    @abstractmethod
    def port_names(cls, count: int) -> list[str]:
        """Full names of ``count`` ports, as the vendor numbers them."""

    @classmethod
    def full_port(cls, typed: str) -> str:
        """Write a port's name out as `port_names` does; ValueError where it can't be one."""
        return typed

    @abstractmethod
    def factory(self, hostname: str) -> C:
        """The configuration it comes with; called once more when there is none to boot from."""

    @abstractmethod
    def make_session(self, wire: Wire) -> Conversation:
        """A session for a new connection."""

    def restored(self, saved: C) -> C:
        """What runs after a reload; ``saved`` is a copy of the startup configuration."""
        return saved

    # --- its life

    @property
    def is_up(self) -> bool:
        """Whether it answers at all."""
        down = time.monotonic() < self._down_until
        return self._open and not down and not self.faults.refuse_connections

    async def start(self, host: str = "127.0.0.1", port: int = 0, ssh_port: int = 0) -> int:
        """Listen; return the port (telnet's if it has both). OSError if it is taken."""
        self._open = True  # before the socket is: a client may be there at once
        telnet, ssh = self._listens
        if ssh:
            from haas_rpcd.sim.cli.ssh import listen  # here, as it takes a while to load

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
        """Stop listening, cut every session and wait until they are gone. Safe to call twice."""
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
        """What a port, by its full name, carries at this moment. KeyError for no port of ours."""
        return self.running.carried(port)

    def is_shut(self, port: str) -> bool:
        """Whether a port is shut administratively. KeyError for no port of ours."""
        return self.running.is_shut(port)

    def plug(self, port: str, plugged: bool = True) -> None:
        """Put a cable into a port, or pull it: tables then show it without a link.

        What the port carries is what it is set to, cable or not. A fresh switch has all plugged.
        """
        self.running.ports[port]  # KeyError for no port of ours
        (self.unplugged.discard if plugged else self.unplugged.add)(port)

    def announce(self, text: str) -> None:
        """Write a text into every open session, at once and whatever it is doing."""
        for session in list(self.sessions):
            session.log(text)

    @property
    def modified(self) -> bool:
        """Whether the running configuration is not what is saved."""
        return self.running != self.startup

    def reload(self) -> None:
        """Start anew from what is saved, as after ``reload`` or a power cut; cuts all sessions."""
        saved = self.startup.copy() if self.startup is not None else self.factory("")
        self.counters.reloads += 1
        self.booted = time.monotonic()
        self._down_until = self.booted + self._reload_time
        for session in list(self.sessions):
            session.cut()
        self.adopt(self.restored(saved))
        self.settle()

    # --- for vendors

    def adopt(self, config: C) -> None:
        """Run another configuration, as a reload or a commit does."""
        self.running = config
        self.touch(*self.port_list)

    def save(self) -> bool:
        """Copy the running configuration over the startup one; False if a fault forbids it.

        What the device prints then is the text of `Faults.save_error`.
        """
        if self.faults.save_error is not None:
            self.counters.failed_saves += 1
            return False
        self.startup = self.running.copy()
        self.counters.saves += 1
        return True

    def seconds_up(self) -> float:
        """How long ago it booted."""
        return time.monotonic() - self.booted

    def allows(self, user: str, password: str) -> bool:
        """Check a login, and count a wrong one."""
        access = self.access
        good = (access.username is None or user == access.username) and (
            access.password is None or password == access.password
        )
        if not good:
            self.counters.failed_logins += 1
        return good

    # --- for sessions

    def has_room(self) -> bool:
        """Whether a new connection would be taken."""
        return self.is_up and len(self.sessions) < self._vtys

    def admit(self, session: Conversation) -> bool:
        """Give a new session a VTY; False when it must be refused."""
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
        """Take a session's VTY back."""
        if session in self.sessions:
            self.sessions.remove(session)

    def record(self, record: LineRecord) -> LineRecord:
        """Note a line as it comes."""
        self.counters.lines += 1
        self.lines.append(record)
        if self._keep_lines is not None and len(self.lines) > 2 * self._keep_lines:
            del self.lines[: -self._keep_lines]
        return record

    def strikes(self, pattern: str | None, record: LineRecord) -> bool:
        """Whether the pattern of a fault fits a line. Passwords fit none."""
        hidden = record.mode in ("password", "enable")
        return bool(pattern and not hidden and re.search(pattern, record.text, re.IGNORECASE))

    def refusal(self, record: LineRecord) -> str | None:
        """The text of `Faults.refuse` for a line, or None."""
        refuse = self.faults.refuse.items()
        return next((text for pattern, text in refuse if self.strikes(pattern, record)), None)

    def seconds_for(self, record: LineRecord) -> float:
        """How long a line takes."""
        slow = (
            seconds
            for pattern, seconds in self.faults.slow.items()
            if self.strikes(pattern, record)
        )
        return self.faults.line_delay + sum(slow)

    def touch(self, *ports: str) -> None:
        """Say that these ports may carry something else now (none: all); `settle` will look."""
        self._touched.update(ports or self.port_list)

    def settle(self, record: LineRecord | None = None) -> None:
        """After a line: note what ports carry differently, and tell `on_change` what changed."""
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
