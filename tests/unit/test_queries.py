"""Every query of the store returns the columns and the types of its struct, on any database."""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any, get_args, get_type_hints

import msgspec
import pytest

from haas_rpcd import planner
from haas_rpcd.bmc import RegisteredBmc
from haas_rpcd.boottime import Moment
from haas_rpcd.devicenames import LIBVIRT, MASTER
from haas_rpcd.model import (
    PARKED,
    DeleteHeadnode,
    HeadnodeSeen,
    PortConfig,
    PortRef,
    SetPort,
    SetVlan,
)
from haas_rpcd.planner.cabling import (
    CablingVerdict,
    LldpNeighbour,
    Seen,
    StrangerRow,
    SwitchView,
)
from haas_rpcd.planner.links import EndVerdict, LinkVerdict
from haas_rpcd.registered import RegisteredHypervisor
from haas_rpcd.states import SwitchTraits
from haas_rpcd.store import (
    applied,
    audit,
    backs,
    bmcs,
    cabling,
    confirms,
    consoles,
    drift,
    evidence,
    headnode_states,
    headnodes,
    hypervisors,
    identities,
    images,
    jobs,
    late,
    leases,
    networks,
    nics,
    nodes,
    passing,
    ports,
    projects,
    proofs,
    scope,
    sendable,
    shares,
    switches,
    tokens,
    transcripts,
    trunks,
    users,
    vlans,
)
from haas_rpcd.store.database import Store, Tx
from haas_rpcd.store.rows import Row, reader
from haas_rpcd.store.scope import Scope

MODULES = [
    applied,
    audit,
    bmcs,
    cabling,
    drift,
    evidence,
    headnodes,
    hypervisors,
    identities,
    jobs,
    late,
    leases,
    networks,
    nodes,
    passing,
    ports,
    projects,
    proofs,
    scope,
    sendable,
    shares,
    switches,
    tokens,
    trunks,
    users,
    vlans,
]
SCOPES = [Scope(), Scope(project_id=1), Scope(project_id=1, node_id=2)]
UUID = "11111111-1111-4111-8111-111111111111"
DIFFERENCE = drift.DifferenceRow("port", "Gi1/0/1", "parked", "access 1")


def traits(dialect: str, trunks: int) -> SwitchTraits:
    return SwitchTraits(declares_vlans=True, saves=True, trunks=trunks)


def noted_late(tx: Tx) -> None:
    """Note that all ports of sw1 may change late."""
    for port in ports.page(tx, 1, 9, 0):
        late.note(tx, "sw1", SetPort(port.name, PortConfig(100)), Moment("a boot", 1.0))


def noted_gone(tx: Tx) -> None:
    """Note that no headnode is on the hypervisor any more."""
    gone = {row.label: HeadnodeSeen(defined=False) for row in headnodes.on_hypervisor(tx)}
    headnode_states.observe(tx, MASTER, gone, watched=True)


def to_confirm(tx: Tx) -> None:
    """Let red's job 2, if there is one, go back unless it is confirmed."""
    if jobs.find(tx, 2) is not None and confirms.find(tx, 2) is None:
        confirms.request(tx, 2, 60.0)
        confirms.remember(tx, 2, Scope(project_id=1))


def with_bmcs(tx: Tx) -> None:
    """Register the BMC of every node, and note that they are on."""
    for row in nodes.page(tx, 99, ""):
        bmcs.put(tx, row.id, RegisteredBmc(row.name, "ipmi", "bmc.example", 623))
        bmcs.set_power(tx, row.name, "on", 1.0)
        bmcs.stage(tx, row.id, "on", "pxe")


def with_hypervisor(tx: Tx) -> None:
    """Register a second hypervisor, if there is none yet."""
    if hypervisors.find(tx, "hv2") is None:
        hypervisors.create(tx, RegisteredHypervisor("hv2", "qemu+ssh://hv2/system", "eth0"))


SEEN = SwitchView(
    (LldpNeighbour(PortRef("sw1", "Gi1/0/9"), "sw2", "Gi1/0/9", "sw2"),),
    (Seen(PortRef("sw1", "Gi1/0/1"), "52:54:00:00:00:99", 100),),
)


def cabled(tx: Tx) -> None:
    """Note what sw1 sees: a stranger, and sw2 as its neighbour; and that all nics are wrong."""
    known = cabling.inventory(tx)
    verdict = planner.cabling(known.nics, {"sw1": SEEN}, switches=known.switches)
    strangers = tuple(
        StrangerRow(PortRef(row.name, "Gi1/0/1"), ("52:54:00:00:00:99",), None)
        for row in known.switches
    )
    verdict = msgspec.structs.replace(verdict, strangers=strangers)
    cabling.record(tx, verdict, known.ids, ["sw1"], 1.0)
    tx.execute("UPDATE nic_cabling SET state = 'swapped'")
    tx.execute(
        "INSERT OR REPLACE INTO nic_cabling SELECT id, 'swapped', 'seen elsewhere', 1.0 FROM nic"
    )


def linked(tx: Tx) -> None:
    """Declare that the trunk ports of sw1 and sw2 are one cable, which LLDP contradicts."""
    ends = tx.values(int, "SELECT id FROM port WHERE role = 'trunk' ORDER BY id")
    if len(ends) > 1:
        trunks.declare_peer(tx, *ends[:2])
    trunks.set_wrong(tx, [(row.ref, "LLDP says otherwise") for row in trunks.everyone(tx)])


def proved(tx: Tx) -> None:
    """Note that free nodes are proved, or being proved."""
    for row in nodes.page(tx, 99, ""):
        if row.project_id is None and proofs.under_way(tx, row.id) is None:
            job = proofs.begin(tx, row, 1000 + row.id, user="ann", now=1.0)
            proofs.record(tx, row.id, job, now=1.0, why=None, nics=[], notes=[])


QUERIES: dict[Callable[..., Any], Callable[[Tx], Any]] = {
    audit.page: lambda tx: [
        audit.page(
            tx, 9, None, newest=newest, since=0, user="rita", project="red", project_id=1, name=name
        )
        for newest in (False, True)
        for name in (None, "node-1")
    ],
    audit.anchor: audit.anchor,
    audit.head: audit.head,
    audit.prune: lambda tx: audit.prune(tx, 0.0, 10, 10),
    audit.verify: lambda tx: audit.verify(tx, audit.anchor(tx), 10),
    bmcs.find: lambda tx: [with_bmcs(tx), *(bmcs.find(tx, each) for each in range(1, 10))],
    bmcs.everyone: lambda tx: [with_bmcs(tx), bmcs.everyone(tx)],
    bmcs.on_network: lambda tx: [
        tx.execute("UPDATE nic SET kind = 'bmc'"),
        *(bmcs.on_network(tx, each) for each in range(1, 10)),
    ],
    bmcs.power_of: lambda tx: [with_bmcs(tx), bmcs.power_of(tx, list(range(1, 10)))],
    bmcs.powers: lambda tx: [with_bmcs(tx), bmcs.powers(tx)],
    bmcs.staged_of: lambda tx: [with_bmcs(tx), bmcs.staged_of(tx, list(range(1, 10)))],
    cabling.of_node: lambda tx: [cabling.of_node(tx, each) for each in range(1, 10)],
    cabling.of_nics: lambda tx: cabling.of_nics(tx, [*cabling.inventory(tx).ids]),
    cabling.counts: lambda tx: [cabled(tx), cabling.counts(tx)],
    cabling.alarms: lambda tx: [cabled(tx), cabling.alarms(tx)],
    cabling.record_links: lambda tx: [
        linked(tx),
        cabling.record_links(
            tx, LinkVerdict(tuple(EndVerdict(row.ref, None) for row in trunks.wrong(tx)), ())
        ),
    ],
    trunks.everyone: lambda tx: [linked(tx), trunks.everyone(tx)],
    trunks.of_switch: lambda tx: [linked(tx), trunks.of_switch(tx, 1)],
    trunks.of_port: lambda tx: [
        linked(tx),
        *(trunks.of_port(tx, row.id) for row in ports.page(tx, 1, 9, 0)),
    ],
    trunks.wrong: lambda tx: [linked(tx), trunks.wrong(tx)],
    trunks.fabric: lambda tx: [linked(tx), trunks.fabric(tx)],
    trunks.ports: lambda tx: trunks.ports(tx),
    passing.Passing.may_pass: lambda tx: [
        linked(tx),
        jobs.open_changes(tx, ["sw2"], but_of=1),
        passing.Passing(tx, 1, passing.OwnSteps()).may_pass("sw1", 100),
    ],
    cabling.record: lambda tx: [
        tx.execute("DELETE FROM nic_cabling"),
        cabled(tx),
        cabling.record(tx, CablingVerdict((), (), (), ()), {}, [], 2.0),
        cabling.alarms(tx),
    ],
    cabling.strangers: lambda tx: [cabled(tx), cabling.strangers(tx), cabling.strangers(tx, "sw1")],
    cabling.links: lambda tx: [cabled(tx), cabling.links(tx), cabling.links(tx, "sw1")],
    drift.of_devices: lambda tx: drift.of_devices(tx, ["sw1", "sw2", MASTER, LIBVIRT]),
    drift.page: lambda tx: drift.page(tx, 9, ("", "", ""), None),
    drift.replace: lambda tx: drift.replace(tx, "sw1", [DIFFERENCE], 0.0),
    evidence.of_port: lambda tx: [
        evidence.stage_all(tx, 1, "ann", 1, 0.0),
        *(evidence.keep(tx, each, evidence.Proof(0.0, 1, ("said",))) for each in range(1, 10)),
        *(evidence.of_port(tx, each) for each in range(1, 10)),
    ],
    evidence.staged: lambda tx: [
        *(evidence.stage_all(tx, each, "ann", 1, 0.0) for each in range(1, 10)),
        *(evidence.staged(tx, each) for each in range(1, 10)),
    ],
    headnodes.find: lambda tx: headnodes.find(tx, 1, "head"),
    headnodes.page: lambda tx: headnodes.page(tx, 9, 0, project_id=1, mine=[1]),
    headnodes.all_of: lambda tx: headnodes.all_of(tx, 1),
    hypervisors.everyone: lambda tx: [with_hypervisor(tx), hypervisors.everyone(tx)],
    hypervisors.find: lambda tx: [with_hypervisor(tx), hypervisors.find(tx, "hv2")],
    images.hashes: lambda tx: [
        images.keep(tx, "hv2", {("/base.img", 1, "2.3"): "abc"}),
        images.hashes(tx, "hv2"),
    ],
    hypervisors.left_behind: lambda tx: [
        with_hypervisor(tx),
        tx.insert("left_behind", hypervisor="hv2", uuid="u", label="red/desk"),
        hypervisors.left_behind(tx, "hv2"),
    ],
    hypervisors.usage: lambda tx: hypervisors.usage(tx, MASTER),
    consoles.lines_of_nodes: lambda tx: [with_bmcs(tx), consoles.lines_of_nodes(tx)],
    consoles.running_headnodes: consoles.running_headnodes,
    headnodes.on_hypervisor: headnodes.on_hypervisor,
    headnode_states.lose_sight: lambda tx: headnode_states.lose_sight(tx, MASTER, forget=True),
    headnode_states.observe: lambda tx: [
        noted_gone(tx),
        headnode_states.observe(tx, MASTER, {}, watched=True),
    ],
    headnodes.nics: lambda tx: headnodes.nics(tx, 1),
    identities.find: lambda tx: identities.find(tx, "sw1"),
    jobs.find: lambda tx: jobs.find(tx, 1),
    jobs.page: lambda tx: jobs.page(tx, 9, 100, project_id=1, mine=[1], state="running"),
    jobs.unfinished: jobs.unfinished,
    jobs.ended_since: lambda tx: jobs.ended_since(tx, 0.0, [1]),
    jobs.steps: lambda tx: jobs.steps(tx, 2),
    jobs.open_changes: lambda tx: jobs.open_changes(tx, ["sw1", "sw2"], but_of=1),
    jobs.interrupt: lambda tx: jobs.interrupt(tx, 2, 0.0),
    late.on: lambda tx: [noted_late(tx), late.on(tx, "sw1")],
    late.of_nodes: lambda tx: [noted_late(tx), late.of_nodes(tx, list(range(1, 10)))],
    leases.of_nodes: lambda tx: leases.of_nodes(tx, [1, 2]),
    leases.due: lambda tx: leases.due(tx, 1e12),
    leases.to_warn: lambda tx: leases.to_warn(tx, 1e12),
    leases.hook_run: lambda tx: leases.hook_run(tx, 1),
    networks.find: lambda tx: networks.find(tx, 1, "net"),
    networks.named: lambda tx: networks.named(tx, "net", [1]),
    networks.page: lambda tx: networks.page(tx, 9, 0, project_id=1, mine=[1]),
    networks.nics_on: lambda tx: networks.nics_on(tx, 1),
    networks.headnodes_on: lambda tx: networks.headnodes_on(tx, 1),
    networks.claim: lambda tx: networks.claim(tx, 100),
    nodes.find: lambda tx: nodes.find(tx, "node-1"),
    nodes.page: lambda tx: (
        [
            nodes.page(tx, 9, "", mine=[1], project_id=1, free=free, tag="gpu")
            for free in (True, False, None)
        ]
        + [nodes.page(tx, 9, "")]
    ),
    nodes.tags_of: lambda tx: nodes.tags_of(tx, [1, 2, 3]),
    nics.of_nodes: lambda tx: nics.of_nodes(tx, [1, 2, 3, 4, 5, 6, 7, 8, 9]),
    nics.connections_of: lambda tx: nics.connections_of(tx, [1, 6]),
    nics.find: lambda tx: nics.find(tx, 1, "eth0"),
    headnodes.macs_on: lambda tx: headnodes.macs_on(tx, MASTER, 101),
    ports.find: lambda tx: ports.find(tx, "sw1", "Gi1/0/1"),
    ports.page: lambda tx: ports.page(tx, 1, 9, 0),
    ports.in_use: lambda tx: ports.in_use(tx, 1),
    ports.of_switch: lambda tx: ports.of_switch(tx, "sw1"),
    ports.unconfirmed: lambda tx: ports.unconfirmed(tx, "sw1"),
    ports.states: lambda tx: ports.states(tx, 1),
    ports.parking: lambda tx: ports.parking(tx, "sw1"),
    ports.closing: lambda tx: ports.closing(tx, "sw1", ["Gi1/0/1"]),
    ports.member_of: lambda tx: ports.member_of(tx, 1),
    projects.find: lambda tx: projects.find(tx, "red"),
    projects.page: lambda tx: projects.page(tx, 9, "", [1]),
    proofs.nics_of: lambda tx: [
        tx.execute("UPDATE nic SET kind = 'data'"),
        *(proofs.nics_of(tx, each) for each in range(1, 10)),
    ],
    proofs.under_way: lambda tx: [
        proved(tx),
        *(proofs.under_way(tx, each) for each in range(1, 10)),
    ],
    proofs.of_job: lambda tx: [
        proved(tx),
        *(
            proofs.of_job(tx, row.job_id)
            for each in range(1, 10)
            if (row := proofs.under_way(tx, each)) is not None
        ),
    ],
    proofs.of_node: lambda tx: [proved(tx), *(proofs.of_node(tx, each) for each in range(1, 10))],
    scope.load: lambda tx: [scope.load(tx, each, [100, 101], traits) for each in SCOPES],
    drift.applied_on: lambda tx: [
        drift.applied_on(tx, device, traits) for device in ("sw1", MASTER, LIBVIRT)
    ],
    shares.offers_to: lambda tx: shares.offers_to(tx, 9, ("", ""), "green"),
    shares.finish_ends: lambda tx: [shares.begin_end(tx, 1, 2), shares.finish_ends(tx)][1:],
    sendable.refusal: lambda tx: sendable.refusal(tx, "sw1", SetPort("Gi1/0/1", PARKED), 1),
    sendable.repair_refusal: lambda tx: sendable.repair_refusal(
        tx, LIBVIRT, DeleteHeadnode("red/head", UUID)
    ),
    sendable.still_carried: lambda tx: sendable.still_carried(tx, "sw1", SetVlan(100, False), 1),
    switches.find: lambda tx: switches.find(tx, "sw1"),
    switches.uptime: lambda tx: [
        switches.set_uptime(tx, "sw1", 1.0, Moment("a boot", 2.0)),
        switches.uptime(tx, "sw1"),
    ],
    switches.page: lambda tx: switches.page(tx, 9, ""),
    backs.of_revert: lambda tx: [
        to_confirm(tx),
        tx.execute("UPDATE confirm SET reverted_by = 2"),
        backs.of_revert(tx, 2),
    ],
    backs.usable: lambda tx: backs.usable(tx, 1),
    confirms.find: lambda tx: [to_confirm(tx), confirms.find(tx, 2)],
    confirms.waiting: lambda tx: [
        to_confirm(tx),
        confirms.ended(tx, 2, Moment("a boot", 2.0), 3.0),
        *confirms.waiting(tx),
    ],
    confirms.revert: lambda tx: [
        to_confirm(tx),
        *(confirms.revert(tx, row, user="u", now=1.0) for row in [confirms.find(tx, 2)] if row),
    ],
    switches.everyone: switches.everyone,
    switches.contacts: lambda tx: [
        switches.set_contact(tx, "sw1", True, 1.0),
        *switches.contacts(tx),
    ],
    switches.one_of_each_dialect: switches.one_of_each_dialect,
    transcripts.page: lambda tx: transcripts.page(tx, 1, 9, 0, None),
    vlans.on_switches: lambda tx: vlans.on_switches(tx, [100]),
    vlans.on_switch: lambda tx: vlans.on_switch(tx, 1),
    vlans.bridges: lambda tx: vlans.bridges(tx, [100]),
    vlans.all_bridges: lambda tx: vlans.all_bridges(tx, MASTER),
    vlans.ports_on: lambda tx: vlans.ports_on(tx, [100]),
    vlans.everywhere: lambda tx: vlans.everywhere(tx),
    vlans.headnodes_on: lambda tx: vlans.headnodes_on(tx, [101]),
    vlans.by_ids: lambda tx: vlans.by_ids(
        tx, vlans.VlanRow, "SELECT vlan FROM vlan_claim WHERE vlan IN ({})", [100, 101]
    ),
    tokens.by_hash: lambda tx: tokens.by_hash(tx, b"hash", 0.0),
    tokens.find: lambda tx: tokens.find(tx, "rita", "ci"),
    tokens.owners_of: lambda tx: tokens.owners_of(tx, "ci"),
    tokens.page: lambda tx: tokens.page(tx, 9, ("", ""), user="rita", mine=[1]),
    users.memberships: lambda tx: users.memberships(tx, "rita"),
    users.find: lambda tx: users.find(tx, "rita"),
    users.page: lambda tx: users.page(tx, 9, ""),
    hypervisors.bmc: lambda tx: [
        with_hypervisor(tx),
        hypervisors.set_bmc(tx, RegisteredBmc("hv2", "ipmi", "192.0.2.9", 623)),
        hypervisors.bmc(tx, "hv2"),
    ],
    hypervisors.retire: lambda tx: [
        with_hypervisor(tx),
        tx.execute("UPDATE headnode SET hypervisor = 'hv2'"),
        headnode_states.observe(tx, "hv2", {}, watched=True),
        hypervisors.retire(tx, "hv2", 1.0, "admin"),
    ],
}
"""A call of every function that returns rows, and of those that read rows for another result.

A function that returns rows finds at least one in the filled database.
"""

OF_WHAT_EXISTS: dict[Callable[..., Any], Callable[[Tx], Any]] = {
    headnodes.by_uuid: lambda tx: headnodes.by_uuid(tx, headnodes.on_hypervisor(tx)[0].uuid),
    networks.by_id: lambda tx: networks.by_id(tx, 1),
    nodes.by_id: lambda tx: nodes.by_id(tx, 1),
    projects.by_id: lambda tx: projects.by_id(tx, 1),
    projects.detail: lambda tx: projects.detail(tx, 1),
}
"""The same, for functions whose row must exist."""


@pytest.fixture
async def empty(memory_path: Path) -> AsyncIterator[Store]:
    store = Store(str(memory_path / "haas.db"))
    await store.open()
    yield store
    await store.close()


async def test_the_columns_of_every_query_are_its_struct_s_fields(empty: Store) -> None:
    for function, query in QUERIES.items():
        try:
            await empty.write(query)
        except TypeError as error:
            pytest.fail(f"{function.__module__}.{function.__name__}: {error}")


async def test_the_values_of_every_query_have_its_struct_s_types(filled: Store) -> None:
    """SQLite has neither booleans nor JSON, and any column may be null."""
    reader.cache_clear()
    for function, query in (QUERIES | OF_WHAT_EXISTS).items():
        result = await filled.write(query)
        if function in returning_rows():
            assert any(rows(result)), f"{function.__module__}.{function.__name__} found nothing"
    read = reader.cache_info().misses
    kinds = [kind for kind in Row.__subclasses__() if kind.__module__.startswith("haas_rpcd")]
    for kind in kinds:
        reader(kind)
    unread = reader.cache_info().misses - read
    assert unread == 0, f"{unread} types of rows are read by no query above"


def test_every_function_that_returns_rows_is_called_above() -> None:
    assert returning_rows() - QUERIES.keys() - OF_WHAT_EXISTS.keys() == set()


@functools.cache
def returning_rows() -> set[Callable[..., Any]]:
    """The store's functions that return rows, alone or in containers."""
    return {
        function
        for module in MODULES
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__
        and not name.startswith("_")
        and any(issubclass(kind, Row) for kind in classes(get_type_hints(function)["return"]))
    }


def classes(hint: Any) -> Iterator[type]:
    """The classes that a type hint is made of."""
    if inspect.isclass(hint):
        yield hint
    for argument in get_args(hint):
        yield from classes(argument)


def rows(result: Any) -> Iterator[Row]:
    """The rows in a result."""
    if isinstance(result, Row):
        yield result
    elif isinstance(result, dict | list | tuple):
        for item in result.values() if isinstance(result, dict) else result:
            yield from rows(item)
