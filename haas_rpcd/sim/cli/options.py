"""What a simulated device can be made with, and who may log in to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypedDict

OnChange = Callable[[Any, frozenset[str]], None]
"""Called with a device and the ports whose VLANs or admin state changed."""


class Options(TypedDict, total=False):
    """Keyword arguments of every simulated device."""

    username: str | None  # None: only a password is asked for
    password: str | None  # None: only a username is asked for
    enable: str | None  # None: there is no enable password
    privileged: bool | None  # a login lands at "#"; None: only if there is no enable password
    motd: str  # printed before the login
    vtys: int  # how many sessions there can be at a time
    line_delay: float  # see `Faults`
    round_trip: float  # see `Faults`
    reload_time: float  # seconds for which the device is down after a reload
    keep_lines: int | None  # how many lines the records keep, at least; None: all of them
    history: bool  # see `HistoryEntry`
    on_change: OnChange | None
    telnet: bool  # listen for telnet (the default)
    ssh: bool  # listen for SSH (not the default)


@dataclass(frozen=True)
class Access:
    """Who may log in to a device; see `Options`."""

    username: str | None
    password: str | None
    enable: str | None
    privileged: bool

    @classmethod
    def of(cls, options: Options) -> Access:
        """Take it from the options of a device."""
        enable, privileged = options.get("enable"), options.get("privileged")
        return cls(
            options.get("username"),
            options.get("password"),
            enable,
            enable is None if privileged is None else privileged,
        )
