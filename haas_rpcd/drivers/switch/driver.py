"""A switch as the engine sees it: changes to lines, answers to what the switch has now."""

from __future__ import annotations

import asyncio
import functools
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence

from haas_rpcd.config import Credential, SwitchSettings
from haas_rpcd.drivers import SESSION_LOST, Outcome, Progress, Report
from haas_rpcd.drivers.switch.dialect import Dialect, Options, PortState
from haas_rpcd.drivers.switch.script import Line
from haas_rpcd.drivers.switch.session import Ran, Session
from haas_rpcd.drivers.switch.transport import Transport
from haas_rpcd.errors import DeviceError
from haas_rpcd.model import (
    PortConfig,
    PortSeen,
    PresenceSeen,
    Probed,
    SaveConfig,
    Seen,
    SetPort,
    SetVlan,
    SwitchChange,
    Uptime,
)

log = logging.getLogger(__name__)

Lookup = Callable[[], Credential]
"""Gives the switch's credentials at the moment of login. Raises DeviceError ``login``."""

Connect = Callable[[], Awaitable[Transport]]
"""Opens a connection to the switch. Raises DeviceError."""

ALL_VLANS = 4000
"""A port with so many VLANs may carry whatever there is."""

_WAITS = (0.5, 1.0, 2.0, 4.0)
"""Seconds between attempts on a switch that is busy; the last one again and again."""

_SLOW = 4.0
"""How many times as long as for a line is waited for a save or a commit."""

_IDLE = 5.0
"""Seconds after which a warm session is asked whether it is still there before it is used."""

_STILL_THERE = 2.0
"""Seconds in which it must answer that."""


class SwitchDriver:
    """One switch, over one session. Stays in configuration mode between changes."""

    continue_after_refusal = False
    max_batch = 512

    def __init__(
        self,
        name: str,
        dialect: Dialect,
        *,
        connect: Connect,
        options: Options,
        credential: Lookup,
        settings: SwitchSettings,
        registered: object = None,
    ) -> None:
        self.registered = registered
        self._name = name
        self._dialect = dialect
        self._connect = connect
        self._options = options
        self._credential = credential
        self._settings = settings
        self._session: Session | None = None
        self._used = 0.0
        self._saved = False

    # --- lines ------------------------------------------------------------------------------------

    def preview(
        self,
        changes: Sequence[SwitchChange],
        now: Mapping[str, PortConfig] | None = None,
        there: frozenset[int] = frozenset(),
    ) -> list[list[str]]:
        """Give the lines of changes, without those that only change modes."""
        lines: list[list[str]] = [[] for _ in changes]
        parked_config = self._dialect.parked_config
        set_to = {
            port: parked_config if config.parked else config for port, config in (now or {}).items()
        }
        for line in self._script(changes, set_to, there):
            lines[line.shown].append(line.text)
        for index, change in enumerate(changes):
            if isinstance(change, SaveConfig):
                lines[index] += self._dialect.save
        return lines

    def _script(
        self,
        changes: Sequence[SwitchChange],
        now: Mapping[str, PortConfig] | None,
        there: frozenset[int] = frozenset(),
    ) -> list[Line]:
        """Give the lines of changes; ``there`` are VLANs that need not be made for ports."""
        own = [
            (i, change) for i, change in enumerate(changes) if not isinstance(change, SaveConfig)
        ]
        at = [i for i, _ in own]
        return self._vlans_for_ports(changes, there) + [
            Line(line.text, tuple(at[i] for i in line.changes), at[line.shown], line.guarded)
            for line in self._dialect.script([change for _, change in own], self._options, now)
        ]

    def _vlans_for_ports(
        self, changes: Sequence[SwitchChange], there: frozenset[int]
    ) -> list[Line]:
        """Give the lines that make what ports are to carry: see `Dialect.trunks_need_vlans`.

        They come first, are shown with the first change, and serve all ports that want the VLAN.
        """
        wanted: dict[int, list[int]] = {}
        for index, change in enumerate(changes):
            if isinstance(change, SetPort) and self._dialect.trunks_need_vlans:
                for vlan in change.config.vlans - there:
                    wanted.setdefault(vlan, []).append(index)
        vlans = sorted(wanted)
        made = [SetVlan(vlan, present=True) for vlan in vlans]
        return [
            Line(
                line.text,
                tuple(sorted({index for i in line.changes for index in wanted[vlans[i]]})),
                0,
                line.guarded,
            )
            for line in (self._dialect.script(made, self._options) if made else [])
        ]

    # --- the session ------------------------------------------------------------------------------

    async def open(self, report: Report) -> None:
        """Connect and log in, waiting a while for a session to be free. Raises DeviceError."""
        credential = self._credential()
        patience = asyncio.get_running_loop().time() + self._settings.busy_timeout
        for attempt in range(1_000_000):
            try:
                self._session = await self._login(credential)
                break
            except DeviceError as error:
                wait = _WAITS[min(attempt, len(_WAITS) - 1)]
                if error.reason != "busy":
                    raise
                if asyncio.get_running_loop().time() + wait > patience:
                    raise DeviceError(
                        f"{error.message} (Waited {self._settings.busy_timeout:g} s.)",
                        reason="busy",
                    ) from None
                report(f"# {error.message.partition(':')[0]}: waiting for one")
                await asyncio.sleep(wait)  # not for timing: to be polite to a full switch
        self._used = time.monotonic()

    async def _login(self, credential: Credential) -> Session:
        session = Session(
            self._name,
            self._dialect,
            await self._connect(),
            login_timeout=self._settings.login_timeout,
            answer_timeout=self._settings.answer_timeout,
        )
        try:
            await session.login(credential)
        except BaseException:
            await session.close()
            raise
        return session

    async def usable(self) -> bool:
        """Whether the session that is open can be used; one that was idle is asked."""
        if self._session is None or self._session.ended:
            return False
        if time.monotonic() - self._used < _IDLE:
            return True
        self._used = time.monotonic()
        return await self._session.alive(_STILL_THERE)

    async def close(self) -> None:
        """End the session. Never raises."""
        if self._session is not None:
            session, self._session = self._session, None
            await session.close()

    # --- sending ----------------------------------------------------------------------------------

    async def send(self, changes: Sequence[SwitchChange], progress: Progress) -> list[Outcome]:
        """Send the changes' lines ahead of their answers; nothing after one that is refused.

        After a refusal configuration mode is left, and what was typed there and not committed is
        dropped. A switch whose configuration somebody else holds is tried again for a while.
        """
        try:
            now = await self._carried_now(changes)
            lines = self._script(changes, now, await self._there_now(changes))
            ran = await self._patiently(lines, progress) if lines else Ran(0, 0)
        except DeviceError as error:  # reading what is there went wrong
            return [Outcome("refused", error)] + [Outcome("unsent", error)] * (len(changes) - 1)
        outcomes = _outcomes(lines, ran, len(changes))
        if ran.error is None:
            for index, change in enumerate(changes):
                if isinstance(change, SaveConfig):
                    outcomes[index] = await self._save(functools.partial(progress.line_sent, index))
        self._used = time.monotonic()
        return outcomes

    async def _carried_now(self, changes: Sequence[SwitchChange]) -> dict[str, PortConfig]:
        ports = [change.port for change in changes if isinstance(change, SetPort)]
        if not ports or not self._dialect.needs_current_config:
            return {}
        found = await self._ports(ports)
        return {port: state.config for port, state in found.items() if state.in_managed_form}

    async def _there_now(self, changes: Sequence[SwitchChange]) -> frozenset[int]:
        """Read which VLANs exist, where some may have to be made for ports."""
        joining = any(
            isinstance(change, SetPort) and not change.config.parked for change in changes
        )
        if not joining or not self._dialect.trunks_need_vlans:
            return frozenset()
        return self._dialect.parse_vlans(await self.shown(self._dialect.read_vlans(self._options)))

    async def _patiently(self, lines: list[Line], progress: Progress) -> Ran:
        """Run a script; begin anew while the switch says that somebody else holds its config."""
        patience = asyncio.get_running_loop().time() + self._settings.busy_timeout
        for attempt in range(1_000_000):
            ran = await self._run(lines, progress)
            busy = self._dialect.busy
            wait = _WAITS[min(attempt, len(_WAITS) - 1)]
            if (
                ran.error is None
                or busy is None
                or not busy.search(ran.error.message)
                or self._session is None
                or asyncio.get_running_loop().time() + wait > patience
                or progress.cancelled()
            ):
                return ran
            progress.line_sent(lines[0].shown, f"# somebody else configures {self._name}: waiting")
            await asyncio.sleep(wait)  # not for timing: the switch says "try later"
        raise AssertionError("unreachable")

    async def _run(self, lines: list[Line], progress: Progress) -> Ran:
        session = self._live()
        if progress.cancelled():
            return Ran(0, 0)

        def told(line: Line) -> None:
            progress.line_sent(line.shown, line.text)

        try:
            if not session.configuring:
                for text in self._dialect.enter_config:
                    progress.line_sent(lines[0].shown, text)
                    await session.command(text)
        except DeviceError as error:
            return Ran(0, 0, error)
        ran = await session.run(
            lines,
            window=self._window,
            told=told,
            stop=progress.cancelled,
            timeout=self._settings.answer_timeout * (_SLOW if self._dialect.commit else 1),
        )
        if ran.error is not None or ran.answered < len(lines):
            await self._abandon()
        return ran

    async def _abandon(self) -> None:
        """Leave configuration mode before the end, dropping what was not committed.

        Where that can't be done the session is ended, so that no later commit takes it along; and
        where the lines sent ahead led too far out, as nothing can be read or saved there.
        """
        if self._live().ended:
            return
        try:
            for text in self._dialect.abort:
                await self._live().command(text)
            await self._leave()
            held = self._live().configuring or self._live().demoted
        except DeviceError as error:
            log.info("%s: after a refusal: %s", self._name, error.message)
            held = True
        if held:
            await self.close()

    async def _save(self, report: Report) -> Outcome:
        try:
            await self._save_now(report)
        except DeviceError as error:
            return Outcome("refused", error)
        return Outcome("sent")

    async def _save_now(self, report: Report) -> None:
        await self._leave()
        self._saved = False
        answer = ""
        for line in self._dialect.save:
            report(line)
            answer += await self._live().command(
                line, timeout=self._settings.answer_timeout * _SLOW
            )
        if not self._dialect.saved(answer):
            raise DeviceError(
                f"{self._name} did not say that it saved its configuration (it said"
                f' "{" ".join(answer.split())[:200]}"): save it by hand, or apply again.',
                reason="refused",
            )
        self._saved = True

    # --- reading ----------------------------------------------------------------------------------

    async def observe(self, changes: Sequence[SwitchChange]) -> list[Seen | DeviceError]:
        """Read what the targets of some changes are now: one read of the ports, one of the VLANs.

        Raises DeviceError.
        """
        ports = [change.port for change in changes if isinstance(change, SetPort)]
        carried = await self._ports(ports) if ports else {}
        vlans: frozenset[int] = frozenset()
        if any(isinstance(change, SetVlan) for change in changes):
            vlans = self._dialect.parse_vlans(
                await self.shown(self._dialect.read_vlans(self._options))
            )
        seen: list[Seen | DeviceError] = []
        for change in changes:
            match change:
                case SetPort(port=port):
                    if port in carried:
                        seen.append(PortSeen(carried[port].carries))
                    else:
                        seen.append(self._no_port(port))
                case SetVlan(vlan=vlan):
                    seen.append(PresenceSeen(vlan in vlans))
                case SaveConfig():
                    seen.append(PresenceSeen(self._saved))
        return seen

    def _no_port(self, port: str) -> DeviceError:
        return DeviceError(
            f"{self._name} does not show a port {port}: check its name in the inventory (port list)"
            " against the switch.",
            reason="missing",
        )

    async def _ports(self, ports: Sequence[str]) -> dict[str, PortState]:
        """Read what some ports carry, by the names that are asked for.

        Where that is refused, each is asked for by itself: a port that the switch does not have
        must not hide the others.
        """
        try:
            return await self._read(ports)
        except DeviceError as error:
            if error.reason != "refused" or len(ports) == 1:
                raise
        found: dict[str, PortState] = {}
        for port in ports:
            try:
                found |= await self._read([port])
            except DeviceError as error:
                if error.reason != "refused":
                    raise
        return found

    async def _read(self, ports: Sequence[str]) -> dict[str, PortState]:
        answers = await self.shown(self._dialect.read_ports(ports, self._options))
        found = self._dialect.parse_ports(answers, self._options)
        named = {port: found.get(self._dialect.canonical_port(port)) for port in ports}
        return {port: state for port, state in named.items() if state is not None}

    async def probe(self) -> Probed:
        """Say what the switch is, and what all of its ports carry. Raises DeviceError."""
        answers = await self.shown(list(self._dialect.show_version))
        lines = [line.strip() for answer in answers for line in answer.splitlines()]
        identity = self._dialect.identity(answers)
        ports = self._dialect.parse_ports(
            await self.shown(self._dialect.read_ports((), self._options)), self._options
        )
        vlans = self._dialect.parse_vlans(await self.shown(self._dialect.read_vlans(self._options)))
        carried = {name: state.carries for name, state in ports.items()}
        # A trunk that may carry all there are, as a new port may, says nothing of what is in use.
        told = (config for config in carried.values() if len(config.vlans) < ALL_VLANS)
        return Probed(
            prompt=self._live().prompt,
            model=identity.model,
            version=identity.version,
            said=[line for line in lines if line],
            ports=carried,
            vlans=vlans | {vlan for config in told for vlan in config.vlans},
        )

    async def uptime(self) -> Uptime | None:
        """Read the uptime; None if the switch does not report it.

        Raises DeviceError.
        """
        line = self._dialect.show_uptime
        if not line:
            return None
        try:
            [answer] = await self.shown([line])
        except DeviceError as error:
            if error.reason in SESSION_LOST:
                raise
            return None  # a model that does not know the command
        return self._dialect.parse_uptime(answer)

    async def shown(self, lines: Sequence[str]) -> list[str]:
        """Give the answers to lines that only show something. Raises DeviceError."""
        await self._leave()
        answers = [await self._live().command(line) for line in lines]
        self._used = time.monotonic()
        return answers

    # --- modes ------------------------------------------------------------------------------------

    @property
    def _window(self) -> int:
        window = self._options.get("window")
        return window if isinstance(window, int) and window > 0 else self._dialect.window

    def _live(self) -> Session:
        if self._session is None:
            raise RuntimeError(f"no session is open to {self._name}")
        return self._session

    async def _leave(self) -> None:
        session = self._live()
        if session.configuring:
            for line in self._dialect.leave_config:
                await session.command(line)


def _outcomes(lines: Sequence[Line], ran: Ran, count: int) -> list[Outcome]:
    """Say what became of each change from how far the lines got."""
    own: list[list[int]] = [[] for _ in range(count)]
    for at, line in enumerate(lines):
        for change in line.changes:
            own[change].append(at)
    return [_outcome(at, ran) for at in own]


def _outcome(lines: Sequence[int], ran: Ran) -> Outcome:
    if not lines or lines[-1] < ran.answered:
        return Outcome("sent")
    if ran.error is not None and ran.answered in lines:
        return Outcome("refused", ran.error)
    return Outcome("unfinished" if lines[0] < ran.sent else "unsent", ran.error)
