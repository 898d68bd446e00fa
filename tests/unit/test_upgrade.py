"""A database of an earlier schema, upgraded: what was true of the data centre still is.

``released/NAME.sql`` is a filled database with the migrations up to NAME: the first schema, and the
one that first held what the first could not. Upgrading either passes through every schema since.
``released/digests`` has what each migration makes of the second, as a migration that masters have
run must not change any more. ``python -m tests.unit.test_upgrade`` adds those of new migrations.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlite_utils import Database

from haas_rpcd.model import (
    PARKED,
    DefineHeadnode,
    DeleteHeadnode,
    HeadnodeNic,
    HeadnodeSeen,
    Phase,
    PortConfig,
    PortRef,
    PortSeen,
    PresenceSeen,
    SaveConfig,
    SetBridge,
    SetHeadnodeNics,
    SetHeadnodePower,
    SetPort,
    SetVlan,
)
from haas_rpcd.planner import plan
from haas_rpcd.states import AppliedPort, SwitchTraits
from haas_rpcd.store import (
    applied,
    audit,
    drift,
    headnodes,
    jobs,
    networks,
    nics,
    nodes,
    ports,
    projects,
    scope,
    shares,
    switches,
)
from haas_rpcd.store.database import Store, Tx
from haas_rpcd.store.schema import migrations
from haas_rpcd.store.scope import Scope

FOLDER = Path(__file__).parent / "released"
RELEASED = ["initial", "drift"]
NEWER = "drift"
"""The first that knew drift."""

POOL = tuple(range(100, 110))


DIGESTS = FOLDER / "digests"


def schemas() -> list[str]:
    """Return the names of all schemas, the oldest first."""
    with closing(sqlite3.connect(":memory:")) as connection:
        return [migration.name for migration in migrations.pending(Database(connection))]


def digests() -> dict[str, str]:
    """Return a digest of the filled database as each migration leaves it, by its name."""
    found = {}
    names = schemas()
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript((FOLDER / f"{NEWER}.sql").read_text())
        for name, following in zip(names, [*names[1:], None], strict=True):
            if names.index(name) > names.index(NEWER):
                migrations.apply(Database(connection), stop_before=following)
            if names.index(name) >= names.index(NEWER):
                found[name] = hashlib.sha256(repr(content(connection)).encode()).hexdigest()
    return found


def content(connection: sqlite3.Connection) -> list[Any]:
    """Return the schema of a database and its rows, without what differs from run to run."""
    schema = connection.execute(
        "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE '%sqlite_%' ORDER BY 1, 2"
    ).fetchall()
    tables = [name for kind, name, _ in schema if kind == "table" and name != "sealing_key"]
    rows = [connection.execute(f'SELECT * FROM "{name}"').fetchall() for name in tables]
    return [schema, [sorted(each, key=repr) for each in rows]]


@pytest.fixture(params=RELEASED)
async def store(
    memory_path: Path, upgraded: Callable[[str], bytes], request: pytest.FixtureRequest
) -> AsyncIterator[Store]:
    path = memory_path / "haas.db"
    path.write_bytes(upgraded(request.param))
    opened = Store(str(path))
    await opened.open()
    yield opened
    await opened.close()


def traits(dialect: str, trunks: int) -> SwitchTraits:
    return SwitchTraits(declares_vlans=True, saves=True, trunks=trunks)


async def refused(store: Store, change: Callable[[Tx], object], why: str) -> None:
    with pytest.raises(sqlite3.IntegrityError, match=why):
        await store.write(change)


def save(tx: Tx, switch: str) -> list[str]:
    """Confirm that a switch was saved; return the nodes that this frees."""
    return applied.confirm_save(tx, switch, PresenceSeen(present=True)).nodes


def node_id(tx: Tx, name: str) -> int:
    found = nodes.find(tx, name)
    assert found is not None
    return found.id


# --- the schema -----------------------------------------------------------------------------------


def test_a_released_migration_does_what_it_did() -> None:
    recorded = dict(line.split() for line in DIGESTS.read_text().splitlines())
    assert digests() == recorded, "a new migration?  python -m tests.unit.test_upgrade"


def test_an_upgraded_schema_is_that_of_a_new_database() -> None:
    def schema(connection: sqlite3.Connection) -> list[tuple[str, str, str]]:
        migrations.apply(Database(connection))
        return connection.execute(
            "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE '%sqlite_%'"
            " ORDER BY type, name"
        ).fetchall()

    with closing(sqlite3.connect(":memory:")) as new:
        expected = schema(new)
    for release in RELEASED:
        with closing(sqlite3.connect(":memory:")) as old:
            old.executescript((FOLDER / f"{release}.sql").read_text())
            assert schema(old) == expected


async def test_a_database_of_a_newer_daemon_is_refused(memory_path: Path) -> None:
    path = str(memory_path / "haas.db")
    with closing(sqlite3.connect(path)) as connection:
        migrations.apply(Database(connection))
        connection.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at)"
            " VALUES ('haas', 'of_the_future', '2026-01-01')"
        )
        connection.commit()
    store = Store(path)
    with pytest.raises(sqlite3.DatabaseError, match="by a newer haas-rpcd"):
        await store.open()
    await store.close()


async def test_an_upgrade_that_fails_leaves_the_database_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "haas.db"
    with closing(sqlite3.connect(path)) as db:
        db.executescript((FOLDER / "drift.sql").read_text())
        db.execute("UPDATE port_applied SET config = 'damaged' WHERE port_id = 16")
        db.commit()
        before = list(db.iterdump())
    store = Store(str(path))
    with pytest.raises(sqlite3.OperationalError, match="malformed JSON"):
        await store.open()
    await store.close()
    with closing(sqlite3.connect(path)) as db:
        assert list(db.iterdump()) == before


async def test_no_row_refers_to_one_that_is_gone(store: Store) -> None:
    assert not await store.read(lambda tx: tx.exists("PRAGMA foreign_key_check"))


# --- what is applied ------------------------------------------------------------------------------


async def test_nodes_are_in_the_state_they_were_in(store: Store) -> None:
    """Once the switches have saved what they had not before the upgrade."""
    assert await store.write(save, "sw1") == await store.write(save, "sw2") == []
    states = {row.name: row.state for row in await store.read(nodes.page, 100, "")}
    drifted = states.pop("node-9")
    assert states == {
        "node-1": "allocated",
        "node-2": "releasing",
        "node-3": "free",
        "node-4": "unconfirmed",  # its port may have been changed
        "node-5": "unconfirmed",  # its port was never set
        "node-6": "allocated",
        "node-7": "free",  # it is plugged into no port
        "node-8": "allocated",
    }
    found = await store.read(lambda tx: tx.exists("SELECT 1 FROM drift"))
    assert drifted == ("unconfirmed" if found else "free")


async def test_nodes_on_a_switch_with_unsaved_changes_are_free_once_it_is_saved(
    store: Store,
) -> None:
    """The releases before did not know which of its changes a switch had saved."""

    def state(tx: Tx) -> str:
        found = nodes.find(tx, "node-3")
        assert found is not None
        return found.state

    assert await store.read(state) == "unconfirmed"
    await store.write(save, "sw1")
    assert await store.read(state) == "free"


async def test_what_is_confirmed_on_a_saved_switch_counts_as_saved(memory_path: Path) -> None:
    path = memory_path / "haas.db"
    with closing(sqlite3.connect(path)) as db:
        db.executescript((FOLDER / "drift.sql").read_text())
        db.execute("DELETE FROM unsaved")
        db.commit()
    store = Store(str(path))
    await store.open()
    states = {row.name: row.state for row in await store.read(nodes.page, 100, "")}
    await store.close()
    assert (states["node-3"], states["node-4"]) == ("free", "unconfirmed")


async def test_ports_carry_what_was_confirmed(store: Store) -> None:
    def states(tx: Tx, switch: str) -> dict[str, PortConfig | None]:
        found = switches.find(tx, switch)
        assert found is not None
        return {row.name: row.config for row in ports.states(tx, found.id)}

    trunk = PortConfig(tagged=POOL)
    assert await store.read(states, "sw1") == {
        "Gi1/0/1": PortConfig(untagged=100),
        "Gi1/0/2": None,
        "Gi1/0/3": PARKED,
        "Gi1/0/4": None,
        "Gi1/0/6": PARKED,
        "Gi1/0/8": trunk,
    }
    assert await store.read(states, "sw2") == {
        "ethernet 1/1/1": PortConfig(untagged=101, tagged=(100,)),
        "ethernet 1/1/2": None,
        "ethernet 1/1/3": PARKED,
        "ethernet 1/1/8": trunk,
    }


async def test_headnodes_are_what_the_hypervisor_confirmed(store: Store) -> None:
    rows = {row.label: row for row in await store.read(headnodes.page, 100, 0)}
    nics = (
        HeadnodeNic("nic0", "52:54:00:aa:00:05", 101),
        HeadnodeNic("nic1", "52:54:00:aa:00:06", 0),
    )
    assert {label: row.seen for label, row in rows.items()} == {
        "red/head": None,
        "red/half": None,
        "red/going": None,
        "blue/desk": HeadnodeSeen(defined=True, running=True, nics=nics),
        "blue/off": HeadnodeSeen(defined=True, running=False),
        "blue/fresh": None,
    }
    assert [label for label, row in rows.items() if not row.touched] == ["blue/fresh"]
    assert [label for label, row in rows.items() if row.deleting] == ["red/going"]


async def test_a_project_that_was_applied_has_nothing_to_do(store: Store) -> None:
    def planned(tx: Tx) -> list[str]:
        blue = projects.find(tx, "blue")
        assert blue is not None
        desired, was_applied = scope.load(tx, Scope(project_id=blue.id), POOL, traits)
        assert was_applied.ports == {
            PortRef("sw2", "ethernet 1/1/1"): AppliedPort(PortConfig(101, (100,)))
        }
        return [step.target for step in plan(desired, was_applied).steps if step.device == "sw2"]

    await store.write(save, "sw2")
    assert await store.read(planned) == []


async def test_vlan_ids_stay_claimed_until_every_device_gave_them_up(store: Store) -> None:
    def free(tx: Tx) -> list[int]:
        return networks.free_claims(tx)

    def remove(tx: Tx, switch: str, vlan: int) -> list[int]:
        applied.confirm(tx, switch, SetVlan(vlan, present=False), PresenceSeen(present=False))
        assert networks.free_claims(tx) == []
        return applied.confirm_save(tx, switch, PresenceSeen(present=True)).vlans

    await store.write(save, "sw2")
    assert await store.write(free) == []
    assert await store.read(networks.first_free_vlan, POOL) == 103
    assert await store.write(remove, "sw1", 102) == [102]
    assert await store.write(remove, "sw1", 109) == [109]
    assert await store.write(free) == []


async def test_vlan_ids_may_be_in_what_a_switch_with_unsaved_changes_has_saved(
    store: Store,
) -> None:
    """The earlier release had confirmed that they are gone, but not that this is saved."""

    def gone(tx: Tx) -> list[int]:
        tx.execute("DELETE FROM switch_vlan WHERE vlan IN (102, 109)")
        return applied.release_freed(tx).vlans

    assert await store.write(gone) == []
    await store.write(save, "sw2")
    freed = await store.write(applied.confirm_save, "sw1", PresenceSeen(present=True))
    assert freed.vlans == [102, 109]


# --- what may happen next -------------------------------------------------------------------------


@pytest.mark.parametrize("node", ["node-2", "node-4", "node-5"])
async def test_a_node_that_is_not_confirmed_parked_cannot_be_allocated(
    store: Store, node: str
) -> None:
    await store.write(lambda tx: tx.execute("DELETE FROM drift"))
    await refused(
        store,
        lambda tx: nodes.allocate(tx, node_id(tx, node), 2),
        "not confirmed parked|UNIQUE constraint failed: allocation.node_id",
    )


async def test_a_parked_node_can_be_allocated_once(store: Store) -> None:
    await store.write(save, "sw1")
    await store.write(lambda tx: nodes.allocate(tx, node_id(tx, "node-3"), 2))
    await refused(store, lambda tx: nodes.allocate(tx, node_id(tx, "node-3"), 1), "UNIQUE")


@pytest.mark.parametrize("store", [NEWER], indirect=True)
async def test_a_drifted_node_cannot_be_allocated(store: Store) -> None:
    await store.write(lambda tx: tx.execute("UPDATE port_applied SET saved = confirmed"))
    await refused(
        store, lambda tx: nodes.allocate(tx, node_id(tx, "node-9"), 2), "did not stay parked"
    )


@pytest.mark.parametrize("node", ["node-1", "node-2", "node-6", "node-8"])
async def test_a_node_on_a_network_cannot_be_given_up(store: Store, node: str) -> None:
    await refused(
        store,
        lambda tx: tx.execute("DELETE FROM allocation WHERE node_id = ?", (node_id(tx, node),)),
        "not confirmed parked or still connected",
    )


async def test_a_release_ends_when_the_port_is_confirmed_parked_and_saved(store: Store) -> None:
    def park(tx: Tx) -> list[str]:
        change = SetPort("Gi1/0/2", PARKED)
        applied.confirm(tx, "sw1", change, PortSeen(PARKED))
        return applied.release_freed(tx).nodes

    assert await store.write(lambda tx: applied.release_freed(tx).nodes) == []
    assert await store.write(park) == []
    assert await store.write(save, "sw1") == ["node-2"]
    await store.write(lambda tx: nodes.allocate(tx, node_id(tx, "node-2"), 2))


async def test_triggers_still_protect_what_is_held_or_shared(store: Store) -> None:
    def connect(tx: Tx) -> None:
        [nic] = nics.of_nodes(tx, [node_id(tx, "node-8")])[node_id(tx, "node-8")]
        tx.insert("connection", nic_id=nic.id, network_id=2, tagged=0)

    await refused(store, connect, "may not use this network")
    await refused(store, lambda tx: shares.unshare(tx, 1, 2), "still uses this network")
    await refused(
        store,
        lambda tx: tx.execute(
            "UPDATE port SET nic_id = NULL WHERE nic_id IN (SELECT id FROM nic WHERE name = 'ipmi')"
        ),
        "nics of a node that is held are fixed",
    )


async def test_a_column_that_is_added_leaves_free_nodes_free(store: Store) -> None:
    """A later release reads more of a port: what was confirmed before stays confirmed."""

    def extend(tx: Tx) -> None:
        tx.execute("ALTER TABLE port_applied ADD COLUMN speed INTEGER")

    await store.write(extend)
    await store.write(save, "sw1")
    found = await store.read(nodes.find, "node-3")
    assert found is not None
    assert found.state == "free"
    await store.write(lambda tx: nodes.allocate(tx, found.id, 2))


# --- jobs -----------------------------------------------------------------------------------------


async def test_jobs_under_way_are_picked_up(store: Store) -> None:
    found = await store.read(jobs.unfinished)
    kinds = [(job.id, job.kind, job.state, job.project) for job in found if not job.repairs]
    assert kinds == [(2, "apply", "running", "red"), (3, "release", "queued", "red")]
    assert [job.node_id for job in found] == [None, 2, *[None for job in found[2:]]]


@pytest.mark.parametrize("store", [NEWER], indirect=True)
async def test_a_repair_under_way_is_picked_up(store: Store) -> None:
    [repair] = [job for job in await store.read(jobs.unfinished) if job.repairs]
    assert (repair.id, repair.state, repair.repair_switch) == (4, "queued", "sw2")


async def test_steps_that_a_dead_daemon_may_have_sent_are_known(store: Store) -> None:
    """Their changes are read back from each device, so all of them must be understood."""
    nic = HeadnodeNic("nic0", "52:54:00:aa:00:01", 100)
    other = HeadnodeNic("nic0", "52:54:00:aa:00:03", 100)
    head, half, going = (f"{n * 8}-{n * 4}-4{n * 3}-8{n * 3}-{n * 12}" for n in "124")
    steps = await store.write(jobs.interrupt, 2, 1790000100.0)
    assert [(step.phase, step.device, step.change) for step in steps] == [
        (Phase.VLANS, "sw2", SetVlan(104, present=True)),
        (Phase.JOIN, "sw2", SetPort("ethernet 1/1/2", PortConfig(tagged=(104,)))),
        (Phase.BRIDGES, "master", SetBridge(104, present=True)),
        (Phase.HEADNODES, "libvirt", DefineHeadnode("red/half", half, "base-headnode", (other,))),
        (Phase.HEADNODES, "libvirt", SetHeadnodeNics("red/head", head, (nic,))),
        (Phase.HEADNODES, "libvirt", SetHeadnodePower("red/head", head, running=True)),
        (Phase.REMOVE_HEADNODES, "libvirt", DeleteHeadnode("red/going", going)),
        (Phase.REMOVE, "sw1", SetVlan(102, present=False)),
        (Phase.SAVE, "sw1", SaveConfig()),
    ]
    states = [step.state for step in await store.read(jobs.steps, 2)]
    assert states == ["failed", *["interrupted"] * 10]


async def test_other_jobs_still_see_what_a_running_job_will_add(store: Store) -> None:
    found = await store.read(lambda tx: jobs.open_changes(tx, ["sw2"], but_of=3))
    assert SetPort("ethernet 1/1/2", PortConfig(tagged=(104,))) in found


async def test_past_jobs_and_the_audit_trail_are_kept(store: Store) -> None:
    past = await store.read(jobs.find, 1)
    assert past is not None
    assert (past.state, past.user, past.done, past.total) == ("succeeded", "rita", 1, 1)
    trail = await store.read(
        lambda tx: audit.page(tx, 10, None, since=None, user=None, project=None)
    )
    assert [(row.user, row.outcome, row.params["network"]) for row in trail] == [
        ("rita", "done", "net"),
        ("bob", "not_found", "x"),
    ]


@pytest.mark.parametrize("store", [NEWER], indirect=True)
async def test_drift_is_still_known(store: Store) -> None:
    rows = await store.read(drift.page, 100, ("", "", ""), None)
    assert [(row.device, row.target, row.project, row.behind) for row in rows] == [
        ("libvirt", "blue/desk", "blue", "blue/desk"),
        ("master", "br-vlan100", "red", "red/net"),
        ("sw1", "102", "red", "red/old"),
        ("sw2", "ethernet 1/1/3", None, "node-9:eth0"),
    ]


if __name__ == "__main__":
    recorded = DIGESTS.read_text().splitlines() if DIGESTS.exists() else []
    news = [f"{name} {digest}" for name, digest in digests().items()][len(recorded) :]
    DIGESTS.write_text("".join(f"{line}\n" for line in recorded + news))
