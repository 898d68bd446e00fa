"""The settings of ``haas.toml``, and credentials; :mod:`.configfiles` reads the files."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from haas_rpcd.bmc import BmcSettings
from haas_rpcd.hasettings import HaSettings
from haas_rpcd.holding import LeaseSettings, ReleaseSettings
from haas_rpcd.vlanranges import parse_vlan_ranges

DEFAULT_PATH = "/etc/haas/haas.toml"

RESERVED_VLANS = {1, *range(1002, 1006)}
"""VLAN ids that no network may have. 1 is the default VLAN of switches; Cisco switches reserve
1002-1005 for Token Ring and FDDI, and refuse to create or remove them."""


class ConfigError(Exception):
    """The configuration cannot be used. The message names the file, the key and the remedy."""


class Server(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``[server]``: where the daemon listens."""

    socket: Annotated[str, Meta(description="Path of the Unix socket.", min_length=1)] = (
        "/run/haas/rpcd.sock"
    )
    listen: Annotated[
        str | None,
        Meta(description="HOST:PORT for TCP with TLS; needs tls_cert and tls_key off loopback."),
    ] = None
    tls_cert: Annotated[str | None, Meta(description="PEM file of the certificate chain.")] = None
    tls_key: Annotated[str | None, Meta(description="PEM file of the private key.")] = None
    tls_client_ca: Annotated[
        str | None,
        Meta(description="PEM file: clients must show a certificate that it has signed."),
    ] = None
    tls_client_crl: Annotated[
        str | None,
        Meta(description="PEM file: certificates of clients that tls_client_ca has revoked."),
    ] = None
    admin_group: Annotated[
        str | None,
        Meta(description="The OS group whose members are admins on the socket."),
    ] = None
    shutdown_timeout: Annotated[
        float,
        Meta(
            ge=0,
            le=60,
            description="Seconds that jobs have to end when the daemon is stopped; what is left is"
            " planned again at the next start. Less than TimeoutStopSec of its unit.",
        ),
    ] = 20.0


class SiteSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``[site]``: what users call it."""

    name: Annotated[
        str,
        Meta(
            description="Its name, on top of every console: at most 32 letters, digits and  . _ -",
            pattern=r"^[\w.-]{0,32}$",
        ),
    ] = ""


class StoreSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``[store]``: where the database is."""

    path: Annotated[str, Meta(description="Path of the SQLite database.")] = "/var/lib/haas/haas.db"


class Vlans(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``[vlans]``: the ids that HaaS may use. It never touches any other."""

    pool: Annotated[str, Meta(description='VLAN ids and ranges, e.g. "100-199,250".')] = "100-199"


class Master(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``[master]``: the trunk nic and the hypervisor. Without it: no bridges and no headnodes."""

    trunk_nic: Annotated[
        str,
        Meta(
            description="The nic on the switch's trunk port, e.g. eth0.",
            min_length=1,
            max_length=15,  # IFNAMSIZ of the kernel, less the NUL
        ),
    ]
    libvirt_uri: Annotated[str, Meta(description="Where libvirt is.")] = "qemu:///system"
    images: Annotated[
        list[str], Meta(description="Domains that headnodes may be cloned from.", min_length=1)
    ] = msgspec.field(default_factory=lambda: ["base-headnode"])


class CredentialsSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``[credentials]``: the file that holds the switches' passwords, mode 0600."""

    file: Annotated[str, Meta(description="Path of the credentials file.")] = (
        "/etc/haas/credentials.toml"
    )


class Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``[policy]``: what tenants may do."""

    tenants_connect_bmc: Annotated[
        bool, Meta(description="Whether tenants may connect nics of kind bmc.")
    ] = True
    allow_mac_spoofing: Annotated[
        bool,
        Meta(
            description="Whether headnodes may send from other MACs than their own, as virtual"
            " machines inside them do. Running headnodes follow at the next check for drift."
        ),
    ] = False
    power_off_on_release: Annotated[
        bool,
        Meta(
            description="Whether a node that is released must be off before it is free, if it has a"
            " BMC."
        ),
    ] = False
    require_proof: Annotated[
        bool,
        Meta(description="Whether only nodes whose cabling is proven are allocated."),
    ] = False
    restart_headnodes: Annotated[
        bool,
        Meta(
            description="Whether headnodes that ran are started again after a reboot of the master."
        ),
    ] = True


class CablingSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``[cabling]``: when cabling is checked, and how it is proved."""

    interval: Annotated[
        float,
        Meta(description="Seconds between checks of all switches; 0: no regular checks.", ge=0),
    ] = 3600.0

    listen_timeout: Annotated[
        float,
        Meta(
            description="Seconds for which a proof waits to hear from a nic: its node boots.",
            gt=0,
            le=3600,
        ),
    ] = 240.0


class SwitchSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``[switches]``: time-outs in seconds, the site's own dialects, and trusted host keys."""

    connect_timeout: Annotated[
        float, Meta(description="Seconds for the TCP connection.", gt=0, le=300)
    ] = 5.0
    login_timeout: Annotated[
        float, Meta(description="Seconds for each prompt of the login.", gt=0, le=300)
    ] = 20.0
    answer_timeout: Annotated[
        float, Meta(description="Seconds for the answer to one line.", gt=0, le=600)
    ] = 30.0
    busy_timeout: Annotated[
        float,
        Meta(
            description="Seconds to wait for a free session, or for a configuration that somebody"
            " else has locked.",
            ge=0,
            le=600,
        ),
    ] = 20.0
    settle_timeout: Annotated[
        float,
        Meta(
            description="Seconds after which a line that a switch did not answer can no longer take"
            " effect. Until then what it concerns is not free.",
            ge=0,
            le=86400,
        ),
    ] = 600.0
    keep_session: Annotated[
        float,
        Meta(description="Seconds after which an unused session is closed.", ge=0, le=3600),
    ] = 30.0
    dialects: Annotated[
        str, Meta(description="Folder of the site's own dialects, one Python file each.")
    ] = "/etc/haas/dialects"
    keepalive: Annotated[
        float,
        Meta(
            description="Seconds of silence after which a connection is checked; 0: never.",
            ge=0,
            le=3600,
        ),
    ] = 30.0
    contact_interval: Annotated[
        float,
        Meta(
            description="Seconds of silence after which it is seen whether a switch still answers;"
            " 0: never.",
            ge=0,
        ),
    ] = 300.0
    known_hosts: Annotated[
        str,
        Meta(description="The SSH host keys that are trusted, in OpenSSH's format.", min_length=1),
    ] = "/var/lib/haas/known_hosts"


class MetricsSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``[metrics]``: counts for Prometheus, and a check for load balancers."""

    listen: Annotated[
        str | None,
        Meta(description="HOST:PORT of /metrics and /healthz, which ask for no token."),
    ] = None


class DriftSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``[drift]``: when devices are checked against what was applied, and repaired."""

    interval: Annotated[
        float,
        Meta(description="Seconds between checks of everything; 0: no regular checks.", ge=0),
    ] = 900.0
    repair_restarted: Annotated[
        bool,
        Meta(description="Whether a switch that was restarted is repaired by itself."),
    ] = True


Level = Literal["debug", "info", "warning", "error"]


class LogSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``[log]``: what is logged to stderr, and how. SIGHUP takes a change over."""

    format: Annotated[
        Literal["text", "json"], Meta(description="Lines of text, or one JSON object a line.")
    ] = "text"
    level: Annotated[Level, Meta(description="What is logged at least.")] = "info"
    levels: Annotated[
        dict[str, Level],
        Meta(description='Levels of single parts, e.g. { "haas_rpcd.drivers" = "debug" }.'),
    ] = msgspec.field(default_factory=dict)


class BackupSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``[backup]``: copies of the database that the daemon makes by itself."""

    folder: Annotated[
        str | None, Meta(description="Folder of the backups; without it there are none.")
    ] = None
    interval: Annotated[float, Meta(description="Seconds between two backups.", ge=60)] = 86400.0
    keep: Annotated[int, Meta(description="How many backups are kept.", ge=1)] = 14


class AuditSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``[audit]``: how long the audit trail is kept."""

    keep_days: Annotated[
        float, Meta(description="Days that a record is kept; 0: no limit of age.", ge=0)
    ] = 730.0
    keep_records: Annotated[
        int, Meta(description="How many records are kept at most.", ge=1000)
    ] = 1_000_000
    keep_transcripts: Annotated[
        int, Meta(description="How many transcripts of sessions are kept at most.", ge=0)
    ] = 10_000


class ConsoleSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``[consoles]``: what is kept of serial lines that nobody watches."""

    always_log: Annotated[
        tuple[Literal["headnodes", "nodes"], ...],
        Meta(
            description="Of what the console is logged also while nobody watches it. A node's line"
            " is its BMC's only one then."
        ),
    ] = ()


class JobSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``[jobs]``: how long jobs that have ended are kept, with their steps."""

    keep_days: Annotated[
        float, Meta(description="Days that a job is kept; 0: no limit of age.", ge=0)
    ] = 365.0
    keep: Annotated[int, Meta(description="How many jobs are kept at most.", ge=100)] = 100_000


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All of ``haas.toml``. Every table may be left out."""

    server: Server = Server()
    store: StoreSettings = StoreSettings()
    vlans: Vlans = Vlans()
    master: Master | None = None
    credentials: CredentialsSettings = CredentialsSettings()
    policy: Policy = Policy()
    switches: SwitchSettings = SwitchSettings()
    drift: DriftSettings = DriftSettings()
    bmc: BmcSettings = BmcSettings()
    cabling: CablingSettings = CablingSettings()
    leases: LeaseSettings = LeaseSettings()
    release: ReleaseSettings = ReleaseSettings()
    backup: BackupSettings = BackupSettings()
    log: LogSettings = LogSettings()
    metrics: MetricsSettings = MetricsSettings()
    consoles: ConsoleSettings = ConsoleSettings()
    jobs: JobSettings = JobSettings()
    audit: AuditSettings = AuditSettings()
    site: SiteSettings = SiteSettings()
    ha: HaSettings = HaSettings()

    @property
    def pool(self) -> tuple[int, ...]:
        """The VLAN ids that HaaS may use, sorted."""
        return parse_vlan_ranges(self.vlans.pool)


class Credential(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One entry of the credentials file. It never leaves the daemon's memory."""

    username: str = ""
    password: str = ""
    enable: str = ""
    key_file: Annotated[
        str,
        Meta(
            description="Path of a private SSH key without a passphrase, mode 0600; with or"
            " without a password.",
            pattern="^(/.*)?$",
        ),
    ] = ""

    def __repr__(self) -> str:
        return (
            f"Credential(username={self.username!r}, password=…, enable=…,"
            f" key_file={self.key_file!r})"
        )
