"""What a Comware switch holds: its ports and VLANs, and the release it runs.

When the link type of a port changes, the port takes the defaults of the new type. An access port is
in VLAN 1; a trunk permits VLAN 1 and has it as its PVID. A trunk port must become an access port
before it can become a hybrid one, and the other way round.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from haas_rpcd.sim import cli

DEFAULT_VLAN = 1
AGGREGATE = "Bridge-Aggregation"

NAMING = cli.Naming(
    {
        "GigabitEthernet": "GE",
        "Ten-GigabitEthernet": "XGE",
        "Twenty-FiveGigE": "WGE",
        "FortyGigE": "FGE",
        "HundredGigE": "HGE",
        AGGREGATE: "BAGG",
    },
    kind=r"[A-Za-z-]+",
    to=r"\s+to\s+",
    comma=r"\s+",
    ends=("name",),
    max_parts=24,
)


@dataclass(frozen=True)
class Release:
    """A software release on one product, with the texts in which releases differ."""

    version: str
    product: str
    before_uptime: tuple[str, ...]  # ``display version``: its first lines
    after_uptime: tuple[str, ...]  # and its last ones
    paging_disabled: tuple[str, ...]  # the answer to ``screen-length disable``
    log_display: tuple[str, str]  # the answers to ``undo terminal monitor`` and to its opposite
    saving: str  # printed before a save
    saved: tuple[str, ...]  # and after one that succeeded
    vlan_list: tuple[str, str, str]  # ``display vlan``


COMWARE_7 = Release(
    version="7.1.070, Release 3506P02",
    product="HPE 5130-24G-4SFP+ EI Switch JG932A",
    before_uptime=(
        "HPE Comware Software, Version 7.1.070, Release 3506P02",
        "Copyright (c) 2010-2018 Hewlett Packard Enterprise Development LP",
    ),
    after_uptime=(
        "Last reboot reason : Power on",
        "",
        "Boot image: flash:/5130ei-cmw710-boot-r3506p02.bin",
        "Boot image version: 7.1.070, Release 3506P02",
    ),
    paging_disabled=(),
    log_display=(
        "The current terminal is disabled to display logs.",
        "The current terminal is enabled to display logs.",
    ),
    saving="Validating file. Please wait...",
    saved=("Saved the current configuration to mainboard device successfully.",),
    vlan_list=(" Total VLANs: {count}", " The VLANs include:", " {vlans}"),
)

COMWARE_5 = Release(
    version="5.20.99, Release 2221P02",
    product="HP A5120-24G EI Switch with 2 Slots",
    before_uptime=(
        "HP Comware Platform Software",
        "Comware Software, Version 5.20.99, Release 2221P02",
        "Copyright (c) 2010-2013 Hewlett-Packard Development Company, L.P.",
    ),
    after_uptime=(),
    paging_disabled=("% Screen-length configuration is disabled for current user.",),
    log_display=("% Current terminal monitor is off.", "% Current terminal monitor is on."),
    saving="Validating file. Please wait.....................................",
    saved=(
        "The current configuration is saved to the active main board successfully.",
        "Configuration is saved to device successfully.",
    ),
    vlan_list=(" Total {count} VLAN exist(s).", " The following VLANs exist:", "  {vlans}"),
)


@dataclass(slots=True)
class Port:
    """A port; by default an open access port in VLAN 1."""

    description: str = ""
    shutdown: bool = False
    link_type: str = "access"  # or "trunk", "hybrid"
    access_vlan: int = DEFAULT_VLAN
    pvid: int = DEFAULT_VLAN
    permitted: frozenset[int] = frozenset({DEFAULT_VLAN})  # of a trunk port
    tagged: frozenset[int] = frozenset()  # of a hybrid port
    untagged: frozenset[int] = frozenset({DEFAULT_VLAN})  # of a hybrid port
    routed: bool = False  # "port link-mode route": it carries no VLAN
    channel: tuple[int, str] | None = None  # the number of its link aggregation
    dynamic: bool = False  # of an aggregate interface: its members use LACP
    voice_vlan: int | None = None  # the port joins it once it hears a telephone

    def become(self, link_type: str) -> None:
        """Change the link type; everything about VLANs returns to its default."""
        fresh = Port()
        self.link_type = link_type
        self.access_vlan, self.pvid = fresh.access_vlan, fresh.pvid
        self.permitted, self.tagged, self.untagged = fresh.permitted, frozenset(), fresh.untagged

    @property
    def attributes(self) -> dict[str, object]:
        """What all members of an aggregation have in common with its aggregate interface."""
        names = (
            "link_type",
            "access_vlan",
            "pvid",
            "permitted",
            "tagged",
            "untagged",
            "voice_vlan",
        )
        return {name: getattr(self, name) for name in names}

    def inherit(self, aggregate: Port) -> None:
        """Take over what is set on the aggregate interface."""
        for name, value in aggregate.attributes.items():
            setattr(self, name, value)

    def carried(self, vlans: Iterable[int]) -> cli.Carried:
        """Return what the port carries if ``vlans`` exist."""
        live = frozenset(vlans)
        if self.shutdown or self.routed:
            return cli.NOTHING
        now = self._configured(live)
        if self.voice_vlan not in live:
            return now
        return cli.Carried(now.untagged, (now.tagged | {self.voice_vlan}) - {now.untagged})

    def _configured(self, live: frozenset[int]) -> cli.Carried:
        if self.link_type == "access":
            return cli.Carried(self.access_vlan) if self.access_vlan in live else cli.NOTHING
        is_trunk = self.link_type == "trunk"
        passing = (self.permitted if is_trunk else self.untagged | self.tagged) & live
        if self.pvid in passing and (is_trunk or self.pvid in self.untagged):
            return cli.Carried(self.pvid, passing - {self.pvid})
        return cli.Carried(None, passing)


@dataclass(slots=True)
class Config(cli.Config):
    """A configuration. It names the release that wrote it."""

    ports: dict[str, Port]
    vlans: dict[int, str] = field(default_factory=lambda: {DEFAULT_VLAN: ""})
    release: Release = COMWARE_7

    def carried(self, port: str) -> cli.Carried:
        """Return what a port carries.

        A member of an aggregation carries what the aggregate interface does, and nothing if its own
        attributes are others: it is not selected then.
        """
        own = self.ports[port]
        aggregate = own if own.channel is None else self.ports.get(f"{AGGREGATE}{own.channel[0]}")
        if aggregate is None or own.shutdown or own.attributes != aggregate.attributes:
            return cli.NOTHING
        return aggregate.carried(self.vlans)

    def members(self, aggregate: str) -> list[Port]:
        """Return the members of an aggregation, given the full name of its interface."""
        number = int(aggregate.removeprefix(AGGREGATE))
        return [one for one in self.ports.values() if one.channel and one.channel[0] == number]

    def delete_vlan(self, vlan: int) -> None:
        """Delete a VLAN. Access ports return to VLAN 1; a trunk keeps the PVID."""
        del self.vlans[vlan]
        for port in self.ports.values():
            if port.access_vlan == vlan:
                port.access_vlan = DEFAULT_VLAN
