"""Sessions and their candidate configurations."""

from __future__ import annotations

from typing import Any

from haas_rpcd.sim import cli
from haas_rpcd.sim.cli import CliSwitch
from haas_rpcd.sim.cli.wire import Wire
from haas_rpcd.sim.junos.state import Config


class Candidates:
    """What the sessions of one switch share: a candidate and a lock."""

    def __init__(self) -> None:
        self.shared: Config | None = None  # None until somebody edits it
        self.locker: Session | None = None  # the session that configures exclusively

    def clear(self) -> None:
        """Drop the candidate and the lock, as a restart does."""
        self.shared = self.locker = None


class Session(cli.Session):
    """A session. It has a candidate of its own while it configures privately or exclusively."""

    def __init__(self, switch: CliSwitch[Any], wire: Wire, candidates: Candidates) -> None:
        super().__init__(switch, wire)
        self.candidates = candidates
        self.candidate: Config | None = None
        self.base: Config | None = None  # the configuration from which the candidate was made
        self.shows_set = False  # ``| display set`` was typed

    def lost(self) -> None:
        """Drop the session's own candidate and its lock, unless the session hangs."""
        if not self.hung:
            self.drop()
        super().lost()

    def clear_vty(self) -> None:
        """Hang no more."""
        super().clear_vty()
        if not self._connected:
            self.drop()

    def drop(self) -> None:
        """Drop uncommitted changes of its own and the lock."""
        self.candidate = self.base = None
        if self.candidates.locker is self:
            self.candidates.locker = None

    def reset(self) -> None:
        """Start again from the running configuration."""
        if self.candidate is not None:
            self.take_candidate()
        else:
            self.candidates.shared = None

    def take_candidate(self) -> None:
        """Make a candidate of its own from the running configuration."""
        running: Config = self.switch.running
        self.candidate, self.base = running.copy(), running.copy()

    @property
    def edited(self) -> Config:
        """The candidate that the session edits."""
        if self.candidate is not None:
            return self.candidate
        if self.candidates.shared is None:
            self.candidates.shared = self.switch.running.copy()
        return self.candidates.shared

    @property
    def shared_is_modified(self) -> bool:
        """Whether the shared candidate has uncommitted changes."""
        shared = self.candidates.shared
        return shared is not None and shared != self.switch.running

    @property
    def is_modified(self) -> bool:
        """Whether the candidate that the session edits has uncommitted changes."""
        if self.candidate is not None:
            return self.candidate != self.base
        return self.shared_is_modified
