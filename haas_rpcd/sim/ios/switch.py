"""`IosSwitch`: a Catalyst that listens on a TCP port; its configuration, records and faults."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

from haas_rpcd.sim.ios import show
from haas_rpcd.sim.ios.login import Access
from haas_rpcd.sim.ios.portname import PortNames
from haas_rpcd.sim.ios.records import Counters, Faults, HistoryEntry, LineRecord
from haas_rpcd.sim.ios.session import Session
from haas_rpcd.sim.ios.state import Carried, Config, Port, VtpMode, carried_by
from haas_rpcd.sim.ios.state import default_vlan_name as vlan_name
from haas_rpcd.sim.ios.vlanlist import format_list

OnChange = Callable[["IosSwitch", frozenset[str]], None]

BOOT = datetime(1993, 3, 1)
"""What the clock of an IOS says at boot if nobody ever set it."""


class IosSwitch:
    """A simulated Catalyst 2960 or 3560 with IOS 15, reached by telnet.

    ``ports``: full names, such as `gigabit` makes. ``username``, ``password``, ``enable``,
    ``privilege``: see `Access`; without a privilege, a user lands at ``#`` when there is no enable
    secret, and at ``>`` when there is one. ``encapsulation``: the model knows ISL, as a 3560 does
    and a 2960 does not; None decides by the model's name. ``vtp_mode``: in ``transparent`` VLANs
    are part of the configuration and lost with it; in ``server`` (Cisco's default) they are kept
    apart, survive a reload unsaved, and end at 1005. ``vtys``: sessions at once. ``line_delay``:
    see `Faults`. ``reload_time``: seconds for which it is gone. ``keep_lines``: the records keep
    at least so many of the last lines, or all. ``history``: see `HistoryEntry`. ``on_change``:
    called with the names of the ports whose carried VLANs or admin state changed; it must not
    block.

    Use it as an async context manager, or `start` and `stop` it.
    """

    def __init__(
        self,
        hostname: str = "Switch",
        *,
        ports: Sequence[str],
        username: str | None = None,
        password: str | None = None,
        enable: str | None = None,
        privilege: int | None = None,
        model: str = "WS-C2960S-24TS-L",
        version: str = "15.0(2)SE11",
        serial: str = "FOC1628X0XX",
        encapsulation: bool | None = None,
        vtp_mode: VtpMode = "transparent",
        motd: str = "",
        vtys: int = 16,
        line_delay: float = 0.0,
        reload_time: float = 0.0,
        keep_lines: int | None = None,
        history: bool = False,
        on_change: OnChange | None = None,
    ) -> None:
        if privilege is None:
            privilege = 15 if enable is None else 1
        self.access = Access(username, password, enable, privilege)
        self.names = PortNames(ports)
        if encapsulation is None:
            encapsulation = not model.startswith("WS-C2960")
        self.chassis = show.Chassis(
            model,
            version,
            serial,
            encapsulation,
            self.access.config_lines(),
            self.access.vty_lines(),
        )
        self.motd = motd
        self.running = Config(hostname, {name: Port() for name in ports}, vtp_mode=vtp_mode)
        self.startup: Config | None = self.running.copy()
        self.faults = Faults(line_delay=line_delay)
        self.counters = Counters()
        self.lines: list[LineRecord] = []
        self.keeps_history = history
        self.history: list[HistoryEntry] = []
        self.on_change = on_change
        self.sessions: list[Session] = []  # open ones, in the order of their coming
        self.port = 0  # where it listens; 0 before `start`
        self._vtys = vtys
        self._keep_lines = keep_lines
        self._reload_time = reload_time
        self._down_until = -float("inf")
        self._booted = time.monotonic()
        self._touched: set[str] = set()
        self._seen = {name: (Carried(), False) for name in ports}
        self._server: asyncio.Server | None = None
        self._open = False
        self.touch(*ports)
        self._compare()

    # --- its life

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> int:
        """Listen; return the port. OSError if it is taken."""
        loop = asyncio.get_running_loop()
        self._open = True  # before the socket is: a client may be there at once
        self._server = await loop.create_server(lambda: Session(self), host, port, backlog=128)
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self.port

    async def stop(self) -> None:
        """Stop listening, cut every session and wait until they are gone. Safe to call twice."""
        self._open = False
        server, self._server = self._server, None
        if server is not None:
            server.close()
        waiting = [session.closed for session in self.sessions]
        for session in list(self.sessions):
            session.cut()
        for closed in waiting:
            await closed
        if server is not None:
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
        return carried_by(self.running.ports[port], self.running.vlans)

    def plug(self, port: str, plugged: bool = True) -> None:
        """Put a cable into a port, or pull it: tables then show it without a link.

        What the port carries is what it is set to, cable or not. A fresh switch has all plugged.
        """
        self.running.ports[port]  # KeyError for no port of ours
        (self.chassis.unplugged.discard if plugged else self.chassis.unplugged.add)(port)

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
        saved = self.startup or Config("Switch", {name: Port() for name in self.names.all})
        fresh = saved.copy()
        if fresh.vtp_mode == "server":
            fresh.vlans = dict(self.running.vlans)  # they live in vlan.dat, saved or not
        self.running = fresh
        self.counters.reloads += 1
        self._booted = time.monotonic()
        self._down_until = self._booted + self._reload_time
        for session in list(self.sessions):
            session.cut()
        self.touch(*self.names.all)
        self.settle()

    def running_config(self) -> list[str]:
        """The lines of the running configuration."""
        header = [f"! Last configuration change at {self.now():%H:%M:%S} UTC {self.date()}", "!"]
        return show.running_config(self.running, self.chassis, header)

    # --- for sessions

    def admit(self, session: Session) -> bool:
        """Give a new session a VTY; False when it must be refused."""
        taken = {other.line for other in self.sessions}
        free = next((line for line in range(self._vtys) if line not in taken), None)
        down = time.monotonic() < self._down_until
        if free is None or down or self.faults.refuse_connections or not self._open:
            self.counters.refused += 1
            return False
        self.counters.connections += 1
        session.line, session.number = free, self.counters.connections
        self.sessions.append(session)
        return True

    def forget(self, session: Session) -> None:
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
        texts = (text for pattern, text in self.faults.refuse.items())
        fits = (self.strikes(pattern, record) for pattern in self.faults.refuse)
        return next((text for text, hit in zip(texts, fits, strict=True) if hit), None)

    def add_vlans(self, vlans: Mapping[int, str | None]) -> list[str]:
        """Let VLANs exist, with names where given (``""`` for the default); return IOS's text.

        All or none: IOS commits config-vlan mode as a whole.
        """
        extended = [v for v in vlans if v > 1005 and v not in self.running.vlans]
        if extended and self.running.vtp_mode == "server":
            return [
                f"% Failed to create VLANs {format_list(extended)}",
                "Extended VLAN(s) not allowed in current VTP mode.",
                "%Failed to commit extended VLAN(s) changes.",
            ]
        for vlan, name in vlans.items():
            for other, taken in self.running.vlans.items():
                if name and name == taken and vlan != other:
                    return [f"VLAN #{vlan} and #{other} have an identical name: {name}"]
        for vlan, name in vlans.items():
            self.running.add_vlan(vlan)
            if name is not None:
                self.running.vlans[vlan] = name or vlan_name(vlan)
        self.touch(*self.names.all)
        return []

    def delete_vlans(self, vlans: Iterable[int]) -> None:
        """Delete VLANs; ports that carry them keep their setting and carry nothing."""
        for vlan in vlans:
            self.running.vlans.pop(vlan, None)
        self.touch(*self.names.all)

    def save(self) -> list[str]:
        """Write the configuration to NVRAM; return what IOS prints."""
        if self.faults.save_error is not None:
            self.counters.failed_saves += 1
            return self.faults.save_error.splitlines()
        self.startup = self.running.copy()
        self.counters.saves += 1
        return ["Building configuration...", "[OK]"]

    def touch(self, *ports: str) -> None:
        """Say that these ports may carry something else now; `settle` will look."""
        self._touched.update(ports)

    def settle(self) -> dict[str, Carried]:
        """After a line: tell `on_change` what changed, and return what is carried differently."""
        if not self._touched:
            return {}
        changed, carried = self._compare()
        if changed and self.on_change is not None:
            self.on_change(self, frozenset(changed))
        return carried

    def _compare(self) -> tuple[set[str], dict[str, Carried]]:
        changed: set[str] = set()
        carried: dict[str, Carried] = {}
        for name in self._touched:
            port = self.running.ports[name]
            before, now = self._seen[name], (self.carried(name), port.shutdown)
            if before != now:
                self._seen[name] = now
                changed.add(name)
            if before[0] != now[0]:
                carried[name] = now[0]
        self._touched.clear()
        return changed, carried

    def log(self, text: str) -> None:
        """Send a system message to the sessions that have ``terminal monitor`` on."""
        stamped = f"*{self.now():%b} {self.now().day:>2} {self.now():%H:%M:%S.%f}"[:-3]
        for session in self.sessions:
            if session.monitors:
                session.log(f"{stamped}: {text}")

    def now(self) -> datetime:
        """The switch's clock: never set, so it counts from 1 March 1993 at each boot."""
        return BOOT + timedelta(seconds=time.monotonic() - self._booted)

    def date(self) -> str:
        """The day as IOS writes it: ``Mon Mar 1 1993``."""
        now = self.now()
        return f"{now:%a %b} {now.day} {now.year}"

    def uptime(self) -> str:
        """As in ``show version``: ``1 day, 2 hours, 3 minutes``."""
        minutes = int(time.monotonic() - self._booted) // 60
        parts = []
        for unit, size in (("week", 10080), ("day", 1440), ("hour", 60), ("minute", 1)):
            count, minutes = divmod(minutes, size)
            if count or unit == "minute":
                parts.append(f"{count} {unit}{'' if count == 1 else 's'}")
        return ", ".join(parts)
