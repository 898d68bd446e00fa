"""Headnodes and their nics."""

from __future__ import annotations

from typing import Literal

import msgspec

HeadnodeState = Literal["staged", "running", "stopped", "deleting", "unknown"]


class HeadnodeNic(msgspec.Struct, frozen=True):
    """A nic of a headnode: ``network`` is staged, ``applied`` is the confirmed VLAN id."""

    nic: str
    mac: str
    network: str | None
    vlan: int | None
    applied: int | None


class Headnode(msgspec.Struct, frozen=True):
    """A login machine: the hypervisor confirmed ``state``, its owner wants ``running``."""

    project: str
    headnode: str
    state: HeadnodeState
    running: bool
    image: str
    uuid: str
    nics: tuple[HeadnodeNic, ...]

    @property
    def key(self) -> tuple[str, str]:
        """Its project and name, which together are unique on the site."""
        return (self.project, self.headnode)

    @property
    def staged(self) -> bool:
        """True if an apply would change it."""
        if self.state in ("staged", "deleting"):
            return True
        if self.state != "unknown" and self.running != (self.state == "running"):
            return True
        return any(nic.vlan != nic.applied for nic in self.nics)
