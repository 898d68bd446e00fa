"""The driver of one switch: turns changes into lines, and answers into the state of its ports."""

from __future__ import annotations

import asyncio
import functools
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext

from haas_rpcd.config import SwitchSettings
from haas_rpcd.drivers import Outcome, Progress, Report
from haas_rpcd.drivers.switch import modes
from haas_rpcd.drivers.switch.batch import known_states, lines_of, outcomes_of, preview_of
from haas_rpcd.drivers.switch.cabling import Cabling
from haas_rpcd.drivers.switch.channels import channel_seen
from haas_rpcd.drivers.switch.dialect import Dialect
from haas_rpcd.drivers.switch.opening import Connect, CredentialLookup, Opening
from haas_rpcd.drivers.switch.parts import Ports, run_checked
from haas_rpcd.drivers.switch.reader import SwitchReader
from haas_rpcd.drivers.switch.refusals import no_port, refuses_several, send_apart
from haas_rpcd.drivers.switch.saving import save
from haas_rpcd.drivers.switch.script import Line
from haas_rpcd.drivers.switch.session import ScriptResult, Session
from haas_rpcd.drivers.switch.sessionlist import end_others
from haas_rpcd.drivers.switch.state import PortState
from haas_rpcd.drivers.switch.transcript import Transcript
from haas_rpcd.drivers.switch.waiting import until_free
from haas_rpcd.drivers.switch.writer import Options
from haas_rpcd.errors import DeviceError
from haas_rpcd.model import (
    PortConfig,
    PortSeen,
    PresenceSeen,
    SaveConfig,
    Seen,
    SetPort,
    SetVlan,
    SwitchChange,
)
from haas_rpcd.registered import Probed, SwitchMarks, Uptime

log = logging.getLogger(__name__)

CHECK_AFTER_IDLE = 5.0
"""Seconds of idleness after which an open session is checked before it is used."""

_CHECK_TIMEOUT = 2.0
"""Seconds within which the switch must answer that check."""

_SAVE_FACTOR = 4.0
"""A save or a commit may take this many times as long as another line."""


class SwitchDriver:
    """One switch, over one session. It stays in configuration mode between changes."""

    max_batch = 512

    def __init__(
        self,
        name: str,
        dialect: Dialect,
        *,
        connect: Connect,
        options: Options,
        credential: CredentialLookup,
        settings: SwitchSettings,
        registered: object = None,
        without_ranges: Callable[[], None] = lambda: None,
        logins: asyncio.Semaphore | None = None,
    ) -> None:
        """Make a driver; no I/O.

        ``without_ranges`` is called if the switch takes no ranges. ``logins`` bounds how many
        switches are logged in to at the same time.
        """
        self.registered = registered
        self.takes_slices = not dialect.writer.commit
        self._name = name
        self._dialect = dialect
        self._options = options
        self._settings = settings
        self._without_ranges = without_ranges
        self._transcript = Transcript()
        self._opening = Opening(
            name,
            dialect.dialogue,
            connect,
            credential,
            settings,
            logins or nullcontext(),
            self._transcript,
        )
        self._reader = SwitchReader(name, dialect, options, self.show)
        self._session: Session | None = None
        self._last_used = 0.0
        self._saved = False

    def preview(
        self,
        changes: Sequence[SwitchChange],
        current: Mapping[str, PortConfig] | None = None,
        existing: frozenset[int] = frozenset(),
    ) -> list[list[str]]:
        """Return the lines of changes, without those that only enter and leave modes."""
        return preview_of(self._dialect, self._options, changes, current or {}, existing)

    # --- the session ------------------------------------------------------------------------------

    async def open(self, report: Report) -> None:
        """Connect and log in; wait up to ``busy_timeout`` for a session. Raises DeviceError."""
        self._session = await self._opening.session(report)
        self._last_used = time.monotonic()

    async def usable(self) -> bool:
        """Return whether the open session still works; after an idle time the switch is asked."""
        if self._session is None or self._session.ended:
            return False
        if time.monotonic() - self._last_used < CHECK_AFTER_IDLE:
            return True
        self._last_used = time.monotonic()
        return await self._session.alive(_CHECK_TIMEOUT)

    def transcript(self) -> str:
        """Return what was sent and received since the last call, logins left out."""
        return self._transcript.take()

    async def close(self) -> None:
        """End the session. Never raises."""
        if self._session is not None:
            session, self._session = self._session, None
            await session.close()

    @property
    def _open_session(self) -> Session:
        if self._session is None:
            raise RuntimeError(f"no session is open to {self._name}")
        return self._session

    # --- sending ----------------------------------------------------------------------------------

    async def send(self, changes: Sequence[SwitchChange], progress: Progress) -> list[Outcome]:
        """Send the changes' lines ahead of their answers.

        After a refusal, configuration mode is left, and what was typed but not committed is
        discarded. What was not refused is sent once more. While another session holds the
        configuration, it tries again for a while.
        """
        outcomes = await send_apart(self._dialect, changes, progress, self._send_once)
        self._last_used = time.monotonic()
        return outcomes

    async def _send_once(
        self, changes: Sequence[SwitchChange], progress: Progress
    ) -> list[Outcome]:
        """Send the changes' lines; send nothing after a refusal. Raises DeviceError."""
        if self._session is None or self._session.ended:  # after a refusal
            await self.close()
            await self.open(functools.partial(progress.line_sent, 0))
        self._reader.note_channels(changes)
        found = await self._reader.before(changes)
        current = known_states(found)
        existing = await self._reader.existing_vlans(changes)
        lines = lines_of(self._dialect, self._options, changes, current, existing)
        ports = Ports(self._name, changes, found)
        result = await run_checked(lines, ports, _Runner(self, progress))
        single = lines_of(self._dialect, self._single, changes, current, existing)
        if refuses_several(lines, single, result) and not progress.cancelled():
            learns = lines[result.answered].text not in {line.text for line in single}
            lines, result = single, await self._run_single(single, ports, progress, learns=learns)
        outcomes = ports.refuse(outcomes_of(lines, result, len(changes)))
        if result.error is None and not ports.refused:
            for index, change in enumerate(changes):
                if isinstance(change, SaveConfig):
                    outcomes[index] = await self._save(functools.partial(progress.line_sent, index))
        return outcomes

    @property
    def _single(self) -> Options:
        """The options with which each port is set by itself."""
        return {**self._options, "ranges": False}

    async def _run_single(
        self, lines: list[Line], ports: Ports, progress: Progress, *, learns: bool
    ) -> ScriptResult:
        """Set each port by itself; if it ``learns`` and that works, always from now on."""
        report = functools.partial(progress.line_sent, lines[0].shown_at)
        report(f"# {self._name} refuses a range of ports: each by itself")
        # The lines that leave a context that was not entered may have logged out.
        if self._session is None or not await self._session.alive(_CHECK_TIMEOUT):
            await self.close()
            await self.open(report)
        result = await run_checked(lines, ports, _Runner(self, progress))
        if learns and result.error is None:  # else one of the ports was the reason
            self._options = self._single
            self._without_ranges()
        return result

    async def _run_when_free(self, lines: Sequence[Line], progress: Progress) -> ScriptResult:
        """Run a script; start again while another session holds the configuration."""
        busy = self._dialect.dialogue.busy

        def held(result: ScriptResult) -> bool:
            again = result.error is not None and busy and busy.search(result.error.message)
            return bool(again) and self._session is not None and not progress.cancelled()

        return await until_free(
            lambda: self._run(lines, progress),
            held,
            self._settings.busy_timeout,
            lambda: progress.line_sent(
                lines[0].shown_at, f"# somebody else configures {self._name}: waiting"
            ),
        )

    async def _run(self, lines: Sequence[Line], progress: Progress) -> ScriptResult:
        session = self._open_session
        if progress.cancelled():
            return ScriptResult(0, 0)
        try:
            report = functools.partial(progress.line_sent, lines[0].shown_at)
            await modes.enter_config(session, self._dialect.dialogue, report)
        except DeviceError as error:
            return ScriptResult(0, 0, error)
        patience = _SAVE_FACTOR if self._dialect.writer.commit else 1
        result = await session.run(
            lines,
            window=self._window,
            on_sent=lambda line: progress.line_sent(line.shown_at, line.text),
            cancelled=progress.cancelled,
            timeout=self._settings.answer_timeout * patience,
        )
        if result.error is not None or result.answered < len(lines):
            await self._abandon_script()
        return result

    async def _abandon_script(self) -> None:
        """Leave configuration mode, and discard what was not committed.

        End the session if that fails, so that no later commit includes the leftovers; and also if
        the lines sent ahead left privileged mode, where nothing can be read or saved.
        """
        session = self._open_session
        if session.ended:
            return
        try:
            for text in self._dialect.writer.abort:
                await session.command(text)
            await self._leave_config()
            stuck = session.configuring or session.unprivileged
        except DeviceError as error:
            log.info("%s: after a refusal: %s", self._name, error.reason)
            stuck = True
        if stuck:
            await self.close()

    async def _read_candidate(self, ports: Sequence[str]) -> Mapping[str, PortState]:
        """Read the state that ports would have after a commit. Raises DeviceError."""
        candidate = self._dialect.writer.candidate
        lines = candidate(self._options) if candidate is not None else []
        answers = [await self._open_session.command(line) for line in lines]
        return await self._reader.ports_in(ports, lines, answers)

    async def _save(self, report: Report) -> Outcome:
        try:
            await self._save_now(report)
        except DeviceError as error:
            return Outcome("refused", error, may_come_late=error.reason == "timeout")
        return Outcome("sent")

    async def _save_now(self, report: Report) -> None:
        await self._leave_config()
        self._saved = False
        timeout = self._settings.answer_timeout * _SAVE_FACTOR
        await save(self._name, self._open_session, self._dialect.dialogue, timeout, report)
        self._saved = True

    # --- reading ----------------------------------------------------------------------------------

    async def observe(self, changes: Sequence[SwitchChange]) -> list[Seen | DeviceError]:
        """Read the state of the changes' targets: all ports in one read, all VLANs in another.

        Raises DeviceError.
        """
        self._reader.note_channels(changes)
        ports = [change.port for change in changes if isinstance(change, SetPort)]
        found = await self._reader.ports(ports) if ports else {}
        vlans: frozenset[int] = frozenset()
        if any(isinstance(change, SetVlan) for change in changes):
            vlans = await self._reader.vlans()
        seen: list[Seen | DeviceError] = []
        for change in changes:
            match change:
                case SetPort(port=port):
                    known = found.get(port)
                    if change.is_channel:
                        seen.append(channel_seen(known, listed=self._lists_channels))
                    else:
                        seen.append(known.seen if known else no_port(self._name, port))
                case SetVlan(vlan=vlan):
                    seen.append(PresenceSeen(vlan in vlans))
                case SaveConfig():
                    seen.append(PresenceSeen(self._saved))
        return seen

    @property
    def _lists_channels(self) -> bool:
        channels = self._dialect.channels
        return channels is not None and channels.listed

    async def cross_check(self, ports: Mapping[str, PortSeen]) -> Mapping[str, PortSeen]:
        """Compare what was seen of ports with operational membership, if the family shows it."""
        return await self._reader.cross_check(ports)

    async def probe(self) -> Probed:
        """Read the switch's identity, and what all its ports carry. Raises DeviceError."""
        return await self._reader.probe(self._open_session.prompt)

    async def read_cabling(self) -> Cabling:
        """Read LLDP neighbours and the MAC table. Raises DeviceError."""
        return await self._reader.cabling()

    async def end_other_sessions(self) -> bool:
        """End all other sessions of this login; return whether it is certain that none is left.

        Raises DeviceError whose reason is in ``SESSION_LOST``.
        """
        known = self._dialect.dialogue.sessions
        return known is not None and await end_others(known, self._name, self.show)

    def marks_at_hand(self) -> SwitchMarks:
        """Return the marks that were read along with the uptime; possibly none."""
        return self._reader.marks_at_hand

    def said_of_ports(self, ports: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
        """Return the lines about some ports in what :meth:`observe` read last."""
        return self._reader.said_of(ports)

    async def marks(self) -> SwitchMarks:
        """Return the switch's serial numbers, or its base MAC. Raises DeviceError."""
        return await self._reader.marks()

    async def uptime(self) -> Uptime | None:
        """Return the uptime; None if the switch does not show it. Raises DeviceError."""
        return await self._reader.uptime()

    async def show(self, lines: Sequence[str]) -> list[str]:
        """Return the answers to lines that only show something. Raises DeviceError."""
        await self._leave_config()
        answers = [await self._open_session.command(line) for line in lines]
        self._last_used = time.monotonic()
        return answers

    # --- modes ------------------------------------------------------------------------------------

    @property
    def _window(self) -> int:
        window = self._options.get("window")
        return window if isinstance(window, int) and window > 0 else self._dialect.dialogue.window

    async def _leave_config(self) -> None:
        """Leave configuration mode, or close the session: the next line must not configure.

        Raises DeviceError with a reason of ``SESSION_LOST``.
        """
        try:
            await modes.leave_config(self._open_session, self._dialect.dialogue)
        except DeviceError:
            await self.close()
            raise


class _Runner:
    """Runs the parts of a script; see :class:`~haas_rpcd.drivers.switch.parts.Runner`."""

    def __init__(self, driver: SwitchDriver, progress: Progress) -> None:
        self._driver = driver
        self._progress = progress

    async def run(self, lines: Sequence[Line]) -> ScriptResult:
        return await self._driver._run_when_free(lines, self._progress)

    async def read(self, ports: Sequence[str]) -> Mapping[str, PortState]:
        return await self._driver._reader.ports(ports)

    async def read_candidate(self, ports: Sequence[str]) -> Mapping[str, PortState]:
        return await self._driver._read_candidate(ports)

    async def discard(self) -> None:
        await self._driver._abandon_script()
