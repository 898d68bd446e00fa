"""The state of a switch's ports, and its identity."""

from __future__ import annotations

from typing import NamedTuple

from haas_rpcd.model import PortConfig, PortSeen


class PortState(NamedTuple):
    """A port as the switch shows it: its configured VLANs, and whether it is open (not shut)."""

    config: PortConfig
    open: bool = True
    not_understood: str | None = None
    """The first line of its configuration whose meaning is not known."""

    in_managed_form: bool = True
    """False if the port uses a mode that we never configure (hybrid, general, dynamic), or has a
    telephone's VLAN. The driver then treats its current configuration as unknown."""

    bundled: str = ""
    """How its channel bundles ports, if ``not_understood`` makes it a member without saying so:
    words that :attr:`Channels.member` reads behind that line. They are not part of any quote."""

    members: frozenset[str] = frozenset()
    """The ports that a channel has now, where :attr:`Channels.never_empty`."""

    @property
    def carries(self) -> PortConfig:
        """What the port really carries: nothing if it is shut. It may be a member all the same."""
        return self.config if self.open else PortConfig(member=self.config.member)

    @property
    def seen(self) -> PortSeen:
        """The state of the port, for the engine."""
        return PortSeen(self.carries, self.open and not self.config.vlans, self.not_understood)


class Identity(NamedTuple):
    """Model and software version; empty if the switch does not show them."""

    model: str = ""
    version: str = ""
