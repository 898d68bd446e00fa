"""Drift: where a device differs from what was applied to it."""

from __future__ import annotations

from typing import Literal

import msgspec


class DriftItem(msgspec.Struct, frozen=True, gc=False):
    """One difference: what was applied, and what is observed now.

    Of a port, ``open`` tells whether it is open, and ``not_understood`` quotes the line of its
    configuration that HaaS does not understand. ``project`` and ``behind`` say who is affected.
    ``since`` is when it was first observed.
    """

    device: str
    kind: Literal["port", "vlan", "bridge", "headnode"]
    target: str
    applied: str
    observed: str
    project: str | None
    behind: str | None
    since: str | None
    open: bool | None = None
    not_understood: str | None = None


class UnreadDevice(msgspec.Struct, frozen=True):
    """A device that could not be read, and why."""

    device: str
    message: str


class DriftReport(msgspec.Struct, frozen=True):
    """The result of a check. ``checked`` lists the devices that were read."""

    checked: tuple[str, ...]
    unreachable: tuple[UnreadDevice, ...]
    items: tuple[DriftItem, ...]


class DriftPage(msgspec.Struct, frozen=True):
    """Part of the list of what drifted; see :class:`Page`. ``never_checked`` names switches."""

    items: tuple[DriftItem, ...]
    next: str | None = None
    never_checked: tuple[str, ...] = ()
