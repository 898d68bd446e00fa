"""Headnodes and their nics."""

from __future__ import annotations

from typing import Literal

import msgspec

HeadnodeState = Literal[
    "staged",
    "running",
    "stopped",
    "paused",
    "suspended",
    "crashed",
    "edited",
    "missing",
    "deleting",
    "unknown",
]
"""What a headnode is now. ``edited``: its nics are not those that were applied. ``missing``: its
domain is gone. ``unknown``: the hypervisor cannot be read, or a change ended without an answer."""

DRIFTED: frozenset[HeadnodeState] = frozenset(
    {"paused", "suspended", "crashed", "edited", "missing"}
)
"""The states of a headnode that is not as it was applied. The next apply brings it back."""


class HeadnodeNic(msgspec.Struct, frozen=True):
    """A nic of a headnode: ``network`` is staged, ``applied`` is the confirmed VLAN id."""

    nic: str
    mac: str
    network: str | None
    vlan: int | None
    applied: int | None


class Headnode(msgspec.Struct, frozen=True):
    """A login machine: the hypervisor shows ``state``, its owner wants ``running``.

    ``observed`` describes what the hypervisor has, if it differs from what was applied.
    ``hypervisor`` is where it is, or will be made; ``moving_to`` where the next apply moves it.
    """

    project: str
    headnode: str
    state: HeadnodeState
    running: bool
    image: str
    uuid: str
    nics: tuple[HeadnodeNic, ...]
    observed: str | None = None
    hypervisor: str = "master"
    moving_to: str | None = None

    @property
    def key(self) -> tuple[str, str]:
        """Its project and name, which together are unique on the site."""
        return (self.project, self.headnode)

    @property
    def staged(self) -> bool:
        """True if an apply would change it."""
        if self.state in ("staged", "deleting") or self.state in DRIFTED or self.moving_to:
            return True
        if self.state != "unknown" and self.running != (self.state == "running"):
            return True
        return any(nic.vlan != nic.applied for nic in self.nics)
