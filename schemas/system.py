"""The daemon itself, its site file and its audit trail."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from haas_schemas.project import MemberRole


class Standby(msgspec.Struct, frozen=True):
    """The daemon stands by for another master: it serves reads of what that one had.

    ``master`` is the other one's name, null if there is none; ``address`` is where users reach it,
    if the site has such an address. ``age``: for how many seconds the data may be out of date.
    """

    master: str | None
    address: str | None
    age: float


class SystemInfo(msgspec.Struct, frozen=True):
    """The daemon, and who is asking. ``uptime`` is in seconds.

    ``roles`` are the caller's in its projects; ``readonly``: it may change nothing; ``via``: how it
    came in, ``socket`` or ``token LABEL``. ``site`` is the name of the site, empty if it has none.
    ``standby``: null unless another master serves changes.
    """

    name: str
    version: str
    user: str
    admin: bool
    projects: tuple[str, ...]
    pool: str
    master: bool
    images: tuple[str, ...]
    dialects: tuple[str, ...]
    demo: bool
    uptime: float
    roles: dict[str, MemberRole] = {}
    readonly: bool = False
    via: str = "socket"
    site: str = ""
    standby: Standby | None = None


class StoreHealth(msgspec.Struct, frozen=True):
    """The database; ``size`` and ``free`` (on its disk) are in bytes, null for one in memory."""

    ok: bool
    size: int | None
    free: int | None


class SwitchHealth(msgspec.Struct, frozen=True):
    """Whether a switch answers: null while never tried; ``last_contact``: when it last did.

    A ``retired`` one is expected not to. ``cabling_checked``: when its MAC table was last read.
    """

    switch: str
    reachable: bool | None
    last_contact: str | None
    retired: bool = False
    cabling_checked: str | None = None


class CablingHealth(msgspec.Struct, frozen=True):
    """How many nics the last check found in each state, and when it last read a switch."""

    right: int = 0
    swapped: int = 0
    unknown: int = 0
    not_seen: int = 0
    last_check: str | None = None


class PowerHealth(msgspec.Struct, frozen=True):
    """How many nodes with a BMC are on and off, and of how many it is not known.

    ``silent``: the nodes whose BMC failed when it was asked last.
    """

    on: int = 0
    off: int = 0
    unknown: int = 0
    silent: tuple[str, ...] = ()


class ImageCopying(msgspec.Struct, frozen=True):
    """How far a base image is copied to a hypervisor, in bytes."""

    image: str
    done: int
    total: int


class HypervisorHealth(msgspec.Struct, frozen=True):
    """Whether a hypervisor's ``libvirt`` and ``network`` answer: null while it is out of service.

    ``reachable``: whether either does. ``headnodes`` counts those that are on it or are to be.
    ``images``: the base images that it has, ``copying`` those that are copied there now. ``memory``
    is all that it has, and ``free`` what nobody uses now, in bytes: as last read, null if it could
    not be.
    """

    hypervisor: str
    libvirt: bool | None
    network: bool | None
    headnodes: int
    retired: bool = False
    reachable: bool | None = None
    images: tuple[str, ...] = ()
    copying: tuple[ImageCopying, ...] = ()
    memory: int | None = None
    free: int | None = None


class QueueHealth(msgspec.Struct, frozen=True):
    """The jobs under way; ``oldest``: when the first of them was requested."""

    queued: int
    running: int
    oldest: str | None


class NotRestored(msgspec.Struct, frozen=True):
    """What a reboot took from a hypervisor, and the daemon could not restore yet.

    ``device``: ``master`` if only bridges are lost, ``libvirt`` if headnodes are; on others the
    hypervisor's name or ``libvirt:NAME``. ``attempts``: how
    many failed, the last one with ``error``. ``again``: when the next one follows, null if only a
    change of the hypervisor leads to one.
    """

    device: str
    attempts: int
    error: str
    again: str | None


class HaHealth(msgspec.Struct, frozen=True):
    """Which of two masters this is, and how its copies are.

    ``role``: ``master`` and ``standby`` are the two; ``alone`` has no other, and copies for the
    case of a disaster. ``token`` grows with each change of the master; 0 for the others.
    ``waiting``: for how many seconds commits have waited to be copied; 0 if none does. ``age``: for
    how many seconds the copies, or the data that a standby serves, may be out of date; null while
    there are none. ``problem``: why they were not renewed; null if they were.
    """

    name: str
    token: int
    waiting: float
    role: Literal["master", "standby", "alone"] = "master"
    age: float | None = None
    problem: str | None = None


class SystemHealth(msgspec.Struct, frozen=True):
    """How the daemon and what it manages are.

    ``problems`` are sentences that say what is wrong and what to do; there are none if ``ok``.
    ``libvirt`` and ``trunk``: whether the master's two devices answer, null without a master.
    ``drift`` counts the differences that are known, ``last_backup`` is the newest backup in the
    folder of backups. ``not_restored``: what could not be restored yet, of the master first.
    ``hypervisors``: all of them, the master first.
    ``swapped`` counts the nics that switches see elsewhere than where they are registered,
    ``wrong_links`` the trunk ports that LLDP says lead elsewhere than declared.
    ``cabling`` and ``power``: null if the database does not work.
    ``ha``: of one of two masters, and of one whose database is copied; null for others.
    """

    ok: bool
    problems: tuple[str, ...]
    store: StoreHealth
    switches: tuple[SwitchHealth, ...]
    libvirt: bool | None
    trunk: bool | None
    jobs: QueueHealth
    drift: int
    last_backup: str | None
    not_restored: NotRestored | None = None
    hypervisors: tuple[HypervisorHealth, ...] = ()
    swapped: int = 0
    wrong_links: int = 0
    ha: HaHealth | None = None
    cabling: CablingHealth | None = None
    power: PowerHealth | None = None


class Pulse(msgspec.Struct, frozen=True):
    """Figures of the site that no list gives.

    ``vlans`` (ids in the pool), ``vlans_free``, ``libvirt`` and ``trunk`` are null for tenants:
    they would count what others do. The last two say whether the master's devices answer, null
    without a master. ``ended`` counts the jobs that ended in each 5 minutes of the last hour, the
    oldest first, and ``failed`` those of them that failed; for tenants, of their own projects.
    ``allocated`` counts likewise the nodes that were allocated, and ``lost`` how often a switch
    ceased to answer: for admins only, and as far as the daemon has run.
    """

    vlans: int | None
    vlans_free: int | None
    libvirt: bool | None
    trunk: bool | None
    ended: tuple[int, ...]
    failed: tuple[int, ...]
    allocated: tuple[int, ...] = ()
    lost: tuple[int, ...] = ()


class SiteChanges(msgspec.Struct, frozen=True):
    """What a site import changed, or would change, e.g. ``node node-1``.

    ``conflicts``: what stands in the way of a merge, if it is a dry run.
    """

    dry_run: bool
    created: tuple[str, ...]
    changed: tuple[str, ...]
    unchanged: int
    conflicts: tuple[str, ...] = ()


class SiteText(msgspec.Struct, frozen=True):
    """The inventory as the text of a site file (TOML)."""

    site: str


class AuditRecord(msgspec.Struct, frozen=True):
    """Who asked for which change, when, and with what outcome. Never holds a secret.

    ``id``: its number in the whole trail; for tenants, within its project. ``via``: how the caller
    came in. ``objects``: what it was about, such as ``node node-1``. ``job``: the job it started.
    """

    id: int
    time: str
    user: str
    method: str
    project: str | None
    params: dict[str, Any]
    outcome: str
    message: str | None
    via: str = ""
    objects: tuple[str, ...] = ()
    job: int | None = None


class AuditVerdict(msgspec.Struct, frozen=True):
    """Whether the audit trail is as it was written.

    ``records``: how many are right, from ``first`` to ``last``. ``head``: the hash of the last one,
    in hexadecimal; kept somewhere else, it shows later that nothing before it changed. ``broken``:
    the number of the first record that is wrong. ``message``: what is wrong.
    """

    ok: bool
    records: int
    first: int | None
    last: int | None
    head: str
    broken: int | None = None
    message: str | None = None
