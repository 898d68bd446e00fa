"""What the API answers with: the records of design.md, section 7. No I/O.

Field names are part of the contract. Times are UTC in RFC 3339 form with milliseconds.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Generic, Literal, TypeVar

import msgspec
from msgspec import Meta

_NAME = r"[a-z0-9][a-z0-9.-]{0,62}"

NAME_RULE = "1 to 63 of a-z 0-9 . - starting with a letter or digit"

Name = Annotated[str, Meta(pattern=rf"^{_NAME}\Z", description=f"A name: {NAME_RULE}.")]
UserName = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}\Z",
        description="An OS user's name: letters, digits, _ . - and at most 63 of them.",
    ),
]
NetworkName = Annotated[
    str,
    Meta(
        pattern=rf"^({_NAME}/)?{_NAME}\Z",
        description="A network's name, or owner/network for one that another project shares.",
    ),
]
PortName = Annotated[
    str,
    Meta(
        # A blank only before a number: in lines for a shell, whatever is behind one is a word.
        pattern=r"^(?:[A-Za-z-]{1,32} (?=\d))?[A-Za-z0-9][A-Za-z0-9/._:-]{0,62}\Z",
        description="A port's name as the switch writes it, e.g. Gi1/0/1 or ethernet 1/1/1.",
    ),
]
NicName = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}\Z",
        description="A nic's name within its node, e.g. primary-nic.",
    ),
]
Tag = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9._=-]{0,62}\Z", description="A tag, e.g. gpu.")]
Mac = Annotated[
    str,
    Meta(
        pattern=r"^[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}\Z",
        description="A MAC address, e.g. 52:54:00:12:34:56.",
    ),
]
VlanId = Annotated[int, Meta(ge=2, le=4094, description="An 802.1q VLAN id of the pool.")]
Host = Annotated[
    str,
    Meta(pattern=r"^[A-Za-z0-9:][A-Za-z0-9.:_%-]{0,254}\Z", description="Host name or IP address."),
]
TcpPort = Annotated[int, Meta(ge=1, le=65535, description="A TCP port.")]
TransportName = Literal["telnet", "ssh"]
DEFAULT_PORTS: dict[str, int] = {"telnet": 23, "ssh": 22}
"""The port of each transport, where a switch is registered without one."""
Fingerprint = Annotated[
    str,
    Meta(
        pattern=r"^SHA256:[A-Za-z0-9+/]{43}=?\Z",
        description="A host key's fingerprint as ssh-keygen -l writes it, e.g. SHA256:Zm9v….",
    ),
]
Limit = Annotated[int, Meta(ge=1, le=1000, description="At most so many records, 1 to 1000.")]
JobId = Annotated[int, Meta(ge=1, le=2**53 - 1, description="A job's number.")]

NodeState = Literal["unconfirmed", "free", "allocated", "releasing"]
JobState = Literal["queued", "running", "succeeded", "failed", "cancelled"]
JobKind = Literal["apply", "release", "site", "repair"]
StepState = Literal[
    "pending", "sending", "sent", "done", "failed", "skipped", "cancelled", "interrupted"
]
FINAL_JOB_STATES = frozenset({"succeeded", "failed", "cancelled"})

T = TypeVar("T")


class Page(msgspec.Struct, Generic[T]):
    """Some of a list; ``next``, if not null, is the ``after`` of the call that gives the rest."""

    items: list[T]
    next: str | None = None


class Deleted(msgspec.Struct):
    """``deleted`` false: it is staged, and goes with the next apply; ``note`` says so."""

    deleted: bool
    note: str | None = None


class SystemInfo(msgspec.Struct):
    """The daemon, and who is asking."""

    name: str
    version: str
    user: str
    admin: bool
    projects: list[str]
    pool: str
    master: bool
    images: list[str]
    dialects: list[str]
    demo: bool
    uptime: float


class Project(msgspec.Struct):
    """A tenant, and how much it holds."""

    project: str
    members: list[str]
    nodes: int
    networks: int
    headnodes: int


class User(msgspec.Struct):
    """A person: on the Unix socket, the OS user of the same name."""

    user: str
    admin: bool
    projects: list[str]


class Switch(msgspec.Struct):
    """A managed switch. ``credential`` names an entry of the credentials file.

    ``drift`` counts what was found not to be as applied when it was last looked at, at ``checked``.
    """

    switch: str
    dialect: str
    host: str
    port: int
    transport: str
    credential: str | None
    options: dict[str, Any]
    ports: int
    unsaved: bool
    drift: int = 0
    checked: str | None = None


class Carried(msgspec.Struct):
    """What a port was last confirmed to carry; neither: parked."""

    untagged: int | None
    tagged: str


class ProbedPort(msgspec.Struct):
    """A port that a switch has. ``managed``: it is registered; ``adopted``: its state is taken over
    as applied."""

    port: str
    carries: Carried
    managed: bool
    adopted: bool = False


class Probe(msgspec.Struct):
    """What a switch answered when HaaS logged in and looked.

    ``model`` and ``version`` are null where it does not say. ``version`` lines are all it says.
    ``vlans`` are the VLAN ids in use on it, as a list of ranges. ``warnings`` say what stands in
    the way of adoption.
    """

    switch: str
    reachable: bool
    prompt: str
    model: str | None
    version: str | None
    said: list[str]
    vlans: str
    ports: list[ProbedPort]
    dry_run: bool = False
    warnings: list[str] = []


class DriftItem(msgspec.Struct):
    """One thing that is not as it was applied: what was applied, and what is there now.

    ``project`` and ``behind`` say whom it concerns. ``since`` is when it was first seen.
    """

    device: str
    kind: Literal["port", "vlan", "bridge", "headnode"]
    target: str
    applied: str
    observed: str
    project: str | None
    behind: str | None
    since: str | None


class Unread(msgspec.Struct):
    """A device that could not be read, and why."""

    device: str
    message: str


class DriftReport(msgspec.Struct):
    """What a check found. ``checked`` are the devices that were read."""

    checked: list[str]
    unreachable: list[Unread]
    items: list[DriftItem]


class SwitchTrust(msgspec.Struct):
    """The SSH host key that a switch shows.

    ``state``, after this call: ``known`` (it is trusted), ``unknown``, ``changed`` (other keys of
    the switch are trusted, not this one) or ``revoked``. ``trusted`` lists the keys that were
    trusted before; ``stored`` says whether this one took their place just now; ``note`` says what
    to do next, if anything.
    """

    switch: str
    host: str
    port: int
    type: str
    fingerprint: str
    state: Literal["known", "unknown", "changed", "revoked"]
    stored: bool
    trusted: list[str]
    note: str | None = None


class Port(msgspec.Struct):
    """A port of a switch and what is behind it. ``applied`` null: not confirmed yet.

    ``drift`` says what was found on it instead, when its switch was last looked at.
    """

    switch: str
    port: str
    role: Literal["access", "trunk"]
    applied: Carried | None
    node: str | None
    nic: str | None
    project: str | None
    drift: str | None = None


class Connected(msgspec.Struct):
    """A network on a nic. ``network`` null: the VLAN of a network that is deleted."""

    network: str | None
    vlan: int
    tagged: bool = False


class Nic(msgspec.Struct):
    """A nic of a node: ``networks`` is what is staged, ``applied`` what the switch confirmed.

    ``state``: ``applied`` when the two agree, ``staged`` when an apply would change the port,
    ``unconfirmed`` when the port's state is not known, ``unwired`` when no port is registered.
    """

    nic: str
    kind: Literal["data", "bmc"]
    mac: str | None
    switch: str | None
    port: str | None
    state: Literal["applied", "staged", "unconfirmed", "unwired"]
    networks: list[Connected]
    applied: list[Connected] | None


class Node(msgspec.Struct):
    """A physical machine."""

    node: str
    state: NodeState
    project: str | None
    tags: list[str]
    nics: list[Nic]


class Allocated(msgspec.Struct):
    """The nodes that were allocated."""

    project: str
    nodes: list[str]


class Released(msgspec.Struct):
    """The node is ``releasing`` until the job has parked its ports, then ``free``."""

    node: str
    state: NodeState
    job: int | None


class Network(msgspec.Struct):
    """A logical network: one VLAN."""

    project: str
    network: str
    vlan: int
    shared_with: list[str]
    nics: int
    headnodes: int


class NetworkNic(msgspec.Struct):
    """A nic on a network, as staged."""

    node: str
    nic: str
    tagged: bool


class NetworkDetail(msgspec.Struct):
    """A network with what is connected to it, as staged and as far as the caller may see."""

    project: str
    network: str
    vlan: int
    shared_with: list[str]
    nics: list[NetworkNic]
    headnodes: list[str]


class HeadnodeNicRecord(msgspec.Struct):
    """A nic of a headnode: ``network`` is what is staged, ``applied`` the confirmed VLAN id."""

    nic: str
    mac: str
    network: str | None
    vlan: int | None
    applied: int | None


class Headnode(msgspec.Struct):
    """A login machine. ``state`` is what the hypervisor confirmed, ``running`` what is wanted."""

    project: str
    headnode: str
    state: Literal["staged", "running", "stopped", "deleting", "unknown"]
    running: bool
    image: str
    uuid: str
    nics: list[HeadnodeNicRecord]


class PlanStep(msgspec.Struct):
    """One step of a plan: what, on which device, and the very lines that will be sent."""

    device: str
    kind: str
    target: str
    summary: str
    lines: list[str]


class PlanRecord(msgspec.Struct):
    """What an apply would do now."""

    digest: str
    steps: list[PlanStep]
    empty: bool


class Started(msgspec.Struct):
    """The job that was started."""

    job: int


class JobStep(msgspec.Struct):
    """One step of a job, with its state and, where it failed, the sentence that says why."""

    step: int
    device: str
    kind: str
    target: str
    summary: str
    lines: list[str]
    state: StepState
    message: str | None
    started: str | None
    finished: str | None


class Job(msgspec.Struct):
    """An apply under way or past. ``done`` counts the steps that a device confirmed.

    ``seq``, with ``job.subscribe``: notifications up to this number are in this record already.
    """

    job: int
    project: str | None
    kind: JobKind
    state: JobState
    user: str
    done: int
    total: int
    created: str
    started: str | None
    finished: str | None
    error: str | None
    steps: list[JobStep]
    seq: int = 0


class StepNews(msgspec.Struct):
    """What has become of one step; ``line`` is the line just sent, if that is the news."""

    step: int
    device: str
    kind: str
    target: str
    summary: str
    state: StepState
    message: str | None = None
    line: str | None = None


class JobEvent(msgspec.Struct):
    """Notification ``job.event``: how the job stands, and the step that changed, if one did."""

    job: int
    seq: int
    state: JobState
    done: int
    total: int
    step: StepNews | None = None
    error: str | None = None


class InventoryEvent(msgspec.Struct):
    """Notification ``inventory.event``: something was made, changed or deleted; fetch it again."""

    seq: int
    noun: str
    verb: str
    name: str
    project: str | None = None


class Subscribed(msgspec.Struct):
    """The subscription is on; notifications follow on this connection."""

    subscribed: bool


class SiteChanges(msgspec.Struct):
    """What an import did, or would do: things by their names, e.g. ``node node-1``."""

    dry_run: bool
    created: list[str]
    changed: list[str]
    unchanged: int


class SiteText(msgspec.Struct):
    """The inventory as the text of a site file (TOML)."""

    site: str


class AuditRecord(msgspec.Struct):
    """Who asked for which change when, and what came of it. Never holds a secret."""

    id: int
    time: str
    user: str
    method: str
    project: str | None
    params: dict[str, Any]
    outcome: str
    message: str | None


def timestamp(seconds: float | None) -> str | None:
    """Write seconds since the epoch as RFC 3339 in UTC with milliseconds."""
    if seconds is None:
        return None
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
