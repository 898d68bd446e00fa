"""The tables of the screens, by their names in console.toml: their columns, and what each shows.

The board's table is :mod:`haas_console.core.boardcolumns`, because its lines come in groups.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from haas_console.core import boardcolumns
from haas_console.core.auditlist import Change, outcome, what
from haas_console.core.columns import Table
from haas_console.core.contact import SILENT, last_contact, sign
from haas_console.core.devicetext import target_text
from haas_console.core.inventory import Inventory
from haas_console.core.jobtree import clock
from haas_console.core.master import state_text
from haas_console.core.natural import natural
from haas_console.core.sharelist import Share
from haas_console.core.timeline import TimelineEntry
from haas_console.core.times import elapsed, moment, moment_of
from haas_console.core.trunktext import end_text
from haas_schemas.drift import DriftItem
from haas_schemas.headnode import Headnode, HeadnodeNic
from haas_schemas.job import Job
from haas_schemas.project import Project, Quota
from haas_schemas.switch import Switch
from haas_schemas.token import Token


def _when(stamp: str | None, none: str = "-") -> str:
    return moment(stamp) if stamp else none


# --- jobs -----------------------------------------------------------------------------------------

JOBS: Table[Job] = Table(
    "jobs",
    {
        "job": lambda job: str(job.job),
        "project": lambda job: job.project or "the site",
        "kind": lambda job: job.kind,
        "state": lambda job: job.state,
        "by": lambda job: job.user,
        "target": lambda job: job.target or "-",
        "progress": lambda job: " " * 20,
        "done": lambda job: f"{job.done}/{job.total}",
        "started": lambda job: moment(job.started or job.created),
        "took": lambda job: (
            clock(elapsed(job.started, job.finished), exact=not job.under_way) or "-"
        ),
        "finished": lambda job: _when(job.finished),
        "error": lambda job: job.error or "",
    },
    usual=("job", "project", "kind", "state", "by", "progress", "done", "started", "took", "error"),
    flexible="error",
    first=("job", "state", "done", "project", "error", "started", "by", "took", "kind"),
    keys={
        "started": lambda job: job.started or job.created,
        "finished": lambda job: job.finished or "9",
        "took": lambda job: elapsed(job.started, job.finished) or 0.0,
        "progress": lambda job: job.done / job.total if job.total else 1.0,
    },
    most={"project": 20, "by": 16, "target": 20},
)


# --- headnodes ------------------------------------------------------------------------------------


class HeadnodeLine(msgspec.Struct, frozen=True):
    """A headnode, and its networks as they are shown."""

    headnode: Headnode
    networks: str

    @property
    def key(self) -> tuple[str, str]:
        """What identifies it."""
        return self.headnode.key


def headnode_line(inventory: Inventory, headnode: Headnode) -> HeadnodeLine:
    """A headnode as a line."""
    networks = ", ".join(nic_text(inventory, nic) for nic in headnode.nics)
    return HeadnodeLine(headnode, networks or "no nic")


def nic_text(inventory: Inventory, nic: HeadnodeNic) -> str:
    """``lab``, or ``lab → storage*`` if a change is staged."""
    now = nic.network or "no network"
    if nic.vlan == nic.applied:
        return now
    names = {net.vlan: net.network for net in inventory.networks.values()}
    before = "no network" if nic.applied is None else names.get(nic.applied, f"vlan {nic.applied}")
    return f"{before} → {now}*"


def hypervisor_text(headnode: Headnode) -> str:
    """``master``, or ``master → hv2*`` while a move is staged."""
    if headnode.moving_to is None:
        return headnode.hypervisor
    return f"{headnode.hypervisor} → {headnode.moving_to}*"


HEADNODES: Table[HeadnodeLine] = Table(
    "headnodes",
    {
        "project": lambda line: line.headnode.project,
        "headnode": lambda line: line.headnode.headnode,
        "state": lambda line: state_text(line.headnode),
        "networks": lambda line: line.networks,
        "hypervisor": lambda line: hypervisor_text(line.headnode),
        "image": lambda line: line.headnode.image,
        "macs": lambda line: " ".join(nic.mac for nic in line.headnode.nics) or "-",
        "uuid": lambda line: line.headnode.uuid or "-",
    },
    usual=("project", "headnode", "state", "networks", "image"),
    flexible="networks",
    first=("headnode", "state", "networks", "project"),
    most={"project": 20, "headnode": 20, "image": 24},
)


# --- projects -------------------------------------------------------------------------------------


class ProjectLine(msgspec.Struct, frozen=True):
    """A project, and how much is staged in it."""

    project: Project
    staged: int

    @property
    def key(self) -> str:
        """What identifies it."""
        return self.project.project


HELD = {"nodes": "nodes", "nets": "networks", "heads": "headnodes"}
"""What the columns of a project count, as quotas name it."""


def _counts(line: ProjectLine, column: str) -> tuple[int, int | None]:
    """How many a project holds, and how many it may."""
    noun = HELD[column]
    held: int = getattr(line.project, noun)
    most: int | None = getattr(line.project.quota or Quota(), noun)
    return held, most


def _held(column: str) -> Callable[[ProjectLine], str]:
    """A column of what is held, and how much may be: ``3/8``."""

    def text(line: ProjectLine) -> str:
        held, most = _counts(line, column)
        return str(held) if most is None else f"{held}/{most}"

    return text


def is_full(line: ProjectLine, column: str) -> bool:
    """Whether a project holds as many as it may."""
    held, most = _counts(line, column)
    return most is not None and held >= most


PROJECTS: Table[ProjectLine] = Table(
    "projects",
    {
        "project": lambda line: line.project.project,
        "nodes": _held("nodes"),
        "nets": _held("nets"),
        "heads": _held("heads"),
        "staged": lambda line: f"{line.staged}*" if line.staged else "-",
        "members": lambda line: ", ".join(line.project.members) or "-",
        "owners": lambda line: (
            ", ".join(u for u, role in line.project.roles.items() if role == "owner") or "-"
        ),
    },
    usual=("project", "nodes", "nets", "heads", "staged", "members"),
    flexible="members",
    keys={
        "nodes": lambda line: line.project.nodes,
        "nets": lambda line: line.project.networks,
        "heads": lambda line: line.project.headnodes,
        "staged": lambda line: line.staged,
    },
    most={"project": 24, "owners": 30},
)


# --- switches -------------------------------------------------------------------------------------


class SwitchLine(msgspec.Struct, frozen=True):
    """A switch; a tenant knows no more than its name. ``drift`` counts its differences."""

    name: str
    switch: Switch | None = None
    drift: int = 0

    @property
    def key(self) -> str:
        """What identifies it."""
        return self.name


def _of_switch(text: Any) -> Any:
    return lambda line: text(line.switch) if line.switch is not None else "-"


_ANSWERS = {SILENT: "no", "?": "not asked", "": "yes"}

SWITCHES: Table[SwitchLine] = Table(
    "switches",
    {
        "switch": lambda line: line.name,
        "answers": _of_switch(lambda s: "retired" if s.retired else _ANSWERS[sign(s)]),
        "contact": _of_switch(lambda s: last_contact(s) if sign(s) else "-"),
        "drift": lambda line: f"{line.drift}≠" if line.drift else "-",
        "saved": _of_switch(lambda s: "no" if s.unsaved else "yes"),
        "dialect": _of_switch(lambda s: s.dialect),
        "host": _of_switch(lambda s: f"{s.host}:{s.port}"),
        "ports": _of_switch(lambda s: str(s.ports)),
        "checked": _of_switch(lambda s: _when(s.checked, "never")),
        "transport": _of_switch(lambda s: s.transport),
        "vlans": _of_switch(lambda s: s.vlans or "-"),
        "trunks": _of_switch(
            lambda s: ", ".join(f"{end.port} = {end_text(end)}" for end in s.trunks) or "-"
        ),
    },
    usual=("switch",),
    flexible="switch",
    keys={
        "contact": _of_switch(lambda s: (s.last_contact or "") if sign(s) else "-"),
        "checked": lambda line: (line.switch.checked or "") if line.switch else "",
        "drift": lambda line: line.drift,
    },
    most={"switch": 24, "host": 30, "vlans": 40, "trunks": 60},
)


# --- drift ----------------------------------------------------------------------------------------

DRIFT: Table[DriftItem] = Table(
    "drift",
    {
        "device": lambda item: item.device,
        "target": lambda item: target_text(item.kind, item.target),
        "applied": lambda item: item.applied,
        "now": lambda item: item.observed,
        "project": lambda item: item.project or "-",
        "behind": lambda item: item.behind or "-",
        "since": lambda item: _when(item.since),
        "kind": lambda item: item.kind,
        "open": lambda item: {True: "yes", False: "no", None: "-"}[item.open],
        "line": lambda item: item.not_understood or "-",
    },
    usual=("device", "target", "applied", "now", "project", "behind", "since"),
    flexible="behind",
    first=("device", "target", "applied", "now", "project", "since"),
    keys={"since": lambda item: item.since or ""},
    most={"device": 24, "target": 24, "applied": 28, "now": 28, "project": 16, "behind": 40},
)


# --- the audit trail ------------------------------------------------------------------------------

AUDIT: Table[Change] = Table(
    "audit",
    {
        "when": lambda change: moment(change.record.time),
        "who": lambda change: change.who,
        "came in by": lambda change: change.record.via or "-",
        "what": lambda change: what(change.record),
        "outcome": lambda change: outcome(change.record),
        "project": lambda change: change.project or "-",
        "record": lambda change: str(change.record.id),
    },
    usual=("when", "who", "came in by", "what", "outcome"),
    flexible="what",
    first=("when", "who", "what", "outcome"),
    keys={"when": lambda change: change.at},
    most={"who": 16, "came in by": 20, "what": 200, "outcome": 28, "project": 20},
)


# --- events ---------------------------------------------------------------------------------------

EVENTS: Table[TimelineEntry] = Table(
    "events",
    {
        "when": lambda entry: moment_of(entry.at),
        "kind": lambda entry: entry.kind,
        "who": lambda entry: entry.who or "-",
        "what": lambda entry: entry.what,
        "object": lambda entry: entry.object or "-",
        "outcome": lambda entry: entry.note or "-",
        "took": lambda entry: "-" if entry.ms is None else f"{entry.ms:.1f} ms",
        "project": lambda entry: entry.project or "-",
    },
    usual=("when", "who", "what", "object", "outcome", "took"),
    flexible="what",
    keys={"when": lambda entry: entry.at, "took": lambda entry: entry.ms or 0.0},
    most={"who": 16, "what": 200, "object": 28, "outcome": 28, "project": 20},
)


# --- tokens, and shares of networks ---------------------------------------------------------------

TOKENS: Table[Token] = Table(
    "tokens",
    {
        "label": lambda token: token.label,
        "user": lambda token: token.user,
        "for": lambda token: token.project or "all projects",
        "may": lambda token: "read" if token.readonly else "change",
        "created": lambda token: moment(token.created, exact=False),
        "expires": lambda token: moment(token.expires, exact=False) if token.expires else "never",
        "last used": lambda token: (
            moment(token.last_used, exact=False) if token.last_used else "never"
        ),
    },
    usual=("label", "user", "for", "may", "expires", "last used", "created"),
    flexible="label",
    first=("label", "for", "may", "expires", "last used", "user"),
    keys={
        "created": lambda token: token.created,
        "expires": lambda token: token.expires or "9",
        "last used": lambda token: token.last_used or "",
    },
    most={"label": 40, "user": 16, "for": 20},
)

SHARES: Table[Share] = Table(
    "shares",
    {
        "network": lambda share: share.network,
        "owner": lambda share: share.owner,
        "with": lambda share: share.guest,
        "state": lambda share: share.state,
        "VLAN": lambda share: str(share.vlan) if share.vlan is not None else "-",
        "what to do": lambda share: share.hint,
    },
    usual=("network", "owner", "with", "state", "VLAN", "what to do"),
    flexible="what to do",
    most={"network": 24, "owner": 20, "with": 20, "what to do": 60},
)


_TABLES = (JOBS, HEADNODES, PROJECTS, SWITCHES, DRIFT, AUDIT, EVENTS, TOKENS, SHARES)

NAMES: Mapping[str, tuple[str, ...]] = {
    "board": boardcolumns.NAMES,
    **{table.name: tuple(table.cells) for table in _TABLES},
}
"""The columns that there are, by the table's name in console.toml."""


def sorted_drift(items: Any) -> list[DriftItem]:
    """Drift by device, kind and target."""
    return sorted(items, key=lambda i: (natural(i.device), i.kind, natural(i.target)))
