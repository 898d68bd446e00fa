"""What a switch with EOS is, and what it is configured to do."""

from __future__ import annotations

from haas_rpcd.sim import cli
from haas_rpcd.sim.ioslike.ports import RoutedPort as Port

__all__ = ["CHANNEL", "MODEL", "NAMING", "VERSION", "Config", "Port"]

CHANNEL = "Port-Channel"
MODEL, VERSION = "DCS-7050TX-64-R", "4.22.4M"

NAMING = cli.Naming(
    {"Ethernet": "Et", "Port-Channel": "Po"},
    kind=r"[A-Za-z]+(?:-[A-Za-z]+)?",
    to="-",
    comma=",",
    ends=("last", "number"),
    bare=True,
)


class Config(cli.Config):
    """A configuration of EOS. ``vlans``: their names."""

    ports: dict[str, Port]
    vlans: dict[int, str]

    def carried(self, port: str) -> cli.Carried:
        """Return what a port carries: a member does what its channel does, while both are up.

        It is not waited for the other side: a member counts as bundled.
        """
        own = self.ports[port]
        channel = own.channel and self.ports.get(f"{CHANNEL}{own.channel[0]}")
        if channel is None:
            return own.carried(self.vlans)
        return cli.NOTHING if own.shutdown else channel.carried(self.vlans)
